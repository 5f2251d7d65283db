"""Contracts and rules of typed diagnoses: codes, TNM, grade, size."""

from __future__ import annotations

import polars as pl

from schemas import code_lists
from schemas.contract import Contract, TextList, column
from schemas.rule import Rule
from schemas.site_codes import region
from schemas.typed_record import FROM_OBDS, Typed, not_after_delivery


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
    morphology_version: pl.String = column(
        "Version of the morphology",
        "oBDS: 31 is ICD-O-3 of 2003, 32 its revision of 2014, 33 ICD-O-3.2 of 2019, bb the WHO blue books.",
        listed=code_lists.MORPHOLOGY_VERSION,
    )
    morphologies: TextList = column(
        "All morphologies", "Every ICD-O-3 morphology given, the chosen one among them."
    )
    laterality: pl.String = column("Side", "Side of a paired site.", vocabulary="laterality")
    histologically_confirmed: pl.String = column(
        "Histologically proven", "Whether the diagnosis rests on histology.", vocabulary="yes_no_unknown"
    )
    t_stage: pl.String = column(
        "T category", "Primary tumour, in the source's edition.", vocabulary="t_stage"
    )
    t_prefix: pl.String = column("Prefix of T", "How it was found.", vocabulary="tnm_prefix")
    t_suffix: pl.String = column("Suffix of T", "What qualifies it, as delivered: (m), mi …")
    n_stage: pl.String = column("N category", "Regional lymph nodes.", vocabulary="n_stage")
    n_prefix: pl.String = column("Prefix of N", "How it was found.", vocabulary="tnm_prefix")
    n_suffix: pl.String = column("Suffix of N", "What qualifies it, as delivered: (sn), (i+), mi …")
    m_stage: pl.String = column("M category", "Distant metastasis at diagnosis.", vocabulary="m_stage")
    m_prefix: pl.String = column("Prefix of M", "How it was found.", vocabulary="tnm_prefix")
    m_suffix: pl.String = column("Suffix of M", "What qualifies it, as delivered: (i+) …")
    m_symbol: pl.String = column(
        "m symbol", "Several primaries in one region: m, or their number.", listed=code_lists.MULTIPLICITY
    )
    tnm_edition: pl.Int32 = column("TNM edition", "Edition of the TNM/AJCC classification.")
    grade: pl.String = column(
        "Grading", "oBDS grading as delivered: 1-4, L, M, H …", listed=code_lists.GRADING
    )
    fnclcc_grade: pl.String = column("FNCLCC grade", "Coindre: G1 to G3.", vocabulary="fnclcc_grade")
    tumour_size_cm: pl.Float64 = column("Tumour size", "Greatest diameter.", unit="cm")
    tumour_depth: pl.String = column(
        "Depth", "Above or below the superficial fascia.", vocabulary="tumour_depth"
    )
    distant_metastasis: pl.Boolean = column(
        "Distant metastasis at diagnosis", "M1, or metastases documented with the diagnosis."
    )


class ReportColumns(Contract):
    """Columns that describe a report on a tumour."""

    origin: pl.String = column("Origin", "Kind of report.", nullable=False, vocabulary="report_origin")
    report_date: pl.Date = column(
        "Day of the report",
        "Day of the histology, else of the TNM, of the operation or of the examination.",
        identifying="quasi-identifier",
    )
    report_date_precision: pl.String = column(
        "Precision of the day of the report", "To what it is exact.", vocabulary="date_precision"
    )
    tnm_kind: pl.String = column("Kind of TNM", "cTNM, pTNM or TNM, as the report names it.")
    after_therapy: pl.Boolean = column("y symbol", "Whether the TNM was found during or after therapy (y).")
    of_relapse: pl.Boolean = column("r symbol", "Whether the TNM is that of a relapse (r).")
    by_autopsy: pl.Boolean = column("a symbol", "Whether the TNM was found by autopsy (a).")
    residual_status: pl.String = column(
        "Residual status", "Local R classification of the pathology report.", vocabulary="residual_status"
    )


_GRADES = {
    "1": ["G1"], "2": ["G2"], "3": ["G3"], "4": ["G3"], "L": ["G1", "G2"], "M": ["G2", "G3"],
    "H": ["G2", "G3"],
}  # fmt: skip
"""oBDS Grading to the FNCLCC grades that agree with it. L is G1 or G2, M is G2 or G3; in two tiers a sarcoma
of FNCLCC grade 2 is high grade."""

DIAGNOSIS_RULES = (
    *not_after_delivery("diagnosis_date", partial=True),
    Rule(
        "diagnosis.report-undated",
        "notice",
        what="A pathology report has no date. After an operation it counts as the report of the specimen, "
        "otherwise as one before any therapy unless the TNM has a y.",
        remedy="In the tumour documentation, add Tumor_Histologiedatum to the Pathologie.",
        source="oBDS 3.0.4 Pathologie/Histologie/Tumor_Histologiedatum",
        column="report_date",
        holds=(pl.col("origin") != "pathology") | pl.col("report_date").is_not_null(),
        missing="kept",
    ),
    Rule(
        "diagnosis.size-implausible",
        "warning",
        what="The tumour size is not between 0.1 and 60 cm. It is not used.",
        remedy=(
            "In the table or system that sent the record, check the unit (mm instead of cm) and correct"
            " the size."
        ),
        source="AJCC 7/8: size in cm",
        column="tumour_size_cm",
        holds=pl.col("tumour_size_cm").is_between(0.1, 60),
        missing="kept",
    ),
    Rule(
        "diagnosis.morphology-malformed",
        "error",
        what="The morphology is not an ICD-O-3 code of the form 8802/3.",
        remedy=(
            "In the tumour documentation, correct Morphologie_ICD_O: four digits, a slash and the behaviour."
        ),
        source="ICD-O-3.2",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains(r"^\d{4}/\d$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.several-morphologies",
        "warning",
        what="One report gives several morphologies. The most specific malignant one is used.",
        remedy="In the tumour documentation, keep only the final diagnosis in Morphologie_ICD_O.",
        source="WHO 2020; ICD-O-3.2",
        column="morphologies",
        holds=pl.col("morphologies").list.n_unique() <= 1,
        missing="kept",
    ),
    Rule(
        "diagnosis.topography-malformed",
        "warning",
        what="The topography is not an ICD-O-3 code of the form C49.2.",
        remedy=(
            "In the tumour documentation, correct Primaertumor_Topographie_ICD_O: C, two digits, and a "
            "digit after the point."
        ),
        source="ICD-O-3.2",
        column="icdo3_topography",
        holds=pl.col("icdo3_topography").str.contains(r"^C\d\d(\.\d\d?)?$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.icd10-malformed",
        "warning",
        what="The site is not an ICD-10 code of the form C49.2.",
        remedy="In the tumour documentation, correct Primaertumor_ICD.",
        source="ICD-10-GM",
        column="icd10_code",
        holds=pl.col("icd10_code").str.contains(r"^[A-Z]\d\d(\.\d{1,2})?$"),
        missing="kept",
    ),
    Rule(
        "diagnosis.site-codes-differ",
        "warning",
        what=(
            "The ICD-10 code is C49, but the ICD-O-3 topography names another site, or another region of the "
            "body (limbs, trunk, head and neck). The topography counts."
        ),
        remedy=(
            "In the tumour documentation, compare Primaertumor_ICD and Primaertumor_Topographie_ICD_O "
            "with the pathology report. For soft tissue both name the same site."
        ),
        source="ICD-10-GM C49; ICD-O-3.2 C49",
        column="icdo3_topography",
        holds=(pl.col("icd10_code").str.slice(0, 3) != "C49")
        | (
            (pl.col("icd10_code").str.slice(0, 3) == pl.col("icdo3_topography").str.slice(0, 3))
            & pl.any_horizontal(
                region(pl.col("icd10_code")) == region(pl.col("icdo3_topography")),
                region(pl.col("icd10_code")) == "unspecified",
                region(pl.col("icdo3_topography")) == "unspecified",
            )
        ),
        missing="kept",
    ),
    Rule(
        "diagnosis.behaviour-against-site",
        "warning",
        what=(
            "The ICD-10 code is malignant (chapter C), but the behaviour of the morphology is neither "
            "/3 nor /6."
        ),
        remedy=(
            "In the tumour documentation, compare the last digit of Morphologie_ICD_O with the "
            "pathology report. If the tumour is not malignant, correct Primaertumor_ICD."
        ),
        source="ICD-O-3.2 behaviour code",
        column="icdo3_morphology",
        holds=pl.col("icdo3_morphology").str.contains("/[36]$") | ~pl.col("icd10_code").str.starts_with("C"),
        missing="kept",
    ),
    Rule(
        "diagnosis.age-implausible",
        "warning",
        what="The age at diagnosis is not between 0 and 110 years.",
        remedy=(
            "In the table that sent the record, check the age, or the dates of birth and diagnosis that"
            " it was computed from."
        ),
        column="age_at_diagnosis_years",
        holds=pl.col("age_at_diagnosis_years").is_between(0, 110),
        missing="kept",
    ),
    Rule(
        "diagnosis.side-missing",
        "notice",
        what="The sarcoma of an extremity has no side.",
        remedy="In the tumour documentation, add Seitenlokalisation (L or R).",
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
        what="The sarcoma of an extremity is documented as having no side.",
        remedy="In the tumour documentation, correct Seitenlokalisation to L or R.",
        source="oBDS 3.0.4 Seitenlokalisation",
        column="laterality",
        holds=~pl.col("icdo3_topography").is_in(["C49.1", "C49.2"])
        | ~pl.col("laterality").is_in(["midline", "not applicable"]),
        missing="kept",
    ),
    Rule(
        "diagnosis.grades-differ",
        "warning",
        what="Grading and FNCLCC grade of the same report differ.",
        remedy=(
            "In the tumour documentation, compare Histologie/Grading and Weitere_Klassifikation "
            "(FNCLCC) with the pathology report. Correct the wrong one."
        ),
        source="FNCLCC (Coindre); oBDS Grading",
        column="fnclcc_grade",
        holds=pl.any_horizontal(
            (pl.col("grade") == grading) & pl.col("fnclcc_grade").is_in(grades)
            for grading, grades in _GRADES.items()
        )
        | ~pl.col("grade").is_in(list(_GRADES))
        | (pl.col("fnclcc_grade") == "GX"),
        missing="kept",
    ),
    Rule(
        "diagnosis.t-unknown-to-edition",
        "warning",
        what="TNM 6 and 7 have no T3 or T4 for soft tissue sarcoma.",
        remedy=(
            "In the tumour documentation, compare TNM/T and TNM/Version with the report. Correct the "
            "category or the edition."
        ),
        source="AJCC 7, soft tissue sarcoma",
        column="t_stage",
        holds=~pl.col("t_stage").is_in(["T3", "T4"]) | (pl.col("tnm_edition") >= 8),
        missing="kept",
    ),
    Rule(
        "diagnosis.edition-too-early",
        "warning",
        what="The TNM edition was published after the diagnosis (edition 7: 2010, edition 8: 2017).",
        remedy=(
            "In the tumour documentation, compare TNM/Version with Diagnosedatum. Correct the wrong one."
        ),
        source="UICC TNM 7 (2010), 8 (2017)",
        column="tnm_edition",
        holds=(pl.col("diagnosis_date").dt.year() >= 2017)
        | ((pl.col("tnm_edition") == 7) & (pl.col("diagnosis_date").dt.year() >= 2010))
        | (pl.col("tnm_edition") < 7)
        | (pl.col("diagnosis_date").dt.year() < 1977),
        missing="kept",
    ),
    Rule(
        "diagnosis.edition-unknown",
        "warning",
        what="There is no such TNM edition. The T category is read as one of edition 8 if the number is "
        "above 7, else as one of edition 7.",
        remedy="In the tumour documentation, correct TNM/Version, or the column of the table.",
        source="oBDS 3.0.4 TNM_Typ: 6 to 9; UICC TNM 4 (1987), 5 (1997)",
        column="tnm_edition",
        holds=pl.col("tnm_edition").is_between(4, 9),
        missing="kept",
    ),
    Rule(
        "diagnosis.edition-missing",
        "notice",
        what="The T category has no TNM edition. T2 means different sizes in editions 7 and 8.",
        remedy="In the tumour documentation, add TNM/Version.",
        source="AJCC 7/8; oBDS TNM/Version",
        column="tnm_edition",
        holds=pl.col("tnm_edition").is_not_null() | pl.col("t_stage").is_null(),
        missing="kept",
    ),
    Rule(
        "diagnosis.m0-with-metastasis",
        "warning",
        what="The report states M0, but documents a distant metastasis.",
        remedy=(
            "In the tumour documentation, correct TNM/M to 1. If the metastasis was found later, move "
            "it from Menge_FM to the Verlauf that found it."
        ),
        source="AJCC 7/8; oBDS Menge_FM",
        column="m_stage",
        holds=(pl.col("m_stage") != "M0") | ~pl.col("distant_metastasis"),
        missing="kept",
    ),
)


class Diagnosis(DiagnosisColumns, ReportColumns, Typed, table="typed.diagnosis", rules=DIAGNOSIS_RULES):
    """Statements of one record on a tumour in one TNM; a second TNM of the record is another row."""

    complete: pl.Boolean = column(
        "Makes a diagnosis",
        "Whether the record documents the diagnosis itself, or only adds to one (size, depth, grade).",
        nullable=False,
    )
