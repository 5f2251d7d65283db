"""The nightly schedule of a study: when it runs, and when it skips a night."""

from collections.abc import Iterator

import dagster as dg

from sarcoma_pipeline.orchestration import data_versions, skip_unchanged
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import UNCHANGED
from sarcoma_pipeline.orchestration.night import NIGHTLY, REFRESH, first_job, nightly_cron, started_elsewhere
from sarcoma_pipeline.study.project import Project


def nightly(project: Project) -> dg.ScheduleDefinition:
    """Build the nightly schedule; it requests one run, or one run per centre.

    It is switched on by default, unless refreshes are started elsewhere.

    Skips the night when no input has changed: the tick gives the reason, and an event on the release says
    that it is still valid.
    """

    def runs(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if project.centres:
            # With a run key, Dagster's daemon does not request a run twice when it repeats a tick.
            night = context.scheduled_execution_time.isoformat()
            yield from (dg.RunRequest(f"{night} {c}", partition_key=c) for c in project.centres)
            return
        today = project.now().date()
        unchanged = skip_unchanged.check(project, today) if _last_run_succeeded(project, context) else None
        if unchanged is None:
            yield dg.RunRequest()
            return
        context.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=release_key(project),
                description=str(unchanged),
                tags=data_versions.carried_over(context.instance, release_key(project)),
                metadata={
                    UNCHANGED: True,
                    "content hash": unchanged.content_hash,
                    "files": unchanged.files,
                },
            )
        )
        yield dg.SkipReason(str(unchanged))

    return dg.ScheduleDefinition(
        name=NIGHTLY,
        job_name=first_job(project),
        execution_fn=runs,
        cron_schedule=nightly_cron(),
        execution_timezone=project.zone.key,
        description=f"Refreshes {project.study.name} every night.",
        default_status=dg.DefaultScheduleStatus.STOPPED
        if started_elsewhere()
        else dg.DefaultScheduleStatus.RUNNING,
        owners=[project.study.owner],
    )


def _last_run_succeeded(project: Project, context: dg.ScheduleEvaluationContext) -> bool:
    of_study = dg.RunsFilter(job_name=REFRESH, tags={"study": project.study.name})
    last = context.instance.get_runs(filters=of_study, limit=1)
    return bool(last) and last[0].is_success
