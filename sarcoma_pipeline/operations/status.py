"""How the nights go: the last good release, what is due, what is stuck."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb

# Dagster's own reading of a cron line: what is due is when its daemon will tick.
from dagster._utils.schedules import schedule_execution_time_iterator

from sarcoma_pipeline.orchestration import jobs, orphaned_runs
from sarcoma_pipeline.orchestration.assets.publication import FRESHNESS, release_key
from sarcoma_pipeline.orchestration.drop_folder_sensor import BUSY
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.sources.drop_folder import shown, walk
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import read_only

STUCK_HOURS = 4
"""The run monitor ends a run after as long; one that is older was not seen by it."""

DAEMON_SECONDS = 300


@dataclass(frozen=True)
class Status:
    """The answers, in words, and whether an operator must act.

    Attributes:
        lines: topic and what there is to say.
        faults: what an operator must look at.
    """

    lines: list[tuple[str, str]]
    faults: list[str]


def status(project: Project, instance: dg.DagsterInstance, now: dt.datetime) -> Status:
    """Look at release, runs, schedule and drop folder.

    Args:
        project: the study.
        instance: where its runs are recorded.
        now: with its time zone.
    """
    lines: list[tuple[str, str]] = []
    faults: list[str] = []
    released = release.read_label(project.release)
    if released is None and project.release.exists():
        lines.append(("release", "cannot be read"))
        faults.append("the release is damaged: sarcoma release rollback, or sarcoma refresh")
    elif released is None:
        lines.append(("release", "none yet"))
        faults.append("nothing was ever published")
    else:
        made = dt.datetime.fromisoformat(released["released_at"])
        # A night that brought nothing new publishes nothing: it says that the release still stands.
        good = max([made, *_known_good(project, instance)])
        words = f"{released['refresh_id']}, made {hours(now - made)} ago, {released['eligible']} patients"
        lines.append(("release", f"{words}; last known good {hours(now - good)} ago"))
        if now - good > FRESHNESS.fail_window.to_timedelta():
            faults.append(f"no night was good for {hours(now - good)}")
    lines += _runs(project, instance, now, faults)
    lines.append(("due", f"{next_night(now):%Y-%m-%d %H:%M %Z}, by the schedule `nightly`"))
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    alive = bool(beats) and now.timestamp() - max(beats) < DAEMON_SECONDS
    lines.append(
        ("daemon", "runs" if alive else "does not run: no schedule and no sensor will start anything")
    )
    lines.append(("drop folder", _waiting(project)))
    return Status(lines, faults)


def next_night(now: dt.datetime) -> dt.datetime:
    """When the nightly schedule ticks next, in its own time zone."""
    ticks = schedule_execution_time_iterator(now.timestamp(), jobs.nightly_cron(), jobs.TIMEZONE)
    return next(tick for tick in ticks if tick > now).astimezone(ZoneInfo(jobs.TIMEZONE))


def hours(age: dt.timedelta) -> str:
    """An age as people say it."""
    whole = int(age.total_seconds() // 3600)
    return f"{whole} h" if whole else f"{int(age.total_seconds() // 60)} min"


def _known_good(project: Project, instance: dg.DagsterInstance) -> Iterator[dt.datetime]:
    """When a refresh last succeeded, and when it was last said that the release stands."""
    said = instance.get_latest_materialization_event(release_key(project))
    if said is not None:
        yield dt.datetime.fromtimestamp(said.timestamp, dt.UTC)
    good = dg.RunsFilter(
        job_name=jobs.last_job(project),
        tags={"study": project.study.name},
        statuses=[dg.DagsterRunStatus.SUCCESS],
    )
    for record in instance.get_run_records(filters=good, limit=1):
        if record.end_time:
            yield dt.datetime.fromtimestamp(record.end_time, dt.UTC)


def _runs(
    project: Project, instance: dg.DagsterInstance, now: dt.datetime, faults: list[str]
) -> list[tuple[str, str]]:
    of_study = {"study": project.study.name}
    ended = instance.get_run_records(
        filters=dg.RunsFilter(
            job_name=jobs.last_job(project),
            tags=of_study,
            statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
        ),
        limit=1,
    )
    lines = []
    for record in ended:
        state = record.dagster_run.status.value.lower()
        age = now.timestamp() - (record.end_time or now.timestamp())
        words = f"{state}, ended {hours(dt.timedelta(seconds=age))} ago, run {record.dagster_run.run_id}"
        lines.append(("last run", words))
        if state != "success":
            faults.append("the last refresh did not succeed: its run says why")
    for record in instance.get_run_records(filters=dg.RunsFilter(tags=of_study, statuses=list(BUSY))):
        age = dt.timedelta(seconds=now.timestamp() - record.create_timestamp.timestamp())
        state = record.dagster_run.status.value.lower()
        lines.append(("now", f"{state} since {hours(age)}, run {record.dagster_run.run_id}"))
        if orphaned_runs.is_gone(record.dagster_run):
            faults.append("the process of a run is gone: the daemon, or the next `sarcoma refresh`, ends it")
        elif age > dt.timedelta(hours=STUCK_HOURS):
            faults.append(f"a run is {state} since {hours(age)}: end it in the UI, or `dagster run delete`")
    return lines or [("last run", "none is recorded")]


def _waiting(project: Project) -> str:
    """How many files the next refresh would look at; by size and time only, as the manifest does at first."""
    here: dict[str, tuple[int, int]] = {}
    for centre in project.centres or ("",):
        drop, above = project.drop_of(centre), (centre,) if centre else ()
        if not drop.is_dir():
            return f"{drop.relative_to(project.root)} does not exist"
        here |= {shown((*above, *entry.parts)): (entry.size, entry.mtime_ns) for entry in walk(drop)}
    if not read_only.is_built(project):
        return f"{len(here)} files, none read yet"
    try:
        with read_only.connect(project) as connection:
            rows = connection.execute(
                "SELECT path, size_bytes, mtime_ns FROM meta.files WHERE last_refresh IS NULL"
            ).fetchall()
    except duckdb.IOException:
        return f"{len(here)} files; the warehouse is held, a refresh runs"
    known = {path: (size, mtime) for path, size, mtime in rows}
    new = len(here.keys() - known.keys())
    changed = sum(1 for path in here.keys() & known.keys() if here[path] != known[path])
    gone = len(known.keys() - here.keys())
    return f"{len(here)} files: {new} new, {changed} changed, {gone} gone since the last refresh"
