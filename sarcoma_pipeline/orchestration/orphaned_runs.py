"""Runs whose process is gone: killed, out of memory, or the machine went down.

Dagster takes such a run for running until it has run for too long, and lets no other refresh of the study
begin before. Each run notes the process that computes it; one that is no longer there is told of as failed,
and the daemon starts the refresh once more (``run_retries`` in ``dagster.yaml``).
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import dagster as dg

from sarcoma_pipeline.study.project import Project

TAG = ".dagster/sarcoma_process"
"""The UI hides tags of this beginning."""
LOOK_SECONDS = 60
WHY = "The process of this run is gone: killed, out of memory, or the machine went down."

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def mark(run_id: str, pid: int | None = None) -> dict[str, str]:
    """The tag that says which process computes a run; nothing where the system cannot say.

    A run that is started again inherits tags: the run's own id stands in its mark.
    """
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    if started is None or not _BOOT.exists():
        return {}
    return {TAG: " ".join((run_id, platform.node(), _BOOT.read_text().strip(), str(pid), started))}


def is_gone(run: dg.DagsterRun) -> bool:
    """Whether the process of a run is certainly no longer there; of another machine nothing is known."""
    words = run.tags.get(TAG, "").split()
    if len(words) != 5 or words[:2] != [run.run_id, platform.node()] or not _BOOT.exists():
        return False
    boot, pid, started = words[2:]
    return boot != _BOOT.read_text().strip() or _started(int(pid)) != started


def runs(instance: dg.DagsterInstance, study: str) -> list[dg.DagsterRun]:
    """A study's runs that are taken for running and are not."""
    states = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    return [
        run
        for run in instance.get_runs(filters=dg.RunsFilter(tags={"study": study}, statuses=states))
        if is_gone(run)
    ]


def end(instance: dg.DagsterInstance, study: str) -> list[str]:
    """Tell Dagster of them; their ids."""
    found = runs(instance, study)
    for run in found:
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message=WHY)
        else:
            instance.report_run_failed(run, message=WHY)
    return [run.run_id for run in found]


def sensor(project: Project) -> dg.SensorDefinition:
    """Looks every minute; it starts nothing itself."""

    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end(context.instance, project.study.name)
        return dg.SkipReason(f"{len(ended)} runs told of as failed" if ended else "every run has its process")

    return dg.SensorDefinition(
        name="abandoned_runs",
        evaluation_fn=look,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells Dagster of runs whose process is gone, so that the refresh is started once more.",
    )


def _started(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None if there is none, or one that has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words[19]
