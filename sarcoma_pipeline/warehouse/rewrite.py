"""Rewrites the tables of a step, at once or in parts, within one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from sarcoma_pipeline.warehouse import ducklake, step_cache
from sarcoma_pipeline.warehouse.centres import Tables, literal
from sarcoma_pipeline.warehouse.freed_memory import give_back
from schemas.all_contracts import CONTRACTS

_AT_ONCE_BYTES = 16 << 20
"""Bytes after which collected frames are appended; more of them save little time, but take memory."""


def insert(tables: Tables, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, matching columns by name."""
    if frame.is_empty():
        return
    # The newest layout is that of polars: DuckDB reads its texts without a copy.
    tables.connection.register("_incoming", frame.to_arrow(compat_level=pl.CompatLevel.newest()))
    try:
        with ducklake.in_order(tables.connection):
            tables.execute(f"INSERT INTO {tables.own(table)} BY NAME FROM _incoming")
    finally:
        tables.connection.unregister("_incoming")


class Appending:
    """Collects frames of several tables and appends them together: any insertion takes some milliseconds.

    The rows of each table keep the order in which they were added.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._bytes = 0

    def add(self, table: str, frame: pl.DataFrame) -> None:
        """Append a frame now or later."""
        self._frames.setdefault(table, []).append(frame)
        self._bytes += int(frame.estimated_size())
        if self._bytes > _AT_ONCE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Append what was added; without it, what was added last is not written.

        Raises:
            ContractBroken: a frame violates its contract.
        """
        for table, frames in self._frames.items():
            insert(self._tables, table, CONTRACTS[table].enforce(pl.concat(frames)))
        self._frames, self._bytes = {}, 0
        give_back()


class TableWriter:
    """Writes a step's tables: the first part replaces a table's content, further parts are appended.

    A table that already holds exactly the first part is left as it is.

    Attributes:
        heights: table to number of rows written.
        sizes: table to bytes of the written frames in memory.
    """

    def __init__(self, tables: Tables, step: str) -> None:
        self.heights: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self._tables, self._step = tables, step
        self._known = step_cache.known(tables)
        self._before = step_cache.known_parts(tables)
        self._versions: dict[tuple[str, str], list[str]] = {}
        self._given_back_at = 0  # bytes written when free memory was last given back

    def add(
        self,
        frames: Mapping[str, pl.DataFrame],
        of_step: Mapping[str, pl.DataFrame],
        *,
        anew: bool = False,
    ) -> None:
        """Write a part.

        Args:
            frames: table name to frame, according to its contract.
            of_step: shared table to the rows of this step (without the column ``step``).
            anew: whether to write even if a table is noted to have this content already.

        Raises:
            ContractBroken: a frame violates its contract.
        """
        for table, frame in frames.items():
            self._write(table, frame, "", anew=anew)
        for table, frame in of_step.items():
            rows = CONTRACTS[table].conform(frame.with_columns(step=pl.lit(self._step)))
            self._write(table, rows, self._step, anew=anew)
        written = sum(self.sizes.values())
        if written - self._given_back_at > _AT_ONCE_BYTES:
            give_back()
            self._given_back_at = written

    def _write(self, table: str, frame: pl.DataFrame, step: str, *, anew: bool) -> None:
        CONTRACTS[table].enforce(frame)
        own, version = self._tables.own(table), step_cache.version(frame)
        first = (table, step) not in self._versions
        if anew or not (first and self._holds(table, step, version, frame.height)):
            if first:
                self._tables.execute(
                    f"DELETE FROM {own} WHERE step = {literal(step)}" if step else f"TRUNCATE {own}"
                )
            insert(self._tables, table, frame)
        self._versions.setdefault((table, step), []).append(version)
        self.heights[table] = self.heights.get(table, 0) + frame.height
        self.sizes[table] = self.sizes.get(table, 0) + int(frame.estimated_size())

    def _holds(self, table: str, step: str, version: str, height: int) -> bool:
        """Return whether a table, or a step's part of it, already has this content in this order."""
        if self._before.get((table, step)) != version:
            return False
        own = self._tables.own(table)
        # Counted, because a table whose contract changed was made anew, and its version is still noted.
        of_step = f" WHERE step = {literal(step)}" if step else ""
        row = self._tables.execute(f"SELECT count(*) FROM {own}{of_step}").fetchone()
        return row is not None and row[0] == height

    @property
    def written(self) -> Sequence[str]:
        """The tables that were written."""
        return [table for table, _ in self._versions]

    def note(self) -> None:
        """Record the new versions of the tables."""
        named: dict[str, dict[str, str]] = {}
        for (table, step), parts in self._versions.items():
            whole = (
                parts[0] if len(parts) == 1 else hashlib.blake2b(" ".join(parts).encode()).hexdigest()[:32]
            )
            named.setdefault(step, {})[table] = whole
        for step, versions in named.items():
            step_cache.note_versions(self._tables, versions, step)

    def note_step(self, circumstances: str, reads: set[str]) -> None:
        """Record the step's inputs: its circumstances, and the versions of tables before it wrote."""
        versions = step_cache.chosen(self._known, reads)
        step_cache.note_step(self._tables, self._step, circumstances, versions)
