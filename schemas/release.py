"""Contract of the release: the tables of the published database, and what it was made from."""

from __future__ import annotations

import polars as pl

from schemas import (
    analysis,
    analysis_follow_up,
    analysis_groups,
    analysis_imputation,
    analysis_models,
    analysis_toxicity,
    analysis_validation,
    analysis_weighting,
    cohort,
    cohort_dose,
    cohort_events,
    cohort_toxicity,
    cohort_toxicity_endpoints,
    lineage,
    movement,
)
from schemas.contract import CONTRACTS, Contract, column

RELEASED = tuple(
    contract.table()
    for contract in (
        cohort.CohortFlow,
        cohort.CohortPatient,
        cohort_events.CohortEvent,
        cohort.CohortEndpoint,
        cohort_events.CohortNotAtRisk,
        cohort_toxicity.CohortToxicity,
        cohort_dose.CohortDoseVolume,
        cohort_toxicity_endpoints.CohortToxicityEndpoint,
        cohort.CohortDerivability,
        lineage.Lineage,
        analysis.TableOne,
        analysis_groups.TableOneByGroup,
        analysis.SurvivalCurve,
        analysis.SurvivalEstimate,
        analysis.SurvivalSensitivity,
        analysis.RestrictedMean,
        analysis.CumulativeIncidence,
        analysis.CumulativeIncidenceEstimate,
        analysis.Subgroup,
        analysis.SubgroupCurve,
        analysis.LogRank,
        analysis.HazardRatio,
        analysis.ProportionalHazards,
        analysis_models.ModelFit,
        analysis_models.JointTest,
        analysis_models.InternalValidation,
        analysis_groups.Calibration,
        analysis_imputation.ImputedHazardRatio,
        analysis_imputation.ImputedCovariate,
        analysis_weighting.WeightedGroup,
        analysis_weighting.WeightedBalance,
        analysis_weighting.WeightedCurve,
        analysis_weighting.WeightedHazardRatio,
        analysis_validation.ExternalValidation,
        analysis_validation.ExternalCalibration,
        analysis_validation.NetBenefit,
        analysis_models.UnivariableHazardRatio,
        analysis_models.CompetingHazardRatio,
        analysis_models.FirstFailure,
        analysis_toxicity.ToxicityRate,
        analysis_toxicity.ToxicityIncidence,
        analysis_toxicity.ToxicityCurve,
        analysis_toxicity.DoseResponseCurve,
        analysis_follow_up.FollowUpCompleteness,
        analysis_follow_up.ImmortalTime,
        analysis_follow_up.CovariateTiming,
        analysis.PublishedComparison,
    )
)
"""Tables that are published."""

ACCOUNT = tuple(
    contract.table() for contract in (movement.Movement, movement.MovementRecord, movement.EstimateMovement)
)
"""Tables of the movement: a release contains them, but its content hash and its gate do not use them."""


class MetaRelease(Contract, table="meta.release"):
    """The provenance of a release: one row in a release, a row per release in the warehouse."""

    study: pl.String = column("Study", "Its name.", nullable=False)
    title: pl.String = column("Title", "Of the study.", nullable=False)
    refresh_id: pl.String = column("Refresh", "The refresh that made it.", nullable=False)
    released_at: pl.String = column("Released", "UTC, ISO 8601.", nullable=False)
    code_version: pl.String = column("Code", "Version of the program.", nullable=False)
    code_hash: pl.String = column("Code hash", "Hash of the program's source.", nullable=False)
    configuration_hash: pl.String = column("Configuration", "Hash of the study's files.", nullable=False)
    manifest_hash: pl.String = column("Manifest", "Hash of the raw file versions.", nullable=False)
    decisions: pl.Int64 = column("Decisions", "The stewards' decisions that it knew.", nullable=False)
    decisions_hash: pl.String = column("Decisions hash", "Names these decisions.", nullable=False)
    content_hash: pl.String = column(
        "Content", "Hash of the released tables; equal for equal numbers.", nullable=False
    )
    eligible: pl.Int64 = column("Eligible", "Patients in the cohort.", nullable=False)
    draft: pl.Boolean = column("Draft", "Whether it is a draft; null in releases of before there were any.")
    chart_reviews_hash: pl.String = column("Chart reviews", "Names the chart reviews; null without any.")


def released_name(table: str) -> str:
    """Return the name of a table in the release: tables of the cohort layer are in ``main``.

    There ``patients`` finds the table without a schema. A view of the contract's name makes
    ``x.cohort.patients`` work under any alias. The tables cannot be in the schema ``cohort`` and the views in
    ``main``: a view that names ``cohort.patients`` is ambiguous in a file that is called cohort.duckdb.
    """
    schema, _, name = table.partition(".")
    return f"main.{name}" if schema == "cohort" else table


def released_columns(table: str) -> list[str]:
    """Return the columns of a table that may be published: all except identifiers."""
    return [c.name for c in CONTRACTS[table].columns() if c.identifying != "identifier"]
