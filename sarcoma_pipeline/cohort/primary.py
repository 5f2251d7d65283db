"""Select the index tumour and its primary treatment, one row per patient.

The index tumour (``curated.diagnosis.index_tumour``) is the tumour that the study is about; its diagnosis is
time zero. Records of the patient's other tumours do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sarcoma_pipeline.cohort.derived_once import once

Curated = Mapping[str, pl.DataFrame]


@once
def tumour(curated: Curated) -> pl.DataFrame:
    """Return the index tumour: rows of ``curated.diagnosis``."""
    return curated["curated.diagnosis"].filter("index_tumour")


@once
def of_index_tumour(curated: Curated, table: str) -> pl.DataFrame:
    """Return the rows of a table that belong to the index tumour."""
    index = tumour(curated).select("patient_id", "tumour_id")
    return curated[table].join(
        index, on=["patient_id", "tumour_id"], how="semi", nulls_equal=True, maintain_order="left"
    )


@once
def surgeries(curated: Curated) -> pl.DataFrame:
    """Return operations on the index tumour: rows of ``curated.surgery``, biopsies left out."""
    frame = of_index_tumour(curated, "curated.surgery")
    return frame.filter(pl.col("intent").ne_missing("diagnostic"))


@once
def course(curated: Curated) -> pl.DataFrame:
    """Return the primary courses: rows of ``curated.radiotherapy_course`` with the sequence filled.

    The primary course is the first external beam course that is not palliative; else the first of any kind
    that is not palliative. Brachytherapy, radionuclides and intraoperative irradiation before an external
    beam course are not primary. If
    one ST has several targets, the main target counts. If no source documents the relation to surgery (oBDS
    Stellung_OP), it is derived from the dates, unless partial dates leave it open.
    """
    first_surgery = (
        surgeries(curated)
        .group_by("patient_id")
        .agg(
            _from=pl.col("surgery_day_earliest").min(),
            _until=pl.col("surgery_day_latest").min(),
            _any=pl.len(),
        )
    )
    palliative = pl.col("intent").eq_missing("palliative")
    by_dates = (
        pl.when(pl.col("_any").is_null())
        .then(pl.lit("without surgery"))
        .when(pl.col("start_day_latest") < pl.col("_from"))
        .then(pl.lit("preoperative"))
        .when(pl.col("start_day_earliest") >= pl.col("_until"))
        .then(pl.lit("postoperative adjuvant"))
    )
    return (
        of_index_tumour(curated, "curated.radiotherapy_course")
        .sort(
            palliative,
            (pl.col("kind") != "external beam") | pl.col("radiation_sequence").eq_missing("intraoperative"),
            "start_day",
            "start_date",
            "target",
            "course_id",
            nulls_last=True,
            maintain_order=True,
        )
        .unique("patient_id", keep="first", maintain_order=True)
        .join(first_surgery, on="patient_id", how="left")
        .with_columns(radiation_sequence=pl.coalesce(["radiation_sequence", by_dates]))
        .drop("_from", "_until", "_any")
    )
