"""Every rule on one record fires on its fault and is silent on its neighbour."""

import datetime as dt

import polars as pl
import pytest

from schemas import typed, typed_dicom
from schemas.contract import Contract
from tests.quality.clean import CLEAN, RECEIVED, Row, row

D = dt.date

ALONE: dict[str, tuple[type[Contract], Row, Row]] = {
    "person.birth-implausible": (typed.Person, {"birth_date": D(1880, 1, 1)}, {"birth_date": D(1920, 1, 1)}),
    "person.birth-date-missing": (
        typed.Person,
        {"birth_date": None},
        {"birth_date": None, "source": "table"},
    ),
    "person.sex-unknown": (typed.Person, {"sex": "unknown"}, {"sex": "diverse"}),
    "diagnosis.size-implausible": (typed.Diagnosis, {"tumour_size_cm": 95.0}, {"tumour_size_cm": 9.5}),
    "diagnosis.morphology-malformed": (typed.Diagnosis, {"icdo3_morphology": "8802"}, {}),
    "diagnosis.topography-malformed": (typed.Diagnosis, {"icdo3_topography": "49.2"}, {}),
    "diagnosis.icd10-malformed": (typed.Diagnosis, {"icd10_code": "C492"}, {"icd10_code": "C49.10"}),
    "diagnosis.site-codes-differ": (
        typed.Diagnosis,
        {"icdo3_topography": "C50.1"},
        {"icdo3_topography": "C49.1"},
    ),
    "diagnosis.behaviour-against-site": (
        typed.Diagnosis,
        {"icdo3_morphology": "8850/0"},
        {"icdo3_morphology": "8850/0", "icd10_code": "D17.2"},
    ),
    "diagnosis.age-implausible": (
        typed.Diagnosis,
        {"age_at_diagnosis_years": 140.0},
        {"age_at_diagnosis_years": 60.0},
    ),
    "diagnosis.side-missing": (
        typed.Diagnosis,
        {"laterality": None},
        {"laterality": None, "icdo3_topography": "C49.4"},
    ),
    "diagnosis.side-not-applicable": (
        typed.Diagnosis,
        {"laterality": "midline"},
        {"laterality": "midline", "icdo3_topography": "C49.4"},
    ),
    "diagnosis.grades-differ": (typed.Diagnosis, {"grade": "1"}, {"grade": "H"}),
    "diagnosis.t-unknown-to-edition": (
        typed.Diagnosis,
        {"t_stage": "T3"},
        {"t_stage": "T3", "tnm_edition": 8},
    ),
    "diagnosis.edition-too-early": (
        typed.Diagnosis,
        {"tnm_edition": 8},
        {"tnm_edition": 8, "diagnosis_date": D(2019, 1, 1)},
    ),
    "diagnosis.edition-missing": (
        typed.Diagnosis,
        {"tnm_edition": None},
        {"tnm_edition": None, "t_stage": None},
    ),
    "diagnosis.m0-with-metastasis": (
        typed.Diagnosis,
        {"distant_metastasis": True},
        {"distant_metastasis": True, "m_stage": "M1"},
    ),
    "systemic-therapy.ends-before-start": (
        typed.SystemicTherapy,
        {"end_date": D(2012, 1, 31)},
        {"end_date": D(2012, 1, 15), "end_date_precision": "year"},
    ),
    "surgery.ops-missing": (typed.Surgery, {"ops_codes": []}, {"ops_codes": [], "source": "table"}),
    "vital-status.answer-undated": (
        typed.VitalStatus,
        {"source": "registry office", "status": "deceased", "reported_on": None},
        {"source": "registry office", "status": "deceased", "reported_on": D(2020, 6, 2)},
    ),
    "diagnosis.report-undated": (
        typed.Diagnosis,
        {"origin": "pathology", "report_date": None},
        {"origin": "pathology", "report_date": D(2012, 1, 1)},
    ),
    "plan.energy-missing": (
        typed_dicom.Plan,
        {"beam_energy_mv": None},
        {"beam_energy_mv": None, "technique": "electron"},
    ),
    "surgery.ops-malformed": (
        typed.Surgery,
        {"ops_codes": ["5-782.b", "5782"]},
        {"ops_codes": ["5-782", "5-895.0"]},
    ),
    "surgery.residual-missing": (
        typed.Surgery,
        {"residual_status": None},
        {"residual_status": None, "ops_codes": ["5-896.1e", "5-902.4e"]},
    ),
    "radiotherapy.module-missing": (typed.Radiotherapy, {"irradiated": False}, {}),
    "radiotherapy.ends-before-start": (
        typed.Radiotherapy,
        {"end_date": D(2012, 1, 31)},
        {"end_date": D(2012, 2, 1), "single_dose_gy": 25.0},
    ),
    "radiotherapy.dose-implausible": (
        typed.Radiotherapy,
        {"prescribed_dose_gy": 500.0},
        {"prescribed_dose_gy": 66.0},
    ),
    "radiotherapy.hypofractionated": (typed.Radiotherapy, {"single_dose_gy": 5.0}, {"single_dose_gy": 2.5}),
    "radiotherapy.single-above-total": (
        typed.Radiotherapy,
        {"prescribed_dose_gy": 2.0, "single_dose_gy": 50.0},
        {"single_dose_gy": 50.0},
    ),
    "radiotherapy.fractions-not-whole": (
        typed.Radiotherapy,
        {"prescribed_dose_gy": 51.0},
        {"prescribed_dose_gy": 50.4, "single_dose_gy": 1.8},
    ),
    "radiotherapy.eqd2-unusual": (
        typed.Radiotherapy,
        {"prescribed_dose_gy": 70.0},
        # 5 x 5 Gy before the operation is 37.5 Gy in fractions of 2 Gy.
        {"prescribed_dose_gy": 25.0, "single_dose_gy": 5.0},
    ),
    "radiotherapy.too-many-a-day": (
        typed.Radiotherapy,
        {"end_date": D(2012, 2, 3)},
        {"end_date": D(2012, 2, 14)},
    ),
    "radiotherapy.overlong": (typed.Radiotherapy, {"end_date": D(2012, 6, 1)}, {"end_date": D(2012, 5, 1)}),
    "radiotherapy.start-missing": (
        typed.Radiotherapy,
        {"start_date": None},
        {"start_date": None, "start_day": 31},
    ),
    "radiotherapy.sequence-missing": (
        typed.Radiotherapy,
        {"radiation_sequence": None},
        {"radiation_sequence": None, "source": "table"},
    ),
    "assessment.says-nothing": (
        typed.Assessment,
        {"overall_status": None, "local_status": None},
        {"overall_status": None},
    ),
    "assessment.remission-with-relapse": (
        typed.Assessment,
        {"local_status": "relapse"},
        {"local_status": "relapse", "overall_status": "relapse"},
    ),
    "assessment.relapse-without-site": (
        typed.Assessment,
        {"overall_status": "relapse"},
        {"overall_status": "relapse", "distant_status": "relapse"},
    ),
    "assessment.metastasis-against-status": (
        typed.Assessment,
        {"distant_status": "no tumour", "distant_date": D(2012, 7, 1)},
        {"distant_status": "relapse", "distant_date": D(2012, 7, 1), "overall_status": "relapse"},
    ),
    "assessment.metastasis-after-report": (
        typed.Assessment,
        {"distant_date": D(2012, 9, 1), "distant_date_precision": "day"},
        {"distant_date": D(2012, 9, 15), "distant_date_precision": "month"},
    ),
    "vital-status.death-date-unknown": (
        typed.VitalStatus,
        {"status": "deceased, date unknown", "status_date": None},
        {"status": "deceased"},
    ),
    "vital-status.no-information": (typed.VitalStatus, {"status": "no information", "status_date": None}, {}),
    "vital-status.date-missing": (
        typed.VitalStatus,
        {"status_date": None},
        {"status_date": None, "status_day": 300},
    ),
    "vital-status.day-negative": (typed.VitalStatus, {"status_day": -3}, {"status_day": 3}),
    "dicom.patient-id-missing": (
        typed_dicom.Plan,
        {"has_patient_id": False},
        {"has_patient_id": False, "phantom": True},
    ),
    "dicom.file-meta-missing": (typed_dicom.Plan, {"has_file_meta": False}, {}),
    "plan.phantom": (typed_dicom.Plan, {"phantom": True}, {}),
    "plan.prescription-from-beam-dose": (typed_dicom.Plan, {"dose_origin": "beam dose"}, {}),
    "plan.dose-missing": (typed_dicom.Plan, {"prescribed_dose_gy": None}, {}),
    "plan.fractions-missing": (typed_dicom.Plan, {"fractions": None}, {"fractions": None, "phantom": True}),
    "plan.dose-per-fraction-implausible": (typed_dicom.Plan, {"fractions": 2}, {"fractions": 5}),
    "plan.dose-implausible": (typed_dicom.Plan, {"prescribed_dose_gy": 5000.0}, {"prescribed_dose_gy": 70.0}),
    "plan.technique-unknown": (typed_dicom.Plan, {"technique": "unknown"}, {"technique": "static IMRT"}),
    "plan.energy-implausible": (typed_dicom.Plan, {"beam_energy_mv": 6000.0}, {"beam_energy_mv": 18.0}),
    "plan.date-missing": (typed_dicom.Plan, {"plan_date": None}, {}),
    "structures.no-target": (typed_dicom.StructureSet, {"roi_names": ["External"]}, {"roi_names": ["ptv_1"]}),
    "structures.types-differ": (
        typed_dicom.StructureSet,
        {"roi_types": ["EXTERNAL", None, "CTV\\PTV"]},
        {"roi_types": ["EXTERNAL", None, "PTV"]},
    ),
    "dose.relative": (typed_dicom.Dose, {"dose_units": "RELATIVE"}, {}),
    "ct.slice-thickness-implausible": (
        typed_dicom.Image,
        {"slice_thickness_mm": 30.0},
        {"slice_thickness_mm": 0.6},
    ),
    "ct.slice-thickness-missing": (typed_dicom.Image, {"slice_thickness_mm": None}, {}),
    "date.in-future": (
        typed.Surgery,
        {"surgery_date": RECEIVED + dt.timedelta(days=1)},
        {"surgery_date": RECEIVED},
    ),
    "date.after-export": (
        typed.Surgery,
        {"surgery_date": D(2012, 5, 2), "reported_on": D(2012, 5, 1)},
        {"surgery_date": D(2012, 5, 1), "reported_on": D(2012, 5, 1)},
    ),
    "value.missing": (typed.VitalStatus, {"status": None}, {}),
}


def _failures(contract: type[Contract], changes: Row) -> set[str]:
    frame = contract.conform(pl.DataFrame([row(contract, **changes)], infer_schema_length=None))
    return set(contract.failures(frame)["rule_id"])


@pytest.mark.parametrize("contract", CLEAN, ids=lambda c: c.table())
def test_a_clean_record_breaks_no_rule(contract):
    assert _failures(contract, {}) == set()


@pytest.mark.parametrize("rule", ALONE)
def test_a_rule_on_one_record(rule):
    contract, fault, neighbour = ALONE[rule]
    assert rule in _failures(contract, fault)
    assert rule not in _failures(contract, neighbour)


AFTER_EXPORT = "date.after-export"


def test_no_day_of_an_export_is_no_fault_of_a_date():
    assert AFTER_EXPORT not in _failures(typed.Surgery, {"reported_on": None})
    assert AFTER_EXPORT not in _failures(typed.Surgery, {"surgery_date": None, "reported_on": D(2012, 1, 1)})


@pytest.mark.parametrize(
    ("contract", "column"),
    [
        (typed.Surgery, "surgery_date"), (typed.Radiotherapy, "start_date"),
        (typed.Radiotherapy, "end_date"), (typed.SystemicTherapy, "start_date"),
        (typed.Assessment, "assessment_date"), (typed.Metastasis, "metastasis_date"),
        (typed.Diagnosis, "diagnosis_date"), (typed.VitalStatus, "status_date"),
        (typed.Person, "birth_date"), (typed_dicom.Plan, "plan_date"),
    ],
)  # fmt: skip
def test_every_date_of_an_event_is_compared_with_its_export(contract, column):
    day = CLEAN[contract][column]
    other = {c: None for c in CLEAN[contract] if c.endswith("_date") and c != column}
    assert AFTER_EXPORT in _failures(contract, other | {"reported_on": day - dt.timedelta(days=1)})
    assert AFTER_EXPORT not in _failures(contract, other | {"reported_on": day})


@pytest.mark.parametrize(
    ("exact_to", "exported", "faulty"),
    [("month", D(2012, 12, 1), False), ("month", D(2012, 11, 30), True),
     ("year", D(2012, 1, 1), False), ("year", D(2011, 12, 31), True)],
)  # fmt: skip
def test_of_a_partial_date_its_first_possible_day_is_compared(exact_to, exported, faulty):
    middle = {"month": D(2012, 12, 15), "year": D(2012, 7, 1)}[exact_to]
    said = {"metastasis_date": middle, "metastasis_date_precision": exact_to, "reported_on": exported}
    assert (AFTER_EXPORT in _failures(typed.Metastasis, said)) is faulty


def test_a_date_in_the_future_is_one_fault():
    said = {"surgery_date": RECEIVED + dt.timedelta(days=1), "reported_on": RECEIVED}
    assert _failures(typed.Surgery, said) & {"date.in-future", AFTER_EXPORT} == {"date.in-future"}


@pytest.mark.parametrize(
    ("date", "precision", "ahead"),
    [
        # Received on 10 January 2022: a year or a month lies ahead only if all of it does.
        (D(2022, 7, 1), "year", False),
        (D(2022, 1, 15), "month", False),
        (D(2022, 2, 15), "month", True),
        (D(2023, 7, 1), "year", True),
        (D(2022, 1, 11), "day", True),
        (D(2022, 1, 11), None, True),
    ],
)
def test_a_partial_date_lies_in_the_future_only_if_all_its_days_do(date, precision, ahead):
    changes = {"status_date": date, "status_date_precision": precision}
    assert ("date.in-future" in _failures(typed.VitalStatus, changes)) == ahead


@pytest.mark.parametrize(
    ("icd", "topography", "faulty"),
    [
        ("C49.2", "C49.6", True),  # limb and trunk
        ("C49.2", "C49.0", True),  # limb, head and neck
        ("C49.1", "C49.2", False),  # two limbs are one region
        ("C49.2", "C49.9", False),
        ("C49.9", "C49.6", False),
        ("C49", "C49.6", False),
        ("C50.4", "C49.3", False),
        ("C49.2", None, False),
        (None, "C49.6", False),
    ],
)
def test_both_codes_of_a_site_name_one_region(icd, topography, faulty):
    found = _failures(typed.Diagnosis, {"icd10_code": icd, "icdo3_topography": topography})
    assert ("diagnosis.site-codes-differ" in found) is faulty
