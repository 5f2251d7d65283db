"""Systemic therapies: reports of begin and end, of several sources, to one row per therapy of a tumour."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_numbers import with_date_of_number
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, merged
from schemas import curated, typed

_FLAGS = {
    "chemotherapy": "chemotherapy", "immunotherapy": "immunotherapy", "targeted": "targeted",
    "hormone_therapy": "hormone therapy",
}  # fmt: skip


def curate(sound: Frames) -> pl.DataFrame:
    """Join the reports of each systemic therapy: same tumour, kind, first day, and given or not.

    An end that is reported without its begin belongs to the begin of the same number.

    Args:
        sound: the typed tables with their tumours.

    Returns:
        Rows of ``curated.systemic_therapy`` without days.
    """
    records = with_date_of_number(sound[typed.SystemicTherapy.table()], "start_date").sort(
        *NEWEST_LAST, nulls_last=False
    )
    # A source without components, as a table, has one: its kind.
    records = records.with_columns(
        pl.coalesce(flag, pl.col("kind") == kind).alias(flag) for flag, kind in _FLAGS.items()
    )
    return merged(records, [*TUMOUR, "kind", "given", "start_date", "start_day"], curated.SystemicTherapy)
