"""Which volumes and doses are computed: of every clinical plan, and the sum of a course of several plans."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sarcoma_pipeline.curation import planned_doses
from sarcoma_pipeline.curation.plan_roles import approval_rank
from sarcoma_pipeline.curation.planned_doses import ObjectAt, Wanted
from tests.conftest import Outcome
from tests.curation import rt_files
from tests.curation.conftest import Case

COURSES = ("curated.radiotherapy_course", "curated.radiotherapy_phase", "curated.radiotherapy_plan")
TYPED = ("typed.plan", "typed.structure_set", "typed.dose")


@pytest.fixture
def case(records, tmp_path) -> Case:
    return Case(records, tmp_path).patient()


def wanted(outcome: Outcome) -> Wanted:
    typed = {name: outcome.typed[name] for name in TYPED}
    records = [i for name in TYPED[1:] for i in typed[name]["record_id"]]
    places = {i: ObjectAt(f"{i}.dcm", "file", f"hash of {i}", 1) for i in records}
    return planned_doses.wanted({name: outcome.frames[name] for name in COURSES}, typed, places, "settings")


def shown(found: Wanted) -> list[tuple]:
    return sorted(
        (
            one.plan_uid or "course",
            one.whole_course,
            [(p.plan.uid, p.plan.fractions, p.plan.share) for p in one.work.plans],
        )
        for one in found.planned
    )


BOOST: dict[str, Any] = {"label": "BOOST", "date": "20150320", "structures": "1.5"}


def test_the_only_plan_of_a_course_is_the_course(case):
    case.course(50, 2)
    case.files(rt_files.plan("1.1", 50, 25, structures="1.5"), rt_files.structure_set("1.5", "1.6"))
    assert shown(wanted(case.run())) == [("1.1", True, [("1.1", 25, 1.0)])]


def test_a_course_with_a_boost_is_computed_plan_by_plan_and_as_a_sum(case):
    case.course(66, 2, end="2015-04-15")
    case.files(
        rt_files.plan("1.1", 50, 25, structures="1.5"), rt_files.plan("1.2", 16, 8, **BOOST),
        rt_files.structure_set("1.5", "1.6"),
    )  # fmt: skip
    found = wanted(case.run())
    assert shown(found) == [
        ("1.1", False, [("1.1", 25, 1.0)]),
        ("1.2", False, [("1.2", 8, 1.0)]),
        ("course", True, [("1.1", 25, 1.0), ("1.2", 8, 1.0)]),
    ]
    whole = next(one for one in found.planned if one.plan_uid is None)
    assert whole.work.levels == (66.0, 50.0)
    assert not found.not_added


def test_brachytherapy_and_other_sites_are_never_added(case):
    """D9 and D7: the dose of the course is that of the external phases of its first site."""
    case.course(50, 2)
    case.files(
        rt_files.plan("1.1", 50, 25, structures="1.5"),
        rt_files.hdr("1.2", 15, 3, date="20150401", structures="1.5"),
        rt_files.structure_set("1.5", "1.6"),
    )  # fmt: skip
    outcome = case.run()
    assert sorted(outcome["radiotherapy_phase"]["kind"]) == ["brachytherapy", "external beam"]
    assert shown(wanted(outcome)) == [
        ("1.1", False, [("1.1", 25, 1.0)]),
        ("1.2", False, [("1.2", 3, 1.0)]),
        ("course", True, [("1.1", 25, 1.0)]),
    ]


def test_of_two_sites_the_first_is_the_dose_of_the_course(case):
    far = [rt_files.Field(1.5, isocentre=(0.0, 0.0, 300.0))]
    case.course(50, 2)
    case.files(
        rt_files.plan("1.1", 50, 25, structures="1.5"),
        rt_files.plan("1.2", 30, 20, beams=far, structures="1.5"),
        rt_files.structure_set("1.5", "1.6"),
    )  # fmt: skip
    outcome = case.run()
    assert sorted(outcome["radiotherapy_phase"]["site"]) == [1, 2]
    assert shown(wanted(outcome))[-1] == ("course", True, [("1.1", 25, 1.0)])


def test_a_course_that_a_person_must_decide_has_no_sum(case):
    case.files(
        rt_files.plan("1.1", 50, 25, date="20150220", structures="1.5"),
        rt_files.plan("1.2", 48, 24, date="20150221", structures="1.5"),
        rt_files.structure_set("1.5", "1.6"),
    )  # fmt: skip
    outcome = case.run()
    assert outcome["radiotherapy_course"]["prescribed_dose_gy"].to_list() == [None]
    assert [plan for plan, *_ in shown(wanted(outcome))] == ["1.1", "1.2"]


def test_a_plan_whose_structure_set_was_not_exported_has_no_volumes(case):
    case.course(50, 2)
    case.files(rt_files.plan("1.1", 50, 25, structures="1.5"), rt_files.structure_set("1.55", "1.6"))
    assert wanted(case.run()).planned == ()


def test_an_approved_plan_is_more_credible_than_an_unmarked_one_and_that_than_a_draft():
    ranked = sorted(["REJECTED", "UNAPPROVED", None, "APPROVED"], key=approval_rank)
    assert ranked == ["APPROVED", None, "UNAPPROVED", "REJECTED"]
    assert len({approval_rank(one) for one in ranked}) == 4
    assert approval_rank("IN REVIEW") == approval_rank(None), "a word that DICOM does not define says nothing"


def _row(uid: str, fractions: int | None = 25, delivered: int | None = None, **more) -> dict[str, Any]:
    return {
        "sop_instance_uid": uid, "fractions": fractions, "delivered_fractions": delivered, "start_date": None,
        "plan_date": None, "approval": "APPROVED",
    } | more  # fmt: skip


def _day(day: int) -> dt.date:
    return dt.date(2015, 3, day)


EARLIER: dict[str, Any] = {"start_date": _day(2)}
LATER: dict[str, Any] = {"start_date": _day(16)}
SHARES: dict[str, tuple] = {
    # what: rule, fractions of the phase, its plans, and the share of each plan's dose; None: not said
    "one plan counts whole": ("P1", 25, [_row("1")], {"1": 1.0}),
    "one plan, whatever is missing": (None, None, [_row("1", None)], {"1": 1.0}),
    "parts of one plan": ("D8", 28, [_row("2", 20), _row("1", 8)], {"1": 1.0, "2": 1.0}),
    "parts, fractions unknown": ("D8", None, [_row("1", None), _row("2", None)], {"1": 1.0, "2": 1.0}),
    "a full replan": ("D3", 25, [_row("2", **EARLIER), _row("1", **LATER)], {"1": 1.0}),
    "a full replan, fractions unknown": (
        "D3", None, [_row("1", None, **EARLIER), _row("2", **LATER)], {"2": 1.0},
    ),
    "replans, the day of planning counts without a day of treatment": (
        "D3", 25,
        [_row("1", plan_date=_day(20)), _row("2", start_date=_day(2), plan_date=_day(28))],
        {"1": 1.0},
    ),
    "replans of one day, by UID": ("D3", 25, [_row("2", **LATER), _row("1", **LATER)], {"2": 1.0}),
    "equal prescriptions: the approved one": (
        "D5", 25, [_row("1", approval="UNAPPROVED", **LATER), _row("2", **EARLIER)], {"2": 1.0},
    ),
    "equal prescriptions: then the newest": (
        "D5", 25, [_row("1", **EARLIER), _row("2", **LATER)], {"2": 1.0},
    ),
    "equal prescriptions: then by UID": ("D5", 25, [_row("2", **LATER), _row("1", **LATER)], {"1": 1.0}),
    "equal prescriptions: one with a day before one without": (
        "D5", 25, [_row("1"), _row("2", plan_date=_day(2))], {"2": 1.0},
    ),
    "a replan for the rest": (
        "D4", 30, [_row("1", 30, **EARLIER), _row("2", 12, **LATER)], {"1": 18 / 30, "2": 1.0},
    ),
    "a replan for the rest, of a phase that was extended": (
        "D4", 28, [_row("1", 25, **EARLIER), _row("2", 8, **LATER)], {"1": 20 / 25, "2": 1.0},
    ),
    "a rest of all fractions is no rest": ("D4", 25, [_row("1", **EARLIER), _row("2", **LATER)], None),
    "two replans for the rest": (
        "D4", 30, [_row("1", 30, **EARLIER), _row("2", 10, **LATER), _row("3", 5, start_date=_day(20))], None,
    ),
    "a revision: delivered fractions, then those that are left": (
        "D2", 25, [_row("1", delivered=10, **EARLIER), _row("2", **LATER)], {"1": 10 / 25, "2": 15 / 25},
    ),
    "a revision with another number of fractions": (
        "D2", 25, [_row("1", delivered=10, **EARLIER), _row("2", 20, 7, **LATER)],
        {"1": 10 / 25, "2": 15 / 20},
    ),
    "two revisions": (
        "D2", 30,
        [_row("1", 30, 6, **EARLIER), _row("2", 30, 9, **LATER), _row("3", 20, start_date=_day(20))],
        {"1": 6 / 30, "2": 9 / 30, "3": 15 / 20},
    ),
    "a revision after everything was given": (
        "D2", 25, [_row("1", delivered=25, **EARLIER), _row("2", **LATER)], {"1": 1.0, "2": 0.0},
    ),
    "a revision after more than everything": (
        "D2", 24, [_row("1", delivered=25, **EARLIER), _row("2", **LATER)], None,
    ),
    "a revision, nothing known of delivery": ("D2", 25, [_row("1", **EARLIER), _row("2", **LATER)], None),
    "a revision, fractions of the phase unknown": (
        "D2", None, [_row("1", delivered=10, **EARLIER), _row("2", **LATER)], None,
    ),
    "a revision, fractions of a plan unknown": (
        "D2", 25, [_row("1", delivered=10, **EARLIER), _row("2", None, **LATER)], None,
    ),
    "no rule": (None, 50, [_row("1", delivered=10, **EARLIER), _row("2", **LATER)], None),
    "equal prescriptions by another rule as well": ("D5 D1", 25, [_row("1"), _row("2")], None),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "fractions", "rows", "expected"), SHARES.values(), ids=SHARES)
def test_the_share_of_each_plan_in_the_dose_of_a_phase(rule, fractions, rows, expected):
    for given in (rows, rows[::-1]):
        found = planned_doses.shares_of({"rule": rule, "fractions": fractions}, given)
        told = found if found is None else {row["sop_instance_uid"]: share for row, share in found}
        assert told == (expected if expected is None else pytest.approx(expected))
