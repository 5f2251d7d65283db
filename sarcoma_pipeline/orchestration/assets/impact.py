"""Asset ``quality.impact``: how the study would change if a record in quarantine were admitted."""

from __future__ import annotations

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration.assets.curated import OBSERVING, TYPED
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.quality import impact, repeated_faults
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortPatient
from schemas.curated import Link
from schemas.impact import Impact
from schemas.quality import Observed, Quarantine
from schemas.volumes import Volume

COHORT = (CohortEligibility.table(), CohortPatient.table(), CohortEndpoint.table())


def night(project: Project, warehouse: Warehouse) -> impact.Night:
    """Read the result of the last refresh, limited to the patients of quarantined records."""
    link, every = warehouse.read(Link.table()), warehouse.read(Quarantine.table())
    held, repeated = repeated_faults.once_a_file(every, locations(warehouse, every["record_id"]))
    records = held["record_id"]
    owners = pl.concat(warehouse.read_several(TYPED, columns=("person_ref",), among=records).values())
    known = link.filter(pl.col("person_ref").is_in(owners["person_ref"].implode()))
    persons = link.join(known, on="patient_id", how="semi")["person_ref"].unique()
    return impact.Night(
        {t: warehouse.read(t, among=persons) for t in TYPED},
        link,
        warehouse.read_parts(Observed.table(), OBSERVING),
        held,
        pseudonyms(link["patient_id"], pseudonym_key(project.key, warehouse.centre)),
        *(warehouse.read(table) for table in COHORT),
        repeated=repeated,
    )


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the step that computes ``quality.impact``."""

    def simulate(warehouse: Warehouse) -> StepOutput:
        """Recompute the cohort for every record in quarantine as if it had been admitted."""
        known = night(project, warehouse)
        again = impact.rerun(known, project.study, project.sources)
        frame = impact.impact(known, again, project.study)
        return StepOutput(
            {Impact.table(): frame}, metadata={Impact.table(): {"simulated records": again.scenarios.height}}
        )

    needs = [Quarantine.table(), Volume.table(), *COHORT]
    return [step(project, "impact", {Impact.table(): needs}, simulate, kinds={"polars"})]
