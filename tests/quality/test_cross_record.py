"""Each rule over several records fires on its fault, and on nothing else of the same patient."""

import json

import polars as pl
import pytest

from schemas import received as r
from tests.one_curation import together


def clean(records, number="1"):
    """Add a patient of whom nothing is wrong."""
    records.patient()
    records.diagnosis(
        Menge_Weitere_Klassifikation='[{"Name": "FNCLCC", "Stadium": "G3"}]',
    )
    records.meldung(r.ObdsSurgery, Datum="2012-05-01", Intention="K", Module_ID="O1",
                    Histologie='[{"Morphologie_ICD_O": [{"Code": "8802/3"}]}]',
                    Lokale_Beurteilung_Residualstatus="R0")  # fmt: skip
    records.meldung(
        r.ObdsRadiotherapy, Module_ID="S1", Stellung_OP="N", Intention="K", Beginn="2012-02-01",
        Ende="2012-03-10", Applikationsart="Perkutan", Gesamtdosis="50", Einzeldosis="2", Boost="N",
    )  # fmt: skip
    _verlauf(records, "2013-01-01", "V", "K")
    records.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": number, "cm": "9,0"}))


@pytest.fixture
def patient(records):
    clean(records)
    return records


def _verlauf(records, on, overall, local, module=None):
    return records.meldung(
        r.ObdsFollowUp, Module_ID=module or f"V{on}", Untersuchungsdatum_Verlauf=on,
        Gesamtbeurteilung_Tumorstatus=overall, Verlauf_Lokaler_Tumorstatus=local,
    )  # fmt: skip


def test_a_clean_patient_has_no_finding(patient):
    assert patient.run().observed.rows() == []


def _relapse_in_treatment(p):
    return _verlauf(p, "2012-03-10", "P", "P")


def _relapse_after_treatment(p):
    return _verlauf(p, "2012-03-11", "P", "P")


def _death(p, on):
    return p.meldung(r.ObdsDeath, Sterbedatum=on)


def _after_death(p):
    _death(p, "2013-06-01")
    return _verlauf(p, "2013-06-02", "V", "K")


def _on_the_day_of_death(p):
    _death(p, "2013-06-01")
    return _verlauf(p, "2013-06-01", "V", "K")


def _surgery(p, on):
    return p.meldung(r.ObdsSurgery, Datum=on, Intention="D", Module_ID="O2")


def _adjuvant_before_surgery(p):
    return p.meldung(
        r.ObdsRadiotherapy, Module_ID="S2", Stellung_OP="A", Intention="K", Beginn="2012-04-01",
        Ende="2012-04-20", Applikationsart="Perkutan",
    )  # fmt: skip


def _second_diagnosis(p, **values):
    return p.diagnosis(values.pop("on", "2012-06-01"), tumour="T9", **values)


def _ct(p, *thickness):
    for i, mm in enumerate(thickness):
        last = p.add(
            r.DicomImage, SOPInstanceUID=f"{p.number}.{i}", PatientID=p.number,
            SeriesInstanceUID=f"s{p.number}", SliceThickness=mm,
        )  # fmt: skip
    return last


def _structures_of(p, number):
    plan, structures = f"2.{p.number}", f"3.{p.number}"
    p.add(
        r.DicomPlan, SOPInstanceUID=plan, PatientID=p.number, ApprovalStatus="APPROVED",
        RTPlanDate="20120130", NumberOfFractionsPlanned="[25]", ReferencedStructureSet=structures,
        TargetPrescriptionDose='[{"DoseReferenceType":"TARGET","TargetPrescriptionDose":"50"}]',
    )  # fmt: skip
    return p.add(r.DicomStructureSet, SOPInstanceUID=structures, PatientID=number)


def _dose_of(p, number, plan_number=None):
    plan = f"2.{p.number}"
    p.add(
        r.DicomPlan, SOPInstanceUID=plan, PatientID=plan_number or p.number, ApprovalStatus="APPROVED",
        RTPlanDate="20120130", NumberOfFractionsPlanned="[25]",
        TargetPrescriptionDose='[{"DoseReferenceType":"TARGET","TargetPrescriptionDose":"50"}]',
    )  # fmt: skip
    return p.add(r.DicomDose, SOPInstanceUID=f"4.{p.number}", PatientID=number, ReferencedRTPlan=plan)


CASES = {
    "assessment.progression-under-treatment": (_relapse_in_treatment, _relapse_after_treatment),
    "assessment.after-death": (_after_death, _on_the_day_of_death),
    "death.before-diagnosis": (lambda p: _death(p, "2011-12-31"), lambda p: _death(p, "2013-12-31")),
    "surgery.before-diagnosis": (lambda p: _surgery(p, "2011-09-01"), lambda p: _surgery(p, "2011-11-01")),
    "radiotherapy.sequence-against-dates": (_adjuvant_before_surgery, lambda p: None),
    "diagnosis.before-birth": (
        lambda p: _second_diagnosis(p, on="1929-06-01"),
        lambda p: _second_diagnosis(p, on="1999-01-01"),
    ),
    "diagnosis.grade-against-histology": (
        lambda p: _second_diagnosis(p, Menge_Weitere_Klassifikation='[{"Name":"FNCLCC","Stadium":"1"}]'),
        lambda p: _second_diagnosis(p, Menge_Weitere_Klassifikation='[{"Name":"FNCLCC","Stadium":"2"}]'),
    ),
    "diagnosis.t-against-size": (
        lambda p: _second_diagnosis(p, T="1a"),
        lambda p: _second_diagnosis(p, T="2a"),
    ),
    "ct.slice-thickness-varies": (lambda p: _ct(p, "3", "3", "5"), lambda p: _ct(p, "3", "3.0")),
    # Nobody has the PatientID 999.
    "dicom.dose-patient-id-mismatch": (lambda p: _dose_of(p, "999"), lambda p: _dose_of(p, p.number)),
    "dicom.patient-id-mismatch": (lambda p: _structures_of(p, "999"), lambda p: _structures_of(p, p.number)),
}


@pytest.mark.parametrize("rule", CASES)
@together(lambda patient: clean(patient, patient.number))
def test_a_rule_fires_on_its_fault_and_names_the_record(patient, rule):
    with_fault, _ = CASES[rule]
    with_fault(patient)
    case = yield
    fault = case.ids[-1]
    # One fault may break a record's own rules as well; those have their own tests.
    across = case.observed.filter(pl.col("rule_id").is_in(list(CASES)))
    assert across.select("rule_id", "record_id").rows() == [(rule, fault)]


@pytest.mark.parametrize("rule", CASES)
@together(lambda patient: clean(patient, patient.number))
def test_a_rule_is_silent_on_its_neighbour(patient, rule):
    _, with_neighbour = CASES[rule]
    with_neighbour(patient)
    case = yield
    assert rule not in case.rules()


def test_a_death_without_a_date_is_a_warning_and_the_patient_is_dead_all_the_same(patient):
    reply = patient.reply(hospital_number="1", answer="verstorben, Datum unbekannt")
    outcome = patient.run()
    assert outcome.rules() == {"vital-status.death-date-unknown", "vital-status.answer-undated"}
    assert reply not in outcome.quarantined
    assert outcome["vital_status"]["status"].to_list() == ["deceased, date unknown"]
