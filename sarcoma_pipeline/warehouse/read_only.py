"""Read access to the warehouse under the contracts' table names, for a file, a catalog or several centres."""

from __future__ import annotations

import duckdb
import polars as pl

from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import centres, ddl, ducklake, opening, row_order
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.lent_frame import lent
from schemas.all_contracts import CONTRACTS


def is_built(project: Project) -> bool:
    """Return whether there is a warehouse to read; a catalog is assumed to exist."""
    return ducklake.catalog_address() is not None or project.warehouse.exists()


def connect(project: Project, centre: str = "") -> duckdb.DuckDBPyConnection:
    """Open a read-only connection with the contracts' table names.

    Args:
        project: the study.
        centre: centre to read; by default all centres as one pooled study.

    Raises:
        CannotOpen: another process has locked the file, or it is damaged.
        CatalogUnreachable: the catalog does not answer.
    """
    if not project.centres:
        if ducklake.catalog_address():
            return ducklake.connect(project.study.name, read_only=True)
        return opening.connect(project.warehouse, read_only=True)
    connection = _attached(project)
    existing = {
        centres.parts(f"{schema}.{table}")
        for schema, table in connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [ducklake.CATALOG]
        ).fetchall()
    }
    received = tuple(c for c in project.centres if any(of == c for of, _ in existing))
    tables = Tables(connection, centre, () if centre else received, f"{ducklake.CATALOG}.")
    connection.execute("USE memory")
    for schema in sorted({table.partition(".")[0] for table in CONTRACTS}):
        connection.execute(f"CREATE SCHEMA {schema}")
    for table, contract in CONTRACTS.items():
        columns = ", ".join(f'"{c}"' for c in contract.polars_schema())
        rows = tables.rows(table)
        if rows == tables.own(table) and (centre, table) not in existing:
            continue
        if table in centres.MERGED and not centre:
            frame = contract.conform(centres.pooled(table, connection.execute(f"FROM {rows}").pl()))
            with lent(connection, {"_merged": frame}):
                connection.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM _merged")
        else:
            connection.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM {rows}")
    return connection


def frame(connection: duckdb.DuckDBPyConnection, table: str, *, current: bool = True) -> pl.DataFrame:
    """Read a whole table as its contract says, with the rows in the order in which steps read them.

    Args:
        connection: from :func:`connect`.
        table: name as in its contract.
        current: False for the earlier versions of its rows, too, where the table keeps them.
    """
    condition = ddl.current_rows(table) if current else ""
    where = f" WHERE {condition}" if condition else ""
    rows = opening.queried(connection, f"FROM {table}{where}")
    return CONTRACTS[table].conform(row_order.ordered(table, rows) if current else rows)


def _attached(project: Project) -> duckdb.DuckDBPyConnection:
    if ducklake.catalog_address():
        return ducklake.connect(project.study.name, read_only=True)
    connection = duckdb.connect()
    path = str(project.warehouse).replace("'", "''")
    with opening.explained(project.warehouse):
        connection.execute(f"ATTACH '{path}' AS {ducklake.CATALOG} (READ_ONLY)")
    return connection
