"""Which volumes and doses are computed: of every clinical plan, and the sum of a course of several plans."""

from __future__ import annotations

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
