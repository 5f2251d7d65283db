"""Assembles assets, checks, jobs, schedules and sensors of one study into its Dagster code location."""

from __future__ import annotations

import warnings

import dagster as dg

from sarcoma_pipeline.orchestration import (
    celery,
    data_versions,
    decide_job,
    drop_folder_sensor,
    jobs,
    night,
    orphaned_runs,
    retention,
    schedules,
    sensors,
    step_events,
    warehouse_resource,
)
from sarcoma_pipeline.orchestration.assets import (
    analysis,
    analysis_report,
    cohort,
    curated,
    dose_volume,
    impact,
    lineage,
    movement,
    pool,
    publication,
    quality,
    received,
    steward_page,
)
from sarcoma_pipeline.quality import rule_catalogue
from sarcoma_pipeline.study import project
from sarcoma_pipeline.warehouse import permissions

# Dagster 1.13 warns of each owner of a job, schedule or sensor in every process: they are new in it.
warnings.filterwarnings("ignore", message="Parameter `owners`", category=dg.BetaWarning)


def build_definitions(study: project.Project) -> dg.Definitions:
    """Return all definitions of one study, for the UI, the command line and the tests.

    Raises:
        ValueError: ``[[thresholds]]`` names a rule that does not exist.
    """
    # Every process started by Dagster runs this function; its umask would leave files readable by everyone.
    permissions.close_umask()
    permissions.close_shared(study)
    if unknown := rule_catalogue.unknown(study.study.thresholds):
        raise ValueError("; ".join(unknown))
    layers = (
        received,
        curated,
        dose_volume,
        quality,
        cohort,
        impact,
        lineage,
        movement,
        pool,
        analysis,
        publication,
        analysis_report,
        steward_page,
    )
    found = [definition for layer in layers for definition in layer.assets(study)]
    checks = [d for d in found if isinstance(d, dg.AssetChecksDefinition)]
    version = data_versions.code_version(study)
    assets = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(code_version=version),
        [d for d in found if not isinstance(d, dg.AssetChecksDefinition)],
    )
    refresh = jobs.refresh_jobs(study)
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[*refresh, decide_job.decide_job(study), retention.delete_job(study)],
        schedules=[schedules.nightly(study), retention.weekly(study)],
        sensors=[
            *sensors.notifications(study),
            orphaned_runs.sensor(study),
            *sensors.pooling(study, *refresh),
            drop_folder_sensor.drop_folder(study, night.first_job(study)),
        ],
        resources={
            "warehouse": warehouse_resource.of_study(study),
            "io_manager": warehouse_resource.no_outputs,
        },
        loggers={"progress": step_events.progress_logger},
        # A DuckDB file has one writer, and a process per step would cost seconds each.
        executor=celery.executor() or dg.in_process_executor,
    )


def job_of(study: str, job: str) -> dg.JobDefinition:
    """Build one job of a study by name; worker processes use it to find the job to execute."""
    return build_definitions(project.load(study)).resolve_job_def(job)
