"""Find the files whose records must be typed again, because what their typing depends on has changed.

Typing (:func:`.typed_records.type_part`) is local to a file: its rows depend on the records of the file, on
its path and source, on the day of its receipt, on which of its records are set aside or repeat others, and on
what holds for all files (program, configuration). The content of a received record never changes while its
file stays as it was read (``file_id``, ``first_refresh``). Its id and key may: copies are numbered anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation.typed_records import Result

FILE = ["file_id", "first_refresh"]
"""Key of one reading of a file."""

INPUTS = {
    "file_id": pl.String, "first_refresh": pl.String, "records": pl.Int64, "named": pl.String,
    "inputs": pl.String,
}  # fmt: skip
"""Columns of :func:`inputs`."""

_SEEDS = (0, 1)
_HASHES = [f"_{seed}" for seed in _SEEDS]


def of_records(table: str, records: pl.DataFrame) -> pl.DataFrame:
    """Return for each file the number of its records in a table, and two hashes of their ids and keys.

    Args:
        table: name of the received table.
        records: ``file_id``, ``first_refresh``, ``record_id``, ``record_key``.
    """
    named = records.select("record_id", "record_key", _table=pl.lit(table))
    return (
        records.select(*FILE, *(named.hash_rows(seed).alias(f"_{seed}") for seed in _SEEDS))
        .group_by(FILE)
        .agg(pl.len().cast(pl.Int64).alias("records"), pl.col(_HASHES).bitwise_xor())
    )


def inputs(
    counted: Iterable[pl.DataFrame], aside: Iterable[pl.DataFrame], files: pl.DataFrame, days: pl.DataFrame
) -> pl.DataFrame:
    """Return what the typing of each file depends on, except what holds for all.

    Args:
        counted: of each received table, from :func:`of_records`.
        aside: ``file_id``, ``first_refresh``, ``record_id`` and ``why`` of the records that are not typed.
        files: ``file_id``, ``source``, ``path`` of ``meta.files``.
        days: ``refresh_id``, ``received_on``.

    Returns:
        One row per file with a record: its key, number of records, hash of their names, hash of everything.
    """
    records = _together(counted)
    facts = (
        records.join(files.unique("file_id", keep="first", maintain_order=True), on="file_id", how="left")
        .join(days, left_on="first_refresh", right_on="refresh_id", how="left")
        .select(*FILE, "records", *_HASHES, "source", "path", "received_on")
    )
    hashed = [_hashed(facts), *(_hashed(frame) for frame in aside if frame.height)]
    everything = pl.concat(hashed).group_by(FILE).agg(pl.col(_HASHES).bitwise_xor())
    return _named(records).join(everything.select(*FILE, inputs=_text()), on=FILE).sort(FILE)


@dataclass(frozen=True)
class Touched:
    """The difference between two nights.

    Attributes:
        now: files to type, from :func:`inputs` of tonight.
        gone: files whose former rows must go, from those of the night before.
    """

    now: pl.DataFrame
    gone: pl.DataFrame


def touched(now: pl.DataFrame, before: pl.DataFrame) -> Touched:
    """Return the files whose inputs are not those of the night before."""
    same = [*FILE, "inputs"]
    return Touched(now.join(before, on=same, how="anti"), before.join(now, on=same, how="anti"))


def renamed(gone: pl.DataFrame, counted: Iterable[pl.DataFrame]) -> bool:
    """Return whether the records of touched files have other names than when they were typed.

    Args:
        gone: from :func:`touched`.
        counted: of each received table, from :func:`of_records`, with the records of former nights.
    """
    named = _named(_together(counted))
    return not gone.join(named, on=named.columns, how="anti").is_empty()


def is_local(made: Result, records: pl.Series) -> bool:
    """Return whether everything that typing made is about these records."""
    said = [made.observed, made.disposition, *made.frames.values()]
    return all(frame["record_id"].is_in(records.implode()).all() for frame in said)


def _together(counted: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the numbers of records and their hashes by file, over all tables."""
    return pl.concat(counted).group_by(FILE).agg(pl.col("records").sum(), pl.col(_HASHES).bitwise_xor())


def _named(records: pl.DataFrame) -> pl.DataFrame:
    return records.select(*FILE, "records", named=_text())


def _hashed(facts: pl.DataFrame) -> pl.DataFrame:
    return facts.select(*FILE, *(facts.hash_rows(seed).alias(f"_{seed}") for seed in _SEEDS))


def _text() -> pl.Expr:
    return pl.concat_str(_HASHES, separator=" ")
