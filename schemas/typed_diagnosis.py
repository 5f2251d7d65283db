"""Diagnoses with types, and what must hold of them: codes, TNM, grade, size."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column
from schemas.rule import Rule
from schemas.typed_record import FROM_OBDS, REMEDY_SOURCE, Typed, not_after_receipt


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
        what="The tumour size is not between 0.1 and 60 cm; it is not used.",
        remedy="Check the unit (mm for cm) and correct it.",
        source="AJCC 7/8: size in cm",
        column="tumour_size_cm",
        holds=pl.col("tumour_size_cm").is_between(0.1, 60),
        missing="kept",
    ),
    Rule(
        "diagnosis.morphology-malformed",
        "error",
        what="The morphology is not an ICD-O-3 code of the form 8802/3.",
        remedy=REMEDY_SOURCE,
        source="ICD-O-3.2",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains(r"^\d{4}/\d$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.topography-malformed",
        "warning",
        what="The topography is not an ICD-O-3 code of the form C49.2.",
        remedy=REMEDY_SOURCE,
        source="ICD-O-3.2",
        column="icdo3_topography",
        holds=pl.col("icdo3_topography").str.contains(r"^C\d\d(\.\d\d?)?$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.icd10-malformed",
        "warning",
        what="The site is not an ICD-10 code of the form C49.2.",
        remedy=REMEDY_SOURCE,
        source="ICD-10-GM",
        column="icd10_code",
        holds=pl.col("icd10_code").str.contains(r"^[A-Z]\d\d(\.\d{1,2})?$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.site-codes-differ",
        "warning",
        what="ICD-10 and ICD-O-3 name different sites.",
        remedy="Compare both with the report; for soft tissue they share the first three characters.",
        source="ICD-10-GM C49; ICD-O-3.2 C49",
        column="icdo3_topography",
        holds=(pl.col("icd10_code").str.slice(0, 3) == pl.col("icdo3_topography").str.slice(0, 3))
        | (pl.col("icd10_code").str.slice(0, 3) != "C49"),
        missing="kept",
    ),
    Rule(
        "diagnosis.behaviour-against-site",
        "warning",
        what="The tumour is coded as malignant (ICD-10 chapter C) with a morphology that is not.",
        remedy="Check the last digit of the morphology: /3 is malignant.",
        source="ICD-O-3.2 behaviour code",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains("/[36]$") | ~pl.col("icd10_code").str.starts_with("C"),
        missing="kept",
    ),
    Rule(
        "diagnosis.age-implausible",
        "warning",
        what="The age at diagnosis is not between 0 and 110 years.",
        remedy="Check the age, or the dates of birth and diagnosis.",
        column="age_at_diagnosis_years",
        holds=pl.col("age_at_diagnosis_years").is_between(0, 110),
        missing="kept",
    ),
    Rule(
        "diagnosis.side-missing",
        "notice",
        what="A sarcoma of an extremity has no side.",
        remedy="Add Seitenlokalisation.",
        source="oBDS 3.0.4 Seitenlokalisation",
        column="laterality",
        holds=~pl.col("icdo3_topography").is_in(["C49.1", "C49.2"])
        | pl.col("laterality").is_not_null()
        | ~pl.col("complete")
        | ~FROM_OBDS,
        missing="kept",
    ),
    Rule(
        "diagnosis.side-not-applicable",
        "warning",
        what="A sarcoma of an extremity is documented as having no side.",
        remedy="Correct Seitenlokalisation to left or right.",
        source="oBDS 3.0.4 Seitenlokalisation",
        column="laterality",
        holds=~pl.col("icdo3_topography").is_in(["C49.1", "C49.2"])
        | ~pl.col("laterality").is_in(["midline", "not applicable"]),
        missing="kept",
    ),
    Rule(
        "diagnosis.grades-differ",
        "warning",
        what="Grading and FNCLCC grade of one report differ.",
        remedy="Compare both with the pathology report.",
        source="FNCLCC (Coindre); oBDS Grading",
        column="fnclcc_grade",
        holds=(pl.col("grade") == pl.col("fnclcc_grade").str.strip_prefix("G"))
        | ~pl.col("grade").is_in(["1", "2", "3"])
        | (pl.col("fnclcc_grade") == "GX"),
        missing="kept",
    ),
    Rule(
        "diagnosis.t-unknown-to-edition",
        "warning",
        what="The T category does not exist in the edition: TNM 7 has T1 and T2 for soft tissue sarcoma.",
        remedy="Check category and edition.",
        source="AJCC 7, soft tissue sarcoma",
        column="t_stage",
        holds=~pl.col("t_stage").is_in(["T3", "T4"]) | (pl.col("tnm_edition") != 7),
        missing="kept",
    ),
    Rule(
        "diagnosis.edition-too-early",
        "warning",
        what="The TNM edition did not exist yet at the diagnosis (7 from 2010, 8 from 2017).",
        remedy="Check the edition and the date of diagnosis.",
        source="UICC TNM 7 (2010), 8 (2017)",
        column="tnm_edition",
        holds=(pl.col("diagnosis_date").dt.year() >= 2017)
        | ((pl.col("tnm_edition") == 7) & (pl.col("diagnosis_date").dt.year() >= 2010))
        | (pl.col("tnm_edition") < 7)
        | (pl.col("diagnosis_date").dt.year() < 1977),
        missing="kept",
    ),
    Rule(
        "diagnosis.edition-missing",
        "notice",
        what="A T category is given without the edition of the TNM.",
        remedy="Add the edition: T2 means something else in 7 and in 8.",
        source="AJCC 7/8; oBDS TNM/Version",
        column="tnm_edition",
        holds=pl.col("tnm_edition").is_not_null() | pl.col("t_stage").is_null(),
        missing="kept",
    ),
    Rule(
        "diagnosis.m0-with-metastasis",
        "warning",
        what="The report says M0 and documents a distant metastasis.",
        remedy="Correct M, or move the metastasis to the follow-up report in which it was found.",
        source="AJCC 7/8; oBDS Menge_FM",
        column="m_stage",
        holds=(pl.col("m_stage") != "M0") | ~pl.col("distant_metastasis"),
        missing="kept",
    ),
)


class Diagnosis(DiagnosisColumns, Typed, table="typed.diagnosis", rules=DIAGNOSIS_RULES):
    """What one record says of a primary tumour."""

    complete: pl.Boolean = column(
        "Makes a diagnosis",
        "Whether the record documents the diagnosis itself, or only adds to one (size, depth, grade).",
        nullable=False,
    )
