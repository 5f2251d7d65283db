"""Sensors that react to ended runs: notify people of problems, and pool the centres once all are received."""

import dagster as dg

from sarcoma_pipeline.orchestration import told_of_run
from sarcoma_pipeline.orchestration.dagster_internals import AssetJob
from sarcoma_pipeline.orchestration.night import RECEIVE, first_job, last_job
from sarcoma_pipeline.orchestration.warehouse_resource import PARTITION
from sarcoma_pipeline.study.project import Project


def notifications(project: Project) -> list[dg.SensorDefinition]:
    """Build the sensors that notify of failed runs *and* of successful runs with news.

    Dagster's own failure sensor sees only the former: a failed check does not fail its run. A refresh from a
    terminal tells by itself, with or without a daemon; what was told is not told again.
    """

    def notify(context: dg.RunStatusSensorContext) -> None:
        for error in told_of_run.tell(project, context.instance, context.dagster_run.run_id):
            context.log.error(error)

    return [
        dg.RunStatusSensorDefinition(
            name=name,
            run_status=status,
            run_status_sensor_fn=notify,
            monitored_jobs=[
                dg.JobSelector(location_name=project.study.name, job_name=job)
                for job in dict.fromkeys((first_job(project), last_job(project)))
            ],
            default_status=dg.DefaultSensorStatus.RUNNING,
            description=f"Notifies of {what} in data/notifications and, where configured, by e-mail.",
        )
        for name, status, what in (
            ("notify_failed_runs", dg.DagsterRunStatus.FAILURE, "failed refreshes"),
            ("notify_failed_checks", dg.DagsterRunStatus.SUCCESS, "refreshes with news"),
        )
    ]


def pooling(project: Project, *jobs: AssetJob) -> list[dg.SensorDefinition]:
    """Build the sensor that pools the centres once all are received; none for a study without centres."""
    if not project.centres:
        return []

    @dg.run_status_sensor(
        name="pool_when_received",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[dg.JobSelector(location_name=project.study.name, job_name=RECEIVE)],
        request_job=jobs[-1],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Pools the centres when the last run of each has succeeded.",
    )
    def pool_when_received(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        last = last_received(project, context.instance)
        missing = [c for c, run in last.items() if run is None or not run.is_success]
        if missing:
            return dg.SkipReason(f"not received, or the last run failed: {', '.join(missing)}")
        # The run key pools each set of runs once, whichever of them ended last.
        return dg.RunRequest(run_key=" ".join(run.run_id for run in last.values() if run))

    return [pool_when_received]


def last_received(project: Project, instance: dg.DagsterInstance) -> dict[str, dg.DagsterRun | None]:
    """Return the last run of the job ``receive`` of each centre, or None where there is none."""
    found: dict[str, dg.DagsterRun | None] = {}
    for centre in project.centres:
        wanted = {"study": project.study.name, PARTITION: centre}
        runs = instance.get_runs(filters=dg.RunsFilter(job_name=RECEIVE, tags=wanted), limit=1)
        found[centre] = runs[0] if runs else None
    return found
