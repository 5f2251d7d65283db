"""Which of the delivered structure sets, doses and plans a calculation reads, in any order of the records."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import planned_doses
from sarcoma_pipeline.curation.planned_doses import ObjectAt, Wanted
from schemas.contract import Contract
from schemas.curated_radiotherapy import RadiotherapyCourse, RadiotherapyPhase, RadiotherapyPlan
from schemas.typed_dicom import Dose, Plan, StructureSet

OLD, NEW = dt.date(2026, 1, 1), dt.date(2026, 1, 2)
COURSE: dict[str, Any] = {"course_id": "C", "prescribed_dose_gy": 66.0, "levels_gy": [66.0]}


def plan(uid: str, *records: str, phase: int | None = 1, **more: Any) -> dict[str, Any]:
    """A row of the curated plans, which rests on the records."""
    return {
        "sop_instance_uid": uid, "course_id": "C", "phase": phase, "role": "treated", "fractions": 25,
        "record_ids": [*records],
    } | more  # fmt: skip


def typed(
    record: str, uid: str | None = "1.1", structures: str | None = "1.5", **more: Any
) -> dict[str, Any]:
    return {"record_id": record, "sop_instance_uid": uid, "refers_to": structures, "phantom": False} | more


def of_set(record: str, uid: str = "1.5", on: dt.date = OLD, **more: Any) -> dict[str, Any]:
    return {"record_id": record, "sop_instance_uid": uid, "received_on": on, "phantom": False} | more


def dose(record: str, of: str | None = "1.1", on: dt.date = OLD, **more: Any) -> dict[str, Any]:
    return {"record_id": record, "refers_to": of, "received_on": on, "phantom": False} | more


def external(number: int, **more: Any) -> dict[str, Any]:
    return {"course_id": "C", "phase": number, "kind": "external beam", "site": 1, "fractions": 25} | more


def table(contract: type[Contract], rows: list[dict], *, turned: bool) -> pl.DataFrame:
    schema = contract.polars_schema()
    usual = {"patient_id": "P"}
    given = [usual | one for one in (rows[::-1] if turned else rows)]
    return pl.DataFrame({name: [one.get(name) for one in given] for name in schema}, schema=schema)


SETS, PHASE = [of_set("s1")], [external(1)]


def wanted(plans, known, sets=SETS, doses=(), phases=PHASE, course=COURSE, lost=(), unused=()) -> Wanted:
    """The calculations, which must not depend on the order of rows; ``lost`` records have no place."""
    records = [one["record_id"] for one in (*sets, *doses)]
    places = {i: ObjectAt(f"{i}.dcm", "file", i, 1) for i in records if i not in lost}
    rests = course | {"record_ids": [i for i in records if i not in unused]}
    found = [
        planned_doses.wanted(
            {
                "curated.radiotherapy_course": table(RadiotherapyCourse, [rests], turned=turned),
                "curated.radiotherapy_phase": table(RadiotherapyPhase, [*phases], turned=turned),
                "curated.radiotherapy_plan": table(RadiotherapyPlan, [*plans], turned=turned),
            },
            {
                "typed.plan": table(Plan, [*known], turned=turned),
                "typed.structure_set": table(StructureSet, [*sets], turned=turned),
                "typed.dose": table(Dose, [*doses], turned=turned),
            },
            places,
            "settings",
        )
        for turned in (False, True)
    ]
    assert found[0] == found[1]
    return found[0]


def read(found: Wanted) -> list[tuple]:
    """For each calculation the plan, whether it is the whole course, the structure set and the doses."""
    return [
        (
            one.plan_uid, one.whole_course, one.structure_record,
            [at.content_hash for part in one.work.plans for at in part.doses],
        )
        for one in sorted(found.planned, key=lambda one: (one.plan_uid or "", one.structure_record))
    ]  # fmt: skip


ONE, KNOWN = [plan("1.1", "p1")], [typed("p1")]
FILES = {
    # what: how it differs; the structure set and doses that are read
    "one of each": ({"doses": [dose("d1")]}, ("s1", ["d1"])),
    "the newest delivery of the set": ({"sets": [of_set("s2"), of_set("s1", on=NEW)]}, ("s1", [])),
    "of one day the last by record": ({"sets": [of_set("s1"), of_set("s2")]}, ("s2", [])),
    "the newest that is still there": (
        {"sets": [of_set("s1"), of_set("s2", on=NEW)], "lost": ["s2"]}, ("s1", []),
    ),
    "no set of another name": ({"sets": [of_set("s1"), of_set("s2", "1.6", NEW)]}, ("s1", [])),
    "no set of a phantom": ({"sets": [of_set("s1"), of_set("s2", on=NEW, phantom=True)]}, ("s1", [])),
    "no set on which nothing rests": (
        {"sets": [of_set("s1"), of_set("s2", on=NEW)], "unused": ["s2"]}, ("s1", []),
    ),
    "doses in the order of delivery": (
        {"doses": [dose("d3"), dose("d2"), dose("d1", on=NEW)]}, ("s1", ["d2", "d3", "d1"]),
    ),
    "no dose of another plan, of a phantom, of nothing, or that is gone": (
        {
            "doses": [dose("d1"), dose("d2", "1.9"), dose("d3", phantom=True), dose("d4", None), dose("d5")],
            "lost": ["d5"],
        },
        ("s1", ["d1"]),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), FILES.values(), ids=FILES)
def test_the_files_of_a_plan(changes, expected):
    found = wanted(ONE, KNOWN, **changes)
    assert read(found) == [("1.1", True, *expected)]
    (one,) = found.planned
    assert one.record_ids == tuple(sorted(["p1", expected[0], *expected[1]]))


@pytest.mark.parametrize(
    "changes",
    [
        {"sets": [of_set("s1")], "lost": ["s1"]},
        {"known": [typed("p1", structures=None)]},
        {"known": [typed("p1", phantom=True)]},
        {"known": [typed("p9")]},
        {"plans": [plan("1.1", "p1", role="draft")]},
    ],
)
def test_a_plan_without_its_set_its_record_or_a_clinical_role_is_not_computed(changes):
    assert wanted(**({"plans": ONE, "known": KNOWN} | changes)).planned == ()


def test_of_two_deliveries_of_a_plan_the_last_record_counts():
    beams = [{"ReferencedBeamNumber": "+2"}, {"ReferencedBeamNumber": "A"}]
    group = {"FractionGroupNumber": "01", "NumberOfFractionsPlanned": "25", "Beams": beams}
    groups = json.dumps([group])
    known = [typed("p1", structures="1.6"), typed("p2", fraction_groups=groups)]
    (one,) = wanted([plan("1.1", "p1", "p2")], known, [of_set("s1"), of_set("s2", "1.6")]).planned
    assert (one.plan_record, one.structure_record) == ("p2", "s1")
    (found,) = one.work.plans[0].plan.groups
    assert (found.number, found.fractions, found.beams) == ("1", 25, {"2", "A"})


def test_a_plan_without_a_course_or_a_phase_is_not_the_whole_course():
    for row in (plan("1.1", "p1", phase=None), plan("1.1", "p1", course_id=None)):
        assert read(wanted([row], KNOWN)) == [("1.1", False, "s1", [])]
    # A plan without a phase gives no dose of the course: the other one does.
    two = [plan("1.1", "p1"), plan("1.2", "p2", phase=None)]
    found = wanted(two, [*KNOWN, typed("p2", "1.2")])
    assert read(found) == [("1.1", True, "s1", []), ("1.2", False, "s1", [])]


TWO = [plan("1.1", "p1", levels_gy=[50.0]), plan("1.2", "p2", phase=2, levels_gy=[16.0])]
BOTH = [typed("p1"), typed("p2", "1.2")]
PHASES = [external(1), external(2)]


def sums(found: Wanted) -> list[tuple]:
    return [
        (one.structure_record, one.plan_record, [p.plan.uid for p in one.work.plans], one.work.levels)
        for one in sorted(found.planned, key=lambda one: one.structure_record)
        if one.plan_uid is None
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("s1", "p1", ["1.1", "1.2"], (66.0,))]),
        ({"course": COURSE | {"levels_gy": None}}, [("s1", "p1", ["1.1", "1.2"], ())]),
        ({"course": COURSE | {"prescribed_dose_gy": None}}, []),
        # Each structure set has the sum.
        (
            {
                "known": [typed("p1"), typed("p2", "1.2", "1.6")],
                "sets": [of_set("s1"), of_set("s2", "1.6")],
            },
            [("s1", "p1", ["1.1", "1.2"], (66.0,)), ("s2", "p2", ["1.1", "1.2"], (66.0,))],
        ),
        ({"known": [typed("p1", structures=None), typed("p2", "1.2")]},
         [("s1", "p2", ["1.1", "1.2"], (66.0,))]),
        # Only external beams of the first site are added; a phase without a site is of the first one.
        ({"phases": [external(1), external(2, kind="brachytherapy")]}, [("s1", "p1", ["1.1"], (66.0,))]),
        ({"phases": [external(1), external(2, site=2)]}, [("s1", "p1", ["1.1"], (66.0,))]),
        ({"phases": [external(1, site=None), external(2)]}, [("s1", "p1", ["1.1", "1.2"], (66.0,))]),
        ({"phases": [external(1, kind="intraoperative"), external(2, site=2)]}, []),
        # Without the record of one plan its dose is missing.
        ({"known": [typed("p1")]}, []),
    ],
)  # fmt: skip
def test_the_sum_of_a_course(changes, expected):
    found = wanted(**({"plans": TWO, "known": BOTH, "phases": PHASES} | changes))
    assert sums(found) == expected
    assert not found.not_added
    assert [one.work.levels for one in found.planned if one.plan_uid == "1.2"] in ([(16.0,)], [])


def test_plans_of_one_phase_without_a_rule_are_told_and_not_added():
    plans = [plan("1.1", "p1", "p3"), plan("1.2", "p2")]
    found = wanted(plans, [*BOTH, typed("p3")])
    assert (sums(found), found.not_added) == ([], (("p3", "2 plans of phase 1"),))


def test_the_rests_of_a_revision_are_added_by_their_shares():
    plans = [plan("1.1", "p1", delivered_fractions=10, start_date=OLD), plan("1.2", "p2", start_date=NEW)]
    found = wanted(plans, BOTH, phases=[external(1, rule="D2")])
    (one,) = [one for one in found.planned if one.plan_uid is None]
    assert [(p.plan.uid, p.plan.share) for p in one.work.plans] == [("1.1", 10 / 25), ("1.2", 15 / 25)]
