"""The DuckDB warehouse as a Dagster resource: one writer, transactions, schema and comments from contracts.

No IO manager: its read path takes write locks. Assets name tables and the columns that they need: what is
small stays in the run's memory, what is large is read again where it is wanted, so that memory does not grow
with every step.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
from pydantic import Field, PrivateAttr

from sarcoma_pipeline.orchestration import celery, event_log, orphaned_runs
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import centres, ddl, ducklake, step_cache
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import Rewriting
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaDictionary

_WAIT_SECONDS = 60.0
_ATTEMPTS = 5
_KEPT_BYTES = 4 << 20
"""Of a frame that stays in memory: a larger one costs less to read again than to hold."""
_DUCKDB_MEMORY = "512MB"
"""Of DuckDB's own buffers: it would take most of the machine's, and needs no more to read and append."""
PARTITION = "dagster/partition"
"""The tag of a run that is a centre's."""


class WarehouseBusy(Exception):
    """Another process holds the warehouse, or was first, or the catalog is away: it passes by itself."""


class Warehouse(dg.ConfigurableResource):
    """The restricted database of one study.

    Attributes:
        path: the DuckDB file, below the project root; a catalog that the environment names takes its place.
        study: its name.
        centres: of the study; empty if it has one drop folder.
        centre: whose tables are meant, where no run says it; empty for all of them as one pooled study.
    """

    path: str
    study: str = ""
    centres: list[str] = Field(default_factory=list)
    centre: str = ""
    _frames: dict[str, pl.DataFrame] = PrivateAttr(default_factory=dict)
    _open: Tables | None = PrivateAttr(default=None)
    _read: set[str] | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Give the run its own memory, and let the file go when the run ends."""
        tags = context.run.tags if context.run else {}
        run = Warehouse(
            path=self.path,
            study=self.study,
            centres=self.centres,
            centre=tags.get(PARTITION, self.centre) if self.centres else "",
        )
        if context.instance and context.run and celery.executor() is None:
            # Before the first step, so that none of them can be killed unnoticed.
            context.instance.add_run_tags(context.run.run_id, orphaned_runs.mark(context.run.run_id))
        with event_log.held(context.instance, context.run_id):
            try:
                yield run
            finally:
                run.close()

    def close(self) -> None:
        """Let the database file go and forget the run's frames."""
        if self._open is not None:
            self._open.connection.close()
        self._open = None
        self._frames.clear()

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """Everything within it is written, or nothing.

        Raises:
            WarehouseBusy: another process holds the file and does not let go, or wrote the same tables first.
        """
        tables = self._tables()
        tables.execute("BEGIN")
        try:
            yield tables
        except BaseException:
            # Where the commit itself was refused, nothing is open any more.
            with suppress(duckdb.TransactionException):
                tables.execute("ROLLBACK")
            raise
        self.commit(tables)

    def commit(self, tables: Tables) -> None:
        """Write for good what a transaction has written so far.

        Raises:
            WarehouseBusy: another process wrote the same tables first.
        """
        try:
            tables.execute("COMMIT")
        except duckdb.TransactionException as refused:
            if not ducklake.conflict(refused):
                raise
            raise WarehouseBusy("another run wrote the same tables first; nothing was written") from None

    def replace(
        self,
        frames: Mapping[str, pl.DataFrame],
        step: str = "",
        of_step: Mapping[str, pl.DataFrame] | None = None,
    ) -> None:
        """Make tables hold exactly these frames, all of them or none.

        Args:
            frames: table name to frame, as its contract says.
            step: the step that writes.
            of_step: tables that several steps share, to this step's part (without the column ``step``).

        Raises:
            ContractBroken: a frame is not as its contract says.
        """
        with self.rewriting(step) as writing:
            writing.add(frames, of_step or {})

    @contextmanager
    def rewriting(self, step: str) -> Iterator[Rewriting]:
        """Write a step's tables anew, part by part, all of them or none."""
        with self.transaction() as tables:
            writing = Rewriting(tables, step)
            yield writing
            writing.note()
        self.forget(*writing.written)

    def read(
        self,
        table: str,
        *,
        columns: Sequence[str] = (),
        noted: bool = True,
        among: pl.Series | None = None,
    ) -> pl.DataFrame:
        """A table as it stands; of an append-only table the rows that are current.

        Args:
            table: name as in its contract.
            columns: those that are wanted, where not all are.
            noted: whether a step that reads it depends on it; not so on facts that never change.
            among: the rows whose column of this series' name is among its values; for a centre's tables only.
        """
        if noted:
            self._note(table)
        if table in self._frames:
            frame = self._frames[table]
            frame = frame if among is None else frame.filter(pl.col(among.name).is_in(among.implode()))
            return frame.select(columns) if columns else frame
        found = self._select(table, columns if table not in centres.MERGED else (), among)
        schema = CONTRACTS[table].polars_schema()
        if columns and table not in centres.MERGED:
            return found.select(pl.col(c).cast(schema[c]) for c in columns)
        if centres.CENTRE in found.columns:
            found = centres.pooled(table, found)
        frame = CONTRACTS[table].conform(found)
        if among is None and frame.estimated_size() <= _KEPT_BYTES:
            self._frames[table] = frame
        return frame.select(columns) if columns else frame

    def _select(self, table: str, columns: Sequence[str], among: pl.Series | None) -> pl.DataFrame:
        tables = self._tables()
        what = ", ".join(f'"{c}"' for c in columns) or "*"
        conditions = [c for c in [_current(table)] if c]
        if among is None:
            return tables.execute(f"SELECT {what} FROM {tables.rows(table)}{_where(conditions)}").pl()
        conditions.append(f'"{among.name}" IN (SELECT "{among.name}" FROM _among)')
        tables.connection.register("_among", among.to_frame().to_arrow())
        try:
            # A join need not keep the order of the rows that it picks.
            return tables.execute(
                f"SELECT {what} FROM {tables.own(table)}{_where(conditions)} ORDER BY rowid"
            ).pl()
        finally:
            tables.connection.unregister("_among")

    def by_centre(self, table: str) -> dict[str, pl.DataFrame]:
        """A table of each centre that has been received, with all its rows."""
        tables = self._tables()
        return {
            centre: CONTRACTS[table].conform(tables.execute(f"FROM {centres.of_centre(table, centre)}").pl())
            for centre in tables.pooled
        }

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
        return step_cache.kept(self._tables(), step, made_in)

    def note_step(self, step: str, made_in: str, reads: set[str]) -> None:
        """Note what a step was made of that writes no table."""
        with self.rewriting(step) as writing:
            writing.note_step(made_in, reads)

    def versions(self, tables: set[str]) -> dict[str, str] | None:
        """The versions of tables; None if one of them is not known."""
        return step_cache.chosen(step_cache.known(self._tables()), tables)

    def height(self, table: str) -> int:
        """Rows of a table as it stands, those that are current, without reading it."""
        tables = self._tables()
        current = [c for c in [_current(table)] if c]
        row = tables.execute(f"SELECT count(*) FROM {tables.rows(table)}{_where(current)}").fetchone()
        return int(row[0]) if row else 0

    def layer(self, schema: str, columns: Sequence[str] = ()) -> dict[str, pl.DataFrame]:
        """Every table of one schema, or these columns of each."""
        return {t: self.read(t, columns=columns) for t in CONTRACTS if t.startswith(f"{schema}.")}

    def forget(self, *tables: str) -> None:
        """Drop tables from the run's memory after a transaction wrote them."""
        for table in tables:
            self._frames.pop(table, None)

    def _tables(self) -> Tables:
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> Tables:
        if ducklake.named():
            try:
                connection = ducklake.connect(self.study)
            except ducklake.LakeAway as away:
                raise WarehouseBusy(str(away)) from None
        else:
            connection = _patiently(Path(self.path))
        try:
            _prepared(connection, self.centre)
            received = () if self.centre else tuple(c for c in self.centres if _is_there(connection, c))
        except BaseException:
            connection.close()
            raise
        return Tables(connection, self.centre, received)


def _current(table: str) -> str:
    """The condition of the rows that are current: earlier ones stay in append-only tables."""
    bitemporal = table.startswith(ddl.APPEND_ONLY) and "last_refresh" in CONTRACTS[table].polars_schema()
    return "last_refresh IS NULL" if bitemporal else ""


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _prepared(connection: duckdb.DuckDBPyConnection, centre: str) -> None:
    """Make what is missing; of several workers that find a new catalog, all but one look again."""
    for attempt in range(_ATTEMPTS):
        try:
            ddl.prepare(connection, CONTRACTS, centre)
        except duckdb.TransactionException as refused:
            if not ducklake.conflict(refused):
                raise
            time.sleep(attempt + 1)
        else:
            return
    raise WarehouseBusy("other workers make the catalog's tables")


def _is_there(connection: duckdb.DuckDBPyConnection, centre: str) -> bool:
    """Whether anything of a centre was ever received."""
    return MetaDictionary.table() in ddl.columns(connection, centre)


def forget_steps(project: Project) -> None:
    """Have every step of a study computed again in the next refresh."""
    if not ducklake.named() and not project.warehouse.exists():
        return
    for centre in ("", *project.centres):
        store = Warehouse(
            path=str(project.warehouse),
            study=project.study.name,
            centres=list(project.centres),
            centre=centre,
        )
        with store.transaction() as tables:
            step_cache.forget(tables)
        store.close()


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
            # Rows that a killed process had put aside for want of memory: nobody else holds the file now.
            shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)
            connection.execute(f"SET memory_limit = '{_DUCKDB_MEMORY}'")
            return connection
