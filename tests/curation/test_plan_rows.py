"""The row of a plan and its findings: what its course says of it comes before what it says itself."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from sarcoma_pipeline.curation import plan_rows
from sarcoma_pipeline.curation.course_assignment import AFTER_COURSE, Assignment
from sarcoma_pipeline.curation.course_phases import CoursePlan
from sarcoma_pipeline.curation.delivery import FRACTION_TWICE, RECORDS_INCOMPLETE, Delivered
from sarcoma_pipeline.curation.plan_roles import COPIED, Role
from sarcoma_pipeline.curation.plan_rows import UNAPPROVED, PatientPlan
from sarcoma_pipeline.curation.prescription import BEAM_DOSE_DIFFERS, Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from sarcoma_pipeline.curation.technique import Technique

D2, D9 = dt.date(2015, 3, 2), dt.date(2015, 3, 9)
PLAN = Plan("record a", "a", date=dt.date(2015, 2, 20), label="STS", approval="UNAPPROVED")
PHOTONS = Technique(("VMAT",), ("photons",), (6.0,), 6.0)
PROTONS = Technique(("proton",), ("protons",), (150.0,), None)
READ = Prescription(50.0, 25, (50.0,), "P1", "target prescription", notes=(BEAM_DOSE_DIFFERS,))
GIVEN = Delivered(
    5, 4.5, (D2, D9), "records", ("t2", "t1"), missing=(3, 4), notes=((FRACTION_TWICE, "t1", "2"),)
)
PART = CoursePlan(PLAN, READ, PHOTONS, GIVEN)
ASSIGNED = Assignment("S1", "A1", "documentation", (AFTER_COURSE,))
ONE = PatientPlan(
    PLAN, Role("treated", "R4", "records"), PART, Prescription(9.0, 3), ASSIGNED,
    Delivered(1, 1.0, (), "summary", ("t9",)), 1, ("b", "a"), ("t2", "a"),
)  # fmt: skip


def row(**changes: Any) -> dict[str, Any]:
    return plan_rows.plan_row("p", replace(ONE, **changes))


def test_the_row_of_a_plan_of_a_course():
    found = row()
    assert found["record_ids"] == ["a", "b", "t2"]
    shown = ("course_id", "phase", "role", "role_rule", "course_rule", "course_origin", "prescribed_dose_gy",
             "single_dose_gy", "levels_gy", "fractions", "delivered_fractions", "delivered_dose_gy",
             "delivery_origin", "start_date", "end_date", "technique", "dose_unit", "rule",
             "origin")  # fmt: skip
    assert [found[name] for name in shown] == [
        "S1", 1, "treated", "R4", "A1", "documentation", 50, 2, [50.0], 25, 5, 9, "records", D2, D9, "VMAT",
        "Gy", "P1", "label",
    ]  # fmt: skip


def test_the_row_of_a_plan_without_a_course_shows_its_own_reading_and_records():
    found = row(part=None, assigned=None, phase=None)
    shown = ("course_id", "course_rule", "prescribed_dose_gy", "levels_gy", "fractions", "start_date",
             "delivered_fractions", "delivered_dose_gy", "delivery_origin", "end_date", "rule")  # fmt: skip
    expected = [None, None, 9, None, 3, None, 1, 3, "summary", None, None]
    assert [found[name] for name in shown] == expected


@pytest.mark.parametrize(
    ("part", "fractions", "dose"),
    [
        (replace(PART, delivered=replace(GIVEN, dose=8.25)), 5, 8.25),
        (replace(PART, delivered=replace(GIVEN, dose=0.0)), 5, 0.0),
        (replace(PART, prescription=Prescription(None, 25)), 5, None),
        (replace(PART, prescription=Prescription(None, 25), delivered=replace(GIVEN, dose=8.25)), 5, 8.25),
        (replace(PART, prescription=Prescription(0.0, 25)), 5, 0.0),
        (replace(PART, delivered=None), None, None),
    ],
)
def test_the_delivered_dose_of_a_plan(part, fractions, dose):
    found = row(part=part)
    assert (found["delivered_fractions"], found["delivered_dose_gy"]) == (fractions, dose)


def test_the_unit_and_what_the_reading_rests_on():
    part = replace(PART, technique=PROTONS, prescription=replace(READ, needs_documentation=True))
    found = row(part=part)
    assert (found["dose_unit"], found["technique"], found["origin"]) == ("Gy(RBE)", "proton", "documentation")


def notes(**changes: Any) -> list[tuple]:
    found = plan_rows.plan_notes(replace(ONE, **changes))
    return [(rule.id, record, table, value) for rule, record, table, _, value in found]


OF_RECORDS = [
    (FRACTION_TWICE.id, "t1", "treatment", "2"),
    (RECORDS_INCOMPLETE.id, "t2", "treatment", "missing 3, 4"),
]
NOTES: list[tuple[dict, list[tuple]]] = [
    (
        {"delivered": GIVEN},
        [
            *OF_RECORDS, (BEAM_DOSE_DIFFERS.id, "record a", "plan", "50"),
            (AFTER_COURSE.id, "record a", "plan", "2015-02-20"),
        ],
    ),
    ({"delivered": None, "part": None, "assigned": None}, []),
    ({"delivered": None, "assigned": None}, [(BEAM_DOSE_DIFFERS.id, "record a", "plan", "50")]),
    (
        {"assigned": None, "part": replace(PART, prescription=replace(READ, dose=None))},
        [(BEAM_DOSE_DIFFERS.id, "record a", "plan", None)],
    ),
    ({"plan": replace(PLAN, date=None), "part": None}, [(AFTER_COURSE.id, "record a", "plan", None)]),
    ({"role": Role("draft", "R5", "label")}, [(UNAPPROVED.id, "record a", "plan", "UNAPPROVED")]),
    ({"role": Role("rejected", "R5", "label")}, [(UNAPPROVED.id, "record a", "plan", "UNAPPROVED")]),
    (
        {"role": Role("copy", "R3", "label", "b", (COPIED,)), "delivered": GIVEN},
        [(COPIED.id, "record a", "plan", None), *OF_RECORDS],
    ),
    ({"role": Role("planned", "R7", "label"), "part": None, "assigned": None}, []),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), NOTES)
def test_the_findings_on_a_plan(changes, expected):
    assert notes(**changes) == expected
