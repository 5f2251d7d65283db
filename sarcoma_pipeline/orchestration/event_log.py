"""Dagster's event log in SQLite, held open while a run writes to it.

Dagster opens a connection for every event, and whenever the last connection of a file closes, SQLite folds
its write-ahead log into the file and waits for the disk. With one held, it does so every thousand pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dagster as dg

_SHARED_BY_ALL_RUNS = "index"


@contextmanager
def held(instance: dg.DagsterInstance | None, run_id: str | None) -> Iterator[None]:
    """Hold the files of one run's events open; nothing where they are in another database.

    Args:
        instance: where the run is recorded.
        run_id: of the run.
    """
    path_of = getattr(instance and instance.event_log_storage, "path_for_shard", None)
    with ExitStack() as stack:
        if path_of is not None and run_id:
            for shard in (_SHARED_BY_ALL_RUNS, run_id):
                if Path(path_of(shard)).exists():
                    connection = stack.enter_context(closing(sqlite3.connect(path_of(shard))))
                    # A connection that has read nothing has not joined the write-ahead log.
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
