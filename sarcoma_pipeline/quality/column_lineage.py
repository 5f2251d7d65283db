"""Column lineage: from which columns the values of every column are computed.

The expressions that type oBDS are asked what they read. The rest is declared in ``schemas.column_lineage``:
joins and choices between records, which no expression tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import polars as pl

from sarcoma_pipeline.curation import obds, obds_reports
from sarcoma_pipeline.curation.parse import Reading
from schemas.column_lineage import Column, declared_origins
from schemas.contract import CONTRACTS

_JOINED = {"received_on": "first_refresh"}
"""Columns that are joined to received records before typing, and by which of theirs."""


class OriginUnknown(Exception):
    """An expression does not tell what it reads, as with ``pl.all()``, selectors and ``pl.element()``."""


@cache
def origins() -> dict[str, dict[str, tuple[Column, ...]]]:
    """Return table to column to the columns it is computed from, sorted; received columns have none."""
    found = {
        table: {c: set(of) for c, of in columns.items()} for table, columns in declared_origins().items()
    }
    for table in sorted(obds.TABLES):
        for contract, readings in obds.readings_of(table):
            columns = found.setdefault(contract.table(), {})
            for column, of in read_from(table, readings):
                # Not every date has a column for its precision.
                if column in contract.polars_schema():
                    columns.setdefault(column, set()).update(of)
    return {table: {c: tuple(sorted(of)) for c, of in columns.items()} for table, columns in found.items()}


def read_from(table: str, readings: Mapping[str, Reading]) -> Iterator[tuple[str, set[Column]]]:
    """Yield each typed column with the received columns that its expression reads.

    Args:
        table: received table.
        readings: typed column to how it is read.

    Raises:
        OriginUnknown: an expression that is no constant names no column.
    """
    for column, reading in readings.items():
        if reading.constant:
            continue
        yield column, _roots(table, column, reading, reading.value)
        if reading.precision is not None:
            yield f"{column}_precision", _roots(table, column, reading, reading.precision)


def _roots(table: str, column: str, reading: Reading, expression: pl.Expr) -> set[Column]:
    names = {source for name in reading.origins(expression) for source in _delivered(name)}
    if (
        not names
        or expression.meta.has_multiple_outputs()
        or not names <= set(CONTRACTS[table].polars_schema())
    ):
        raise OriginUnknown(f"{table} does not tell from what {column} is read: name its columns")
    return {(table, name) for name in names}


def _delivered(name: str) -> tuple[str, ...]:
    """Return the received columns behind a column that is joined on or taken out of one before typing."""
    for start, columns in obds_reports.DERIVED.items():
        if name.startswith(start):
            return columns
    return (_JOINED.get(name, name),)
