"""The runs that Dagster recorded, read from its SQLite files without importing Dagster.

Dagster takes two seconds to import; a command that only reads does not wait for it. A caller that needs more
than is declared here, or keeps Dagster's history in another database, asks
:mod:`sarcoma_pipeline.orchestration.dagster_history`; a test compares the two.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

ENDED = ("success", "failure", "canceled")
"""States of a run that has ended."""
BUSY = ("queued", "not_started", "starting", "started", "canceling")
"""States of a run that waits or runs."""
SCHEDULER = "SCHEDULER"
"""The daemon that starts schedules."""
_STOPPED = "InstigatorStatus.STOPPED"
_OTHER_DATABASE = frozenset(
    ("storage", "run_storage", "event_log_storage", "schedule_storage", "local_artifact_storage")
)
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
        """Return when the daemon that starts schedules last gave a sign of life."""
        ...

    def is_switched_off(self, study: str, schedule: str) -> bool:
        """Return whether a person switched a schedule of a study off."""
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
        with ExitStack() as stack:
            # Dagster makes the third with the first look of a daemon or a web server.
            of_runs, of_events, of_schedules = (
                stack.enter_context(closing(_read_only(path))) if path.is_file() else None
                for path in (runs, events, home / "schedules/schedules.db")
            )
            assert of_runs is not None and of_events is not None, "both were there a moment ago"
            yield _Files(of_runs, of_events, of_schedules)
    except (sqlite3.Error, KeyError, TypeError, ValueError):
        raise Unfamiliar from None


def home_of(root: Path) -> Path:
    """Return Dagster's folder: ``DAGSTER_HOME``, or the one of the installation."""
    return Path(os.environ.get("DAGSTER_HOME") or root / "dagster_home")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


class _Files:
    """The history in the files ``runs.db`` and ``index.db``."""

    def __init__(
        self, runs: sqlite3.Connection, events: sqlite3.Connection, schedules: sqlite3.Connection | None
    ) -> None:
        self._runs, self._events, self._schedules = runs, events, schedules

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
        """Return when the daemon that starts schedules last gave a sign of life."""
        ((last,),) = self._runs.execute(
            "SELECT max(timestamp) FROM daemon_heartbeats WHERE daemon_type = ?", [SCHEDULER]
        )
        return None if last is None else _moment(last)

    def is_switched_off(self, study: str, schedule: str) -> bool:
        """Return whether a person switched a schedule of a study off."""
        if self._schedules is None:
            return False
        states = self._schedules.execute(
            "SELECT instigator_body FROM instigators WHERE instigator_type = 'SCHEDULE'"
        ).fetchall()
        return is_stopped([json.loads(body) for (body,) in states], study, schedule)

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


def is_stopped(states: Iterable[dict[str, Any]], study: str, schedule: str) -> bool:
    """Return whether a schedule of a study is switched off, by the switches that a person has used.

    Args:
        states: Dagster's ``InstigatorState`` of schedules, as JSON.
        study: the study: name of the code location, or else of the function that loads it.
        schedule: name of the schedule.
    """
    named: list[bool] = []
    loaded: list[bool] = []
    for state in states:
        origin, stopped = state["origin"], state["status"]["__enum__"] == _STOPPED
        location = origin["external_repository_origin"]["repository_location_origin"]
        target = location.get("loadable_target_origin") or {}
        if origin["job_name"] != schedule:
            continue
        if location.get("location_name") == study:
            named.append(stopped)
        elif target.get("attribute") == study:
            loaded.append(stopped)
    return any(named or loaded)


def _moment(text: str) -> dt.datetime:
    """Return a moment that SQLAlchemy wrote, in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
