"""Read the recorded runs through Dagster's API, whatever database stores them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import dagster as dg

from sarcoma_pipeline.orchestration.dagster_internals import switches
from sarcoma_pipeline.orchestration.run_history import SCHEDULER, Run, is_stopped


class DagsterHistory:
    """The history of an instance; see :class:`sarcoma_pipeline.orchestration.run_history.History`."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def runs(
        self, study: str, job: str | None = None, states: Collection[str] | None = None, most: int = 50
    ) -> list[Run]:
        """Return the runs of a study, newest first."""
        named = [dg.DagsterRunStatus(state.upper()) for state in states or ()]
        wanted = dg.RunsFilter(job_name=job, tags={"study": study}, statuses=named)
        return [_run(record) for record in self._instance.get_run_records(filters=wanted, limit=most)]

    def materialised(self, asset: Collection[str]) -> tuple[dt.datetime, Run | None] | None:
        """Return when an asset was last materialised, and by which run."""
        event = self._instance.get_latest_materialization_event(dg.AssetKey(list(asset)))
        if event is None:
            return None
        record = self._instance.get_run_record_by_id(event.run_id) if event.run_id else None
        return dt.datetime.fromtimestamp(event.timestamp, dt.UTC), record and _run(record)

    def heartbeat(self) -> dt.datetime | None:
        """Return when the daemon that starts schedules last gave a sign of life."""
        beat = self._instance.get_daemon_heartbeats().get(SCHEDULER)
        return dt.datetime.fromtimestamp(beat.timestamp, dt.UTC) if beat else None

    def is_switched_off(self, study: str, schedule: str) -> bool:
        """Return whether a person switched a schedule of a study off."""
        return is_stopped(switches(self._instance), study, schedule)


def _run(record: dg.RunRecord) -> Run:
    run = record.dagster_run
    ended = None if record.end_time is None else dt.datetime.fromtimestamp(record.end_time, dt.UTC)
    created = record.create_timestamp
    if created.tzinfo is None:
        created = created.replace(tzinfo=dt.UTC)
    return Run(run.run_id, run.status.value.lower(), dict(run.tags), created, ended)
