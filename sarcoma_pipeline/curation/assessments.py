"""Examinations: reports to one row per examination of a tumour."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, merged
from schemas import curated, typed


def curate(sound: Frames) -> pl.DataFrame:
    """Join the reports of each examination.

    Reports of one reporter on one tumour, day and number are one examination; the newest value counts. One
    number on two days is two examinations. What two reporters saw on one day stays apart.

    Args:
        sound: the typed tables with their tumours.

    Returns:
        Rows of ``curated.assessment`` without days.
    """
    records = sound[typed.Assessment.table()].sort(*NEWEST_LAST, nulls_last=False)
    dated = pl.col("assessment_date").is_not_null() | pl.col("assessment_day").is_not_null()
    number = pl.when(~dated & pl.col("module_id").is_null()).then("record_id").otherwise("module_id")
    return merged(
        records,
        [*TUMOUR, "reporter", "assessment_date", "assessment_day", number],
        curated.Assessment,
    )
