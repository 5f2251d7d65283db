"""Says whether another process refreshes a study at this moment."""

from __future__ import annotations

import datetime as dt

import dagster as dg

from sarcoma_pipeline.orchestration import run_process
from sarcoma_pipeline.orchestration.assets.step import tags
from sarcoma_pipeline.orchestration.night import POOL, RECEIVE, REFRESH
from sarcoma_pipeline.study.project import Project

_RUNNING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def running(project: Project, instance: dg.DagsterInstance) -> str | None:
    """Return the sentence that another refresh is running, if one is and the two would write to one file.

    Args:
        project: the study.
        instance: its Dagster instance.
    """
    study = project.study.name
    if "writer" not in tags(project):
        return None
    wanted = dg.RunsFilter(tags={"study": study}, statuses=_RUNNING)
    for record in instance.get_run_records(filters=wanted):
        run = record.dagster_run
        if run.job_name in (REFRESH, RECEIVE, POOL) and run_process.is_elsewhere(run):
            since = dt.datetime.fromtimestamp(
                record.start_time or record.create_timestamp.timestamp(), project.zone
            )
            return (
                f"another refresh of {study} is running since {since:%H:%M} (run {run.run_id}); this one "
                f"changed nothing. Wait until it has ended (sarcoma status --study {study}), or end it in "
                "the Dagster UI"
            )
    return None
