"""The DuckDB warehouse as a Dagster resource: transactions, cached reads, tables from the contracts.

It is no IO manager, because an IO manager takes write locks to read. Assets name the tables and columns that
they need. Small frames stay in the run's memory; large ones are read again when needed, so that memory does
not grow with every step.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
from pydantic import Field, PrivateAttr

from sarcoma_pipeline.orchestration import celery, run_process
from sarcoma_pipeline.orchestration.dagster_internals import name_origin, one_connection
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import (
    centres,
    ddl,
    ducklake,
    opening,
    permissions,
    row_order,
    selection,
    step_cache,
)
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.freed_memory import take_large_alone
from sarcoma_pipeline.warehouse.rewrite import TableWriter, amendable
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaDictionary
from schemas.pandera_polars import without_pandas

_LOCK_SECONDS = 60.0
"""Maximum time to wait for another process to release the database file."""
_ATTEMPTS = 5
"""Attempts to create the catalog's tables when several workers do so at once."""
_CACHED_BYTES = 4 << 20
"""Largest frame that is kept in memory: larger ones are cheaper to read again than to keep."""
_DEFINITIONS = "sarcoma_pipeline.definitions"
"""Module with a function per study, which loads its code location (``workspace.yaml``)."""
PARTITION = "dagster/partition"
"""Tag with the centre of a run."""


class WarehouseBusy(Exception):
    """Transient: the warehouse is locked, another run committed first, or the catalog is unreachable."""


class Warehouse(dg.ConfigurableResource):
    """The restricted database of one study.

    Attributes:
        path: the DuckDB file, below the project root; replaced by a catalog if the environment names one.
        study: name of the study.
        centres: the study's centres; empty if it has one drop folder.
        centre: centre whose tables are used if the run names none; empty for all of them as one pooled study.
    """

    path: str
    study: str = ""
    centres: list[str] = Field(default_factory=list)
    centre: str = ""
    _cached: dict[str, pl.DataFrame] = PrivateAttr(default_factory=dict)
    _open: Tables | None = PrivateAttr(default=None)
    _reads: set[str] | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Give each run its own resource, and close the database when the run ends."""
        tags = context.run.tags if context.run else {}
        centre = tags.get(PARTITION, self.centre) if self.centres else ""
        if centre and centre not in self.centres:
            raise dg.DagsterInvalidInvocationError(f"the study has no centre {centre!r}")
        run = Warehouse(path=self.path, study=self.study, centres=self.centres, centre=centre)
        if context.instance and context.run and celery.executor() is None:
            # Before the first step: a run that is killed in any step must be recognised as orphaned.
            context.instance.add_run_tags(context.run.run_id, run_process.mark(context.run.run_id))
        if context.instance and context.run:
            name_origin(context.instance, context.run.run_id, _DEFINITIONS, self.study)
        with one_connection(context.instance):
            try:
                yield run
            finally:
                run.close()

    def close(self) -> None:
        """Close the database file and drop the cached frames."""
        if self._open is not None:
            self._open.connection.close()
        self._open = None
        self._cached.clear()

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """Write everything within the block, or nothing.

        Raises:
            WarehouseBusy: another process keeps the file locked, or another run wrote the same tables first.
        """
        tables = self._tables()
        tables.execute("BEGIN")
        try:
            yield tables
        except BaseException:
            # After a refused commit there is no open transaction.
            with suppress(duckdb.TransactionException):
                tables.execute("ROLLBACK")
            raise
        self.commit(tables)

    def commit(self, tables: Tables) -> None:
        """Commit the changes of the transaction so far.

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
        """Replace the content of tables with these frames, all or none.

        Args:
            frames: table name to frame, according to its contract.
            step: the writing step.
            of_step: shared table to the rows of this step (without the column ``step``).

        Raises:
            ContractBroken: a frame violates its contract.
        """
        with self.rewriting(step) as writing:
            writing.add(frames, of_step or {})

    @contextmanager
    def rewriting(self, step: str) -> Iterator[TableWriter]:
        """Rewrite a step's tables in parts, all or none."""
        with self.transaction() as tables:
            writing = TableWriter(tables, step)
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
        """Read a table; of an append-only table only the current rows.

        Amended tables are sorted (:mod:`.row_order`); all others are in the order in which they were written.

        Args:
            table: name as in its contract.
            columns: columns to read; empty for all.
            noted: whether the reading step depends on it; False for facts that never change.
            among: keep only rows whose value in the column of this name is among its values; only for tables
                of a centre.
        """
        if noted:
            self._note(table)
        if table in self._cached:
            frame = self._cached[table]
            frame = frame if among is None else frame.filter(pl.col(among.name).is_in(among.implode()))
            return frame.select(columns) if columns else frame
        wanted = columns if table not in centres.MERGED else ()
        if wanted:
            wanted = [*wanted, *(c for c in row_order.columns(table) if c not in wanted)]
        found = row_order.ordered(table, selection.rows(self._tables(), table, wanted, among))
        schema = CONTRACTS[table].polars_schema()
        if columns and table not in centres.MERGED:
            return found.select(pl.col(c).cast(schema[c]) for c in columns)
        if centres.CENTRE in found.columns:
            found = centres.pooled(table, found)
        frame = CONTRACTS[table].conform(found)
        if among is None and frame.estimated_size() <= _CACHED_BYTES:
            self._cached[table] = frame
        return frame.select(columns) if columns else frame

    def read_versions(
        self, table: str, *, columns: Sequence[str] = (), among: pl.Series | None = None
    ) -> pl.DataFrame:
        """Read rows of an append-only table with their earlier versions; a step does not depend on them.

        Args:
            table: name as in its contract.
            columns: columns to read; empty for all.
            among: keep only rows whose value in the column of this name is among its values.
        """
        found = selection.rows(self._tables(), table, columns, among, current=False)
        schema = CONTRACTS[table].polars_schema()
        return found.select(pl.col(c).cast(schema[c]) for c in columns or schema.names())

    def read_several(
        self, names: Sequence[str], *, columns: Sequence[str], among: pl.Series, current: bool = True
    ) -> dict[str, pl.DataFrame]:
        """Read columns of several tables in one statement, as :meth:`read` or :meth:`read_versions` does.

        Args:
            names: the tables.
            columns: columns that all of them have.
            among: keep only rows whose value in the column of this name is among its values.
            current: whether to read only current rows, and to depend on them.
        """
        for table in names if current else ():
            self._note(table)
        by = {c for table in names for c in row_order.columns(table) if current}
        wanted = [*columns, *sorted(by - set(columns))]
        found = selection.of_several(self._tables(), names, wanted, among, current=current)
        for table, frame in found.items():
            schema = CONTRACTS[table].polars_schema()
            rows = row_order.ordered(table, frame) if current else frame
            found[table] = rows.select(pl.col(c).cast(schema[c]) for c in columns)
        return found

    def read_resting(self, names: Sequence[str], record_ids: pl.Series) -> dict[str, pl.DataFrame]:
        """Read the rows of several tables that rest on one of these records."""
        for table in names:
            self._note(table)
        found = selection.resting_on(self._tables(), names, "record_ids", record_ids)
        return {t: CONTRACTS[t].conform(f) for t, f in found.items()}

    def sums(self, table: str, *, by: Sequence[str], of: str) -> pl.DataFrame:
        """Add up a column of the current rows of a table for each combination of others, in any order."""
        self._note(table)
        return selection.sums(self._tables(), table, by, of)

    def by_centre(self, table: str) -> dict[str, pl.DataFrame]:
        """Read a table of each centre that has been received, with all its rows."""
        tables = self._tables()
        return {
            centre: CONTRACTS[table].conform(tables.execute(f"FROM {centres.of_centre(table, centre)}").pl())
            for centre in tables.pooled
        }

    def read_parts(self, table: str, steps: Sequence[str]) -> pl.DataFrame:
        """Read the rows that these steps wrote to a shared table, with the column ``step``."""
        for step in steps:
            self._note(f"{table}#{step}")
        return self.read(table, noted=False).filter(pl.col("step").is_in(list(steps)))

    def amendable(self, table: str, step: str = "") -> bool:
        """Return whether a table, or a step's part of it, can be amended; else it is written anew."""
        return amendable(self._tables(), table, step)

    def _note(self, table: str) -> None:
        if self._reads is not None:
            self._reads.add(table)

    @contextmanager
    def recorded_reads(self) -> Iterator[set[str]]:
        """Record the tables that are read within the block."""
        self._reads = set()
        try:
            yield self._reads
        finally:
            self._reads = None

    def kept(self, step: str, circumstances: str) -> bool:
        """Return whether a step's tables are up to date, so that it need not run."""
        return step_cache.kept(self._tables(), step, circumstances)

    def note_step(self, step: str, circumstances: str, reads: set[str]) -> None:
        """Record the inputs of a step that writes no table."""
        with self.rewriting(step) as writing:
            writing.note_step(circumstances, reads)

    def versions(self, tables: set[str]) -> dict[str, str] | None:
        """Return the versions of tables; None if one of them has none."""
        return step_cache.chosen(step_cache.known(self._tables()), tables)

    def known_versions(self, tables: Iterable[str]) -> dict[str, str]:
        """Return the versions of those of the tables that have one."""
        known = step_cache.known(self._tables())
        return {table: known[table] for table in tables if table in known}

    def height(self, table: str) -> int:
        """Count the current rows of a table without reading it."""
        tables = self._tables()
        row = tables.execute(f"SELECT count(*) FROM {tables.rows(table)}{selection.where(table)}").fetchone()
        return int(row[0]) if row else 0

    def forget(self, *tables: str) -> None:
        """Drop cached frames of tables that a transaction has changed."""
        for table in tables:
            self._cached.pop(table, None)

    def _tables(self) -> Tables:
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> Tables:
        take_large_alone()
        if ducklake.catalog_address():
            try:
                connection = ducklake.connect(self.study)
            except ducklake.CatalogUnreachable as error:
                raise WarehouseBusy(str(error)) from None
        else:
            connection = _connect_file(Path(self.path))
        try:
            _prepared(connection, self.centre)
            received = () if self.centre else tuple(c for c in self.centres if _is_there(connection, c))
        except BaseException:
            connection.close()
            raise
        return Tables(connection, self.centre, received)


def of_study(project: Project) -> dg.ResourceDefinition:
    """Return the study's warehouse as a resource that run config cannot point to another file."""
    whole = Warehouse(path=str(project.warehouse), study=project.study.name, centres=list(project.centres))

    # The launchpad can set fields of a configurable resource; an empty schema refuses every field.
    @dg.resource(config_schema={}, description=f"The restricted database of {project.study.name}.")
    def warehouse(context: dg.InitResourceContext) -> Iterator[Warehouse]:
        try:
            with whole.yield_for_execution(context) as run:
                yield run
        finally:
            permissions.close_shared(project)

    return warehouse


class NoOutputs(dg.IOManager):
    """Stores nothing: steps pass tables through the warehouse; Dagster's default would write files."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse a value: a pickled table would leave identities outside the warehouse.

        Raises:
            dg.DagsterInvariantViolationError: a step returned a value.
        """
        if obj is not None:
            raise dg.DagsterInvariantViolationError(f"{context.op_def.name} returned a value")

    def load_input(self, context: dg.InputContext) -> None:
        """Load nothing: Dagster only needs the order of steps."""


@dg.io_manager(config_schema={}, description="Stores nothing.")
def no_outputs(_: dg.InitResourceContext) -> NoOutputs:
    """Return the IO manager that stores nothing, and has no folder that a run config could set."""
    return NoOutputs()


def _prepared(connection: duckdb.DuckDBPyConnection, centre: str) -> None:
    """Create missing tables. If several workers find a new catalog at once, all but one retry."""
    for attempt in range(_ATTEMPTS):
        try:
            ddl.prepare(connection, CONTRACTS, centre)
        except duckdb.TransactionException as refused:
            if not ducklake.conflict(refused):
                raise
            time.sleep(attempt + 1)
        else:
            return
    raise WarehouseBusy("other workers are creating the catalog's tables")


def _is_there(connection: duckdb.DuckDBPyConnection, centre: str) -> bool:
    """Return whether the tables of a centre exist, i.e. whether it was ever received."""
    return MetaDictionary.table() in ddl.columns(connection, centre)


def forget_steps(project: Project) -> None:
    """Make the next refresh compute every step of a study."""
    if not ducklake.catalog_address() and not project.warehouse.exists():
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


def _connect_file(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the database file for writing; wait while another process has locked it."""
    # Arrow copies a buffer that lies at an odd address; else it prints that this could lead to crashes.
    os.environ.setdefault("ACERO_ALIGNMENT_HANDLING", "reallocate")
    # DuckDB imports it when it takes the first frame, and it imports pandas if there is one.
    with without_pandas():
        importlib.import_module("pyarrow.dataset")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return opening.to_write(path)
        except opening.Busy:
            if time.monotonic() > deadline:
                raise WarehouseBusy(
                    f"{path.name} is locked by another process and was not released within a minute"
                ) from None
            time.sleep(0.2)
