"""Cases of the rules that compare diagnoses, and DICOM objects, of one patient."""

from __future__ import annotations

from typing import Any

from schemas import typed_dicom
from tests.quality.patient_records import CT, RD, RS, D, Dx, P, Plan
from tests.quality.rule_cases.four import Four
from tests.quality.rule_cases.one_patient import MONTH, Patient, clean_and, of, only


def _row(**changes: Any) -> tuple:
    return (Dx, {"source": "table", "tumour_id": None, **changes})


DIAGNOSIS: dict[str, Four[Patient]] = {
    "diagnosis.sex-against-site": of(
        clean_and((Dx, {"icd10_code": "C61", "tumour_id": "2"})),
        clean_and((Dx, {"icd10_code": "C53.9", "tumour_id": "2"})),
        only((P, {"sex": None}), (Dx, {"icd10_code": "C61"})),
        only((P, {"sex": "male"}), (Dx, {"icd10_code": "C56"})),
    ),
    "diagnosis.age-against-histology": of(
        clean_and((Dx, {"icdo3_morphology": "8910/3", "diagnosis_date": D(2021, 5, 1), "tumour_id": "2"})),
        clean_and((Dx, {"icdo3_morphology": "8910/3", "diagnosis_date": D(2012, 5, 1), "tumour_id": "2"})),
        only((P, {"birth_date": None}),
             (Dx, {"icdo3_morphology": "8910/3", "diagnosis_date": D(2021, 5, 1)})),
        only((P, {"birth_date": D(2003, 5, 5)}), (Dx, {})),  # UPS at 8 years
    ),
    "diagnosis.dates-differ": of(
        clean_and((Dx, {"source": "table", "diagnosis_date": D(2012, 3, 1)})),
        clean_and((Dx, {"source": "table", "diagnosis_date": D(2012, 1, 20)})),
        clean_and((Dx, {"source": "table", "diagnosis_date": None})),
        clean_and((Dx, {"source": "table", "diagnosis_date": D(2011, 11, 15),
                        "diagnosis_date_precision": MONTH})),
    ),
    "diagnosis.rows-differ": of(
        only((P, {}), *(_row(diagnosis_date=D(2012, 1, day)) for day in (1, 2))),
        only((P, {}), _row(diagnosis_date=D(2012, 1, 1)),
             _row(diagnosis_date=D(2012, 1, 15), diagnosis_date_precision=MONTH),
             _row(diagnosis_date=D(2012, 1, 1))),
        only((P, {}), _row(), _row(diagnosis_date=None, complete=False)),
        only((P, {}), _row(), _row(diagnosis_date=D(2012, 5, 15), diagnosis_date_precision=MONTH)),
    ),
    "diagnosis.grade-conflict": of(
        clean_and((Dx, {"source": "table", "complete": False, "fnclcc_grade": "G2"})),
        clean_and((Dx, {"source": "table", "complete": False, "fnclcc_grade": "GX"})),
        clean_and((Dx, {"source": "table", "complete": False, "fnclcc_grade": None})),
        clean_and((Dx, {"source": "table", "complete": False, "fnclcc_grade": "G1", "tumour_id": None})),
    ),
    "diagnosis.before-birth": of(
        clean_and((Dx, {"diagnosis_date": D(1949, 1, 1), "tumour_id": "2"})),
        clean_and((Dx, {"diagnosis_date": D(1999, 1, 1), "tumour_id": "2"})),
        clean_and((Dx, {"diagnosis_date": None, "tumour_id": "2"})),
        only((P, {"birth_date": D(2012, 7, 15), "birth_date_precision": MONTH}), (Dx, {})),
    ),
    "diagnosis.on-birth": of(
        clean_and((Dx, {"diagnosis_date": D(1950, 3, 4), "tumour_id": "2"})),
        clean_and((Dx, {"diagnosis_date": D(1950, 3, 5), "tumour_id": "2"})),
        clean_and((Dx, {"diagnosis_date": None, "tumour_id": "2"})),
        only((P, {"birth_date": D(2012, 1, 1)}), _row()),
    ),
    "diagnosis.t-against-size": of(
        clean_and((Dx, {"complete": False, "tumour_size_cm": 4.0, "source": "table"})),
        clean_and((Dx, {"complete": False, "tumour_size_cm": 9.0, "source": "table"})),
        only((P, {}), (Dx, {"t_stage": None, "tumour_size_cm": 4.0})),
        only((P, {}), (Dx, {"t_stage": "T1", "tumour_size_cm": 9.0})),
    ),
    "diagnosis.grade-against-histology": of(
        clean_and((Dx, {"fnclcc_grade": "G1"})),
        clean_and((Dx, {"fnclcc_grade": "G1", "icdo3_morphology": "8850/3"})),
        clean_and((Dx, {"fnclcc_grade": None})),
        clean_and((Dx, {"origin": "pathology", "icdo3_morphology": "8830/3", "fnclcc_grade": "G1"})),
    ),
}  # fmt: skip

OTHER = {"person_ref": "other"}
"""Another patient, known by another number."""

DICOM: dict[str, Four[Patient]] = {
    "plan.structure-set-missing": of(
        clean_and((Plan, {"refers_to": "1.3.9"})),
        clean_and((Plan, {"refers_to": "1.3"})),
        clean_and((Plan, {"refers_to": None})),
        # Not approved, but treated.
        clean_and((Plan, {"refers_to": "1.3.9", "sop_instance_uid": "1.2.7", "approval": "UNAPPROVED"}),
                  (typed_dicom.Treatment, {"refers_to": "1.2.7"})),
    ),
    "plan.dose-grid-missing": of(
        clean_and((Plan, {"sop_instance_uid": "1.2.7"})),
        clean_and((Plan, {"sop_instance_uid": "1.2.7"}), (RD, {"refers_to": "1.2.7"})),
        clean_and((Plan, {"sop_instance_uid": None})),
        clean_and((Plan, {"sop_instance_uid": "1.2.8", "approval": None}), (RD, {"refers_to": None})),
    ),
    "dose.without-plan": of(
        clean_and((RD, {"refers_to": "1.2.9"})),
        clean_and((RD, {"refers_to": "1.2"})),
        clean_and((RD, {"refers_to": None})),
        clean_and((RD, {"refers_to": "1.3"})),  # the structure set is no plan
    ),
    "structures.planning-ct-missing": of(
        clean_and((RS, {"series_uids": ["1.6.9"]})),
        clean_and((RS, {"series_uids": ["1.6.9", "1.6"]})),
        clean_and((RS, {"series_uids": None})),
        # The slices of the CT do not name their series.
        only((P, {}), (Plan, {}), (RS, {"series_uids": ["1.6"]}), (CT, {"series_uid": None})),
    ),
    "dicom.patient-id-mismatch": of(
        clean_and((RS, OTHER)),
        clean_and((RS, OTHER | {"sop_instance_uid": "1.3.9"})),
        clean_and((RS, OTHER | {"sop_instance_uid": None})),
        clean_and((Plan, OTHER | {"sop_instance_uid": "1.2.9"})),
    ),
    "dicom.dose-patient-id-mismatch": of(
        clean_and((RD, OTHER)),
        clean_and((RD, OTHER | {"has_patient_id": False})),
        clean_and((RD, OTHER | {"refers_to": None})),
        clean_and((Plan, OTHER | {"sop_instance_uid": "1.2.9"}), (RD, {"refers_to": "1.2.9"})),
    ),
    "dicom.image-patient-id-mismatch": of(
        clean_and((CT, OTHER | {"series_uid": "1.6.9"})),
        clean_and((CT, OTHER | {"series_uid": "1.6.9", "frame_of_reference_uid": "8"})),
        clean_and((CT, OTHER | {"series_uid": "1.6.9", "frame_of_reference_uid": None})),
        clean_and((CT, OTHER | {"series_uid": "1.6.8", "sop_instance_uid": "1.5.8"}),
                  (CT, OTHER | {"series_uid": "1.6.8", "sop_instance_uid": "1.5.9"})),
    ),
    "ct.slice-thickness-varies": of(
        clean_and((CT, {"slice_thickness_mm": 5.0})),
        clean_and((CT, {"slice_thickness_mm": 5.0, "series_uid": "1.6.9"})),
        clean_and((CT, {"slice_thickness_mm": None})),
        clean_and(*((CT, {"slice_thickness_mm": mm, "series_uid": "1.6.9"}) for mm in (2.0, 2.0, 2.5))),
    ),
}  # fmt: skip

PATIENTS = DIAGNOSIS | DICOM
