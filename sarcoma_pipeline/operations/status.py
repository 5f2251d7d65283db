"""Reports the state of the nightly refreshes: the last good release, what is due, what is stuck."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from sarcoma_pipeline.orchestration import (
    dose_process,
    night,
    opinion_process,
    report_process,
    run_process,
    skip_unchanged,
)
from sarcoma_pipeline.orchestration.night import DRAFT, STALE_AFTER, last_job, release_name
from sarcoma_pipeline.orchestration.run_history import BUSY, ENDED, History, Run
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality import movement, movement_findings, registry_coverage
from sarcoma_pipeline.quality.identity_gate import IDENTIFYING, IdentityGate
from sarcoma_pipeline.sources.drop_folder import shown, walk
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, read_only
from schemas.received import RegistryReply

STUCK_HOURS = 4
"""Dagster's run monitor ends runs after this time (``dagster.yaml``); an older run escaped it."""

_RUNS_LOOKED_AT = 50
"""Number of successful runs searched for the last one that is not a draft."""

DAEMON_SECONDS = 300
"""Maximum age of the last heartbeat of a running daemon; it sends one every 30 s."""


@dataclass(frozen=True)
class Status:
    """The state of a study, and whether an operator must act.

    Attributes:
        lines: topic and text.
        faults: problems that an operator must act on.
    """

    lines: list[tuple[str, str]]
    faults: list[str]


def status(project: Project, history: History, now: dt.datetime) -> Status:
    """Inspect release, runs, schedule and drop folder.

    Args:
        project: the study.
        history: its runs.
        now: the current time, with time zone.
    """
    lines: list[tuple[str, str]] = []
    faults: list[str] = []
    released = release.read_label(project.release)
    if released is None and project.release.exists():
        lines.append(("release", "cannot be read"))
        faults.append("the release is damaged: sarcoma release rollback, or sarcoma refresh")
    elif released is None:
        lines.append(("release", "none yet"))
        faults.append("nothing has been published yet")
    else:
        built = dt.datetime.fromisoformat(released["released_at"])
        # A refresh without changes publishes nothing; it only records that the release is still valid.
        confirmed = max([built, *_confirmations(project, history, released["content_hash"])])
        words = f"{released['refresh_id']}, built {hours(now - built)} ago, {released['eligible']} patients"
        lines.append(("release", f"{words}; last confirmed {hours(now - confirmed)} ago"))
        if now - confirmed > STALE_AFTER:
            faults.append(f"no refresh has succeeded for {hours(now - confirmed)}")
        lines.append(("second opinion", _opinion(project, released["refresh_id"], faults)))
    lines += _report_files(project, faults)
    lines += _doses(project)
    told = _moved(project)
    if told and movement_findings.MOVED_UNEXPLAINED.id in told[0]:
        # Listed first: a wrong number is worse than an old one.
        lines.insert(0, ("moved", told.pop(0)))
        faults.insert(0, lines[0][1])
    lines += [("moved", sentence) for sentence in told]
    lines += _draft(project, now)
    lines += _runs(project, history, now, faults)
    lines += _next(project, history, now, faults)
    if closed := _closed(project):
        # The lines below would be silent about it.
        lines.append(("warehouse", str(closed)))
        if isinstance(closed, opening.Damaged):
            faults.append(str(closed))
    lines.append(("drop folder", _waiting(project)))
    lines += _values(project) + _by_library(project)
    lines += [("registry", sentence) for sentence in _replies(project)]
    return Status(lines, faults)


def _next(project: Project, history: History, now: dt.datetime, faults: list[str]) -> list[tuple[str, str]]:
    """Return the lines on what starts the next refresh, and the fault if nothing does."""
    beat = history.heartbeat()
    alive = beat is not None and (now - beat).total_seconds() < DAEMON_SECONDS
    daemon = "running" if alive else "not running: no schedule and no sensor will start a refresh"
    if night.started_elsewhere():
        why = "SARCOMA_NIGHTLY=off: cron or a person starts the refresh, Dagster starts none"
        return [("next", why), ("daemon", daemon)]
    if history.is_switched_off(project.study.name, night.NIGHTLY):
        due = f"none: the schedule `{night.NIGHTLY}` is switched off"
        faults.append(
            f"nothing starts the next refresh: the schedule `{night.NIGHTLY}` is switched off. "
            f"Switch it on in the Dagster UI; {_ELSEWHERE}"
        )
    else:
        tick = night.next_night(now, project.zone)
        due = f"{tick:%Y-%m-%d %H:%M %Z}, by the schedule `{night.NIGHTLY}`"
    if not alive:
        faults.append(
            "nothing starts the next refresh: the daemon is not running. Start it (docs/deploy.md); "
            + _ELSEWHERE
        )
    return [("next", due), ("daemon", daemon)]


def _closed(project: Project) -> opening.CannotOpen | None:
    """Return why the warehouse cannot be read; None if it can, or if there is none yet."""
    if not read_only.is_built(project):
        return None
    try:
        with opening.explained(project.warehouse):
            read_only.connect(project).close()
    except opening.CannotOpen as why:
        return why
    except duckdb.Error:
        pass  # a catalog without the study: the lines below say what they cannot tell
    return None


_ELSEWHERE = "where cron starts refreshes, set SARCOMA_NIGHTLY=off"


def _opinion(project: Project, refresh_id: str, faults: list[str]) -> str:
    """Return the sentence on the second opinion on the release, once its process has ended."""
    opinion = opinion_process.given(project)
    if opinion is None or opinion.refresh_id != refresh_id:
        return "not given yet; the check `second_opinion` of the release in the Dagster UI gives it"
    if not opinion.agrees:
        faults.append(f"{opinion} See the check `second_opinion` of the release in the Dagster UI.")
    return str(opinion)


def _report_files(project: Project, faults: list[str]) -> list[tuple[str, str]]:
    """Return the line on the PNG, Excel, Word and PDF files of the report, once there is a report."""
    made = report_process.made(project)
    if made is None and not report_process.is_waited_for(project):
        return []
    if made is None and report_process.is_running(project):
        return [("report", "PNG, Excel, Word and PDF files are being made; the page itself is complete")]
    words = str(made) if made else "The process that adds PNG, Excel, Word and PDF files has ended early."
    if made is None or made.failure:
        remedy = f"Run the check `{report_process.CHECK}` of the report in the Dagster UI"
        faults.append(f"{words} {remedy}; the next refresh tries again.")
    return [("report", words)]


def _doses(project: Project) -> list[tuple[str, str]]:
    """Return the line on plans whose volumes and doses the release does not have yet."""
    missing = dose_process.missing(project)
    return [("doses", str(missing))] if missing.plans else []


def _moved(project: Project) -> list[str]:
    """Return the sentences on moved values since the last release, unexplained ones first."""
    if not read_only.is_built(project):
        return []
    try:
        with read_only.connect(project) as connection:
            return movement.summary(
                opening.queried(connection, "SELECT pseudonym, causes, unexplained FROM meta.movement")
            )
    except duckdb.Error:
        # An older warehouse has no account yet; the next refresh makes it.
        return []


def _draft(project: Project, now: dt.datetime) -> list[tuple[str, str]]:
    """Return a line on the draft, if there is one; a draft is never a release."""
    label = release.read_label(project.as_draft().release)
    if label is None:
        return []
    age = hours(now - dt.datetime.fromisoformat(label["released_at"]))
    words = f"{label['refresh_id']}, built {age} ago, {label['eligible']} patients; not a release"
    return [("draft", words)]


def hours(age: dt.timedelta) -> str:
    """Format an age in whole hours, or in minutes below one hour."""
    whole = int(age.total_seconds() // 3600)
    return f"{whole} h" if whole else f"{int(age.total_seconds() // 60)} min"


def _confirmations(project: Project, history: History, content_hash: str) -> Iterator[dt.datetime]:
    """Yield the times of the last successful refresh and of the last confirmation of the release."""
    looked = skip_unchanged.confirmed(project, content_hash)
    if looked is not None:
        yield looked
    last = history.materialised(release_name(project))
    # The run of a draft confirms no release.
    if last is not None and not _of_draft(last[1]):
        yield last[0]
    for run in history.runs(project.study.name, last_job(project), ["success"], _RUNS_LOOKED_AT):
        if run.ended and not _of_draft(run):
            yield run.ended
            break


def _of_draft(run: Run | None) -> bool:
    return run is not None and DRAFT in run.tags


def _runs(project: Project, history: History, now: dt.datetime, faults: list[str]) -> list[tuple[str, str]]:
    study, lines = project.study.name, []
    for run in history.runs(study, last_job(project), ENDED, 1):
        words = f"{run.state}, ended {hours(now - (run.ended or now))} ago, run {run.run_id}"
        lines.append(("last run", words))
        if run.state != "success":
            faults.append("the last refresh failed: see its run in the Dagster UI")
    for run in history.runs(study, states=BUSY):
        age = now - run.created
        lines.append(("now", f"{run.state} for {hours(age)}, run {run.run_id}"))
        if run_process.is_gone(run):
            faults.append(
                "the process of a run is gone: the daemon or the next `sarcoma refresh` ends the run"
            )
        elif age > dt.timedelta(hours=STUCK_HOURS):
            faults.append(f"a run is {run.state} for {hours(age)}: end it in the UI, or `dagster run delete`")
    return lines or [("last run", "none recorded")]


def _values(project: Project) -> list[tuple[str, str]]:
    """Return the account of the values in the current files, and unknown values by source."""
    if not read_only.is_built(project):
        return []
    try:
        with read_only.connect(project) as connection:
            totals = connection.execute(
                "SELECT coalesce(sum(values_delivered), 0), coalesce(sum(values_read), 0), "
                "coalesce(sum(values_ignored), 0), coalesce(sum(values_unknown), 0), "
                "coalesce(sum(values_unaccounted), 0) FROM quality.accounting"
            ).fetchone()
            unknown = connection.execute(
                "SELECT coalesce(source, 'no source'), count(DISTINCT v.path), sum(values) "
                "FROM meta.value_account v JOIN meta.files f USING (file_id) "
                "WHERE outcome = 'unknown' AND v.last_refresh IS NULL AND f.last_refresh IS NULL "
                "GROUP BY ALL ORDER BY 1"
            ).fetchall()
    except duckdb.Error:
        # An older warehouse has no account yet; the next refresh makes it.
        return [("values", "not accounted for yet")]
    delivered, read, ignored, odd, lost = totals or (0, 0, 0, 0, 0)
    words = f"{delivered} delivered = {read} read + {ignored} ignored by name + {odd} unknown"
    lines = [("values", words + (f"; {lost} are nowhere" if lost else ""))]
    return lines + [("unknown", f"{source}: {n} values of {paths} paths") for source, paths, n in unknown]


def _by_library(project: Project) -> list[tuple[str, str]]:
    """Say how many of tonight's DICOM files were not ordinary: they take ten times as long to read."""
    if not read_only.is_built(project):
        return []
    try:
        with read_only.connect(project) as connection:
            odd, files = connection.execute(
                "SELECT count(*) FILTER (objects_by_library > 0), count(*) FROM meta.files "
                "WHERE kind = 'dicom' AND last_refresh IS NULL"
            ).fetchone() or (0, 0)
    except duckdb.Error:
        return []  # an older warehouse did not count them
    return [("dicom", f"{odd} of {files} files are not ordinary: pydicom read them")] if odd else []


def _replies(project: Project) -> list[str]:
    """Return the sentences on the coverage of the queries to registry offices in the last refresh."""
    if project.centres or not read_only.is_built(project):
        return []
    current = " WHERE last_refresh IS NULL"
    try:
        with read_only.connect(project) as connection:

            def read(table: str, columns: Sequence[str], only: str = "") -> pl.DataFrame:
                return opening.queried(connection, f"SELECT {', '.join(columns)} FROM {table}{only}")

            replies = RegistryReply.table()
            if read(replies, ("count(*) AS n",), current)["n"].item() == 0:
                return []
            tables = {
                table: read(table, columns, current if table == replies else "")
                for table, columns in registry_coverage.NEEDED.items()
            }
            files = read("meta.files", ("file_id", "path"), current)
            persons = read("typed.person", IDENTIFYING)
    except duckdb.Error:
        return []
    shown = files.select("file_id", IdentityGate.of(persons, project.sources).paths(files))
    return registry_coverage.described(tables, shown)


def _waiting(project: Project) -> str:
    """Return the number of files that the next refresh would read, by size and modification time."""
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
    except duckdb.Error:
        return f"{len(here)} files; what is new among them only the warehouse knows"
    known = {path: (size, mtime) for path, size, mtime in rows}
    new = len(here.keys() - known.keys())
    changed = sum(1 for path in here.keys() & known.keys() if here[path] != known[path])
    gone = len(known.keys() - here.keys())
    return f"{len(here)} files: {new} new, {changed} changed, {gone} gone since the last refresh"
