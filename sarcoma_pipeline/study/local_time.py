"""The time zone of a site: it decides which day it is, and when the nightly schedule ticks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT = "Europe/Berlin"

_SAYS_NOTHING = ("", "UTC", "UCT", "GMT", "Zulu", "Universal", "Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Zulu")
"""Values of ``TZ`` without a configured time zone, as on most servers and in containers."""


def zone(declared: str | None, environment: Mapping[str, str] = os.environ) -> ZoneInfo:
    """Return the time zone of a site.

    Args:
        declared: ``time_zone`` of ``study.toml``: it holds for every process and machine.
        environment: without a declaration ``TZ`` holds if it names a place; UTC is no place.
    """
    if declared is not None:
        return ZoneInfo(declared)
    named = environment.get("TZ", "").lstrip(":")
    if named in _SAYS_NOTHING:
        return ZoneInfo(DEFAULT)
    try:
        return ZoneInfo(named)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT)
