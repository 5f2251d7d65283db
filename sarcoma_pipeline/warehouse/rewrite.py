"""Rewrites the tables of a step, at once or in parts, within one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.warehouse import ducklake, row_order, step_cache
from sarcoma_pipeline.warehouse.centres import Tables, literal
from sarcoma_pipeline.warehouse.freed_memory import give_back
from sarcoma_pipeline.warehouse.lent_frame import lent
from schemas.all_contracts import CONTRACTS

_AT_ONCE_BYTES = 16 << 20
"""Bytes after which collected frames are appended; more of them save little time, but take memory."""


def insert(tables: Tables, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, matching columns by name."""
    if frame.is_empty():
        return
    with lent(tables.connection, {"_incoming": frame}, whole=True), ducklake.in_order(tables.connection):
        tables.execute(f"INSERT INTO {tables.own(table)} BY NAME FROM _incoming")


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


@dataclass(frozen=True)
class Amendment:
    """New rows for some keys of a table; the rows of all other keys stay.

    Attributes:
        gone: the keys whose rows are deleted; the name of the series is the column.
        rows: the rows to add, in the order of a full computation.
        shared: whether several steps write to the table, so that only rows of this step are deleted.
    """

    gone: pl.Series
    rows: pl.DataFrame
    shared: bool = False


class NotAmendable(Exception):
    """A fault of the program: rows of a table of unknown content would be amended."""


def amendable(tables: Tables, table: str, step: str = "") -> bool:
    """Return whether a table, or a step's part of it, holds what was last written, so that it can be amended.

    Tables of a catalog are never amended: it does not promise the order of rows after a deletion.
    """
    known = step_cache.known_parts(tables).get((table, step))
    if ducklake.catalog_address() or known is None or known.rows is None:
        return False
    row = tables.execute(f"SELECT count(*) FROM {tables.own(table)}{_of_step(step)}").fetchone()
    return row is not None and row[0] == known.rows


def _of_step(step: str) -> str:
    return f" WHERE step = {literal(step)}" if step else ""


class TableWriter:
    """Writes a step's tables: the first part replaces a table's content, further parts are appended.

    A table that already holds exactly the first part is left as it is. A table may be amended instead.

    Attributes:
        sizes: table to bytes of the written frames in memory.
    """

    def __init__(self, tables: Tables, step: str) -> None:
        self.sizes: dict[str, int] = {}
        self._tables, self._step = tables, step
        self._known = step_cache.known(tables)
        self._before = step_cache.known_parts(tables)
        self._versions: dict[tuple[str, str], list[str]] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._given_back_at = 0  # bytes written when free memory was last given back

    def add(
        self,
        frames: Mapping[str, pl.DataFrame],
        of_step: Mapping[str, pl.DataFrame],
        *,
        anew: bool = False,
        step: str = "",
    ) -> None:
        """Write a part.

        Args:
            frames: table name to frame, according to its contract.
            of_step: shared table to the rows of this step (without the column ``step``).
            anew: whether to write even if a table is noted to have this content already.
            step: the name by which the rows of shared tables are kept; by default that of the step.

        Raises:
            ContractBroken: a frame violates its contract.
        """
        for table, frame in frames.items():
            self._write(table, frame, "", anew=anew)
        for table, frame in of_step.items():
            rows = CONTRACTS[table].conform(frame.with_columns(step=pl.lit(step or self._step)))
            self._write(table, rows, step or self._step, anew=anew)
        written = sum(self.sizes.values())
        if written - self._given_back_at > _AT_ONCE_BYTES:
            give_back()
            self._given_back_at = written

    def amend(self, table: str, amendment: Amendment) -> None:
        """Replace the rows of some keys, unless they are already as they should be.

        The version after it is derived from the one before and from the change. It differs from the version
        of the same content written at once: later steps are then computed once more, and never too rarely.

        Raises:
            ContractBroken: the rows violate the contract.
            NotAmendable: what the table contains is not known.
        """
        step = self._step if amendment.shared else ""
        contract, own, key = CONTRACTS[table], self._tables.own(table), (table, step)
        new = amendment.rows
        if step:
            new = new.with_columns(step=pl.lit(step))
        new = contract.enforce(contract.conform(new))
        before = self._before.get(key)
        if key in self._versions:
            version, height = _whole(self._versions[key]), self._rows[key]
        elif before is None or before.rows is None:
            raise NotAmendable(table)
        else:
            version, height = before.version, before.rows
        gone = amendment.gone.unique().sort()
        name = gone.name
        with lent(self._tables.connection, {"_gone": gone.to_frame()}):
            theirs = f'"{name}" IN (SELECT "{name}" FROM _gone)' + (
                f" AND step = {literal(step)}" if step else ""
            )
            former = contract.conform(
                self._tables.execute(f"SELECT * FROM {own} WHERE {theirs} ORDER BY rowid").pl()
            )
            if not row_order.ordered(table, former).equals(row_order.ordered(table, new)):
                self._tables.execute(f"DELETE FROM {own} WHERE {theirs}")
                insert(self._tables, table, new)
                change = (version, step_cache.version(gone.to_frame()), step_cache.version(new))
                version = hashlib.blake2b(" ".join(change).encode()).hexdigest()[:32]
        self._versions[key] = [version]
        self._rows[key] = height - former.height + new.height
        self.sizes[table] = self.sizes.get(table, 0) + int(new.estimated_size())

    def _write(self, table: str, frame: pl.DataFrame, step: str, *, anew: bool) -> None:
        CONTRACTS[table].enforce(frame)
        own, version, key = self._tables.own(table), step_cache.version(frame), (table, step)
        first = key not in self._versions
        if anew or not (first and self._holds(table, step, version, frame.height)):
            if first:
                self._tables.execute(f"DELETE FROM {own}{_of_step(step)}" if step else f"TRUNCATE {own}")
            insert(self._tables, table, frame)
        self._versions.setdefault(key, []).append(version)
        self._rows[key] = self._rows.get(key, 0) + frame.height
        self.sizes[table] = self.sizes.get(table, 0) + int(frame.estimated_size())

    def _holds(self, table: str, step: str, version: str, height: int) -> bool:
        """Return whether a table, or a step's part of it, already has this content in this order."""
        before = self._before.get((table, step))
        if before is None or before.version != version:
            return False
        own = self._tables.own(table)
        # Counted, because a table whose contract changed was made anew, and its version is still noted.
        row = self._tables.execute(f"SELECT count(*) FROM {own}{_of_step(step)}").fetchone()
        return row is not None and row[0] == height

    @property
    def written(self) -> Sequence[str]:
        """The tables that were written."""
        return [table for table, _ in self._versions]

    def note(self) -> None:
        """Record the new versions of the tables."""
        named: dict[str, dict[str, step_cache.Content]] = {}
        for (table, step), parts in self._versions.items():
            content = step_cache.Content(_whole(parts), self._rows[table, step])
            named.setdefault(step, {})[table] = content
        for step, contents in named.items():
            step_cache.note_contents(self._tables, contents, step)

    def note_step(self, circumstances: str, reads: set[str]) -> None:
        """Record the step's inputs: its circumstances, and the versions of tables before it wrote."""
        versions = step_cache.chosen(self._known, reads)
        step_cache.note_step(self._tables, self._step, circumstances, versions)


def _whole(parts: Sequence[str]) -> str:
    """Return the version of a table that was written in parts of these versions."""
    return parts[0] if len(parts) == 1 else hashlib.blake2b(" ".join(parts).encode()).hexdigest()[:32]
