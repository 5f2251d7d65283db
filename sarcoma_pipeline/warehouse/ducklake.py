"""A DuckLake catalog in the place of a study's DuckDB file: names in PostgreSQL, rows in Parquet files.

Workers on several machines write to it at once. DuckDB's extensions come as wheels (extra ``several``): no
refresh fetches anything.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

CATALOG = "warehouse"
"""The name under which a study's tables are attached."""

_EXTENSIONS = ("postgres_scanner", "ducklake")


class LakeAway(Exception):
    """The catalog cannot be reached; the message holds no part of its address."""


def named() -> str | None:
    """The catalog's address: a PostgreSQL URL, or a file for one process; None for a DuckDB file a study."""
    return os.environ.get("SARCOMA_CATALOG") or None


def connect(study: str, *, read_only: bool = False, patience: float = 60.0) -> duckdb.DuckDBPyConnection:
    """A connection on which a study's catalog is the default one.

    Args:
        study: names the metadata's schema and the folder of the data files.
        read_only: whether nothing may be written.
        patience: seconds for which a catalog that does not answer, or is being made, is asked again.

    Raises:
        LakeAway: it does not answer; or an extension is not installed.
    """
    address, data = named(), os.environ.get("SARCOMA_CATALOG_DATA")
    if not address or not data:
        raise LakeAway("SARCOMA_CATALOG and SARCOMA_CATALOG_DATA must both be set")
    options = [f"DATA_PATH '{_quoted(data.rstrip('/'))}/{study}/'"]
    if address.startswith(("postgres://", "postgresql://")):
        address = f"postgres:{address}"
        options.append(f"METADATA_SCHEMA '{study}'")
    if read_only:
        options.append("READ_ONLY")
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    for extension in _EXTENSIONS:
        connection.execute(f"LOAD '{_quoted(str(_extension(extension)))}'")
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute(f"ATTACH 'ducklake:{_quoted(address)}' AS {CATALOG} ({', '.join(options)})")
        except duckdb.Error as away:
            if time.monotonic() > deadline:
                connection.close()
                raise LakeAway(f"the catalog does not answer: {type(away).__name__}") from None
            time.sleep(0.5)
        else:
            connection.execute(f"USE {CATALOG}")
            return connection


@contextmanager
def in_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the order of rows that are inserted: a catalog's writer mixes what its threads get."""
    if named() is None:
        yield
        return
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute("RESET threads")


def conflict(error: Exception) -> bool:
    """Whether a transaction failed because another one was first."""
    return isinstance(error, duckdb.TransactionException) and "onflict" in str(error)


def tidy(study: str, days: int) -> None:
    """Merge small data files, and delete what no snapshot of the last days needs.

    Args:
        study: whose.
        days: for which the tables can be read as they were.
    """
    with connect(study) as connection:
        connection.execute(f"CALL ducklake_merge_adjacent_files('{CATALOG}')")
        connection.execute(
            f"CALL ducklake_expire_snapshots('{CATALOG}', older_than => now() - INTERVAL '{days} days')"
        )
        connection.execute(f"CALL ducklake_cleanup_old_files('{CATALOG}', cleanup_all => true)")


def _extension(name: str) -> Path:
    """The extension's file in its wheel.

    Raises:
        LakeAway: it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise LakeAway(f"the extension {name} is not installed: make .venv/.several")
    (found,) = Path(spec.origin).parent.glob(f"extensions/*/{name}.duckdb_extension")
    return found


def _quoted(text: str) -> str:
    return text.replace("'", "''")
