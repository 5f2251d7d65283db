"""The DuckDB warehouse as a Dagster resource: one writer, transactions, schema and comments from contracts.

No IO manager: its read path takes write locks. Assets name tables; what a run has written stays in memory for
its later steps, and what it has not is read from the file, so that a single asset can be materialised again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
from pydantic import PrivateAttr

from sarcoma_pipeline import event_log, fingerprint, migrations
from schemas.contract import Contract
from schemas.meta import MetaDictionary, MetaMigration, MetaVocabulary, dictionary, vocabularies
from schemas.tables import CONTRACTS

_WAIT_SECONDS = 60.0
_APPEND_ONLY = (
    "received.",
    "meta.files",
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


class WarehouseBusy(Exception):
    """Another process holds the warehouse: DuckDB has one writer, and no reader beside it."""


class Warehouse(dg.ConfigurableResource):
    """The restricted database of one study.

    Attributes:
        path: the DuckDB file, below the project root.
    """

    path: str
    _frames: dict[str, pl.DataFrame] = PrivateAttr(default_factory=dict)
    _connection: Any = PrivateAttr(default=None)
    _ready: bool = PrivateAttr(default=False)
    _read: set[str] | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Give the run its own memory, and let the file go when the run ends."""
        with event_log.held(context.instance, context.run_id):
            try:
                yield self
            finally:
                self.close()

    def close(self) -> None:
        """Let the database file go and forget the run's frames."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._ready = None, False
        self._frames.clear()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Everything within it is written, or nothing.

        Raises:
            WarehouseBusy: another process holds the file and does not let go.
        """
        connection = self._connect()
        connection.execute("BEGIN")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def replace(
        self,
        frames: Mapping[str, pl.DataFrame],
        step: str = "",
        of_step: Mapping[str, pl.DataFrame] | None = None,
        made_of: tuple[str, Mapping[str, str] | None] | None = None,
    ) -> None:
        """Make tables hold exactly these frames, all of them or none.

        Args:
            frames: table name to frame, as its contract says.
            step: the step that writes.
            of_step: tables that several steps share, to this step's part (without the column ``step``).
            made_of: the step's circumstances and the versions of the tables that it read.

        Raises:
            ContractBroken: a frame is not as its contract says.
        """
        with self.transaction() as connection:
            for table, frame in frames.items():
                CONTRACTS[table].enforce(frame)
                connection.execute(f"TRUNCATE {table}")
                insert(connection, table, frame)
                fingerprint.note_versions(connection, {table: fingerprint.version(frame)})
            for table, part in (of_step or {}).items():
                frame = CONTRACTS[table].conform(part.with_columns(step=pl.lit(step)))
                CONTRACTS[table].enforce(frame)
                connection.execute(f"DELETE FROM {table} WHERE step = ?", [step])
                insert(connection, table, frame)
                fingerprint.note_versions(connection, {table: fingerprint.version(frame)}, step)
            if made_of is not None:
                fingerprint.note_step(connection, step, *made_of)
        self._frames.update(frames)
        self.forget(*(of_step or {}))

    def read(self, table: str, *, noted: bool = True) -> pl.DataFrame:
        """A table as it stands; of an append-only table the rows that are current.

        Args:
            table: name as in its contract.
            noted: whether a step that reads it depends on it; not so on facts that never change.
        """
        if noted:
            self._note(table)
        if table not in self._frames:
            frame = self._connect().execute(f"FROM {table}{_current(table)}").pl()
            self._frames[table] = CONTRACTS[table].conform(frame)
        return self._frames[table]

    def read_parts(self, table: str, steps: Sequence[str]) -> pl.DataFrame:
        """What these steps wrote to a table that several share, without the column ``step``."""
        for step in steps:
            self._note(f"{table}#{step}")
        return self.read(table, noted=False).filter(pl.col("step").is_in(list(steps))).drop("step")

    def _note(self, table: str) -> None:
        if self._read is not None:
            self._read.add(table)

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """Note which tables are read within it."""
        self._read = set()
        try:
            yield self._read
        finally:
            self._read = None

    def kept(self, step: str, made_in: str) -> bool:
        """Whether a step's tables are what it would make again."""
        return fingerprint.kept(self._connect(), step, made_in)

    def note_step(self, step: str, made_in: str, reads: set[str]) -> None:
        """Note what a step was made of that writes no table."""
        with self.transaction() as connection:
            fingerprint.note_step(connection, step, made_in, fingerprint.versions(connection, reads))

    def versions(self, tables: set[str]) -> dict[str, str] | None:
        """The versions of tables; None if one of them is not known."""
        return fingerprint.versions(self._connect(), tables)

    def height(self, table: str) -> int:
        """Rows of a table as it stands, those that are current, without reading it."""
        row = self._connect().execute(f"SELECT count(*) FROM {table}{_current(table)}").fetchone()
        return int(row[0]) if row else 0

    def layer(self, schema: str) -> dict[str, pl.DataFrame]:
        """Every table of one schema."""
        return {t: self.read(t) for t in CONTRACTS if t.startswith(f"{schema}.")}

    def forget(self, *tables: str) -> None:
        """Drop tables from the run's memory after a transaction wrote them."""
        for table in tables:
            self._frames.pop(table, None)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = _patiently(Path(self.path))
        if not self._ready:
            prepare(self._connection, CONTRACTS)
            self._ready = True
        return self._connection


def _current(table: str) -> str:
    """The condition of the rows that are current: earlier ones stay in append-only tables."""
    bitemporal = table.startswith(_APPEND_ONLY) and "last_refresh" in CONTRACTS[table].polars_schema()
    return " WHERE last_refresh IS NULL" if bitemporal else ""


def insert(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, column by column name."""
    if frame.is_empty():
        return
    connection.register("_incoming", frame.to_arrow())
    try:
        connection.execute(f"INSERT INTO {table} BY NAME FROM _incoming")
    finally:
        connection.unregister("_incoming")


def prepare(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, type[Contract]]) -> None:
    """Make the tables that are missing or no longer as their contract says, with their comments.

    A table of a derived layer is made anew when its contract changed; received tables, refreshes and the
    findings' history are never dropped: they get the new columns and keep the old.

    Raises:
        WarehouseNewer: a newer program made it.
    """
    known = migrations.version(connection)
    documented = dictionary()
    connection.execute("BEGIN")
    try:
        connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
        for statement in MetaDictionary.ddl():
            connection.execute(statement)
        written = MetaDictionary.conform(connection.execute("FROM meta.dictionary").pl())
        if not (
            known == migrations.VERSION
            and written.equals(documented)
            and set(contracts) <= set(_columns(connection))
        ):
            _align(connection, contracts, known, documented)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _align(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, type[Contract]],
    known: int,
    documented: pl.DataFrame,
) -> None:
    noted = migrations.migrate(connection, known)
    present = _columns(connection)
    for schema in sorted({t.partition(".")[0] for t in contracts}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table, contract in contracts.items():
        wanted = {c.name: c.sql_type for c in contract.columns()}
        have = present.get(table)
        if have is not None and have != wanted:
            if table.startswith(_APPEND_ONLY):
                for name in wanted.keys() - have.keys():
                    connection.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {wanted[name]}')
            else:
                connection.execute(f"DROP TABLE {table}")
        for statement in contract.ddl():
            connection.execute(statement)
    there = connection.execute(f"SELECT version FROM {MetaMigration.table()}").pl()
    insert(connection, MetaMigration.table(), noted.join(there, on="version", how="anti"))
    connection.execute("TRUNCATE meta.dictionary")
    insert(connection, MetaDictionary.table(), documented)
    connection.execute("TRUNCATE meta.vocabularies")
    insert(connection, MetaVocabulary.table(), vocabularies())


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Table to column to SQL type, as they are in the database."""
    present: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(
        "SELECT table_schema || '.' || table_name, column_name, data_type FROM information_schema.columns"
    ).fetchall():
        present.setdefault(table, {})[name] = kind
    return present


def _patiently(path: Path) -> duckdb.DuckDBPyConnection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # DuckDB makes its write-ahead log readable by everyone: the folder must not let anyone in.
    with suppress(PermissionError):
        path.parent.chmod(0o700)
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection = duckdb.connect(str(path))
        except duckdb.IOException as busy:
            if "lock" not in str(busy):
                raise
            if time.monotonic() > deadline:
                raise WarehouseBusy(
                    f"{path.name} is held by another process; it was not let go within a minute"
                ) from None
            time.sleep(0.2)
        else:
            path.chmod(0o600)
            return connection
