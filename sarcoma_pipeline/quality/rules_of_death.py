"""Rules on records that are dated after a death, and on deaths before the diagnosis."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import all_dated_deaths, deaths, undated_deaths
from sarcoma_pipeline.quality.rule_registry import Frames, rule, verdicts
from schemas.partial_dates import interval
from schemas.sides import DEATHS, DIAGNOSES


@rule(
    "assessment.after-death",
    "error",
    on="typed.assessment",
    scope="patient",
    what="The examination is dated after the death, or after a report of a death without a date.",
    remedy=(
        "In the tumour documentation, correct Untersuchungsdatum_Verlauf; or correct the date of death in "
        "the source that states it. If the patient lives, ask the sender of the death report to withdraw "
        "it; until then waive this finding."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _assessment_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["assessment"], frames, "assessment_date", "assessment_day")


@rule(
    "death.before-diagnosis",
    "error",
    on="typed.vital_status",
    scope="patient",
    what="The death is dated before the diagnosis.",
    remedy=(
        "In the tumour documentation, compare Tod/Sterbedatum with Diagnosedatum. Correct the wrong "
        "one; ask the registry office if its reply states the death."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _death_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return verdicts(all_dated_deaths(frames), pl.col("before_diagnosis"), "status_date")


def _after_death(frame: pl.DataFrame, frames: Frames, date: str, day: str) -> pl.DataFrame:
    """Judge whether no day that the date may mean is on or before the death."""
    first, _ = interval(pl.col(date), pl.col(f"{date}_precision"))
    late = (first > pl.col("died")) | (pl.col(day) > pl.col("death_day"))
    dated = frame.join(deaths(frames), on="patient_id").pipe(verdicts, late, date)
    told = frame.join(undated_deaths(frames), on="patient_id")
    return pl.concat([dated, verdicts(told, first > pl.col("told"), date)])


@rule(
    "surgery.after-death",
    "error",
    on="typed.surgery",
    scope="patient",
    what="The operation is dated after the death, or after a report of a death without a date.",
    remedy=(
        "In the tumour documentation, correct OP/Datum; or correct the date of death in the source that "
        "states it. If the patient lives, ask the sender of the death report to withdraw it; until then "
        "waive this finding."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _surgery_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["surgery"], frames, "surgery_date", "surgery_day")


@rule(
    "radiotherapy.after-death",
    "error",
    on="typed.radiotherapy",
    scope="patient",
    what="The radiotherapy begins after the death, or after a report of a death without a date.",
    remedy=(
        "In the tumour documentation, correct Bestrahlung/Beginn; or correct the date of death in the "
        "source that states it. If the patient lives, ask the sender of the death report to withdraw it; "
        "until then waive this finding."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _radiotherapy_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["radiotherapy"], frames, "start_date", "start_day")


@rule(
    "systemic-therapy.after-death",
    "error",
    on="typed.systemic_therapy",
    scope="patient",
    what="The systemic therapy begins after the death, or after a report of a death without a date.",
    remedy=(
        "In the tumour documentation, correct SYST/Beginn; or correct the date of death in the source that "
        "states it. If the patient lives, ask the sender of the death report to withdraw it; until then "
        "waive this finding."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _systemic_after_death(frames: Frames) -> pl.DataFrame:
    return _after_death(frames["systemic_therapy"], frames, "start_date", "start_day")
