"""The warehouse's tables as the contracts say: what is missing is made, what changed is brought to them."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from sarcoma_pipeline.warehouse import centres, migrations
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.contract import Contract
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
"""What no file in the drop folder can bring back; every other table follows from these."""


def prepare(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, type[Contract]], centre: str = ""
) -> None:
    """Make the tables that are missing or no longer as their contract says, with their comments.

    A table of a derived layer is made anew when its contract changed; received tables, refreshes and the
    findings' history are never dropped: they get the new columns and keep the old.

    Args:
        connection: to the file or the catalog.
        contracts: table name to contract.
        centre: whose tables.

    Raises:
        WarehouseNewer: a newer program made it.
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
    noted = migrations.migrate(tables, known)
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
        for statement in contract.ddl(own):
            tables.execute(statement)
    versions = tables.own(MetaMigration.table())
    there = tables.execute(f"SELECT version FROM {versions}").pl()
    insert(tables, MetaMigration.table(), noted.join(there, on="version", how="anti"))
    for contract, frame in ((MetaDictionary, documented), (MetaVocabulary, vocabularies())):
        tables.execute(f"TRUNCATE {tables.own(contract.table())}")
        insert(tables, contract.table(), frame)


def columns(connection: duckdb.DuckDBPyConnection, centre: str) -> dict[str, dict[str, str]]:
    """Table to column to SQL type, as they are in the database, by the names of the contracts."""
    present: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database()"
    ).fetchall():
        present.setdefault(table, {})[name] = kind
    parts = {table: centres.parts(table) for table in present}
    return {parts[table][1]: columns for table, columns in present.items() if parts[table][0] == centre}
