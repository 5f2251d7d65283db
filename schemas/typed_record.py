"""Columns of every typed record, and the rules for unreadable values."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from schemas.contract import Contract, column
from schemas.rule import Rule

FROM_OBDS = pl.col("source") == "oBDS"
"""Condition for records of oBDS, which requires columns that a table may lack."""

VALUE_MISSING = Rule(
    "value.missing",
    "error",
    what="A required value is missing.",
    remedy="Fill in the named column in the system that sent the record.",
)
"""Reported by ``Contract.failures`` for a column that must not be null."""

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


AFTER_EXPORT = Rule(
    "date.after-export",
    "warning",
    what="The date lies after the day on which the record itself was written: oBDS Meldedatum, the day of "
    "the registry office's answer, or the plan's InstanceCreationDate.",
    remedy="Compare the named column with the letter or the report, in the system that sent the record. If "
    "the date is right, the system writes a wrong day into its export: ask its vendor to correct "
    "this.",
    missing="kept",
)


def not_after_delivery(column: str, *, partial: bool = False) -> tuple[Rule, Rule]:
    """Return the rules ``date.in-future`` and ``date.after-export`` for one date column.

    Args:
        column: the date.
        partial: whether the column has a precision: then the first possible day is compared with the day of
            the export.
    """
    first = pl.col(column)
    if partial:
        exact_to = pl.col(f"{column}_precision")
        first = (
            pl.when(exact_to == "month")
            .then(first.dt.month_start())
            .when(exact_to == "year")
            .then(first.dt.truncate("1y"))
            .otherwise(first)
        )
    return (
        IN_FUTURE.of_column(column, pl.col(column) <= pl.col("received_on")),
        # A date in the future gets only the finding ``date.in-future``.
        AFTER_EXPORT.of_column(
            column, (first <= pl.col("reported_on")) | (pl.col(column) > pl.col("received_on"))
        ),
    )


class Typed(Contract):
    """Provenance and person of a typed record."""

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
    reported_on: pl.Date = column(
        "Reported on",
        "Day of the export that carries it: oBDS Meldedatum, day of the answer, or InstanceCreationDate.",
    )
