"""Systemic therapies: reports of begin and end, of several sources, to one row per therapy of a tumour."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_numbers import with_date_of_number
from sarcoma_pipeline.curation.event_rows import Frames, merged, ranked
from sarcoma_pipeline.curation.observations import observation
from schemas import curated, typed
from schemas.quality import Observation
from schemas.rule import Rule

_FLAGS = {
    "chemotherapy": "chemotherapy", "immunotherapy": "immunotherapy", "targeted": "targeted",
    "hormone_therapy": "hormone therapy",
}  # fmt: skip


REPORTS_DIFFER = Rule(
    "systemic-therapy.reports-differ",
    "warning",
    on="typed.systemic_therapy",
    scope="source",
    what="Two reporters give one systemic therapy different protocols or components; the source named first "
    "in the precedence, then the newer report counts.",
    remedy="Compare Protokoll and Therapieart of both SYST with the therapy plan. Correct the wrong one.",
    source="oBDS 3.0.4 SYST",
    overruled=True,
)
_COMPARED = ("protocol", *_FLAGS)


def curate(sound: Frames, precedence: Sequence[str]) -> pl.DataFrame:
    """Join the reports of each systemic therapy: same tumour, kind, first day, and given or not.

    An end that is reported without its begin belongs to the begin of the same number. Of two reporters the
    source named first in the precedence counts, then the newest report, field by field.

    Args:
        sound: the typed tables with their tumours.
        precedence: kinds of source, the most credible first.

    Returns:
        Rows of ``curated.systemic_therapy`` without days.
    """
    records = _records(sound, precedence)
    return merged(records, [*TUMOUR, "kind", "given", "start_date", "start_day"], curated.SystemicTherapy)


def observe(therapies: pl.DataFrame, sound: Frames, precedence: Sequence[str]) -> pl.DataFrame:
    """Find what other reporters say of a therapy and does not count; a correction of one's own is no fault.

    Args:
        therapies: ``curated.systemic_therapy``.
        sound: the typed tables with their tumours.
        precedence: kinds of source, the most credible first.
    """
    number = [*TUMOUR, "source", "reporter", "start_date", pl.coalesce("module_id", "record_id")]
    current = _records(sound, precedence).unique(number, keep="last", maintain_order=True)
    table = typed.SystemicTherapy.table()
    seen = [Observation.empty()]
    for column in _COMPARED:
        chosen = therapies.select("record_ids", _chosen=_plain(column)).explode("record_ids")
        told = chosen.join(
            current.select("record_id", column), left_on="record_ids", right_on="record_id"
        ).rename({"record_ids": "record_id"})
        other = told.filter(_plain(column) != pl.col("_chosen"))
        seen.append(observation(other, REPORTS_DIFFER, table, column, pl.col(column).cast(pl.String)))
    return pl.concat(seen)


def _plain(column: str) -> pl.Expr:
    """A value as it is compared: of a protocol's name neither case nor signs count."""
    if column != "protocol":
        return pl.col(column)
    return pl.col(column).str.to_lowercase().str.replace_all(r"[^\p{L}\d]", "")


def _records(sound: Frames, precedence: Sequence[str]) -> pl.DataFrame:
    """The typed records in rising order of credibility, with the flags of their components."""
    records = ranked(with_date_of_number(sound[typed.SystemicTherapy.table()], "start_date"), precedence)
    # A source without components, as a table, has one: its kind.
    return records.with_columns(
        pl.coalesce(flag, pl.col("kind") == kind).alias(flag) for flag, kind in _FLAGS.items()
    )
