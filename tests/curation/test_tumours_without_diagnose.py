"""What stands for a Diagnose that is missing, and tumours that are only named."""

import datetime as dt
import json

import pytest

from schemas import received as r
from tests.curation.test_tumours import BREAST, examined, irradiated, operated, rows, rules, sarcoma
from tests.one_curation import together

ABOUT = {"Primaertumor_ICD": "C49.2", "Diagnosedatum": "2012-01-01",
         "Diagnosedatum_Datumsgenauigkeit": "E", "Seitenlokalisation": "L"}  # fmt: skip


@together()
def test_without_a_diagnose_the_tumorzuordnung_stands_for_it_with_a_finding(records):
    records.patient()
    operation = operated(records, Morphologie_ICD_O='["8802/3"]', **ABOUT)
    irradiated(records, **ABOUT)
    examined(records, "2013-01-01", **ABOUT)
    outcome = yield
    assert rows(
        outcome, "diagnosis", "diagnosis_date", "icd10_code", "icdo3_morphology", "laterality", "documented",
        "index_tumour", "histologically_confirmed",
    ) == [(dt.date(2012, 1, 1), "C49.2", "8802/3", "left", False, True, "yes")]  # fmt: skip
    assert outcome.found("diagnosis.missing") == [operation], "once a tumour, at its first record"
    assert operation in outcome["diagnosis"]["record_ids"].to_list()[0]
    assert outcome["surgery"]["surgery_day"].to_list() == [19]
    assert outcome["radiotherapy_course"]["start_day"].to_list() == [31]
    assert outcome["assessment"]["assessment_day"].to_list() == [366]


@pytest.mark.parametrize("undated_first", [True, False])
@together()
def test_without_a_diagnose_the_newest_dated_tumorzuordnung_counts(records, undated_first):
    """A report without a Meldedatum is older than any that has one (definitions, 1)."""
    records.patient()
    undated = {**ABOUT, "Seitenlokalisation": "R", "reported": None}
    if undated_first:
        irradiated(records, **undated)
    operated(records, "2012-01-20", **ABOUT, reported="2013-01-01")
    if not undated_first:
        irradiated(records, **undated)
    outcome = yield
    assert rows(outcome, "diagnosis", "laterality", "documented") == [("left", False)]


@together()
def test_the_morphology_of_the_tumorzuordnung_counts_where_nothing_else_is_said(records):
    records.patient()
    operated(records, Tumorzuordnung_Morphologie="8890/3", **ABOUT)
    outcome = yield
    assert rows(outcome, "diagnosis", "icdo3_morphology", "histology_group") == [("8890/3", "others")]


@together()
def test_a_diagnose_that_is_there_is_not_missing(records):
    records.patient()
    sarcoma(records)
    operated(records, **ABOUT)
    outcome = yield
    assert rules(outcome) == set()


@together()
def test_another_tumours_diagnose_does_not_take_the_sarcomas_records(records):
    records.patient()
    records.diagnosis("2005-01-01", tumour="2", **BREAST)
    operated(records, Morphologie_ICD_O='["8802/3"]', **ABOUT)
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "documented", "index_tumour") == [
        ("2", True, False), ("1", False, True),
    ]  # fmt: skip
    assert outcome["surgery"]["tumour_id"].to_list() == ["1"]


@together()
def test_a_diagnose_in_quarantine_is_not_missing_and_not_replaced(records):
    records.patient()
    held = records.diagnosis(exactness="V", tumour="1")
    operated(records, **{**ABOUT, "Diagnosedatum_Datumsgenauigkeit": "V"})
    outcome = yield
    assert outcome.quarantined == {held}
    assert outcome["diagnosis"].is_empty()
    assert rules(outcome) == {"diagnosis.date-unusable"}


@together()
def test_an_undated_tumorzuordnung_makes_no_diagnosis_and_is_found(records):
    records.patient()
    operated(records, **{**ABOUT, "Diagnosedatum": None})
    outcome = yield
    assert outcome["diagnosis"].is_empty()
    assert rules(outcome) == {"diagnosis.missing"}
    assert outcome["surgery"].height == 1, "it does not vanish"


@together()
def test_a_death_alone_makes_no_tumour(records):
    records.patient()
    sarcoma(records)
    records.meldung(r.ObdsDeath, tumour="7", Sterbedatum="2014-01-05", **{**ABOUT, "Primaertumor_ICD": "C61"})
    outcome = yield
    assert outcome["diagnosis"].height == 1


@together()
def test_a_table_that_names_an_unknown_tumour_is_found(records):
    records.patient()
    sarcoma(records)
    unknown, _ = (
        records.add(
            r.TableRow, table_name="numbered",
            values=json.dumps({"Nr": records.number, "Tumor": tumour, "Tag": on}),
        )
        for tumour, on in (("77", "01.02.2013"), ("1", "02.02.2013"))
    )  # fmt: skip
    outcome = yield
    assert outcome["assessment"]["tumour_id"].to_list() == ["1", "1"]
    assert outcome.found("diagnosis.number-unknown") == [unknown]


@together()
def test_a_record_that_names_no_tumour_lacks_no_diagnose_where_the_patient_has_one(records):
    records.patient()
    sarcoma(records)
    records.diagnosis("2014-01-01", tumour="2", **BREAST)
    examined(records, "2015-01-01", tumour=None)
    outcome = yield
    assert rows(outcome, "assessment", "tumour_id") == [("1",)], "it belongs to the index tumour"
    assert "diagnosis.missing" not in rules(outcome)


@together()
def test_a_record_that_names_no_tumour_lacks_its_diagnose_where_the_patient_has_none(records):
    records.patient()
    examined(records, "2015-01-01", tumour=None, Primaertumor_ICD="C49.2", Diagnosedatum="2014-01-01",
             Diagnosedatum_Datumsgenauigkeit="E")  # fmt: skip
    outcome = yield
    assert "diagnosis.missing" in rules(outcome)


# --- a tumour that is only named -----------------------------------------------------------------------


def _named(patient, module, tumour, site, on):
    """A sarcoma, and a further report that says nothing but which tumour it is about."""
    patient.patient()
    sarcoma(patient)
    own = {"Sterbedatum": "2014-03-01", "Tod_tumorbedingt": "U"} if module is r.ObdsDeath else {}
    patient.meldung(module, tumour=tumour, Module_ID="K1", Primaertumor_ICD=site, Diagnosedatum=on, **own)


@pytest.mark.parametrize(
    ("module", "tumour", "site", "on", "told"),
    [
        (r.ObdsTumourBoard, "2", "C34.1", "2013-01-15", True),
        (r.ObdsDeath, "2", "C34.1", "2013-01-15", True),
        (r.ObdsTumourBoard, None, "C34.1", "2013-01-15", True),
        (r.ObdsTumourBoard, "2", None, "2013-01-15", True),
        (r.ObdsTumourBoard, "2", None, None, True),
        (r.ObdsTumourBoard, None, None, None, False),  # says nothing of any tumour
        (r.ObdsTumourBoard, "1", "C49.2", "2012-01-01", False),  # the known one
        (r.ObdsTumourBoard, "7", "C49.1", "2012-01-01", False),  # of its organ
        (r.ObdsTumourBoard, "2", "C78.0", "2013-01-15", False),  # a metastasis
    ],
)
@together()
def test_a_tumour_that_only_a_board_or_a_death_names_is_a_finding(patient, module, tumour, site, on, told):
    _named(patient, module, tumour, site, on)
    case = yield
    assert case.found("diagnosis.only-named") == (case.ids[-1:] if told else [])
    assert case["diagnosis"]["icd10_code"].to_list() == ["C49.2"]


@together()
def test_a_tumour_that_is_only_named_is_told_at_its_newest_record(records):
    """A report without a Meldedatum is older than any that has one (definitions, 1)."""
    records.patient()
    sarcoma(records)
    about = {"tumour": "2", "Primaertumor_ICD": "C34.1", "Diagnosedatum": "2013-01-15"}
    days = {"2020-01-01": "K1", "2020-03-01": "K2", "2020-02-01": "K3", None: "K4"}
    told = {
        on: records.meldung(r.ObdsTumourBoard, reported=on, Module_ID=number, **about)
        for on, number in days.items()
    }
    outcome = yield
    assert outcome.found("diagnosis.only-named") == [told["2020-03-01"]]


@together()
def test_a_board_about_a_tumour_that_is_treated_adds_no_finding(records):
    records.patient()
    sarcoma(records)
    operated(records, "2013-02-10", "2", Primaertumor_ICD="C34.1", Diagnosedatum="2013-01-15")
    records.meldung(
        r.ObdsTumourBoard, tumour="2", Module_ID="K1", Primaertumor_ICD="C34.1", Diagnosedatum="2013-01-15"
    )
    outcome = yield
    assert rules(outcome) == {"diagnosis.missing"}
