"""Turn records into rows of events: total order of records, one row per event, days since time zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from schemas.contract import Contract
from schemas.partial_dates import interval
from schemas.ranks import place_in

Frames = Mapping[str, pl.DataFrame]
"""Typed table name to its records, without quarantined ones, with ``patient_id``."""

NEWEST_LAST = ("reported_on", "place", "record_id")
"""Total order of the records of one event: day of the export, file and position in it, record id."""


def ranked(frame: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Sort by rising credibility: later-named sources first, then earlier reports before later ones.

    Of two statements of one record, the mapping that sources.toml names first is the more credible.

    Args:
        frame: typed records.
        precedence: kinds of source, the most credible first.
    """
    if frame.height < 2:
        return frame
    rank = -place_in(precedence, "source")
    return frame.reverse().sort(rank, *NEWEST_LAST, nulls_last=False, maintain_order=True)


def merged(frame: pl.DataFrame, keys: Sequence[str | pl.Expr], contract: type[Contract]) -> pl.DataFrame:
    """Return one row per key: the last value of each column that is not null, and all record ids.

    Args:
        frame: typed records in rising order of credibility.
        keys: the columns that identify an event.
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
    """Fill ``*_day`` from calendar dates and time zero; a day given by the source is kept.

    Args:
        frame: rows with ``patient_id``.
        zero: ``patient_id, zero``.
        days: column of the date to column of the day.
    """
    if frame.is_empty():
        lacking = [day for day in days.values() if day not in frame.columns]
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias(day) for day in lacking)
    joined = frame.join(zero, on="patient_id", how="left", maintain_order="left")
    filled = []
    for date, day in days.items():
        counted = (pl.col(date) - pl.col("zero")).dt.total_days().cast(pl.Int32)
        own = [pl.col(day)] if day in frame.columns else []
        filled.append(pl.coalesce([*own, counted]).alias(day))
    return joined.with_columns(filled).drop("zero")


def with_patient(frame: pl.DataFrame, link: pl.DataFrame, how: Literal["inner", "left"]) -> pl.DataFrame:
    """Add ``patient_id`` to typed records.

    Args:
        frame: rows with ``person_ref``.
        link: ``curated.link``.
        how: "inner" leaves out the records of persons without a link, "left" keeps them.
    """
    if frame.is_empty():
        return frame.with_columns(patient_id=pl.lit(None, dtype=pl.String))
    references = link.select("person_ref", "patient_id")
    return frame.join(references, on="person_ref", how=how, maintain_order="left")


def nth_of_the_day(frame: pl.DataFrame, day: Sequence[str | pl.Expr], name: pl.Expr) -> pl.Expr:
    """Number the events of one day within each reporter, so that the first events of two reporters match.

    Args:
        frame: the records, with ``reporter``; only its columns matter.
        day: the columns of a day: patient, tumour, date.
        name: what distinguishes a reporter's events of one day: the number of the event, else its kind.
    """
    assert "reporter" in frame.columns
    return name.rank("dense").over([*day, "reporter"]).fill_null(1).cast(pl.Int32)


def cut(
    frame: pl.DataFrame, date: str, precision: str, not_before: pl.Expr, not_after: pl.Expr
) -> pl.DataFrame:
    """Narrow the interval of a partial date by other known dates.

    A full month stands for its 15th and a full year for 1 July; a narrowed interval stands for its middle,
    rounded down. Limits that exclude the whole interval are ignored.

    Args:
        frame: rows with the date of the typed table and its precision.
        date: the column of the date, which is replaced.
        precision: the column of its precision; null means exact to the day.
        not_before: a day before which it cannot be; null if nothing is known.
        not_after: a day after which it cannot be.

    Returns:
        The frame, with the first and the last possible day in ``_low`` and ``_high``.
    """
    first, last = interval(pl.col(date), pl.col(precision))
    # In steps, because a part that several expressions share is computed once for each of them.
    narrowed = (
        frame.with_columns(_first=first, _last=last, _not_before=not_before, _not_after=not_after)
        .with_columns(
            _low=pl.max_horizontal("_first", "_not_before"), _high=pl.min_horizontal("_last", "_not_after")
        )
        .with_columns(
            _possible=(pl.col("_low") <= pl.col("_high")) & pl.col(precision).is_in(["month", "year"])
        )
        .with_columns(
            _low=pl.when("_possible").then("_low").otherwise("_first"),
            _high=pl.when("_possible").then("_high").otherwise("_last"),
        )
    )
    low, high = pl.col("_low"), pl.col("_high")
    touched = (low != pl.col("_first")) | (high != pl.col("_last"))
    middle = low + pl.duration(days=(high - low).dt.total_days() // 2)
    return narrowed.with_columns(pl.when(touched).then(middle).otherwise(date).alias(date)).drop(
        "_first", "_last", "_not_before", "_not_after", "_possible"
    )
