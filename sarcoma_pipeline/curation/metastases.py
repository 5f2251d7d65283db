"""Metastases of a tumour from all reports: which are one, and which were there at diagnosis."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas import curated, typed
from schemas.vocabularies import DATE_PRECISION, REPORT_ORIGIN

Frames = Mapping[str, pl.DataFrame]

SYNCHRONOUS_DAYS = 92
"""Longest time from the diagnosis to a metastasis that still counts as M1 (three months)."""

_KEYS = ("patient_id", "tumour_id")


def curate(
    sound: Frames, diagnosis: pl.DataFrame, treated: pl.DataFrame, window_days: int = SYNCHRONOUS_DAYS
) -> pl.DataFrame:
    """Join what all reports say of a patient's metastases.

    Reports of the same site and date are one metastasis. It was there at diagnosis if it was known within the
    synchronous window: until the first day of the first therapy, at most ``window_days`` after the diagnosis.
    It was known on its own date or on the day of the report, whichever is earlier. An undated one of a
    Diagnose was there at diagnosis unless the Diagnose says M0.

    Args:
        sound: typed tables with ``patient_id``; ``tumour_id`` is that of ``curated.diagnosis``.
        diagnosis: ``curated.diagnosis`` with the Diagnose's own ``m_stage``.
        treated: ``patient_id``, ``tumour_id``, ``first_therapy`` (Date): the first therapy of each tumour.
        window_days: longest synchronous window.

    Returns:
        Rows of ``curated.metastasis`` without days.
    """
    said = pl.concat(
        [_documented(sound[typed.Metastasis.table()]), _of_tables(sound[typed.Assessment.table()])]
    )
    if said.is_empty():
        return curated.Metastasis.empty()
    order = [
        pl.col("origin").replace_strict({o: i for i, o in enumerate(REPORT_ORIGIN)}, return_dtype=pl.Int32),
        "reported_date",
        "record_id",
    ]
    # Without a date, two reports may mean two metastases.
    undated = pl.col("metastasis_date").is_null()
    same = pl.when(undated).then(pl.coalesce([pl.col("reported_date").cast(pl.String), "record_id"]))
    one = (
        said.with_columns(_undated=same)
        .sort(*order, nulls_last=True)
        .group_by(
            *_KEYS, "metastasis_date", "metastasis_date_precision", "site", "extent", "_undated",
            maintain_order=True,
        )
        .agg(
            origin=pl.col("origin").first(),
            reported_date=pl.col("reported_date").min(),
            reported_day=pl.col("reported_day").min(),
            record_ids=pl.col("record_id").unique().sort(),
            _in_diagnosis=(pl.col("origin") == "diagnosis").any(),
        )
    )  # fmt: skip
    at_diagnosis = _synchronous(one, diagnosis, treated, window_days)
    exactness = pl.col("metastasis_date_precision").replace_strict(
        {p: i for i, p in enumerate(DATE_PRECISION)}, default=len(DATE_PRECISION), return_dtype=pl.Int32
    )
    return at_diagnosis.sort(
        *_KEYS, "metastasis_date", exactness, "site", "reported_date", pl.col("record_ids").list.first(),
        nulls_last=True,
    )  # fmt: skip


def _documented(metastases: pl.DataFrame) -> pl.DataFrame:
    return metastases.select(
        *_KEYS, "record_id", "metastasis_date", "metastasis_date_precision", "site", "extent", "origin",
        "reported_date", "reported_day",
    )  # fmt: skip


def _of_tables(assessments: pl.DataFrame) -> pl.DataFrame:
    """Metastases that a table gives as columns of an examination."""
    named = pl.col("distant_date").is_not_null() | pl.col("distant_site").is_not_null()
    return assessments.filter((pl.col("source") != "oBDS") & named).select(
        *_KEYS,
        "record_id",
        metastasis_date="distant_date",
        metastasis_date_precision="distant_date_precision",
        site="distant_site",
        extent=pl.lit("distant"),
        origin=pl.lit("table"),
        reported_date="assessment_date",
        reported_day="assessment_day",
    )


def _synchronous(
    metastases: pl.DataFrame, diagnosis: pl.DataFrame, treated: pl.DataFrame, window_days: int
) -> pl.DataFrame:
    tumours = diagnosis.select(*_KEYS, zero="diagnosis_date", own_m="m_stage")
    joined = (
        metastases.join(tumours, on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
        .join(
            treated.select(*_KEYS, treated="first_therapy"),
            on=_KEYS, how="left", nulls_equal=True, maintain_order="left",
        )
        .with_columns(closes=pl.min_horizontal(pl.col("zero").dt.offset_by(f"{window_days}d"), "treated"))
    )  # fmt: skip
    first, last = interval(pl.col("metastasis_date"), pl.col("metastasis_date_precision"))
    own = pl.max_horizontal("metastasis_date", pl.when(last >= pl.col("zero")).then("zero"))
    # A date before the diagnosis is believed of a Diagnose only: elsewhere the report's own day counts.
    known = (
        pl.when(last >= pl.col("zero"))
        .then(pl.min_horizontal(own, "reported_date"))
        .when("_in_diagnosis", pl.col("metastasis_date").is_not_null())
        .then("zero")
        .otherwise("reported_date")
    )
    vague = pl.col("metastasis_date").is_null() | (
        (pl.col("metastasis_date_precision") != "day")
        & (first <= pl.col("closes"))
        & (last >= pl.col("zero"))
    )
    by_report = pl.col("_in_diagnosis") & vague.fill_null(False) & pl.col("own_m").ne_missing("M0")
    distant = pl.col("extent") == "distant"
    return joined.with_columns(
        at_diagnosis=((known <= pl.col("closes")).fill_null(False) | by_report) & distant
    )


def interval(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """First and last day that a date of this precision may mean."""
    month, year = precision == "month", precision == "year"
    first = pl.when(month).then(date.dt.month_start()).when(year).then(date.dt.truncate("1y"))
    last = (
        pl.when(month)
        .then(date.dt.month_end())
        .when(year)
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
    )
    return first.otherwise(date), last.otherwise(date)
