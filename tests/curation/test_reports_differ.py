"""Two reports of one event that differ: one counts by a rule, and the other is never lost silently."""

import json

import pytest

from schemas import received as r
from tests.curation.conftest import told
from tests.one_curation import sarcoma, together

A = {"Absender_ID": "A", "Melder_ID": "1"}
B = {"Absender_ID": "A", "Melder_ID": "2"}


def seen(records, local, reported="2020-01-01", number=None, overall="P", on="2013-01-01", **who):
    return records.meldung(
        r.ObdsFollowUp, reported=reported, Module_ID=number, Untersuchungsdatum_Verlauf=on,
        Gesamtbeurteilung_Tumorstatus=overall, Verlauf_Lokaler_Tumorstatus=local, **{**A, **who},
    )  # fmt: skip


def local(outcome):
    return sorted(outcome["assessment"]["local_status"].to_list(), key=str)


# --- examinations -------------------------------------------------------------------------------------


@together(sarcoma)
def test_a_relapse_that_another_report_of_the_day_denies_is_a_finding(patient):
    older = seen(patient, "R")
    seen(patient, "K", reported="2020-02-01")
    outcome = yield
    assert local(outcome) == ["no tumour"]
    assert told(outcome, "assessment.reports-differ") == [older]


@together(sarcoma)
def test_of_one_day_the_later_place_counts_and_the_earlier_is_a_finding(patient):
    first = seen(patient, "K")
    seen(patient, "R")
    outcome = yield
    assert local(outcome) == ["relapse"]
    assert told(outcome, "assessment.reports-differ") == [first]


@pytest.mark.parametrize("nothing", ["X", "U", None])
@together(sarcoma)
def test_a_status_that_says_nothing_gives_way_and_contradicts_nobody(patient, nothing):
    seen(patient, "R")
    seen(patient, nothing, reported="2020-02-01")
    outcome = yield
    assert local(outcome) == ["relapse"]
    assert told(outcome, "assessment.reports-differ") == []


@together(sarcoma)
def test_a_questionable_status_is_a_statement(patient):
    older = seen(patient, "R")
    seen(patient, "F", reported="2020-02-01")
    outcome = yield
    assert told(outcome, "assessment.reports-differ") == [older]


@together(sarcoma)
def test_only_statuses_that_say_nothing_are_no_finding_and_not_lost(patient):
    seen(patient, "U")
    seen(patient, "X", reported="2020-02-01")
    outcome = yield
    assert local(outcome) == ["missing"]
    assert told(outcome, "assessment.reports-differ") == []


@together(sarcoma)
def test_two_numbers_two_days_and_two_reporters_are_examinations_of_their_own(patient):
    seen(patient, "R", number="1")
    seen(patient, "K", number="2")
    seen(patient, "K", on="2013-02-01")
    seen(patient, "K", on="2013-03-01")
    seen(patient, "R", on="2013-03-01", **B)
    outcome = yield
    assert outcome["assessment"].height == 5
    assert told(outcome, "assessment.reports-differ") == []


@together(sarcoma)
def test_a_report_that_its_own_number_corrects_has_that_finding_only(patient):
    older = seen(patient, "R", number="1")
    seen(patient, "K", reported="2020-02-01", number="1")
    outcome = yield
    assert told(outcome, "record.corrected") == [older]
    assert told(outcome, "assessment.reports-differ") == []


# --- drugs --------------------------------------------------------------------------------------------


def drugs(records, kind, protocol=None, reported="2020-01-01", **values):
    said = {
        "Beginn": "2013-01-01",
        "Beginn_Datumsgenauigkeit": "E",
        "Therapieart": kind,
        "Protokoll": protocol,
    }
    return records.meldung(r.ObdsSystemicTherapy, reported=reported, **{**said, **A, **values})


@together(sarcoma)
def test_two_reports_of_one_chemotherapy_differ_in_components_and_protocol(patient):
    older = drugs(patient, "CI", "AI")
    drugs(patient, "CH", "VIDE", reported="2020-02-01", **B)
    outcome = yield
    (row,) = outcome["systemic_therapy"].select("immunotherapy", "protocol").rows()
    assert row == (False, "VIDE")
    assert told(outcome, "systemic-therapy.reports-differ") == [older, older]


@together(sarcoma)
def test_a_report_without_a_protocol_contradicts_nobody(patient):
    drugs(patient, "CH", "AI")
    drugs(patient, "CH", None, reported="2020-02-01", **B)
    outcome = yield
    assert outcome["systemic_therapy"]["protocol"].to_list() == ["AI"]
    assert told(outcome, "systemic-therapy.reports-differ") == []


@together(sarcoma)
def test_two_kinds_of_drugs_are_two_therapies(patient):
    drugs(patient, "CH")
    drugs(patient, "HO")
    outcome = yield
    assert outcome["systemic_therapy"].height == 2
    assert told(outcome, "systemic-therapy.reports-differ") == []


# --- the cause of death -------------------------------------------------------------------------------


def death(records, cause, reported="2020-01-01", **who):
    return records.meldung(
        r.ObdsDeath, reported=reported, Sterbedatum="2015-01-01", Tod_tumorbedingt=cause, **{**A, **who}
    )


@pytest.mark.parametrize(
    ("first", "second", "cause", "found"),
    [("J", "N", "no", True), ("J", "U", "yes", False), ("J", "J", "yes", False), ("U", "J", "yes", False),
     ("J", None, "yes", False)],
)  # fmt: skip
@together(sarcoma)
def test_two_reports_of_a_death_differ_in_its_cause(patient, first, second, cause, found):
    older = death(patient, first)
    death(patient, second, "2020-02-01", **B)
    outcome = yield
    assert outcome["vital_status"]["tumour_related"].to_list() == [cause]
    assert told(outcome, "vital-status.causes-differ") == ([older] if found else [])


# --- grade, size, stage -------------------------------------------------------------------------------


def biopsy(records, grade, reported="2020-01-01"):
    return records.meldung(
        r.ObdsPathology, reported=reported, Tumor_Histologiedatum="2012-01-01", Grading=grade,
        Histologie=json.dumps([{"Tumor_Histologiedatum": "2012-01-01", "Grading": grade}]), **A,
    )  # fmt: skip


@together()
def test_two_pathology_reports_of_one_biopsy_give_two_grades(records):
    records.patient()
    records.diagnosis(Grading=None)
    older = biopsy(records, "2")
    biopsy(records, "3", "2020-02-01")
    outcome = yield
    assert outcome["diagnosis"]["grade"].to_list() == ["3"]
    assert told(outcome, "diagnosis.report-grades-differ") == [older]


@together()
def test_a_grade_that_is_not_known_contradicts_nobody(records):
    records.patient()
    records.diagnosis(Grading=None)
    biopsy(records, "2")
    biopsy(records, "U", "2020-02-01")
    outcome = yield
    assert outcome["diagnosis"]["grade"].to_list() == ["2"]
    assert told(outcome, "diagnosis.report-grades-differ") == []


@together(sarcoma)
def test_two_rows_of_a_table_give_two_sizes(patient):
    for size in ("4,5", "6,0", None):
        patient.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": patient.number, "cm": size}))
    outcome = yield
    assert outcome["diagnosis"]["tumour_size_cm"].to_list() == [6.0]
    assert len(told(outcome, "diagnosis.values-differ")) == 1


@pytest.mark.parametrize(("overall", "residual"), [("R0", "R0"), ("R1", None), ("R2", None), ("RX", None)])
@together(sarcoma)
def test_the_residual_status_of_all_tumour_is_not_that_of_the_primary(patient, overall, residual):
    """R2 of all tumour may be a metastasis that stayed; no tumour at all is none at the primary."""
    patient.meldung(
        r.ObdsSurgery, Module_ID="O1", Datum="2012-02-01", Intention="K", Menge_OPS='["5-782.b"]',
        Gesamtbeurteilung_Residualstatus=overall,
    )  # fmt: skip
    outcome = yield
    assert outcome["surgery"]["residual_status"].to_list() == [residual]
    assert ("surgery.residual-missing" in outcome.rules()) is (residual is None)


@pytest.mark.parametrize(("irradiated", "stage"), [("2012-02-01", None), ("2012-05-01", "T2")])
@together()
def test_a_ptnm_of_the_diagnose_stages_only_where_surgery_came_first(records, irradiated, stage):
    """Its histology is that of the biopsy; without y nobody knows when its pTNM was found."""
    tnm = json.dumps([{"kind": "pTNM", "T": "2", "Version": "8", "c_p_u_Praefix_T": "p"}])
    records.patient()
    records.diagnosis(TNM=tnm, T=None, N=None, M=None, TNM_Version=None, Tumor_Histologiedatum="2012-01-01")
    records.meldung(r.ObdsSurgery, Module_ID="O1", Datum="2012-04-01", Intention="K", Menge_OPS='["5-782.b"]')
    records.meldung(
        r.ObdsRadiotherapy, Module_ID="S1", Beginn=irradiated, Ende="2012-06-01", Applikationsart="Perkutan",
        Intention="K", Stellung_OP="N", Gesamtdosis="50", Einzeldosis="2",
    )  # fmt: skip
    outcome = yield
    assert outcome["diagnosis"]["t_stage"].to_list() == [stage]
