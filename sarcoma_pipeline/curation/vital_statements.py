"""Every statement of a patient's being alive or dead, one row per record that makes one."""

from __future__ import annotations

import polars as pl

from schemas import curated


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
