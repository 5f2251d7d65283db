"""Rules on a tumour's description: one value against another, one source against another."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import diagnoses
from sarcoma_pipeline.quality.rule_registry import Frames, rule, verdicts
from schemas.vocabularies import SARCOMA_MORPHOLOGY

DIAGNOSES_APART_DAYS = 30


@rule(
    "diagnosis.tumour-under-two-ids",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The same tumour (site, morphology, date) is reported under two numbers; it is taken as one.",
    remedy="Merge the tumours in the documentation system.",
    source="oBDS Tumor_ID",
    missing="kept",
)
def _tumour_under_two_ids(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "icd10_code", "icdo3_morphology", "diagnosis_date"]
    several = pl.col("tumour_id").n_unique().over(same) > 1
    first = pl.col("tumour_id").min().over(same)
    return (
        diagnoses(frames)
        .filter(pl.all_horizontal(pl.col(same).is_not_null()))
        .pipe(verdicts, several & (pl.col("tumour_id") != first), "tumour_id")
    )


@rule(
    "diagnosis.t-against-size",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The T category contradicts the tumour size.",
    remedy="Check both; T1 is up to 5 cm.",
    source="AJCC 7 and 8, soft tissue sarcoma of trunk and extremities",
    missing="kept",
)
def _t_against_size(frames: Frames) -> pl.DataFrame:
    sizes = (
        frames["diagnosis"]
        .filter(pl.col("tumour_size_cm").is_between(0.1, 60))
        .group_by("patient_id")
        .agg(size=pl.col("tumour_size_cm").last())
    )
    limit = {7: {"T1": (0.0, 5.0), "T2": (5.0, 60.0)},
             8: {"T1": (0.0, 5.0), "T2": (5.0, 10.0), "T3": (10.0, 15.0), "T4": (15.0, 60.0)}}  # fmt: skip
    fits = pl.lit(True)
    for edition, classes in limit.items():
        for t, (over, up_to) in classes.items():
            here = (pl.col("tnm_edition") == edition) & (pl.col("t_stage") == t)
            inside = (pl.col("size") > over) & (pl.col("size") <= up_to)
            fits = pl.when(here).then(inside).otherwise(fits)
    return diagnoses(frames).join(sizes, on="patient_id").pipe(verdicts, ~fits, "t_stage")


@rule(
    "diagnosis.grade-against-histology",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="Undifferentiated pleomorphic sarcoma is graded G1.",
    remedy="Check histology and grade: it is high-grade by definition.",
    source="FNCLCC; WHO 2020",
    missing="kept",
)
def _grade_against_histology(frames: Frames) -> pl.DataFrame:
    ups = pl.col("icdo3_morphology").str.slice(0, 4).is_in(list(SARCOMA_MORPHOLOGY["UPS"]))
    return verdicts(frames["diagnosis"], ups & (pl.col("fnclcc_grade") == "G1"), "fnclcc_grade")


def _born(frames: Frames) -> pl.DataFrame:
    return (
        frames["person"]
        .filter("master", pl.col("birth_date").is_not_null())
        .group_by("patient_id")
        .agg(born=pl.col("birth_date").min())
    )


@rule(
    "diagnosis.sex-against-site",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The site does not exist in this sex.",
    remedy="Check sex and site.",
    source="ICD-10-GM C51-C58, C60-C63",
    missing="kept",
)
def _sex_against_site(frames: Frames) -> pl.DataFrame:
    sex = frames["person"].filter("master").group_by("patient_id").agg(sex=pl.col("sex").drop_nulls().last())
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
    what="The histology is very unusual at this age "
    "(embryonal rhabdomyosarcoma over 70, UPS under 10 years).",
    remedy="Check histology and date of birth; ask for a reference pathology.",
    source="WHO 2020, soft tissue tumours",
    missing="kept",
)
def _age_against_histology(frames: Frames) -> pl.DataFrame:
    morphology = pl.col("icdo3_morphology").str.slice(0, 4)
    years = (pl.col("diagnosis_date") - pl.col("born")).dt.total_days() / 365.25
    wrong = ((morphology == "8910") & (years > 70)) | (
        morphology.is_in(list(SARCOMA_MORPHOLOGY["UPS"])) & years.is_between(0, 10, closed="left")
    )
    return diagnoses(frames).join(_born(frames), on="patient_id").pipe(verdicts, wrong, "icdo3_morphology")


@rule(
    "diagnosis.dates-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two sources date the same tumour more than 30 days apart; the precedence decides.",
    remedy="Find the date of the biopsy's report.",
    source="design section 5: time zero",
    missing="kept",
)
def _dates_differ(frames: Frames) -> pl.DataFrame:
    tumour = ["patient_id", "icdo3_morphology", "icdo3_topography"]
    known = diagnoses(frames).filter(
        pl.all_horizontal(pl.col(tumour).is_not_null()), pl.col("diagnosis_date_precision") == "day"
    )
    ranked = known.sort(*tumour, pl.col("source") != "oBDS", "record_id")
    apart = (pl.col("diagnosis_date") - pl.col("diagnosis_date").first().over(tumour)).dt.total_days().abs()
    other = pl.col("source") != pl.col("source").first().over(tumour)
    return verdicts(ranked, other & (apart > DIAGNOSES_APART_DAYS), "diagnosis_date")


@rule(
    "diagnosis.histologies-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two reports put the same tumour into different histology groups; the later one counts.",
    remedy="Check whether a reference pathology replaced the first.",
    source="WHO 2020; ICD-O-3.2",
    missing="kept",
)
def _histologies_differ(frames: Frames) -> pl.DataFrame:
    groups = {code: group for group, codes in SARCOMA_MORPHOLOGY.items() for code in codes}
    group = pl.col("icdo3_morphology").str.slice(0, 4).replace_strict(groups, default="others")
    tumour = ["patient_id", "tumour_id"]
    ordered = (
        diagnoses(frames)
        .filter(pl.all_horizontal(pl.col("tumour_id", "icdo3_morphology").is_not_null()))
        .with_columns(group=group)
        .sort(*tumour, "reported_on", "record_id", nulls_last=False)
    )
    return verdicts(ordered, pl.col("group") != pl.col("group").last().over(tumour), "icdo3_morphology")


@rule(
    "diagnosis.grade-conflict",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two sources give different FNCLCC grades; the precedence decides.",
    remedy="Compare with the pathology report.",
    source="FNCLCC (Coindre)",
    missing="kept",
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
    what="The first examination after an R0 resection finds residual tumour at the site.",
    remedy="Check the R status, or whether it is a relapse.",
    source="UICC R classification",
    missing="kept",
)
def _residual_after_r0(frames: Frames) -> pl.DataFrame:
    last = (
        frames["surgery"]
        .filter(pl.all_horizontal(pl.col("patient_id", "surgery_date").is_not_null()))
        .sort("surgery_date", "record_id")
        .group_by("patient_id")
        .agg(operated=pl.col("surgery_date").last(), r=pl.col("residual_status").last())
    )
    first_after = (
        frames["assessment"]
        .join(last.filter(pl.col("r") == "R0"), on="patient_id")
        .filter(pl.col("assessment_date") > pl.col("operated"), pl.col("local_status").is_not_null())
        .sort("assessment_date", "record_id")
        .unique("patient_id", keep="first", maintain_order=True)
    )
    return verdicts(first_after, pl.col("local_status") == "residual", "local_status")
