"""Rules on who was examined until when, and on what an examination cannot have found."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import deaths, diagnoses, sarcomas
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule
from schemas.assumptions import Assumptions
from schemas.vocabularies import SOURCE

LATE_DEATH_DAYS = Assumptions().late_death_days
"""The default of the switch: the findings of a patient do not depend on the study that they are in."""


@rule(
    "follow-up.late-death",
    "warning",
    on="typed.vital_status",
    scope="patient",
    what=f"The patient died more than {LATE_DEATH_DAYS} days after the last examination, or was never "
    "examined: nobody knows whether there was a relapse before.",
    remedy="Look for follow-up in letters and in other hospitals, and add each examination as a Verlauf in "
    "the tumour documentation. The report shows what late deaths change.",
    source="Lesko 2018, 2019: deaths without assessment in composite endpoints",
)
def _late_death(frames: Frames) -> pl.DataFrame:
    documented = diagnoses(frames).filter(pl.col("source") == "oBDS").select("patient_id").unique()
    seen = (
        frames["every assessment"]
        .filter(pl.col("patient_id").is_not_null())
        .group_by("patient_id")
        .agg(seen=pl.col("assessment_date").max())
    )
    late = (pl.col("died") - pl.col("seen")).dt.total_days() > LATE_DEATH_DAYS
    decided = (
        deaths(frames)
        .join(documented, on="patient_id", how="semi")
        .join(seen, on="patient_id", how="left")
        .filter(pl.col("died").is_not_null(), pl.col("seen").is_null() | late)
    )
    source = pl.col("source").replace_strict({s: i for i, s in enumerate(SOURCE)}, return_dtype=pl.Int32)
    told = frames["vital_status"].join(
        decided.select(record_id="death_records").explode("record_id"), on="record_id", how="semi"
    )
    # One finding a patient, on the record that a steward would look at first.
    first = told.sort(source, "status_date", "record_id").unique(
        "patient_id", keep="first", maintain_order=True
    )
    return first.select("record_id", *at("status_date"))


@rule(
    "metastasis.before-diagnosis",
    "warning",
    on="typed.metastasis",
    scope="patient",
    what="An examination, operation or histology reports a metastasis that is dated before the diagnosis of "
    "the tumour; it counts from the day of the report.",
    remedy="Compare Fernmetastase/Diagnosedatum with the report of the imaging. A metastasis known at the "
    "diagnosis belongs to the Diagnose, with M1.",
)
def _metastasis_before_diagnosis(frames: Frames) -> pl.DataFrame:
    date = pl.col("metastasis_date")
    last = (
        pl.when(pl.col("metastasis_date_precision") == "month")
        .then(date.dt.month_end())
        .when(pl.col("metastasis_date_precision") == "year")
        .then(pl.date(date.dt.year(), 12, 31))
        .otherwise(date)
    )
    return (
        frames["metastasis"]
        .filter(pl.col("origin") != "diagnosis")
        .join(sarcomas(frames), on="patient_id")
        .filter(last < pl.col("zero"))
        .select("record_id", *at("metastasis_date"))
    )
