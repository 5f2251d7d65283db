"""Finds runs whose process no longer exists (killed, out of memory, restart) and marks them as failed.

Dagster treats such a run as running until its time limit, and starts no other refresh of the study before
that. Each run therefore records its process in a tag. A run whose process is gone is marked as failed, and
the daemon retries the refresh once (``run_retries`` in ``dagster.yaml``).
"""

from __future__ import annotations

import dagster as dg

from sarcoma_pipeline.orchestration.run_process import is_gone
from sarcoma_pipeline.study.project import Project

CHECK_SECONDS = 60
"""Seconds between two checks by the sensor."""
MESSAGE = "The process of this run no longer exists: killed, out of memory, or the machine was restarted."


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
        owners=[project.study.owner],
    )
