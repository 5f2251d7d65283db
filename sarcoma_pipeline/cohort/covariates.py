"""One row per patient: what he brought with him, how he was treated, how it went on."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.endpoints import DAYS_PER_MONTH, events
from sarcoma_pipeline.cohort.primary import Curated
from schemas.cohort import CohortPatient
from schemas.vocabularies import T_FROM_EDITION_8

DAYS_PER_YEAR = 365.25


def patients(curated: Curated, eligible: pl.Series) -> pl.DataFrame:
    """``cohort.patients`` of the eligible patients.

    Args:
        curated: the curated tables.
        eligible: pseudonyms.
    """
    return describe(curated).filter(pl.col("pseudonym").is_in(eligible.implode()))


def describe(curated: Curated) -> pl.DataFrame:
    """Every patient with an index tumour, eligible or not, in the columns of ``cohort.patients``.

    - age: days from birth to time zero / 365.25; else the age that a source gives;
    - T category in the terms of AJCC 7 (docs/formats.md, vocabularies);
    - residual status of the last operation before any relapse: a re-resection replaces what it mended; RX
      without an operation;
    - relapse pattern over the whole follow-up; regional lymphatic relapse counts as local.
    """
    index = primary.tumour(curated).with_columns(icd10_site=pl.coalesce(["icdo3_topography", "icd10_code"]))
    course = primary.course(curated).select(
        "patient_id", "radiation_sequence", "prescribed_dose_gy", "fractions", "single_dose_gy", "boost",
        "technique", "beam_energy_mv", "ct_slice_thickness_mm", "dose_origin", _course_ids="record_ids",
    )  # fmt: skip
    happened = events(curated)
    persons = curated["curated.patient"].select(
        "patient_id", "pseudonym", "birth_date", "sex", _person_ids="record_ids"
    )
    status = curated["curated.vital_status"].select(
        "patient_id", "death_day", "last_alive_day", _status_ids="record_ids"
    )
    frame = (
        index.join(persons, on="patient_id")
        .join(course, on="patient_id", how="left")
        .join(_resection(curated, happened), on="patient_id", how="left")
        .join(_chemotherapy(curated), on="patient_id", how="left")
        .join(_relapses(happened), on="patient_id", how="left")
        .join(status, on="patient_id", how="left")
    )
    # The middle of a year is no birthday: an age is had from exact dates or from the source.
    by_dates = (pl.col("diagnosis_date") - pl.col("birth_date")).dt.total_days() / DAYS_PER_YEAR
    followed = pl.coalesce(["death_day", "last_alive_day"])
    lists = (
        "record_ids",
        "_person_ids",
        "_course_ids",
        "_surgery_ids",
        "_chemo_ids",
        "_status_ids",
        "_event_ids",
    )
    none: pl.Expr = pl.lit([], dtype=pl.List(pl.String))
    local, distant = pl.col("_local").fill_null(False), pl.col("_distant").fill_null(False)
    in_edition_7 = pl.col("t_stage").replace_strict(T_FROM_EDITION_8, default=None, return_dtype=pl.String)
    return CohortPatient.conform(
        frame.with_columns(
            age_at_diagnosis_years=pl.coalesce([by_dates, "age_at_diagnosis_years"]),
            t_stage=pl.when(pl.col("tnm_edition") == 8).then(in_edition_7).otherwise("t_stage"),
            resected=pl.col("_surgery_ids").is_not_null(),
            residual_status=pl.coalesce(["residual_status", pl.lit("RX")]),
            chemotherapy=pl.col("chemotherapy").fill_null("unknown"),
            diagnosis_year=pl.col("diagnosis_date").dt.year(),
            relapse_pattern=pl.when(local & distant)
            .then(pl.lit("local and distant"))
            .when(local)
            .then(pl.lit("local only"))
            .when(distant)
            .then(pl.lit("distant only"))
            .otherwise(pl.lit("none")),
            follow_up_days=followed,
            follow_up_months=followed / DAYS_PER_MONTH,
            record_ids=pl.concat_list(pl.col(c).fill_null(none) for c in lists).list.unique().list.sort(),
        ).sort("pseudonym")
    )


def _resection(curated: Curated, happened: pl.DataFrame) -> pl.DataFrame:
    relapsed = (
        happened.filter(pl.col("kind").str.contains("relapse"))
        .group_by("patient_id")
        .agg(_relapsed=pl.col("day").min())
    )
    before = (
        primary.surgeries(curated)
        .join(relapsed, on="patient_id", how="left")
        .filter((pl.col("surgery_day") <= pl.col("_relapsed")).fill_null(True))
        .sort("surgery_day", nulls_last=False, maintain_order=True)
    )
    return before.group_by("patient_id", maintain_order=True).agg(
        residual_status=pl.col("residual_status").drop_nulls().last(),
        _surgery_ids=pl.col("record_ids").explode(),
    )


def _chemotherapy(curated: Curated) -> pl.DataFrame:
    frame = curated["curated.systemic_therapy"]
    of_kind = pl.col("kind").is_null() | (pl.col("kind") == "chemotherapy")
    return (
        frame.filter(of_kind)
        .group_by("patient_id")
        .agg(
            _yes=(pl.col("given") == "yes").any(),
            _no=(pl.col("given") == "no").any(),
            _chemo_ids=pl.col("record_ids").explode(),
        )
        .select(
            "patient_id",
            "_chemo_ids",
            chemotherapy=pl.when("_yes").then(pl.lit("yes")).when("_no").then(pl.lit("no")),
        )
    )


def _relapses(happened: pl.DataFrame) -> pl.DataFrame:
    return happened.group_by("patient_id").agg(
        _local=pl.col("kind").is_in(["local relapse", "regional relapse"]).any(),
        _distant=(pl.col("kind") == "distant relapse").any(),
        _event_ids=pl.col("record_ids").explode(),
    )
