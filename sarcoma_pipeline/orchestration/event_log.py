"""Keeps Dagster's SQLite event log open while a run writes to it, which saves seconds per run.

Dagster opens a connection for every event. Whenever the last connection to a file closes, SQLite checkpoints
the write-ahead log and waits for the disk. With one connection open, it checkpoints only every thousand
pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dagster as dg

_SHARED_BY_ALL_RUNS = "index"
"""Dagster's name for the shard that all runs share."""


@contextmanager
def kept_open(instance: dg.DagsterInstance | None, run_id: str | None) -> Iterator[None]:
    """Keep the event files of one run open; do nothing if events are stored in another database.

    Args:
        instance: the Dagster instance that records the run.
        run_id: the run.
    """
    path_of = getattr(instance and instance.event_log_storage, "path_for_shard", None)
    with ExitStack() as stack:
        if path_of is not None and run_id:
            for shard in (_SHARED_BY_ALL_RUNS, run_id):
                if Path(path_of(shard)).exists():
                    connection = stack.enter_context(closing(sqlite3.connect(path_of(shard))))
                    # Only a connection that has read something uses the write-ahead log.
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
