"""Rules on the order of a patient's dates."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.judging import Frames, at, deaths, diagnoses, judges, sarcomas
from schemas import rules, rules_radiotherapy

FOLLOW_UP_GAP_DAYS = 3 * 365
SURGERY_MARGIN_DAYS = 90
"""A resection shortly before the biopsy's report is met; one a quarter earlier is a typing error."""


@judges(rules.BEFORE_BIRTH, "diagnosis")
def _diagnosis_before_birth(frames: Frames) -> pl.DataFrame:
    born = frames["person"].filter("master").group_by("patient_id").agg(born=pl.col("birth_date").min())
    return (
        diagnoses(frames)
        .join(born, on="patient_id")
        .filter(pl.col("diagnosis_date") < pl.col("born"))
        .select("record_id", *at("diagnosis_date"))
    )


@judges(rules.SURGERY_BEFORE_DIAGNOSIS, "surgery")
def _surgery_before_diagnosis(frames: Frames) -> pl.DataFrame:
    early = pl.col("surgery_date") < pl.col("zero").dt.offset_by(f"-{SURGERY_MARGIN_DAYS}d")
    return (
        frames["surgery"]
        .join(sarcomas(frames), on="patient_id")
        .filter(early, pl.col("zero_precision") == "day")
        .select("record_id", *at("surgery_date"))
    )


@judges(rules.PROGRESSION_UNDER_TREATMENT, "assessment")
def _progression_under_treatment(frames: Frames) -> pl.DataFrame:
    status = pl.any_horizontal(
        pl.col("local_status", "regional_status", "distant_status").is_in(["relapse", "progression"])
    )
    courses = frames["radiotherapy"].select("patient_id", "start_date", "end_date").drop_nulls()
    first = (
        frames["assessment"]
        .filter(status, pl.col("patient_id").is_not_null())
        .sort("assessment_date", "record_id")
        .unique("patient_id", keep="first", maintain_order=True)
    )
    return (
        first.join(courses, on="patient_id")
        .filter(pl.col("assessment_date").is_between(pl.col("start_date"), pl.col("end_date")))
        .select("record_id", *at("assessment_date"))
    )


@judges(rules.AFTER_DEATH, "assessment")
def _assessment_after_death(frames: Frames) -> pl.DataFrame:
    return (
        frames["assessment"]
        .join(deaths(frames), on="patient_id")
        .filter(
            (pl.col("assessment_date") > pl.col("died")) | (pl.col("assessment_day") > pl.col("death_day"))
        )
        .select("record_id", *at("assessment_date"))
    )


@judges(rules.DEATH_BEFORE_DIAGNOSIS, "vital_status")
def _death_before_diagnosis(frames: Frames) -> pl.DataFrame:
    early = (pl.col("status_date") < pl.col("zero")) & (pl.col("status_date_precision") == "day")
    return (
        frames["vital_status"]
        .filter(pl.col("status") == "deceased")
        .join(sarcomas(frames), on="patient_id", how="left")
        .filter(early.fill_null(False) | (pl.col("status_day") < 0).fill_null(False))
        .select("record_id", *at("status_date"))
    )


def _after_death(frame: pl.DataFrame, frames: Frames, date: str, day: str) -> pl.DataFrame:
    late = (pl.col(date) > pl.col("died")) | (pl.col(day) > pl.col("death_day"))
    return frame.join(deaths(frames), on="patient_id").filter(late).select("record_id", *at(date))


@judges(rules.SURGERY_AFTER_DEATH, "surgery")
def _surgery_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["surgery"], frames, "surgery_date", "surgery_day")


@judges(rules.RADIOTHERAPY_AFTER_DEATH, "radiotherapy")
def _radiotherapy_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["radiotherapy"], frames, "start_date", "start_day")


@judges(rules.SYSTEMIC_AFTER_DEATH, "systemic_therapy")
def _systemic_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["systemic_therapy"], frames, "start_date", "start_day")


def _before_diagnosis(frame: pl.DataFrame, frames: Frames, date: str, margin_days: int = 0) -> pl.DataFrame:
    early = pl.col(date) < pl.col("zero").dt.offset_by(f"-{margin_days}d")
    return (
        frame.join(sarcomas(frames), on="patient_id")
        .filter(early, pl.col("zero_precision") == "day")
        .select("record_id", *at(date))
    )


@judges(rules_radiotherapy.RADIOTHERAPY_BEFORE_DIAGNOSIS, "radiotherapy")
def _radiotherapy_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["radiotherapy"], frames, "start_date")


@judges(rules.SYSTEMIC_BEFORE_DIAGNOSIS, "systemic_therapy")
def _systemic_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["systemic_therapy"], frames, "start_date", SURGERY_MARGIN_DAYS)


@judges(rules.ASSESSMENT_BEFORE_DIAGNOSIS, "assessment")
def _assessment_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["assessment"], frames, "assessment_date")


@judges(rules.SURGERY_REPEATED, "surgery")
def _surgery_twice_a_day(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "surgery_date"]
    dated = frames["surgery"].filter(
        pl.all_horizontal(pl.col(*same, "module_id").is_not_null()), pl.col("source") == "oBDS"
    )
    several = pl.col("module_id").n_unique().over(same) > 1
    return dated.filter(several, pl.col("module_id") != pl.col("module_id").min().over(same)).select(
        "record_id", *at("surgery_date")
    )


@judges(rules.ASSESSMENTS_CONTRADICT, "assessment")
def _assessments_contradict(frames: Frames) -> pl.DataFrame:
    sites = pl.col("local_status", "regional_status", "distant_status")
    found = pl.any_horizontal(sites.is_in(["relapse", "progression"])).fill_null(False)
    free = (pl.col("overall_status") == "complete remission").fill_null(False)
    day = ["patient_id", "assessment_date"]
    dated = frames["assessment"].filter(pl.all_horizontal(pl.col(day).is_not_null()))
    return dated.filter(free & ~found, found.any().over(day)).select("record_id", *at("overall_status"))


def _treated(frames: Frames) -> pl.DataFrame:
    """Last day of curative treatment: ``patient_id``, ``treated``."""
    curative = pl.col("intent") == "curative"
    parts = [
        frames["surgery"].filter(curative).select("patient_id", treated="surgery_date"),
        frames["radiotherapy"].filter(curative).select("patient_id", treated="end_date"),
    ]
    return pl.concat(parts).drop_nulls().group_by("patient_id").agg(pl.col("treated").max())


@judges(rules.FOLLOW_UP_MISSING, "diagnosis")
def _no_follow_up(frames: Frames) -> pl.DataFrame:
    seen = frames["every assessment"].select("patient_id", "assessment_date").drop_nulls()
    later = seen.join(_treated(frames), on="patient_id").filter(
        pl.col("assessment_date") >= pl.col("treated")
    )
    return (
        diagnoses(frames)
        .filter(pl.col("source") == "oBDS")
        .sort("diagnosis_date", "record_id")
        .unique("patient_id", keep="first", maintain_order=True)
        .join(_treated(frames), on="patient_id", how="semi")
        .join(later, on="patient_id", how="anti")
        .join(deaths(frames), on="patient_id", how="anti")
        .select("record_id", *at("diagnosis_date"))
    )


@judges(rules.FOLLOW_UP_GAP, "assessment")
def _follow_up_gap(frames: Frames) -> pl.DataFrame:
    dated = frames["assessment"].filter(
        pl.all_horizontal(pl.col("patient_id", "assessment_date").is_not_null())
    )
    ordered = dated.sort("patient_id", "assessment_date", "record_id")
    since = pl.col("assessment_date") - pl.col("assessment_date").shift(1).over("patient_id")
    return ordered.filter(since.dt.total_days() > FOLLOW_UP_GAP_DAYS).select(
        "record_id", *at("assessment_date")
    )
