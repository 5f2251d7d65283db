"""Assets of the analysis: Table 1, survival, Cox models, and the comparison with the published numbers."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import polars as pl

from sarcoma_pipeline.cohort import ever_eligible, variants
from sarcoma_pipeline.cohort.dose_columns import with_doses
from sarcoma_pipeline.cohort.observed import observed
from sarcoma_pipeline.orchestration.assets import curated_of_group
from sarcoma_pipeline.orchestration.assets.curated import CURATED, OF_DOSES, curated_of
from sarcoma_pipeline.orchestration.assets.kept_result import unless_same
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.published_study import comparison
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.survival import (
    calibration,
    competing_models,
    competing_risks,
    completeness,
    cox,
    dose_response,
    external_validation,
    first_failure,
    imputation,
    kaplan_meier,
    model_tests,
    proportional_hazards,
    restricted_mean,
    sensitivity,
    subgroups,
    table_one,
    table_one_groups,
    toxicity_incidence,
    toxicity_rates,
    validation,
    weighting,
)
from schemas.analysis import (
    CumulativeIncidence,
    CumulativeIncidenceEstimate,
    HazardRatio,
    LogRank,
    ProportionalHazards,
    PublishedComparison,
    RestrictedMean,
    Subgroup,
    SubgroupCurve,
    SurvivalCurve,
    SurvivalEstimate,
    SurvivalSensitivity,
    TableOne,
)
from schemas.analysis_follow_up import CovariateTiming, FollowUpCompleteness, ImmortalTime
from schemas.analysis_groups import Calibration, TableOneByGroup
from schemas.analysis_imputation import ImputedCovariate, ImputedHazardRatio
from schemas.analysis_models import (
    CompetingHazardRatio,
    FirstFailure,
    InternalValidation,
    JointTest,
    ModelFit,
    UnivariableHazardRatio,
)
from schemas.analysis_toxicity import DoseResponseCurve, ToxicityCurve, ToxicityIncidence, ToxicityRate
from schemas.analysis_validation import ExternalCalibration, ExternalValidation, NetBenefit
from schemas.analysis_weighting import (
    WeightedBalance,
    WeightedCurve,
    WeightedGroup,
    WeightedHazardRatio,
)
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.cohort_dose import CohortDoseVolume
from schemas.cohort_events import CohortEvent
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.statistics import TOO_FEW

PATIENTS, ENDPOINTS, EVENTS = CohortPatient.table(), CohortEndpoint.table(), CohortEvent.table()
TOXICITIES = CohortToxicityEndpoint.table()
FOLLOWED, TIMING = FollowUpCompleteness.table(), CovariateTiming.table()


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return one step per statistic."""
    study = project.study

    # Doses are computed after a refresh: steps that do not use them must not be computed again then.
    doses = OF_DOSES if study.dose_columns else ()

    def patients_of(warehouse: Warehouse) -> pl.DataFrame:
        patients = warehouse.read(PATIENTS)
        if not study.dose_columns:
            return patients
        return with_doses(patients, warehouse.read(CohortDoseVolume.table()), study.dose_columns)

    def describe(warehouse: Warehouse) -> StepOutput:
        """Describe the cohort (Table 1), and the groups that the study compares."""
        patients = patients_of(warehouse)
        by = next((c for c in study.covariates if c.name == study.table_one_by), None)
        frames = {
            TableOne.table(): table_one.table_one(patients, study.table_one),
            TableOneByGroup.table(): table_one_groups.table_one_by_group(patients, study.table_one, by),
        }
        return StepOutput(frames)

    def survive(warehouse: Warehouse) -> StepOutput:
        """Estimate survival: Kaplan–Meier with log-log confidence intervals, and restricted mean survival."""
        endpoints, horizons = warehouse.read(ENDPOINTS), study.horizons_months
        estimates, curves = kaplan_meier.estimates(endpoints, horizons), kaplan_meier.curves(endpoints)
        frames = {
            SurvivalCurve.table(): curves,
            SurvivalEstimate.table(): estimates,
            RestrictedMean.table(): restricted_mean.restricted_means(curves, horizons),
        }
        return StepOutput(frames, metadata={SurvivalEstimate.table(): _medians(estimates)})

    def compete(warehouse: Warehouse) -> StepOutput:
        """Estimate competing risks: cumulative incidence, models of each cause, pattern of first failure."""
        patients, endpoints = patients_of(warehouse), warehouse.read(ENDPOINTS)
        declared = study.statistics
        curves = competing_risks.cumulative_incidence(endpoints, study.cumulative_incidence)
        at_horizons = competing_risks.at_horizons(curves, endpoints, study.horizons_months)
        models = competing_models.competing_models(
            patients, endpoints, study.cumulative_incidence, study.covariates, declared
        )
        failures = first_failure.first_failure(warehouse.read(EVENTS), patients, declared.first_failure_days)
        return StepOutput(
            {
                CumulativeIncidence.table(): curves,
                CumulativeIncidenceEstimate.table(): at_horizons,
                CompetingHazardRatio.table(): models,
                FirstFailure.table(): failures,
            }
        )

    def divide(warehouse: Warehouse) -> StepOutput:
        """Compare subgroups: Kaplan–Meier and the log-rank test."""
        factors = [c for name in study.subgroups for c in study.covariates if c.name == name]
        found = subgroups.subgroups(
            patients_of(warehouse), warehouse.read(ENDPOINTS), factors, study.horizons_months
        )
        frames = {Subgroup: found.estimates, SubgroupCurve: found.curves, LogRank: found.tests}
        return StepOutput({contract.table(): frame for contract, frame in frames.items()})

    def regress(warehouse: Warehouse) -> StepOutput:
        """Fit the Cox models that study.toml declares, and test the proportional hazards assumption."""
        data = (patients_of(warehouse), warehouse.read(ENDPOINTS), study.models, study.covariates)
        declared = study.statistics
        tests = model_tests.model_tests(*data, declared)
        imputed = imputation.imputed_models(*data, declared)
        frames = {
            HazardRatio.table(): cox.hazard_ratios(*data, ties=declared.ties),
            ProportionalHazards.table(): proportional_hazards.proportional_hazards(*data, declared),
            ModelFit.table(): tests.fits,
            JointTest.table(): tests.joint,
            InternalValidation.table(): validation.internal_validation(*data, declared),
            Calibration.table(): calibration.calibration(*data, study.horizons_months, declared),
            UnivariableHazardRatio.table(): tests.univariable,
            ImputedHazardRatio.table(): imputed.ratios,
            ImputedCovariate.table(): imputed.covariates,
        }
        few = tests.fits.filter(verdict=TOO_FEW)["model"].to_list()
        return StepOutput(frames, metadata={ModelFit.table(): {"too few events": ", ".join(few) or "none"}})

    def weigh(warehouse: Warehouse) -> StepOutput:
        """Compare treatments with inverse-probability weights."""
        found = weighting.weighted_groups(
            patients_of(warehouse), warehouse.read(ENDPOINTS), study.weighting, study.covariates,
            study.statistics,
        )  # fmt: skip
        frames = {
            WeightedGroup: found.groups, WeightedBalance: found.balance, WeightedCurve: found.curves,
            WeightedHazardRatio: found.ratios,
        }  # fmt: skip
        warnings = found.groups["warning"].drop_nulls().len()
        return StepOutput(
            {contract.table(): frame for contract, frame in frames.items()},
            metadata={WeightedGroup.table(): {"warnings": warnings}},
        )

    def validate(warehouse: Warehouse) -> StepOutput:
        """Validate published prognostic models."""
        found = external_validation.external_validation(
            patients_of(warehouse), warehouse.read(ENDPOINTS), study.validation, study.statistics
        )
        return StepOutput(
            {
                ExternalValidation.table(): found.measures,
                ExternalCalibration.table(): found.calibration,
                NetBenefit.table(): found.net_benefit,
            }
        )

    def vary(warehouse: Warehouse) -> StepOutput:
        """Repeat the analyses under other assumptions: partial dates, censoring, complete cases."""
        main = (patients_of(warehouse), warehouse.read(ENDPOINTS))
        curated, some = curated_of(warehouse, *doses), curated_of_group.of_patients(warehouse)
        rows = ever_eligible.rows(curated, study, main[0]["pseudonym"], some)

        def computed() -> dict[str, pl.DataFrame]:
            frame = sensitivity.sensitivity(
                *main,
                study.horizons_months,
                study.models,
                study.covariates,
                study.censoring_variants,
                variants.runs(rows, study, main),
                study.statistics.ties,
            )
            return {SurvivalSensitivity.table(): frame}

        tables = (SurvivalSensitivity.table(),)
        inputs = {**rows, PATIENTS: main[0], ENDPOINTS: main[1]}
        return unless_same(warehouse, project, "sensitivity", tables, inputs, computed)

    def harm(warehouse: Warehouse) -> StepOutput:
        """Count the patients with toxicity, estimate its cumulative incidence, and fit it by dose."""
        data = (patients_of(warehouse), warehouse.read(TOXICITIES), study.toxicity, study.covariates)
        incidence = toxicity_incidence.toxicity_incidence(*data, study.horizons_months)
        frames = {
            ToxicityRate.table(): toxicity_rates.toxicity_rates(*data),
            ToxicityIncidence.table(): incidence.estimates,
            ToxicityCurve.table(): incidence.curves,
            DoseResponseCurve.table(): dose_response.dose_response(*data[:2], study.dose_response),
        }
        return StepOutput(frames)

    def follow(warehouse: Warehouse) -> StepOutput:
        """Measure the completeness of follow-up, and when covariates became known."""
        patients, ends = patients_of(warehouse), warehouse.read(ENDPOINTS)
        some = curated_of_group.of_patients(warehouse)
        rows = ever_eligible.rows(curated_of(warehouse), study, patients["pseudonym"], some)

        def computed() -> dict[str, pl.DataFrame]:
            seen = observed(rows, study, patients["pseudonym"])
            factors = [c for name in study.subgroups for c in study.covariates if c.name == name]
            late = study.assumptions.late_death_days
            decimals = study.statistics.p_decimals
            return {
                FOLLOWED: completeness.completeness(ends, seen, patients, factors, late, decimals),
                ImmortalTime.table(): completeness.immortal_time(ends, seen),
                TIMING: completeness.covariate_timing(ends, seen, study.models, study.covariates),
            }

        inputs = {**rows, PATIENTS: patients, ENDPOINTS: ends}
        tables = (FOLLOWED, ImmortalTime.table(), TIMING)
        made = unless_same(warehouse, project, "follow_up", tables, inputs, computed)
        warnings = pl.concat(made.frames[t]["warning"] for t in (FOLLOWED, TIMING)).drop_nulls().len()
        return replace(made, metadata={FOLLOWED: {"warnings": warnings}})

    def compare(warehouse: Warehouse) -> StepOutput:
        """Compare the published numbers with ours."""
        frame = PublishedComparison.empty()
        if study.published and study.published_map and study.published_audit:
            paper = [
                pl.read_csv(project.root / path, infer_schema=False)
                for path in (study.published, study.published_map, study.published_audit)
            ]
            frame = comparison.compare(
                *paper,
                patients=patients_of(warehouse),
                endpoints=warehouse.read(ENDPOINTS),
                estimates=warehouse.read(SurvivalEstimate.table()),
                hazard_ratios=warehouse.read(HazardRatio.table()),
                joint_tests=warehouse.read(JointTest.table()),
                statistics=study.statistics,
            )
        verdicts = dict(frame.group_by("verdict").len().sort("verdict").iter_rows())
        return StepOutput(
            {PublishedComparison.table(): frame}, metadata={PublishedComparison.table(): verdicts}
        )

    survival = [SurvivalCurve, SurvivalEstimate, RestrictedMean]
    incidence = [CumulativeIncidence, CumulativeIncidenceEstimate, CompetingHazardRatio, FirstFailure]
    divided = [Subgroup, SubgroupCurve, LogRank]
    regression = [
        HazardRatio,
        ProportionalHazards,
        ModelFit,
        JointTest,
        UnivariableHazardRatio,
        InternalValidation,
        Calibration,
        ImputedHazardRatio,
        ImputedCovariate,
    ]
    weighted = [WeightedGroup, WeightedBalance, WeightedCurve, WeightedHazardRatio]
    validated = [ExternalValidation, ExternalCalibration, NetBenefit]
    harmed = [ToxicityRate, ToxicityIncidence, ToxicityCurve, DoseResponseCurve]
    followed = [FollowUpCompleteness, ImmortalTime, CovariateTiming]
    people = [PATIENTS, *([CohortDoseVolume.table()] if study.dose_columns else [])]
    both = [*people, ENDPOINTS]
    return [
        step(
            project, "table_one", {c.table(): people for c in (TableOne, TableOneByGroup)}, describe,
            kinds={"polars"},
        ),
        step(
            project, "survival", {c.table(): [ENDPOINTS] for c in survival}, survive, kinds={"polars"}
        ),
        step(
            project, "cumulative_incidence", {c.table(): [*both, EVENTS] for c in incidence}, compete,
            kinds={"polars"},
        ),
        step(project, "subgroup", {c.table(): both for c in divided}, divide, kinds={"polars"}),
        step(project, "hazard_ratio", {c.table(): both for c in regression}, regress, kinds={"python"}),
        step(project, "weighting", {c.table(): both for c in weighted}, weigh, kinds={"python"}),
        step(
            project, "external_validation", {c.table(): both for c in validated}, validate, kinds={"python"}
        ),
        step(
            project, "sensitivity", {SurvivalSensitivity.table(): [*both, *CURATED]}, vary, kinds={"polars"}
        ),
        step(
            project, "toxicity", {c.table(): [*people, TOXICITIES] for c in harmed}, harm, kinds={"polars"}
        ),
        step(
            project, "follow_up", {c.table(): [*both, *CURATED] for c in followed}, follow, kinds={"polars"}
        ),
        step(
            project,
            "published_comparison",
            {
                PublishedComparison.table(): [
                    *both, SurvivalEstimate.table(), HazardRatio.table(), JointTest.table(),
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
    """Format a median, e.g. ``47.9 months (30.1–not reached)``."""

    def part(name: str) -> str:
        value = row[name]
        return f"{value:.1f}" if isinstance(value, float) else "not reached"

    if row["value"] is None:
        return "not reached"
    return f"{part('value')} months ({part('ci_low')}–{part('ci_high')})"
