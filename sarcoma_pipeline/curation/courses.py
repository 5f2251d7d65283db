"""Join documentation, plans and treatment records of a patient into courses of radiotherapy.

The rules are in separate modules, applied in this order: :mod:`.documented_courses` (O), :mod:`.prescription`
(P), :mod:`.delivery`, :mod:`.plan_roles` (R), :mod:`.course_assignment` (A), :mod:`.plan_combination` (D),
:mod:`.course_rules`. This module applies them to each patient.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from sarcoma_pipeline.curation import course_questions, course_rows, plan_rows, planning_images
from sarcoma_pipeline.curation.course_placing import Placed, Placing
from sarcoma_pipeline.curation.course_questions import Asked
from sarcoma_pipeline.curation.course_rows import Note
from sarcoma_pipeline.curation.delivery import (
    RECORDS_PLAN_MISSING,
    Delivered,
    delivered,
    filled,
)
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse, documented_courses
from sarcoma_pipeline.curation.event_numbers import NUMBER_ON_TWO_DATES
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.curation.plan_roles import (
    RESEARCH,
    UID_REUSED,
    Role,
    of_one_uid,
    roles,
)
from sarcoma_pipeline.curation.plan_rows import PatientPlan
from sarcoma_pipeline.curation.prescription import Prescription, decide, readings
from sarcoma_pipeline.curation.radiotherapy_plans import Plan, plan_of
from sarcoma_pipeline.curation.treatment_records import TreatmentRecord, record_of
from schemas import curated_radiotherapy, typed, typed_dicom
from schemas.distinct_values import distinct
from schemas.quality import Observation

Frames = Mapping[str, pl.DataFrame]

UNREFERRED = "no plan of a course refers to it"
"""Why a structure set, dose, image or treatment record belongs to no course."""


@dataclass(frozen=True)
class Courses:
    """The curated tables of radiotherapy, and the observations.

    Attributes:
        courses: ``curated.radiotherapy_course`` without days.
        phases: ``curated.radiotherapy_phase``.
        plans: ``curated.radiotherapy_plan``.
        readings: ``curated.radiotherapy_reading``.
        observed: rules broken (``schemas.quality.Observation``).
        idle: records that belong to no course, with the reason.
    """

    courses: pl.DataFrame
    phases: pl.DataFrame
    plans: pl.DataFrame
    readings: pl.DataFrame
    observed: pl.DataFrame
    idle: list[tuple[str, pl.DataFrame]]


def curate(
    sound: Frames,
    precedence: Sequence[str],
    *,
    sites: Mapping[str, str | None] | None = None,
    decided: Collection[str] = frozenset(),
    known_plans: Collection[str] = frozenset(),
) -> Courses:
    """Join plans and treatment records with documented courses.

    Args:
        sound: typed tables with ``patient_id``, without quarantined records; plans with the ``tumour_id`` of
            the index tumour.
        precedence: order of the sources for radiotherapy.
        sites: patient to the site of the index tumour, which names the main target region.
        decided: keys of the readings that data stewards chose (``curated.radiotherapy_reading``).
        known_plans: SOP instance UIDs of all delivered plans, including those in quarantine.
    """
    plan_first = _rank(precedence, "DICOM") < _rank(precedence, "oBDS")
    documentation = _rows(sound[typed.Radiotherapy.table()].sort(*NEWEST_LAST, "part", nulls_last=False))
    plans = _rows(sound[typed_dicom.Plan.table()].sort("sop_instance_uid", "record_id"))
    records = _rows(sound[typed_dicom.Treatment.table()].sort("record_id"))
    surgeries = _rows(sound[typed.Surgery.table()].select("patient_id", "surgery_date"))
    made = _Made()
    for patient in sorted({*documentation, *plans, *records}):
        days = frozenset(r["surgery_date"] for r in surgeries.get(patient, ()) if r["surgery_date"])
        site = (sites or {}).get(patient)
        _Patient(
            patient, documented_courses(documentation.get(patient, ()), site, days), plans.get(patient, ()),
            records.get(patient, ()), days, plan_first, decided, made,
        ).curate()  # fmt: skip
    lost = [r["record_id"] for of in records.values() for r in of if r["record_id"] not in made.used]
    gone = [i for i in lost if made.refers[i] not in known_plans] if lost else []
    made.notes += [(RECORDS_PLAN_MISSING, i, "treatment", "refers_to", None) for i in gone]
    return _frames(sound, made)


def _rank(precedence: Sequence[str], source: str) -> int:
    return list(precedence).index(source) if source in precedence else len(precedence)


def _rows(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in frame.iter_rows(named=True):
        found[row["patient_id"]].append(row)
    return found


@dataclass
class _Made:
    courses: list[dict[str, Any]] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    refers: dict[str, str | None] = field(default_factory=dict)


@dataclass
class _Patient:
    """The radiotherapy of one patient."""

    patient: str
    documented: Sequence[DocumentedCourse]
    plan_rows: Sequence[Mapping[str, Any]]
    record_rows: Sequence[Mapping[str, Any]]
    surgeries: frozenset[dt.date]
    plan_first: bool
    decided: Collection[str]
    made: _Made

    def curate(self) -> None:
        self.made.notes += [
            (NUMBER_ON_TWO_DATES, course.record_id, "radiotherapy", "start_date", str(course.start))
            for course in self.documented
            if course.number_again and course.target == 1
        ]
        plans = self._plans()
        records = self._records(plans)
        given = filled(
            {
                key: found
                for key, plan in plans.items()
                if (found := delivered(plan, records.get(key, ()))) is not None
            }
        )
        read = {key: readings(plan) for key, plan in plans.items()}
        plain = {key: decide(found, ()) for key, found in read.items()}
        totals = [pair for course in self.documented for pair in course.documented]
        role = roles(list(plans.values()), plain, given, totals)
        # A research plan is used only if a data steward decided that it was treated.
        everything = Placing(plans, read, given, role, self.documented, self.surgeries)
        research = sorted(key for key, r in role.items() if r.role == RESEARCH)
        placing = everything.place(frozenset())
        asked: list[Asked] = []
        for key in research:
            within = everything.place(frozenset({key}))
            course = within.assigned[key].course
            asked.append(
                course_questions.of_research(plans[key], placing.course(course), within.course(course))
            )
        treated = frozenset(
            key
            for key, one in zip(research, asked, strict=True)
            if any(reading.key in self.decided and reading.number == 2 for reading in one.readings)
        )
        if treated:
            placing = everything.place(treated)
        for one in asked:
            self._ask(one)
        self._write(plans, plain, role, given, records, placing)

    def _tumour(self) -> str | None:
        """Return the tumour of courses that consist of plans only."""
        return next((row["tumour_id"] for row in self.plan_rows), None)

    def _plans(self) -> dict[str, Plan]:
        """Return each plan once, with all records of its UID."""
        same: dict[str, list[Plan]] = defaultdict(list)
        for row in self.plan_rows:
            plan = plan_of(row)
            same[plan.key].append(plan)
        self.ids = {key: [p.record_id for p in plans] for key, plans in same.items()}
        found: dict[str, Plan] = {}
        for key, plans in same.items():
            found[key], differ = of_one_uid(plans)
            if differ:
                record = found[key].record_id
                self.made.notes.append(
                    (UID_REUSED, record, "plan", "sop_instance_uid", f"{len(plans)} plans")
                )
        return found

    def _records(self, plans: Mapping[str, Plan]) -> dict[str, list[TreatmentRecord]]:
        found: dict[str, list[TreatmentRecord]] = defaultdict(list)
        for row in self.record_rows:
            record = record_of(row)
            self.made.refers[record.record_id] = record.plan
            if record.plan is not None and record.plan in plans:
                found[record.plan].append(record)
                self.made.used.add(record.record_id)
        return found

    def _write(
        self,
        plans: Mapping[str, Plan],
        plain: Mapping[str, Prescription],
        role: Mapping[str, Role],
        given: Mapping[str, Delivered],
        records: Mapping[str, Sequence[TreatmentRecord]],
        placing: Placed,
    ) -> None:
        made = self.made
        phase_of: dict[str, int] = {}
        for course in placing.courses:
            rows = course_rows.rows(self.patient, course, self.plan_first, self.decided, self.ids, records)
            made.courses.append({"tumour_id": self._tumour()} | rows.course)
            made.phases += rows.phases
            made.notes += rows.notes
            phase_of |= rows.phase_of
            for question in rows.asked:
                self._ask(question)
            made.keys += [
                {
                    "patient_id": self.patient, "course_id": course.key, "sop_instance_uid": key,
                    "frame_of_reference_uid": plans[key].frame, "structures": plans[key].structures,
                    "rank": rank,
                }
                for rank, key in enumerate(rows.by_dose)
            ]  # fmt: skip
        for key, plan in plans.items():
            one = PatientPlan(
                plan, role[key], placing.plans.get(key), plain[key], placing.assigned.get(key),
                given.get(key), phase_of.get(key), tuple(self.ids[key]),
                tuple(r.record_id for r in records.get(key, ())),
            )  # fmt: skip
            made.plans.append(plan_rows.plan_row(self.patient, one))
            made.notes += plan_rows.plan_notes(one)

    def _ask(self, question: Asked) -> None:
        chosen = course_questions.chosen(question, self.decided)
        self.made.readings += plan_rows.reading_rows(self.patient, question, self.decided)
        self.made.notes.append(plan_rows.question_note(question, chosen))


# --- frames -------------------------------------------------------------------------------------------


def _frames(sound: Frames, made: _Made) -> Courses:
    keys = pl.DataFrame(
        made.keys,
        schema={
            "patient_id": pl.String, "course_id": pl.String, "sop_instance_uid": pl.String,
            "frame_of_reference_uid": pl.String, "structures": pl.String, "rank": pl.Int32,
        },
    )  # fmt: skip
    links, thickness = planning_images.attach(sound, keys)
    course = _table(curated_radiotherapy.RadiotherapyCourse, made.courses)
    attached = links.group_by("patient_id", "course_id").agg(attached=pl.col("record_id").unique())
    joined = (
        course.drop("ct_slice_thickness_mm")
        .join(attached, on=["patient_id", "course_id"], how="left", maintain_order="left")
        .join(thickness, on=["patient_id", "course_id"], how="left", maintain_order="left")
        .with_columns(record_ids=distinct(pl.concat_list("record_ids", pl.col("attached").fill_null([]))))
        if course.height
        else course
    )
    objects = pl.concat(
        [
            sound[c.table()].select("record_id")
            for c in (typed_dicom.StructureSet, typed_dicom.Dose, typed_dicom.Image, typed_dicom.Treatment)
        ]
    )
    return Courses(
        curated_radiotherapy.RadiotherapyCourse.conform(joined),
        _table(curated_radiotherapy.RadiotherapyPhase, made.phases),
        _table(curated_radiotherapy.RadiotherapyPlan, made.plans),
        _table(curated_radiotherapy.RadiotherapyReading, made.readings),
        _observed(made.notes),
        [(UNREFERRED, objects)],
    )


def _table(contract: type[Any], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    if not rows:
        return contract.empty()
    schema = contract.polars_schema()
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)


def _observed(notes: Iterable[Note]) -> pl.DataFrame:
    rows = [
        {
            "rule_id": rule.id, "severity": rule.severity, "record_id": record,
            "table_name": f"typed.{table}", "column_name": column, "value": value, "note": None,
        }
        for rule, record, table, column, value in dict.fromkeys(notes)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=Observation.polars_schema())
