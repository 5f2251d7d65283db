"""Which reports of irradiations are one course (O8), and a boost with an ST of its own (O9).

The expected values are those of docs/definitions.md, section 1 (key of an event, begin and end of one
treatment), and of docs/radiotherapy.md (a sequential boost adds).
"""

from typing import Any

import pytest

from tests.curation.conftest import Case, courses, findings, irradiated, told
from tests.one_curation import together

BOOST: dict[str, Any] = {"start": "2015-04-06", "end": "2015-04-15", "st": "ST2", "Boost": "SEQ"}


@together(irradiated)
def test_o8_begin_and_end_without_a_number_are_one_course(case: Case):
    case.course(50, 2, end=None, st=None, Meldung_ID="M1", reported="2015-03-10", Ende_Grund=None)
    case.course(48, 2, st=None, Meldung_ID="M2", reported="2015-05-01", Ende_Grund="A")
    outcome = yield
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["prescribed_dose_gy"], str(row["end_date"]), row["end_reason"]) == (48.0, "2015-04-03", "A")
    assert len(row["record_ids"]) == 2


@pytest.mark.parametrize("st", ["ST1", None])
@pytest.mark.parametrize("again", ["2015-05-01", "2015-06-01"])
@together(irradiated)
def test_o8_the_end_wins_over_a_begin_that_is_exported_with_it_or_later(case: Case, st, again):
    """Definitions, section 1: the end's values win where both state one."""
    case.course(46, 2, st=st, Meldung_ID="M2", reported="2015-05-01", Ende_Grund="A")
    case.course(50, 2, end=None, st=st, Meldung_ID="M1", reported=again, Ende_Grund=None)
    shown = ("prescribed_dose_gy", "end_date", "end_reason")
    outcome = yield
    assert [(d, str(on), why) for d, on, why in courses(outcome, *shown)] == [(46.0, "2015-04-03", "A")]


@together(irradiated)
def test_o8_the_begin_still_fills_what_the_end_does_not_state(case: Case):
    case.course(None, None, Meldung_ID="M2", reported="2015-05-01")
    case.course(50, 2, end=None, Meldung_ID="M1", reported="2015-06-01", Ende_Grund=None)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "single_dose_gy") == [(50.0, 2.0)]


@together(irradiated)
def test_o8_of_two_reports_of_the_end_the_newer_one_wins(case: Case):
    case.course(46, 2, Meldung_ID="M3", reported="2015-06-01", Ende_Grund="A")
    case.course(50, 2, Meldung_ID="M2", reported="2015-05-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "end_reason") == [(46.0, "A")]


@together(irradiated)
def test_o8_the_begin_is_the_one_that_is_told_as_corrected(case: Case):
    case.course(46, 2, Meldung_ID="M2", reported="2015-05-01", Ende_Grund="A")
    begin = case.course(50, 2, end=None, Meldung_ID="M1", reported="2015-06-01", Ende_Grund=None)
    outcome = yield
    assert told(outcome, "record.corrected") == [begin]


@together(irradiated)
def test_o8_an_end_without_a_number_belongs_to_the_begin_that_has_one(case: Case):
    case.course(50, 2, end=None, st="7", Meldung_ID="M1", reported="2015-03-10", Ende_Grund=None)
    case.course(50, 2, st=None, Meldung_ID="M2", reported="2015-05-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "end_reason") == [(50.0, "E")]


@pytest.mark.parametrize(
    "second",
    [
        {"Seite_Zielgebiet": "R"},
        {"Zielgebiet": "5.9"},
        {"start": "2015-03-09"},
        {"dose": 30},
        {"start": None, "end": None},
    ],
)
@together(irradiated)
def test_o8_reports_without_a_number_about_something_else_stay_apart(case: Case, second):
    case.course(50, 2, st=None, Meldung_ID="M1", reported="2015-05-01")
    case.course(**({"dose": 50, "st": None, "Meldung_ID": "M2", "reported": "2015-05-02"} | second))
    outcome = yield
    assert len(courses(outcome, "course_id")) == 2


@together(irradiated)
def test_o8_one_number_for_two_courses_is_two_courses_and_a_finding(case: Case):
    case.course(50, 2, Meldung_ID="M1", reported="2015-05-01")
    later = case.course(30, 3, "2017-03-06", "2017-03-17", Meldung_ID="M2", reported="2017-05-01")
    outcome = yield
    shown = ("prescribed_dose_gy", "single_dose_gy", "course_id")
    assert courses(outcome, *shown) == [(50.0, 2.0, "ST1 (1)"), (30.0, 3.0, "ST1 (2)")]
    assert told(outcome, "record.number-on-two-dates") == [later]


@together(irradiated)
def test_o8_the_earlier_of_two_courses_may_be_reported_later(case: Case):
    case.course(30, 3, "2017-03-06", "2017-03-17", Meldung_ID="M2", reported="2017-05-01")
    case.course(50, 2, Meldung_ID="M1", reported="2018-05-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,), (30.0,)]


@pytest.mark.parametrize(("start", "end"), [("2015-03-04", "2015-04-07"), ("2015-03-30", "2015-04-30")])
@together(irradiated)
def test_o8_a_start_that_moved_within_the_course_is_no_second_course(case: Case, start, end):
    case.course(50, 2, Meldung_ID="M1", reported="2015-05-01")
    case.course(50, 2, start, end, Meldung_ID="M2", reported="2015-06-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,)]
    assert "record.number-on-two-dates" not in outcome.rules()


@together(irradiated)
def test_o8_a_planned_start_without_an_end_may_move_by_weeks(case: Case):
    case.course(50, 2, "2015-02-16", None, Meldung_ID="M1", reported="2015-02-16", Ende_Grund=None)
    case.course(50, 2, Meldung_ID="M2", reported="2015-05-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,)]


@together(irradiated)
def test_o8_a_report_without_a_start_closes_the_course_that_is_open(case: Case):
    case.course(50, 2, Meldung_ID="M1", reported="2015-05-01")
    case.course(30, 3, "2017-03-06", None, Meldung_ID="M2", reported="2017-03-06", Ende_Grund=None)
    case.course(24, 3, None, "2017-03-15", Meldung_ID="M3", reported="2017-05-01", Ende_Grund="A")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "end_reason") == [(50.0, "E"), (24.0, "A")]


@together(irradiated)
def test_o8_a_report_without_a_start_belongs_to_the_last_course_if_all_are_closed(case: Case):
    case.course(50, 2, Meldung_ID="M1", reported="2015-05-01")
    case.course(30, 3, "2017-03-06", "2017-03-17", Meldung_ID="M2", reported="2017-05-01")
    case.course(27, 3, None, None, Meldung_ID="M3", reported="2017-06-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,), (27.0,)]


def test_o9_a_sequential_boost_with_an_st_of_its_own_adds(case: Case):
    case.course(50, 2)
    case.course(16, 2, **BOOST)
    outcome = case.run()
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["prescribed_dose_gy"], row["documented_fractions"], row["boost"]) == (66.0, 33, "sequential")
    assert (str(row["start_date"]), str(row["end_date"])) == ("2015-03-02", "2015-04-15")
    assert (row["documented_rule"], len(row["record_ids"])) == ("O9 O3", 2)
    assert outcome.accounting["unaccounted"].sum() == 0


@pytest.mark.parametrize(
    "boost",
    [
        {"Boost": "N"},
        {"Boost": None},
        {"Seite_Zielgebiet": "R"},
        {"Zielgebiet": "5.9"},
        {"tumour": "T2"},
        {"start": "2015-06-01", "end": "2015-06-10"},  # after the operation of 20 May
        {"start": "2015-05-18", "end": "2015-05-19"},  # 45 days after the end
        {"start": "2015-03-20"},  # at the same time
        {"start": None, "end": None},
    ],
)
@together(irradiated)
def test_o9_what_continues_no_course_stays_a_course_of_its_own(case: Case, boost):
    case.course(50, 2)
    case.course(16, 2, **(BOOST | boost))
    outcome = yield
    assert sorted(d for (d,) in courses(outcome, "prescribed_dose_gy")) == [16.0, 50.0]


@pytest.mark.parametrize(
    ("days", "doses"),
    [
        # 42 days after 3 April, and a day more.
        ({"start": "2015-05-15", "end": "2015-05-19"}, [66.0]),
        ({"start": "2015-05-16", "end": "2015-05-19"}, [16.0, 50.0]),
        # It may begin on the last day of the course, but not before.
        ({"start": "2015-04-03"}, [66.0]),
        ({"start": "2015-04-02"}, [16.0, 50.0]),
    ],
)
@together(irradiated)
def test_o9_a_boost_begins_from_the_last_day_of_the_course_until_42_days_later(case: Case, days, doses):
    case.course(50, 2)
    case.course(16, 2, **(BOOST | days))
    outcome = yield
    assert sorted(d for (d,) in courses(outcome, "prescribed_dose_gy")) == doses


@together(irradiated)
def test_o9_an_unknown_side_or_the_other_version_of_the_code_is_the_same_region(case: Case):
    case.course(50, 2, Zielgebiet="6.8.")
    boost: dict[str, Any] = BOOST | {"Seite_Zielgebiet": "U"}
    case.course(16, 2, **boost)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(66.0,)]


@together(irradiated)
def test_o9_a_boost_above_80_gy_in_total_is_asked(case: Case):
    case.course(66, 2, Boost="SEQ")
    case.course(16, 2, **BOOST)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(None,)]
    assert "radiotherapy.irradiations-undecided" in findings(outcome)
