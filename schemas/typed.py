"""Records with types: one row per received record and entity, before sources are reconciled.

A column that is delivered as text and cannot be read becomes null here and a finding
(``value.date-unreadable`` …) of the severity that the column declares as ``unreadable``.
A time is a date with its precision, or a day counted from the diagnosis: a source that knows only days
(``*_day``) never gets an invented calendar date.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, Rule, column
from schemas.reading import REMEDY_SOURCE, Typed, not_after_receipt
from schemas.typed_treatment import (
    Radiotherapy,
    RadiotherapyColumns,
    Surgery,
    SurgeryColumns,
    SystemicTherapy,
    SystemicTherapyColumns,
)

__all__ = [
    "Assessment",
    "AssessmentColumns",
    "Diagnosis",
    "DiagnosisColumns",
    "Person",
    "PersonColumns",
    "Radiotherapy",
    "RadiotherapyColumns",
    "Surgery",
    "SurgeryColumns",
    "SystemicTherapy",
    "SystemicTherapyColumns",
    "VitalStatus",
]


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


_FROM_OBDS = pl.col("source") == "oBDS"
"""oBDS demands it; a table may leave it out."""

PERSON_RULES = (
    not_after_receipt("birth_date"),
    Rule(
        "person.birth-implausible",
        "warning",
        "The person would be older than 115 years.",
        "Check the year of birth.",
        column="birth_date",
        holds=(pl.col("received_on") - pl.col("birth_date")).dt.total_days() <= 115 * 366,
    ),
    Rule(
        "person.birth-date-missing",
        "warning",
        "The patient file has no date of birth: neither age nor identity can be checked.",
        REMEDY_SOURCE,
        source="oBDS 3.0.4 Patienten_Stammdaten/Geburtsdatum",
        column="birth_date",
        holds=pl.col("birth_date").is_not_null() | ~pl.col("master") | ~_FROM_OBDS,
    ),
    Rule(
        "person.sex-unknown",
        "notice",
        "The patient file does not say the sex.",
        REMEDY_SOURCE,
        source="oBDS 3.0.4 Patienten_Stammdaten/Geschlecht",
        column="sex",
        holds=(pl.col("sex") != "unknown").fill_null(False) | ~pl.col("master") | ~_FROM_OBDS,
    ),
)


class Person(PersonColumns, Typed, table="typed.person", rules=PERSON_RULES):
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
    Rule(
        "diagnosis.icd10-malformed",
        "warning",
        "The site is not an ICD-10 code of the form C49.2.",
        REMEDY_SOURCE,
        source="ICD-10-GM",
        column="icd10_code",
        holds=pl.col("icd10_code").str.contains(r"^[A-Z]\d\d(\.\d{1,2})?$"),
    ),
    Rule(
        "diagnosis.site-codes-differ",
        "warning",
        "ICD-10 and ICD-O-3 name different sites.",
        "Compare both with the report; for soft tissue they share the first three characters.",
        source="ICD-10-GM C49; ICD-O-3.2 C49",
        column="icdo3_topography",
        holds=(pl.col("icd10_code").str.slice(0, 3) == pl.col("icdo3_topography").str.slice(0, 3))
        | (pl.col("icd10_code").str.slice(0, 3) != "C49"),
    ),
    Rule(
        "diagnosis.behaviour-against-site",
        "warning",
        "The tumour is coded as malignant (ICD-10 chapter C) with a morphology that is not.",
        "Check the last digit of the morphology: /3 is malignant.",
        source="ICD-O-3.2 behaviour code",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains("/[36]$") | ~pl.col("icd10_code").str.starts_with("C"),
    ),
    Rule(
        "diagnosis.age-implausible",
        "warning",
        "The age at diagnosis is not between 0 and 110 years.",
        "Check the age, or the dates of birth and diagnosis.",
        column="age_at_diagnosis_years",
        holds=pl.col("age_at_diagnosis_years").is_between(0, 110),
    ),
    Rule(
        "diagnosis.side-missing",
        "notice",
        "A sarcoma of an extremity has no side.",
        "Add Seitenlokalisation.",
        source="oBDS 3.0.4 Seitenlokalisation",
        column="laterality",
        holds=~pl.col("icdo3_topography").is_in(["C49.1", "C49.2"])
        | pl.col("laterality").is_not_null()
        | ~pl.col("complete")
        | ~_FROM_OBDS,
    ),
    Rule(
        "diagnosis.side-not-applicable",
        "warning",
        "A sarcoma of an extremity is documented as having no side.",
        "Correct Seitenlokalisation to left or right.",
        source="oBDS 3.0.4 Seitenlokalisation",
        column="laterality",
        holds=~pl.col("icdo3_topography").is_in(["C49.1", "C49.2"])
        | ~pl.col("laterality").is_in(["midline", "not applicable"]),
    ),
    Rule(
        "diagnosis.grades-differ",
        "warning",
        "Grading and FNCLCC grade of one report differ.",
        "Compare both with the pathology report.",
        source="FNCLCC (Coindre); oBDS Grading",
        column="fnclcc_grade",
        holds=(pl.col("grade") == pl.col("fnclcc_grade").str.strip_prefix("G"))
        | ~pl.col("grade").is_in(["1", "2", "3"])
        | (pl.col("fnclcc_grade") == "GX"),
    ),
    Rule(
        "diagnosis.t-unknown-to-edition",
        "warning",
        "The T category does not exist in the edition: TNM 7 has T1 and T2 for soft tissue sarcoma.",
        "Check category and edition.",
        source="AJCC 7, soft tissue sarcoma",
        column="t_stage",
        holds=~pl.col("t_stage").is_in(["T3", "T4"]) | (pl.col("tnm_edition") != 7),
    ),
    Rule(
        "diagnosis.edition-too-early",
        "warning",
        "The TNM edition did not exist yet at the diagnosis (7 from 2010, 8 from 2017).",
        "Check the edition and the date of diagnosis.",
        source="UICC TNM 7 (2010), 8 (2017)",
        column="tnm_edition",
        holds=(pl.col("diagnosis_date").dt.year() >= 2017)
        | ((pl.col("tnm_edition") == 7) & (pl.col("diagnosis_date").dt.year() >= 2010))
        | (pl.col("tnm_edition") < 7)
        | (pl.col("diagnosis_date").dt.year() < 1977),
    ),
    Rule(
        "diagnosis.edition-missing",
        "notice",
        "A T category is given without the edition of the TNM.",
        "Add the edition: T2 means something else in 7 and in 8.",
        source="AJCC 7/8; oBDS TNM/Version",
        column="tnm_edition",
        holds=pl.col("tnm_edition").is_not_null() | pl.col("t_stage").is_null(),
    ),
    Rule(
        "diagnosis.m0-with-metastasis",
        "warning",
        "The report says M0 and documents a distant metastasis.",
        "Correct M, or move the metastasis to the follow-up report in which it was found.",
        source="AJCC 7/8; oBDS Menge_FM",
        column="m_stage",
        holds=(pl.col("m_stage") != "M0") | ~pl.col("distant_metastasis"),
    ),
)


class Diagnosis(DiagnosisColumns, Typed, table="typed.diagnosis", rules=DIAGNOSIS_RULES):
    """What one record says of a primary tumour."""

    complete: pl.Boolean = column(
        "Makes a diagnosis",
        "Whether the record documents the diagnosis itself, or only adds to one (size, depth, grade).",
        nullable=False,
    )


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


_SITES = pl.col("local_status", "regional_status", "distant_status")
_FOUND = ["relapse", "progression"]

ASSESSMENT_RULES = (
    not_after_receipt("assessment_date"),
    not_after_receipt("distant_date"),
    Rule(
        "assessment.says-nothing",
        "notice",
        "The examination says nothing of the disease: it does not count as follow-up.",
        "Add the status from the letter.",
        source="oBDS 3.0.4 Verlauf",
        column="assessment_date",
        holds=pl.any_horizontal(_SITES.is_not_null())
        | pl.col("overall_status").is_not_null()
        | pl.col("distant_date").is_not_null(),
    ),
    Rule(
        "assessment.remission-with-relapse",
        "warning",
        "The overall status is complete remission, a single status relapse or progression.",
        "Check the codes: R is relapse locally, and a remission in Gesamtbeurteilung_Tumorstatus.",
        source="oBDS 3.0.4: the same letters mean different things",
        column="overall_status",
        holds=(pl.col("overall_status") != "complete remission") | ~pl.any_horizontal(_SITES.is_in(_FOUND)),
    ),
    Rule(
        "assessment.relapse-without-site",
        "warning",
        "The overall status is relapse and no site is said: it counts for DFS only.",
        "Say where: local, regional or distant.",
        source="design section 5; oBDS 3.0.4 Verlauf",
        column="overall_status",
        holds=(pl.col("overall_status") != "relapse")
        | pl.any_horizontal(_SITES.is_in(_FOUND)).fill_null(False)
        | pl.col("distant_date").is_not_null(),
    ),
    Rule(
        "assessment.metastasis-against-status",
        "warning",
        "A metastasis is documented and the distant status is free of tumour.",
        "Correct one of them.",
        source="oBDS 3.0.4 Menge_FM",
        column="distant_status",
        holds=(pl.col("distant_status") != "no tumour") | pl.col("distant_date").is_null(),
    ),
    Rule(
        "assessment.metastasis-after-report",
        "warning",
        "The metastasis is dated after the examination that documents it.",
        "Correct one of the dates.",
        column="distant_date",
        holds=(pl.col("distant_date") <= pl.col("assessment_date"))
        | (pl.col("distant_date_precision") != "day"),
    ),
)


class Assessment(AssessmentColumns, Typed, table="typed.assessment", rules=ASSESSMENT_RULES):
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
        Rule(
            "vital-status.date-missing",
            "warning",
            "The person is said to be alive or to have moved, and not when: it cannot be used.",
            "Ask for the day of the statement.",
            source="sources.md section 1",
            column="status_date",
            holds=~pl.col("status").is_in(["alive", "moved"])
            | pl.col("status_date").is_not_null()
            | pl.col("status_day").is_not_null(),
        ),
        Rule(
            "vital-status.day-negative",
            "warning",
            "The person is said to be alive on a day before time zero.",
            "Check from where the source counts its days.",
            column="status_day",
            holds=(pl.col("status_day") >= 0) | (pl.col("status") == "deceased"),
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
