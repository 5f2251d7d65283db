"""Asset ``meta.lineage``: the records and files on which every value of the cohort depends."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration.assets.curated import OBSERVING
from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.assets.record_locations import identity_gate, locations
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import lineage
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.lineage import Lineage
from schemas.meta import MetaFile
from schemas.quality import Observed, Quarantine
from schemas.typed import Person
from schemas.volumes import Volume

_PATIENTS = 10_000
"""Patients whose lineage is computed at a time, to limit memory."""


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the step that computes ``meta.lineage``."""

    def trace(warehouse: Warehouse) -> Iterator[StepOutput]:
        """List the records that decided each endpoint, and those from which each patient's row is derived."""
        gate = identity_gate(project, warehouse)
        patients = warehouse.read(CohortPatient.table(), columns=("pseudonym", "record_ids"))
        endpoints = warehouse.read(CohortEndpoint.table(), columns=("pseudonym", "endpoint", "evidence"))
        # The account of movement is computed from the lineage, so its observations are left out.
        observed = warehouse.read_parts(Observed.table(), OBSERVING)
        everyone = pl.concat([patients["pseudonym"], endpoints["pseudonym"]]).unique().sort()
        yield StepOutput({Lineage.table(): Lineage.empty()})
        # The parts are in order of pseudonym, so the whole table is sorted by pseudonym.
        for some in everyone.to_frame().iter_slices(_PATIENTS):
            of_some = patients.join(some, on="pseudonym", how="semi")
            ends = endpoints.join(some, on="pseudonym", how="semi")
            used = pl.concat(
                [of_some["record_ids"].explode(), ends["evidence"].explode().alias("record_ids")]
            )
            places = locations(warehouse, used).pipe(gate.places)
            yield StepOutput({Lineage.table(): lineage.lineage(of_some, ends, places, observed)})

    # After these steps the observations on every record are complete.
    read = (CohortPatient, CohortEndpoint, Quarantine, Volume, MetaFile, Person)
    needs = [*(t.table() for t in read), *RECEIVED]
    return [step(project, "lineage", {Lineage.table(): needs}, trace, kinds={"polars"})]
