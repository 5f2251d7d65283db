"""Lend frames to DuckDB, so that a statement can read them by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa


class _Loan:
    """What DuckDB is given instead of the frame.

    Within a transaction DuckDB keeps what was registered until the commit, even when it is no longer
    registered: the frames of a step that writes in parts, and the buffers that they share, would all stay in
    memory (2 GiB with 100 000 patients).
    """

    def __init__(self, rows: pa.Table) -> None:
        self.rows: pa.Table | None = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        assert self.rows is not None, "the frame was given back"
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def lent(
    connection: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame], *, whole: bool = False
) -> Iterator[None]:
    """Let statements within the block read frames; they are let go of after it.

    Args:
        connection: the connection that reads them.
        frames: name in the statements to frame.
        whole: whether they read every row. Then no text is copied: only the newest layout is that of
            polars, and Arrow cannot filter it.
    """
    layout = pl.CompatLevel.newest() if whole else pl.CompatLevel.oldest()
    loans = {name: _Loan(frame.to_arrow(compat_level=layout)) for name, frame in frames.items()}
    try:
        for name, loan in loans.items():
            connection.register(name, loan)
        yield
    finally:
        for name, loan in loans.items():
            connection.unregister(name)
            loan.rows = None
