"""Rules on radiotherapy that need more than one record: courses, plans, structure sets, doses, images."""

from __future__ import annotations

from schemas.rules import CORRECT, LOGIC, rule

SEQUENCE_AGAINST_DATES = rule(
    "radiotherapy.sequence-against-dates", "warning", "patient",
    "The documented sequence contradicts the dates of radiotherapy and surgery.",
    "Check Stellung_OP and both dates.", "oBDS Stellung_OP",
)  # fmt: skip
PATIENT_ID_MISMATCH = rule(
    "dicom.patient-id-mismatch", "error", "source",
    "The structure set belongs to the plan but carries another PatientID.",
    "Correct the PatientID in the planning system and export again.", "DICOM PS3.3 C.7.1.1", waivable=False,
)  # fmt: skip
SLICE_THICKNESS_VARIES = rule(
    "ct.slice-thickness-varies", "warning", "source",
    "The slices of one planning CT differ in thickness.",
    "Check whether two series were mixed.", "DICOM PS3.3 C.7.6.2 SliceThickness",
)  # fmt: skip
RADIOTHERAPY_BEFORE_DIAGNOSIS = rule(
    "radiotherapy.before-diagnosis", "error", "patient",
    "The radiotherapy begins before the diagnosis.", CORRECT, LOGIC,
)  # fmt: skip
COURSES_OVERLAP = rule(
    "radiotherapy.overlapping", "warning", "patient",
    "Two courses of one patient overlap in time.",
    "Check whether one course was documented twice; a boost belongs to its course.", "oBDS ST_ID",
)  # fmt: skip
NO_SURGERY = rule(
    "radiotherapy.postoperative-without-surgery", "warning", "patient",
    "The course is documented as postoperative, and there is no operation.",
    "Add the operation or correct Stellung_OP.", "oBDS Stellung_OP",
)  # fmt: skip
STRUCTURES_MISSING = rule(
    "plan.structure-set-missing", "notice", "source",
    "The structure set that the plan refers to was not delivered.",
    "Export it with the plan.", "DICOM PS3.3 C.8.8.16 ReferencedStructureSetSequence",
)  # fmt: skip
IMAGE_PATIENT_MISMATCH = rule(
    "dicom.image-patient-id-mismatch", "warning", "source",
    "A slice shares the plan's frame of reference and carries another PatientID.",
    "Correct the PatientID in the planning system and export again.", "DICOM PS3.3 C.7.4.1",
)  # fmt: skip
DOSE_PATIENT_MISMATCH = rule(
    "dicom.dose-patient-id-mismatch", "warning", "source",
    "The dose distribution belongs to the plan and carries another PatientID.",
    "Correct the PatientID in the planning system and export again.", "DICOM PS3.3 C.8.8.3",
)  # fmt: skip
DOSE_WITHOUT_PLAN = rule(
    "dose.without-plan", "notice", "source",
    "The plan that the dose distribution refers to was not delivered.",
    "Export it with the dose.", "DICOM PS3.3 C.8.8.3 ReferencedRTPlanSequence",
)  # fmt: skip
