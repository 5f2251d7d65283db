"""Operations: which reports are one, whose residual status counts, and an operation without pathology."""

import datetime as dt
import json

import pytest

from schemas import received as r
from tests.curation.conftest import told
from tests.one_curation import sarcoma, together

HISTOLOGY = json.dumps([{"Morphologie_ICD_O": [{"Code": "8858/3", "Version": "33"}]}])
A = {"Absender_ID": "A", "Melder_ID": "1"}
B = {"Absender_ID": "A", "Melder_ID": "2"}


def operation(records, on="2012-02-01", tumour="T1", reported="2020-01-01", module="O1", **values):
    said = {"Intention": "K", "Menge_OPS": '["5-782.b"]', "Histologie": HISTOLOGY}
    said |= {"Lokale_Beurteilung_Residualstatus": "R0"} | values
    return records.meldung(
        r.ObdsSurgery, tumour=tumour, reported=reported, Module_ID=module, Datum=on, **said
    )


def operations(outcome):
    return outcome["surgery"].select("surgery_date", "residual_status").sort("surgery_date").rows()


# --- two reports of one operation ------------------------------------------------------------------------


@together(sarcoma)
def test_two_reporters_of_one_operation_disagree_on_the_residual_status(patient):
    older = operation(patient, Lokale_Beurteilung_Residualstatus="R1", **A)
    operation(patient, reported="2020-02-01", Lokale_Beurteilung_Residualstatus="R0", **B)
    outcome = yield
    assert operations(outcome) == [(dt.date(2012, 2, 1), "R0")], "the newer report counts"
    assert told(outcome, "surgery.residual-differs") == [older]


@pytest.mark.parametrize("silent", [None, "U"])
@together(sarcoma)
def test_a_reporter_who_knows_no_residual_status_contradicts_nobody(patient, silent):
    operation(patient, Lokale_Beurteilung_Residualstatus="R1", **A)
    operation(patient, reported="2020-02-01", Lokale_Beurteilung_Residualstatus=silent, **B)
    outcome = yield
    assert operations(outcome) == [(dt.date(2012, 2, 1), "R1")]
    assert told(outcome, "surgery.residual-differs") == []


@together(sarcoma)
def test_an_unknown_intent_does_not_replace_a_known_one(patient):
    operation(patient, Intention="K", **A)
    operation(patient, reported="2020-02-01", Intention="X", **B)
    outcome = yield
    assert outcome["surgery"]["intent"].to_list() == ["curative"]


@together(sarcoma)
def test_two_reporters_who_agree_are_no_finding(patient):
    operation(patient, **A)
    operation(patient, reported="2020-02-01", **B)
    outcome = yield
    assert outcome["surgery"].height == 1
    assert told(outcome, "surgery.residual-differs") == []


@together(sarcoma)
def test_a_pathology_that_contradicts_the_operation_is_a_finding(patient):
    operation(patient, Lokale_Beurteilung_Residualstatus="R0")
    other = patient.meldung(
        r.ObdsPathology, Module_ID="P1", Lokale_Beurteilung_Residualstatus="R1",
        Histologie=json.dumps(
            [{"Tumor_Histologiedatum": "2012-02-05", "Morphologie_ICD_O": [{"Code": "8858/3"}]}]
        ),
    )  # fmt: skip
    outcome = yield
    assert operations(outcome) == [(dt.date(2012, 2, 1), "R0")]
    assert told(outcome, "surgery.residual-differs") == [other]


# --- pathology -------------------------------------------------------------------------------------------


@together(sarcoma)
def test_a_curative_operation_without_histology_is_a_finding(patient):
    lone = operation(patient, Histologie=None, Lokale_Beurteilung_Residualstatus=None)
    outcome = yield
    assert told(outcome, "surgery.pathology-missing") == [lone]


@pytest.mark.parametrize(("residual", "fires"), [("R0", False), ("R2", False), ("RX", True)])
@together(sarcoma)
def test_a_residual_status_is_told_from_the_specimen(patient, residual, fires):
    operation(patient, Histologie=None, Lokale_Beurteilung_Residualstatus=residual)
    outcome = yield
    assert bool(told(outcome, "surgery.pathology-missing")) == fires


@pytest.mark.parametrize("intention", ["D", "P", "X", None])
@together(sarcoma)
def test_only_a_curative_operation_must_have_a_histology(patient, intention):
    operation(patient, Histologie=None, Intention=intention, Lokale_Beurteilung_Residualstatus=None)
    outcome = yield
    assert told(outcome, "surgery.pathology-missing") == []


@pytest.mark.parametrize(
    ("ops", "fires"),
    [
        (["5-896.1e"], False), (["5-896.1e", "5-902.4e", "8-190.20"], False),  # debridement, with a graft
        (["5-866.3"], False), (["5-907.2e"], False), (["5-857.0"], False),  # stump, revised flap, flap
        (["5-782.b", "5-902.4e"], True), (["5-896.1e", "5-782.b"], True), (["5-983"], True), ([], True),
    ],
)  # fmt: skip
@together(sarcoma)
def test_an_operation_on_the_wound_alone_has_no_specimen(patient, ops, fires):
    said = {"Histologie": None, "Lokale_Beurteilung_Residualstatus": None, "Menge_OPS": json.dumps(ops)}
    lone = operation(patient, **said)
    outcome = yield
    assert (told(outcome, "surgery.pathology-missing") == [lone]) is fires
    assert (told(outcome, "surgery.residual-missing") == [lone]) is fires


@together(sarcoma)
def test_a_wound_operation_with_a_residual_status_has_a_specimen(patient):
    lone = operation(
        patient, Histologie=None, Menge_OPS='["5-896.1e"]', Lokale_Beurteilung_Residualstatus="RX"
    )
    outcome = yield
    assert told(outcome, "surgery.pathology-missing") == [lone]
    assert told(outcome, "surgery.residual-missing") == []


@together(sarcoma)
def test_a_pathology_report_of_the_tumour_is_its_histology(patient):
    operation(patient, Histologie=None, Lokale_Beurteilung_Residualstatus=None)
    patient.meldung(r.ObdsPathology, Module_ID="P1", Histologie=HISTOLOGY)
    outcome = yield
    assert told(outcome, "surgery.pathology-missing") == []


@together(sarcoma)
def test_the_histology_of_another_tumour_does_not_count(patient):
    lone = operation(patient, Histologie=None, Lokale_Beurteilung_Residualstatus=None)
    patient.diagnosis("2014-01-01", tumour="T2", Primaertumor_ICD="C50.4",
                      Primaertumor_Topographie_ICD_O="C50.4", Morphologie_ICD_O='["8500/3"]')  # fmt: skip
    operation(patient, "2014-02-01", tumour="T2", module="O2",
              Histologie='[{"Morphologie_ICD_O": [{"Code": "8500/3"}]}]')  # fmt: skip
    outcome = yield
    assert told(outcome, "surgery.pathology-missing") == [lone]
