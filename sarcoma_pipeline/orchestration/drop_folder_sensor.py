"""A sensor on the drop folder: starts a refresh when a delivery is complete."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from sarcoma_pipeline.orchestration.run_history import BUSY
from sarcoma_pipeline.sources.drop_folder import NO_DELIVERY, Entry, walk
from sarcoma_pipeline.study.project import Project

SETTLE_SECONDS = 120
"""A delivery is complete if no file was modified for this time and two scans found the same files."""

SCAN_SECONDS = 60
"""Seconds between two scans of the drop folder."""


@dataclass(frozen=True)
class Verdict:
    """What to do after a scan of the drop folder.

    Attributes:
        refresh: whether to start a refresh.
        state: hash of the files found; it contains no file name, because folders may be named after people.
        cursor: state for the next scan.
        reason: why, for the operator.
    """

    refresh: bool
    state: str
    cursor: str
    reason: str


def evaluate(entries: Sequence[Entry], cursor: str | None, busy: bool, now_ns: int) -> Verdict:
    """Decide whether to start a refresh.

    Args:
        entries: the files in the drop folder.
        cursor: from the last scan. None at the first scan, which treats all files as already refreshed.
        busy: whether a refresh of the study waits or runs.
        now_ns: time of the scan, in nanoseconds since 1970.
    """
    seen = hashlib.blake2b(digest_size=16)
    for entry in entries:
        seen.update(repr((entry.parts, entry.size, entry.mtime_ns)).encode("utf-8", "surrogateescape"))
    state = seen.hexdigest()
    known = json.loads(cursor) if cursor else {"refreshed": state}
    refreshed, last = known["refreshed"], known.get("last")

    def verdict(refresh: bool, reason: str) -> Verdict:
        next_cursor = json.dumps({"refreshed": state if refresh else refreshed, "last": state})
        return Verdict(refresh, state, next_cursor, reason)

    if state == refreshed:
        return verdict(False, "nothing was delivered, changed or removed")
    # Ignore files dated in the future (wrong clock of the sender): they would block until then.
    youngest = max((entry.mtime_ns for entry in entries if entry.mtime_ns <= now_ns), default=0)
    if state != last or now_ns - youngest < SETTLE_SECONDS * 10**9:
        return verdict(False, f"delivery in progress; waiting for {SETTLE_SECONDS} s without a change")
    if busy:
        return verdict(False, "a refresh is already queued or running")
    return verdict(True, "a delivery is complete")


def drop_folder(project: Project, job: str) -> dg.SensorDefinition:
    """Build the sensor. It is off by default, because a release that changes during the day surprises users.

    Args:
        project: the study.
        job: name of the refresh job.
    """

    def scan(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        folders = [project.drop_of(centre) for centre in project.centres or ("",)]
        if not all(folder.is_dir() for folder in folders):
            return dg.SensorResult(skip_reason="there is no drop folder", cursor=context.cursor)
        running = dg.RunsFilter(
            tags={"study": project.study.name},
            statuses=[dg.DagsterRunStatus(state.upper()) for state in BUSY],
        )
        busy = bool(context.instance.get_runs(filters=running, limit=1))
        # Hidden files are no delivery: their sender renames them when they are complete.
        entries = [
            e for folder in folders for e in walk(folder) if not (e.fault and e.fault[0] in NO_DELIVERY)
        ]
        verdict = evaluate(entries, context.cursor, busy, time.time_ns())
        if not verdict.refresh:
            return dg.SensorResult(skip_reason=verdict.reason, cursor=verdict.cursor)
        # The run key contains the time, because a folder may return to an earlier state and needs a refresh
        # again.
        key = f"{verdict.state}-{time.time_ns()}"
        runs = [
            dg.RunRequest(run_key=f"{key}{centre}", partition_key=centre or None)
            for centre in project.centres or ("",)
        ]
        return dg.SensorResult(run_requests=runs, cursor=verdict.cursor)

    return dg.SensorDefinition(
        name="drop_folder",
        job_name=job,
        evaluation_fn=scan,
        minimum_interval_seconds=SCAN_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Refreshes {project.study.name} when a delivery is complete: nothing modified for "
        f"{SETTLE_SECONDS} s. Switch it on where the nightly schedule is not enough.",
        owners=[project.study.owner],
    )
