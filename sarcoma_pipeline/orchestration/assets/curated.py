"""Curated: text becomes typed, persons are linked, rules judged, sources reconciled into entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg
import polars as pl

from sarcoma_pipeline.curation import identity, reconcile, typed_records
from sarcoma_pipeline.orchestration.assets.received import RECEIVED, tonight
from sarcoma_pipeline.orchestration.assets.record_locations import placed
from sarcoma_pipeline.orchestration.assets.step import Made, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.quality import cross_record, findings, ledger, quarantine
from sarcoma_pipeline.study.project import Project
from schemas.all_contracts import CONTRACTS
from schemas.curated import Link
from schemas.ledger import Decision
from schemas.meta import MetaRefresh
from schemas.quality import Observed, Quarantine, SetAside

TYPED = tuple(contract.table() for contract in typed_records.TYPED)
CURATED = tuple(t for t in CONTRACTS if t.startswith("curated.") and t != Link.table())

_RECORDS = 100_000
"""Received records that are in memory at a time while they are typed, but for a larger file."""
_PATIENTS = 10_000
"""Whose typed records are in memory at a time while they are curated."""

_RADIOTHERAPY = (
    "typed.radiotherapy", "typed.plan", "typed.treatment", "typed.surgery", Decision.table(),
)  # fmt: skip
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "curated.patient": ("typed.person", "curated.diagnosis"),
    "curated.diagnosis": ("typed.diagnosis",),
    "curated.surgery": ("typed.surgery", "curated.diagnosis"),
    "curated.radiotherapy_course": (
        *_RADIOTHERAPY, "typed.structure_set", "typed.dose", "typed.image", "curated.diagnosis",
    ),
    "curated.radiotherapy_phase": _RADIOTHERAPY,
    "curated.radiotherapy_plan": _RADIOTHERAPY,
    "curated.radiotherapy_reading": _RADIOTHERAPY,
    "curated.systemic_therapy": ("typed.systemic_therapy", "curated.diagnosis"),
    "curated.assessment": ("typed.assessment", "curated.diagnosis"),
    "curated.vital_status": ("typed.vital_status", "typed.assessment", "curated.diagnosis"),
}  # fmt: skip


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """The typed and curated tables, the links between persons and the quarantine."""

    def type_records(warehouse: Warehouse) -> Iterator[Made]:
        """Read text as dates, numbers and codes; set exact duplicates aside; judge the record rules."""
        # The day of a refresh never changes: only a new one would, and that brings new files.
        days = warehouse.read(MetaRefresh.table(), columns=("refresh_id", "received_on"), noted=False)
        yield _made(typed_records.joined(()))
        for table in sorted(RECEIVED):
            for frame, repeated in _by_files(warehouse, table):
                yield _made(typed_records.type_part(table, frame, repeated, project.sources, days))

    def link(warehouse: Warehouse) -> Made:
        """Find whose record it is: by hospital number, else by name, date of birth and sex, exactly."""
        return _made(identity.link(warehouse.layer("typed")))

    def judge(warehouse: Warehouse) -> Made:
        """Judge the rules that need several records; quarantine what breaks an error rule without waiver."""
        first = warehouse.read_parts(Observed.table(), ("typed", "link"))
        held = quarantine.quarantine(_unwaived(warehouse, first))["record_id"]
        crossed = cross_record.observe(warehouse.layer("typed"), warehouse.read(Link.table()), held)
        everything = quarantine.quarantine(_unwaived(warehouse, pl.concat([first, crossed])))
        return Made({Quarantine.table(): everything}, {Observed.table(): crossed})

    def curate(warehouse: Warehouse) -> Iterator[Made]:
        """Join the sound records into patients and events; the declared precedence settles conflicts."""
        links = warehouse.read(Link.table())
        names = pseudonyms(links["patient_id"], pseudonym_key(project.key, warehouse.centre))
        held = warehouse.read(Quarantine.table())["record_id"]
        decided = ledger.chosen_readings(warehouse.read(Decision.table()))
        for some, typed in _by_patients(warehouse, links):
            yield _made(reconcile.curate(typed, some, held, project.sources, names, decided))

    return [
        step(
            project, "typed", {t: _received_for(t) for t in TYPED}, type_records, kinds={"polars", "pandera"}
        ),
        step(project, "link", {Link.table(): ["typed.person"]}, link, kinds={"polars"}),
        step(
            project, "quarantine", {Quarantine.table(): [*TYPED, Link.table(), Decision.table()]}, judge,
            kinds={"polars", "pandera"}, further=_waivers,
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
    """The waivers that the day leaves in force: the passing of a day alone may end one."""
    _, today = tonight(warehouse, noted=False)
    decisions = warehouse.read(Decision.table(), noted=False)
    return " ".join(decisions.filter(pl.col("until") >= today)["decision_id"].sort())


def _by_files(warehouse: Warehouse, table: str) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """A received table by whole files, each time with the ids of all records that repeat another one."""
    if warehouse.height(table) <= _RECORDS:
        frame = warehouse.read(table)
        if not frame.is_empty():
            yield frame, typed_records.repeated(frame)
        return
    places = warehouse.read(table, columns=findings.PLACE)
    repeated = typed_records.repeated(places)
    files = places.group_by("file_id").len().sort("file_id")
    part = (pl.col("len").cum_sum() - pl.col("len")) // _RECORDS
    for some in files.with_columns(part=part).partition_by("part", maintain_order=True):
        yield warehouse.read(table, among=some["file_id"]), repeated


def _by_patients(
    warehouse: Warehouse, links: pl.DataFrame
) -> Iterator[tuple[pl.DataFrame, dict[str, pl.DataFrame]]]:
    """The links and the typed records of some patients after others, in the order of their ids."""
    patients = links["patient_id"].unique().sort()
    if patients.len() <= _PATIENTS:
        yield links, warehouse.layer("typed")
        return
    for some in patients.to_frame().iter_slices(_PATIENTS):
        of_some = links.join(some, on="patient_id", how="semi", maintain_order="left")
        persons = of_some["person_ref"].unique()
        yield of_some, {table: warehouse.read(table, among=persons) for table in TYPED}


def _unwaived(warehouse: Warehouse, observed: pl.DataFrame) -> pl.DataFrame:
    """The observations of errors that no waiver of a steward lets through."""
    broken = observed.filter(pl.col("severity") == "error")
    errors = findings.finding_ids(broken, placed(warehouse, broken["record_id"]), warehouse.centre)
    _, today = tonight(warehouse, noted=False)
    waived = ledger.waived(warehouse.read(Decision.table()), errors, today)
    return errors.filter(~pl.col("finding_id").is_in(waived.implode()))


def _made(result: typed_records.Result) -> Made:
    return Made(
        result.frames, {Observed.table(): result.observed, SetAside.table(): result.disposition}
    )  # fmt: skip


_READ_AS = {
    "typed.person": ("registry_reply", "obds_patient", "table_row", "dicom_plan"),
    "typed.diagnosis": ("obds_diagnosis", "obds_pathology", "table_row"),
    "typed.surgery": ("obds_surgery", "table_row"),
    "typed.radiotherapy": ("obds_radiotherapy", "table_row"),
    "typed.systemic_therapy": ("obds_systemic_therapy", "table_row"),
    "typed.assessment": ("obds_follow_up", "table_row"),
    "typed.vital_status": ("registry_reply", "obds_death", "table_row"),
    "typed.plan": ("dicom_plan",),
    "typed.structure_set": ("dicom_structure_set",),
    "typed.dose": ("dicom_dose",),
    "typed.image": ("dicom_image",),
    "typed.treatment": ("dicom_treatment",),
}


def _received_for(table: str) -> list[str]:
    return [f"received.{name}" for name in _READ_AS[table]]
