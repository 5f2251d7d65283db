"""Step events of runs in this process, for the progress bar of the command line."""

import logging
from collections.abc import Callable
from typing import Any

import dagster as dg

PROGRESS_LOGGING: dict[str, object] = {"loggers": {"progress": {"config": {}}}}
"""Run config that replaces Dagster's console output by :data:`progress_logger`."""

Listener = Callable[[str, str, float | None], None]
"""Receives an event (``start`` | ``end`` | ``fail``), the step and its seconds."""

_listeners: list[Listener] = []


def short_name(step: str) -> str:
    """Return the last part of a step's key, e.g. ``cohort``."""
    return step.rpartition("__")[2]


def failure_reason(failure: Any) -> str:
    """Return the message of the exception that failed a step."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return (failure.error.message if failure.error else "").strip()


def listen(listener: Listener) -> Callable[[], None]:
    """Subscribe to the step events of all runs in this process; return the function to unsubscribe."""
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
    logger = logging.Logger("sarcoma_pipeline.progress")
    logger.addHandler(_StepEvents())
    return logger


progress_logger = dg.LoggerDefinition(
    _progress, config_schema={}, description="Passes step events to the command line; prints nothing itself."
)
"""A logger that passes step events to the listeners."""
