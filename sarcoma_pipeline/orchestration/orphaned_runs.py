"""Finds runs whose process no longer exists (killed, out of memory, restart) and marks them as failed.

Dagster treats such a run as running until its time limit, and starts no other refresh of the study before
that. Each run therefore records its process in a tag. A run whose process is gone is marked as failed, and
the daemon retries the refresh once (``run_retries`` in ``dagster.yaml``).
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import dagster as dg

from sarcoma_pipeline.study.project import Project

TAG = ".dagster/sarcoma_process"
"""Tag with the process of a run; the UI hides tags that begin with ``.dagster/``."""
CHECK_SECONDS = 60
"""Seconds between two checks by the sensor."""
MESSAGE = "The process of this run no longer exists: killed, out of memory, or the machine was restarted."

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def mark(run_id: str, pid: int | None = None) -> dict[str, str]:
    """Return the tag that records the process of a run; empty on systems without ``/proc``.

    A retried run inherits the tags of the first one: therefore the tag contains the run's own id.
    """
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    if started is None or not _BOOT.exists():
        return {}
    return {TAG: " ".join((run_id, platform.node(), _BOOT.read_text().strip(), str(pid), started))}


def is_gone(run: dg.DagsterRun) -> bool:
    """Return whether the process of a run is certainly gone; False for runs of other machines."""
    words = run.tags.get(TAG, "").split()
    if len(words) != 5 or words[:2] != [run.run_id, platform.node()] or not _BOOT.exists():
        return False
    boot, pid, started = words[2:]
    return boot != _BOOT.read_text().strip() or _started(int(pid)) != started


def find(instance: dg.DagsterInstance, study: str) -> list[dg.DagsterRun]:
    """Return a study's runs that are recorded as running although their process is gone."""
    states = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    return [
        run
        for run in instance.get_runs(filters=dg.RunsFilter(tags={"study": study}, statuses=states))
        if is_gone(run)
    ]


def end(instance: dg.DagsterInstance, study: str) -> list[str]:
    """Mark a study's orphaned runs as failed or cancelled; return their ids."""
    found = find(instance, study)
    for run in found:
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message=MESSAGE)
        else:
            instance.report_run_failed(run, message=MESSAGE)
    return [run.run_id for run in found]


def sensor(project: Project) -> dg.SensorDefinition:
    """Build the sensor that checks every minute; it requests no run itself."""

    def check(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end(context.instance, project.study.name)
        return dg.SkipReason(f"{len(ended)} runs marked as failed" if ended else "no orphaned run")

    return dg.SensorDefinition(
        name="orphaned_runs",
        evaluation_fn=check,
        minimum_interval_seconds=CHECK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs whose process is gone as failed, so that the refresh is retried.",
    )


def _started(pid: int) -> str | None:
    """Return the start time of a process in clock ticks since boot; None if it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words[19]
