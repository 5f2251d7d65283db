"""Choose the index tumour: the tumour of a patient that the study is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation.event_rows import Frames
from schemas import typed
from schemas.configuration import Study


@dataclass(frozen=True)
class Preference:
    """The study's criteria for the index tumour, beyond being an irradiated sarcoma.

    Attributes:
        regions: regions of the study's criterion of the site; empty if it has none.
        start: first day of the study's window.
        end: last day of the study's window.
    """

    regions: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None


def preference(study: Study) -> Preference:
    """Return the study's criteria for the index tumour."""
    regions = [v for c in study.criteria if c.rule == "site" for v in c.values]
    windows = [c for c in study.criteria if c.rule == "window"]
    return Preference(
        tuple(regions), windows[0].start if windows else None, windows[0].end if windows else None
    )


def choose(tumours: pl.DataFrame, sound: Frames, preference: Preference) -> pl.DataFrame:
    """Choose the tumour that meets the study's criteria, not the first one.

    A soft tissue sarcoma comes first, then one in a region of the study, irradiated, within the study's
    window, operated on, and the earliest.

    Args:
        tumours: rows of ``curated.diagnosis`` with ``histology_group`` and ``region``.
        sound: the typed tables with their tumours.
        preference: the study's criteria.

    Returns:
        ``patient_id``, ``index`` (the tumour's number, perhaps null).
    """
    key = ["patient_id", "tumour_id"]
    started = pl.coalesce("start_date", "end_date")
    within = pl.lit(True)
    if preference.start:
        within = within & (started >= preference.start)
    if preference.end:
        within = within & (started <= preference.end)
    irradiated = (
        sound[typed.Radiotherapy.table()]
        .filter("irradiated")
        .group_by(key)
        .agg(_irradiated=pl.lit(True), _within=within.any())
    )
    operated = (
        sound[typed.Surgery.table()]
        .filter(pl.col("intent").ne_missing("diagnostic"))
        .group_by(key)
        .agg(_operated=pl.lit(True))
    )
    ranked = tumours
    for part in (irradiated, operated):
        ranked = ranked.join(part, on=key, how="left", nulls_equal=True, maintain_order="left")
    regions = [~pl.col("region").fill_null("").is_in(list(preference.regions))]
    ranked = ranked.sort(
        "patient_id",
        pl.col("histology_group").is_null(),
        *(regions if preference.regions else []),
        "_irradiated",
        ~pl.col("_within"),
        "_operated",
        "diagnosis_date",
        "diagnosis_day",
        "tumour_id",
        nulls_last=True,
    )
    return ranked.group_by("patient_id", maintain_order=True).agg(index=pl.col("tumour_id").first())


def of_index(frame: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Fill a missing tumour of records with the index tumour.

    Args:
        frame: records with ``tumour_id``.
        chosen: from :func:`choose`.
    """
    if frame.is_empty():
        return frame
    return (
        frame.join(chosen, on="patient_id", how="left", maintain_order="left")
        .with_columns(tumour_id=pl.coalesce("tumour_id", "index"))
        .drop("index")
    )
