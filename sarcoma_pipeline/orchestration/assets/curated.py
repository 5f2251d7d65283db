"""Assets of curation: typing of received text, record linkage, rules, reconciliation into entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg
import polars as pl

from sarcoma_pipeline.curation import identity, objections, typed_records
from sarcoma_pipeline.orchestration.assets.curated_by_patient import curated_anew
from sarcoma_pipeline.orchestration.assets.received import tonight
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.assets.typed_by_file import TYPED, rows_of, typed_anew
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.quality import cross_record, ledger
from sarcoma_pipeline.quality import curate as curation
from sarcoma_pipeline.study.project import Project
from schemas.all_contracts import CONTRACTS
from schemas.curated import Link
from schemas.curated_dose import DoseVolume, TargetMargin
from schemas.curated_identity import IdentityReading
from schemas.ledger import Decision
from schemas.meta import MetaFile, MetaRefresh
from schemas.quality import Observed, Quarantine, SetAside

OF_LINKS = (Link.table(), IdentityReading.table())
OF_DOSES = (DoseVolume.table(), TargetMargin.table())
"""Tables whose rows are computed from files after the night (``assets/dose_volume.py``)."""
CURATED = tuple(t for t in CONTRACTS if t.startswith("curated.") and t not in (*OF_LINKS, *OF_DOSES))

OBSERVING = (*typed_records.STEPS, "link", "quarantine", "curated", "dose_volume", "volumes", "eligibility")
"""Steps that observe faults of delivered records; the account of movement runs after them."""

_RADIOTHERAPY = (
    "typed.radiotherapy", "typed.plan", "typed.treatment", "typed.surgery", Decision.table(),
)  # fmt: skip
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "curated.patient": ("typed.person", "curated.diagnosis"),
    "curated.diagnosis": (
        "typed.diagnosis", "typed.tumour_assignment", "typed.metastasis", "typed.surgery",
        "typed.radiotherapy", "typed.systemic_therapy", "typed.assessment", "typed.plan", "typed.person",
        "typed.vital_status",
    ),
    "curated.diagnosis_report": ("typed.diagnosis", "curated.diagnosis"),
    "curated.surgery": ("typed.surgery", "typed.diagnosis", "curated.diagnosis"),
    "curated.radiotherapy_course": (
        *_RADIOTHERAPY, "typed.structure_set", "typed.dose", "typed.image", "curated.diagnosis",
    ),
    "curated.radiotherapy_phase": _RADIOTHERAPY,
    "curated.radiotherapy_plan": _RADIOTHERAPY,
    "curated.radiotherapy_reading": _RADIOTHERAPY,
    "curated.systemic_therapy": ("typed.systemic_therapy", "curated.diagnosis"),
    "curated.assessment": ("typed.assessment", "curated.diagnosis"),
    "curated.metastasis": ("typed.metastasis", "typed.assessment", "typed.diagnosis", "curated.diagnosis"),
    "curated.toxicity": (
        "typed.toxicity", "typed.surgery", "typed.radiotherapy", "typed.systemic_therapy", "typed.plan",
        "typed.treatment", "curated.diagnosis",
    ),
    "curated.vital_status": ("typed.vital_status", "typed.assessment", "curated.diagnosis"),
    "curated.vital_statement": ("typed.vital_status", "curated.diagnosis"),
}  # fmt: skip


def curated_of(warehouse: Warehouse, *more: str) -> OnDemand:
    """Return the curated tables, without links and doses, except for the tables named."""
    return OnDemand((*CURATED, *more), warehouse.read)


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the steps that make the typed tables, the links, the quarantine and the curated tables."""

    def type_records(warehouse: Warehouse) -> Iterator[StepOutput]:
        """Convert text to dates, numbers and codes; set exact duplicates aside; evaluate the record rules."""
        return typed_anew(warehouse, project)

    def link(warehouse: Warehouse) -> StepOutput:
        """Link records to patients by hospital number, else by an exact match of name, birth date and sex."""
        first = warehouse.read_parts(Observed.table(), typed_records.STEPS).drop("step")
        decided = ledger.chosen_readings(warehouse.read(Decision.table()))
        objecting = objections.objecting(first, rows_of(warehouse))
        former = _former_masters(warehouse, project)
        typed = {t: warehouse.read(t, columns=identity.columns_read(t)) for t in TYPED}
        return _made(curation.link(typed, objecting, decided, former))

    def judge(warehouse: Warehouse) -> StepOutput:
        """Evaluate the rules over several records; quarantine records that break an error rule unwaived."""
        first = warehouse.read_parts(Observed.table(), (*typed_records.STEPS, "link")).drop("step")
        judged = curation.judge(
            OnDemand(TYPED, lambda table: warehouse.read(table, columns=cross_record.columns_read(table))),
            warehouse.read(Link.table()),
            first,
            lambda observed: _unwaived(warehouse, observed),
            project.sources.precedence["death"],
        )
        return StepOutput({Quarantine.table(): judged.quarantine}, {Observed.table(): judged.crossed})

    def curate(warehouse: Warehouse) -> Iterator[StepOutput]:
        """Merge the valid records into patients and events; the declared precedence resolves conflicts."""
        return curated_anew(warehouse, project)

    return [
        step(
            project, "typed", {t: _received_for(t) for t in TYPED}, type_records, kinds={"polars", "pandera"}
        ),
        step(
            project, "link", {t: ["typed.person", Decision.table()] for t in OF_LINKS}, link,
            kinds={"polars"},
        ),
        step(
            project, "quarantine", {Quarantine.table(): [*TYPED, Link.table(), Decision.table()]}, judge,
            kinds={"polars", "pandera"}, other_inputs=_waivers,
        ),
        step(
            project,
            "curated",
            {t: [*_RESTS_ON[t], Link.table(), Quarantine.table()] for t in CURATED},
            curate,
            kinds={"polars"},
        ),
    ]  # fmt: skip


def _waivers(warehouse: Warehouse) -> str:
    """Return the ids of the waivers in force, because a waiver can end by date alone."""
    _, today = tonight(warehouse, noted=False)
    decisions = warehouse.read(Decision.table(), noted=False)
    return " ".join(decisions.filter(pl.col("until") >= today)["decision_id"].sort())


def _former_masters(warehouse: Warehouse, project: Project) -> pl.DataFrame:
    """Return the master data of former deliveries, typed by the present program.

    They are not recorded as an input: when master data disappear, the typed persons change too.
    """
    days = warehouse.read(MetaRefresh.table(), columns=("refresh_id", "received_on"), noted=False)
    files = warehouse.read_versions(MetaFile.table(), columns=("file_id", "source", "path"))
    past = {}
    for table in typed_records.MASTERS:
        versions = warehouse.read_versions(table, columns=("record_id", "last_refresh"))
        gone = versions.drop_nulls("last_refresh")["record_id"].unique()
        if gone.len():
            past[table] = warehouse.read_versions(table, among=gone).drop_nulls("last_refresh")
    return typed_records.former_masters(past, project.sources, days, files)


def _unwaived(warehouse: Warehouse, observed: pl.DataFrame) -> pl.DataFrame:
    """Return the observations of errors without a waiver in force."""
    _, today = tonight(warehouse, noted=False)
    decisions = warehouse.read(Decision.table())
    return curation.unwaived(
        observed, lambda ids: locations(warehouse, ids), decisions, today, warehouse.centre
    )


def _made(result: typed_records.Result) -> StepOutput:
    return StepOutput(
        result.frames, {Observed.table(): result.observed, SetAside.table(): result.disposition}
    )  # fmt: skip


_READ_AS = {
    "typed.person": ("registry_reply", "obds_patient", "table_row", "dicom_plan"),
    "typed.diagnosis": (
        "obds_diagnosis",
        "obds_pathology",
        "obds_surgery",
        "obds_follow_up",
        "table_row",
    ),
    "typed.surgery": ("obds_surgery", "table_row"),
    "typed.radiotherapy": ("obds_radiotherapy", "table_row"),
    "typed.systemic_therapy": ("obds_systemic_therapy", "table_row"),
    "typed.assessment": ("obds_follow_up", "table_row"),
    "typed.metastasis": ("obds_diagnosis", "obds_pathology", "obds_surgery", "obds_follow_up"),
    "typed.toxicity": ("obds_surgery", "obds_radiotherapy", "obds_systemic_therapy", "table_row"),
    "typed.tumour_assignment": (
        "obds_diagnosis",
        "obds_pathology",
        "obds_surgery",
        "obds_radiotherapy",
        "obds_systemic_therapy",
        "obds_follow_up",
        "obds_death",
        "obds_tumour_board",
    ),
    "typed.vital_status": ("registry_reply", "obds_death", "table_row"),
    "typed.plan": ("dicom_plan",),
    "typed.structure_set": ("dicom_structure_set",),
    "typed.dose": ("dicom_dose",),
    "typed.image": ("dicom_image",),
    "typed.treatment": ("dicom_treatment",),
}


def _received_for(table: str) -> list[str]:
    return [f"received.{name}" for name in _READ_AS[table]]
