"""Rules that need more than one record: identity, the order of a patient's dates, source against source.

A record rule lives with its column in ``schemas.typed``; a file rule in ``schemas.received``. How the rules
here are evaluated stands in ``sarcoma_pipeline.quality`` and ``sarcoma_pipeline.curation``.
"""

from __future__ import annotations

from schemas.contract import Rule, Scope, Severity


def _rule(
    id_: str, severity: Severity, scope: Scope, what: str, remedy: str, source: str, waivable: bool = True
) -> Rule:
    return Rule(id_, severity, what, remedy, scope, source, waivable=waivable)


_LOGIC = "plain logic"
_CORRECT = "Correct it in the source system; it is read again in the next refresh."

RECORD_DUPLICATE = _rule(
    "record.duplicate", "notice", "source",
    "The same record was delivered more than once; the first one counts.",
    "Nothing, or keep the export from repeating it.", "oBDS: repeated Meldung; DICOM: repeated export",
)  # fmt: skip
RECORD_CORRECTED = _rule(
    "record.corrected", "notice", "source",
    "A later report corrects this one; the later one counts.",
    "Nothing.", "oBDS: correction of an earlier Meldung",
)  # fmt: skip
NAMESPACE_MISSING = _rule(
    "obds.namespace-missing", "warning", "file",
    "The export lacks the oBDS namespace; it was read all the same.",
    "Have the exporting system write the namespace.", "oBDS 3.0.4 schema",
)  # fmt: skip
SCHEMA_VERSION_UNKNOWN = _rule(
    "obds.schema-version-unknown", "warning", "file",
    "The export names a Schema_Version other than 3.0.0 to 3.0.4; it was read all the same.",
    "Check that the exporting system writes oBDS 3.", "oBDS 3.0.4 schema",
)  # fmt: skip

NEAR_MATCH = _rule(
    "identity.near-match", "error", "source",
    "The person resembles a known patient, but not exactly (spelling, part of a name, day and month).",
    "Compare both; correct the spelling or add the patient number at the source. Never merged by itself.",
    "record linkage: near-matches are for people", waivable=False,
)  # fmt: skip
NO_PATIENT = _rule(
    "identity.no-patient", "error", "source",
    "No patient of the patient files fits this record.",
    "Check number, name and date of birth; deliver the patient's file if it is missing.", _LOGIC,
    waivable=False,
)  # fmt: skip
AMBIGUOUS = _rule(
    "identity.ambiguous", "error", "source",
    "Name, date of birth and sex fit more than one patient.",
    "Add the patient number at the source.", _LOGIC, waivable=False,
)  # fmt: skip
CONTRADICTION = _rule(
    "identity.contradiction", "error", "source",
    "The patient number is known, but name and date of birth are another person's.",
    "Find out whom the record means; correct the number.", _LOGIC,
)  # fmt: skip
DETAIL_DIFFERS = _rule(
    "identity.detail-differs", "warning", "source",
    "The patient number fits; the name or the date of birth differs from the patient file.",
    "Check for a change of name or a typing error.", _LOGIC,
)  # fmt: skip
TWO_NUMBERS = _rule(
    "identity.two-numbers", "warning", "source",
    "Two patient numbers share name, date of birth and sex; they are kept apart.",
    "Merge them in the hospital's system if it is one person.", _LOGIC,
)  # fmt: skip

DATE_UNUSABLE = _rule(
    "diagnosis.date-unusable", "error", "record",
    "The date of diagnosis is fully estimated (Datumsgenauigkeit V): there is no time zero.",
    "Find the date of the biopsy and correct it.", "oBDS Datumsgenauigkeit V",
)  # fmt: skip
BEFORE_BIRTH = _rule(
    "diagnosis.before-birth", "error", "patient",
    "The diagnosis lies before the birth.", _CORRECT, _LOGIC,
)  # fmt: skip
TWO_TUMOUR_IDS = _rule(
    "diagnosis.tumour-under-two-ids", "warning", "patient",
    "The same tumour (site, morphology, date) is reported under two numbers; it is taken as one.",
    "Merge the tumours in the documentation system.", "oBDS Tumor_ID",
)  # fmt: skip
T_AGAINST_SIZE = _rule(
    "diagnosis.t-against-size", "warning", "patient",
    "The T category contradicts the tumour size.",
    "Check both; T1 is up to 5 cm.", "AJCC 7 and 8, soft tissue sarcoma of trunk and extremities",
)  # fmt: skip
GRADE_AGAINST_HISTOLOGY = _rule(
    "diagnosis.grade-against-histology", "warning", "patient",
    "Undifferentiated pleomorphic sarcoma is graded G1.",
    "Check histology and grade: it is high-grade by definition.", "FNCLCC; WHO 2020",
)  # fmt: skip
SURGERY_BEFORE_DIAGNOSIS = _rule(
    "surgery.before-diagnosis", "error", "patient",
    "The operation lies more than 90 days before the diagnosis.", _CORRECT, _LOGIC,
)  # fmt: skip
SEQUENCE_AGAINST_DATES = _rule(
    "radiotherapy.sequence-against-dates", "warning", "patient",
    "The documented sequence contradicts the dates of radiotherapy and surgery.",
    "Check Stellung_OP and both dates.", "oBDS Stellung_OP",
)  # fmt: skip
PROGRESSION_UNDER_TREATMENT = _rule(
    "assessment.progression-under-treatment", "notice", "patient",
    "The first relapse falls inside the radiotherapy: progression under treatment.",
    "Nothing, if it is so.", "design section 11",
)  # fmt: skip
AFTER_DEATH = _rule(
    "assessment.after-death", "error", "patient",
    "An examination is dated after the death.",
    "Correct the date of the examination or of the death.", _LOGIC,
)  # fmt: skip
DEATH_BEFORE_DIAGNOSIS = _rule(
    "death.before-diagnosis", "error", "patient",
    "The death lies before the diagnosis.", _CORRECT, _LOGIC,
)  # fmt: skip
DEATH_DATE_CONFLICT = _rule(
    "vital-status.death-date-conflict", "warning", "source",
    "Two sources give different dates of death; the source named first in the precedence wins.",
    "Find the right date and correct the other source.", "sources.toml precedence",
)  # fmt: skip
ALIVE_AFTER_DEATH = _rule(
    "vital-status.alive-after-death", "error", "source",
    "The person is said to be alive after the documented death.",
    "Find out which is right; the statement of life is not used until then.", _LOGIC,
)  # fmt: skip
STATUS_CONTRADICTION = _rule(
    "vital-status.contradiction", "warning", "record",
    "Two statements of one record contradict each other on being alive or dead.",
    "Find out which is right; the precedence of sources.toml decides until then.", _LOGIC,
)  # fmt: skip
DOSE_CONFLICT = _rule(
    "radiotherapy.dose-conflict", "warning", "source",
    "The plan prescribes another dose than is documented; the plan wins.",
    "Check whether the course was changed or documented wrongly.", "ICRU 83; oBDS Gesamtdosis",
)  # fmt: skip
PATIENT_ID_MISMATCH = _rule(
    "dicom.patient-id-mismatch", "error", "source",
    "The structure set belongs to the plan but carries another PatientID.",
    "Correct the PatientID in the planning system and export again.", "DICOM PS3.3 C.7.1.1", waivable=False,
)  # fmt: skip
SLICE_THICKNESS_VARIES = _rule(
    "ct.slice-thickness-varies", "warning", "source",
    "The slices of one planning CT differ in thickness.",
    "Check whether two series were mixed.", "DICOM PS3.3 C.7.6.2 SliceThickness",
)  # fmt: skip
