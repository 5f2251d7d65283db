"""Which value counts if several reporters document one tumour or operation; findings on the others."""

import datetime as dt

import pytest

from schemas import received as r
from tests.one_curation import sarcoma, together

A, B = {"Absender_ID": "S", "Melder_ID": "A"}, {"Absender_ID": "S", "Melder_ID": "B"}
DIFFER = "diagnosis.reporters-differ"
SITE = "Primaertumor_Topographie_ICD_O"


def told(outcome, rule=DIFFER):
    return outcome.observed.filter(rule_id=rule).sort("record_id").select("record_id", "value").rows()


def described(outcome, *columns):
    return outcome["diagnosis"].select(columns).row(0)


@pytest.mark.parametrize("vague", ["C49.9", "C49.8", "C49", None])
@together()
def test_a_named_subsite_beats_a_newer_report_that_names_none(records, vague):
    records.patient()
    records.diagnosis(**A, **{SITE: "C49.2"})
    records.diagnosis(reported="2020-02-01", **B, **{SITE: vague})
    outcome = yield
    assert described(outcome, "icdo3_topography", "region") == ("C49.2", "extremities")
    assert told(outcome) == [], "what says nothing contradicts nothing"


@pytest.mark.parametrize("vague", ["U", "T", None])
@together()
def test_a_side_beats_a_newer_report_that_knows_none(records, vague):
    records.patient()
    records.diagnosis(Seitenlokalisation="L", **A)
    records.diagnosis(reported="2020-02-01", Seitenlokalisation=vague, **B)
    outcome = yield
    assert described(outcome, "laterality") == ("left",)
    assert told(outcome) == []


@pytest.mark.parametrize("turned", [False, True])
@together()
def test_of_two_named_subsites_the_newest_counts_and_the_other_is_a_finding(records, turned):
    older = {"record_id": f"z{records.number}", "reported": "2020-01-01", SITE: "C49.1", **A}
    newer = {"record_id": f"a{records.number}", "reported": "2020-02-01", SITE: "C49.2", **B}
    records.patient()
    for report in (newer, older) if turned else (older, newer):
        records.diagnosis(**report)
    outcome = yield
    assert described(outcome, "icdo3_topography") == ("C49.2",)
    assert told(outcome) == [(older["record_id"], "C49.1")]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (("2012-01-01", "E"), ("2012-01-08", "E"), ["b"]),
        (("2012-01-08", "E"), ("2012-01-01", "E"), ["a"]),
        # The month or year of the other reporter does not have the day: the later one is the finding.
        (("2012-01-01", "E"), ("2012-03-15", "T"), ["b"]),
        (("2012-03-05", "E"), ("2012-01-15", "T"), ["a"]),
        (("2012-03-05", "E"), ("2010-07-01", "M"), ["a"]),
        (("2012-03-15", "T"), ("2010-07-01", "M"), ["a"]),
        # It has it.
        (("2012-01-01", "E"), ("2012-01-15", "T"), []),
        (("2012-01-01", "E"), ("2012-07-01", "M"), []),
        (("2012-01-15", "T"), ("2012-07-01", "M"), []),
        (("2012-01-01", "E"), (None, None), []),
    ],
)
@together()
def test_two_reporters_date_a_tumour_so_that_no_day_is_possible_for_both(records, one, other, found):
    records.patient()
    ids = {
        "a": records.diagnosis(*one, record_id=f"a{records.number}", **A),
        "b": records.diagnosis(*other, record_id=f"b{records.number}", **B),
    }
    outcome = yield
    assert [record for record, _ in told(outcome)] == [ids[name] for name in found]


@together()
def test_a_reporters_own_correction_is_no_contradiction(records):
    records.patient()
    records.diagnosis(**A, **{SITE: "C49.1"})
    records.diagnosis(reported="2020-02-01", **A, **{SITE: "C49.2"})
    outcome = yield
    assert described(outcome, "icdo3_topography") == ("C49.2",)
    assert told(outcome) == []


@together()
def test_of_two_reporters_dates_the_earliest_counts_and_the_other_is_a_finding(records):
    records.patient()
    records.diagnosis("2012-01-01", **A)
    later = records.diagnosis("2012-03-01", **B)
    outcome = yield
    assert described(outcome, "diagnosis_date") == (dt.date(2012, 1, 1),)
    assert told(outcome) == [(later, "2012-03-01")]


@together()
def test_a_month_contradicts_no_day(records):
    records.patient()
    records.diagnosis("2012-01-10", **A)
    records.diagnosis("2012-01-15", exactness="T", **B)
    outcome = yield
    assert told(outcome) == []


@together()
def test_reporters_who_agree_are_no_finding(records):
    records.patient()
    records.diagnosis(**A)
    records.diagnosis(reported="2020-02-01", **B)
    outcome = yield
    assert told(outcome) == []


# --- operations ----------------------------------------------------------------------------------------


def operation(records, **values):
    said = {"Datum": "2012-02-01", "Intention": "K", "Menge_OPS": '["5-782.1aL"]', "Module_ID": "1"} | values
    return records.meldung(r.ObdsSurgery, **said)


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ({"Intention": "P"}, "curative"),
        ({"Menge_OPS": '["5-782.1aR"]'}, "left"),
        ({"Intention": "X"}, None),
        ({"Intention": None, "Menge_OPS": '["5-782.1a"]'}, None),
        ({}, None),
    ],
)
@together(sarcoma)
def test_two_reporters_give_an_operation_another_intent_or_side(records, other, value):
    older = operation(records, **A)
    operation(records, reported="2020-02-01", **B, **other)
    outcome = yield
    intent = "palliative" if other.get("Intention") == "P" else "curative"
    assert outcome["surgery"]["intent"].to_list() == [intent], "an unknown intent beats none"
    assert told(outcome, "surgery.reports-differ") == ([(older, value)] if value else [])


@together(sarcoma)
def test_the_procedures_of_an_operation_are_those_of_every_reporters_newest_report(records):
    operation(records, Menge_OPS='["5-852.3"]', **A)
    operation(records, Menge_OPS='["5-782.1a"]', reported="2020-02-01", **A)
    operation(records, Menge_OPS='["5-857.0", "5-782.1a"]', reported="2019-01-01", **B)
    outcome = yield
    assert outcome["surgery"]["ops_codes"].to_list() == [["5-782.1a", "5-857.0"]]


# --- master data ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("older", "value"),
    [
        ({"born": "1951-03-04"}, "1951-03-04"),
        ({"sex": "M"}, "male"),
        ({"sex": "U"}, None),
        ({"born": None}, None),
        ({"family": "Schmidt"}, None),  # a name may change
        # Exact to the month (T) or the year (M): another one, or the same.
        ({"born": "1950-04-15", "Geburtsdatum_Datumsgenauigkeit": "T"}, "1950-04-15"),
        ({"born": "1951-07-01", "Geburtsdatum_Datumsgenauigkeit": "M"}, "1951-07-01"),
        ({"born": "1950-03-15", "Geburtsdatum_Datumsgenauigkeit": "T"}, None),
        ({"born": "1950-07-01", "Geburtsdatum_Datumsgenauigkeit": "M"}, None),
        ({}, None),
    ],
)
@together()
def test_an_older_export_gives_the_number_another_birth_or_sex(records, older, value):
    born = {"born": "1950-03-04"}
    other = records.patient(**(born | older), Meldedatum="2019-01-01", record_id=f"older of {records.number}")
    records.patient(**born, Meldedatum="2020-01-01", record_id=f"newer of {records.number}")
    records.diagnosis()
    outcome = yield
    assert outcome["patient"].select("birth_date", "sex").rows() == [(dt.date(1950, 3, 4), "female")]
    assert told(outcome, "identity.master-data-differ") == ([(other, value)] if value else [])
