"""Provenance of a received record, and how its columns of delivered text are declared."""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.contract import Contract, Identifying, column


class Received(Contract):
    """Provenance that every received record carries."""

    record_id: pl.String = column(
        "Record",
        "Hash of source, key and content; names the record everywhere. A copy has the suffix -2, -3, ….",
        nullable=False,
    )
    file_id: pl.String = column("File", "Key of meta.files: the version of the file read.", nullable=False)
    position: pl.String = column(
        "Position", "Where in the file: line, element path, sheet row or 'file'.", nullable=False
    )
    ordinal: pl.Int64 = column("Ordinal", "Place among the records of its file, from 1.")
    record_key: pl.String = column(
        "Record key",
        "Hash of the record's business key (patient number and Meldung, reference, SOPInstanceUID); "
        "the same from night to night, whatever the content.",
        nullable=False,
    )
    content_hash: pl.String = column(
        "Content hash", "Hash of the delivered values; equal for exact duplicates.", nullable=False
    )
    first_refresh: pl.String = column("First refresh", "Refresh that first received it.", nullable=False)
    last_refresh: pl.String = column(
        "Last refresh", "Last refresh that still received it; null while the file holds it."
    )


PROVENANCE = (
    "record_id",
    "file_id",
    "position",
    "ordinal",
    "record_key",
    "content_hash",
    "first_refresh",
    "last_refresh",
)


def text_column(description: str, identifying: Identifying = "clinical") -> Any:
    """Declare a column of delivered text; its title is the description up to a comma or semicolon."""
    return column(description.split(";")[0].split(",")[0], description, identifying=identifying)
