"""Read rows of tables: all, or those with one of some values, of one table or of several in one statement.

A statement of its own for each table takes longer than the reading, if few rows are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.warehouse import ddl, ducklake, opening
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.lent_frame import lent

_TABLE, _ROW = "_table", "_row"

_LARGE_BYTES = 16 << 20
"""Size of a reading after which DuckDB gives back what it kept of the file."""


def rows(
    tables: Tables, table: str, columns: Sequence[str], among: pl.Series | None, *, current: bool = True
) -> pl.DataFrame:
    """Return rows of a table in the order in which they were written.

    Args:
        tables: the study's tables.
        table: name as in its contract.
        columns: columns to read; empty for all.
        among: keep only rows whose value in the column of this name is among its values; only for tables of a
            centre.
        current: whether to leave out earlier versions of an append-only table.
    """
    condition = where(table) if current else ""
    if among is None:
        found = tables.execute(f"SELECT {_listed(columns)} FROM {tables.rows(table)}{condition}").pl()
    else:
        condition += (" AND " if condition else " WHERE ") + _is_among(among)
        with lent(tables.connection, {"_among": among.to_frame()}):
            # Sorted: DuckDB does not guarantee the order of rows of a semi-join.
            found = tables.execute(
                f"SELECT {_listed(columns)} FROM {tables.own(table)}{condition} ORDER BY rowid"
            ).pl()
    # A catalog has no such limit.
    if found.estimated_size() > _LARGE_BYTES and not ducklake.catalog_address():
        opening.let_go(tables.connection)
    return found


def of_several(
    tables: Tables, names: Sequence[str], columns: Sequence[str], among: pl.Series, *, current: bool = True
) -> dict[str, pl.DataFrame]:
    """Return, for each of several tables of a centre, what :func:`rows` returns for it."""
    wanted = list(dict.fromkeys((*columns, among.name)))
    parts = [
        f"SELECT {number}::UTINYINT AS {_TABLE}, rowid AS {_ROW}, {_listed(wanted)} FROM {tables.own(name)}"
        f"{where(name) if current else ''}"
        for number, name in enumerate(names)
    ]
    with lent(tables.connection, {"_among": among.to_frame()}):
        found = tables.execute(
            f"SELECT {_TABLE}, {_listed(columns)} FROM ({' UNION ALL '.join(parts)}) "
            f"WHERE {_is_among(among)} ORDER BY {_TABLE}, {_ROW}"
        ).pl()
    return {name: found.filter(pl.col(_TABLE) == number).drop(_TABLE) for number, name in enumerate(names)}


def resting_on(
    tables: Tables, names: Sequence[str], column: str, among: pl.Series
) -> dict[str, pl.DataFrame]:
    """Return rows of several tables of a centre of which a list has one of some values.

    Args:
        tables: the study's tables.
        names: the tables.
        column: the list.
        among: the values.
    """
    lists = " UNION ALL ".join(
        f"SELECT {number}::UTINYINT AS {_TABLE}, rowid AS {_ROW}, unnest({column}) AS {among.name} "
        f"FROM {tables.own(name)}"
        for number, name in enumerate(names)
    )
    with lent(tables.connection, {"_among": among.to_frame()}):
        at = tables.execute(
            f"SELECT DISTINCT {_TABLE}, {_ROW} FROM ({lists}) WHERE {_is_among(among)} ORDER BY ALL"
        ).pl()
    found = {}
    for number, name in enumerate(names):
        at_rows = at.filter(pl.col(_TABLE) == number)[_ROW].alias("rowid")
        found[name] = rows(tables, name, (), at_rows)
    return found


def sums(tables: Tables, table: str, by: Sequence[str], of: str) -> pl.DataFrame:
    """Return the sum of a column of the current rows of a table for each combination of others, in any order.

    Args:
        tables: the study's tables.
        table: name as in its contract.
        by: the other columns.
        of: the column of integers.
    """
    return tables.execute(
        f'SELECT {_listed(by)}, sum("{of}")::BIGINT AS "{of}" FROM {tables.rows(table)}{where(table)} '
        f"GROUP BY {_listed(by)}"
    ).pl()


def where(table: str) -> str:
    """Return the condition for the current rows of a table, with WHERE; empty if every row is current."""
    condition = ddl.current_rows(table)
    return f" WHERE {condition}" if condition else ""


def _is_among(among: pl.Series) -> str:
    return f'"{among.name}" IN (SELECT "{among.name}" FROM _among)'


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{c}"' for c in columns) or "*"
