"""Analysis: Table 1, Kaplan–Meier, Cox, and the paper's numbers beside ours."""

from __future__ import annotations

import dagster as dg
import polars as pl

from sarcoma_pipeline.assets.step import Made, step
from sarcoma_pipeline.project import Project
from sarcoma_pipeline.survival import comparison, cox, kaplan_meier, table_one
from sarcoma_pipeline.warehouse import Warehouse
from schemas.analysis import (
    HazardRatio,
    PublishedComparison,
    SurvivalCurve,
    SurvivalEstimate,
    SurvivalSensitivity,
    TableOne,
)
from schemas.cohort import CohortEndpoint, CohortPatient

PATIENTS, ENDPOINTS = CohortPatient.table(), CohortEndpoint.table()


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """One step per statistic; the comparison with the paper where the study names one."""
    study = project.study

    def describe(warehouse: Warehouse) -> Made:
        """Describe the cohort: Table 1."""
        rows = table_one.table_one(warehouse.read(PATIENTS), study.table_one)
        return Made({TableOne.table(): rows})

    def survive(warehouse: Warehouse) -> Made:
        """Estimate survival: Kaplan–Meier with log-log confidence intervals."""
        endpoints, horizons = warehouse.read(ENDPOINTS), study.horizons_months
        estimates = kaplan_meier.estimates(endpoints, horizons)
        frames = {
            SurvivalCurve.table(): kaplan_meier.curves(endpoints),
            SurvivalEstimate.table(): estimates,
            SurvivalSensitivity.table(): kaplan_meier.sensitivity(endpoints, horizons),
        }
        return Made(frames, metadata={SurvivalEstimate.table(): _medians(estimates)})

    def regress(warehouse: Warehouse) -> Made:
        """Fit the multivariable Cox models that study.toml declares."""
        frame = cox.hazard_ratios(
            warehouse.read(PATIENTS), warehouse.read(ENDPOINTS), study.models, study.covariates
        )
        return Made({HazardRatio.table(): frame})

    def compare(warehouse: Warehouse) -> Made:
        """Set the paper's numbers beside ours."""
        frame = PublishedComparison.empty()
        if study.published and study.published_map and study.published_audit:
            paper = [
                pl.read_csv(project.root / path, infer_schema=False)
                for path in (study.published, study.published_map, study.published_audit)
            ]
            frame = comparison.compare(
                *paper,
                patients=warehouse.read(PATIENTS),
                endpoints=warehouse.read(ENDPOINTS),
                estimates=warehouse.read(SurvivalEstimate.table()),
                hazard_ratios=warehouse.read(HazardRatio.table()),
            )
        verdicts = dict(frame.group_by("verdict").len().sort("verdict").iter_rows())
        return Made({PublishedComparison.table(): frame}, metadata={PublishedComparison.table(): verdicts})

    survival = [SurvivalCurve, SurvivalEstimate, SurvivalSensitivity]
    return [
        step(project, "table_one", {TableOne.table(): [PATIENTS]}, describe, kinds={"polars"}),
        step(
            project, "survival", {c.table(): [ENDPOINTS] for c in survival}, survive, kinds={"polars"}
        ),
        step(
            project, "hazard_ratio", {HazardRatio.table(): [PATIENTS, ENDPOINTS]}, regress,
            kinds={"python"},
        ),
        step(
            project,
            "published_comparison",
            {
                PublishedComparison.table(): [
                    PATIENTS, ENDPOINTS, SurvivalEstimate.table(), HazardRatio.table(),
                ]
            },
            compare,
            kinds={"polars"},
        ),
    ]  # fmt: skip


def _medians(estimates: pl.DataFrame) -> dict[str, str]:
    medians = estimates.filter(pl.col("quantity") == "median")
    return {f"median {row['endpoint']}": median_text(row) for row in medians.iter_rows(named=True)}


def median_text(row: dict[str, object]) -> str:
    """A median as people read it: ``47.9 months (30.1–not reached)``."""

    def part(name: str) -> str:
        value = row[name]
        return f"{value:.1f}" if isinstance(value, float) else "not reached"

    if row["value"] is None:
        return "not reached"
    return f"{part('value')} months ({part('ci_low')}–{part('ci_high')})"
