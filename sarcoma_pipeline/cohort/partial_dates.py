"""Handle dates known only to the month or year: the possible interval and its middle.

Without other information a month stands for its 15th and a year for 1 July, as in the typed tables. Other
days of the patient narrow the interval; a narrowed interval stands for its middle, rounded down.
"""

from __future__ import annotations

import polars as pl

from schemas.partial_dates import interval


def reach(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the days from a date back to the first and forward to the last day that it may mean."""
    first, last = interval(date, precision)
    back = (date - first).dt.total_days()
    forth = (last - date).dt.total_days()
    return back.fill_null(0).cast(pl.Int32), forth.fill_null(0).cast(pl.Int32)


def dated(
    frame: pl.DataFrame, zero: pl.DataFrame, *, not_before: str | None = None, not_after: str | None = None
) -> pl.DataFrame:
    """Set ``day``, ``day_earliest`` and ``day_latest`` of the events.

    Args:
        frame: ``patient_id, day, date, precision``; ``day`` comes from the date, or from the source.
        zero: ``patient_id, zero``, the date of time zero.
        not_before: column with a day before which the event cannot have been.
        not_after: column with a day after which it cannot have been.

    Returns:
        The frame with ``day`` in the middle of the remaining interval, the ends of the interval, and
        ``precision`` filled.
    """
    joined = frame.join(zero.select("patient_id", _zero="zero"), on="patient_id", how="left")
    # A source that gives days has no date, or a date unrelated to the day.
    by_date = ((pl.col("date") - pl.col("_zero")).dt.total_days() == pl.col("day")).fill_null(False)
    precision = pl.when(by_date).then(pl.col("precision").fill_null("day")).otherwise(pl.lit("day"))
    back, forth = reach(pl.col("date"), precision)
    early, late = pl.col("day") - back, pl.col("day") + forth
    low = pl.max_horizontal(early, not_before) if not_before else early
    high = pl.min_horizontal(late, not_after) if not_after else late
    # A limit that excludes the whole interval says nothing about the day within it.
    possible = low <= high
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


def day_columns(event: str) -> dict[str, pl.Expr]:
    """Return the columns of the timeline that say when an event of a curated table was.

    Args:
        event: prefix of the columns of its day and date.
    """
    day, date = f"{event}_day", f"{event}_date"
    return {
        "day": pl.col(day),
        "day_earliest": pl.col(f"{day}_earliest"),
        "day_latest": pl.col(f"{day}_latest"),
        "precision": pl.col(f"{date}_precision").fill_null("day"),
    }
