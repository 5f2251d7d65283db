"""Assets of the cohort: eligibility, one row per patient, endpoints with their evidence."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import dagster as dg

from sarcoma_pipeline.cohort import derivation, eligibility
from sarcoma_pipeline.orchestration.assets import curated_of_group
from sarcoma_pipeline.orchestration.assets.cohort_by_patient import STEP, derived_anew
from sarcoma_pipeline.orchestration.assets.curated import CURATED, OF_DOSES
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import cohort_observations
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortDerivability, CohortEligibility, CohortEndpoint, CohortFlow, CohortPatient
from schemas.cohort_dose import CohortDoseVolume
from schemas.cohort_events import CohortEvent, CohortNotAtRisk
from schemas.cohort_toxicity import CohortToxicity
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.quality import Accounting, Observed


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the steps that derive eligibility with its flow, patients and endpoints."""
    study = project.study

    def assess(warehouse: Warehouse) -> StepOutput:
        """Assess every patient against the criteria of study.toml, in order (STROBE flow)."""
        cut, groups = curated_of_group.groups(warehouse, (*CURATED, *OF_DOSES), study.assumptions)
        verdicts, seen = [], []
        for curated in groups:
            made = derivation.cohort(curated, study, cut=cut)
            verdicts.append(made.verdicts)
            seen.append(cohort_observations.of_patients(made))
        result = eligibility.together(verdicts, study)
        flow = result.flow.sort("position")
        remaining = {row["label"]: row["remaining"] for row in flow.iter_rows(named=True)}
        frames = {CohortEligibility.table(): result.eligibility, CohortFlow.table(): result.flow}
        places = partial(locations, warehouse)
        observed = cohort_observations.observe(seen, result, study, project.sources, places)
        return StepOutput(frames, {Observed.table(): observed}, {CohortFlow.table(): remaining})

    def derive(warehouse: Warehouse) -> StepOutput:
        """Derive each eligible patient's covariates, and the endpoints with their evidence."""
        eligible = eligibility.eligible(warehouse.read(CohortEligibility.table()))
        made = derived_anew(warehouse, project, eligible, (*CURATED, *OF_DOSES), tuple(of_cohort))
        ends = made.frames[CohortEndpoint.table()]
        events = ends.filter("event").group_by("endpoint").len().sort("endpoint")
        counted = {f"{name} events": n for name, n in events.iter_rows()}
        return replace(made, metadata={CohortEndpoint.table(): counted})

    # The check on the accounting blocks: a refresh that lost a record must not reach the cohort.
    needs = [*CURATED, *OF_DOSES, Accounting.table()]
    everything = [*CURATED, *OF_DOSES, CohortEligibility.table()]
    of_cohort = {
        CohortPatient.table(): everything,
        CohortEvent.table(): everything,
        CohortEndpoint.table(): everything,
        CohortNotAtRisk.table(): everything,
        CohortDerivability.table(): [CohortEligibility.table()],
        CohortToxicity.table(): [*CURATED, CohortEligibility.table()],
        CohortToxicityEndpoint.table(): [*CURATED, CohortEligibility.table()],
        CohortDoseVolume.table(): everything,
    }
    return [
        step(
            project,
            "eligibility",
            {CohortEligibility.table(): needs, CohortFlow.table(): [CohortEligibility.table()]},
            assess,
            kinds={"polars"},
        ),
        step(
            project,
            STEP,
            of_cohort,
            derive,
            kinds={"polars"},
        ),
    ]
