"""Curate systemic therapies: merge the reports of start and end into one row per therapy."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation import reports_differ
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_dates import of_one_event
from sarcoma_pipeline.curation.event_numbers import with_date_of_number
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, merged
from schemas import curated, typed
from schemas.rule import Rule
from schemas.sides import peers

REPORTS_DIFFER = Rule(
    "systemic-therapy.reports-differ",
    "warning",
    on="typed.systemic_therapy",
    scope="source",
    what="Two reports of one systemic therapy (same tumour, kind and first day) give different components or "
    "protocols. A report of the end counts before one of the start, then the newer report.",
    remedy="Compare Therapieart and Protokoll of both reports with the letter. Correct the wrong one. If "
    "they were two therapies, give each its own first day.",
    source="oBDS 3.0.4 SYST",
    overruled=True,
    sides=peers("start_date"),
)

_FLAGS = {
    "chemotherapy": "chemotherapy", "immunotherapy": "immunotherapy", "targeted": "targeted",
    "hormone_therapy": "hormone therapy",
}  # fmt: skip


_STATED = ("kind", "given", "protocol", *_FLAGS)


def curate(sound: Frames) -> pl.DataFrame:
    """Merge the reports of each systemic therapy: same tumour, kind, first day, and given or not.

    An end reported without a start belongs to the start with the same number. What the end says is not undone
    by a report of the start, in whatever order they were exported.

    Args:
        sound: the typed tables with their tumours.

    Returns:
        Rows of ``curated.systemic_therapy`` without days.
    """
    records = _as_ended(_records(sound).sort(*NEWEST_LAST, nulls_last=False))
    therapy = [*TUMOUR, "kind", "given", "start_date", "start_day"]
    return merged(of_one_event(records, "start_date", therapy), therapy, curated.SystemicTherapy)


def _records(sound: Frames) -> pl.DataFrame:
    records = with_date_of_number(sound[typed.SystemicTherapy.table()], "start_date")
    # A source without components, such as a table, has one component: the kind.
    return records.with_columns(
        *(pl.coalesce(flag, pl.col("kind") == kind).alias(flag) for flag, kind in _FLAGS.items()),
        _ended=pl.any_horizontal(pl.col("end_date", "end_reason").is_not_null()),
    )


def _as_ended(records: pl.DataFrame) -> pl.DataFrame:
    """Replace what reports of a start say by what a report of the end of the same therapy says.

    Args:
        records: of :func:`_records`, the newest last.
    """
    therapy = [*TUMOUR, "source", "reporter", "start_date", "start_day", "_number"]
    numbered = records.with_columns(_number=pl.coalesce("module_id", "kind"))
    ended = {c: pl.col(c).filter("_ended").drop_nulls().last().over(therapy) for c in _STATED}
    return numbered.with_columns(
        pl.when("_ended").then(c).otherwise(pl.coalesce(of_end, c)).alias(c) for c, of_end in ended.items()
    )


def observe(therapies: pl.DataFrame, sound: Frames) -> pl.DataFrame:
    """Return contradictions between reports of one therapy.

    Args:
        therapies: ``curated.systemic_therapy``.
        sound: the typed tables with their tumours.
    """
    current = reports_differ.current(_records(sound), "start_date", "_ended")
    table = typed.SystemicTherapy.table()
    return reports_differ.observe(therapies, current, (*_FLAGS, "protocol"), REPORTS_DIFFER, table)
