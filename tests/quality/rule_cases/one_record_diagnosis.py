"""Cases of the rules on one report of a diagnosis, and on one DICOM object."""

from __future__ import annotations

from schemas import typed, typed_dicom
from tests.quality.rule_cases.four import THE_FAULT, Four
from tests.quality.rule_cases.one_record import Changed, D, of

DIAGNOSIS: dict[str, Four[Changed]] = {
    "diagnosis.size-implausible": of(
        typed.Diagnosis,
        {"tumour_size_cm": 95.0},
        {"tumour_size_cm": 9.5},
        {"tumour_size_cm": None},
        {"tumour_size_cm": 0.05},
    ),
    "diagnosis.morphology-malformed": of(
        typed.Diagnosis,
        {"icdo3_morphology": "8802"},
        {"icdo3_morphology": "8858/3"},
        {"icdo3_morphology": None},
        {"icdo3_morphology": "M8802/3"},
    ),
    "diagnosis.topography-malformed": of(
        typed.Diagnosis,
        {"icdo3_topography": "49.2"},
        {"icdo3_topography": "C49.9"},
        {"icdo3_topography": None},
        {"icdo3_topography": "C492"},
    ),
    "diagnosis.icd10-malformed": of(
        typed.Diagnosis,
        {"icd10_code": "C492"},
        {"icd10_code": "C49.10"},
        {"icd10_code": None},
        {"icd10_code": "49.2"},
    ),
    "diagnosis.site-codes-differ": of(
        typed.Diagnosis,
        {"icdo3_topography": "C50.1"},
        {"icdo3_topography": "C49.1"},
        {"icdo3_topography": None},
        {"icdo3_topography": "C49.6"},  # thigh and trunk
    ),
    "diagnosis.behaviour-against-site": of(
        typed.Diagnosis,
        {"icdo3_morphology": "8850/0"},
        {"icdo3_morphology": "8850/0", "icd10_code": "D17.2"},
        {"icdo3_morphology": "8850/0", "icd10_code": None},
        {"icdo3_morphology": "8850/1"},
    ),
    "diagnosis.age-implausible": of(
        typed.Diagnosis,
        {"age_at_diagnosis_years": 140.0},
        {"age_at_diagnosis_years": 60.0},
        {"age_at_diagnosis_years": None},
        {"age_at_diagnosis_years": -1.0},
    ),
    "diagnosis.side-missing": of(
        typed.Diagnosis,
        {"laterality": None},
        {"laterality": None, "icdo3_topography": "C49.4", "icd10_code": "C49.4"},
        {"laterality": None, "icdo3_topography": None, "icd10_code": None},
        {"laterality": None, "icdo3_topography": "C49.1", "icd10_code": "C49.1"},
    ),
    "diagnosis.side-not-applicable": of(
        typed.Diagnosis,
        {"laterality": "midline"},
        {"laterality": "midline", "icdo3_topography": "C49.4", "icd10_code": "C49.4"},
        {"laterality": "midline", "icdo3_topography": None, "icd10_code": None},
        {"laterality": "not applicable", "icdo3_topography": "C49.1", "icd10_code": "C49.1"},
    ),
    "diagnosis.grades-differ": of(
        typed.Diagnosis,
        {"grade": "1"},
        {"grade": "H"},
        {"grade": None},
        {"grade": "3", "fnclcc_grade": "G2"},
    ),
    "diagnosis.t-unknown-to-edition": of(
        typed.Diagnosis,
        {"t_stage": "T3"},
        {"t_stage": "T3", "tnm_edition": 8},
        {"t_stage": "T3", "tnm_edition": None},
        {"t_stage": "T4", "tnm_edition": 6},
    ),
    "diagnosis.edition-too-early": of(
        typed.Diagnosis,
        {"tnm_edition": 8},
        {"tnm_edition": 8, "diagnosis_date": D(2019, 1, 1)},
        {"tnm_edition": 8, "diagnosis_date": None},
        {"tnm_edition": 7, "diagnosis_date": D(2008, 1, 1)},
    ),
    "diagnosis.edition-unknown": of(
        typed.Diagnosis,
        {"tnm_edition": 12},
        {"tnm_edition": 9},
        {"tnm_edition": None},
        {"tnm_edition": 3},
    ),
    "diagnosis.edition-missing": of(
        typed.Diagnosis,
        {"tnm_edition": None},
        {"tnm_edition": None, "t_stage": None},
        THE_FAULT,
        {"tnm_edition": None, "t_stage": "T1", "t_prefix": "p"},
    ),
    "diagnosis.m0-with-metastasis": of(
        typed.Diagnosis,
        {"distant_metastasis": True},
        {"distant_metastasis": True, "m_stage": "M1"},
        {"distant_metastasis": True, "m_stage": None},
        {"distant_metastasis": True, "m_prefix": "p", "origin": "pathology"},
    ),
    "diagnosis.report-undated": of(
        typed.Diagnosis,
        {"origin": "pathology", "report_date": None},
        {"origin": "pathology", "report_date": D(2012, 1, 1)},
        THE_FAULT,
        {"origin": "pathology", "report_date": None, "after_therapy": True},
    ),
    "diagnosis.several-morphologies": of(
        typed.Diagnosis,
        {"morphologies": ["8800/3", "8802/3"]},
        {"morphologies": ["8802/3"]},
        {"morphologies": None},
        {"morphologies": ["8850/0", "8858/3", "8802/3"]},
    ),
}

_CT = typed_dicom.Image

DICOM: dict[str, Four[Changed]] = {
    "dicom.patient-id-missing": Four(
        (typed_dicom.Plan, {"has_patient_id": False}),
        (typed_dicom.Plan, {"has_patient_id": False, "phantom": True}),
        (typed_dicom.Plan, {"has_patient_id": None}),
        (typed_dicom.Dose, {"has_patient_id": False}),
    ),
    "dicom.file-meta-missing": Four(
        (typed_dicom.Plan, {"has_file_meta": False}),
        (typed_dicom.Plan, {"has_patient_id": False}),
        (typed_dicom.Plan, {"has_file_meta": None}),
        (typed_dicom.Image, {"has_file_meta": False}),
    ),
    "plan.phantom": of(
        typed_dicom.Plan,
        {"phantom": True},
        {"plan_label": "Phantomschmerz"},
        {"phantom": None},
        {"phantom": True, "has_patient_id": False},
    ),
    "plan.prescription-from-beam-dose": of(
        typed_dicom.Plan,
        {"dose_origin": "beam dose"},
        {"dose_origin": "documented"},
        {"dose_origin": None},
        {"dose_origin": "beam dose", "prescribed_dose_gy": 25.0, "fractions": 5},
    ),
    "plan.dose-missing": of(
        typed_dicom.Plan,
        {"prescribed_dose_gy": None},
        {"prescribed_dose_gy": None, "phantom": True},
        THE_FAULT,
        {"prescribed_dose_gy": None, "fractions": None, "dose_origin": None},
    ),
    "plan.fractions-missing": of(
        typed_dicom.Plan,
        {"fractions": None},
        {"fractions": None, "phantom": True},
        THE_FAULT,
        {"fractions": None, "prescribed_dose_gy": None},
    ),
    "plan.dose-per-fraction-implausible": of(
        typed_dicom.Plan,
        {"fractions": 2},
        {"fractions": 5},
        {"fractions": None},
        {"fractions": 100},
    ),
    "plan.dose-implausible": of(
        typed_dicom.Plan,
        {"prescribed_dose_gy": 5000.0},
        {"prescribed_dose_gy": 70.0},
        {"prescribed_dose_gy": None},
        {"prescribed_dose_gy": 0.5},
    ),
    "plan.technique-unknown": of(
        typed_dicom.Plan,
        {"technique": "unknown"},
        {"technique": "static IMRT"},
        {"technique": None},
        {"technique": "unknown", "beam_energy_mv": None},
    ),
    "plan.energy-implausible": of(
        typed_dicom.Plan,
        {"beam_energy_mv": 6000.0},
        {"beam_energy_mv": 18.0},
        {"beam_energy_mv": None},
        {"beam_energy_mv": 0.006},
    ),
    "plan.energy-missing": of(
        typed_dicom.Plan,
        {"beam_energy_mv": None},
        {"beam_energy_mv": None, "technique": "electron"},
        THE_FAULT,
        {"beam_energy_mv": None, "technique": "3D conformal"},
    ),
    "plan.date-missing": of(
        typed_dicom.Plan,
        {"plan_date": None},
        {"plan_label": None},
        THE_FAULT,
        {"plan_date": None, "approval": "UNAPPROVED"},
    ),
    "structures.no-target": of(
        typed_dicom.StructureSet,
        {"roi_names": ["External"]},
        {"roi_names": ["ptv_1"]},
        {"roi_names": None},
        {"roi_names": ["Rectum", "Femur_L"]},
    ),
    "structures.types-differ": of(
        typed_dicom.StructureSet,
        {"roi_types": ["EXTERNAL", "CTV\\PTV"]},
        {"roi_types": ["EXTERNAL", "PTV"]},
        {"roi_types": None},
        {"roi_types": ["AVOIDANCE\\ORGAN", None]},
    ),
    "dose.relative": of(
        typed_dicom.Dose,
        {"dose_units": "RELATIVE"},
        {"dose_units": "GY", "refers_to": None},
        {"dose_units": None},
        {"dose_units": "RELATIVE", "refers_to": None},
    ),
    "ct.slice-thickness-implausible": of(
        _CT, {"slice_thickness_mm": 30.0}, {"slice_thickness_mm": 0.6}, {"slice_thickness_mm": None},
        {"slice_thickness_mm": 0.3},
    ),
    "ct.slice-thickness-missing": of(
        _CT, {"slice_thickness_mm": None}, {"slice_thickness_mm": 0.3}, THE_FAULT,
        {"slice_thickness_mm": None, "series_uid": None},
    ),
}  # fmt: skip

RECORDS = DIAGNOSIS | DICOM
