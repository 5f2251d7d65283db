"""What every typed record has, and the faults that reading itself meets."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from schemas.contract import Contract, column
from schemas.rule import Rule

FROM_OBDS = pl.col("source") == "oBDS"
"""oBDS demands it; a table may leave it out."""

VALUE_MISSING = Rule(
    "value.missing",
    "error",
    what="A required value is missing.",
    remedy="Fill in the named column in the system that sent the record.",
)
"""Seen by ``Contract.failures`` in a column that is not nullable."""

IN_FUTURE = Rule(
    "date.in-future",
    "error",
    what="The date lies after the day on which the record was received.",
    remedy=(
        "Correct the date in the named column, in the system that sent the record. Look for a wrong "
        "year first."
    ),
    missing="kept",
)


def not_after_receipt(column: str) -> Rule:
    """Return the rule ``date.in-future`` for one date column."""
    return IN_FUTURE.of_column(column, pl.col(column) <= pl.col("received_on"))


class Typed(Contract):
    """Where a typed record came from and whose it is."""

    _judges_data: ClassVar[bool] = True

    record_id: pl.String = column("Record", "The received record it was read from.", nullable=False)
    source: pl.String = column("Source", "Kind of source.", nullable=False, vocabulary="source")
    person_ref: pl.String = column(
        "Person reference",
        "What the source knows the patient by: `number:` + hospital number, else `record:` + record.",
        nullable=False,
        identifying="identifier",
    )
    received_on: pl.Date = column("Received on", "Day of the refresh that first received it.", nullable=False)
    place: pl.String = column(
        "Place", "File and place in it: orders the reports of one day.", identifying="identifier"
    )
    reported_on: pl.Date = column("Reported on", "Day of the export that carries it (oBDS Meldedatum).")
