"""Place a toxicity in the acute or the late window since its therapy."""

from __future__ import annotations

import polars as pl

from schemas.partial_dates import interval
from schemas.toxicity_codes import ACUTE_DAYS


def placed(
    onset: tuple[pl.Expr, pl.Expr],
    start: pl.Expr,
    stated: pl.Expr,
    day: pl.Expr,
    start_day: pl.Expr,
    spread: tuple[pl.Expr, pl.Expr],
) -> pl.Expr:
    """Return the window of a toxicity of radiotherapy: acute, late, or null where it is not known.

    A date outranks what is stated. A toxicity from before its therapy has no window, and neither has one that
    a partial date leaves in both.

    Args:
        onset: first and last possible date.
        start: first day of radiotherapy.
        stated: window as stated or by the definition of the field.
        day: onset in days since time zero.
        start_day: first day of radiotherapy in days since time zero.
        spread: days from the first day back to the earliest and on to the latest that it may have been.
    """
    low = pl.coalesce([(onset[0] - start).dt.total_days(), day - start_day]) - spread[1]
    high = pl.coalesce([(onset[1] - start).dt.total_days(), day - start_day]) + spread[0]
    return (
        pl.when(high < 0)
        .then(None)
        .when(high <= ACUTE_DAYS)
        .then(pl.lit("acute"))
        .when(low > ACUTE_DAYS)
        .then(pl.lit("late"))
        .when(low.is_null())
        .then(stated)
    )


def spread() -> tuple[pl.Expr, pl.Expr]:
    """Return the days from the first day of a therapy back to its earliest and on to its latest one."""
    day = pl.col("therapy_day")
    return (
        (day - pl.col("therapy_day_earliest")).fill_null(0),
        (pl.col("therapy_day_latest") - day).fill_null(0),
    )


def window() -> pl.Expr:
    """Return :func:`placed` for rows of ``curated.toxicity``."""
    return placed(
        interval(pl.col("onset_date"), pl.col("onset_date_precision")),
        pl.col("therapy_date"),
        pl.col("stated_window"),
        pl.col("onset_day"),
        pl.col("therapy_day"),
        spread(),
    )
