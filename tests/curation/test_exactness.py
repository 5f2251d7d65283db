"""Codes of Datumsgenauigkeit that oBDS does not know: the schema has E, T, M and V only."""

import datetime as dt
import json

import pytest

from schemas import received as r

RULE = "date.exactness-unknown"


@pytest.mark.parametrize(
    ("exactness", "found"), [("E", 0), ("t", 0), ("V", 0), (None, 0), ("", 0), ("X", 1), ("taggenau", 1)]
)
def test_an_unknown_exactness_of_the_diagnosis_is_a_finding(records, exactness, found):
    records.patient()
    bad = records.diagnosis("2012-01-20", exactness)
    outcome = records.run()
    seen = outcome.observed.filter(rule_id=RULE, table_name="typed.diagnosis")["record_id"].to_list()
    assert seen == [bad] * found
    if found:
        assert outcome["diagnosis"]["diagnosis_date"].to_list() == [dt.date(2012, 1, 20)]


def test_so_is_that_of_a_metastasis_and_of_a_birth(records):
    born = records.patient(Geburtsdatum_Datumsgenauigkeit="?")
    records.diagnosis()
    metastasis = {"Diagnosedatum": "2013-05-01", "Datumsgenauigkeit": "X", "Lokalisation": "PUL"}
    seen = records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-06-01", Module_ID="V",
        Gesamtbeurteilung_Tumorstatus="P", Menge_FM=json.dumps([metastasis]),
    )  # fmt: skip
    found = records.run().observed.filter(rule_id=RULE)
    assert set(found.select("record_id", "table_name").rows()) == {
        (born, "typed.person"),
        (seen, "typed.metastasis"),
    }
