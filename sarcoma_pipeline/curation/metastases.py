"""Collect the metastases of a tumour from all reports and merge those that are the same."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import Frames
from schemas import curated, iarc, typed
from schemas.partial_dates import interval
from schemas.ranks import place_in
from schemas.vocabularies import DATE_PRECISION, REPORT_ORIGIN

_KEYS = ("patient_id", "tumour_id")


def curate(sound: Frames, staged_m1: pl.DataFrame) -> pl.DataFrame:
    """Merge the metastases of a patient from all reports.

    Reports of the same site and date are one metastasis. A report with only M1 adds nothing to a tumour that
    was M1 at diagnosis.

    Args:
        sound: typed tables with their tumours.
        staged_m1: ``patient_id, tumour_id`` of the tumours whose own M category is M1.

    Returns:
        Rows of ``curated.metastasis`` without days.
    """
    said = pl.concat(
        [
            _documented(sound[typed.Metastasis.table()], staged_m1),
            _of_tables(sound[typed.Assessment.table()]),
            _told_as_tumours(sound[typed.Diagnosis.table()]),
        ]
    )
    if said.is_empty():
        return curated.Metastasis.empty()
    rank = pl.col("origin").replace_strict({o: i for i, o in enumerate(REPORT_ORIGIN)}, return_dtype=pl.Int32)
    # Without a date, each report may mean another metastasis.
    undated = pl.col("metastasis_date").is_null()
    same = pl.when(undated).then(pl.coalesce([pl.col("reported_date").cast(pl.String), "record_id"]))
    one = (
        said.with_columns(_undated=same)
        .group_by(*_KEYS, "metastasis_date", "metastasis_date_precision", "site", "extent", "_undated")
        .agg(
            origin=pl.col("origin").sort_by(rank).first(),
            reported_date=pl.col("reported_date").min(),
            # In the alphabet, day comes before month and year.
            reported_date_precision=pl.col("reported_date_precision")
            .filter(pl.col("reported_date") == pl.col("reported_date").min())
            .min(),
            reported_day=pl.col("reported_day").min(),
            record_ids=pl.col("record_id").unique().sort(),
        )
    )  # fmt: skip
    exactness = place_in(DATE_PRECISION, "metastasis_date_precision")
    return one.sort(
        *_KEYS,
        "metastasis_date",
        exactness,
        "site",
        "reported_date",
        pl.col("record_ids").list.first(),
        "extent",
        nulls_last=True,
    )


def _documented(metastases: pl.DataFrame, staged_m1: pl.DataFrame) -> pl.DataFrame:
    known = staged_m1.select(*_KEYS, _m1=pl.lit(True))
    told = metastases.join(known, on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
    return told.filter(pl.col("named") | pl.col("_m1").is_null()).select(
        *_KEYS,
        "record_id",
        "metastasis_date",
        "metastasis_date_precision",
        "site",
        "extent",
        "origin",
        "reported_date",
        "reported_date_precision",
        "reported_day",
    )


def _of_tables(assessments: pl.DataFrame) -> pl.DataFrame:
    """Return metastases that a table has in columns of an examination."""
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
        reported_date_precision="assessment_date_precision",
        reported_day="assessment_day",
    )


_SITE_OF_SECONDARY = {
    "C77": "LYM", "C78.0": "PUL", "C78.2": "PLE", "C78.6": "PER", "C78.7": "HEP", "C79.2": "SKI",
    "C79.3": "BRA", "C79.5": "OSS", "C79.7": "ADR", "C34": "PUL", "C38.4": "PLE", "C48.1": "PER",
    "C48.2": "PER", "C22": "HEP", "C44": "SKI", "C70": "BRA", "C71": "BRA", "C40": "OSS", "C41": "OSS",
    "C42.1": "MAR", "C74": "ADR",
}  # fmt: skip
"""ICD-10 code of a metastasis, or site of a tumour with behaviour /6, to the oBDS code; others are OTH."""


def _told_as_tumours(reports: pl.DataFrame) -> pl.DataFrame:
    """Return metastases reported as a separate tumour: behaviour /6, or ICD-10 C77 to C79."""
    code = pl.coalesce(
        pl.when(pl.col("icd10_code").str.slice(0, 3).is_in(["C77", "C78", "C79"])).then("icd10_code"),
        "icdo3_topography",
        "icd10_code",
    )
    site = pl.coalesce(
        code.replace_strict(_SITE_OF_SECONDARY, default=None, return_dtype=pl.String),
        code.str.slice(0, 3).replace_strict(_SITE_OF_SECONDARY, default=None, return_dtype=pl.String),
        pl.lit("OTH"),
    )
    nodes = code.str.starts_with("C77")
    return reports.filter(
        "complete",
        "of_relapse_report",
        iarc.is_secondary(pl.col("icd10_code"), pl.col("icdo3_morphology")),
    ).select(
        *_KEYS,
        "record_id",
        metastasis_date="diagnosis_date",
        metastasis_date_precision="diagnosis_date_precision",
        site=site,
        extent=pl.when(nodes).then(pl.lit("regional")).otherwise(pl.lit("distant")),
        origin=pl.lit("tumour"),
        reported_date=pl.lit(None, dtype=pl.Date),
        reported_date_precision=pl.lit(None, dtype=pl.String),
        reported_day=pl.lit(None, dtype=pl.Int32),
    )


def at_diagnosis(metastases: pl.DataFrame, tumours: pl.DataFrame, window_days: int) -> pl.DataFrame:
    """Tell which metastases of a Diagnose were present at diagnosis.

    A metastasis of the Diagnose was present if it is dated up to the first day of the first therapy, at most
    ``window_days`` after the diagnosis; an undated one if the Diagnose does not say M0. A later one is a
    relapse. A therapy before the diagnosis closes no window: an excision may precede its report.

    Args:
        metastases: rows of ``typed.metastasis`` with their tumours.
        tumours: ``patient_id, tumour_id, diagnosis_date, therapies, m_stage``.
        window_days: longest synchronous window.

    Returns:
        ``patient_id, tumour_id, record_id, metastasis_date, at_diagnosis``.
    """
    begun = (
        tumours.select(*_KEYS, "diagnosis_date", "therapies")
        .explode("therapies")
        .filter(pl.col("therapies") >= pl.col("diagnosis_date"))
        .group_by(_KEYS)
        .agg(begun=pl.col("therapies").min())
    )
    closes = pl.min_horizontal(pl.col("diagnosis_date").dt.offset_by(f"{window_days}d"), "begun")
    joined = (
        metastases.filter(pl.col("origin") == "diagnosis", pl.col("extent") == "distant")
        .join(tumours, on=_KEYS, nulls_equal=True, maintain_order="left")
        .join(begun, on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(closes=closes)
    )
    first, last = interval(pl.col("metastasis_date"), pl.col("metastasis_date_precision"))
    dated = pl.col("metastasis_date") <= pl.col("closes")
    partial = pl.col("metastasis_date_precision").is_in(["month", "year"])
    # The month or year overlaps the window, and a Diagnose documents what was present at diagnosis.
    overlaps = partial & (first <= pl.col("closes")) & (last >= pl.col("diagnosis_date"))
    vague = pl.col("metastasis_date").is_null() | overlaps.fill_null(False)
    there = dated.fill_null(False) | (vague & pl.col("m_stage").ne_missing("M0"))
    return joined.select(*_KEYS, "record_id", "metastasis_date", at_diagnosis=there)
