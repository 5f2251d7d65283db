"""The names of Dagster that have no public home, in one place; a test fails when an upgrade moves them."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorType
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._utils.schedules import schedule_execution_time_iterator
from sqlalchemy.event import listen
from sqlalchemy.pool import QueuePool

AssetJob = UnresolvedAssetJobDefinition
"""What ``dg.define_asset_job`` returns; Dagster exports the function and not its type."""


def switches(instance: dg.DagsterInstance) -> list[dict[str, Any]]:
    """Return the state of every schedule that a person has switched on or off, as JSON."""
    if instance.schedule_storage is None:
        return []
    found = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
    return [json.loads(dg.serialize_value(state)) for state in found]


def name_origin(instance: dg.DagsterInstance, run_id: str, module: str, function: str) -> None:
    """Record of a run from a terminal which job of which code location it is.

    Dagster records it only of runs that its web server or daemon starts, and its timeline and sensors pass
    over the others.

    Args:
        instance: the instance.
        run_id: the run.
        module: module of the code location.
        function: the function there that loads the definitions; it is the name of the location, too.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.remote_job_origin is not None:
        return
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(executable_path=None, module_name=module, attribute=function), function
    )
    repository = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME)
    instance.add_run_tags(run_id, {REPOSITORY_LABEL_TAG: repository.get_label()})
    tagged = instance.get_run_by_id(run_id)
    if tagged is not None:
        instance.run_storage.replace_job_origin(tagged, RemoteJobOrigin(repository, tagged.job_name))


def next_tick(cron: str, timezone: str, after: dt.datetime) -> dt.datetime:
    """Return the first tick of a cron line after a moment, as Dagster's daemon interprets it.

    Args:
        cron: a line of five fields.
        timezone: an IANA name, in which the line is read.
        after: a moment with a time zone.
    """
    ticks = schedule_execution_time_iterator(after.timestamp(), cron, timezone)
    return next(tick for tick in ticks if tick > after)


@contextmanager
def one_connection(instance: dg.DagsterInstance | None) -> Iterator[None]:
    """Keep one connection to each of Dagster's SQLite files within the block; each event is still a commit.

    Dagster makes an engine and a connection for every event. Whenever the last connection to a file closes,
    SQLite also copies the write-ahead log into the file and waits for the disk. In another database than
    SQLite, and within another such block, nothing is changed.

    Args:
        instance: the Dagster instance that records the run.
    """
    events = instance.event_log_storage if instance else None
    runs = instance.run_storage if instance else None
    if (
        not isinstance(events, SqliteEventLogStorage)
        or not isinstance(runs, SqliteRunStorage)
        or "_connect" in vars(events)
    ):
        yield
        return
    engines = _Engines()
    make = events._connect
    # Both objects live as long as the instance: the methods are Dagster's again after the block.
    vars(events)["_connect"] = lambda shard: _of_events(events, shard, make, engines)
    # Asked for each event of an asset; within a run, no table is added or removed.
    vars(events)["has_table"] = cache(events.has_table)
    vars(runs)["connect"] = lambda: engines.connect(runs._conn_string)
    try:
        yield
    finally:
        del vars(events)["_connect"], vars(events)["has_table"], vars(runs)["connect"]
        engines.dispose()


@contextmanager
def _of_events(events: SqliteEventLogStorage, shard: str, make, engines: _Engines):
    if shard not in events._initialized_dbs:
        # Dagster makes the file, or brings its schema up to date.
        with make(shard) as connection:
            yield connection
        return
    with events._db_lock, engines.connect(events.conn_string_for_shard(shard)) as connection:
        yield connection


def _without_waiting(connection: sqlite3.Connection, _: object) -> None:
    """Do not wait for the disk at every commit, but only when SQLite copies the log into its file.

    Nothing is lost if the process is killed. If the machine loses its power, the last events may be missing
    and the file is intact, because Dagster's files have a write-ahead log.
    """
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA synchronous = NORMAL")


class _Engines:
    """Engines with one connection each, for the files that were used last."""

    _MOST = 4
    """The runs, the index of events, and the events of this run; clearing up visits those of many runs."""

    def __init__(self) -> None:
        self._engines: OrderedDict[str, sqlalchemy.Engine] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def connect(self, url: str) -> Iterator[sqlalchemy.Connection]:
        """Begin a transaction, and commit it after the block."""
        with self._engine(url).begin() as connection:
            yield connection

    def _engine(self, url: str) -> sqlalchemy.Engine:
        with self._lock:
            if url not in self._engines:
                waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
                engine = sqlalchemy.create_engine(
                    url, poolclass=QueuePool, pool_size=1, max_overflow=-1, connect_args=waits
                )
                listen(engine, "connect", _without_waiting)
                self._engines[url] = engine
            self._engines.move_to_end(url)
            if len(self._engines) > self._MOST:
                self._engines.popitem(last=False)[1].dispose()
            return self._engines[url]

    def dispose(self) -> None:
        """Close all connections."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
