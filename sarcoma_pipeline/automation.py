"""When it runs: the refresh job and its nightly schedule, and how a run tells how far it is."""

import logging
from collections.abc import Callable

import dagster as dg

from sarcoma_pipeline.project import Project

REFRESH = "refresh"
NIGHTLY = "30 2 * * *"
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
        tags={"study": project.study.name},
    )


def nightly(project: Project) -> dg.ScheduleDefinition:
    """The schedule: 02:30 local time, running unless switched off in the UI."""
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=REFRESH,
        cron_schedule=NIGHTLY,
        execution_timezone=TIMEZONE,
        description=f"Refreshes {project.study.name} at 02:30.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


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
