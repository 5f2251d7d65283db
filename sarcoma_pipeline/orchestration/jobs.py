"""When it runs, and who is told: the refresh job, its nightly schedule, progress and notifications."""

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sarcoma_pipeline.orchestration import notification, skip_unchanged
from sarcoma_pipeline.orchestration.assets.pool import pool_key
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import KEPT, partitions, tags
from sarcoma_pipeline.orchestration.notification import Trouble
from sarcoma_pipeline.orchestration.warehouse_resource import PARTITION
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.centres import POOLED_LAYER

REFRESH = "refresh"
RECEIVE = "receive"
"""One centre of a study that has several."""
POOL = "pool"
"""All of them as one study."""
_NIGHTLY = "30 2 * * *"
TIMEZONE = "Europe/Berlin"
QUIET: dict[str, object] = {"loggers": {"progress": {"config": {}}}}
"""Run config that replaces Dagster's console output by ``progress_logger``."""

Listener = Callable[[str, str, float | None], None]
"""Told of (``start`` | ``end`` | ``fail``, step, seconds)."""

_listeners: list[Listener] = []


def refresh_jobs(project: Project) -> list[UnresolvedAssetJobDefinition]:
    """From the drop folder to the release: one job; with centres, one that receives and one that pools."""
    name = project.study.name
    # A refresh whose process died is started once more, whole: a step rests on the ones before it.
    again = {**tags(project), "dagster/retry_strategy": "ALL_STEPS"}
    if not project.centres:
        said = f"Nightly refresh of {name}: raw files in, validated release out."
        everything = dg.AssetSelection.all()
        return [dg.define_asset_job(REFRESH, selection=everything, description=said, tags=again)]
    whole = dg.AssetSelection.key_prefixes([name, POOLED_LAYER], [name, "release"], [name, "report"])
    whole |= dg.AssetSelection.assets(pool_key(project))
    receive = dg.AssetSelection.all() - whole
    return [
        dg.define_asset_job(
            RECEIVE,
            selection=receive,
            partitions_def=partitions(project),
            description=f"Receives one centre of {name}: its raw files in, its part of the cohort out.",
            tags=again,
        ),
        dg.define_asset_job(
            POOL,
            selection=whole,
            description=f"The centres of {name} as one study: analysis, validated release, report.",
            tags=again,
        ),
    ]


def first_job(project: Project) -> str:
    """The job that a delivery starts."""
    return RECEIVE if project.centres else REFRESH


def last_job(project: Project) -> str:
    """The job that publishes."""
    return POOL if project.centres else REFRESH


def nightly_cron() -> str:
    """When it ticks, as a cron line in local time: 02:30, or what ``SARCOMA_NIGHTLY`` says."""
    return os.environ.get("SARCOMA_NIGHTLY", _NIGHTLY)


def nightly(project: Project) -> dg.ScheduleDefinition:
    """The schedule, running unless switched off in the UI; a run a centre where there are several.

    A night that would make nothing new starts no run: the tick says why, and that the release still stands.
    """

    def runs(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if project.centres:
            # A run key tells Dagster's daemon, should it begin a tick anew, which runs it has asked for.
            night = context.scheduled_execution_time.isoformat()
            yield from (dg.RunRequest(f"{night} {c}", partition_key=c) for c in project.centres)
            return
        today = dt.datetime.now(dt.UTC).date()
        found = skip_unchanged.look(project, today) if _last_was_good(project, context) else None
        if found is None:
            yield dg.RunRequest()
            return
        context.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=release_key(project),
                description=str(found),
                metadata={KEPT: True, "content hash": found.content_hash, "files": found.files},
            )
        )
        yield dg.SkipReason(str(found))

    return dg.ScheduleDefinition(
        name="nightly",
        job_name=first_job(project),
        execution_fn=runs,
        cron_schedule=nightly_cron(),
        execution_timezone=TIMEZONE,
        description=f"Refreshes {project.study.name} every night.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _last_was_good(project: Project, context: dg.ScheduleEvaluationContext) -> bool:
    of_study = dg.RunsFilter(job_name=REFRESH, tags={"study": project.study.name})
    last = context.instance.get_runs(filters=of_study, limit=1)
    return bool(last) and last[0].is_success


def notifications(project: Project) -> list[dg.SensorDefinition]:
    """Tell somebody of failed runs *and* of runs that succeeded with failed checks.

    Dagster's own failure sensor sees only the former: a check that fails leaves its run green.
    """

    def tell(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        told = notification.message(project.study.name, run.run_id, *troubles(context.instance, run.run_id))
        if told is None:
            return
        mail = notification.mail_settings()
        for problem in notification.deliver(told, project.notifications, run.run_id, mail):
            context.log.error(problem)

    return [
        dg.RunStatusSensorDefinition(
            name=name,
            run_status=status,
            run_status_sensor_fn=tell,
            monitored_jobs=[
                dg.JobSelector(location_name=project.study.name, job_name=job)
                for job in dict.fromkeys((first_job(project), last_job(project)))
            ],
            default_status=dg.DefaultSensorStatus.RUNNING,
            description=f"Tells of {what}, in data/notifications and by e-mail where that is configured.",
        )
        for name, status, what in (
            ("tell_of_failed_runs", dg.DagsterRunStatus.FAILURE, "failed refreshes"),
            ("tell_of_failed_checks", dg.DagsterRunStatus.SUCCESS, "refreshes with failed checks"),
        )
    ]


def pooling(project: Project, *jobs: UnresolvedAssetJobDefinition) -> list[dg.SensorDefinition]:
    """Pool the study when the last run of ``receive`` of every centre is good; nothing without centres."""
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
        waited_for = [c for c, run in last.items() if run is None or not run.is_success]
        if waited_for:
            return dg.SkipReason(f"not received, or not well: {', '.join(waited_for)}")
        # Each set of runs is pooled once, whichever of them ended last.
        return dg.RunRequest(run_key=" ".join(run.run_id for run in last.values() if run))

    return [pool_when_received]


def last_received(project: Project, instance: dg.DagsterInstance) -> dict[str, dg.DagsterRun | None]:
    """The last run of ``receive`` of each centre, if there is one."""
    found: dict[str, dg.DagsterRun | None] = {}
    for centre in project.centres:
        wanted = {"study": project.study.name, PARTITION: centre}
        runs = instance.get_runs(filters=dg.RunsFilter(job_name=RECEIVE, tags=wanted), limit=1)
        found[centre] = runs[0] if runs else None
    return found


def troubles(instance: dg.DagsterInstance, run_id: str) -> tuple[list[Trouble], list[Trouble]]:
    """Failed steps, and checks that failed as errors, of one run.

    A run may fail without a step that does: its process was killed, or it ran for too long.
    """
    failed, checks, whole = [], [], []
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_failure:
            failed.append(Trouble(short_name(event.step_key or ""), reason(event.step_failure_data)))
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
            whole.append(Trouble("the run", event.message or "ended"))
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
                place = "/".join(check.asset_key.path[1:])
                checks.append(Trouble(f"{check.check_name} on {place}", check.description or "failed"))
    return failed or whole, checks


def short_name(step: str) -> str:
    """A step's name as people say it."""
    return step.rpartition("__")[2]


def reason(failure: Any) -> str:
    """Why a step failed, in the words of the one who raised it."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return (failure.error.message if failure.error else "").strip()


def listen(listener: Listener) -> Callable[[], None]:
    """Have a listener told of every step of runs in this process; returns what ends it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


class _StepEvents(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_event", None)
        if event is None or event.step_key is None:
            return
        kind = {"STEP_START": "start", "STEP_SUCCESS": "end", "STEP_FAILURE": "fail"}.get(
            event.event_type_value
        )
        if kind is None:
            return
        seconds = event.step_success_data.duration_ms / 1000 if kind == "end" else None
        for listener in _listeners:
            listener(kind, event.step_key, seconds)


def _progress(_: dg.InitLoggerContext) -> logging.Logger:
    made = logging.Logger("sarcoma_pipeline.progress")
    made.addHandler(_StepEvents())
    return made


progress_logger = dg.LoggerDefinition(
    _progress, description="Tells the command line how far the run is; prints nothing itself."
)
"""A logger that hands step events to the listeners."""
