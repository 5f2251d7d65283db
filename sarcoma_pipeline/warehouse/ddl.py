"""Creates the warehouse's tables from the contracts, and alters tables whose contract has changed."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from sarcoma_pipeline.warehouse import centres, migrations
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.contract import CONTRACTS, Contract
from schemas.meta import MetaDictionary, MetaMigration, MetaVocabulary, dictionary, vocabularies

APPEND_ONLY = (
    "received.",
    "meta.files",
    "meta.value_account",
    "meta.refreshes",
    "meta.configurations",
    "meta.migrations",
    "meta.release",
    "quality.decisions",
    "quality.ledger",
    "quality.trend",
    "quality.volumes",
)
"""Tables that cannot be recomputed from the drop folder; all other tables are derived from them."""


def current_rows(table: str) -> str:
    """Return the SQL condition for a table's current rows: some append-only tables also keep earlier ones.

    Returns:
        A condition without WHERE; empty if every row is current.
    """
    bitemporal = table.startswith(APPEND_ONLY) and "last_refresh" in CONTRACTS[table].polars_schema()
    return "last_refresh IS NULL" if bitemporal else ""


def prepare(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, type[Contract]], centre: str = ""
) -> None:
    """Create missing tables, and update tables whose contract has changed, with their comments.

    A derived table is recreated when its contract changes. Received tables, refreshes and the history of
    findings are never
    dropped: they get new columns and keep the old ones.

    Args:
        connection: connection to the file or the catalog.
        contracts: table name to contract.
        centre: centre whose tables are prepared.

    Raises:
        WarehouseNewer: a newer program created the warehouse.
    """
    tables = Tables(connection, centre)
    present = columns(connection, centre)
    known = migrations.version(tables, set(present))
    documented = dictionary()
    if known == migrations.VERSION and set(contracts) <= set(present):
        written = tables.execute(f"FROM {tables.own(MetaDictionary.table())}").pl()
        if MetaDictionary.conform(written).equals(documented):
            return
    tables.execute("BEGIN")
    try:
        _align(tables, contracts, known, documented)
    except BaseException:
        tables.execute("ROLLBACK")
        raise
    tables.execute("COMMIT")


def _align(
    tables: Tables, contracts: Mapping[str, type[Contract]], known: int, documented: pl.DataFrame
) -> None:
    applied = migrations.migrate(tables, known)
    present = columns(tables.connection, tables.centre)
    for schema in sorted({t.partition(".")[0] for t in contracts}):
        tables.execute(f"CREATE SCHEMA IF NOT EXISTS {tables.own(schema)}")
    for table, contract in contracts.items():
        own = tables.own(table)
        wanted = {c.name: c.sql_type for c in contract.columns()}
        have = present.get(table)
        if have is not None and have != wanted:
            if table.startswith(APPEND_ONLY):
                for name in wanted.keys() - have.keys():
                    tables.execute(f'ALTER TABLE {own} ADD COLUMN "{name}" {wanted[name]}')
            else:
                tables.execute(f"DROP TABLE {own}")
        # In one call per table: a hundred tables have two thousand comments.
        tables.execute("; ".join(contract.ddl(own)))
    versions = tables.own(MetaMigration.table())
    existing = tables.execute(f"SELECT version FROM {versions}").pl()
    insert(tables, MetaMigration.table(), applied.join(existing, on="version", how="anti"))
    for contract, frame in ((MetaDictionary, documented), (MetaVocabulary, vocabularies())):
        tables.execute(f"TRUNCATE {tables.own(contract.table())}")
        insert(tables, contract.table(), frame)


def columns(connection: duckdb.DuckDBPyConnection, centre: str) -> dict[str, dict[str, str]]:
    """Return table to column to SQL type as they exist in the database, by the names of the contracts."""
    present: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database()"
    ).fetchall():
        present.setdefault(table, {})[name] = kind
    parts = {table: centres.parts(table) for table in present}
    return {parts[table][1]: columns for table, columns in present.items() if parts[table][0] == centre}
