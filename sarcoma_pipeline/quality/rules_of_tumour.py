"""Rules on the description of a tumour: values compared with each other, and between sources."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.quality.linked_records import births, diagnoses, with_own_tumour
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas import site_codes
from schemas.partial_dates import interval
from schemas.sarcoma_codes import MORPHOLOGIES, histology_group
from schemas.sides import BIRTH, SEX, Side, peers
from schemas.wound_operations import may_resect

DIAGNOSES_APART_DAYS = 30
_UPS = [m.code for m in MORPHOLOGIES if m.group == "UPS"]
_DAYS_PER_YEAR = 365.25


@rule(
    "diagnosis.t-against-size",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The T category does not fit the tumour size (T1 is up to 5 cm; in head and neck, TNM 8, 2 cm).",
    remedy=(
        "Compare TNM/T and TNM/Version in the tumour documentation, and the tumour size in the table, "
        "with the report. Correct the wrong one."
    ),
    source="AJCC 7 and 8, soft tissue sarcoma of trunk and extremities",
    missing="kept",
    sides=(Side("typed.diagnosis", ("tumour_size_cm",), sometimes=True),),
)
def _t_against_size(frames: Frames) -> pl.DataFrame:
    sizes = (
        frames["diagnosis"]
        .filter(pl.col("tumour_size_cm").is_between(0.1, 60))
        .sort(*NEWEST_LAST, nulls_last=False)
        .group_by("patient_id", maintain_order=True)
        .agg(size=pl.col("tumour_size_cm").last())
    )
    site = pl.coalesce("icdo3_topography", "icd10_code")
    fits = site_codes.fits_size(pl.col("t_stage"), pl.col("size"), pl.col("tnm_edition"), pl.col("region"))
    # The size is that of the sarcoma and says nothing about T of the patient's other tumours.
    sarcoma = histology_group(pl.col("icdo3_morphology"), pl.col("morphology_version"), site)
    of_sarcoma = sarcoma.is_not_null() | pl.col("icdo3_morphology").is_null()
    sized = diagnoses(frames).filter(of_sarcoma).join(sizes, on="patient_id")
    # As a column, because the verdict uses it many times.
    return sized.with_columns(region=site_codes.region(site)).pipe(verdicts, ~fits, "t_stage")


@rule(
    "diagnosis.grade-against-histology",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="An undifferentiated pleomorphic sarcoma is graded G1. It is high-grade by definition.",
    remedy=(
        "Compare Morphologie_ICD_O and the FNCLCC grade with the pathology report. Correct the wrong "
        "one where it was documented."
    ),
    source="FNCLCC; WHO 2020",
    missing="kept",
    alone="histology and grade are of one report",
)
def _grade_against_histology(frames: Frames) -> pl.DataFrame:
    ups = pl.col("icdo3_morphology").str.slice(0, 4).is_in(_UPS)
    return verdicts(frames["diagnosis"], ups & (pl.col("fnclcc_grade") == "G1"), "fnclcc_grade")


@rule(
    "diagnosis.sex-against-site",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The site does not exist in the patient's sex.",
    remedy=("In the tumour documentation, compare Primaertumor_ICD with Geschlecht. Correct the wrong one."),
    source="ICD-10-GM C51-C58, C60-C63",
    missing="kept",
    sides=(SEX,),
)
def _sex_against_site(frames: Frames) -> pl.DataFrame:
    sex = (
        frames["person"]
        .filter("master")
        .sort(*NEWEST_LAST, nulls_last=False)
        .group_by("patient_id", maintain_order=True)
        .agg(sex=pl.col("sex").drop_nulls().last())
    )
    group = pl.col("icd10_code").str.slice(0, 3)
    wrong = ((pl.col("sex") == "male") & group.is_between(pl.lit("C51"), pl.lit("C58"))) | (
        (pl.col("sex") == "female") & group.is_between(pl.lit("C60"), pl.lit("C63"))
    )
    return frames["diagnosis"].join(sex, on="patient_id").pipe(verdicts, wrong, "icd10_code")


@rule(
    "diagnosis.age-against-histology",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what=("The histology is very rare at this age (embryonal rhabdomyosarcoma over 70 years, UPS under 10)."),
    remedy=(
        "In the tumour documentation, compare Morphologie_ICD_O with the pathology report, and "
        "Geburtsdatum. If both are right, ask for a reference pathology."
    ),
    source="WHO 2020, soft tissue tumours",
    missing="kept",
    sides=(BIRTH.at_times(),),
)
def _age_against_histology(frames: Frames) -> pl.DataFrame:
    morphology = pl.col("icdo3_morphology").str.slice(0, 4)
    days = (pl.col("diagnosis_date") - pl.col("born")).dt.total_days()
    # In days, not divided: polars divides a column by a number in another way if there is one row.
    wrong = ((morphology == "8910") & (days > 70 * _DAYS_PER_YEAR)) | (
        morphology.is_in(_UPS) & days.is_between(0, 10 * _DAYS_PER_YEAR, closed="left")
    )
    return diagnoses(frames).join(births(frames), on="patient_id").pipe(verdicts, wrong, "icdo3_morphology")


@rule(
    "diagnosis.dates-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what=(
        "Two sources date the same tumour more than 30 days apart. The precedence in sources.toml decides."
    ),
    remedy=(
        "Compare both dates of diagnosis with the report of the first biopsy. Correct the date in the "
        "source that is wrong."
    ),
    source="docs/architecture.md, endpoints: time zero",
    missing="kept",
    overruled=True,
    sides=peers(),
)
def _dates_differ(frames: Frames) -> pl.DataFrame:
    tumour = ["patient_id", "icdo3_morphology", "icdo3_topography"]
    first, last = interval(pl.col("diagnosis_date"), pl.col("diagnosis_date_precision"))
    known = diagnoses(frames).filter(pl.all_horizontal(pl.col(tumour).is_not_null()))
    ranked = known.with_columns(_first=first, _last=last).sort(
        *tumour, pl.col("source") != "oBDS", "diagnosis_date", "record_id"
    )
    # Partial dates are as far apart as the nearest days that they may mean.
    apart = pl.max_horizontal(
        (pl.col("_first") - pl.col("_last").first().over(tumour)).dt.total_days(),
        (pl.col("_first").first().over(tumour) - pl.col("_last")).dt.total_days(),
    )
    other = pl.col("source") != pl.col("source").first().over(tumour)
    return verdicts(ranked, other & (apart > DIAGNOSES_APART_DAYS), "diagnosis_date")


@rule(
    "diagnosis.rows-differ",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="Two rows of tables give a patient different dates of diagnosis. A row has no number of the tumour: "
    "they are taken for one tumour, and its earliest date counts.",
    remedy="If the patient was listed twice, correct or remove one of the rows. If there were two tumours, "
    "keep the row of the one that the study is about, or deliver both with the tumour documentation.",
    source="docs/architecture.md, endpoints: time zero",
    sides=peers(),
)
def _rows_differ(frames: Frames) -> pl.DataFrame:
    """Judge all rows but the earliest."""
    rows = frames["diagnosis"].filter(
        "complete", pl.col("patient_id").is_not_null(), pl.col("source") == "table",
        pl.col("tumour_id").is_null(),
    )  # fmt: skip
    first, last = interval(pl.col("diagnosis_date"), pl.col("diagnosis_date_precision"))
    day = pl.col("diagnosis_day")
    later = [
        (one > least.min().over("patient_id")).fill_null(False) for one, least in ((first, last), (day, day))
    ]
    return rows.filter(pl.any_horizontal(later)).select("record_id", *at("diagnosis_date"))


@rule(
    "diagnosis.grade-conflict",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what=("Two sources give different FNCLCC grades of the tumour. The precedence in sources.toml decides."),
    remedy=(
        "Compare Weitere_Klassifikation (FNCLCC) in the tumour documentation and the grade in the table"
        " with the pathology report. Correct the wrong one."
    ),
    source="FNCLCC (Coindre)",
    missing="kept",
    overruled=True,
    sides=peers(),
)
def _grade_conflict(frames: Frames) -> pl.DataFrame:
    graded = frames["diagnosis"].filter(
        pl.col("patient_id").is_not_null(), pl.col("fnclcc_grade").is_in(["G1", "G2", "G3"])
    )
    file = graded.filter(pl.col("source") == "oBDS").group_by("patient_id").agg(said="fnclcc_grade")
    return (
        graded.filter(pl.col("source") != "oBDS")
        .join(file, on="patient_id")
        .pipe(verdicts, ~pl.col("fnclcc_grade").is_in(pl.col("said")), "fnclcc_grade")
    )


@rule(
    "surgery.residual-against-follow-up",
    "warning",
    on="typed.assessment",
    scope="patient",
    what=("The last resection is R0, but the first examination after it finds residual tumour at the site."),
    remedy=(
        "In the tumour documentation, compare Lokale_Beurteilung_Residualstatus with "
        "Verlauf_Lokaler_Tumorstatus. Correct the residual status, or code the finding as relapse (R)."
    ),
    source="UICC R classification",
    missing="kept",
    sides=(Side("typed.surgery", ("residual_status", "surgery_date")),),
)
def _residual_after_r0(frames: Frames) -> pl.DataFrame:
    tumour = ["patient_id", "own_tumour"]
    last = (
        with_own_tumour(frames, frames["surgery"])
        .filter(pl.all_horizontal(pl.col("patient_id", "surgery_date").is_not_null()), may_resect())
        .sort("surgery_date", *NEWEST_LAST, nulls_last=False)
        .group_by(tumour, maintain_order=True)
        .agg(operated=pl.col("surgery_date").last(), r=pl.col("residual_status").last())
    )
    told = frames["assessment"].filter(pl.col("local_status").is_not_null())
    told = told.select("patient_id", "tumour_id", "assessment_date", "local_status", *NEWEST_LAST)
    first_after = (
        with_own_tumour(frames, told)
        .join(last.filter(pl.col("r") == "R0"), on=tumour, nulls_equal=True)
        .filter(pl.col("assessment_date") > pl.col("operated"))
        .sort("assessment_date", *NEWEST_LAST, nulls_last=False)
        .unique(tumour, keep="first", maintain_order=True)
    )
    return verdicts(first_after, pl.col("local_status") == "residual", "local_status")


@rule(
    "surgery.missing",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="A pathological T category (pT) is documented, but the patient has no operation other than for "
    "diagnosis. The patient counts as not resected.",
    remedy="In the tumour documentation, add the OP from which the specimen came. If there was none, the T "
    "category is a clinical one: correct its prefix.",
    source="UICC: pT needs a resection",
    alone="the operation is not documented",
)
def _surgery_missing(frames: Frames) -> pl.DataFrame:
    operated = frames["every surgery"].filter(
        pl.col("patient_id").is_not_null(), pl.col("intent").ne_missing("diagnostic")
    )
    examined = pl.col("t_stage").is_not_null() & (pl.col("t_prefix") == "p")
    return (
        frames["diagnosis"]
        .filter(pl.col("patient_id").is_not_null(), examined, ~pl.col("by_autopsy").fill_null(False))
        .join(operated, on="patient_id", how="anti")
        .sort(*NEWEST_LAST, nulls_last=False)
        .unique("patient_id", keep="last", maintain_order=True)
        .select("record_id", *at("t_stage"))
    )
