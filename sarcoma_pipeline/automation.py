"""When it runs, and who is told: the refresh job, its nightly schedule, progress and notifications."""

import logging
import os
from collections.abc import Callable
from typing import Any

import dagster as dg

from sarcoma_pipeline import notification
from sarcoma_pipeline.notification import Trouble
from sarcoma_pipeline.project import Project

REFRESH = "refresh"
_NIGHTLY = "30 2 * * *"
TIMEZONE = "Europe/Berlin"
QUIET: dict[str, object] = {"loggers": {"progress": {"config": {}}}}
"""Run config that replaces Dagster's console output by ``progress_logger``."""

Listener = Callable[[str, str, float | None], None]
"""Told of (``start`` | ``end`` | ``fail``, step, seconds)."""

_listeners: list[Listener] = []


def refresh_job(project: Project):
    """Everything, from the drop folder to the release."""
    return dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.all(),
        description=f"Nightly refresh of {project.study.name}: raw files in, validated release out.",
        # A refresh whose process died is started once more, whole: a step rests on the ones before it.
        tags={"study": project.study.name, "dagster/retry_strategy": "ALL_STEPS"},
    )


def nightly_cron() -> str:
    """When it ticks, as a cron line in local time: 02:30, or what ``SARCOMA_NIGHTLY`` says."""
    return os.environ.get("SARCOMA_NIGHTLY", _NIGHTLY)


def nightly(project: Project) -> dg.ScheduleDefinition:
    """The schedule, running unless switched off in the UI."""
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=REFRESH,
        cron_schedule=nightly_cron(),
        execution_timezone=TIMEZONE,
        description=f"Refreshes {project.study.name} every night.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


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
            monitored_jobs=[dg.JobSelector(location_name=project.study.name, job_name=REFRESH)],
            default_status=dg.DefaultSensorStatus.RUNNING,
            description=f"Tells of {what}, in data/notifications and by e-mail where that is configured.",
        )
        for name, status, what in (
            ("tell_of_failed_runs", dg.DagsterRunStatus.FAILURE, "failed refreshes"),
            ("tell_of_failed_checks", dg.DagsterRunStatus.SUCCESS, "refreshes with failed checks"),
        )
    ]


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
