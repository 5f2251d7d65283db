"""Operations, irradiations and examinations that are exact to the month or year only.

Expected days are counted by hand from 1 January 2012: 1 March 2014 is day 366 + 365 + 31 + 28 = 790.
"""

import pytest

from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.configuration import Study
from tests.cohort.test_endpoints import CLEAN, STUDY, derived, seen
from tests.one_curation import OfCase, sarcoma, together

LATER = Study.model_validate(
    STUDY.model_dump() | {"endpoints": [
        {"name": "DFS", "title": "DFS", "events": ["local relapse", "death"],
         "censor": "last disease assessment", "origin": "radiotherapy start"}
    ]}
)  # fmt: skip


def times(outcome: OfCase, endpoint: str, study: Study = STUDY) -> tuple:
    row = derived(outcome, study)[endpoint]
    return (
        row["event_kind"], row["time_days"], row["time_days_earliest"], row["time_days_latest"],
        row["date_precision"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("00.03.2014", (804, 790, 820, "month")),
        ("00.00.2014", (912, 731, 1095, "year")),
        ("15.03.2014", (804, 804, 804, "day")),
    ],
)
@together(sarcoma)
def test_the_last_examination_ends_the_time_on_any_day_of_its_month_or_year(sarcoma, on, expected):
    seen(sarcoma, on, **CLEAN)
    outcome = yield
    assert times(outcome, "DFS") == times(outcome, "OS") == ("censored", *expected)


@together(sarcoma)
def test_an_exact_examination_after_the_middle_of_the_month_is_the_last_one(sarcoma):
    seen(sarcoma, "00.03.2014", **CLEAN)
    seen(sarcoma, "20.03.2014", **CLEAN)
    # The other one may have been as late as 31 March.
    outcome = yield
    assert times(outcome, "DFS") == ("censored", 809, 809, 820, "month")


@together(sarcoma)
def test_the_precision_is_that_of_the_least_exact_examination_that_may_be_the_last(sarcoma):
    seen(sarcoma, "00.00.2014", **CLEAN)
    seen(sarcoma, "00.12.2014", Module_ID="V2", **CLEAN)
    # Both may have been on 31 December; 15 December is 731 + 334 + 14 = 1079.
    outcome = yield
    assert times(outcome, "DFS") == ("censored", 1079, 1065, 1095, "year")


@pytest.mark.parametrize("status", ["Verlauf_Lokaler_Tumorstatus", "Verlauf_Tumorstatus_Fernmetastasen"])
@together(sarcoma)
def test_a_relapse_is_on_any_day_of_the_month_of_its_examination(sarcoma, status):
    seen(sarcoma, "00.03.2014", **{status: "R"})
    kind = "local relapse" if "Lokal" in status else "distant relapse"
    outcome = yield
    assert times(outcome, "DFS") == (kind, 804, 790, 820, "month")


@together(sarcoma)
def test_an_undated_metastasis_is_on_any_day_of_the_month_of_its_report(sarcoma):
    seen(sarcoma, "00.03.2014", Menge_FM='[{"Lokalisation": "PUL"}]', **CLEAN)
    outcome = yield
    assert times(outcome, "DMFS") == ("distant relapse", 804, 790, 820, "month")


@pytest.mark.parametrize(
    ("found_on", "expected"),
    [("2014-03-20", (809, 809, 809, "day")), ("2014-04-02", (804, 790, 820, "month"))],
)
@together(sarcoma)
def test_a_month_of_the_report_does_not_contradict_a_day_of_the_metastasis_in_it(sarcoma, found_on, expected):
    listed = f'[{{"Diagnosedatum": "{found_on}", "Datumsgenauigkeit": "E", "Lokalisation": "PUL"}}]'
    seen(sarcoma, "00.03.2014", Menge_FM=listed)
    outcome = yield
    assert times(outcome, "DMFS") == ("distant relapse", *expected)


@together(sarcoma)
def test_nobody_is_examined_after_their_death(sarcoma):
    seen(sarcoma, "00.03.2014", Verlauf_Lokaler_Tumorstatus="R")
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2014-03-11")
    outcome = yield
    # Of 1 to 11 March the middle is the 6th; no day of that month contradicts the death.
    assert times(outcome, "DFS") == ("local relapse", 795, 790, 800, "month")
    assert times(outcome, "OS") == ("death", 800, 800, 800, "day")
    assert outcome.quarantined == set() and "assessment.after-death" not in outcome.rules()


@together(sarcoma)
def test_a_month_that_begins_after_the_death_contradicts_it(sarcoma):
    examined = seen(sarcoma, "00.04.2014", **CLEAN)
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2014-03-31")
    outcome = yield
    assert "assessment.after-death" in outcome.rules() and outcome.quarantined == {examined}


@together(sarcoma)
def test_an_examination_and_the_death_in_one_month_narrow_each_other_by_nothing(sarcoma):
    seen(sarcoma, "00.03.2014", **CLEAN)
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="00.03.2014")
    outcome = yield
    assert times(outcome, "OS") == times(outcome, "DFS") == ("death", 804, 790, 820, "month")


@together()
def test_an_examination_in_the_month_of_the_diagnosis_comes_after_it(records):
    records.patient()
    records.diagnosis(on="2012-01-21")
    seen(records, "00.01.2012", **CLEAN)
    outcome = yield
    # Of 21 to 31 January the middle is the 26th.
    assert times(outcome, "DFS") == ("censored", 5, 0, 10, "month")
    assert "assessment.before-diagnosis" not in outcome.rules()


def irradiated(records, start: str, end: str, **more: str) -> None:
    records.meldung(r.ObdsRadiotherapy, Applikationsart="Perkutan", Gesamtdosis="50", Beginn=start, Ende=end,
                    Intention="K", **more)  # fmt: skip


@together(sarcoma)
def test_time_that_starts_with_the_irradiation_moves_with_its_month(sarcoma):
    irradiated(sarcoma, "00.03.2012", "2012-04-20")
    seen(sarcoma, "2014-01-01", **CLEAN)
    # 1, 15 and 31 March 2012 are the days 60, 74 and 90; the examination is on day 731.
    outcome = yield
    assert times(outcome, "DFS", LATER) == ("censored", 657, 641, 671, "month")


def course(outcome) -> dict:
    return outcome["radiotherapy_course"].row(0, named=True)


@together(sarcoma)
def test_an_irradiation_begins_before_it_ends(sarcoma):
    irradiated(sarcoma, "00.04.2012", "2012-04-11")
    outcome = yield
    made = course(outcome)
    # Of 1 to 11 April the middle is the 6th: day 60 + 31 + 5. How long it lasted is unknown.
    assert [made[f"start_day{end}"] for end in ("", "_earliest", "_latest")] == [96, 91, 101]
    assert [made[f"end_day{end}"] for end in ("", "_earliest", "_latest")] == [101, 101, 101]
    assert (made["start_date_precision"], made["end_date_precision"]) == ("month", "day")
    assert made["overall_days"] is None
    assert "radiotherapy.ends-before-start" not in outcome.rules() and outcome.quarantined == set()


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        ("00.05.2012", "2012-04-30", "radiotherapy.ends-before-start"),
        # From 30 April to 9 August are more than 100 days, whichever day of April it was.
        ("00.04.2012", "2012-08-09", "radiotherapy.overlong"),
    ],
)
@together(sarcoma)
def test_a_month_that_cannot_be_right_is_a_finding(sarcoma, start, end, rule):
    irradiated(sarcoma, start, end)
    outcome = yield
    assert rule in outcome.rules()


@together(sarcoma)
def test_a_month_that_may_be_right_is_none(sarcoma):
    # From 30 April to 7 August are 100 days.
    irradiated(sarcoma, "00.04.2012", "2012-08-07")
    outcome = yield
    assert "radiotherapy.overlong" not in outcome.rules()


@pytest.mark.parametrize("reported", [("00.03.2012", "2012-03-05"), ("2012-03-05", "00.03.2012")])
@together(sarcoma)
def test_the_day_in_another_report_is_the_day_of_the_month(sarcoma, reported):
    for at, start in enumerate(reported):
        irradiated(sarcoma, start, "2012-04-20", Module_ID="ST1", reported=f"2020-01-0{at + 1}")
    outcome = yield
    made = course(outcome)
    assert (made["start_day"], made["start_day_latest"], made["start_date_precision"]) == (64, 64, "day")


def operated(records, on: str, **more: str) -> str:
    return records.meldung(r.ObdsSurgery, Datum=on, Intention="K", Lokale_Beurteilung_Residualstatus="R0",
                           **more)  # fmt: skip


@together()
def test_an_operation_in_the_month_of_the_diagnosis_comes_after_it(records):
    records.patient()
    records.diagnosis(on="2012-01-21")
    operated(records, "00.01.2012")
    outcome = yield
    made = outcome["surgery"].row(0, named=True)
    assert [made[f"surgery_day{end}"] for end in ("", "_earliest", "_latest")] == [5, 0, 10]
    assert made["surgery_date_precision"] == "month"


@together(sarcoma)
def test_an_operation_without_a_date_has_no_days(sarcoma):
    sarcoma.meldung(r.ObdsSurgery, Intention="K", Module_ID="1")
    outcome = yield
    made = outcome["surgery"].row(0, named=True)
    assert {made[f"surgery_day{end}"] for end in ("", "_earliest", "_latest")} == {None}


@pytest.mark.parametrize("reported", [("00.03.2012", "2012-03-05"), ("2012-03-05", "00.03.2012")])
@together(sarcoma)
def test_the_month_and_a_day_of_one_operation_are_one_date(sarcoma, reported):
    for at, on in enumerate(reported):
        operated(sarcoma, on, Module_ID="OP1", reported=f"2020-01-0{at + 1}")
    outcome = yield
    assert outcome["surgery"].select("surgery_day", "surgery_date_precision").rows() == [(64, "day")]
    assert "record.number-on-two-dates" not in outcome.rules()


@pytest.mark.parametrize(
    ("start", "operation", "sequence"),
    [
        ("00.03.2012", "2012-03-10", None),
        ("00.03.2012", "2012-04-01", "preoperative"),
        ("00.03.2012", "2012-03-01", "postoperative adjuvant"),
        ("2012-03-10", "00.03.2012", None),
        ("2012-03-10", "00.02.2012", "postoperative adjuvant"),
    ],
)
@together(sarcoma)
def test_what_came_first_in_one_month_is_not_guessed(sarcoma, start, operation, sequence):
    irradiated(sarcoma, start, "2012-05-20")
    operated(sarcoma, operation)
    outcome = yield
    found = primary.course(outcome.frames)
    assert found["radiation_sequence"].to_list() == [sequence]


@together(sarcoma)
def test_a_contact_for_another_tumour_has_its_days_and_a_precision(sarcoma):
    sarcoma.diagnosis(on="2013-05-01", tumour="T2", Primaertumor_ICD="C18.0", Morphologie_ICD_O='["8140/3"]',
                      Primaertumor_Topographie_ICD_O="C18.0")  # fmt: skip
    sarcoma.meldung(r.ObdsFollowUp, tumour="T2", Untersuchungsdatum_Verlauf="00.03.2014", **CLEAN)
    outcome = yield
    assert times(outcome, "OS") == ("censored", 804, 790, 820, "month")
    events = timeline(outcome.frames, STUDY.assumptions).events
    assert events["precision"].null_count() == 0


ENTERS = Study.model_validate(
    STUDY.model_dump() | {"endpoints": [
        {"name": "DFS", "title": "DFS", "events": ["local relapse", "death"],
         "censor": "last disease assessment", "entry": "radiotherapy start"}
    ]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # 1, 15 and 31 March 2012 are the days 60, 74 and 90.
        ("00.03.2012", (74, 60, 90)),
        # Not before the diagnosis on 1 January; 2012 to its end, 1 July is day 182; of 366 days one is day 0.
        ("00.00.2012", (182, None, 365)),
        ("2012-03-15", (74, 74, 74)),
    ],
)
@together(sarcoma)
def test_a_delayed_entry_moves_with_the_month_of_the_irradiation(sarcoma, start, expected):
    irradiated(sarcoma, start, "2012-12-31")
    seen(sarcoma, "2014-01-01", **CLEAN)
    outcome = yield
    row = derived(outcome, ENTERS)["DFS"]
    assert (row["entry_days"], row["entry_days_earliest"], row["entry_days_latest"]) == expected
    assert row["time_days_earliest"] == row["time_days_latest"] == 731


@together(sarcoma)
def test_who_enters_where_the_time_begins_enters_at_once_whatever_the_month(sarcoma):
    irradiated(sarcoma, "00.03.2012", "2012-04-20")
    seen(sarcoma, "2014-01-01", **CLEAN)
    outcome = yield
    row = derived(outcome, LATER)["DFS"]
    assert {row[f"entry_days{end}"] for end in ("", "_earliest", "_latest")} == {None}


@together()
def test_the_diagnosis_is_on_no_day_that_its_therapy_excludes(patient):
    patient.patient()
    patient.diagnosis(on="2012-06-15", exactness="T")
    irradiated(patient, "2012-06-11", "2012-07-20")
    seen(patient, "2012-12-15", **CLEAN)
    outcome = yield
    # 1 to 11 June 2012: the middle is the 6th, 192 days before 15 December; the 11th is 187 and the 1st 197.
    assert times(outcome, "DFS") == ("censored", 192, 187, 197, "month")
    row = derived(outcome, ENTERS)["DFS"]
    # Days from the diagnosis to the irradiation: 5, and with a late or an early diagnosis none or 10.
    assert (row["entry_days"], row["entry_days_earliest"], row["entry_days_latest"]) == (5, None, 10)
