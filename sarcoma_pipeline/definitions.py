"""What Dagster loads: one function per study, one code location each (see workspace.yaml)."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from sarcoma_pipeline import abandoned, automation, drop_sensor, project, retention, workers
from sarcoma_pipeline.assets import (
    analysis,
    analysis_report,
    cohort,
    curated,
    decide,
    impact,
    lineage,
    pool,
    quality,
    received,
    release,
    report,
)
from sarcoma_pipeline.warehouse import Warehouse


def build_definitions(study: project.Project) -> dg.Definitions:
    """All assets, checks, jobs and schedules of one study; the one way in for UI, command line and tests."""
    layers = (
        received,
        curated,
        quality,
        cohort,
        impact,
        lineage,
        pool,
        analysis,
        release,
        analysis_report,
        report,
    )
    found = [definition for layer in layers for definition in layer.assets(study)]
    checks = [d for d in found if isinstance(d, dg.AssetChecksDefinition)]
    refresh = automation.refresh_jobs(study)
    return dg.Definitions(
        assets=[d for d in found if not isinstance(d, dg.AssetChecksDefinition)],
        asset_checks=checks,
        jobs=[*refresh, decide.decide_job(study), retention.forget_job(study)],
        schedules=[automation.nightly(study), retention.weekly(study)],
        sensors=[
            *automation.notifications(study),
            abandoned.sensor(study),
            *automation.pooling(study, *refresh),
            drop_sensor.drop_folder(study, automation.first_job(study)),
        ],
        resources={
            "warehouse": Warehouse(
                path=str(study.warehouse), study=study.study.name, centres=list(study.centres)
            )
        },
        loggers={"progress": automation.progress_logger},
        # DuckDB has one writer, and a process per step costs seconds each.
        executor=workers.executor() or dg.in_process_executor,
    )


def __getattr__(name: str) -> Callable[[], dg.Definitions]:
    """A study of that name below ``data/studies``: workspace.yaml and the workers ask for it by name."""
    if name not in project.studies():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return lambda: build_definitions(project.load(name))


def sts_imrt() -> dg.Definitions:
    """The paper's study."""
    return build_definitions(project.load("sts_imrt"))


def tcga_sarc() -> dg.Definitions:
    """TCGA-SARC: real patients through the same code."""
    return build_definitions(project.load("tcga_sarc"))
