"""What every typed record has, and the faults that reading itself meets."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from schemas.contract import Contract, Rule, column

REMEDY_SOURCE = "Correct it in the source system; it is read again in the next refresh."

FROM_OBDS = pl.col("source") == "oBDS"
"""oBDS demands it; a table may leave it out."""

READING_RULES = (
    Rule(
        "value.missing",
        "error",
        "A value that the record cannot do without is missing.",
        REMEDY_SOURCE,
    ),
    Rule(
        "value.date-unreadable",
        "error",
        "The text is not a date of the calendar.",
        REMEDY_SOURCE,
    ),
    Rule("value.number-unreadable", "error", "The text is not a number.", REMEDY_SOURCE),
    Rule(
        "value.code-unknown",
        "error",
        "The code is not in the column's code list.",
        "Correct it in the source system, or add the code to the mapping if it is a new one.",
        source="oBDS 3.0.4, DICOM PS3.3, sources.toml",
    ),
    Rule(
        "value.several",
        "warning",
        "One cell holds several values.",
        "Decide which one counts and correct the cell.",
    ),
    Rule(
        "date.partial",
        "notice",
        "The date is exact to the month or the year only; the middle of the interval is used.",
        "Nothing, or give the exact date if it is known.",
        source="oBDS Datumsgenauigkeit",
    ),
    Rule(
        "date.legacy-format",
        "notice",
        "The date is written the old way (00.MM.YYYY); it was read as a partial date.",
        "Update the exporting system to oBDS 3.",
        source="ADT/GEKID before oBDS 3",
    ),
)
"""Faults that reading itself meets. A finding of an ``unreadable`` rule has the severity of its column."""


def not_after_receipt(col: str) -> Rule:
    """The rule ``date.in-future`` for one date column."""
    return Rule(
        "date.in-future",
        "error",
        "The date lies after the day on which the record was received.",
        REMEDY_SOURCE,
        column=col,
        holds=pl.col(col) <= pl.col("received_on"),
    )


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
    reported_on: pl.Date = column("Reported on", "Day of the export that carries it (oBDS Meldedatum).")
