"""Build rows and findings of single plans, clinical or not, and of the questions about a course."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.curation.course_assignment import Assignment
from sarcoma_pipeline.curation.course_phases import CoursePlan
from sarcoma_pipeline.curation.course_questions import DECIDED, Asked, AskedReading
from sarcoma_pipeline.curation.course_rows import Note, how_columns, unit_of
from sarcoma_pipeline.curation.delivery import RECORDS_INCOMPLETE, Delivered
from sarcoma_pipeline.curation.plan_roles import CLINICAL, DRAFT, REJECTED, Role
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from sarcoma_pipeline.curation.technique import technique_of
from schemas.rule import Rule

UNAPPROVED = Rule(
    "plan.unapproved",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan is not approved, and no treatment record refers to it; it is not used.",
    remedy="Approve it in the planning system if it was treated, otherwise remove it from the export.",
    scope="source",
    source="DICOM PS3.3 C.8.8.16 ApprovalStatus",
    alone="the approval is missing in the plan itself",
)


@dataclass(frozen=True)
class PatientPlan:
    """All facts about one plan of a patient, clinical or not."""

    plan: Plan
    role: Role
    part: CoursePlan | None
    read: Prescription
    assigned: Assignment | None
    delivered: Delivered | None
    phase: int | None
    record_ids: tuple[str, ...]
    treatment_ids: tuple[str, ...]


def plan_row(patient: str, one: PatientPlan) -> dict[str, Any]:
    """Return the row of one plan, clinical or not."""
    plan, part = one.plan, one.part
    read = part.prescription if part else one.read
    given = part.delivered if part else one.delivered
    how = part.technique if part else technique_of(plan)
    single = read.single
    dose = given.shares * single if given and single is not None else None
    if given and given.dose is not None:
        dose = given.dose
    return {
        "patient_id": patient,
        "record_ids": sorted({*one.record_ids, *one.treatment_ids}),
        "sop_instance_uid": plan.key,
        "course_id": one.assigned.course if one.assigned else None,
        "phase": one.phase,
        "role": one.role.role,
        "role_rule": one.role.rule,
        "role_origin": one.role.origin,
        "role_of": one.role.of,
        "course_rule": one.assigned.rule if one.assigned else None,
        "course_origin": one.assigned.origin if one.assigned else None,
        "plan_label": plan.label,
        "plan_date": plan.date,
        "approval": plan.approval,
        "prescribed_dose_gy": read.dose,
        "single_dose_gy": single,
        "levels_gy": list(read.levels) or None,
        "fractions": read.fractions,
        "planned_dose_gy": plan.beam_dose,
        "dose_origin": read.origin,
        "delivered_fractions": given.fractions if given else None,
        "delivered_dose_gy": dose,
        "delivery_origin": given.origin if given else None,
        "start_date": given.dates[0] if given and given.dates else None,
        "end_date": given.dates[-1] if given and given.dates else None,
        **how_columns(how, how.radiation),
        "dose_unit": unit_of(how.radiation),
        "rule": read.rule or None,
        "origin": "documentation" if read.needs_documentation else "label",
    }


def plan_notes(one: PatientPlan) -> Iterator[Note]:
    """Yield the findings on one plan: role, prescription, records, course."""
    record = one.plan.record_id
    for rule in one.role.notes:
        yield rule, record, "plan", "sop_instance_uid", None
    if one.role.role in (DRAFT, REJECTED):
        yield UNAPPROVED, record, "plan", "approval", one.plan.approval
    if one.delivered:
        for rule, at, value in one.delivered.notes:
            yield rule, at, "treatment", "fraction_number", value
        if one.delivered.missing:
            missing = "missing " + ", ".join(map(str, one.delivered.missing))
            yield RECORDS_INCOMPLETE, one.delivered.record_ids[0], "treatment", "fraction_number", missing
    if one.role.role not in CLINICAL:
        return
    if one.part:
        for rule in one.part.prescription.notes:
            yield rule, record, "plan", "prescribed_dose_gy", _shown(one.part.prescription.dose)
    if one.assigned:
        for rule in one.assigned.notes:
            day = one.plan.date.isoformat() if one.plan.date else None
            yield rule, record, "plan", "plan_date", day


def _shown(dose: float | None) -> str | None:
    return None if dose is None else f"{dose:g}"


def reading_rows(patient: str, question: Asked, decided: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of a question's readings."""
    return [
        {
            "patient_id": patient,
            "record_ids": list(question.record_ids),
            "course_id": question.course,
            "rule_id": question.rule.id,
            "record_id": question.record_id,
            "reading": reading.number,
            "text": reading.text,
            "prescribed_dose_gy": reading.dose,
            "fractions": reading.fractions,
            "reading_key": reading.key,
            "chosen": reading.key in decided,
        }
        for reading in question.readings
    ]


def question_note(question: Asked, answer: AskedReading | None) -> Note:
    """Return the finding that asks the question, or the notice that it was answered."""
    column = "prescribed_dose_gy"
    if answer is not None:
        return DECIDED, question.record_id, question.table, column, str(answer)
    return question.rule, question.record_id, question.table, column, " | ".join(map(str, question.readings))
