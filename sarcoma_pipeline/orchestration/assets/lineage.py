"""Asset ``meta.lineage``: the records and files on which every value of the cohort depends."""

from __future__ import annotations

import json
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
from sarcoma_pipeline.warehouse import step_cache
from sarcoma_pipeline.warehouse.rewrite import Amendment
from schemas import row_hashes
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.lineage import Lineage
from schemas.meta import MetaFile, MetaStepPatient
from schemas.quality import Observed, Quarantine
from schemas.typed import Person
from schemas.volumes import Volume

STEP = "lineage"
"""Name of the step."""

_PATIENTS = 10_000
"""Patients whose lineage is computed at a time, to limit memory."""

_OF_PATIENTS = MetaStepPatient.table()


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the step that computes ``meta.lineage``."""

    def trace(warehouse: Warehouse) -> Iterator[StepOutput]:
        """List the records that decided each endpoint, and those from which each patient's row is derived."""
        patients = warehouse.read(CohortPatient.table(), columns=("pseudonym", "record_ids"))
        endpoints = warehouse.read(CohortEndpoint.table(), columns=("pseudonym", "endpoint", "evidence"))
        # The account of movement is computed from the lineage, so its observations are left out.
        observed = warehouse.read_parts(Observed.table(), OBSERVING)
        everyone = pl.concat([patients["pseudonym"], endpoints["pseudonym"]]).unique().sort()
        if everyone.len() <= _PATIENTS:
            yield _of_touched(warehouse, project, _traced(warehouse, patients, endpoints, observed))
            return
        gate = identity_gate(project, warehouse)
        yield StepOutput({Lineage.table(): Lineage.empty()}, {_OF_PATIENTS: _noted(_NOBODY, "")})
        # The parts are in order of pseudonym, so the whole table is sorted by pseudonym.
        for some in everyone.to_frame().iter_slices(_PATIENTS):
            of_some = patients.join(some, on="pseudonym", how="semi")
            ends = endpoints.join(some, on="pseudonym", how="semi")
            found = _traced(warehouse, of_some, ends, observed)
            yield StepOutput({Lineage.table(): lineage.rows(gate.places(found))})

    # After these steps the observations on every record are complete.
    read = (CohortPatient, CohortEndpoint, Quarantine, Volume, MetaFile, Person)
    needs = [*(t.table() for t in read), *RECEIVED]
    return [step(project, STEP, {Lineage.table(): needs}, trace, kinds={"polars"})]


_NOBODY = pl.DataFrame(schema=row_hashes.INPUTS)


def _traced(
    warehouse: Warehouse, patients: pl.DataFrame, endpoints: pl.DataFrame, observed: pl.DataFrame
) -> pl.DataFrame:
    used = pl.concat([patients["record_ids"].explode(), endpoints["evidence"].explode().alias("record_ids")])
    return lineage.traced(patients, endpoints, locations(warehouse, used), observed)


def _of_touched(warehouse: Warehouse, project: Project, found: pl.DataFrame) -> StepOutput:
    """Return the lineage of patients of whom it says something new; of all, if little can be kept.

    The rows of all patients depend on program, configuration, key, and the names that the gate looks for.
    """
    gate = identity_gate(project, warehouse)
    circumstances = step_cache.circumstances(project, json.dumps(sorted(gate.names_in_places())))
    inputs = lineage.inputs(found)
    noted = warehouse.read(_OF_PATIENTS, noted=False).filter(step=STEP)
    before = noted.filter(circumstances=circumstances)
    untouched = inputs.join(before, on=list(row_hashes.INPUTS), how="semi")
    touched = inputs.join(untouched, on="patient_id", how="anti")
    gone = noted.join(untouched, on="patient_id", how="anti")["patient_id"]
    keeping = (
        2 * max(touched.height, gone.len()) < untouched.height
        and warehouse.amendable(Lineage.table())
        and warehouse.amendable(_OF_PATIENTS, STEP)
    )
    if not keeping:
        made = lineage.rows(gate.places(found))
        # Written although the table may be noted to have this content: it may not be as noted.
        return StepOutput({Lineage.table(): made}, {_OF_PATIENTS: _noted(inputs, circumstances)}, anew=True)
    theirs = found.filter(pl.col("pseudonym").is_in(touched["patient_id"].implode()))
    made = lineage.rows(gate.places(theirs)) if theirs.height else Lineage.empty()
    replaced = pl.concat([touched["patient_id"], gone]).unique()
    return StepOutput(
        {},
        amended={
            Lineage.table(): Amendment(replaced.alias("pseudonym"), made),
            _OF_PATIENTS: Amendment(replaced, _noted(touched, circumstances), shared=True),
        },
    )


def _noted(inputs: pl.DataFrame, circumstances: str) -> pl.DataFrame:
    return inputs.with_columns(circumstances=pl.lit(circumstances))
