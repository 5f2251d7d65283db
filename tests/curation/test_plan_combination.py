"""How the plans of a course belong together: rules D1 to D10, each with a sibling that it must not take."""

import datetime as dt
from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.course_phases import Combination, CoursePlan, plans_are_disjoint
from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from sarcoma_pipeline.curation.plan_combination import combine
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Beam, DoseReference, Group, Plan
from sarcoma_pipeline.curation.technique import Technique

PHOTONS = Technique(("VMAT",), ("photons",), (6.0,), 6.0)
ELECTRONS = Technique(("electron",), ("electrons",), (12.0,), None)


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y-%m-%d").date()


def _plan(
    key: str, dose: float | None = 50.0, fractions: int | None = 25, day: str | None = "2015-02-20", *,
    n: int | None = None, follows=(), beside=(), label="STS", target="PTV", frame="9", at=(0.0, 0.0, 0.0),
    how=PHOTONS, levels=None, credibility=0,
) -> CoursePlan:  # fmt: skip
    beam = Beam("1", "DYNAMIC", "PHOTON", None, None, None, None, None, 6.0, at, True, 3, 2, None, key)
    plan = Plan(
        f"record {key}", key, date=_date(day) if day else None, label=label, frame=frame, beams=(beam,),
        references=(DoseReference("1", "TARGET", "SITE", target, dose),),
        groups=(Group("1", fractions, (), (), (), 0),),
    )  # fmt: skip
    first = _date(day) if day else None
    given = None
    if n is not None:
        assert first is not None
        dates = tuple(first + dt.timedelta(i) for i in range(n))
        given = Delivered(n, float(n), dates, "records", (f"given {key}",), tuple(range(1, n + 1)))
    read = Prescription(dose, fractions, levels or ((dose,) if dose else ()), "P1", "target prescription")
    last = given.dates[-1] if given and given.dates else first
    return CoursePlan(plan, read, how, given, first, last, frozenset(follows), frozenset(beside), credibility)


def _documented(dose: float | None = 50.0) -> DocumentedCourse:
    return DocumentedCourse("c", "r", ("r",), dose=dose)


def _shown(found: Combination):
    return found.dose, found.fractions, found.rule


def _notes(found: Combination):
    return [(rule.id, record) for rule, record in found.notes]


def _readings(found: Combination):
    return [(r.dose, r.fractions) for r in found.readings]


ASK = (None, None, "D10")


def test_one_plan():
    assert _shown(combine([_plan("a")], None)) == (50, 25, "D0")
    assert _shown(combine([_plan("a", None)], _documented())) == (None, 25, "D0")


def test_of_plans_without_a_dose_the_fractions_count_if_they_agree():
    def fractions(first: int, second: int) -> int | None:
        return combine([_plan("a", None, first), _plan("b", None, second, "2015-04-20")], None).fractions

    assert (fractions(25, 25), fractions(25, 8)) == (25, None)


def test_d1_an_earlier_plan_without_records_is_superseded():
    found = combine([_plan("a"), _plan("b", 48, 24, "2015-03-12", n=24)], None)
    assert _shown(found) == (48, 24, "D1") and found.origin == "records"
    assert _notes(found) == [("course.plan-superseded", "record a")]
    later = combine([_plan("a", n=25), _plan("b", 16, 8, "2015-04-01", label="BOOST")], None)
    assert _shown(later) == (66, 33, "D6"), "a later plan is not superseded"


def test_d2_records_of_a_revision():
    found = combine([_plan("a", n=8), _plan("b", 50, 25, "2015-03-12", n=17)], None)
    assert _shown(found) == (50, 25, "D2") and found.origin == "records"
    assert found.phases[0].delivered_dose == 50
    rest = combine([_plan("a", n=8), _plan("b", 34, 17, "2015-03-12", n=17)], None)
    assert _shown(rest) == (50, 25, "D2")
    linked = combine([_plan("a", n=8), _plan("b", 34, 17, "2015-03-12", n=17, follows=["a"])], None)
    assert _shown(linked) == (50, 25, "D2")


@pytest.mark.parametrize(
    "change",
    [
        {"n": 20}, {"dose": 55.0}, {"at": (0.0, 0.0, 150.0)},
    ],
)  # fmt: skip
def test_d2_not_with_too_many_fractions_another_dose_or_another_target(change):
    later = {"day": "2015-03-12", "n": 17, **change}
    assert combine([_plan("a", n=8), _plan("b", **later)], None).rule != "D2"


def test_d2_not_for_a_boost():
    found = combine([_plan("a", n=15), _plan("b", 16, 8, "2015-04-01", n=8, label="BOOST")], None)
    assert _shown(found) == (66, 33, "D6")
    assert [p.delivered_dose for p in found.phases] == [30, 16]


def test_d3_a_full_replan():
    found = combine([_plan("a"), _plan("b", day="2015-03-12", follows=["a"])], None)
    assert _shown(found) == (50, 25, "D3") and found.origin == "relation"
    other = combine([_plan("a"), _plan("b", 52.5, 25, "2015-03-12", follows=["a"])], None)
    assert _shown(other) == (52.5, 25, "D3"), "the last prescription"
    chain = [
        _plan("a"),
        _plan("b", day="2015-03-12", follows=["a"]),
        _plan("c", day="2015-03-16", follows=["b"]),
    ]
    assert _shown(combine(chain, None)) == (50, 25, "D3")


def test_d4_a_replan_for_the_rest():
    found = combine([_plan("a"), _plan("b", 34, 17, "2015-03-12", follows=["a"])], None)
    assert _shown(found) == (50, 25, "D4")
    thrice = [
        _plan("a"), _plan("b", 34, 17, "2015-03-12", follows=["a"]),
        _plan("c", 20, 10, "2015-03-20", follows=["b"]),
    ]  # fmt: skip
    assert _shown(combine(thrice, None)) == (50, 25, "D4")
    assert _shown(combine([_plan("a"), _plan("b", 40, 17, "2015-03-12", follows=["a"])], None)) == ASK


def test_d4_documentation_in_place_of_the_relation():
    plans = [_plan("a"), _plan("b", 34, 17, "2015-03-12")]
    found = combine(plans, _documented(50))
    assert _shown(found) == (50, 25, "D4") and found.origin == "documentation"
    for documented in (None, _documented(None), _documented(60)):
        assert _shown(combine(plans, documented)) == ASK
    assert _shown(combine(plans, _documented(84))) == (84, 42, "D6")


def test_d4_label_and_documented_sum_together_make_a_linked_boost():
    plans = [_plan("a"), _plan("b", 16, 8, "2015-04-01", label="BOOST", follows=["a"])]
    assert _shown(combine(plans, _documented(66))) == (66, 33, "D6")
    assert _shown(combine(plans, _documented(50))) == (50, 25, "D4")


@pytest.mark.parametrize(("first", "rest"), [("a", "b"), ("b", "a")])
def test_of_plans_of_one_day_the_predecessor_is_the_first(first, rest):
    plans = [_plan(rest, 34, 17, follows=[first]), _plan(first)]
    assert _shown(combine(plans, None)) == (50, 25, "D4")


def test_d5_equal_prescriptions_count_once_if_documentation_says_so():
    plans = [_plan("a"), _plan("b", day="2015-03-16")]
    found = combine(plans, _documented(50))
    assert _shown(found) == (50, 25, "D5") and found.origin == "documentation"
    assert _notes(found) == [("course.replan-unlinked", "record b")]
    for documented in (None, _documented(None), _documented(60)):
        asked = combine(plans, documented)
        assert _shown(asked) == (None, None, "D5 D10")
        assert _readings(asked)[:2] == [(100, 50), (50, 25)]
        assert _notes(asked) == [], "nothing was counted once"
    assert _shown(combine(plans, _documented(100))) == (100, 50, "D6"), "documentation is the sum"


def test_d5_only_prescriptions_of_several_fractions_can_be_one():
    def plans(dose: float, fractions: int) -> list[CoursePlan]:
        return [_plan("a", dose, fractions), _plan("b", dose, fractions, "2015-03-16")]

    assert _shown(combine(plans(8, 2), _documented(8))) == (8, 2, "D5")
    assert _shown(combine(plans(8, 1), _documented(8))) == ASK


def test_d5_the_approved_then_the_newest_counts():
    kept = combine([_plan("a"), _plan("b", day="2015-03-16", credibility=1)], _documented(50))
    assert kept.phases[0].plans[-1].key == "a"
    assert combine([_plan("a"), _plan("b", day="2015-03-16")], _documented(50)).phases[0].plans[-1].key == "b"
    same_day = [_plan("b"), _plan("a")]
    assert combine(same_day, _documented(50)).phases[0].plans[-1].key == "a", "by UID"


def test_d5_with_a_boost_the_documented_sum_counts_the_replan_once():
    plans = [_plan("a"), _plan("b", day="2015-03-16"), _plan("c", 16, 8, "2015-04-01")]
    found = combine(plans, _documented(66))
    assert _shown(found) == (66, 33, "D5 D6")


def test_d6_earlier_phase_complete():
    found = combine([_plan("a", n=25), _plan("b", 16, 8, "2015-04-06", n=8)], None)
    assert _shown(found) == (66, 33, "D6") and found.origin == "records"
    assert found.levels == (66, 50), "where the boost is given, and where it is not"
    # 25 days from 20 February end on 16 March.
    for day, told in (("2015-03-16", (66, 33, "D6")), ("2015-03-15", ASK)):
        assert _shown(combine([_plan("a", n=25), _plan("b", 16, 8, day, n=8)], None)) == told
    open_ = combine([_plan("a", 50, 25, n=20), _plan("b", 16.5, 5, "2015-04-06", n=5)], None)
    assert _shown(open_) == ASK


def test_d6_by_label_or_name_of_the_target_or_documentation():
    by_label = combine([_plan("a"), _plan("b", 16, 8, "2015-04-01", label="STS boost")], None)
    assert _shown(by_label) == (66, 33, "D6") and by_label.origin == "label"
    by_target = combine([_plan("a"), _plan("b", 16, 8, "2015-04-01", target="PTV Boost")], None)
    assert _shown(by_target) == (66, 33, "D6")
    documented = combine([_plan("a"), _plan("b", 16, 8, "2015-04-01")], _documented(66))
    assert _shown(documented) == (66, 33, "D6") and documented.origin == "documentation"
    assert _shown(combine([_plan("a"), _plan("b", 16, 8, "2015-04-01")], None)) == ASK


def test_d6_daily_plans_of_one_fraction_are_one_phase():
    daily = [_plan(str(d), 5, 1, f"2015-03-0{d}") for d in range(2, 7)]
    found = combine(daily, _documented(25))
    assert _shown(found) == (25, 5, "D6") and found.levels == (25,)
    assert [(p.dose, p.fractions, len(p.plans)) for p in found.phases] == [(25, 5, 5)]


def test_d7_parallel_sites():
    plans = [_plan("a"), _plan("b", 46, 23, at=(0.0, 0.0, 300.0))]
    found = combine(plans, None)
    assert _shown(found) == (50, 25, "D7") and found.sites == 2
    assert [(p.site, p.dose) for p in found.phases] == [(1, 50), (2, 46)]
    assert _notes(found) == [("course.parallel-sites", "record a")]
    frames = combine([_plan("a"), _plan("b", 46, 23, frame="8")], None)
    assert _shown(frames) == (50, 25, "D7")
    near = combine([_plan("a"), _plan("b", 46, 23, at=(0.0, 0.0, 100.0))], None)
    assert _shown(near) == ASK, "only more than 10 cm are apart"
    later = combine([_plan("a"), _plan("b", 34, 17, "2015-03-12", frame="8")], None)
    assert _shown(later) == ASK, "a replan on a new CT has another frame as well"


@pytest.mark.parametrize("undated", [{"first"}, {"last"}, {"first", "last"}])
def test_d7_whether_plans_in_other_frames_are_of_one_time_needs_their_days(undated):
    one, other = _plan("a"), _plan("b", 46, 23, frame="8")
    assert plans_are_disjoint(one, other) and plans_are_disjoint(other, one)
    lacking = replace(other, **dict.fromkeys(undated))
    assert not plans_are_disjoint(one, lacking) and not plans_are_disjoint(lacking, one)


@pytest.mark.parametrize("frame", [None, "9"])
def test_d7_plans_in_one_frame_or_in_an_unknown_one_are_apart_by_their_isocentres_only(frame):
    one, other = _plan("a"), _plan("b", 46, 23, frame=frame)
    unplaced = replace(other, plan=replace(other.plan, beams=()))
    assert not plans_are_disjoint(one, unplaced) and not plans_are_disjoint(unplaced, one)


def test_the_main_phases_of_a_course():
    two = combine([_plan("a"), _plan("b", 46, 23, at=(0.0, 0.0, 300.0))], None)
    assert [p.dose for p in two.main_phases] == [50], "those of the first site"
    sources = _plan("c", 15, 5, "2015-04-01")
    sources = replace(sources, plan=replace(sources.plan, beams=(), brachy_type="HDR"))
    assert [p.dose for p in combine([_plan("a"), sources], None).main_phases] == [50]
    assert [p.dose for p in combine([sources], None).main_phases] == [15], "without external ones, all"


@pytest.mark.parametrize(("day", "n", "apart"), [
    ("2015-03-06", None, True), ("2015-03-07", None, False),  # 14 and 15 days after 20 February
    ("2015-02-06", None, True), ("2015-02-05", None, False),
    ("2015-02-24", 3, True), ("2015-02-25", 3, False),  # the first one is treated until 24 February
])  # fmt: skip
def test_d7_plans_in_other_frames_are_of_one_time_within_two_weeks_or_with_a_common_day(day, n, apart):
    one, other = _plan("a", n=5 if n else None), _plan("b", 46, 23, day, n=n, frame="8")
    assert plans_are_disjoint(one, other) == plans_are_disjoint(other, one) == apart
    if n:
        # Treatment records of only one of them: two weeks from its last day to the plan.
        for planned, near in (("2015-03-10", True), ("2015-03-11", False)):
            without = _plan("b", 46, 23, planned, frame="8")
            assert plans_are_disjoint(one, without) == plans_are_disjoint(without, one) == near


def test_d7_only_a_sum_is_too_large_without_documentation_a_prescription_is_what_it_is():
    beside = _plan("c", 30, 10, at=(0.0, 0.0, 300.0))
    assert _shown(combine([_plan("a", 84, 42), beside], None)) == (84, 42, "D7")
    boost = _plan("b", 34, 17, "2015-03-27", label="BOOST")
    assert _shown(combine([_plan("a"), boost, beside], None)) == ASK
    assert _shown(combine([_plan("a"), boost, beside], _documented(84))) == (84, 42, "D6 D7")


def test_d7_a_boost_far_from_the_first_isocentre_is_no_site_of_its_own():
    boost = _plan("b", 16, 8, "2015-04-01", label="BOOST", at=(0.0, 0.0, 150.0))
    assert _shown(combine([_plan("a"), boost], None)) == (66, 33, "D6")


def test_d7_each_site_may_have_its_boost():
    plans = [
        _plan("a"), _plan("b", 46, 23, at=(0.0, 0.0, 300.0)),
        _plan("c", 16, 8, "2015-03-27", label="BOOST"),
    ]  # fmt: skip
    assert _shown(combine(plans, _documented(66))) == (66, 33, "D6 D7")


def test_d8_one_plan_in_several_parts():
    found = combine([_plan("a"), _plan("b", beside=["a"])], None)
    assert _shown(found) == (50, 25, "D8") and found.origin == "relation"
    other = combine([_plan("a"), _plan("b", 46, 23, beside=["a"])], None)
    assert _shown(other) == (None, None, "D8 D10")


def test_d9_intraoperative_electrons_and_other_electrons():
    iort = _plan("b", 12, 1, "2015-02-10", how=ELECTRONS, label="IORT")
    assert _shown(combine([_plan("a"), iort], None)) == (50, 25, "D0 D9")
    by_day = _plan("b", 12, 1, "2015-02-10", how=ELECTRONS)
    assert _shown(combine([_plan("a"), by_day], None, [_date("2015-02-10")])) == (50, 25, "D0 D9")
    assert _shown(combine([_plan("a"), by_day], None)) == ASK
    twice = _plan("b", 12, 2, "2015-02-10", how=ELECTRONS, label="IORT")
    assert _shown(combine([_plan("a"), twice], None)) == ASK
    photons = _plan("b", 12, 1, "2015-02-10", label="IORT")
    assert _shown(combine([_plan("a"), photons], None)) == ASK
    boost = _plan("b", 10, 5, "2015-04-01", how=ELECTRONS, label="Elektronen BOOST")
    assert _shown(combine([_plan("a"), boost], None)) == (60, 30, "D6")


def test_d9_brachytherapy_is_never_added():
    sources = _plan("b", 15, 5, "2015-04-01", label="HDR boost")
    sources = replace(sources, plan=replace(sources.plan, beams=(), brachy_type="HDR"))
    found = combine([_plan("a"), sources], _documented(65))
    assert _shown(found) == (50, 25, "D0 D9")
    assert [p.kind for p in found.phases] == ["external beam", "brachytherapy"]
    assert _shown(combine([sources], None)) == (15, 5, "D9")
    second = replace(sources, plan=replace(sources.plan, key="c"), first=_date("2015-04-08"),
                     prescription=Prescription(10.0, 2, (10.0,), "P1", "target prescription"))  # fmt: skip
    asked = combine([second, sources], None)
    assert _shown(asked) == (None, None, "D9 D10")
    assert [(r.text, r.dose, r.fractions) for r in asked.readings] == [
        ("phase 1 alone", 15, 5), ("phase 2 alone", 10, 2),
    ]  # fmt: skip


def test_d10_a_changed_dose_per_fraction():
    plans = [_plan("a", n=10), _plan("b", 33, 15, "2015-03-13", n=15)]
    found = combine(plans, None)
    assert _shown(found) == ASK
    assert (53.0, 25) in [(round(d or 0, 6), n) for d, n in _readings(found)], "as delivered"


def test_d10_a_sum_above_80_gy_that_is_not_documented():
    eighty = [_plan("a"), _plan("b", 30, 15, "2015-04-01", label="BOOST")]
    assert _shown(combine(eighty, None)) == (80, 40, "D6")
    plans = [_plan("a"), _plan("b", 34, 17, "2015-04-01", label="BOOST")]
    assert _shown(combine(plans, None)) == ASK
    assert _shown(combine(plans, _documented(84))) == (84, 42, "D6")


def test_d10_without_dates_fractions_or_doses():
    assert _shown(combine([_plan("a"), _plan("b", 16, 8, None)], None)) == ASK
    assert _shown(combine([_plan("a"), _plan("b", 16, None, "2015-03-12")], None)) == ASK
    assert _shown(combine([_plan("a"), _plan("b", None, 8, "2015-03-12")], None)) == ASK


def test_plans_without_any_dose_leave_it_to_documentation():
    found = combine([_plan("a", None), _plan("b", None, day="2015-03-12")], _documented(50))
    assert (found.dose, found.fractions, found.readings) == (None, 25, ())


def test_the_order_of_the_plans_changes_nothing():
    plans = [
        _plan("a", n=8),
        _plan("b", 50, 25, "2015-03-12", n=17),
        _plan("c", 16, 8, "2015-04-06", n=8, label="BOOST"),
    ]
    expected = _shown(combine(plans, None))
    assert expected == (66, 33, "D2 D6")
    for shift in range(3):
        turned = plans[shift:] + plans[:shift]
        assert _shown(combine(turned, None)) == expected
        assert _shown(combine(turned[::-1], None)) == expected


def test_a_circle_of_relations_ends():
    plans = [_plan("a", follows=["b"]), _plan("b", day="2015-03-12", follows=["a"])]
    assert combine(plans, None).dose == 50
