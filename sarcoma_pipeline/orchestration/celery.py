"""Runs steps on other machines: configures Dagster's Celery executor and the application of its workers.

A worker is started with ``celery -A sarcoma_pipeline.orchestration.celery worker``. When a worker is lost,
its step returns to the queue and another worker runs it. That is safe: every step is one transaction, so no
partial result is visible, and a step that had finished is skipped as unchanged.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from celery import Celery

_LOST_AFTER = 3600
"""Seconds until a step without an answer returns to the queue; longer than the longest step takes."""


def executor() -> dg.ExecutorDefinition | None:
    """Return the executor that ``SARCOMA_EXECUTOR`` names; None means the process of the run.

    Raises:
        ValueError: it names an unknown executor.
    """
    name = os.environ.get("SARCOMA_EXECUTOR", "")
    if name in ("", "in_process"):
        return None
    if name != "celery":
        raise ValueError(f"SARCOMA_EXECUTOR is {name!r}; allowed are in_process and celery")
    from dagster_celery import celery_executor

    return celery_executor.configured(_settings(), name="celery")


def _settings() -> dict[str, Any]:
    """Return broker and Celery settings, shared by the executor and the workers."""
    broker = os.environ.get("SARCOMA_BROKER", "redis://localhost:6379/0")
    lost_after = int(os.environ.get("SARCOMA_LOST_AFTER", _LOST_AFTER))
    transport = {
        "visibility_timeout": lost_after,
        # Workers look for steps of lost workers at least once a minute, more often if lost_after is shorter.
        "unacked_restore_interval": max(1, min(60, lost_after // 4)),
        "unacked_restore_throttle": 1,
    }
    return {
        "broker": broker,
        "backend": broker,
        "config_source": {
            "broker_transport_options": transport,
            "result_backend_transport_options": {"visibility_timeout": lost_after},
            "broker_connection_retry_on_startup": True,
            "task_acks_late": True,
            "task_reject_on_worker_lost": True,
            "worker_prefetch_multiplier": 1,
            "result_expires": 24 * 3600,
        },
    }


def _application() -> Celery:
    from dagster_celery.executor import CeleryExecutor
    from dagster_celery.make_app import make_app
    from dagster_celery.tasks import create_task

    app = make_app(CeleryExecutor.for_cli(**_settings()).app_args())
    create_task(app)
    return app


def __getattr__(name: str) -> Celery:
    """Create ``app`` only when Celery asks for it, because only Celery needs the broker."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _application()
