"""Every statement of a patient's being alive or dead, one row per record that makes one."""

from __future__ import annotations

import polars as pl

from schemas import curated
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN


def undated_deaths(statements: pl.DataFrame) -> pl.DataFrame:
    """Give a death without a readable date its own status: however it is written, it is a death.

    Args:
        statements: ``typed.vital_status``, or rows of it.
    """
    undated = pl.col("status_date").is_null() & pl.col("status_day").is_null()
    undated_death = (pl.col("status") == DECEASED) & undated
    return statements.with_columns(
        status=pl.when(undated_death).then(pl.lit(DECEASED_DATE_UNKNOWN)).otherwise("status")
    )


def curate(statements: pl.DataFrame) -> pl.DataFrame:
    """Keep the statements that can be used, with the day that each is about and the day on which it was made.

    Args:
        statements: sound rows of ``typed.vital_status`` with ``patient_id``.

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
            pl.col("record_ids").list.first(), nulls_last=True,
        )
    )  # fmt: skip
