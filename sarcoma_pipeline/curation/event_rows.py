"""How records become rows of events: their total order, one row per event, days since time zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.contract import Contract

Frames = Mapping[str, pl.DataFrame]
"""Typed table to its sound records, with ``patient_id``."""

NEWEST_LAST = ("reported_on", "place", "record_id")
"""The total order of records that tell of the same thing: the export's day, its file and the place in it."""


def ranked(frame: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Sort by rising credibility: later-named sources first, then earlier reports before later ones.

    Of two statements of one record, the mapping that sources.toml names first is the more credible.

    Args:
        frame: typed records.
        precedence: kinds of source, the most credible first.
    """
    order = {source: -i for i, source in enumerate(precedence)}
    rank = pl.col("source").replace_strict(order, default=-len(order), return_dtype=pl.Int32)
    return frame.reverse().sort(rank, *NEWEST_LAST, nulls_last=False, maintain_order=True)


def merged(frame: pl.DataFrame, keys: Sequence[str | pl.Expr], contract: type[Contract]) -> pl.DataFrame:
    """Make one row per key: column by column the last value that is there; all record ids are kept.

    Args:
        frame: typed records in rising order of credibility.
        keys: what makes an event the same event.
        contract: the curated table, for its columns.
    """
    named = {f"_key{i}": key if isinstance(key, pl.Expr) else pl.col(key) for i, key in enumerate(keys)}
    columns = [c.name for c in contract.columns() if c.name in frame.columns and c.name != "record_ids"]
    return (
        frame.with_columns(**named)
        .group_by(list(named), maintain_order=True)
        .agg(
            *(pl.col(c).drop_nulls().last() for c in columns),
            record_ids=pl.col("record_id").unique().sort(),
        )
        .drop(list(named))
    )


def with_days(frame: pl.DataFrame, zero: pl.DataFrame, days: Mapping[str, str]) -> pl.DataFrame:
    """Fill ``*_day`` from calendar dates and time zero; a day that a source counts itself stays.

    Args:
        frame: rows with ``patient_id``.
        zero: ``patient_id, zero``.
        days: column of the date to column of the day.
    """
    joined = frame.join(zero, on="patient_id", how="left", maintain_order="left")
    filled = []
    for date, day in days.items():
        counted = (pl.col(date) - pl.col("zero")).dt.total_days().cast(pl.Int32)
        own = [pl.col(day)] if day in frame.columns else []
        filled.append(pl.coalesce([*own, counted]).alias(day))
    return joined.with_columns(filled).drop("zero")


def nth_of_the_day(frame: pl.DataFrame, day: Sequence[str | pl.Expr], name: pl.Expr) -> pl.Expr:
    """Number the events of one day as each reporter tells them, so that two reporters' first ones are one.

    Args:
        frame: the records, with ``reporter``; only its columns matter.
        day: what makes the day: patient, tumour, date.
        name: what tells a reporter's events of the day apart: its number of the event, else its kind.
    """
    assert "reporter" in frame.columns
    return name.rank("dense").over([*day, "reporter"]).fill_null(1).cast(pl.Int32)


def interval(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the first and the last day that a date of this precision may mean."""
    month, year = precision == "month", precision == "year"
    first = pl.when(month).then(date.dt.month_start()).when(year).then(date.dt.truncate("1y"))
    last = (
        pl.when(month)
        .then(date.dt.month_end())
        .when(year)
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
    )
    return first.otherwise(date), last.otherwise(date)


def cut(
    date: pl.Expr, precision: pl.Expr, not_before: pl.Expr, not_after: pl.Expr
) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Cut the interval of a partial date by what order allows.

    An untouched month stands on its 15th and an untouched year on its 1 July; a cut interval stands in its
    middle, rounded down. An order that contradicts the whole interval cuts nothing.

    Args:
        date: the date as it stands in the typed table.
        precision: to what it is exact; null is exact to the day.
        not_before: a day before which it cannot be; null where nothing is known.
        not_after: a day after which it cannot be.

    Returns:
        The date, its first and its last possible day.
    """
    first, last = interval(date, precision)
    low = pl.max_horizontal(first, not_before)
    high = pl.min_horizontal(last, not_after)
    possible = (low <= high).fill_null(False) & precision.is_in(["month", "year"]).fill_null(False)
    low = pl.when(possible).then(low).otherwise(first)
    high = pl.when(possible).then(high).otherwise(last)
    touched = (low != first) | (high != last)
    middle = low + pl.duration(days=(high - low).dt.total_days() // 2)
    return pl.when(touched.fill_null(False)).then(middle).otherwise(date), low, high
