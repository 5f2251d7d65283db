"""Select typed records of linked patients; several rules share these selections."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.rule_registry import Frames, selection
from schemas.partial_dates import interval
from schemas.vocabularies import ALIVE, DECEASED, DECEASED_DATE_UNKNOWN, MOVED

SOFT_TISSUE = ("C47", "C48", "C49")
"""ICD-10 sites of soft tissue."""


@selection
def diagnoses(frames: Frames) -> pl.DataFrame:
    """Return complete, dated diagnoses of linked patients."""
    return frames["diagnosis"].filter(
        "complete", pl.col("patient_id").is_not_null(), pl.col("diagnosis_date").is_not_null()
    )


@selection
def births(frames: Frames) -> pl.DataFrame:
    """Return each patient's birth by the master data: ``born`` and the first possible day ``first``."""
    first, _ = interval(pl.col("birth_date"), pl.col("birth_date_precision"))
    return (
        frames["person"]
        .filter("master", pl.col("birth_date").is_not_null())
        .group_by("patient_id")
        .agg(born=pl.col("birth_date").min(), first=first.min())
    )


@selection
def sarcomas(frames: Frames) -> pl.DataFrame:
    """Return each patient's first complete diagnosis: ``zero``, its precision, and its first possible day."""
    first, _ = interval(pl.col("zero"), pl.col("zero_precision"))
    return (
        diagnoses(frames)
        .sort("diagnosis_date", "record_id")
        .group_by("patient_id", maintain_order=True)
        .agg(zero=pl.col("diagnosis_date").first(), zero_precision=pl.col("diagnosis_date_precision").first())
        .with_columns(zero_first=first)
    )


def with_own_tumour(frames: Frames, records: pl.DataFrame) -> pl.DataFrame:
    """Add ``own_tumour``: the site (three characters) of the tumour whose number a record has.

    A record without a known number belongs to the soft tissue tumour. Null for patients whose tumours are all
    of one site.

    Args:
        frames: the linked records.
        records: records of one typed table.
    """
    site = pl.col("icd10_code").str.slice(0, 3)
    several = diagnoses(frames).filter(site.n_unique().over("patient_id") > 1)
    numbers = (
        several.filter(pl.col("tumour_id").is_not_null())
        .group_by("patient_id", "tumour_id")
        .agg(own_tumour=site.min())
    )
    soft = several.group_by("patient_id").agg(_soft=site.filter(site.is_in(SOFT_TISSUE)).min())
    return (
        records.join(numbers, on=["patient_id", "tumour_id"], how="left", maintain_order="left")
        .join(soft, on="patient_id", how="left", maintain_order="left")
        .with_columns(own_tumour=pl.coalesce("own_tumour", "_soft"))
        .drop("_soft")
    )


CREDIBILITY = "credibility"
"""Column of statements on life and death: rank of their source in the declared precedence, 0 first."""


@selection
def dated_deaths(frames: Frames) -> pl.DataFrame:
    """Return statements of death with ``last``: the last possible day of a partial date.

    A death before the diagnosis has its own rule and is ignored here, so that it causes no findings on all
    other records.
    """
    return all_dated_deaths(frames).filter(~pl.col("before_diagnosis"))


@selection
def all_dated_deaths(frames: Frames) -> pl.DataFrame:
    """Return statements of death with ``last`` and ``before_diagnosis``.

    ``last`` is the last day that a partial date may mean. A death is before the diagnosis if this day is
    before the first one that the date of diagnosis may mean.
    """
    _, last = interval(pl.col("status_date"), pl.col("status_date_precision"))
    return (
        frames["vital_status"]
        .filter(pl.col("status") == DECEASED, pl.col("patient_id").is_not_null())
        .join(sarcomas(frames), on="patient_id", how="left", maintain_order="left")
        .with_columns(
            last=last,
            before_diagnosis=(last < pl.col("zero_first")).fill_null(False)
            | (pl.col("status_day") < 0).fill_null(False),
        )
    )


@selection
def refuted_deaths(frames: Frames) -> pl.DataFrame:
    """Return the dated deaths after which a more credible source states that the patient was alive.

    A source is more credible if the declared precedence names it before every source of the death; otherwise
    the death stands. "Alive" on an unknown day refutes nothing.

    Returns:
        The statements of the death, each once, with ``alive_source`` and ``alive_on`` (the latest day).
    """
    told = dated_deaths(frames)
    best = told.group_by("patient_id").agg(
        _best=pl.col(CREDIBILITY).min(), _last=pl.col("last").max(), _day=pl.col("status_day").max()
    )
    after = (pl.col("status_date") > pl.col("_last")) | (pl.col("status_day") > pl.col("_day"))
    living = (
        frames["vital_status"]
        .filter(pl.col("status").is_in([ALIVE, MOVED]))
        .join(best, on="patient_id")
        .filter(pl.col(CREDIBILITY) < pl.col("_best"), after.fill_null(False))
        .sort(CREDIBILITY, "status_date", "status_day", "record_id", descending=[False, True, True, False])
        .unique("patient_id", keep="first", maintain_order=True)
        .select(
            "patient_id",
            alive_source="source",
            alive_on=pl.coalesce(pl.col("status_date").cast(pl.String), pl.format("day {}", "status_day")),
        )
    )
    return told.join(living, on="patient_id", maintain_order="left")


@selection
def deaths(frames: Frames) -> pl.DataFrame:
    """Return the last day a patient may have been alive, from the dated deaths that are not refuted.

    A death that a more credible source refutes has its own rule and is ignored here.

    Returns:
        ``patient_id``, ``died``, ``death_day``, ``death_records``.
    """
    return (
        dated_deaths(frames)
        .join(refuted_deaths(frames).select("patient_id"), on="patient_id", how="anti")
        .sort("patient_id", "record_id")
        .group_by("patient_id", maintain_order=True)
        .agg(
            died=pl.col("last").max(), death_day=pl.col("status_day").max(), death_records=pl.col("record_id")
        )
    )


@selection
def undated_deaths(frames: Frames) -> pl.DataFrame:
    """Return the day of the first statement of a death without a date, for patients without a dated one.

    The patient cannot have been alive after it. ``told`` is null if no statement has a date.
    """
    told = pl.coalesce("reported_on", "status_date")
    return (
        frames["vital_status"]
        .filter(pl.col("status") == DECEASED_DATE_UNKNOWN, pl.col("patient_id").is_not_null())
        .join(deaths(frames), on="patient_id", how="anti")
        .group_by("patient_id")
        .agg(told=told.min())
    )
