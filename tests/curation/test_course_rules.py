"""Rules on courses: each fires, does not fire, and leaves what is missing alone."""

import datetime as dt

import pytest

from sarcoma_pipeline.curation.course_rules import CourseFacts, is_implausible, judge
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from tests.curation.conftest import Case, courses, findings, plans
from tests.curation.rt_files import Field, level, plan, record, records


def _documented(dose: float | None = 50.0, fractions: int | None = 25, **more) -> DocumentedCourse:
    return DocumentedCourse("c", "r", ("r",), dose=dose, fractions=fractions, **more)


def _facts(**changes) -> CourseFacts:
    values = {
        "documented": _documented(), "prescribed": 50.0, "delivered": None, "planned_fractions": 25,
        "delivered_fractions": None, "first": None, "last": None, "gap": None,
    } | changes  # fmt: skip
    return CourseFacts(**values)


def _judged(**changes) -> dict[str, str]:
    return {rule.id: value for rule, value in judge(_facts(**changes))}


def test_a_course_that_agrees_breaks_nothing():
    assert _judged() == {}
    assert _judged(delivered=50.0, delivered_fractions=25, gap=3) == {}
    assert _judged(documented=None) == {}


@pytest.mark.parametrize(("dose", "found"), [(50.5, False), (50.6, True), (49.4, True), (49.5, False)])
def test_another_documented_dose(dose, found):
    assert ("radiotherapy.dose-conflict" in _judged(documented=_documented(dose))) == found


def test_the_documented_dose_may_equal_the_delivered_one():
    assert _judged(documented=_documented(30.0, 15), delivered=30.0, delivered_fractions=15) == {
        "course.delivered-less": "15 of 25 fractions"
    }
    both = _judged(documented=_documented(40.0, 20), delivered=30.0, delivered_fractions=15)
    assert both["radiotherapy.dose-conflict"] == "documented 40, prescribed 50, delivered 30"
    assert "radiotherapy.dose-conflict" not in _judged(documented=_documented(None, None))
    assert "radiotherapy.dose-conflict" not in _judged(prescribed=None)


def test_two_percent_of_a_small_dose():
    assert "radiotherapy.dose-conflict" in _judged(documented=_documented(10.3, 5), prescribed=10.0)
    assert "radiotherapy.dose-conflict" not in _judged(documented=_documented(10.1, 5), prescribed=10.0)
    # 2 % of the greater one.
    for dose, found in ((10.2, False), (10.21, True), (9.8, False), (9.79, True)):
        said = _judged(documented=_documented(dose, None), prescribed=10.0)
        assert ("radiotherapy.dose-conflict" in said) == found, dose


def test_other_documented_fractions():
    said = _judged(documented=_documented(50.0, 20))
    assert said == {"radiotherapy.fractions-conflict": "documented 20, prescribed 25"}
    assert _judged(documented=_documented(50.0, None)) == {}
    assert list(_judged(documented=_documented(60.0, 20))) == ["radiotherapy.dose-conflict"]
    given = {"delivered": 30.0, "delivered_fractions": 15}
    assert set(_judged(documented=_documented(30.0, 15), **given)) == {"course.delivered-less"}
    less = _judged(documented=_documented(30.0, 10), **given)
    assert less["radiotherapy.fractions-conflict"] == "documented 10, prescribed 25, delivered 15"
    unknown = _judged(documented=_documented(50.0, 20), planned_fractions=None)
    assert unknown == {}, "nothing to compare with"


def test_more_and_fewer_fractions_than_planned():
    assert "course.delivered-less" in _judged(delivered=48.0, delivered_fractions=24)
    assert "course.delivered-more" in _judged(delivered=52.0, delivered_fractions=26)
    assert _judged(delivered_fractions=None) == {}
    assert _judged(planned_fractions=None, delivered=50.0, delivered_fractions=25) == {}


def test_the_values_of_findings_on_a_course():
    ended = _documented(52.0, 26, end_reason="A")
    more = _judged(delivered=52.0, delivered_fractions=26, gap=8, documented=ended)
    assert more == {
        "course.delivered-more": "26 of 25 fractions", "course.interrupted": "8 days",
        "course.end-reason": "A, 26 of 25 fractions",
    }  # fmt: skip


def test_days_that_differ():
    day = dt.date(2015, 3, 2)
    documented = _documented(start=day, end=dt.date(2015, 4, 3))
    near = {"documented": documented, "first": day + dt.timedelta(3), "last": dt.date(2015, 4, 3)}
    assert _judged(**near) == {}
    assert "course.dates-differ" in _judged(**{**near, "first": day + dt.timedelta(4)})
    assert "course.dates-differ" in _judged(**{**near, "last": dt.date(2015, 4, 8)})
    assert _judged(documented=_documented(), first=day, last=day) == {}
    early = _judged(documented=documented, first=day - dt.timedelta(5), last=dt.date(2015, 4, 13))
    assert early["course.dates-differ"] == (
        "first day of treatment 5 days before the documented one, "
        "last day of treatment 10 days after the documented one"
    )
    only_first = _judged(documented=documented, first=dt.date(2015, 4, 1))
    assert only_first["course.dates-differ"] == "first day of treatment 30 days after the documented one"


@pytest.mark.parametrize(("gap", "found"), [(4, False), (7, False), (8, True), (None, False)])
def test_an_interruption(gap, found):
    assert ("course.interrupted" in _judged(gap=gap)) == found


@pytest.mark.parametrize(
    ("reason", "n", "found"),
    [("E", 25, False), ("E", 15, True), ("F", 15, True), ("A", 15, False), ("A", 25, True), ("U", 15, False),
     (None, 15, False), ("F", 25, False), ("E", 26, False), ("A", 26, True), ("P", 25, True), ("S", 25, True),
     ("V", 25, True), ("T", 25, True), ("T", 24, False)],
)  # fmt: skip
def test_the_reason_of_the_end(reason, n, found):
    documented = _documented(2.0 * n, n, end_reason=reason)
    judged = _judged(documented=documented, delivered=2.0 * n, delivered_fractions=n)
    assert ("course.end-reason" in judged) == found


@pytest.mark.parametrize(
    ("dose", "single", "n", "wrong"),
    [(50, 2, 25, False), (101, 2, 50, True), (0.5, 0.5, 1, True), (50, 31, 1, True), (50, 0.05, 80, True),
     (50, 0.5, 100, True), (None, None, None, False), (8, 8, 1, False),
     # The limits themselves are plausible: 1 and 100 Gy, 0.1 and 30 Gy, 1 and 80 fractions.
     (1.0, None, None, False), (0.99, None, None, True), (100, None, None, False), (100.1, None, None, True),
     (None, 0.1, None, False), (None, 0.09, None, True), (None, 30.0, None, False), (None, 30.1, None, True),
     (None, None, 1, False), (None, None, 0, True), (None, None, 80, False), (None, None, 81, True)],
)  # fmt: skip
def test_what_cannot_be(dose, single, n, wrong):
    assert is_implausible(dose, single, n) == wrong


def test_a_course_that_fails_is_set_aside_alone(case: Case):
    case.course(50, 2)
    case.course(180, 2, "2019-03-04", "2019-07-05", st="ST2")
    case.files(plan("1.1"), plan("1.2", 180, 90, date="20190220", beams=[Field(2.0)]))
    outcome = case.run()
    shown = courses(outcome, "prescribed_dose_gy", "fractions", "single_dose_gy", "set_aside")
    assert shown == [(50.0, 25, 2.0, None), (None, None, None, "course.dose-implausible")]
    # Each of the two records has its own finding, which says where the fault is.
    assert {"radiotherapy.dose-implausible", "plan.dose-implausible"} <= findings(outcome)
    assert "course.dose-implausible" not in findings(outcome)


def test_plausible_doses_whose_sum_is_not_are_a_finding_of_the_course(case: Case):
    case.course(60, 2)
    case.course(60, 2, part=2, Boost="SEQ", Beginn="2015-04-06", Ende="2015-05-08")
    asked = case.run()
    assert "radiotherapy.irradiations-undecided" in findings(asked)
    (total,) = asked["radiotherapy_reading"].filter(prescribed_dose_gy=120)["reading_key"]
    outcome = case.run(frozenset({total}))
    assert courses(outcome, "prescribed_dose_gy", "set_aside") == [(None, "course.dose-implausible")]
    assert "course.dose-implausible" in findings(outcome)


def test_a_documented_dose_without_a_plan_may_be_set_aside_too(case: Case):
    case.course(500, 2)
    outcome = case.run()
    assert courses(outcome, "prescribed_dose_gy", "documented_dose_gy") == [(None, 500.0)]


@pytest.mark.parametrize("fractions", [0, None])
def test_fractions_of_zero_are_never_infinite(case: Case, fractions):
    case.course(50, 2)
    case.files(plan("1.1", fractions=fractions))
    assert courses(case.run(), "prescribed_dose_gy", "fractions", "single_dose_gy") == [(50.0, None, 2.0)]


def test_days_come_from_the_records_before_documentation(case: Case):
    case.course(50, 2, start="2015-03-04", end="2015-04-03")
    case.files(plan("1.1"), records("1.1", "20150302", 25))
    row = case.run()["radiotherapy_course"].row(0, named=True)
    assert (str(row["start_date"]), str(row["end_date"]), row["overall_days"]) == (
        "2015-03-02", "2015-04-03", 33,
    )  # fmt: skip
    assert row["longest_gap_days"] == 3


def test_records_without_documentation_give_the_days(case: Case):
    case.files(plan("1.1"), records("1.1", "20150302", 25))
    row = case.run()["radiotherapy_course"].row(0, named=True)
    assert (str(row["start_date"]), str(row["end_date"])) == ("2015-03-02", "2015-04-03")
    assert (row["start_day"], row["delivered_fractions"]) == (51, 25)


def test_records_of_a_plan_that_was_not_delivered(case: Case):
    case.course()
    case.files(records("1.9", "20150302", 2))
    outcome = case.run()
    assert "records.plan-missing" in findings(outcome)
    assert courses(outcome, "delivered_fractions") == [(None,)]
    accounts = outcome.accounting.row(0, named=True)
    assert (accounts["unaccounted"], accounts["counted_twice"], accounts["out_of_scope"]) == (0, 0, 2)


def test_records_of_a_patient_without_plan_and_documentation(case: Case):
    case.files(records("1.9", "20150302", 2))
    outcome = case.run()
    assert "records.plan-missing" in findings(outcome)
    assert courses(outcome) == []
    accounts = outcome.accounting.row(0, named=True)
    assert (accounts["unaccounted"], accounts["counted_twice"], accounts["out_of_scope"]) == (0, 0, 2)


def test_records_that_begin_late_are_incomplete_unless_another_plan_has_the_first(case: Case):
    case.course()
    case.files(plan("1.1"), records("1.1", "20150309", 20, start=6))
    assert "records.incomplete" in findings(case.run())


def test_a_quality_assurance_plan_and_a_draft_are_told_and_not_used(case: Case):
    case.course()
    case.files(
        plan("1.1"), plan("1.2", 46, 23, approval="UNAPPROVED"), plan("1.3", 2, 1, intent="MACHINE_QA"),
        plan("1.4", beams=[Field(1.0, None), Field(1.0, None)]),
    )  # fmt: skip
    outcome = case.run()
    assert plans(outcome, "role", "role_rule") == {
        "1.1": ("planned", "R7"), "1.2": ("draft", "R5"), "1.3": ("quality assurance", "R1"),
        "1.4": ("setup", "R2"),
    }  # fmt: skip
    assert {"plan.unapproved", "plan.no-meterset"} <= findings(outcome)
    assert courses(outcome, "prescribed_dose_gy", "fractions", "plans") == [(50.0, 25, 1)]


def test_the_dominant_phase_gives_technique_energy_and_radiation(case: Case):
    case.course(66, 2, end="2015-04-15")
    fixed = [Field(2.0, kind="STATIC", turns="NONE", shapes=[(-20, 20), (-20, 20)], energy=15)]
    case.files(plan("1.1", 16, 8, beams=fixed, date="20150218"), plan("1.2", date="20150225"))
    row = case.run()["radiotherapy_course"].row(0, named=True)
    assert (row["technique"], row["beam_energy_mv"], row["techniques"], row["energies"]) == (
        "VMAT", 6.0, ["VMAT", "3D conformal"], [6.0, 15.0],
    )  # fmt: skip


def test_two_levels_are_a_list(case: Case):
    case.files(plan("1.1", 60, references=[level(50), level(60)]))
    assert case.run()["radiotherapy_course"]["levels_gy"].to_list() == [[60.0, 50.0]]


def test_a_partial_fraction_lowers_the_delivered_dose(case: Case):
    case.files(plan("1.1"), records("1.1", "20150302", 24), record("1.1", dt.date(2015, 4, 3), 25,
               delivered=[300.0], beams=[1], ended="MACHINE"))  # fmt: skip
    row = case.run()["radiotherapy_course"].row(0, named=True)
    assert (row["delivered_fractions"], row["delivered_dose_gy"]) == (25, pytest.approx(49.0))
