"""Steps on other machines: Dagster's Celery executor, and the application that its workers run.

``celery -A sarcoma_pipeline.orchestration.celery worker`` is a worker. A step goes back to the queue when the
worker that holds it is lost, and another one takes it: steps are transactions, so that a half is never seen,
and one that was finished after all is found unchanged.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from celery import Celery

_LOST_AFTER = 3600
"""Seconds; longer than the longest step."""


def executor() -> dg.ExecutorDefinition | None:
    """What ``SARCOMA_EXECUTOR`` asks for: ``celery``; None for the process of the run.

    Raises:
        ValueError: it asks for something else.
    """
    asked = os.environ.get("SARCOMA_EXECUTOR", "")
    if asked in ("", "in_process"):
        return None
    if asked != "celery":
        raise ValueError(f"SARCOMA_EXECUTOR is {asked!r}; known are in_process and celery")
    from dagster_celery import celery_executor

    return celery_executor.configured(_settings(), name="celery")


def _settings() -> dict[str, Any]:
    """Broker and behaviour, the same for the executor and the workers."""
    broker = os.environ.get("SARCOMA_BROKER", "redis://localhost:6379/0")
    lost_after = int(os.environ.get("SARCOMA_LOST_AFTER", _LOST_AFTER))
    transport = {
        "visibility_timeout": lost_after,
        # How often a worker looks for what lost ones left: within a minute, and sooner if that is asked for.
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

    made = make_app(CeleryExecutor.for_cli(**_settings()).app_args())
    create_task(made)
    return made


def __getattr__(name: str) -> Celery:
    """``app``, made when Celery asks for it: nobody else needs the broker."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _application()
