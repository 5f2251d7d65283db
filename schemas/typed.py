"""Records with types: one row per received record and entity, before sources are reconciled.

A column that is delivered as text and cannot be read becomes null here and a finding
(``value.date-unreadable`` …) of the severity that the column declares as ``unreadable``.
A time is a date with its precision, or a day counted from the diagnosis: a source that knows only days
(``*_day``) never gets an invented calendar date.
"""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from schemas.contract import Contract, Rule, TextList, column

REMEDY_SOURCE = "Correct it in the source system; it is read again in the next refresh."

READING_RULES = (
    Rule(
        "value.missing",
        "error",
        "A value that the record cannot do without is missing.",
        REMEDY_SOURCE,
    ),
    Rule(
        "value.date-unreadable",
        "error",
        "The text is not a date of the calendar.",
        REMEDY_SOURCE,
    ),
    Rule("value.number-unreadable", "error", "The text is not a number.", REMEDY_SOURCE),
    Rule(
        "value.code-unknown",
        "error",
        "The code is not in the column's code list.",
        "Correct it in the source system, or add the code to the mapping if it is a new one.",
        source="oBDS 3.0.4, DICOM PS3.3, sources.toml",
    ),
    Rule(
        "value.several",
        "warning",
        "One cell holds several values.",
        "Decide which one counts and correct the cell.",
    ),
    Rule(
        "date.partial",
        "notice",
        "The date is exact to the month or the year only; the middle of the interval is used.",
        "Nothing, or give the exact date if it is known.",
        source="oBDS Datumsgenauigkeit",
    ),
    Rule(
        "date.legacy-format",
        "notice",
        "The date is written the old way (00.MM.YYYY); it was read as a partial date.",
        "Update the exporting system to oBDS 3.",
        source="ADT/GEKID before oBDS 3",
    ),
)
"""Faults that reading itself meets. A finding of an ``unreadable`` rule has the severity of its column."""


def not_after_receipt(col: str) -> Rule:
    """The rule ``date.in-future`` for one date column."""
    return Rule(
        "date.in-future",
        "error",
        "The date lies after the day on which the record was received.",
        REMEDY_SOURCE,
        column=col,
        holds=pl.col(col) <= pl.col("received_on"),
    )


class Typed(Contract):
    """Where a typed record came from and whose it is."""

    _judges_data: ClassVar[bool] = True

    record_id: pl.String = column("Record", "The received record it was read from.", nullable=False)
    source: pl.String = column("Source", "Kind of source.", nullable=False, vocabulary="source")
    person_ref: pl.String = column(
        "Person reference",
        "What the source knows the patient by: `number:` + hospital number, else `record:` + record.",
        nullable=False,
        identifying="identifier",
    )
    received_on: pl.Date = column("Received on", "Day of the refresh that first received it.", nullable=False)
    reported_on: pl.Date = column("Reported on", "Day of the export that carries it (oBDS Meldedatum).")


class PersonColumns(Contract):
    """What identifies a person."""

    hospital_number: pl.String = column(
        "Hospital number", "Patient number of the hospital.", identifying="identifier"
    )
    family_name: pl.String = column("Family name", "As delivered.", identifying="identifier")
    given_names: pl.String = column("Given names", "As delivered.", identifying="identifier")
    birth_date: pl.Date = column("Date of birth", "Day of birth.", identifying="identifier")
    birth_date_precision: pl.String = column(
        "Precision of the date of birth", "To what it is exact.", vocabulary="date_precision"
    )
    sex: pl.String = column(
        "Sex", "Administrative sex.", vocabulary="sex", identifying="quasi-identifier", unreadable="warning"
    )


class Person(PersonColumns, Typed, table="typed.person", rules=(not_after_receipt("birth_date"),)):
    """One mention of a person by one record."""

    master: pl.Boolean = column(
        "Master", "Whether the record makes a patient (patient file) or only refers to one.", nullable=False
    )


class DiagnosisColumns(Contract):
    """A primary tumour at its diagnosis."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    diagnosis_date: pl.Date = column(
        "Date of diagnosis",
        "Initial pathological diagnosis (biopsy): time zero.",
        identifying="quasi-identifier",
        unreadable="error",
    )
    diagnosis_date_precision: pl.String = column(
        "Precision of the date of diagnosis", "To what it is exact.", vocabulary="date_precision"
    )
    diagnosis_day: pl.Int32 = column(
        "Day of diagnosis", "Days since time zero, where a source counts days.", unit="d"
    )
    age_at_diagnosis_years: pl.Float64 = column(
        "Age at diagnosis", "Where a source gives the age instead of the date of birth.", unit="a"
    )
    icd10_code: pl.String = column("ICD-10 code", "Site and kind of the primary tumour.")
    icdo3_topography: pl.String = column("ICD-O-3 topography", "Site of the primary tumour.")
    icdo3_morphology: pl.String = column("ICD-O-3 morphology", "Histology with behaviour, e.g. 8802/3.")
    laterality: pl.String = column("Side", "Side of a paired site.", vocabulary="laterality")
    histologically_confirmed: pl.String = column(
        "Histologically proven", "Whether the diagnosis rests on histology.", vocabulary="yes_no_unknown"
    )
    t_stage: pl.String = column(
        "T category", "Primary tumour, in the source's edition.", vocabulary="t_stage"
    )
    n_stage: pl.String = column("N category", "Regional lymph nodes.", vocabulary="n_stage")
    m_stage: pl.String = column("M category", "Distant metastasis at diagnosis.", vocabulary="m_stage")
    tnm_edition: pl.Int32 = column("TNM edition", "Edition of the TNM/AJCC classification.")
    grade: pl.String = column("Grading", "oBDS grading as delivered: 1-4, L, M, H …")
    fnclcc_grade: pl.String = column("FNCLCC grade", "Coindre: G1 to G3.", vocabulary="fnclcc_grade")
    tumour_size_cm: pl.Float64 = column("Tumour size", "Greatest diameter.", unit="cm")
    tumour_depth: pl.String = column(
        "Depth", "Above or below the superficial fascia.", vocabulary="tumour_depth"
    )
    distant_metastasis: pl.Boolean = column(
        "Distant metastasis at diagnosis", "M1, or metastases documented with the diagnosis."
    )


DIAGNOSIS_RULES = (
    not_after_receipt("diagnosis_date"),
    Rule(
        "diagnosis.size-implausible",
        "warning",
        "The tumour size is not between 0.1 and 60 cm; it is not used.",
        "Check the unit (mm for cm) and correct it.",
        source="AJCC 7/8: size in cm",
        column="tumour_size_cm",
        holds=pl.col("tumour_size_cm").is_between(0.1, 60),
    ),
    Rule(
        "diagnosis.morphology-malformed",
        "error",
        "The morphology is not an ICD-O-3 code of the form 8802/3.",
        REMEDY_SOURCE,
        source="ICD-O-3.2",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains(r"^\d{4}/\d$"),
    ),
    Rule(
        "diagnosis.topography-malformed",
        "warning",
        "The topography is not an ICD-O-3 code of the form C49.2.",
        REMEDY_SOURCE,
        source="ICD-O-3.2",
        column="icdo3_topography",
        holds=pl.col("icdo3_topography").str.contains(r"^C\d\d(\.\d\d?)?$"),
    ),
)


class Diagnosis(DiagnosisColumns, Typed, table="typed.diagnosis", rules=DIAGNOSIS_RULES):
    """What one record says of a primary tumour."""

    complete: pl.Boolean = column(
        "Makes a diagnosis",
        "Whether the record documents the diagnosis itself, or only adds to one (size, depth, grade).",
        nullable=False,
    )


class SurgeryColumns(Contract):
    """An operation on the tumour."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    surgery_date: pl.Date = column(
        "Date of surgery", "Day of the operation.", identifying="quasi-identifier", unreadable="error"
    )
    surgery_day: pl.Int32 = column("Day of surgery", "Days since time zero.", unit="d")
    intent: pl.String = column("Intent", "With what aim it was planned.", vocabulary="intent")
    ops_codes: TextList = column("OPS codes", "Procedures.")
    residual_status: pl.String = column(
        "Residual status", "Local R classification.", vocabulary="residual_status"
    )


class Surgery(SurgeryColumns, Typed, table="typed.surgery", rules=(not_after_receipt("surgery_date"),)):
    """What one record says of an operation."""

    module_id: pl.String = column(
        "Module", "The source's own number of the operation.", identifying="identifier"
    )


class RadiotherapyColumns(Contract):
    """A course of radiotherapy."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    start_date: pl.Date = column(
        "First day", "First fraction.", identifying="quasi-identifier", unreadable="error"
    )
    end_date: pl.Date = column(
        "Last day", "Last fraction.", identifying="quasi-identifier", unreadable="error"
    )
    start_day: pl.Int32 = column("First day since time zero", "Days since time zero.", unit="d")
    end_day: pl.Int32 = column("Last day since time zero", "Days since time zero.", unit="d")
    intent: pl.String = column("Intent", "With what aim it was planned.", vocabulary="intent")
    radiation_sequence: pl.String = column(
        "Radiation sequence", "Relation to surgery (oBDS Stellung_OP).", vocabulary="radiation_sequence"
    )
    target_region: pl.String = column("Target region", "oBDS Zielgebiet code, a string.")
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "Total dose of the highest level.", unit="Gy")
    single_dose_gy: pl.Float64 = column("Single dose", "Dose per fraction of the highest level.", unit="Gy")
    boost: pl.String = column("Boost", "Kind of boost.", vocabulary="boost")
    end_reason: pl.String = column("Reason of the end", "oBDS Ende_Grund: E regular …")


RADIOTHERAPY_RULES = (
    Rule(
        "radiotherapy.module-missing",
        "warning",
        "The report of a radiotherapy holds no irradiation: neither dates nor dose.",
        "Complete the Bestrahlung in the tumour documentation.",
        source="oBDS 3.0.4 ST/Menge_Bestrahlung",
        column="irradiated",
        holds=pl.col("irradiated"),
    ),
    not_after_receipt("start_date"),
    not_after_receipt("end_date"),
    Rule(
        "radiotherapy.ends-before-start",
        "error",
        "The course ends before it starts.",
        REMEDY_SOURCE,
        column="end_date",
        holds=pl.col("end_date") >= pl.col("start_date"),
    ),
    Rule(
        "radiotherapy.dose-implausible",
        "warning",
        "The total dose is not between 1 and 100 Gy.",
        "Check the unit (cGy for Gy) and the decimal point.",
        source="ICRU 83; sources.md section 3",
        column="prescribed_dose_gy",
        holds=pl.col("prescribed_dose_gy").is_between(1, 100),
    ),
    Rule(
        "radiotherapy.hypofractionated",
        "warning",
        "The single dose is above 2.5 Gy: a hypofractionated course.",
        "Nothing if it was meant; it is kept as it is.",
        source="sources.md section 3 (5 x 5 Gy)",
        column="single_dose_gy",
        holds=pl.col("single_dose_gy") <= 2.5,
    ),
)


class Radiotherapy(RadiotherapyColumns, Typed, table="typed.radiotherapy", rules=RADIOTHERAPY_RULES):
    """What one record says of a course of radiotherapy."""

    module_id: pl.String = column(
        "Module", "The source's own number of the course.", identifying="identifier"
    )
    irradiated: pl.Boolean = column(
        "Has its irradiation", "Whether dose or dates came with it.", nullable=False
    )


class SystemicTherapyColumns(Contract):
    """A systemic therapy, or the statement that there was none."""

    kind: pl.String = column("Kind", "Kind of systemic therapy.", vocabulary="systemic_kind")
    given: pl.String = column("Given", "Whether it was given.", vocabulary="yes_no_unknown")
    protocol: pl.String = column("Protocol", "Name of the protocol.")
    start_date: pl.Date = column(
        "First day", "First day.", identifying="quasi-identifier", unreadable="error"
    )
    start_day: pl.Int32 = column("First day since time zero", "Days since time zero.", unit="d")


class SystemicTherapy(
    SystemicTherapyColumns, Typed, table="typed.systemic_therapy", rules=(not_after_receipt("start_date"),)
):
    """What one record says of systemic therapy."""


class AssessmentColumns(Contract):
    """An examination of the state of the disease."""

    assessment_date: pl.Date = column(
        "Date of assessment", "Day of the examination.", identifying="quasi-identifier", unreadable="error"
    )
    assessment_day: pl.Int32 = column("Day of assessment", "Days since time zero.", unit="d")
    overall_status: pl.String = column(
        "Overall status", "Gesamtbeurteilung.", vocabulary="overall_status", unreadable="error"
    )
    local_status: pl.String = column(
        "Local status", "At the site of the primary.", vocabulary="local_status", unreadable="error"
    )
    regional_status: pl.String = column(
        "Regional status", "Regional lymph nodes.", vocabulary="local_status", unreadable="error"
    )
    distant_status: pl.String = column(
        "Distant status", "Distant metastases.", vocabulary="local_status", unreadable="error"
    )
    distant_site: pl.String = column(
        "Site of metastasis", "First documented site.", vocabulary="metastasis_site"
    )
    distant_date: pl.Date = column(
        "Date of metastasis",
        "Earliest date of a metastasis documented with it.",
        identifying="quasi-identifier",
        unreadable="error",
    )
    distant_date_precision: pl.String = column(
        "Precision of the date of metastasis", "To what it is exact.", vocabulary="date_precision"
    )


class Assessment(
    AssessmentColumns,
    Typed,
    table="typed.assessment",
    rules=(not_after_receipt("assessment_date"), not_after_receipt("distant_date")),
):
    """What one record says of the state of the disease on one day."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    module_id: pl.String = column(
        "Module", "The source's own number of the assessment.", identifying="identifier"
    )


class VitalStatus(
    Typed,
    table="typed.vital_status",
    rules=(
        not_after_receipt("status_date"),
        Rule(
            "vital-status.death-date-unknown",
            "warning",
            "The person is dead, the date of death is not known.",
            "Ask the registry office for an extended reply (Bundesmeldegesetz section 45).",
            source="BMG sections 44, 45",
            column="status",
            holds=pl.col("status") != "deceased, date unknown",
        ),
        Rule(
            "vital-status.no-information",
            "notice",
            "The registry office gives no information.",
            "Nothing: a refused reply must not reveal whether there is a block.",
            source="BMG section 51",
            column="status",
            holds=pl.col("status") != "no information",
        ),
    ),
):
    """What one record says of being alive or dead."""

    status: pl.String = column(
        "Vital status", "Alive, deceased, moved, nothing known.", vocabulary="vital_status",
        nullable=False, unreadable="error",
    )  # fmt: skip
    status_date: pl.Date = column(
        "Date", "Of death, of the move, or on which the person was known alive.",
        identifying="quasi-identifier", unreadable="error",
    )  # fmt: skip
    status_date_precision: pl.String = column(
        "Precision", "To what the date is exact.", vocabulary="date_precision"
    )
    status_day: pl.Int32 = column("Day", "Days since time zero, where a source counts days.", unit="d")
    tumour_related: pl.String = column(
        "Death by the tumour", "Whether the tumour caused it.", vocabulary="yes_no_unknown"
    )
