"""The runs of one refresh: the job, or one run a centre and one of the pooled study, here or on workers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository

from sarcoma_pipeline.orchestration import celery, jobs
from sarcoma_pipeline.orchestration.warehouse_resource import PARTITION
from sarcoma_pipeline.study.project import Project

BY_HAND = {"dagster/max_retries": "0"}
"""Whoever started it sees how it ends: no daemon starts it again."""


@dataclass(frozen=True)
class Leg:
    """One run.

    Attributes:
        job: resolved.
        centre: whom it receives; None if it is no centre's.
    """

    job: dg.JobDefinition
    centre: str | None = None

    @property
    def steps(self) -> int:
        """How many it has."""
        return len(list(self.job.graph.nodes))


def legs(project: Project, definitions: dg.Definitions) -> list[Leg]:
    """The runs in order; those of the centres may go at once."""
    if not project.centres:
        return [Leg(definitions.resolve_job_def(jobs.REFRESH))]
    receive = definitions.resolve_job_def(jobs.RECEIVE)
    pool = definitions.resolve_job_def(jobs.POOL)
    return [*(Leg(receive, centre) for centre in project.centres), Leg(pool)]


def refresh(
    project: Project, planned: Sequence[Leg], instance: dg.DagsterInstance
) -> tuple[str, list[dg.DagsterEvent]]:
    """Run all legs; the pooled study only if every centre has been received.

    Returns:
        The last run's id, and the events of all.
    """
    if celery.executor() is None:
        return _here(planned, instance)
    centres = [leg for leg in planned if leg.centre]
    runs: list[tuple[str, bool]] = []
    if centres:
        # What hands out the steps of a run is a process each: Dagster knows no two runs in one process.
        with ProcessPoolExecutor(len(centres), mp_context=get_context("spawn")) as several:
            name = project.study.name
            handed = [several.submit(_hand_out, name, leg.job.name, leg.centre) for leg in centres]
            runs += [run.result() for run in handed]
    if all(good for _, good in runs):
        runs.append(_hand_out(project.study.name, planned[-1].job.name, None))
    events = [e.dagster_event for run_id, _ in runs for e in instance.all_logs(run_id) if e.dagster_event]
    return runs[-1][0], events


def _here(planned: Sequence[Leg], instance: dg.DagsterInstance) -> tuple[str, list[dg.DagsterEvent]]:
    events: list[dg.DagsterEvent] = []
    good, run_id = True, ""
    for leg in planned:
        if not leg.centre and not good:
            break
        result = leg.job.execute_in_process(
            instance=instance,
            run_config=jobs.QUIET,
            partition_key=leg.centre,
            raise_on_error=False,
            tags=BY_HAND,
        )
        good, run_id = good and result.success, result.run_id
        events += result.all_events
    return run_id, events


def _hand_out(study: str, job: str, centre: str | None) -> tuple[str, bool]:
    """Hand the steps of one run to the workers; returns its id and whether all went well."""
    # The executor registers the one task anew for every step that it hands out.
    warnings.filterwarnings("ignore", message="Task name 'execute_plan'")
    pointer = ModuleCodePointer("sarcoma_pipeline.definitions", study)
    run = ReconstructableJob(ReconstructableRepository(pointer), job)
    tags = {**BY_HAND, **({PARTITION: centre} if centre else {})}
    with dg.DagsterInstance.get() as instance:
        result = dg.execute_job(run, instance=instance, run_config=jobs.QUIET, tags=tags)
        return result.run_id, result.success
