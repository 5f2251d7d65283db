"""Rules on the reporters of a source: who stopped reporting, and who dates an operation otherwise."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.quality.linked_records import with_own_tumour
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule
from schemas.sides import peers

SILENT_DAYS = 365
"""Follow-up of a sarcoma is due at least once a year: who treats patients has something to report."""
FEW_REPORTS = 10
"""A reporter of fewer reports may have had one patient only."""
DAYS_APART = 3
"""A re-resection needs the pathology of the first specimen, which takes longer."""


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
    who = ["source", "reporter"]
    reports = frames["every tumour_assignment"].select(*who, *NEWEST_LAST)
    reports = reports.drop_nulls(["reporter", "reported_on"])
    newest = (
        reports.sort(*who, *NEWEST_LAST, nulls_last=False)
        .with_columns(
            last=pl.col("reported_on").max().over("source"), number=pl.col("record_id").n_unique().over(who)
        )
        .unique(who, keep="last", maintain_order=True)
    )
    late = (pl.col("last") - pl.col("reported_on")).dt.total_days() > SILENT_DAYS
    return newest.filter(late, pl.col("number") >= FEW_REPORTS).select("record_id", *at("reported_on"))


@rule(
    "surgery.on-other-day-by-other-reporter",
    "warning",
    on="typed.surgery",
    scope="patient",
    what="Two Melder date an operation on the tumour one to three days apart, and each knows of one operation"
    " only. Both count, the later one as a re-resection.",
    remedy="In the tumour documentation, compare both with the operation report. If it was one operation, "
    "correct OP/Datum of the wrong report; else nothing needs to be done.",
    source="oBDS 3.0.4 OP/Datum",
    sides=peers(
        columns=("surgery_date", "module_id"),
        where=(pl.col("surgery_date") - pl.col("own_surgery_date"))
        .dt.total_days()
        .abs()
        .is_between(1, DAYS_APART),
    ),
)
def _operated_on_other_day(frames: Frames) -> pl.DataFrame:
    reporters = frames["tumour_assignment"].select("record_id", "reporter").unique("record_id")
    told = (
        with_own_tumour(frames, frames["surgery"])
        .filter(pl.col("intent").ne_missing("diagnostic"))
        .join(reporters, on="record_id")
        .drop_nulls(["patient_id", "reporter", "surgery_date"])
        .select("record_id", "patient_id", "own_tumour", "reporter", "surgery_date")
    )
    who = ["patient_id", "own_tumour"]
    apart = (pl.col("surgery_date") - pl.col("surgery_date_right")).dt.total_days()
    pairs = told.join(told, on=who, nulls_equal=True).filter(apart.is_between(1, DAYS_APART))
    # Who reports both days knows of two operations.
    both = pairs.filter(pl.col("reporter") == pl.col("reporter_right")).select(
        *who, "surgery_date", "surgery_date_right"
    )
    found = pairs.filter(pl.col("reporter") != pl.col("reporter_right")).join(
        both, on=[*who, "surgery_date", "surgery_date_right"], how="anti", nulls_equal=True
    )
    return found.unique("record_id").sort("record_id").select("record_id", *at("surgery_date"))
