"""When the nightly schedule ticks, and the names of the jobs that it starts; nothing here imports Dagster."""

from __future__ import annotations

import datetime as dt
import os
import re
from zoneinfo import ZoneInfo

from sarcoma_pipeline.study.project import Project

REFRESH = "refresh"
"""The whole refresh of a study with one drop folder."""
RECEIVE = "receive"
"""The refresh of one centre of a study with several centres."""
POOL = "pool"
"""The analysis and release of all centres as one study."""

_NIGHTLY = "30 2 * * *"
STALE_AFTER = dt.timedelta(hours=36)
"""Age of the last confirmation from which a release counts as stale."""

DRAFT = "draft"
"""Metadata key of a release, and tag of a run: whether it is a draft."""

_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* \*")


def first_job(project: Project) -> str:
    """Return the name of the job that a delivery starts."""
    return RECEIVE if project.centres else REFRESH


def last_job(project: Project) -> str:
    """Return the name of the job that publishes."""
    return POOL if project.centres else REFRESH


def release_name(project: Project) -> tuple[str, ...]:
    """Return the parts of the asset key of the published database."""
    return project.study.name, "release", "cohort_duckdb"


NIGHTLY = "nightly"
"""Name of the schedule."""
_OFF = "off"


def nightly_cron() -> str:
    """Return the cron line of the nightly schedule: 02:30 local time, or the value of ``SARCOMA_NIGHTLY``."""
    return _NIGHTLY if started_elsewhere() else os.environ.get("SARCOMA_NIGHTLY", _NIGHTLY)


def started_elsewhere() -> bool:
    """Return whether cron or a person starts the refreshes, declared by ``SARCOMA_NIGHTLY=off``."""
    return os.environ.get("SARCOMA_NIGHTLY", "").strip().lower() == _OFF


def next_night(now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return when the nightly schedule ticks next.

    Args:
        now: the time.
        zone: the time zone of the site, in which the schedule ticks.
    """
    cron = nightly_cron()
    local = now.astimezone(zone)
    daily = _DAILY.fullmatch(cron.strip())
    over = (now + dt.timedelta(days=2)).astimezone(zone)
    if daily and int(daily[1]) < 60 and int(daily[2]) < 24 and local.utcoffset() == over.utcoffset():
        tick = local.replace(hour=int(daily[2]), minute=int(daily[1]), second=0, microsecond=0)
        return tick if tick > local else tick + dt.timedelta(days=1)
    # Any other line, and the nights in which clocks change, are for Dagster, whose daemon ticks.
    from sarcoma_pipeline.orchestration.dagster_internals import next_tick

    return next_tick(cron, zone.key, now).astimezone(zone)
