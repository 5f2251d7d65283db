"""Runs are not kept for ever: Dagster's own retention knows ticks only."""

import dagster as dg

from sarcoma_pipeline.orchestration.jobs import TIMEZONE
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import ducklake

KEEP_RUNS = 400
"""More than a year of nights."""

KEEP_DAYS = 30
"""For which the tables of a catalog can be read as they were."""

FORGET = "forget_old_runs"


def forget_old_runs(instance: dg.DagsterInstance, study: str, keep: int = KEEP_RUNS) -> int:
    """Delete a study's oldest runs with their events and logs; one that is not finished stays.

    What the warehouse and the releases say of a refresh is not touched.

    Args:
        instance: where runs are recorded.
        study: whose.
        keep: how many stay.

    Returns:
        How many were deleted.
    """
    runs = instance.get_runs(filters=dg.RunsFilter(tags={"study": study}))
    old = [run for run in runs[keep:] if run.is_finished]
    for run in old:
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        instance.delete_run(run.run_id)
    return len(old)


def forget_job(project: Project) -> dg.JobDefinition:
    """The job ``forget_old_runs``."""
    # A night of several centres is a run each, and the pooled one.
    keep = KEEP_RUNS * (1 + len(project.centres))

    @dg.op(name="forget", description=f"Deletes runs beyond the newest {keep}.")
    def forget(context: dg.OpExecutionContext) -> None:
        context.log.info(f"{forget_old_runs(context.instance, project.study.name, keep)} runs forgotten.")
        if ducklake.named():
            ducklake.tidy(project.study.name, KEEP_DAYS)

    @dg.job(name=FORGET, description=f"Keeps the newest {keep} runs of {project.study.name}.")
    def forget_runs() -> None:
        forget()

    return forget_runs


def weekly(project: Project) -> dg.ScheduleDefinition:
    """Sundays at noon, when no night runs."""
    return dg.ScheduleDefinition(
        name="weekly",
        job_name=FORGET,
        cron_schedule="0 12 * * 0",
        execution_timezone=TIMEZONE,
        description=f"Forgets old runs of {project.study.name}.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
