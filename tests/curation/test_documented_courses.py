"""Documented irradiations to courses: rules O1 to O7, through the typed records of oBDS reports."""

import polars as pl
import pytest

from sarcoma_pipeline.curation.documented_courses import Irradiation
from tests.curation.conftest import Case, courses, findings, irradiated, plans
from tests.curation.rt_files import hdr, plan
from tests.one_curation import together

SHOWN = ("prescribed_dose_gy", "single_dose_gy", "boost", "documented_rule")


@together(irradiated)
def test_o1_one_irradiation(case: Case):
    case.course(60, 2.4, Boost="SIB")
    outcome = yield
    assert courses(outcome, *SHOWN) == [(60.0, 2.4, "simultaneous integrated", "O1")]
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["documented_fractions"], row["fractions"], row["target_side"]) == (25, None, "left")


@together(irradiated)
def test_o2_another_target_region_is_a_course_of_its_own(case: Case):
    case.course(46, 2, part=1, Zielgebiet="5.9")
    case.course(50, 2, part=2)
    outcome = yield
    assert courses(outcome, "target", "target_region", "prescribed_dose_gy", "documented_rule") == [
        (1, "7.3", 50.0, "O1"), (2, "5.9", 46.0, "O2"),
    ]  # fmt: skip


@together(irradiated)
def test_o2_the_region_of_the_tumour_comes_first_else_the_higher_dose(case: Case):
    case.course(60, 2, part=1, Zielgebiet="5.9")
    case.course(50, 2, part=2)
    outcome = yield
    assert courses(outcome, "target_region", "target") == [("7.3", 1), ("5.9", 2)]


@together(irradiated)
def test_o2_without_a_known_region_the_higher_dose_comes_first(case: Case):
    case.course(46, 2, part=1, Zielgebiet="3.4")
    case.course(50, 2, part=2, Zielgebiet="5.9")
    outcome = yield
    assert courses(outcome, "target_region") == [("5.9",), ("3.4",)]


@together(irradiated)
def test_o2_the_other_side_is_another_target(case: Case):
    case.course(50, 2, part=1)
    case.course(50, 2, part=2, Seite_Zielgebiet="R")
    outcome = yield
    assert len(courses(outcome, "target")) == 2


@together(irradiated)
def test_o3_a_sequential_boost_adds(case: Case):
    case.course(50, 2, part=1, Boost="N")
    case.course(16, 2, "2015-04-06", "2015-04-15", part=2, Boost="SEQ")
    outcome = yield
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["prescribed_dose_gy"], row["documented_fractions"], row["boost"]) == (66.0, 33, "sequential")
    assert (str(row["start_date"]), str(row["end_date"])) == ("2015-03-02", "2015-04-15")
    assert len(row["record_ids"]) == 2


@together(irradiated)
def test_o3_a_boost_without_a_region_joins_the_only_one(case: Case):
    case.course(50, 2, part=1)
    case.course(16, 2, "2015-04-06", "2015-04-15", part=2, Boost="SEQ", Zielgebiet=None)
    outcome = yield
    assert courses(outcome, *SHOWN)[0][0] == 66.0


@pytest.mark.parametrize(
    ("base", "boost"),
    [
        ({}, {"Seite_Zielgebiet": "U"}),
        ({"Seite_Zielgebiet": "T"}, {}),
        ({"Seite_Zielgebiet": "U"}, {"Seite_Zielgebiet": None}),
        ({"Zielgebiet": "6.8."}, {}),  # the thigh in the codes of 2014 and of 2021
        ({"Zielgebiet": "6.8."}, {"Seite_Zielgebiet": "U"}),
    ],
)
@together(irradiated)
def test_o3_an_unknown_side_or_the_other_version_of_the_code_is_no_other_target(case: Case, base, boost):
    case.course(50, 2, part=1, **base)
    case.course(16, 2, "2015-04-06", "2015-04-15", part=2, Boost="SEQ", **boost)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "documented_rule") == [(66.0, "O3")]


@pytest.mark.parametrize(
    ("base", "boost"),
    [
        ({}, {"Seite_Zielgebiet": "R"}),
        ({"Zielgebiet": "6.8."}, {"Zielgebiet": "6.15."}),  # two codes of one version
        ({"Zielgebiet": "4.8."}, {"Zielgebiet": "5.9"}),  # neither is the region of the tumour
    ],
)
@together(irradiated)
def test_o2_another_side_or_region_stays_another_target(case: Case, base, boost):
    case.course(50, 2, part=1, **base)
    case.course(16, 2, "2015-04-06", "2015-04-15", part=2, Boost="SEQ", **boost)
    outcome = yield
    assert sorted(d for (d,) in courses(outcome, "prescribed_dose_gy")) == [16.0, 50.0]


@together(irradiated)
def test_o2_an_unknown_side_beside_two_known_ones_stays_apart(case: Case):
    case.course(50, 2, part=1)
    case.course(50, 2, part=2, Seite_Zielgebiet="R")
    case.course(16, 2, "2015-04-06", "2015-04-15", part=3, Boost="SEQ", Seite_Zielgebiet="U")
    outcome = yield
    assert sorted(d for (d,) in courses(outcome, "prescribed_dose_gy")) == [16.0, 50.0, 50.0]


@together(irradiated)
def test_o4_an_integrated_boost_is_the_highest(case: Case):
    case.course(50, 2, part=1)
    case.course(60, 2.4, part=2, Boost="SIB")
    outcome = yield
    assert courses(outcome, *SHOWN) == [(60.0, 2.4, "simultaneous integrated", "O4")]


@pytest.mark.parametrize("first", [True, False])
@together(irradiated)
def test_o5_brachytherapy_is_a_phase_apart(case: Case, first):
    parts = (1, 2) if first else (2, 1)
    case.course(15, 3, "2015-02-20", "2015-02-24", part=parts[0], Applikationsart="Kontakt")
    case.course(50, 2, part=parts[1])
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "kind") == [(50.0, "external beam")]
    phases = outcome["radiotherapy_phase"].select("kind", "prescribed_dose_gy").rows()
    assert sorted(phases) == [("brachytherapy", 15.0), ("external beam", 50.0)]


@together(irradiated)
def test_o5_brachytherapy_alone_is_the_course(case: Case):
    case.course(15, 3, Applikationsart="Kontakt")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "kind", "radiation") == [
        (15.0, "brachytherapy", "brachytherapy")
    ]


def test_o5_an_hdr_plan_goes_to_the_documented_brachytherapy(case: Case):
    case.course(15, 3, "2015-02-20", "2015-02-24", st="ST0", Applikationsart="Kontakt")
    case.course(50, 2)
    case.files(plan("1.1"), hdr("1.2", 15, 5, date="20150218"))
    outcome = case.run()
    assert plans(outcome, "course_id") == {"1.1": "ST1", "1.2": "ST0"}
    assert courses(outcome, "prescribed_dose_gy", "kind") == [
        (15.0, "brachytherapy"), (50.0, "external beam"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "dose", "activity"),
    [
        ("GBq", None, 7.4),
        ("MBq", None, 0.0074),
        ("kBq", None, 7.4e-6),
        ("Gy", None, None),
        (None, None, None),
    ],
)
@together(irradiated)
def test_an_activity_is_no_dose(case: Case, unit, dose, activity):
    case.course(7.4, 7.4, Applikationsart="Metabolisch", Gesamtdosis_Einheit=unit, Einzeldosis_Einheit=unit)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "single_dose_gy", "kind") == [(dose, None, "radionuclide")]
    got = outcome.typed["typed.radiotherapy"]["activity_gbq"].item()
    assert got == (None if activity is None else pytest.approx(activity))


@pytest.mark.parametrize(
    ("unit", "dose"), [("Gy", 50.0), ("cGy", 0.5), (None, 50.0), ("GBq", None), ("mSv", None)]
)
@together(irradiated)
def test_units_of_a_dose(case: Case, unit, dose):
    case.course(50, 2, Gesamtdosis_Einheit=unit)
    outcome = yield
    assert outcome.typed["typed.radiotherapy"]["prescribed_dose_gy"].to_list() == [dose]
    assert ("value.number-unreadable" in outcome.rules()) == (unit == "mSv")


@together(irradiated)
def test_o6_several_without_a_mark_have_no_dose(case: Case):
    case.course(30, 2, part=1, Boost="N")
    case.course(20, 2, "2015-04-06", "2015-04-17", part=2, Boost="N")
    outcome = yield
    assert courses(outcome, *SHOWN)[0][0] is None
    assert "radiotherapy.irradiations-undecided" in findings(outcome)
    readings = outcome["radiotherapy_reading"].select("reading", "prescribed_dose_gy", "fractions").rows()
    assert readings == [(1, 50.0, 25), (2, 30.0, 15), (3, 20.0, 10)]


@together(irradiated)
def test_o6_a_sum_above_80_gy_has_no_dose(case: Case):
    case.course(50, 2, part=1)
    case.course(66, 2, part=2, Boost="SEQ")
    outcome = yield
    assert courses(outcome, *SHOWN)[0][0] is None


def test_o6_a_plan_decides_where_documentation_does_not(case: Case):
    case.course(30, 2, part=1, Boost="N")
    case.course(20, 2, "2015-03-23", "2015-04-03", part=2, Boost="N")
    case.files(plan("1.1"))
    outcome = case.run()
    assert courses(outcome, "prescribed_dose_gy", "fractions") == [(50.0, 25)]


@together(irradiated)
def test_o3_a_sum_of_80_gy_is_not_above_80(case: Case):
    case.course(64, 2, part=1)
    case.course(16, 2, "2015-04-06", "2015-04-15", part=2, Boost="SEQ")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "documented_rule") == [(80.0, "O3")]


@together(irradiated)
def test_o7_the_same_irradiation_twice_counts_once(case: Case):
    case.course(50, 2, part=1)
    case.course(50, 2, part=2)
    outcome = yield
    assert courses(outcome, *SHOWN)[0][0] == 50.0
    assert len(outcome["radiotherapy_course"]["record_ids"].item()) == 2


@together(irradiated)
def test_o7_a_report_that_lacks_the_dose_per_fraction_is_the_same_irradiation(case: Case):
    case.course(50, 2, part=1)
    case.course(50, None, part=2)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "documented_fractions", "documented_rule") == [
        (50.0, 25, "O7")
    ]


@together(irradiated)
def test_o7_another_number_of_fractions_is_not_the_same_irradiation(case: Case):
    case.course(50, 2, part=1)
    case.course(50, 2.5, part=2)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy", "documented_fractions", "documented_rule") == [
        (None, None, "O6")
    ]
    assert "radiotherapy.irradiations-undecided" in findings(outcome)


@together(irradiated)
def test_reports_of_begin_and_end_are_one_course(case: Case):
    case.course(None, None, end=None, Meldung_ID="M1", reported="2015-03-10", Ende_Grund=None)
    case.course(50, 2, Meldung_ID="M2", reported="2015-05-01")
    outcome = yield
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["prescribed_dose_gy"], str(row["start_date"]), row["end_reason"]) == (50.0, "2015-03-02", "E")


@together(irradiated)
def test_the_latest_report_says_which_irradiations_there_are(case: Case):
    case.course(50, 2, part=1, Meldung_ID="M1", reported="2015-05-01")
    case.course(16, 2, part=2, Meldung_ID="M1", reported="2015-05-01", Boost="SEQ")
    case.course(50, 2, part=1, Meldung_ID="M2", reported="2015-06-01")
    outcome = yield
    assert courses(outcome, *SHOWN)[0][0] == 50.0, "the boost was withdrawn"


@together(irradiated)
def test_two_tumours_may_number_their_courses_alike(case: Case):
    case.course(50, 2)
    case.course(46, 2, "2016-03-02", "2016-04-03", tumour="T2")
    outcome = yield
    assert sorted(courses(outcome, "tumour_id", "prescribed_dose_gy")) == [("T1", 50.0), ("T2", 46.0)]


@together(irradiated)
def test_stereotactic_and_end_reason(case: Case):
    case.course(Stereotaktisch="ST", Ende_Grund="F")
    outcome = yield
    assert courses(outcome, "stereotactic", "end_reason", "radiation") == [(True, "F", "photons")]


@together(irradiated)
def test_irradiations_of_one_st_do_not_correct_each_other(case: Case):
    case.course(50, 2)
    case.course(16, 2, part=2, Boost="SEQ")
    outcome = yield
    assert "record.corrected" not in outcome.rules()


def test_only_a_changed_value_corrects_an_irradiation(case: Case):
    case.course(50, 2)
    case.course(50, 2, Meldung_ID="M-later", reported="2020-06-01")
    assert "record.corrected" not in case.run().rules()
    case.course(60, 2, Meldung_ID="M-latest", reported="2020-07-01")
    outcome = case.run()
    assert outcome.observed.filter(pl.col("rule_id") == "record.corrected").height == 1
    assert courses(outcome, "prescribed_dose_gy") == [(60.0,)]


@together(irradiated)
def test_o8_two_reporters_of_one_course_under_two_numbers(case: Case):
    case.course(50, 2, Absender_ID="A", st="ST1")
    case.course(50, 2, Absender_ID="B", st="77", start="2015-03-03", reported="2020-02-01")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,)]
    assert len(outcome["radiotherapy_course"]["record_ids"].item()) == 2


@together(irradiated)
def test_o8_one_number_of_two_reporters_for_two_courses(case: Case):
    case.course(50, 2, Absender_ID="A", st="1")
    case.course(30, 3, Absender_ID="B", st="1", start="2019-03-04", end="2019-03-15")
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,), (30.0,)]
    assert outcome["radiotherapy_course"]["course_id"].n_unique() == 2


@together(irradiated)
def test_o8_two_reporters_of_two_targets_and_one_reporter_of_two_courses_stay_apart(case: Case):
    case.course(50, 2, Absender_ID="A", st="1", Zielgebiet="7.3")
    case.course(46, 2, Absender_ID="B", st="1", Zielgebiet="5.9")
    case.course(8, 8, Absender_ID="A", st="2", start="2015-03-03", Zielgebiet="7.3")
    outcome = yield
    assert sorted(d for (d,) in courses(outcome, "prescribed_dose_gy")) == [8.0, 46.0, 50.0]


@together(irradiated)
def test_o8_a_report_without_days_follows_its_number(case: Case):
    case.course(None, None, Absender_ID="A", st="1")
    case.course(50, 2, Absender_ID="B", st="1", start=None, end=None)
    outcome = yield
    assert courses(outcome, "prescribed_dose_gy") == [(50.0,)]


@pytest.mark.parametrize(
    ("days", "overall"),
    [
        ({"start": "2015-03-02", "end": "2015-03-02"}, 1),
        ({"start": "2015-03-02", "end": "2015-03-06"}, 5),
        ({"start": "2015-03-02", "end": None}, None),
        # How long it took is unknown if only the month of the end is known.
        ({"start": "2015-03-02", "end": "00.04.2015"}, None),
    ],
)
@together(irradiated)
def test_a_course_takes_the_days_from_its_first_to_its_last_one(case: Case, days, overall):
    case.course(8, 8, **days)
    outcome = yield
    assert courses(outcome, "overall_days") == [(overall,)]


@pytest.mark.parametrize(
    ("dose", "single", "fractions"),
    [(50, 2, 25), (50.4, 1.8, 28), (50.08, 2, 25), (49.92, 2, 25), (50, 2.3, None), (1, 30, None),
     (None, 2, None), (50, None, None)],
)  # fmt: skip
def test_documented_fractions_are_the_dose_over_the_dose_per_fraction_if_that_is_whole(
    dose, single, fractions
):
    assert Irradiation((), dose=dose, single=single).fractions == fractions
