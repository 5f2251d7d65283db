"""Connects to a DuckLake catalog in place of a DuckDB file: metadata in PostgreSQL, rows in Parquet files.

Workers on several machines can write to it at the same time. DuckDB's extensions are installed as wheels
(extra ``several``), so that no refresh downloads anything.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

CATALOG = "warehouse"
"""Name under which a study's tables are attached."""

_EXTENSIONS = ("postgres_scanner", "ducklake")


class CatalogUnreachable(Exception):
    """The catalog cannot be reached; the message contains no part of its address."""


def catalog_address() -> str | None:
    """Return the catalog's address, a PostgreSQL URL or (for one process) a file; None without a catalog."""
    return os.environ.get("SARCOMA_CATALOG") or None


def connect(study: str, *, read_only: bool = False, timeout: float = 60.0) -> duckdb.DuckDBPyConnection:
    """Connect to a study's catalog and make it the connection's default.

    Args:
        study: name of the metadata schema and of the folder with the data files.
        read_only: whether to forbid writing.
        timeout: seconds to retry while the catalog does not answer or is being created.

    Raises:
        CatalogUnreachable: it does not answer, or an extension is not installed.
    """
    address, data = catalog_address(), os.environ.get("SARCOMA_CATALOG_DATA")
    if not address or not data:
        raise CatalogUnreachable("SARCOMA_CATALOG and SARCOMA_CATALOG_DATA must both be set")
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
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute(f"ATTACH 'ducklake:{_quoted(address)}' AS {CATALOG} ({', '.join(options)})")
        except duckdb.Error as error:
            if time.monotonic() > deadline:
                connection.close()
                raise CatalogUnreachable(f"the catalog does not answer: {type(error).__name__}") from None
            time.sleep(0.5)
        else:
            connection.execute(f"USE {CATALOG}")
            return connection


@contextmanager
def in_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the order of inserted rows: DuckLake's writer mixes the rows of its threads."""
    if catalog_address() is None:
        yield
        return
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute("RESET threads")


def conflict(error: Exception) -> bool:
    """Return whether a transaction failed because a concurrent one committed first."""
    return isinstance(error, duckdb.TransactionException) and "onflict" in str(error)


def tidy(study: str, days: int) -> None:
    """Merge small data files and delete files that no recent snapshot needs.

    Args:
        study: name of the study.
        days: days for which old snapshots of the tables stay readable.
    """
    with connect(study) as connection:
        connection.execute(f"CALL ducklake_merge_adjacent_files('{CATALOG}')")
        connection.execute(
            f"CALL ducklake_expire_snapshots('{CATALOG}', older_than => now() - INTERVAL '{days} days')"
        )
        connection.execute(f"CALL ducklake_cleanup_old_files('{CATALOG}', cleanup_all => true)")


def _extension(name: str) -> Path:
    """Return the path of an extension in its wheel.

    Raises:
        CatalogUnreachable: it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise CatalogUnreachable(
            f"the extension {name} is not installed: make .venv/.several, or pip install "
            "'sarcoma-pipeline[several]'"
        )
    (found,) = Path(spec.origin).parent.glob(f"extensions/*/{name}.duckdb_extension")
    return found


def _quoted(text: str) -> str:
    return text.replace("'", "''")
