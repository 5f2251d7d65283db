"""Curate the patients whose records changed since the last refresh; keep the rows of the others."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.curation import reconcile, touched_patients, typed_records
from sarcoma_pipeline.orchestration.assets.step import StepOutput
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.quality import ledger
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas import row_hashes, typed_dicom
from schemas.all_contracts import CONTRACTS
from schemas.curated import Link
from schemas.curated_radiotherapy import RadiotherapyReading
from schemas.ledger import Decision
from schemas.meta import MetaStepPatient
from schemas.quality import Observed, Quarantine, SetAside

STEP = "curated"
"""Name of the step."""

_PATIENTS = 10_000
"""Maximum number of patients curated at a time, to limit memory."""

_TYPED = tuple(contract.table() for contract in typed_records.TYPED)
_OF_PATIENTS = MetaStepPatient.table()


def curated_anew(warehouse: Warehouse, project: Project) -> Iterator[StepOutput]:
    """Yield the curated tables by groups of patients.

    A study of one group computes only the patients touched. All are computed after a change of what holds for
    all of them: program, configuration, key.
    """
    links = warehouse.read(Link.table())
    names = pseudonyms(links["patient_id"], pseudonym_key(project.key, warehouse.centre))
    held = warehouse.read(Quarantine.table())["record_id"]
    decided = ledger.chosen_readings(warehouse.read(Decision.table()))
    plans = warehouse.read(typed_dicom.Plan.table(), columns=("sop_instance_uid",))
    known_plans = frozenset(plans["sop_instance_uid"].drop_nulls())
    patients = links["patient_id"].unique().sort()
    circumstances = step_cache.circumstances(project, "")
    before = MetaStepPatient.empty()
    if patients.len() <= _PATIENTS:
        readings = warehouse.read(RadiotherapyReading.table(), noted=False)
        otherwise = touched_patients.decided_otherwise(readings, decided)
        before = _before(warehouse, circumstances).join(otherwise, on="patient_id", how="anti")
    for some, typed in _by_patients(warehouse, links, patients):
        inputs = touched_patients.inputs(typed, some, held, names, known_plans)
        untouched = inputs.join(before, on=list(row_hashes.INPUTS), how="semi").select("patient_id")
        touched = inputs.join(untouched, on="patient_id", how="anti").select("patient_id")
        theirs, of_them = (
            touched_patients.of_patients(typed, some, touched) if untouched.height else (typed, some)
        )
        made = reconcile.curate(
            theirs, of_them, held, project.sources, names, project.study,
            decided=decided, known_plans=known_plans,
        )  # fmt: skip
        owned = touched_patients.owners(typed, some)
        if not touched_patients.is_local(made, owned):
            # Something is said of a record that is not of one patient: nothing can be kept, tonight or later.
            inputs = inputs.clear()
            if untouched.height:
                made = reconcile.curate(
                    typed, some, held, project.sources, names, project.study,
                    decided=decided, known_plans=known_plans,
                )  # fmt: skip
                untouched = untouched.clear()
        if untouched.height:
            made = touched_patients.combined(made, _former(warehouse), owned, untouched)
        else:
            made = touched_patients.by_record(made)
        yield StepOutput(
            made.frames,
            {
                Observed.table(): made.observed,
                SetAside.table(): made.disposition,
                _OF_PATIENTS: inputs.with_columns(circumstances=pl.lit(circumstances)),
            },
        )


def _before(warehouse: Warehouse, circumstances: str) -> pl.DataFrame:
    """Return what the patients' rows were computed from under the same circumstances."""
    noted = warehouse.read(_OF_PATIENTS, noted=False)
    return noted.filter(step=STEP, circumstances=circumstances)


def _former(warehouse: Warehouse) -> typed_records.Result:
    """Return the result that the warehouse has; the step does not depend on its own tables."""
    observed, aside = (
        warehouse.read(table, noted=False).filter(step=STEP).drop("step")
        for table in (Observed.table(), SetAside.table())
    )
    frames = {table: warehouse.read(table, noted=False) for table in reconcile.CONTRACTS}
    return typed_records.Result(frames, observed, aside)


def _by_patients(
    warehouse: Warehouse, links: pl.DataFrame, patients: pl.Series
) -> Iterator[tuple[pl.DataFrame, dict[str, pl.DataFrame]]]:
    """Yield the links and typed records of successive groups of patients, sorted by patient id."""
    if patients.len() <= _PATIENTS:
        yield links, {t: warehouse.read(t) for t in CONTRACTS if t.startswith("typed.")}
        return
    for some in patients.to_frame().iter_slices(_PATIENTS):
        of_some = links.join(some, on="patient_id", how="semi", maintain_order="left")
        persons = of_some["person_ref"].unique()
        yield of_some, {table: warehouse.read(table, among=persons) for table in _TYPED}
