"""Curate the statements that a patient is alive or dead, one row per distinct statement."""

from __future__ import annotations

import polars as pl

from schemas import curated
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN


def undated_deaths(statements: pl.DataFrame) -> pl.DataFrame:
    """Set the status of deaths without a readable date: they still are deaths.

    Args:
        statements: ``typed.vital_status``, or rows of it.
    """
    undated = pl.col("status_date").is_null() & pl.col("status_day").is_null()
    undated_death = (pl.col("status") == DECEASED) & undated
    return statements.with_columns(
        status=pl.when(undated_death).then(pl.lit(DECEASED_DATE_UNKNOWN)).otherwise("status")
    )


def curate(statements: pl.DataFrame) -> pl.DataFrame:
    """Return the usable statements, with the day that each is about and the day of the statement.

    Args:
        statements: rows of ``typed.vital_status`` with ``patient_id``, without quarantined ones.

    Returns:
        Rows of ``curated.vital_statement`` without days; equal statements of one source are one.
    """
    if statements.is_empty():
        return curated.VitalStatement.empty()
    return (
        statements.filter(pl.col("status") != "no information")
        .group_by(
            "patient_id", "source", "status", "status_date", "status_date_precision", "status_day",
            told_date="reported_on",
        )
        .agg(record_ids=pl.col("record_id").unique().sort())
        .sort(
            "patient_id", "told_date", "status_date", "status_day", "status", "source",
            "status_date_precision", nulls_last=True,
        )
    )  # fmt: skip
