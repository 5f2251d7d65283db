"""Names that Dagster does not export, in one place; a test fails when an upgrade moves them."""

import datetime as dt

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._utils.schedules import schedule_execution_time_iterator

AssetJob = UnresolvedAssetJobDefinition
"""Return type of ``dg.define_asset_job``; Dagster exports the function but not its type."""


def next_tick(cron: str, timezone: str, after: dt.datetime) -> dt.datetime:
    """Return the first tick of a cron line after a moment, as Dagster's daemon interprets it.

    Args:
        cron: a line of five fields.
        timezone: an IANA name, in which the line is read.
        after: a moment with a time zone.
    """
    ticks = schedule_execution_time_iterator(after.timestamp(), cron, timezone)
    return next(tick for tick in ticks if tick > after)
