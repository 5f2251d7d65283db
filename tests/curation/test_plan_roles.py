"""Roles R1 to R7: each rule fires, does not fire, meets what is missing, and a sibling."""

import datetime as dt
from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.plan_roles import Role, of_one_uid, roles
from sarcoma_pipeline.curation.prescription import decide, readings
from sarcoma_pipeline.curation.radiotherapy_plans import Beam, DoseReference, Group, GroupBeam, Plan

BEAM = Beam("1", "DYNAMIC", "PHOTON", "TREATMENT", "L1", None, None, 1000.0, 6.0, (0.0, 0.0, 0.0), True, 3, 2,
            None, "d")  # fmt: skip
GIVEN = Delivered(25, 25.0, (dt.date(2015, 3, 2),), "records", ("r1",))


def _plan(key: str, dose: float = 50.0, fractions: int = 25, **more) -> Plan:
    meterset = more.pop("meterset", 300.0)
    beams = more.pop("beams", (BEAM,))
    used = tuple(GroupBeam(b.number, dose / fractions / len(beams), meterset) for b in beams)
    made = Plan(
        record_id=f"record {key}", key=key, date=dt.date(2015, 2, 20), label="STS", intent="CURATIVE",
        approval="APPROVED", frame="9", references=(DoseReference("1", "TARGET", "SITE", "PTV", dose),),
        groups=(Group("1", fractions, (), used, (), 0),), beams=beams,
    )  # fmt: skip
    return replace(made, **more)


def _roles(*plans: Plan, given=(), documented=()) -> dict[str, Role]:
    plain = {p.key: decide(readings(p), ()) for p in plans}
    return roles(plans, plain, dict.fromkeys(given, GIVEN), documented)


def _said(*plans: Plan, **more) -> dict[str, tuple[str, str]]:
    return {key: (role.role, role.rule) for key, role in _roles(*plans, **more).items()}


PLANNED = ("planned", "R7")
QA = ("quality assurance", "R1")


@pytest.mark.parametrize("intent", ["VERIFICATION", "MACHINE_QA", "SERVICE"])
def test_r1_by_intent(intent):
    assert _said(_plan("a", intent=intent, fractions=1, dose=2)) == {"a": QA}
    assert _said(_plan("a", intent=None)) == {"a": PLANNED}
    assert _said(_plan("a", intent="PALLIATIVE")) == {"a": PLANNED}


def test_r1_the_plan_that_holds_the_reference_is_the_measurement():
    both = (_plan("clinical"), _plan("qa", 2, 1, relations=(("clinical", "VERIFIED_PLAN"),)))
    found = _roles(*both)
    assert (found["qa"].role, found["qa"].of, found["qa"].origin) == (
        "quality assurance",
        "clinical",
        "relation",
    )
    assert found["clinical"].role == "planned"
    other = _said(_plan("a"), _plan("b", 16, 8, relations=(("a", "PRIOR"),)))
    assert other["b"] == PLANNED


def test_r1_with_two_fractions_it_stays_so_with_a_finding():
    assert [r.id for r in _roles(_plan("a", intent="MACHINE_QA"))["a"].notes] == ["plan.qa-with-fractions"]
    assert [r.id for r in _roles(_plan("a", 4, 2, intent="SERVICE"))["a"].notes] == ["plan.qa-with-fractions"]
    assert _roles(_plan("a", 2, 1, intent="MACHINE_QA"))["a"].notes == ()
    assert _roles(_plan("a", phantom=True))["a"].notes == ()


def test_r1_a_plan_on_a_treatment_device_alone_is_not_quality_assurance():
    # RTPlanGeometry is no part of the rule: only the intent is.
    assert _said(_plan("a")) == {"a": PLANNED}


def test_r1_research_is_asked_for_unless_it_was_treated():
    assert _said(_plan("a", intent="RESEARCH")) == {"a": ("research", "R1")}
    assert _said(_plan("a", intent="RESEARCH"), given=["a"]) == {"a": ("treated", "R4")}


def test_r2_only_setup_beams_or_no_monitor_units():
    setup = replace(BEAM, delivery="SETUP")
    portal = replace(BEAM, number="2", delivery="OPEN_PORTFILM")
    assert _said(_plan("a", beams=(setup, portal))) == {"a": ("setup", "R2")}
    assert _said(_plan("a", beams=(setup, replace(BEAM, number="2")))) == {"a": PLANNED}
    for nothing in (None, 0.0):
        found = _roles(_plan("a", meterset=nothing))["a"]
        assert (found.role, [r.id for r in found.notes]) == ("setup", ["plan.no-meterset"])


def test_r2_of_plans_that_lack_beams_or_groups():
    assert _said(replace(_plan("a", meterset=0.0), beams=())) == {"a": ("setup", "R2")}
    assert _said(replace(_plan("a"), beams=())) == {"a": PLANNED}
    assert _said(replace(_plan("a"), beams=(), groups=())) == {"a": PLANNED}


def test_r2_not_for_plans_of_one_uid_whose_content_is_unknown_because_they_differ():
    best, differ = of_one_uid([_plan("a"), _plan("a", 60, 30)])
    assert differ and decide(readings(best), ()).dose is None
    assert _said(best) == {"a": PLANNED}


def test_r2_not_for_brachytherapy_nor_where_the_record_cannot_tell_nor_for_a_treated_plan():
    hdr = replace(_plan("a"), beams=(), groups=(Group("1", 5, (), (), (GroupBeam("1", 3.0, None),), 1),))
    assert _said(hdr) == {"a": PLANNED}
    assert _said(_plan("a", meterset=None, known_metersets=False)) == {"a": PLANNED}
    assert _said(_plan("a", meterset=None), given=["a"]) == {"a": ("treated", "R4")}


def test_r3_the_treated_then_the_approved_then_the_newest_is_kept():
    old, new = _plan("a"), _plan("b", date=dt.date(2015, 2, 24), label="STS again")
    assert _said(old, new) == {"a": ("copy", "R3"), "b": PLANNED}
    assert _said(old, replace(new, approval=None)) == {"a": PLANNED, "b": ("copy", "R3")}
    assert _said(old, new, given=["a"]) == {"a": ("treated", "R4"), "b": ("copy", "R3")}
    assert [r.id for r in _roles(old, new)["a"].notes] == ["plan.copy"]


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("b", "a")])
def test_r3_a_plan_without_a_status_comes_before_a_draft_and_one_without_a_day_last(one, other):
    newer = dt.date(2015, 2, 24)
    draft = _plan(other, approval="UNAPPROVED", date=newer)
    assert _said(_plan(one, approval=None), draft) == {one: PLANNED, other: ("copy", "R3")}
    rejected = _plan(other, approval="REJECTED", date=newer)
    assert _said(_plan(one, approval="UNAPPROVED"), rejected) == {one: ("draft", "R5"), other: ("copy", "R3")}
    undated = _plan(other, date=None)
    assert _said(_plan(one), undated) == {one: PLANNED, other: ("copy", "R3")}


@pytest.mark.parametrize(
    "change",
    [
        {"meterset": 310.0}, {"frame": "8"}, {"fractions": 20}, {"dose": 48.0},
        {"beams": (replace(BEAM, digest="e"),)}, {"beams": (replace(BEAM, isocentre=(0.0, 0.0, 5.0)),)},
    ],
)  # fmt: skip
def test_r3_not_if_anything_of_the_fingerprint_differs(change):
    found = _said(_plan("a"), _plan("b", **{"date": dt.date(2015, 2, 24), **change}))
    assert {role for role, _ in found.values()} == {"planned"}


def test_r3_not_with_records_of_its_own_nor_between_predecessor_and_successor():
    a, b = _plan("a"), _plan("b", date=dt.date(2015, 3, 12))
    assert set(_said(a, b, given=["a", "b"]).values()) == {("treated", "R4")}
    assert set(_said(a, replace(b, relations=(("a", "PREDECESSOR"),))).values()) == {PLANNED}
    other = replace(b, relations=(("a", "PRIOR"),))
    assert _said(a, other)["a"] == ("copy", "R3")


def test_r3_daily_plans_of_one_fraction_that_are_documented_as_a_sum():
    daily = [_plan(f"{d}", 5, 1, date=dt.date(2015, 3, d)) for d in range(2, 7)]
    assert set(_said(*daily, documented=[(25.0, 5)]).values()) == {PLANNED}
    assert list(_said(*daily, documented=[(5.0, 1)]).values()).count(("copy", "R3")) == 4
    assert list(_said(*daily).values()).count(("copy", "R3")) == 4
    assert set(_said(*daily, documented=[(None, 5), (25.0, 5)]).values()) == {PLANNED}
    undated = [*daily[:-1], replace(daily[-1], date=None)]
    assert list(_said(*undated, documented=[(25.0, 5)]).values()).count(("copy", "R3")) == 4
    twice = [_plan(f"{d}", 10, 2, date=dt.date(2015, 3, d)) for d in range(2, 7)]
    assert list(_said(*twice, documented=[(50.0, 10)]).values()).count(("copy", "R3")) == 4
    same_day = [replace(p, date=dt.date(2015, 3, 2)) for p in daily]
    assert list(_said(*same_day, documented=[(25.0, 5)]).values()).count(("copy", "R3")) == 4


def test_r4_a_treated_plan_that_is_not_approved_is_a_finding():
    assert [r.id for r in _roles(_plan("a", approval="UNAPPROVED"), given=["a"])["a"].notes] == [
        "plan.treated-unapproved"
    ]
    assert _roles(_plan("a"), given=["a"])["a"].notes == ()
    assert _roles(_plan("a", approval=None), given=["a"])["a"].notes == ()


def test_r5_rejected_draft_and_alternative():
    assert _said(_plan("a", approval="REJECTED")) == {"a": ("rejected", "R5")}
    assert _said(_plan("a", approval="UNAPPROVED")) == {"a": ("draft", "R5")}
    a, b = _plan("a"), _plan("b", meterset=310.0, relations=(("a", "ALTERNATIVE"),))
    assert _said(a, b) == {"a": ("alternative", "R5"), "b": PLANNED}


def test_r5_a_rejected_plan_makes_no_alternative_and_neither_do_two_that_name_each_other():
    a = _plan("a")
    rejected = _plan("b", meterset=310.0, approval="REJECTED", relations=(("a", "ALTERNATIVE"),))
    assert _said(a, rejected)["a"] == PLANNED
    mutual = replace(a, relations=(("b", "ALTERNATIVE"),))
    both = _said(mutual, _plan("b", meterset=310.0, relations=(("a", "ALTERNATIVE"),)))
    assert set(both.values()) == {PLANNED}


def test_r6_one_fraction_of_another_plan_in_another_frame():
    clinical = _plan("a")
    measured = _plan("b", 2, 1, frame="8", intent=None)
    found = _roles(clinical, measured)["b"]
    assert (found.role, found.rule, found.of) == ("quality assurance", "R6", "a")
    assert [r.id for r in found.notes] == ["plan.looks-like-qa"]
    for other in (
        _plan("b", 2, 1, frame="9", meterset=310.0), _plan("b", 3, 1, frame="8"), _plan("b", 4, 2, frame="8"),
        _plan("b", 2, 1, frame=None),
    ):  # fmt: skip
        assert _said(clinical, other)["b"] == PLANNED
    assert _said(clinical, measured, given=["b"])["b"] == ("treated", "R4")


def test_r6_daily_plans_in_frames_of_their_own_are_no_measurements_of_each_other():
    daily = [_plan(str(d), 5, 1, frame=f"f{d}", date=dt.date(2015, 3, d)) for d in range(2, 7)]
    assert set(_said(*daily).values()) == {PLANNED}


def test_r7_a_missing_approval_is_a_finding_and_the_plan_is_used():
    found = _roles(_plan("a", approval=None))["a"]
    assert (found.role, [r.id for r in found.notes]) == ("planned", ["plan.approval-missing"])
    assert _roles(_plan("a"))["a"].notes == ()
