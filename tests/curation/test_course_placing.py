"""How plans find their courses: relations through plans that are not used, days of copies, members."""

import datetime as dt
from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.course_placing import Placing
from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.documented_courses import BRACHYTHERAPY, DocumentedCourse, Irradiation
from sarcoma_pipeline.curation.plan_roles import COPY, DRAFT, PLANNED, RESEARCH, TREATED, Role
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan


def day(number: int) -> dt.date:
    return dt.date(2015, 3, 1) + dt.timedelta(number - 1)


def plan(key: str, on: int | None = 1, *relations: tuple[str, str | None], **more) -> Plan:
    return Plan(f"record {key}", key, date=day(on) if on else None, relations=relations, **more)


def role(name: str, of: str | None = None) -> Role:
    return Role(name, "R", "label", of=of)


def placing(
    plans: list[Plan], roles: dict[str, Role] | None = None, given=None, documented=(), dose=50.0
) -> Placing:
    return Placing(
        {one.key: one for one in plans},
        {one.key: (Prescription(dose, 25, (dose,)),) for one in plans},
        given or {},
        {one.key: role(PLANNED) for one in plans} | (roles or {}),
        documented,
        frozenset(),
    )


BEFORE, BESIDE = "PREDECESSOR", "CONCURRENT"
RELATIONS = {
    # what: plans, roles; predecessors and concurrent plans of the plan c
    "its predecessor": ([plan("a"), plan("c", 2, ("a", BEFORE))], {}, {"a"}, set()),
    "not its successor": ([plan("a", 1, ("c", BEFORE)), plan("c", 2)], {}, set(), set()),
    "the plan beside it": ([plan("a"), plan("c", 1, ("a", BESIDE))], {}, set(), {"a"}),
    "a relation of another kind": ([plan("a"), plan("c", 1, ("a", "ALTERNATIVE"))], {}, set(), set()),
    "a relation of no kind": ([plan("a"), plan("c", 1, ("a", None))], {}, set(), set()),
    "a plan that was not delivered": ([plan("c", 1, ("z", BEFORE))], {}, set(), set()),
    "through a draft": (
        [plan("a"), plan("b", 2, ("a", BEFORE)), plan("c", 3, ("b", BEFORE))], {"b": role(DRAFT)},
        {"a"}, set(),
    ),
    "not through a plan that is used": (
        [plan("a"), plan("b", 2, ("a", BEFORE)), plan("c", 3, ("b", BEFORE))], {}, {"b"}, set(),
    ),
    "through a draft, by one kind of relation only": (
        [plan("a"), plan("b", 2, ("a", BESIDE)), plan("c", 3, ("b", BEFORE))], {"b": role(DRAFT)},
        set(), set(),
    ),
    "of a copy": (
        [plan("a"), plan("b", 2, ("a", BEFORE)), plan("c", 3)], {"b": role(COPY, "c")}, {"a"}, set(),
    ),
    "to a copy": (
        [plan("a"), plan("b", 2), plan("c", 3, ("b", BEFORE))], {"b": role(COPY, "a")}, {"a"}, set(),
    ),
    "to a copy of its own": (
        [plan("b", 2), plan("c", 3, ("b", BEFORE))], {"b": role(COPY, "c")}, set(), set(),
    ),
    "through an alternative of another plan": (
        [plan("a"), plan("b", 2), plan("c", 3, ("b", BEFORE))], {"b": role("alternative", "a")}, set(), set(),
    ),
    "of an alternative": (
        [plan("a"), plan("b", 2, ("a", BEFORE)), plan("c", 3)], {"b": role("alternative", "c")}, set(), set(),
    ),
    "in a circle of drafts": (
        [plan("a", 1, ("b", BEFORE)), plan("b", 2, ("a", BEFORE)), plan("c", 3, ("b", BEFORE))],
        {"a": role(DRAFT), "b": role(DRAFT)}, set(), set(),
    ),
    "two ways": (
        [plan("a"), plan("b"), plan("c", 3, ("a", BEFORE), ("b", BEFORE), ("a", BESIDE))], {}, {"a", "b"},
        {"a"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plans", "roles", "before", "beside"), RELATIONS.values(), ids=RELATIONS)
def test_the_plans_that_a_plan_is_related_to(plans, roles, before, beside):
    for given in (plans, plans[::-1]):
        found = placing(given, roles).place(frozenset()).plans["c"]
        assert (set(found.predecessors), set(found.concurrent)) == (before, beside)


DRAFTS = {"b": role(DRAFT), "q": role("quality assurance"), "s": role("setup"), "r": role(RESEARCH)}


def test_only_clinical_plans_and_research_plans_that_were_treated_are_placed():
    plans = [plan(key) for key in "abqsrt"]
    every = placing(plans, DRAFTS | {"t": role(TREATED)})
    assert sorted(every.place(frozenset()).plans) == ["a", "t"]
    assert sorted(every.place(frozenset({"r"})).plans) == ["a", "r", "t"]


def test_a_plan_has_the_earliest_day_of_its_copies_and_that_of_its_records_first():
    plans = [plan("a", 20), plan("b", 5), plan("c", 9), plan("d", None), plan("z", 1)]
    copies = {"b": role(COPY, "a"), "c": role(COPY, "a"), "d": role(COPY, "a"), "z": role("alternative", "a")}
    found = placing(plans, copies).place(frozenset()).plans["a"]
    assert (found.first, found.last) == (day(5), day(5))
    given = {"a": Delivered(2, 2.0, (day(22), day(23)), "records", ("r",))}
    found = placing(plans, copies, given).place(frozenset()).plans["a"]
    assert (found.first, found.last) == (day(22), day(23))
    # Records without a day: that of the plan.
    given = {"a": Delivered(2, 2.0, (), "records", ("r",))}
    found = placing(plans, copies, given).place(frozenset()).plans["a"]
    assert (found.first, found.last) == (day(5), day(5))
    assert placing([plan("a", None)]).place(frozenset()).plans["a"].first is None


def documented(key: str, start: int, dose: float) -> DocumentedCourse:
    return DocumentedCourse(key, f"record {key}", ("r",), start=day(start), end=day(start + 30), dose=dose)


def test_documented_courses_come_first_then_those_of_plans_alone_by_name():
    """The plans of 2019 belong to no documented course: each is one of its own."""
    plans = [plan("a", 1), plan("y", 1500), plan("b", 1900)]
    every = placing(plans, documented=[documented("S2", 400, 30.0), documented("S1", 10, 50.0)])
    found = every.place(frozenset())
    assert [one.key for one in found.courses][:2] == ["S2", "S1"]
    own = [one.key for one in found.courses[2:]]
    assert own == sorted(own) and len(own) == 2
    assert [one.combined is None for one in found.courses] == [True, False, False, False]
    assert [one.documented is None for one in found.courses] == [False, False, True, True]
    assert found.assigned["a"].course == "S1"
    course = found.course("S1")
    assert course is not None and course.key == "S1"
    assert (found.course("S9"), found.course(None)) == (None, None)


def test_days_of_treatment_within_a_course_come_before_its_dose():
    course = documented("S1", 10, 50.0)
    given = {"a": Delivered(2, 2.0, (day(22), day(23)), "records", ("r",))}
    for records, rule in ((given, "A1"), (None, "A2")):
        found = placing([plan("a", 22)], given=records, documented=[course]).place(frozenset())
        assert (found.assigned["a"].course, found.assigned["a"].rule) == ("S1", rule)


def _asked(*doses: float) -> tuple[Prescription, ...]:
    return tuple(Prescription(dose, 3, (dose,), "P3", needs_documentation=True) for dose in doses)


def test_beams_are_compared_with_the_dose_of_the_course_and_sources_with_its_brachytherapy():
    apart = (Irradiation(("r",), BRACHYTHERAPY, dose=15.0, single=5.0),)
    course = replace(documented("S1", 10, 50.0), apart=apart)
    beams, sources = plan("a", 22), plan("b", 23, brachy_type="HDR")
    every = replace(
        placing([beams, sources], documented=[course]),
        read={"a": _asked(15.0, 50.0), "b": _asked(50.0, 15.0)},
    )
    found = every.place(frozenset())
    assert {key: found.assigned[key].course for key in "ab"} == {"a": "S1", "b": "S1"}
    assert (found.plans["a"].prescription.dose, found.plans["b"].prescription.dose) == (50, 15)
    # Without documentation nobody decides.
    alone = replace(every, documented=()).place(frozenset()).plans
    assert (alone["a"].prescription.dose, alone["b"].prescription.dose) == (None, None)


def test_delivered_fractions_are_those_of_the_plan():
    given = {"a": Delivered(2, 2.0, (day(22), day(23)), "records", ("r",))}
    found = placing([plan("a"), plan("b")], given=given).place(frozenset()).plans
    assert (found["a"].delivered, found["b"].delivered) == (given["a"], None)
