"""Records of several sources to one row per event: who wins, what is kept, what is accounted for."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import reconcile
from schemas import received as r
from tests.conftest import SOURCES
from tests.one_curation import together


def _whole(records):
    records.patient()
    records.diagnosis()
    records.meldung(r.ObdsSurgery, Datum="2012-05-01", Intention="K", Module_ID="O1",
                    Lokale_Beurteilung_Residualstatus="R0", Morphologie_ICD_O='["8802/3"]')  # fmt: skip
    records.meldung(
        r.ObdsRadiotherapy, Module_ID="S1", Stellung_OP="N", Intention="K", Beginn="2012-02-01",
        Ende="2012-03-10",
        Applikationsart="Perkutan", Gesamtdosis="50", Einzeldosis="2", Boost="N",
    )  # fmt: skip
    records.meldung(r.ObdsFollowUp, Module_ID="V1", Untersuchungsdatum_Verlauf="2012-08-01",
                    Gesamtbeurteilung_Tumorstatus="V", Verlauf_Lokaler_Tumorstatus="K")  # fmt: skip


PLAN = {
    "SOPInstanceUID": "1.2", "PatientID": "1", "PatientName": "Müller^Anna", "PatientBirthDate": "19500304",
    "PatientSex": "F", "ApprovalStatus": "APPROVED", "RTPlanDate": "20120130",
    "NumberOfFractionsPlanned": "[25]", "BeamDose": "[2.0]",
    "TargetPrescriptionDose": '[{"DoseReferenceType":"TARGET","TargetPrescriptionDose":"50"}]',
    "Beams": '[{"BeamType":"DYNAMIC","NominalBeamEnergy":"6","GantryRotationDirection":["CW"]}]',
    "FrameOfReferenceUID": "9",
}  # fmt: skip


def test_a_course_joins_documentation_plan_and_ct_and_names_all_its_records(records):
    _whole(records)
    plan = records.add(r.DicomPlan, **PLAN)
    image = records.add(r.DicomImage, SOPInstanceUID="1.4", PatientID="1", SliceThickness="3.0",
                        SeriesInstanceUID="s", FrameOfReferenceUID="9")  # fmt: skip
    outcome = records.run()
    course = outcome["radiotherapy_course"].row(0, named=True)
    assert outcome.rules() == set()
    assert (course["prescribed_dose_gy"], course["fractions"], course["technique"]) == (50.0, 25, "VMAT")
    assert (course["dose_origin"], course["beam_energy_mv"]) == ("target prescription", 6.0)
    assert (course["ct_slice_thickness_mm"], course["start_day"]) == (3.0, 31)
    assert {plan, image} < set(course["record_ids"])


def test_without_a_prescription_the_dose_is_beam_dose_times_fractions_and_says_so(records):
    _whole(records)
    records.add(r.DicomPlan, **{**PLAN, "TargetPrescriptionDose": None})
    outcome = records.run()
    assert outcome["radiotherapy_course"]["prescribed_dose_gy"].to_list() == [50.0]
    assert outcome.rules() == {"plan.prescription-from-beam-dose"}


def test_the_plan_wins_over_another_documented_dose_and_the_conflict_is_found(records):
    _whole(records)
    records.add(
        r.DicomPlan,
        **{
            **PLAN,
            "BeamDose": "[2.16]",
            "TargetPrescriptionDose": PLAN["TargetPrescriptionDose"].replace("50", "54"),
        },
    )
    outcome = records.run()
    assert outcome["radiotherapy_course"]["prescribed_dose_gy"].to_list() == [54.0]
    assert outcome.rules() == {"radiotherapy.dose-conflict"}


def test_an_unapproved_plan_is_found_and_not_used(records):
    _whole(records)
    records.add(r.DicomPlan, **{**PLAN, "ApprovalStatus": "UNAPPROVED"})
    outcome = records.run()
    assert outcome["radiotherapy_course"]["technique"].to_list() == [None]
    assert outcome.rules() == {"plan.unapproved"}


@pytest.mark.parametrize(
    ("known", "missing"), [(None, True), (frozenset(), True), (frozenset({"1.7"}), False)]
)
def test_a_treatment_record_lacks_no_plan_that_was_delivered_of_anybody(records, known, missing):
    """Of some patients, curation gets the UIDs of all plans; the plan of this record is of nobody here."""
    _whole(records)
    record = records.add(
        r.DicomTreatment, PatientID="1", SOPInstanceUID="7.1", ReferencedRTPlan="1.7",
        PatientName="Müller^Anna", PatientBirthDate="19500304", PatientSex="F",
    )  # fmt: skip
    outcome = records.run()
    pseudonyms = outcome.link.select("patient_id", pseudonym="patient_id")
    made = reconcile.curate(
        outcome.typed, outcome.link, pl.Series([], dtype=pl.String), SOURCES, pseudonyms, known_plans=known
    )
    told = made.observed.filter(rule_id="records.plan-missing")["record_id"].to_list()
    assert told == ([record] if missing else [])


@together(_whole)
def test_the_registry_office_wins_the_date_of_death_and_the_loser_stays_in_the_lineage(records):
    loser = records.meldung(r.ObdsDeath, Sterbedatum="2014-01-05")
    winner = records.reply(answer="verstorben", event_date="01.01.2014")
    outcome = yield
    status = outcome["vital_status"].row(0, named=True)
    assert status["death_date"] == dt.date(2014, 1, 1)
    assert status["death_record_ids"] == [winner], "what lost did not decide"
    assert {loser, winner} <= set(status["record_ids"])
    assert outcome.rules() == {
        "vital-status.death-date-conflict", "follow-up.late-death", "vital-status.answer-undated",
    }  # fmt: skip


@together(_whole)
def test_records_that_agree_on_the_death_decide_it_together(records):
    exact = records.meldung(r.ObdsDeath, Sterbedatum="2014-01-05")
    same = records.reply(answer="verstorben", event_date="05.01.2014")
    month = records.reply(answer="verstorben", event_date="00.01.2014")
    outcome = yield
    status = outcome["vital_status"].row(0, named=True)
    assert status["death_date"] == dt.date(2014, 1, 5)
    assert set(status["death_record_ids"]) == {exact, same, month}


@together(_whole)
def test_alive_after_death_is_kept_out(records):
    records.meldung(r.ObdsDeath, Sterbedatum="2014-01-05")
    records.reply(answer="verstorben", event_date="05.01.2014", answered_on="01.02.2014")
    alive = records.reply(answer="lebt", answered_on="01.06.2015")
    outcome = yield
    assert outcome.quarantined == {alive}
    assert outcome["vital_status"]["status"].to_list() == ["deceased"]


@together(_whole)
def test_a_corrected_report_wins_and_the_earlier_one_is_a_notice(records):
    records.meldung(r.ObdsSurgery, reported="2020-02-01", Datum="2012-05-01", Intention="K", Module_ID="O1",
                    Lokale_Beurteilung_Residualstatus="R1")  # fmt: skip
    outcome = yield
    assert outcome["surgery"]["residual_status"].to_list() == ["R1"]
    assert outcome.rules() == {"record.corrected"}


@together(_whole)
def test_one_tumour_under_two_numbers_is_one_tumour(records):
    records.diagnosis(tumour="T2")
    outcome = yield
    assert outcome["diagnosis"].height == 1
    assert outcome.rules() == {"diagnosis.tumour-under-two-ids"}


@together(_whole)
def test_a_second_malignancy_is_not_the_index_tumour(records):
    records.diagnosis("2013-01-01", tumour="T2", Primaertumor_ICD="C61", Morphologie_ICD_O='["8140/3"]')
    outcome = yield
    rows = outcome["diagnosis"].select("index_tumour", "day").rows()
    assert rows == [(True, 0), (False, 366)]


def test_a_table_adds_size_to_the_index_tumour_and_two_values_in_a_cell_are_found(records):
    _whole(records)
    records.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": "1", "cm": "12,4"}))
    assert records.run()["diagnosis"]["tumour_size_cm"].to_list() == [12.4]
    records.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": "1", "cm": "4,5 / 5,0"}))
    outcome = records.run()
    assert outcome["diagnosis"]["tumour_size_cm"].to_list() == [12.4]
    assert outcome.rules() == {"value.several"}


def test_a_diagnosis_without_a_usable_date_is_quarantined_with_what_leans_on_it_accounted_for(records):
    records.patient()
    bad = records.diagnosis(exactness="V")
    records.meldung(r.ObdsPathology, Morphologie_ICD_O='["8802/3"]')
    outcome = records.run()
    assert outcome.quarantined == {bad}
    accounts = outcome.accounting.row(0, named=True)
    assert (accounts["records"], accounts["unaccounted"], accounts["counted_twice"]) == (3, 0, 0)


def test_every_record_is_accounted_for_once(records):
    _whole(records)
    again = {"record_key": "k", "content_hash": "h"}
    for _ in range(2):
        records.meldung(r.ObdsDeath, Sterbedatum="2014-01-05", **again)
    records.add(r.DicomPlan, **{**PLAN, "PatientID": None})
    records.add(r.DicomPlan, **{**PLAN, "PatientID": "QA_PHANTOM_01", "PatientName": "QA^Phantom"})
    records.meldung(r.ObdsTumourBoard, Datum="2012-01-10")
    accounts = records.run().accounting.select(pl.col(pl.Int64).exclude("^values_.*$").sum())
    assert accounts.row(0, named=True) == {
        "records": 10, "curated": 6, "quarantined": 1, "duplicates": 1, "out_of_scope": 2,
        "unaccounted": 0, "counted_twice": 0,
    }  # fmt: skip
