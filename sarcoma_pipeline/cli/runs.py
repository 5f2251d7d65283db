"""Start the Dagster runs of one refresh: a single one, or one per centre and one of the pooled study."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import dagster as dg

from sarcoma_pipeline.orchestration import celery, code_location, jobs
from sarcoma_pipeline.orchestration.assets.publication import DRAFT
from sarcoma_pipeline.orchestration.assets.received import VERIFY
from sarcoma_pipeline.orchestration.step_events import PROGRESS_LOGGING
from sarcoma_pipeline.orchestration.warehouse_resource import PARTITION
from sarcoma_pipeline.study.project import Project

NO_RETRY = {"dagster/max_retries": "0"}
"""Tags of runs from the command line: the daemon does not retry them, because the person sees the result."""


@dataclass(frozen=True)
class PlannedRun:
    """One run to be started.

    Attributes:
        job: the resolved job.
        centre: the centre to receive; None for a run of the whole study.
    """

    job: dg.JobDefinition
    centre: str | None = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(list(self.job.graph.nodes))


def planned_runs(project: Project, definitions: dg.Definitions) -> list[PlannedRun]:
    """Return the runs of a refresh in order; those of the centres may run at the same time."""
    if not project.centres:
        return [PlannedRun(definitions.resolve_job_def(jobs.REFRESH))]
    receive = definitions.resolve_job_def(jobs.RECEIVE)
    pool = definitions.resolve_job_def(jobs.POOL)
    return [*(PlannedRun(receive, centre) for centre in project.centres), PlannedRun(pool)]


def refresh(
    project: Project, planned: Sequence[PlannedRun], instance: dg.DagsterInstance, *, verify: bool = False
) -> tuple[list[str], list[dg.DagsterEvent]]:
    """Execute the planned runs; the pooled one only if every centre was received successfully.

    Returns:
        The ids of the runs, the last one's last, and the events of all runs.
    """
    tags = {**NO_RETRY, **({DRAFT: "true"} if project.draft else {}), **({VERIFY: "true"} if verify else {})}
    if celery.executor() is None:
        return _run_in_process(planned, instance, tags)
    centres = [run for run in planned if run.centre]
    runs: list[tuple[str, bool]] = []
    if centres:
        # One coordinating process per run: Dagster cannot execute two runs in one process.
        with ProcessPoolExecutor(len(centres), mp_context=get_context("spawn")) as pool:
            name = project.study.name
            submitted = [
                pool.submit(_run_on_workers, name, run.job.name, run.centre, tags) for run in centres
            ]
            runs += [future.result() for future in submitted]
    if all(success for _, success in runs):
        runs.append(_run_on_workers(project.study.name, planned[-1].job.name, None, tags))
    events = [e.dagster_event for run_id, _ in runs for e in instance.all_logs(run_id) if e.dagster_event]
    return [run_id for run_id, _ in runs], events


def _run_in_process(
    planned: Sequence[PlannedRun], instance: dg.DagsterInstance, tags: Mapping[str, str]
) -> tuple[list[str], list[dg.DagsterEvent]]:
    run_ids: list[str] = []
    events: list[dg.DagsterEvent] = []
    success = True
    for run in planned:
        if not run.centre and not success:
            break
        result = run.job.execute_in_process(
            instance=instance,
            run_config=PROGRESS_LOGGING,
            partition_key=run.centre,
            raise_on_error=False,
            tags=tags,
        )
        success = success and result.success
        run_ids.append(result.run_id)
        events += result.all_events
    return run_ids, events


def _run_on_workers(study: str, job: str, centre: str | None, tags: Mapping[str, str]) -> tuple[str, bool]:
    """Execute one run on the workers; return its id and whether it succeeded."""
    # dagster-celery registers its task again for every step, and Celery warns each time.
    warnings.filterwarnings("ignore", message="Task name 'execute_plan'")
    run = dg.build_reconstructable_job(
        code_location.__name__, "job_of", reconstructable_kwargs={"study": study, "job": job}
    )
    of_run = {**tags, **({PARTITION: centre} if centre else {})}
    with dg.DagsterInstance.get() as instance:
        result = dg.execute_job(run, instance=instance, run_config=PROGRESS_LOGGING, tags=of_run)
        return result.run_id, result.success
