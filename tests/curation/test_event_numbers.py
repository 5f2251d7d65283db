"""What a number of an event means: one number on two dates is two events, on one date a correction."""

import datetime as dt

import pytest

from schemas import received as r
from tests.curation.conftest import told
from tests.one_curation import sarcoma, together

A, B = {"Absender_ID": "S", "Melder_ID": "A"}, {"Absender_ID": "S", "Melder_ID": "B"}
BREAST = {"Primaertumor_ICD": "C50.4", "Primaertumor_Topographie_ICD_O": "C50.4",
          "Morphologie_ICD_O": '["8500/3"]', "T": None, "N": None, "M": None}  # fmt: skip
TWICE = "record.number-on-two-dates"


def operation(records, on: str | None, number: str | None = "1", tumour="T1", **values):
    said = {"Intention": "P", "Menge_OPS": '["5-782.b"]', "Lokale_Beurteilung_Residualstatus": "R0"} | values
    return records.meldung(r.ObdsSurgery, Module_ID=number, Datum=on, tumour=tumour, **said)


def examination(records, on: str | None, number: str | None = "1", tumour="T1", **values):
    said = {"Gesamtbeurteilung_Tumorstatus": "V", "Verlauf_Lokaler_Tumorstatus": "K"} | values
    return records.meldung(
        r.ObdsFollowUp, Module_ID=number, Untersuchungsdatum_Verlauf=on, tumour=tumour, **said
    )


def drugs(records, on: str | None, number: str | None = "1", tumour="T1", **values):
    said = {"Therapieart": "CH"} | values
    return records.meldung(r.ObdsSystemicTherapy, Module_ID=number, Beginn=on, tumour=tumour, **said)


EVENTS = {
    "surgery": (operation, "surgery_date"),
    "assessment": (examination, "assessment_date"),
    "systemic_therapy": (drugs, "start_date"),
}


@pytest.mark.parametrize("table", EVENTS)
@together(sarcoma)
def test_one_number_on_two_dates_is_two_events_and_a_finding(patient, table):
    event, date = EVENTS[table]
    event(patient, "2013-02-01")
    later = event(patient, "2014-03-01")
    outcome = yield
    assert sorted(outcome[table][date]) == [dt.date(2013, 2, 1), dt.date(2014, 3, 1)]
    assert told(outcome, TWICE) == [later]
    assert told(outcome, "record.corrected") == [], "neither corrects the other"


@pytest.mark.parametrize("table", EVENTS)
@together(sarcoma)
def test_two_numbers_on_two_dates_are_no_finding(patient, table):
    event, _ = EVENTS[table]
    event(patient, "2013-02-01")
    event(patient, "2014-03-01", number="2")
    outcome = yield
    assert outcome[table].height == 2
    assert told(outcome, TWICE) == []


@pytest.mark.parametrize("table", EVENTS)
@together(sarcoma)
def test_without_a_number_there_is_nothing_to_find(patient, table):
    event, _ = EVENTS[table]
    event(patient, "2013-02-01", number=None)
    event(patient, "2014-03-01", number=None)
    outcome = yield
    assert outcome[table].height == 2
    assert told(outcome, TWICE) == []


@pytest.mark.parametrize("table", EVENTS)
@together(sarcoma)
def test_one_number_of_two_tumours_is_two_events_and_no_finding(patient, table):
    event, _ = EVENTS[table]
    patient.diagnosis("2014-01-01", tumour="T2", **BREAST)
    event(patient, "2015-02-01")
    event(patient, "2015-02-01", tumour="T2")
    outcome = yield
    assert sorted(outcome[table]["tumour_id"]) == ["T1", "T2"]
    assert told(outcome, TWICE) == []


@pytest.mark.parametrize("table", EVENTS)
@together(sarcoma)
def test_one_number_of_two_reporters_is_no_finding(patient, table):
    event, _ = EVENTS[table]
    event(patient, "2013-02-01", **A)
    event(patient, "2014-03-01", **B)
    outcome = yield
    assert outcome[table].height == 2
    assert told(outcome, TWICE) == []


@together(sarcoma)
def test_a_newer_report_of_one_number_and_day_corrects_the_older(patient):
    old = operation(patient, "2013-02-01")
    operation(patient, "2013-02-01", reported="2020-02-01", Lokale_Beurteilung_Residualstatus="R1")
    outcome = yield
    assert outcome["surgery"]["residual_status"].to_list() == ["R1"]
    assert told(outcome, "record.corrected") == [old]
    assert told(outcome, TWICE) == []


def reported(records, undated: bool, number: str | None = "1") -> str:
    """An operation with R0 in an export without a day, or with R1 in one with a day."""
    if undated:
        return operation(records, "2013-02-01", number, reported=None)
    return operation(
        records, "2013-02-01", number, reported="2020-02-01", Lokale_Beurteilung_Residualstatus="R1"
    )


@pytest.mark.parametrize("undated_first", [True, False])
@together(sarcoma)
def test_a_report_without_a_day_counts_as_the_oldest_of_its_number(patient, undated_first):
    told_of = [reported(patient, undated) for undated in (undated_first, not undated_first)]
    outcome = yield
    assert outcome["surgery"]["residual_status"].to_list() == ["R1"]
    assert told(outcome, "record.corrected") == [told_of[not undated_first]]


@pytest.mark.parametrize("undated_first", [True, False])
@together(sarcoma)
def test_of_two_reports_of_one_operation_the_one_with_a_day_is_newer(patient, undated_first):
    for undated in (undated_first, not undated_first):
        reported(patient, undated, number=None)
    outcome = yield
    assert outcome["surgery"]["residual_status"].to_list() == ["R1"]


@together()
def test_of_two_reports_of_one_diagnosis_the_newer_one_corrects_the_older(records):
    records.patient()
    old = records.diagnosis(Meldung_ID="M1", Grading="2")
    records.diagnosis(Meldung_ID="M2", Grading="3", reported="2020-02-01")
    outcome = yield
    assert told(outcome, "record.corrected") == [old]


@together(sarcoma)
def test_what_another_reporter_says_under_the_same_number_corrects_nothing(patient):
    examination(patient, "2013-02-01", **A)
    examination(patient, "2013-02-01", reported="2020-02-01", Verlauf_Lokaler_Tumorstatus="R", **B)
    outcome = yield
    assert sorted(outcome["assessment"]["local_status"]) == ["no tumour", "relapse"], "both stay"
    assert told(outcome, "record.corrected") == []


# --- begin and end of one treatment ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "exactness", "rows"),
    [
        ("2013-02-10", None, None, 1),  # an end without its begin
        ("2013-02-10", "2013-02-15", "T", 1),  # the month of the same begin
        ("2013-02-10", "2013-07-01", "M", 1),  # its year
        ("2013-02-10", "2013-03-15", "T", 2),  # another month
        (None, None, None, 1),  # nothing tells them apart
    ],
)
@together(sarcoma)
def test_begin_and_end_of_one_systemic_therapy_are_one(patient, begin, end, exactness, rows):
    drugs(patient, begin, Beginn_Datumsgenauigkeit="E" if begin else None)
    drugs(patient, end, Beginn_Datumsgenauigkeit=exactness, Protokoll="AI", reported="2020-02-01")
    outcome = yield
    therapies = outcome["systemic_therapy"]
    assert therapies.height == rows
    if rows == 1 and begin:
        assert therapies.select("start_date", "start_date_precision", "protocol").rows() == [
            (dt.date(2013, 2, 10), "day", "AI")
        ]


@together(sarcoma)
def test_an_undated_end_belongs_to_nothing_if_its_number_has_two_begins(patient):
    drugs(patient, "2013-02-10")
    drugs(patient, "2014-02-10")
    drugs(patient, None)
    outcome = yield
    assert outcome["systemic_therapy"].height == 3


def _begin_and_end(patient, order, begin=None, end=None, number="1", **more):
    """Report the end of a therapy and its begin; ``order`` says which is exported first."""
    said = {
        "end": {"Ende": "2013-06-01", "Ende_Grund": "E"} | (end or {}),
        "begin": {"Protokoll": "Doxorubicin"} | (begin or {}),
    }
    return {
        name: drugs(patient, "2013-02-10", number, reported=f"2020-0{at}-01", **said[name], **more)
        for at, name in enumerate(order, start=1)
    }


ORDERS = [("begin", "end"), ("end", "begin")]


@pytest.mark.parametrize("number", ["1", None])
@pytest.mark.parametrize("order", ORDERS)
@together(sarcoma)
def test_a_begin_does_not_undo_what_the_end_of_a_systemic_therapy_says(patient, order, number):
    ids = _begin_and_end(patient, order, end={"Protokoll": "AI"}, number=number)
    outcome = yield
    assert outcome["systemic_therapy"].select("protocol", "start_date").rows() == [
        ("AI", dt.date(2013, 2, 10))
    ]
    # The number names one therapy: the begin is corrected. Without it, two reports differ.
    rule = "record.corrected" if number else "systemic-therapy.reports-differ"
    assert told(outcome, rule) == [ids["begin"]]


@together(sarcoma)
def test_of_two_reports_of_an_end_the_newer_one_says_what_the_begin_does_not_undo(patient):
    for reported, protocol in (("2020-01-01", "AI"), ("2020-02-01", "VIDE")):
        drugs(patient, "2013-02-10", reported=reported, Protokoll=protocol, Ende="2013-06-01", Ende_Grund="E")
    drugs(patient, "2013-02-10", reported="2020-03-01", Protokoll="Doxorubicin")
    outcome = yield
    assert outcome["systemic_therapy"]["protocol"].to_list() == ["VIDE"]


@pytest.mark.parametrize("order", ORDERS)
@together(sarcoma)
def test_the_kind_of_a_numbered_therapy_is_that_of_its_end(patient, order):
    _begin_and_end(patient, order, begin={"Therapieart": "HO"}, end={"Therapieart": "CH"})
    outcome = yield
    assert outcome["systemic_therapy"].select("kind", "chemotherapy", "hormone_therapy").rows() == [
        ("chemotherapy", True, False)
    ]


@pytest.mark.parametrize("order", ORDERS)
@together(sarcoma)
def test_what_the_end_does_not_say_the_begin_does(patient, order):
    _begin_and_end(patient, order)
    outcome = yield
    assert outcome["systemic_therapy"]["protocol"].to_list() == ["Doxorubicin"]
    assert "systemic-therapy.reports-differ" not in outcome.rules()


@together(sarcoma)
def test_the_end_of_one_reporter_says_nothing_of_the_begin_of_another(patient):
    drugs(patient, "2013-02-10", Ende="2013-06-01", Protokoll="AI", **A)
    drugs(patient, "2013-02-10", Protokoll="Doxorubicin", reported="2020-02-01", **B)
    outcome = yield
    assert outcome["systemic_therapy"]["protocol"].to_list() == ["Doxorubicin"], "the newer one"
    assert "systemic-therapy.reports-differ" in outcome.rules()


@pytest.mark.parametrize("table", ["surgery", "assessment"])
@together(sarcoma)
def test_a_report_without_a_date_belongs_to_the_event_of_its_number(patient, table):
    event, date = EVENTS[table]
    event(patient, "2013-02-01")
    event(patient, None, reported="2020-02-01")
    outcome = yield
    assert outcome[table][date].to_list() == [dt.date(2013, 2, 1)]
