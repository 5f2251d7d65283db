"""Codes that oBDS does not know and that decide about a value: exactness, prefixes and symbols of the TNM."""

import datetime as dt
import json

import pytest

from schemas import received as r
from tests.curation.baseline_patients import diagnose, histology, tnm
from tests.one_curation import together

RULE = "date.exactness-unknown"


@pytest.mark.parametrize(
    ("exactness", "found"), [("E", 0), ("t", 0), ("V", 0), (None, 0), ("", 0), ("X", 1), ("taggenau", 1)]
)
@together()
def test_an_unknown_exactness_of_the_diagnosis_is_a_finding(records, exactness, found):
    records.patient()
    bad = records.diagnosis("2012-01-20", exactness)
    outcome = yield
    seen = outcome.observed.filter(rule_id=RULE, table_name="typed.diagnosis")["record_id"].to_list()
    assert seen == [bad] * found
    if found:
        assert outcome["diagnosis"]["diagnosis_date"].to_list() == [dt.date(2012, 1, 20)]


@together()
def test_so_is_that_of_a_metastasis_and_of_a_birth(records):
    born = records.patient(Geburtsdatum_Datumsgenauigkeit="?")
    records.diagnosis()
    metastasis = {"Diagnosedatum": "2013-05-01", "Datumsgenauigkeit": "X", "Lokalisation": "PUL"}
    seen = records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-06-01", Module_ID="V",
        Gesamtbeurteilung_Tumorstatus="P", Menge_FM=json.dumps([metastasis]),
    )  # fmt: skip
    outcome = yield
    found = outcome.observed.filter(rule_id=RULE)
    assert set(found.select("record_id", "table_name").rows()) == {
        (born, "typed.person"),
        (seen, "typed.metastasis"),
    }


@pytest.mark.parametrize(
    ("signs", "stage", "found"),
    [
        ({"c_p_u_Praefix_T": "c"}, "T2", 0),
        ({"c_p_u_Praefix_T": "C"}, "T2", 0),
        ({"c_p_u_Praefix_T": "k"}, "T2", 1),
        ({}, "T2", 0),
        ({"y_Symbol": "Y"}, None, 0),
        ({"y_Symbol": "ja"}, "T2", 1),
        ({"r_Symbol": "1"}, "T2", 1),
    ],
)
@together()
def test_an_unknown_prefix_or_symbol_of_a_tnm_is_a_finding(records, signs, stage, found):
    bad = diagnose(records, TNM=tnm(T="2b", **signs))
    outcome = yield
    seen = outcome.observed.filter(rule_id="diagnosis.tnm-sign-unknown")["record_id"].to_list()
    assert seen == [bad] * found
    assert outcome["diagnosis"]["t_stage"].to_list() == [stage]


@pytest.mark.parametrize(
    ("day", "exactness", "found"),
    [
        ("2012-01-05", "E", 0),
        ("2012-13-05", "E", 1),
        ("unbekannt", None, 1),
        ("2012-01-05", "V", 0),
        (None, None, 0),
    ],
)
@together()
def test_an_unreadable_date_of_the_histology_is_a_finding(records, day, exactness, found):
    given = json.loads(histology("8802/3", day=day))
    given[0]["Tumor_Histologiedatum_Datumsgenauigkeit"] = exactness
    bad = diagnose(records, Histologie=json.dumps(given))
    outcome = yield
    seen = outcome.observed.filter(rule_id="diagnosis.report-date-unreadable")["record_id"].to_list()
    assert seen == [bad] * found
    assert outcome["diagnosis"]["icdo3_morphology"].to_list() == ["8802/3"], "nothing of the report is lost"
