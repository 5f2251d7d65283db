"""Deletes old runs: Dagster's own retention covers only ticks of schedules and sensors."""

import dagster as dg

from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import ducklake

KEEP_RUNS = 400
"""Runs that are kept per study; more than a year of nightly refreshes."""

KEEP_DAYS = 30
"""Days for which old snapshots of a DuckLake catalog stay readable."""

DELETE_OLD_RUNS = "delete_old_runs"


def delete_old_runs(instance: dg.DagsterInstance, study: str, keep: int = KEEP_RUNS) -> int:
    """Delete a study's oldest runs with their events and logs; unfinished runs are kept.

    The warehouse and the releases keep their own records of every refresh.

    Args:
        instance: the Dagster instance that records the runs.
        study: name of the study.
        keep: number of runs to keep.

    Returns:
        Number of deleted runs.
    """
    runs = instance.get_runs(filters=dg.RunsFilter(tags={"study": study}))
    old = [run for run in runs[keep:] if run.is_finished]
    for run in old:
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        instance.delete_run(run.run_id)
    return len(old)


def delete_job(project: Project) -> dg.JobDefinition:
    """Build the job ``delete_old_runs``."""
    # A refresh of several centres has one run per centre and one of the pooled study.
    keep = KEEP_RUNS * (1 + len(project.centres))

    @dg.op(name="delete_runs", description=f"Deletes all runs but the newest {keep}.")
    def delete_runs(context: dg.OpExecutionContext) -> None:
        deleted = delete_old_runs(context.instance, project.study.name, keep)
        context.log.info(f"{deleted} runs deleted.")
        if ducklake.catalog_address():
            ducklake.tidy(project.study.name, KEEP_DAYS)

    @dg.job(
        name=DELETE_OLD_RUNS,
        description=f"Keeps the newest {keep} runs of {project.study.name}.",
        owners=[project.study.owner],
    )
    def job() -> None:
        delete_runs()

    return job


def weekly(project: Project) -> dg.ScheduleDefinition:
    """Build the schedule of the job ``delete_old_runs``: Sundays at noon, when no refresh runs."""
    return dg.ScheduleDefinition(
        name="weekly",
        job_name=DELETE_OLD_RUNS,
        cron_schedule="0 12 * * 0",
        execution_timezone=project.zone.key,
        description=f"Deletes old runs of {project.study.name}.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        owners=[project.study.owner],
    )
