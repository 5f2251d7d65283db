"""A sensor on the drop folder: a refresh when something was delivered, once it has stopped growing."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from sarcoma_pipeline.sources.drop_folder import Entry, walk
from sarcoma_pipeline.study.project import Project

SETTLE_SECONDS = 120
"""A delivery is complete when nothing was modified for so long, and two looks in a row saw the same."""

LOOK_SECONDS = 60

BUSY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True)
class Verdict:
    """What to do after a look.

    Attributes:
        refresh: whether to start one.
        state: names what was seen; no name of a file goes into it, for folders may be named after people.
        cursor: what the next look must know.
        words: why, for the operator.
    """

    refresh: bool
    state: str
    cursor: str
    words: str


def judge(entries: Sequence[Entry], cursor: str | None, busy: bool, now_ns: int) -> Verdict:
    """Decide after a look into the folder.

    Args:
        entries: what lies there.
        cursor: of the last look; None at the first, which takes what is there for known.
        busy: whether a refresh of the study waits or runs.
        now_ns: time of the look, since 1970.
    """
    seen = hashlib.blake2b(digest_size=16)
    for entry in entries:
        seen.update(repr((entry.parts, entry.size, entry.mtime_ns)).encode("utf-8", "surrogateescape"))
    state = seen.hexdigest()
    known = json.loads(cursor) if cursor else {"refreshed": state}
    refreshed, last = known["refreshed"], known.get("last")

    def verdict(refresh: bool, words: str) -> Verdict:
        told = json.dumps({"refreshed": state if refresh else refreshed, "last": state})
        return Verdict(refresh, state, told, words)

    if state == refreshed:
        return verdict(False, "nothing was delivered, changed or removed")
    # A file from the future, of a sender whose clock is wrong, must not hold up deliveries until then.
    youngest = max((entry.mtime_ns for entry in entries if entry.mtime_ns <= now_ns), default=0)
    if state != last or now_ns - youngest < SETTLE_SECONDS * 10**9:
        return verdict(False, f"something is being delivered; waiting until it rests for {SETTLE_SECONDS} s")
    if busy:
        return verdict(False, "a refresh waits or runs already")
    return verdict(True, "a delivery is complete")


def drop_folder(project: Project, job: str) -> dg.SensorDefinition:
    """The sensor; off until somebody switches it on, for a release that changes by day surprises its readers.

    Args:
        project: the study.
        job: name of the refresh job.
    """

    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        folders = [project.drop_of(centre) for centre in project.centres or ("",)]
        if not all(folder.is_dir() for folder in folders):
            return dg.SensorResult(skip_reason="there is no drop folder", cursor=context.cursor)
        running = dg.RunsFilter(tags={"study": project.study.name}, statuses=list(BUSY))
        busy = bool(context.instance.get_runs(filters=running, limit=1))
        entries = [entry for folder in folders for entry in walk(folder)]
        verdict = judge(entries, context.cursor, busy, time.time_ns())
        if not verdict.refresh:
            return dg.SensorResult(skip_reason=verdict.words, cursor=verdict.cursor)
        # The moment belongs to the key: a folder may come back to a state that it had.
        key = f"{verdict.state}-{time.time_ns()}"
        runs = [
            dg.RunRequest(run_key=f"{key}{centre}", partition_key=centre or None)
            for centre in project.centres or ("",)
        ]
        return dg.SensorResult(run_requests=runs, cursor=verdict.cursor)

    return dg.SensorDefinition(
        name="drop_folder",
        job_name=job,
        evaluation_fn=look,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Refreshes {project.study.name} when a delivery is complete: nothing modified for "
        f"{SETTLE_SECONDS} s. Switch it on where the nightly schedule is not enough.",
    )
