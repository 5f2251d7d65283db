"""Rules on the reporters of a source: who stopped reporting while others go on."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule

SILENT_DAYS = 365
"""Follow-up of a sarcoma is due at least once a year: who treats patients has something to report."""
FEW_REPORTS = 10
"""A reporter of fewer reports may have had one patient only."""


@rule(
    "reporter.silent",
    "warning",
    on="typed.tumour_assignment",
    scope="source",
    what="A Melder of at least 10 reports sent its newest one more than a year before the newest report of"
    " its source. Follow-up, relapses and deaths that it knows of are missing since.",
    remedy="Ask the Melder whether it still reports, and the sender whether its export takes that Melder"
    " along. If the Melder has closed, acknowledge the finding with the reason.",
    source="oBDS 3.0.4 Melder, Meldedatum",
    alone="all reports of the Melder and of its source are compared",
)
def _silent(frames: Frames) -> pl.DataFrame:
    """Judge reporters by the days of their reports, those in quarantine included."""
    reports = frames["every tumour_assignment"].drop_nulls(["reporter", "reported_on"])
    who = ["source", "reporter"]
    newest = (
        reports.sort(*who, *NEWEST_LAST, nulls_last=False)
        .with_columns(
            last=pl.col("reported_on").max().over("source"), number=pl.col("record_id").n_unique().over(who)
        )
        .unique(who, keep="last", maintain_order=True)
    )
    late = (pl.col("last") - pl.col("reported_on")).dt.total_days() > SILENT_DAYS
    return newest.filter(late, pl.col("number") >= FEW_REPORTS).select("record_id", *at("reported_on"))
