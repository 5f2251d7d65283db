"""Read the tables of a release one by one, when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl


class OnDemand(Mapping[str, pl.DataFrame]):
    """A mapping of tables that reads each table when it is accessed and caches none.

    Attributes:
        path: the DuckDB file that the tables are read from, if they are read from one.
    """

    def __init__(
        self,
        names: Iterable[str],
        read: Callable[[str], pl.DataFrame],
        path: Path | None = None,
        count: Callable[[str], int] | None = None,
    ) -> None:
        self._names, self._read, self.path, self._count = dict.fromkeys(names), read, path, count

    def __getitem__(self, table: str) -> pl.DataFrame:
        """Read a table."""
        if table not in self._names:
            raise KeyError(table)
        return self._read(table)

    def height(self, table: str) -> int:
        """Return the number of rows of a table, without reading it if they can be counted."""
        return self._count(table) if self._count else self[table].height

    def __contains__(self, table: object) -> bool:
        """Return whether there is such a table, without reading it."""
        return table in self._names

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of tables."""
        return len(self._names)


@contextmanager
def held_open(tables: Mapping[str, pl.DataFrame] | None) -> Iterator[None]:
    """Keep the file of a release open, so that it is not opened anew for each table.

    DuckDB's connections of one process to one path share a database: within the block, do not replace the
    file.
    """
    if isinstance(tables, OnDemand) and tables.path is not None:
        with duckdb.connect(str(tables.path), read_only=True) as connection:
            # Whole tables are read, which takes less CPU time with one thread, and is not slower.
            connection.execute("SET threads = 1")
            yield
    else:
        yield
