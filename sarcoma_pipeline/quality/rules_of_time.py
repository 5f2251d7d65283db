"""Rules on the order of a patient's dates."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import (
    births,
    deaths,
    diagnoses,
    sarcomas,
    with_own_tumour,
)
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.partial_dates import interval
from schemas.sides import BIRTH, COURSES, DIAGNOSES, TREATMENTS, peers
from schemas.typed import STATES

RECURRED = ("relapse", "progression")
FOLLOW_UP_GAP_DAYS = 3 * 365
SURGERY_MARGIN_DAYS = 90
"""A resection may precede the biopsy's report by less than this; an earlier one is a typing error."""


@rule(
    "diagnosis.before-birth",
    "error",
    on="typed.diagnosis",
    scope="patient",
    what="The diagnosis is dated before the birth.",
    remedy="In the tumour documentation, compare Diagnosedatum with Geburtsdatum. Correct the wrong one.",
    missing="kept",
    sides=(BIRTH,),
)
def _diagnosis_before_birth(frames: Frames) -> pl.DataFrame:
    _, last = interval(pl.col("diagnosis_date"), pl.col("diagnosis_date_precision"))
    return (
        diagnoses(frames)
        .join(births(frames), on="patient_id")
        .pipe(verdicts, last < pl.col("first"), "diagnosis_date")
    )


@rule(
    "diagnosis.on-birth",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The diagnosis is dated on the day of birth.",
    remedy=(
        "Compare both dates with the patient's record. If all patients of a table have this finding, the "
        "date of birth is mapped as the diagnosis: correct diagnosis_date in sources.toml."
    ),
    missing="kept",
    sides=(BIRTH,),
)
def _diagnosis_on_birth(frames: Frames) -> pl.DataFrame:
    return (
        diagnoses(frames)
        .join(births(frames), on="patient_id")
        .pipe(verdicts, pl.col("diagnosis_date") == pl.col("born"), "diagnosis_date")
    )


@rule(
    "surgery.date-missing",
    "warning",
    on="typed.surgery",
    scope="record",
    what="The operation has no date. It is not the definitive resection, whatever was resected, and nothing "
    "is told to be before or after it.",
    remedy="In the tumour documentation, add OP/Datum; in a table, the date of the operation.",
    source="oBDS 3.0.4 OP/Datum",
    missing="broken",
)
def _surgery_date_missing(frames: Frames) -> pl.DataFrame:
    # A date that is there and unreadable has its own finding, and the record is held back.
    dated = pl.any_horizontal(pl.col("surgery_date", "surgery_day").is_not_null())
    return verdicts(frames["surgery"], ~dated, "surgery_date")


@rule(
    "surgery.before-diagnosis",
    "error",
    on="typed.surgery",
    scope="patient",
    what="The operation is dated more than 90 days before the diagnosis.",
    remedy=(
        "In the tumour documentation, compare OP/Datum with Diagnosedatum. Correct the wrong one, or "
        "assign the operation to another tumour."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _surgery_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["surgery"], frames, "surgery_date", SURGERY_MARGIN_DAYS)


@rule(
    "assessment.progression-under-treatment",
    "notice",
    on="typed.assessment",
    scope="patient",
    what=("The first relapse or progression is dated within the radiotherapy: progression under treatment."),
    remedy=(
        "If the dates are right, nothing needs to be done. Otherwise, in the tumour documentation, "
        "correct Untersuchungsdatum_Verlauf."
    ),
    source="a progression during treatment is possible and counts as the first event",
    missing="kept",
    sides=(COURSES,),
)
def _progression_under_treatment(frames: Frames) -> pl.DataFrame:
    status = pl.any_horizontal(pl.col(STATES).is_in(RECURRED))
    tumour = ["patient_id", "own_tumour"]
    courses = (
        with_own_tumour(frames, frames["radiotherapy"])
        .select(*tumour, "start_date", "end_date")
        .drop_nulls(["patient_id", "start_date", "end_date"])
    )
    recurred = frames["assessment"].filter(status, pl.col("patient_id").is_not_null())
    first = (
        with_own_tumour(frames, recurred)
        .sort("assessment_date", "record_id")
        .unique(tumour, keep="first", maintain_order=True)
    )
    return first.join(courses, on=tumour, nulls_equal=True).pipe(
        verdicts, pl.col("assessment_date").is_between("start_date", "end_date"), "assessment_date"
    )


def _before_diagnosis(frame: pl.DataFrame, frames: Frames, date: str, margin_days: int = 0) -> pl.DataFrame:
    """Judge whether no day that the date may mean is on or after the first possible day of the diagnosis."""
    last = pl.col(date)
    if f"{date}_precision" in frame.columns:
        _, last = interval(pl.col(date), pl.col(f"{date}_precision"))
    early = last < pl.col("zero_first").dt.offset_by(f"-{margin_days}d")
    return frame.join(sarcomas(frames), on="patient_id").pipe(verdicts, early, date)


@rule(
    "radiotherapy.before-diagnosis",
    "error",
    on="typed.radiotherapy",
    scope="patient",
    what="The radiotherapy begins before the diagnosis.",
    remedy=(
        "In the tumour documentation, compare Bestrahlung/Beginn with Diagnosedatum. Correct the wrong "
        "one, or assign the course to another tumour."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _radiotherapy_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["radiotherapy"], frames, "start_date")


@rule(
    "systemic-therapy.before-diagnosis",
    "warning",
    on="typed.systemic_therapy",
    scope="patient",
    what="The systemic therapy begins more than 90 days before the diagnosis.",
    remedy=(
        "In the tumour documentation, compare SYST/Beginn with Diagnosedatum. If it was given for "
        "another tumour, correct its Tumor_ID."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _systemic_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["systemic_therapy"], frames, "start_date", SURGERY_MARGIN_DAYS)


@rule(
    "assessment.before-diagnosis",
    "warning",
    on="typed.assessment",
    scope="patient",
    what="The follow-up examination is dated before the diagnosis.",
    remedy=(
        "In the tumour documentation, compare Untersuchungsdatum_Verlauf with Diagnosedatum. Correct "
        "the wrong one."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _assessment_before_diagnosis(frames: Frames) -> pl.DataFrame:
    return _before_diagnosis(frames["assessment"], frames, "assessment_date")


@rule(
    "surgery.twice-a-day",
    "warning",
    on="typed.surgery",
    scope="patient",
    what="Two operations of one day are documented under different OP_IDs.",
    remedy="In the tumour documentation, merge them under one OP_ID if it was one operation.",
    source="oBDS OP_ID",
    missing="kept",
    sides=peers("surgery_date", columns=("module_id",)),
)
def _surgery_twice_a_day(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "own_tumour", "surgery_date"]
    dated = with_own_tumour(frames, frames["surgery"]).filter(
        pl.all_horizontal(pl.col("patient_id", "surgery_date", "module_id").is_not_null()),
        pl.col("source") == "oBDS",
    )
    several = pl.col("module_id").n_unique().over(same) > 1
    further = several & (pl.col("module_id") != pl.col("module_id").min().over(same))
    return verdicts(dated, further, "surgery_date")


@rule(
    "assessment.same-day-contradiction",
    "warning",
    on="typed.assessment",
    scope="patient",
    what=(
        "Two examinations of one day contradict each other: one states complete remission, the other a "
        "relapse. The relapse counts; but of two reports of one examination the later one counts."
    ),
    remedy=(
        "In the tumour documentation, compare both Verlauf reports with the letters of that day. Withdraw "
        "the wrong report."
    ),
    missing="kept",
    sides=peers(
        "assessment_date", columns=("overall_status", "local_status", "regional_status", "distant_status")
    ),
)
def _assessments_contradict(frames: Frames) -> pl.DataFrame:
    sites = pl.col("local_status", "regional_status", "distant_status")
    found = pl.any_horizontal(sites.is_in(RECURRED)).fill_null(False)
    free = (pl.col("overall_status") == "complete remission").fill_null(False)
    day = ["patient_id", "own_tumour", "assessment_date"]
    told = frames["assessment"].select(
        "record_id", "patient_id", "tumour_id", "assessment_date", "overall_status", sites
    )
    dated = with_own_tumour(frames, told).filter(
        pl.all_horizontal(pl.col("patient_id", "assessment_date").is_not_null())
    )
    return verdicts(dated, free & ~found & found.any().over(day), "overall_status")


def _treated(frames: Frames) -> pl.DataFrame:
    """Return the last day of curative treatment: ``patient_id``, ``treated``.

    A missing intent counts as curative, and a missing end is replaced by the start: otherwise patients with
    the least documentation would have no finding.
    """
    curative = ~pl.col("intent").is_in(["palliative", "diagnostic"]).fill_null(False)
    irradiated = pl.coalesce("end_date", "start_date")
    parts = [
        frames["surgery"].filter(curative).select("patient_id", treated="surgery_date"),
        frames["radiotherapy"].filter(curative).select("patient_id", treated=irradiated),
    ]
    return pl.concat(parts).drop_nulls().group_by("patient_id").agg(pl.col("treated").max())


@rule(
    "follow-up.none",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what=(
        "No examination is documented after surgery or radiotherapy that is not documented as palliative or"
        " diagnostic. A relapse could not have been detected."
    ),
    remedy=(
        "Ask the treating doctors for their follow-up letters. Document them as Verlauf in the tumour "
        "documentation."
    ),
    source="STROBE item 14c; ESMO 2021: follow-up every 3-4 months",
    sides=TREATMENTS,
)
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


@rule(
    "follow-up.gap",
    "notice",
    on="typed.assessment",
    scope="patient",
    what="More than three years lie between two successive examinations.",
    remedy=(
        "Ask for the letters in between and document them as Verlauf in the tumour documentation. A "
        "relapse may be dated too late."
    ),
    source="ESMO 2021: follow-up at least yearly",
    missing="kept",
    sides=peers(where=pl.col("assessment_date") < pl.col("own_assessment_date")),
)
def _follow_up_gap(frames: Frames) -> pl.DataFrame:
    dated = frames["assessment"].filter(
        pl.all_horizontal(pl.col("patient_id", "assessment_date").is_not_null())
    )
    ordered = dated.select("record_id", "patient_id", "assessment_date").sort(
        "patient_id", "assessment_date", "record_id"
    )
    since = pl.col("assessment_date") - pl.col("assessment_date").shift(1).over("patient_id")
    return verdicts(ordered, since.dt.total_days() > FOLLOW_UP_GAP_DAYS, "assessment_date")
