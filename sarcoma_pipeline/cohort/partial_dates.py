"""Days that are known to the month or year only: the interval that order allows, and its middle.

An untouched month stands on its 15th and an untouched year on its 1 July, as the typed tables have them. What
other days of the patient exclude is cut off, and a cut interval stands in its middle, rounded down.
"""

from __future__ import annotations

import polars as pl


def reach(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return days from a date back to the first and forth to the last day that it may mean."""
    year = pl.date(date.dt.year(), 1, 1), pl.date(date.dt.year(), 12, 31)
    first = pl.when(precision == "month").then(date.dt.month_start()).when(precision == "year").then(year[0])
    last = pl.when(precision == "month").then(date.dt.month_end()).when(precision == "year").then(year[1])
    back = (date - first.otherwise(date)).dt.total_days()
    forth = (last.otherwise(date) - date).dt.total_days()
    return back.fill_null(0).cast(pl.Int32), forth.fill_null(0).cast(pl.Int32)


def dated(
    frame: pl.DataFrame, zero: pl.DataFrame, *, not_before: str | None = None, not_after: str | None = None
) -> pl.DataFrame:
    """Place the events of a frame: ``day``, ``day_earliest``, ``day_latest``.

    Args:
        frame: ``patient_id, day, date, precision``; the day is that of the date, or counted by the source.
        zero: ``patient_id, zero``, the date of time zero.
        not_before: column with a day before which the event cannot have been.
        not_after: column with a day after which it cannot have been.

    Returns:
        The frame with ``day`` in the middle of what is left, its ends, and ``precision`` never null.
    """
    joined = frame.join(zero.select("patient_id", _zero="zero"), on="patient_id", how="left")
    # Where a source counts days there is no date, or one that has nothing to do with the day.
    by_date = ((pl.col("date") - pl.col("_zero")).dt.total_days() == pl.col("day")).fill_null(False)
    precision = pl.when(by_date).then(pl.col("precision").fill_null("day")).otherwise(pl.lit("day"))
    back, forth = reach(pl.col("date"), precision)
    early, late = pl.col("day") - back, pl.col("day") + forth
    low = pl.max_horizontal(early, not_before) if not_before else early
    high = pl.min_horizontal(late, not_after) if not_after else late
    # An order that contradicts the interval as a whole says nothing about the day within it.
    possible = (low <= high).fill_null(False)
    low, high = pl.when(possible).then(low).otherwise(early), pl.when(possible).then(high).otherwise(late)
    cut = (low != early) | (high != late)
    middle = pl.when(cut).then((low + high) // 2).otherwise("day")
    return (
        joined.with_columns(_precision=precision)
        .with_columns(
            day=middle.cast(pl.Int32), day_earliest=low.cast(pl.Int32), day_latest=high.cast(pl.Int32)
        )
        .with_columns(precision="_precision")
        .drop("_zero", "_precision")
    )
