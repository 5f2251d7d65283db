"""Selections of linked patients' typed records that several rules use."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.rule_registry import Frames
from schemas.vocabularies import DECEASED


def diagnoses(frames: Frames) -> pl.DataFrame:
    """Return complete, dated diagnoses of linked patients."""
    return frames["diagnosis"].filter(
        "complete", pl.col("patient_id").is_not_null(), pl.col("diagnosis_date").is_not_null()
    )


def sarcomas(frames: Frames) -> pl.DataFrame:
    """Return date and tumour of each patient's first diagnosis that is not a second malignancy."""
    return (
        diagnoses(frames)
        .sort("diagnosis_date", "record_id")
        .group_by("patient_id", maintain_order=True)
        .agg(zero=pl.col("diagnosis_date").first(), zero_precision=pl.col("diagnosis_date_precision").first())
    )


def deaths(frames: Frames) -> pl.DataFrame:
    """Return the last day a patient may have been alive: the end of the interval of a partial date.

    A death before the diagnosis has its own rule and is ignored here, so that it does not make all other
    records look wrong.
    """
    date = pl.col("status_date")
    last = (
        pl.when(pl.col("status_date_precision") == "month")
        .then(date.dt.month_end())
        .when(pl.col("status_date_precision") == "year")
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
        .otherwise(date)
    )
    return (
        frames["vital_status"]
        .filter(pl.col("status") == DECEASED, pl.col("patient_id").is_not_null())
        .join(sarcomas(frames), on="patient_id", how="left")
        .filter((last >= pl.col("zero")).fill_null(True), (pl.col("status_day") >= 0).fill_null(True))
        .group_by("patient_id")
        .agg(died=last.max(), death_day=pl.col("status_day").max(), death_records=pl.col("record_id"))
    )
