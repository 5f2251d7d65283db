"""Which plans of a course are revisions of one phase: each condition of D2, D3, D4 and D8 by itself."""

import datetime as dt
from typing import Any

import pytest

from sarcoma_pipeline.curation.course_phases import CoursePlan
from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from sarcoma_pipeline.curation.plan_phases import phases_of, with_rule
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Beam, Group, Plan
from sarcoma_pipeline.curation.technique import Technique

PHOTONS = Technique(("VMAT",), ("photons",), (6.0,), 6.0)


def part(
    key: str, dose: float | None = 50.0, fractions: int | None = 25, n: int | None = None, first: int = 2, *,
    follows=(), beside=(), label="STS", at=(0.0, 0.0, 0.0), levels=None, days=None,
) -> CoursePlan:  # fmt: skip
    """A plan with its prescription; ``n`` fractions were given, one a day from ``first`` of March on."""
    beam = Beam("1", "DYNAMIC", "PHOTON", None, None, None, None, None, 6.0, at, True, 3, 2, None, key)
    plan = Plan(f"record {key}", key, label=label, frame="9", beams=(beam,),
                groups=(Group("1", fractions, (), (), (), 0),))  # fmt: skip
    given = None
    if n is not None:
        dates = tuple(dt.date(2015, 3, day) for day in (days or range(first, first + n)))
        given = Delivered(n, float(n), dates, "records", (f"given {key}",))
    read = Prescription(dose, fractions, levels if levels is not None else ((dose,) if dose else ()))
    return CoursePlan(plan, read, PHOTONS, given, None, None, frozenset(follows), frozenset(beside))


def documented(dose: float | None) -> DocumentedCourse:
    return DocumentedCourse("c", "r", ("r",), dose=dose)


def shown(plans: list[CoursePlan], course: DocumentedCourse | None = None) -> list[tuple]:
    phases, undecided = phases_of(plans, course)
    assert not undecided
    return [("".join(p.key for p in one.plans), one.dose, one.fractions, one.rule) for one in phases]


ALONE = [("a", 50, 25, "D0"), ("b", 50, 25, "D0")]
TOGETHER = [("ab", 50, 25, "D2")]
TEN = part("a", n=10)
RECORDS = {
    # what: the first plan, the second; whether they are one phase by the records (D2)
    "10 and 15 of 25 fractions": (TEN, part("b", n=15, first=16), True),
    "10 and 16": (TEN, part("b", n=16, first=16), False),
    "doses per fraction within 2 %": (TEN, part("b", 51.0, n=15, first=16), True),
    "another dose per fraction": (TEN, part("b", 52.0, n=15, first=16), False),
    "the same dose per fraction in fewer fractions": (TEN, part("b", 30.0, 15, 15, 16), True),
    "a plan of the rest that was not given yet": (TEN, part("b"), True),
    "a plan without records after a complete one": (part("a", n=25), part("b"), False),
    "one of no fraction after a complete one": (part("a", n=25), part("b", n=0), False),
    "a boost": (TEN, part("b", n=15, first=16, label="BOOST"), False),
    "another site": (TEN, part("b", n=15, first=16, at=(0.0, 0.0, 101.0)), False),
    "10 cm are one site": (TEN, part("b", n=15, first=16, at=(0.0, 0.0, 100.0)), True),
    "one day in common": (TEN, part("b", n=15, first=11), True),
    "two days in common": (TEN, part("b", n=15, first=10), False),
    "days apart from the whole phase": (TEN, part("b", n=2, days=(2, 11)), False),
    "no fractions of the first": (part("a", 50.0, None, 10), part("b", n=15, first=16), False),
    "no dose of the second": (TEN, part("b", None, n=15, first=16), False),
    "no dose of the first": (part("a", None, n=10), part("b", n=15, first=16), False),
    "neither dose": (part("a", None, n=10), part("b", None, n=15, first=16), False),
    "records of the second only": (part("a"), part("b", n=25), True),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "one"), RECORDS.values(), ids=RECORDS)
def test_revisions_by_their_records(first, second, one):
    found = shown([first, second])
    assert [keys for keys, *_ in found] == (["ab"] if one else ["a", "b"])
    dose, fractions = first.prescription.dose, first.prescription.fractions
    assert found[0] == (("ab", dose, fractions, "D2") if one else ("a", dose, fractions, "D0"))


def test_revisions_are_of_the_last_phase_that_fits():
    boost = part("b", 16.0, 8, 4, 12, label="BOOST")
    plans = [part("a", n=8), boost, part("c", n=15, first=17)]
    assert shown(plans) == [("ac", 50, 25, "D2"), ("b", 16, 8, "D0")]
    # Both phases fit: the later one is continued.
    twice = [part("a", 30.0, 15, 5, 2, at=(0, 0, 0)), part("b", 30.0, 15, 5, 8, at=(0, 0, 150.0)),
             part("c", 30.0, 15, 5, 16, at=(0, 0, 75.0))]  # fmt: skip
    assert [keys for keys, *_ in shown(twice)] == ["a", "bc"]


def test_a_revision_is_compared_with_the_site_of_the_one_before_it():
    plans = [part(key, n=5, first=2 + 7 * at, at=(0, 0, 90.0 * at)) for at, key in enumerate("abc")]
    assert shown(plans) == [("abc", 50, 25, "D2")]


A = part("a")
LINKED: dict[str, Any] = {"follows": ["a"]}
RELATION = {
    # what: the second plan; the dose per documentation; the phases
    "the same fractions": (part("b", 52.5, **LINKED), None, [("ab", 52.5, 25, "D3")]),
    "without a dose of its own": (part("b", None, **LINKED), None, [("ab", 50, 25, "D3")]),
    "not linked": (part("b"), None, ALONE),
    "linked to another plan": (part("b", follows=["z"]), None, ALONE),
    "fewer fractions of the same dose": (part("b", 34.0, 17, **LINKED), None, [("ab", 50, 25, "D4")]),
    "fewer fractions of another dose": (
        part("b", 40.0, 17, **LINKED), None, [("a", 50, 25, "D0"), ("b", 40, 17, "D0")],
    ),
    "fewer fractions, not linked": (
        part("b", 34.0, 17), None, [("a", 50, 25, "D0"), ("b", 34, 17, "D0")],
    ),
    "more fractions": (
        part("b", 60.0, 30, **LINKED), None, [("a", 50, 25, "D0"), ("b", 60, 30, "D0")],
    ),
    "no fractions": (
        part("b", 50.0, None, **LINKED), None, [("a", 50, 25, "D0"), ("b", 50, None, "D0")],
    ),
    "a boost that was documented as a sum": (
        part("b", 16.0, 8, label="BOOST", **LINKED), 66.0, [("a", 50, 25, "D0"), ("b", 16, 8, "D0")],
    ),
    "a boost that was not documented": (
        part("b", 16.0, 8, label="BOOST", **LINKED), None, [("ab", 50, 25, "D4")],
    ),
    "a boost documented without it": (
        part("b", 16.0, 8, label="BOOST", **LINKED), 50.0, [("ab", 50, 25, "D4")],
    ),
    "a rest, documented as a sum": (part("b", 16.0, 8, **LINKED), 66.0, [("ab", 50, 25, "D4")]),
    "documented without a dose": (
        part("b", 16.0, 8, label="BOOST", **LINKED), 0.0, [("ab", 50, 25, "D4")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("second", "dose", "phases"), RELATION.values(), ids=RELATION)
def test_replans_by_their_relation(second, dose, phases):
    course = None if dose is None else documented(dose or None)
    assert shown([A, second], course) == phases


def test_a_plan_linked_to_one_whose_fractions_are_unknown_is_a_phase_of_its_own():
    found = shown([part("a", 50.0, None), part("b", **LINKED)])
    assert found == [("a", 50, None, "D0"), ("b", 50, 25, "D0")]


def test_a_full_replan_keeps_the_levels_unless_it_has_its_own():
    def levels(second: CoursePlan) -> tuple[float, ...]:
        ((phase,), _) = phases_of([part("a", 60.0, levels=(60.0, 50.0)), second], None)
        return phase.levels

    assert levels(part("b", 60.0, levels=(60.0, 54.0), **LINKED)) == (60, 54)
    assert levels(part("b", 60.0, levels=(), **LINKED)) == (60, 50)
    assert levels(part("b", 36.0, 15, levels=(36.0,), **LINKED)) == (60, 50), "a rest changes no level"


def test_records_outweigh_a_relation():
    assert shown([part("a", n=25), part("b", n=25, first=4, **LINKED)]) == ALONE


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ((50.0, 25), (50.0, 25), True),
        ((50.0, 25), (51.0, 25), True),
        ((50.0, 25), (52.0, 25), False),
        ((50.0, 25), (50.0, 24), False),
        ((None, 25), (50.0, 25), False),
        ((50.0, 25), (None, 25), False),
        ((None, 25), (None, 25), False),
    ],
)
def test_parts_of_one_plan_are_one_phase_if_they_agree(first, second, joined, turned):
    """The relation may stand in either of the two."""
    a = part("a", *first, beside=["b"] if turned else [])
    b = part("b", *second, beside=[] if turned else ["a"])
    phases, undecided = phases_of([a, b], None)
    assert undecided is not joined
    assert [(len(one.plans), one.dose, one.rule, one.origin) for one in phases] == (
        [(2, first[0], "D8", "relation")] if joined
        else [(1, first[0], "D0", "label"), (1, second[0], "D0", "label")]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("plans", "origin"),
    [
        ([TEN, part("b", n=15, first=16)], "records"),
        ([A, part("b", **LINKED)], "relation"),
        ([A, part("b", 34.0, 17, **LINKED)], "relation"),
        ([A], "label"),
    ],
)
def test_the_origin_of_a_phase_is_what_joined_it(plans, origin):
    ((phase,), _) = phases_of(plans, None)
    assert phase.origin == origin


def test_each_rule_of_a_phase_stands_once():
    ((phase,), _) = phases_of([A, part("b", **LINKED), part("c", follows=["b"])], None)
    assert phase.rule == "D3"
    assert with_rule(phase, "D4") == "D3 D4"
