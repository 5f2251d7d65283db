"""Rules that need more than one record: identity, the order of a patient's dates, source against source.

A record rule lives with its column in ``schemas.typed``; a file rule in ``schemas.received``. How the rules
here are evaluated stands in ``sarcoma_pipeline.quality`` and ``sarcoma_pipeline.curation``.
"""

from __future__ import annotations

from schemas.contract import Rule, Scope, Severity


def rule(
    id_: str, severity: Severity, scope: Scope, what: str, remedy: str, source: str, waivable: bool = True
) -> Rule:
    """A rule over several records: it has words here, and a function in ``quality`` or ``curation``."""
    return Rule(id_, severity, what, remedy, scope, source, waivable=waivable)


LOGIC = "plain logic"
CORRECT = "Correct it in the source system; it is read again in the next refresh."

RECORD_DUPLICATE = rule(
    "record.duplicate", "notice", "source",
    "The same record was delivered more than once; the first one counts.",
    "Nothing, or keep the export from repeating it.", "oBDS: repeated Meldung; DICOM: repeated export",
)  # fmt: skip
RECORD_CORRECTED = rule(
    "record.corrected", "notice", "source",
    "A later report corrects this one; the later one counts.",
    "Nothing.", "oBDS: correction of an earlier Meldung",
)  # fmt: skip
NAMESPACE_MISSING = rule(
    "obds.namespace-missing", "warning", "file",
    "The export lacks the oBDS namespace; it was read all the same.",
    "Have the exporting system write the namespace.", "oBDS 3.0.4 schema",
)  # fmt: skip
SCHEMA_VERSION_UNKNOWN = rule(
    "obds.schema-version-unknown", "warning", "file",
    "The export names a Schema_Version other than 3.0.0 to 3.0.4; it was read all the same.",
    "Check that the exporting system writes oBDS 3.", "oBDS 3.0.4 schema",
)  # fmt: skip

NEAR_MATCH = rule(
    "identity.near-match", "error", "source",
    "The person resembles a known patient, but not exactly (spelling, part of a name, day and month).",
    "Compare both; correct the spelling or add the patient number at the source. Never merged by itself.",
    "record linkage: near-matches are for people", waivable=False,
)  # fmt: skip
NO_PATIENT = rule(
    "identity.no-patient", "error", "source",
    "No patient of the patient files fits this record.",
    "Check number, name and date of birth; deliver the patient's file if it is missing.", LOGIC,
    waivable=False,
)  # fmt: skip
AMBIGUOUS = rule(
    "identity.ambiguous", "error", "source",
    "Name, date of birth and sex fit more than one patient.",
    "Add the patient number at the source.", LOGIC, waivable=False,
)  # fmt: skip
CONTRADICTION = rule(
    "identity.contradiction", "error", "source",
    "The patient number is known, but name and date of birth are another person's.",
    "Find out whom the record means; correct the number.", LOGIC,
)  # fmt: skip
DETAIL_DIFFERS = rule(
    "identity.detail-differs", "warning", "source",
    "The patient number fits; the name or the date of birth differs from the patient file.",
    "Check for a change of name or a typing error.", LOGIC,
)  # fmt: skip
TWO_NUMBERS = rule(
    "identity.two-numbers", "warning", "source",
    "Two patient numbers share name, date of birth and sex; they are kept apart.",
    "Merge them in the hospital's system if it is one person.", LOGIC,
)  # fmt: skip

DATE_UNUSABLE = rule(
    "diagnosis.date-unusable", "error", "record",
    "The date of diagnosis is fully estimated (Datumsgenauigkeit V): there is no time zero.",
    "Find the date of the biopsy and correct it.", "oBDS Datumsgenauigkeit V",
)  # fmt: skip
BEFORE_BIRTH = rule(
    "diagnosis.before-birth", "error", "patient",
    "The diagnosis lies before the birth.", CORRECT, LOGIC,
)  # fmt: skip
TWO_TUMOUR_IDS = rule(
    "diagnosis.tumour-under-two-ids", "warning", "patient",
    "The same tumour (site, morphology, date) is reported under two numbers; it is taken as one.",
    "Merge the tumours in the documentation system.", "oBDS Tumor_ID",
)  # fmt: skip
T_AGAINST_SIZE = rule(
    "diagnosis.t-against-size", "warning", "patient",
    "The T category contradicts the tumour size.",
    "Check both; T1 is up to 5 cm.", "AJCC 7 and 8, soft tissue sarcoma of trunk and extremities",
)  # fmt: skip
GRADE_AGAINST_HISTOLOGY = rule(
    "diagnosis.grade-against-histology", "warning", "patient",
    "Undifferentiated pleomorphic sarcoma is graded G1.",
    "Check histology and grade: it is high-grade by definition.", "FNCLCC; WHO 2020",
)  # fmt: skip
SURGERY_BEFORE_DIAGNOSIS = rule(
    "surgery.before-diagnosis", "error", "patient",
    "The operation lies more than 90 days before the diagnosis.", CORRECT, LOGIC,
)  # fmt: skip
PROGRESSION_UNDER_TREATMENT = rule(
    "assessment.progression-under-treatment", "notice", "patient",
    "The first relapse falls inside the radiotherapy: progression under treatment.",
    "Nothing, if it is so.", "design section 11",
)  # fmt: skip
AFTER_DEATH = rule(
    "assessment.after-death", "error", "patient",
    "An examination is dated after the death.",
    "Correct the date of the examination or of the death.", LOGIC,
)  # fmt: skip
DEATH_BEFORE_DIAGNOSIS = rule(
    "death.before-diagnosis", "error", "patient",
    "The death lies before the diagnosis.", CORRECT, LOGIC,
)  # fmt: skip
DEATH_DATE_CONFLICT = rule(
    "vital-status.death-date-conflict", "warning", "source",
    "Two sources give different dates of death; the source named first in the precedence wins.",
    "Find the right date and correct the other source.", "sources.toml precedence",
)  # fmt: skip
ALIVE_AFTER_DEATH = rule(
    "vital-status.alive-after-death", "error", "source",
    "The person is said to be alive after the documented death.",
    "Find out which is right; the statement of life is not used until then.", LOGIC,
)  # fmt: skip
STATUS_CONTRADICTION = rule(
    "vital-status.contradiction", "warning", "record",
    "Two statements of one record contradict each other on being alive or dead.",
    "Find out which is right; the precedence of sources.toml decides until then.", LOGIC,
)  # fmt: skip
SEX_DIFFERS = rule(
    "identity.sex-differs", "warning", "source",
    "The sex differs from the patient file's.",
    "Check which is right; the patient file's is used.", LOGIC,
)  # fmt: skip
SEX_AGAINST_SITE = rule(
    "diagnosis.sex-against-site", "warning", "patient",
    "The site does not exist in this sex.",
    "Check sex and site.", "ICD-10-GM C51-C58, C60-C63",
)  # fmt: skip
AGE_AGAINST_HISTOLOGY = rule(
    "diagnosis.age-against-histology", "warning", "patient",
    "The histology is very unusual at this age (embryonal rhabdomyosarcoma over 70, UPS under 10 years).",
    "Check histology and date of birth; ask for a reference pathology.", "WHO 2020, soft tissue tumours",
)  # fmt: skip
DIAGNOSIS_DATES_DIFFER = rule(
    "diagnosis.dates-differ", "warning", "source",
    "Two sources date the same tumour more than 30 days apart; the precedence decides.",
    "Find the date of the biopsy's report.", "design section 5: time zero",
)  # fmt: skip
HISTOLOGIES_DIFFER = rule(
    "diagnosis.histologies-differ", "warning", "source",
    "Two reports put the same tumour into different histology groups; the later one counts.",
    "Check whether a reference pathology replaced the first.", "WHO 2020; ICD-O-3.2",
)  # fmt: skip
GRADES_DIFFER_BETWEEN_SOURCES = rule(
    "diagnosis.grade-conflict", "warning", "source",
    "Two sources give different FNCLCC grades; the precedence decides.",
    "Compare with the pathology report.", "FNCLCC (Coindre)",
)  # fmt: skip
SURGERY_AFTER_DEATH = rule(
    "surgery.after-death", "error", "patient", "The operation is dated after the death.", CORRECT, LOGIC,
)  # fmt: skip
RADIOTHERAPY_AFTER_DEATH = rule(
    "radiotherapy.after-death", "error", "patient",
    "The radiotherapy begins after the death.", CORRECT, LOGIC,
)  # fmt: skip
SYSTEMIC_AFTER_DEATH = rule(
    "systemic-therapy.after-death", "error", "patient",
    "The systemic therapy begins after the death.", CORRECT, LOGIC,
)  # fmt: skip
SYSTEMIC_BEFORE_DIAGNOSIS = rule(
    "systemic-therapy.before-diagnosis", "warning", "patient",
    "The systemic therapy begins more than 90 days before the diagnosis.",
    "Check whether it was given for another tumour.", LOGIC,
)  # fmt: skip
SYSTEMIC_CONTRADICTION = rule(
    "systemic-therapy.contradiction", "warning", "source",
    "One source says that the therapy was given, another that it was not.",
    "Find out which is right.", LOGIC,
)  # fmt: skip
ASSESSMENT_BEFORE_DIAGNOSIS = rule(
    "assessment.before-diagnosis", "warning", "patient",
    "A follow-up examination is dated before the diagnosis.", CORRECT, LOGIC,
)  # fmt: skip
ASSESSMENTS_CONTRADICT = rule(
    "assessment.same-day-contradiction", "warning", "patient",
    "Two examinations of one day contradict each other on a relapse.",
    "Keep the one that is right; the relapse counts until then.", LOGIC,
)  # fmt: skip
RESIDUAL_AFTER_R0 = rule(
    "surgery.residual-against-follow-up", "warning", "patient",
    "The first examination after an R0 resection finds residual tumour at the site.",
    "Check the R status, or whether it is a relapse.", "UICC R classification",
)  # fmt: skip
SURGERY_REPEATED = rule(
    "surgery.twice-a-day", "warning", "patient",
    "Two operations of one day are documented under different numbers.",
    "Merge them if it was one.", "oBDS OP_ID",
)  # fmt: skip
BORN_AFTER_STATUS = rule(
    "vital-status.before-birth", "error", "source",
    "The statement on life or death is dated before the birth.", CORRECT, LOGIC,
)  # fmt: skip
FOLLOW_UP_MISSING = rule(
    "follow-up.none", "warning", "patient",
    "No examination is documented after a curative operation or radiotherapy: no relapse could be seen.",
    "Ask for the follow-up letters.", "STROBE item 14c; ESMO 2021: follow-up every 3-4 months",
)  # fmt: skip
FOLLOW_UP_GAP = rule(
    "follow-up.gap", "notice", "patient",
    "More than three years lie between two successive examinations.",
    "Ask for the letters in between: a relapse may be dated too late.",
    "ESMO 2021: follow-up at least yearly",
)  # fmt: skip

VOLUME_DROPPED = rule(
    "dataset.volume-dropped", "warning", "dataset",
    "A source delivered at least 10 % fewer records than last night.",
    "Check whether its export was complete.", "OHDSI DataQualityDashboard: volumes",
)  # fmt: skip
SOURCE_SILENT = rule(
    "dataset.source-silent", "warning", "dataset",
    "A source has no file at all.",
    "Check the folder, the export and the patterns in sources.toml.", LOGIC,
)  # fmt: skip
PATIENTS_LOST = rule(
    "dataset.patients-lost", "warning", "dataset",
    "Patients known last night are gone.",
    "Check whether an export was replaced by a smaller one.", LOGIC,
)  # fmt: skip
QUARANTINE_ROSE = rule(
    "dataset.quarantine-rose", "warning", "dataset",
    "The share of a source's records in quarantine rose by more than 2 points since last night.",
    "Look at the newest errors of this source: one cause is likely.",
    "OHDSI DataQualityDashboard: thresholds",
)  # fmt: skip
UNREAD_FILES = rule(
    "dataset.files-unread", "warning", "dataset",
    "More than one in five files of a source could not be read.",
    "Look at the file errors of this source: one cause is likely.", LOGIC,
)  # fmt: skip
