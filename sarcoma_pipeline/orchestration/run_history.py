"""The runs that Dagster recorded, read from its SQLite files without importing Dagster.

Dagster takes two seconds to import, which a command that only looks need not wait for. Whoever needs more
than is declared here, or keeps Dagster's history in another database, asks
:mod:`sarcoma_pipeline.orchestration.dagster_history`; a test compares the two.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

ENDED = ("success", "failure", "canceled")
"""States of a run that has ended."""
BUSY = ("queued", "not_started", "starting", "started", "canceling")
"""States of a run that waits or runs."""
_OTHER_DATABASE = frozenset({"storage", "run_storage", "event_log_storage", "local_artifact_storage"})
"""Keys of ``dagster.yaml`` that move the history to another place."""


class Unfamiliar(Exception):
    """The history is not in Dagster's SQLite files, or these are not as expected."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        run_id: its id.
        state: its state, in lower case.
        tags: its tags.
        created: when it was requested.
        ended: when it ended; None if it has not.
    """

    run_id: str
    state: str
    tags: Mapping[str, str]
    created: dt.datetime
    ended: dt.datetime | None


class History(Protocol):
    """What is known of the runs of an instance."""

    def runs(
        self, study: str, job: str | None = None, states: Collection[str] | None = None, most: int = 50
    ) -> list[Run]:
        """Return the runs of a study, newest first.

        Args:
            study: the study.
            job: name of the job; None: of any.
            states: states of the runs; None: all.
            most: maximum number of runs.
        """
        ...

    def materialised(self, asset: Collection[str]) -> tuple[dt.datetime, Run | None] | None:
        """Return when an asset was last materialised, and by which run; None: never.

        There is no run if the event belongs to none, or if the run was deleted.
        """
        ...

    def heartbeat(self) -> dt.datetime | None:
        """Return when a process of the daemon last gave a sign of life."""
        ...


@contextmanager
def opened(home: Path) -> Iterator[History]:
    """Open the history of an instance.

    Args:
        home: Dagster's folder, ``DAGSTER_HOME``.

    Raises:
        Unfamiliar: here, or from a question: only Dagster can answer.
    """
    try:
        configured = yaml.safe_load((home / "dagster.yaml").read_text("utf-8")) or {}
    except FileNotFoundError:
        configured = {}
    except (OSError, ValueError, yaml.YAMLError):
        raise Unfamiliar from None
    if not isinstance(configured, dict) or _OTHER_DATABASE & configured.keys():
        raise Unfamiliar
    runs, events = home / "history/runs.db", home / "history/runs/index.db"
    if not runs.is_file() or not events.is_file():
        raise Unfamiliar
    try:
        with closing(_read_only(runs)) as of_runs, closing(_read_only(events)) as of_events:
            yield _Files(of_runs, of_events)
    except (sqlite3.Error, KeyError, TypeError, ValueError):
        raise Unfamiliar from None


def home_of(root: Path) -> Path:
    """Return Dagster's folder: ``DAGSTER_HOME``, or the one of the installation."""
    return Path(os.environ.get("DAGSTER_HOME") or root / "dagster_home")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


class _Files:
    """The history in the files ``runs.db`` and ``index.db``."""

    def __init__(self, runs: sqlite3.Connection, events: sqlite3.Connection) -> None:
        self._runs, self._events = runs, events

    def runs(
        self, study: str, job: str | None = None, states: Collection[str] | None = None, most: int = 50
    ) -> list[Run]:
        """Return the runs of a study, newest first."""
        wanted = list(states or ())
        marks = ", ".join("?" * len(wanted))
        return self._select(
            "WHERE run_id IN (SELECT run_id FROM run_tags WHERE key = 'study' AND value = ?)"
            + (" AND pipeline_name = ?" if job else "")
            + (f" AND lower(status) IN ({marks})" if wanted else "")
            + " ORDER BY id DESC LIMIT ?",
            [study, *([job] if job else []), *wanted, most],
        )

    def materialised(self, asset: Collection[str]) -> tuple[dt.datetime, Run | None] | None:
        """Return when an asset was last materialised, and by which run."""
        row = self._events.execute(
            "SELECT last_materialization FROM asset_keys WHERE asset_key = ?", [json.dumps(list(asset))]
        ).fetchone()
        if row is None or row[0] is None:
            return None
        event = json.loads(row[0])["event_log_entry"]
        found = self._select("WHERE run_id = ?", [event["run_id"]])
        return dt.datetime.fromtimestamp(event["timestamp"], dt.UTC), found[0] if found else None

    def heartbeat(self) -> dt.datetime | None:
        """Return when a process of the daemon last gave a sign of life."""
        ((last,),) = self._runs.execute("SELECT max(timestamp) FROM daemon_heartbeats")
        return None if last is None else _moment(last)

    def _select(self, which: str, values: list[object]) -> list[Run]:
        rows = self._runs.execute(
            f"SELECT run_id, status, create_timestamp, end_time FROM runs {which}", values
        ).fetchall()
        return [
            Run(
                run_id,
                state.lower(),
                dict(self._runs.execute("SELECT key, value FROM run_tags WHERE run_id = ?", [run_id])),
                _moment(created),
                None if ended is None else dt.datetime.fromtimestamp(ended, dt.UTC),
            )
            for run_id, state, created, ended in rows
        ]


def _moment(text: str) -> dt.datetime:
    """Return a moment that SQLAlchemy wrote, in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
