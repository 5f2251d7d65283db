"""What Dagster loads: one function per study, one code location each (see workspace.yaml)."""

from __future__ import annotations

import dagster as dg

from sarcoma_pipeline import abandoned, automation, drop_sensor, project, retention
from sarcoma_pipeline.assets import (
    analysis,
    analysis_report,
    cohort,
    curated,
    decide,
    impact,
    lineage,
    quality,
    received,
    release,
    report,
)
from sarcoma_pipeline.warehouse import Warehouse


def build_definitions(study: project.Project) -> dg.Definitions:
    """All assets, checks, jobs and schedules of one study; the one way in for UI, command line and tests."""
    layers = (received, curated, quality, cohort, impact, lineage, analysis, release, analysis_report, report)
    found = [definition for layer in layers for definition in layer.assets(study)]
    checks = [d for d in found if isinstance(d, dg.AssetChecksDefinition)]
    return dg.Definitions(
        assets=[d for d in found if not isinstance(d, dg.AssetChecksDefinition)],
        asset_checks=checks,
        jobs=[automation.refresh_job(study), decide.decide_job(study), retention.forget_job(study)],
        schedules=[automation.nightly(study), retention.weekly(study)],
        sensors=[
            *automation.notifications(study),
            abandoned.sensor(study),
            drop_sensor.drop_folder(study, automation.REFRESH),
        ],
        resources={"warehouse": Warehouse(path=str(study.warehouse))},
        loggers={"progress": automation.progress_logger},
        # DuckDB has one writer, and a process per step costs seconds each.
        executor=dg.in_process_executor,
    )


def sts_imrt() -> dg.Definitions:
    """The paper's study."""
    return build_definitions(project.load("sts_imrt"))


def tcga_sarc() -> dg.Definitions:
    """TCGA-SARC: real patients through the same code."""
    return build_definitions(project.load("tcga_sarc"))
