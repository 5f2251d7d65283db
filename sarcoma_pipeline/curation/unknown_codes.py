"""Observe codes that oBDS does not know in values that are kept as delivered (``schemas.code_lists``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby

import polars as pl

from sarcoma_pipeline.curation.obds_nested import entries
from sarcoma_pipeline.curation.value_rules import CODE_UNKNOWN
from schemas.code_lists import RECEIVED, CodeList
from schemas.observations import observation
from schemas.quality import Observation

_Keys = Mapping[str | None, CodeList]


def unknown_codes(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the values of a received table that are no code of their list, one observation per column.

    Args:
        frame: records of the table.
        table: its name.
    """
    if table not in RECEIVED:
        return Observation.empty()
    checks = _checks(table, tuple(frame.columns))
    some = frame.select(check.any().alias(str(n)) for n, (_, _, check) in enumerate(checks)).row(0)
    found = [Observation.empty()]
    for (column, keys, check), any_here in zip(checks, some, strict=True):
        if any_here:
            found += _observed(frame.filter(check), table, column, keys)
    return pl.concat(found)


@cache
def _checks(table: str, columns: tuple[str, ...]) -> tuple[tuple[str, _Keys, pl.Expr], ...]:
    """Return each column with the lists of its keys and whether a record has an unknown code in it."""
    made = []
    lists = sorted(RECEIVED[table].items())
    for column, group in groupby(lists, key=lambda one: one[0].partition("/")[0]):
        keys = {name.partition("/")[2] if "/" in name else None: codes for name, codes in group}
        if column in columns:
            made.append((column, keys, _check(column, keys)))
    return tuple(made)


def _check(column: str, keys: Mapping[str | None, CodeList]) -> pl.Expr:
    if None in keys:
        return keys[None].unknown(pl.col(column))
    if "" in keys:
        return _entries(column, keys).list.eval(keys[""].unknown(pl.element())).list.any().fill_null(False)
    wrong = pl.any_horizontal(
        codes.unknown(pl.element().struct.field(key)) for key, codes in keys.items() if key
    )
    return _entries(column, keys).list.eval(wrong).list.any().fill_null(False)


def _entries(column: str, keys: Mapping[str | None, CodeList]) -> pl.Expr:
    return entries(column, *(key for key in keys if key))


def _observed(
    frame: pl.DataFrame, table: str, column: str, keys: Mapping[str | None, CodeList]
) -> Iterator[pl.DataFrame]:
    """Yield the observations of one column, a row per record and key, with all of its unknown texts."""
    for key, codes in keys.items():
        told = frame.with_columns(_text=column if key is None else _entries(column, keys))
        if key is not None:
            told = told.explode("_text")
        if key:
            told = told.with_columns(pl.col("_text").struct.field(key).alias("_text"))
        wrong = (
            told.filter(codes.unknown(pl.col("_text")))
            .group_by("record_id", maintain_order=True)
            .agg(pl.col("_text").unique().sort().str.join("; "))
        )
        rule_column = f"{column}/{key}" if key else column
        seen = observation(wrong, CODE_UNKNOWN, table, rule_column, pl.col("_text"))
        yield seen.with_columns(severity=pl.lit("warning" if codes.decides else "notice"))
