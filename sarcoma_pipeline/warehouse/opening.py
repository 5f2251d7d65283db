"""Open the warehouse's file, and say why it cannot be opened: locked, its log damaged, or damaged itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline.warehouse.centres import literal

_LOCKED = "Could not set lock on file"
_LOG = re.compile(r"\bWAL\b")
_OF_THE_FILE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
"""Errors that DuckDB raises for a problem with its file, not with the statement."""


_FORMAT_OF = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
_OLDER = "v1.0.0+"
"""Storage format of files that earlier programs made, DuckDB's default."""
_FORMAT = "v1.3.0"
"""Storage format of the file: compressed in a quarter of the time of DuckDB's default format, and smaller."""


_MEMORY = "256MB"
"""Limit of DuckDB's buffers; its default is most of the memory, and reading and appending need less."""
_KEPT = "32MB"
"""What DuckDB keeps of the file after a large reading."""


class CannotOpen(duckdb.IOException):
    """The warehouse cannot be read; the message says why, and what to do."""


class Busy(CannotOpen):
    """Another process has locked the file."""


class Damaged(CannotOpen):
    """The file or its write-ahead log cannot be read."""


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a warehouse's file.

    Args:
        path: the file; its stem is the name of the study.
        read_only: whether only to read.

    Raises:
        Busy: another process has locked it.
        Damaged: it cannot be read.
    """
    with explained(path):
        if read_only:
            return duckdb.connect(str(path), read_only=True)
        if path.exists():
            connection = duckdb.connect(str(path))
            if connection.execute(_FORMAT_OF).fetchone() != (_OLDER,):
                return connection
            connection.close()
        _format(path)
        return duckdb.connect(str(path))


def to_write(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse's file for writing, make it if it is missing, and let only its owner read it.

    Raises:
        Busy: another process has locked it.
        Damaged: it cannot be read.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # DuckDB creates its write-ahead log readable by everyone: the folder's permissions must protect it.
    with suppress(PermissionError):
        path.parent.chmod(0o700)
    connection = connect(path, read_only=False)
    path.chmod(0o600)
    # Spill files of a killed process; safe to delete, because this process now holds the lock.
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)
    # Several threads leave a large insertion in pieces, which takes twice the time to write and half
    # again the space; reading is no faster with them.
    connection.execute(f"SET threads = 1; SET memory_limit = '{_MEMORY}'")
    return connection


def let_go(connection: duckdb.DuckDBPyConnection) -> None:
    """Give back the parts of the warehouse's file that DuckDB keeps in memory after reading them.

    It keeps as much as its limit allows, although what was read is a frame by now.
    """
    # By another connection to the same file: if it fails, the transaction of this one is not ended.
    with connection.cursor() as other, suppress(duckdb.Error):
        try:
            other.execute(f"SET memory_limit = '{_KEPT}'")
        finally:
            other.execute(f"SET memory_limit = '{_MEMORY}'")


def _format(path: Path) -> None:
    """Create a file in the newer format, or have what is written to an older file from now on be in it."""
    # Not by the configuration of the connection: all connections of a process to a file must have the same.
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(path))} AS warehouse (STORAGE_VERSION '{_FORMAT}')")
        # Without a change, the head of the file is not written.
        connection.execute("CREATE TABLE warehouse.formatted (nothing INTEGER)")
        connection.execute("DROP TABLE warehouse.formatted")
        connection.execute("CHECKPOINT warehouse")


def queried(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """Return the rows of a query as DuckDB's ``.pl()`` does, without importing pyarrow: 0.05 s of CPU."""
    return pl.DataFrame(connection.sql(sql))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of an error within the block why the warehouse cannot be read, and what to do.

    Args:
        path: the warehouse's file.

    Raises:
        CannotOpen: instead of DuckDB's own error, which quotes values.
    """
    try:
        yield
    except CannotOpen:
        raise
    except _OF_THE_FILE as broken:
        raise _why(path, str(broken)) from None


def _why(path: Path, message: str) -> CannotOpen:
    if _LOCKED in message:
        return Busy("another process has locked the warehouse: try again when its refresh has ended")
    # The name of a folder or study says nothing about the log.
    if _LOG.search(message.replace(str(path.with_suffix("")), "")):
        return Damaged(f"the write-ahead log of the warehouse is damaged: {repair(path.stem)}")
    return Damaged(
        "the warehouse cannot be read. Check that the disk is not full and data/ is writable. If so, it is "
        f"damaged: sarcoma restore, or see sarcoma doctor --study {path.stem}"
    )


def repair(study: str) -> str:
    """Return the command that heals a damaged write-ahead log."""
    return f"sarcoma doctor --repair --study {study}"


def set_log_aside(path: Path) -> Path | None:
    """Set a damaged write-ahead log aside, so that the warehouse is as at its last checkpoint.

    What is lost is what an interrupted refresh wrote; the next one reads it again.

    Args:
        path: the warehouse's file.

    Returns:
        The log under its new name; None if no log is damaged.

    Raises:
        Busy: another process has locked the warehouse.
    """
    log = path.with_name(f"{path.name}.wal")
    if not log.exists():
        return None
    try:
        connect(path, read_only=True).close()
    except Damaged as why:
        if repair(path.stem) not in str(why):
            return None
    else:
        return None
    aside = path.with_name(f"{path.name}.damaged-log")
    log.chmod(0o600)
    log.replace(aside)
    return aside
