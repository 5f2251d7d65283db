"""A clean patient: a typed record of each kind, for tests that change one thing."""

import datetime as dt
from typing import Any

from schemas import typed, typed_dicom
from schemas.contract import Contract

RECEIVED = dt.date(2022, 1, 10)
Row = dict[str, Any]

CLEAN: dict[type[Contract], Row] = {
    typed.Person: {
        "master": True, "birth_date": dt.date(1950, 3, 4), "birth_date_precision": "day", "sex": "female",
    },
    typed.Diagnosis: {
        "tumour_id": "1", "complete": True, "diagnosis_date": dt.date(2012, 1, 1), "t_stage": "T2",
        "diagnosis_date_precision": "day", "icd10_code": "C49.2", "icdo3_topography": "C49.2",
        "icdo3_morphology": "8802/3", "laterality": "left", "tnm_edition": 7, "grade": "3",
        "fnclcc_grade": "G3", "m_stage": "M0", "distant_metastasis": False, "origin": "diagnosis",
    },
    typed.Surgery: {
        "module_id": "O1", "surgery_date": dt.date(2012, 5, 1), "intent": "curative", "residual_status": "R0",
        "ops_codes": ["5-782.b"],
    },
    typed.Radiotherapy: {
        "module_id": "S1", "irradiated": True, "start_date": dt.date(2012, 2, 1), "intent": "curative",
        "end_date": dt.date(2012, 3, 7), "radiation_sequence": "preoperative", "prescribed_dose_gy": 50.0,
        "single_dose_gy": 2.0,
    },
    typed.SystemicTherapy: {"kind": "chemotherapy", "given": "yes", "start_date": dt.date(2012, 2, 1)},
    typed.Assessment: {
        "module_id": "V1", "assessment_date": dt.date(2012, 8, 1), "overall_status": "complete remission",
        "local_status": "no tumour",
    },
    typed.Metastasis: {
        "metastasis_date": dt.date(2012, 12, 20), "metastasis_date_precision": "day", "site": "PUL",
        "extent": "distant", "origin": "follow-up", "reported_date": dt.date(2013, 1, 10),
        "named": True,
    },
    typed.Toxicity: {
        "therapy": "radiotherapy", "kind": "side effect", "statement": "present", "category": "skin",
        "grade": 3, "ctcae_version": "5.0", "stated_window": "acute", "number": 1,
    },
    typed.VitalStatus: {
        "status": "alive", "status_date": dt.date(2020, 6, 1), "status_date_precision": "day",
    },
    typed_dicom.Plan: {
        "sop_instance_uid": "1.2", "frame_of_reference_uid": "9", "refers_to": "1.3", "phantom": False,
        "has_patient_id": True, "has_file_meta": True, "plan_date": dt.date(2012, 1, 20), "plan_label": "A",
        "approval": "APPROVED", "prescribed_dose_gy": 50.0, "fractions": 25, "technique": "VMAT",
        "dose_origin": "target prescription", "beam_energy_mv": 6.0,
    },
    typed_dicom.StructureSet: {
        "sop_instance_uid": "1.3", "frame_of_reference_uid": "9", "phantom": False, "has_patient_id": True,
        "has_file_meta": True, "roi_names": ["External", "PTV"],
    },
    typed_dicom.Dose: {
        "sop_instance_uid": "1.4", "frame_of_reference_uid": "9", "refers_to": "1.2", "phantom": False,
        "has_patient_id": True, "has_file_meta": True, "dose_units": "GY",
    },
    typed_dicom.Image: {
        "sop_instance_uid": "1.5", "frame_of_reference_uid": "9", "phantom": False, "has_patient_id": True,
        "has_file_meta": True, "series_uid": "1.6", "slice_thickness_mm": 3.0,
    },
    typed_dicom.Treatment: {
        "sop_instance_uid": "1.7", "phantom": False, "has_patient_id": True, "has_file_meta": True,
        "treatment_date": dt.date(2012, 2, 1), "fraction_number": 1,
    },
}  # fmt: skip
"""A clean patient, a record of each kind."""


def row(contract: type[Contract], record: str = "", **changes: Any) -> Row:
    name = contract.table().removeprefix("typed.")
    return {
        "record_id": record or name, "source": "oBDS", "person_ref": "number:1", "received_on": RECEIVED,
        **CLEAN[contract], **changes,
    }  # fmt: skip
