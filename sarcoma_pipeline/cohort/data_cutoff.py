"""Remove rows and days after the data cut-off, before anything is derived from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

LAST_DAY = "_last_day"
"""Column with the day of the cut-off."""


def last_day(zero: pl.DataFrame, cutoff: dt.date) -> pl.DataFrame:
    """Return the cut-off as days since each patient's time zero: ``patient_id`` and :data:`LAST_DAY`.

    Args:
        zero: ``patient_id, zero``.
        cutoff: last day that counts.
    """
    days = (pl.lit(cutoff) - pl.col("zero")).dt.total_days().cast(pl.Int32)
    return zero.select("patient_id", days.alias(LAST_DAY))


def rows_until(frame: pl.DataFrame, day: str, zero: pl.DataFrame, cutoff: dt.date | None) -> pl.DataFrame:
    """Remove rows after the cut-off; rows without a day are kept.

    Args:
        frame: rows with ``patient_id`` and ``day``.
        day: column with the day since time zero.
        zero: ``patient_id, zero``.
        cutoff: last day that counts; None for no cut-off.
    """
    if cutoff is None:
        return frame
    joined = frame.join(last_day(zero, cutoff), on="patient_id", how="left", maintain_order="left")
    return joined.filter((pl.col(day) <= pl.col(LAST_DAY)).fill_null(True)).drop(LAST_DAY)


def days_until(
    frame: pl.DataFrame, days: Sequence[str], zero: pl.DataFrame, cutoff: dt.date | None
) -> pl.DataFrame:
    """Set days after the cut-off to null.

    Without a date of time zero no day is known to be after it.

    Args:
        frame: rows with ``patient_id`` and the days.
        days: columns with days since time zero.
        zero: ``patient_id, zero``.
        cutoff: last day that counts; None for no cut-off.
    """
    if cutoff is None:
        return frame
    joined = frame.join(last_day(zero, cutoff), on="patient_id", how="left", maintain_order="left")
    late = {day: pl.col(day) > pl.col(LAST_DAY) for day in days}
    return joined.with_columns(
        pl.when(after).then(None).otherwise(day).alias(day) for day, after in late.items()
    ).drop(LAST_DAY)
