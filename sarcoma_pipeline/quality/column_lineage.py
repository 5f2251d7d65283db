"""Derive the column lineage: from which columns the values of every column are computed.

For the typing of oBDS it is read from the expressions. Joins and choices between records are not visible
in expressions; they are declared in ``schemas.column_lineage``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import polars as pl

from sarcoma_pipeline.curation import obds, obds_reports, obds_toxicity
from sarcoma_pipeline.curation.parse import Reading
from schemas.column_lineage import Column, declared_origins
from schemas.contract import CONTRACTS

_JOINED = {"received_on": "first_refresh"}
"""Columns joined to received records before typing, with the column used for the join."""


class OriginUnknown(Exception):
    """An expression does not name its columns, as with ``pl.all()``, selectors and ``pl.element()``."""


@cache
def origins() -> dict[str, dict[str, tuple[Column, ...]]]:
    """Return for each table and column the sorted columns from which it is computed.

    Received columns have none.
    """
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
        readings: typed column to its reading.

    Raises:
        OriginUnknown: an expression that is not constant names no column.
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
    """Return the received columns behind a column that is joined or derived before typing."""
    for start, columns in {**obds_reports.DERIVED, **obds_toxicity.DERIVED}.items():
        if name.startswith(start):
            return columns
    return (_JOINED.get(name, name),)
