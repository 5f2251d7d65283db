"""Find the definitive resection of the primary tumour and its residual status.

It is the first resection of the primary with R0, R1, RX or no residual status (the last is a finding). A
re-resection soon after it, with no relapse between, belongs to it: its residual status counts.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.derived_once import once
from sarcoma_pipeline.cohort.primary import Curated, surgeries
from sarcoma_pipeline.cohort.relapses import first_relapse
from schemas.assumptions import Assumptions
from schemas.wound_operations import may_resect, on_wound

_ELSEWHERE = ("5-01", "5-32", "5-33", "5-40", "5-50")
"""OPS prefixes of operations on brain, lung, bronchus, lymph nodes and liver: not resections of soft
tissue."""


@once
def resections(curated: Curated) -> pl.DataFrame:
    """Return operations on the primary tumour, dated ones first and in order: rows of ``curated.surgery``.

    Of two operations on one day, the one with the worse residual status is sorted last. Operations whose
    procedures are all biopsies, or on organs to which sarcomas spread, are left out; so are those that only
    treat or close a wound, unless they have a residual status.
    """
    code = pl.element()
    elsewhere = code.str.starts_with("1-") | pl.any_horizontal(code.str.starts_with(p) for p in _ELSEWHERE)
    on_primary = pl.col("ops_codes").list.eval(~elsewhere).list.any().fill_null(True)
    none = pl.col("ops_codes").list.len() == 0
    graver = [pl.col("residual_status") != "RX", pl.col("residual_status")]
    return (
        surgeries(curated)
        .filter(on_primary | none.fill_null(True))
        .filter(may_resect())
        .sort("patient_id", "surgery_day", *graver, pl.col("record_ids").list.first(), nulls_last=True)
    )


def definitive(operations: pl.DataFrame) -> pl.DataFrame:
    """Return the definitive resection of each patient who had one.

    Returns:
        ``patient_id``, ``resected_on`` (day), ``resected_on_earliest`` and ``resected_on_latest`` (the days
        that a partial date may mean), ``resected_on_precision``, ``dated``.
    """
    return (
        operations.filter(pl.col("residual_status").ne_missing("R2"))
        .group_by("patient_id", maintain_order=True)
        .agg(
            resected_on=pl.col("surgery_day").first(),
            resected_on_earliest=pl.col("surgery_day_earliest").first(),
            resected_on_latest=pl.col("surgery_day_latest").first(),
            resected_on_precision=pl.col("surgery_date_precision").first(),
            dated=pl.col("surgery_day").first().is_not_null(),
        )
    )


def parts(curated: Curated, milestones: pl.DataFrame, events: pl.DataFrame, within: int) -> pl.DataFrame:
    """Return the days of the definitive resection and of the re-resections that belong to it.

    Args:
        curated: the curated tables.
        milestones: ``patient_id``, ``resected_on``.
        events: the timeline, for the first relapse.
        within: days after the definitive resection in which a re-resection belongs to it.

    Returns:
        ``patient_id``, ``therapy_day``, ``part`` (true).
    """
    day, resected = pl.col("surgery_day"), pl.col("resected_on")
    between = (pl.col("relapsed_on") > resected) & (pl.col("relapsed_on") <= day)
    return (
        resections(curated)
        .filter(~on_wound())
        # What is after the data cut-off is not in the timeline.
        .join(events, left_on=["patient_id", "surgery_day"], right_on=["patient_id", "day"], how="semi")
        .join(milestones.select("patient_id", "resected_on"), on="patient_id")
        .join(first_relapse(events), on="patient_id", how="left")
        .filter(day.is_between(resected, resected + within), ~between.fill_null(False))
        .select("patient_id", therapy_day="surgery_day", part=pl.lit(True))
        .unique()
    )


def residual(operations: pl.DataFrame, relapsed: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return the residual status, one row per operated patient.

    Args:
        operations: from :func:`resections`.
        relapsed: ``patient_id, relapsed_on``: the first relapse of any site.
        assumptions: which resection counts.

    Returns:
        ``patient_id``, ``residual_status``, ``left_status`` (always that of the definitive resection) and
        ``surgery_ids``.
    """
    first = definitive(operations)
    frame = operations.join(first, on="patient_id", how="left").join(relapsed, on="patient_id", how="left")
    day, relapse = pl.col("surgery_day"), pl.col("relapsed_on")
    until = pl.col("resected_on") + assumptions.reresection_days
    between = (relapse > pl.col("resected_on")) & (relapse <= day)
    same = day.is_between("resected_on", until) & ~between.fill_null(False)
    # A patient without a definitive resection keeps the status of the last operation, R2.
    same = pl.when(pl.col("resected_on").is_not_null()).then(same).otherwise(True)
    counts = same
    if assumptions.residual_status == "last resection":
        before = (day <= relapse).fill_null(True)
        counts = pl.when(before.any().over("patient_id")).then(before).otherwise(same)
    status = pl.col("residual_status")
    return frame.group_by("patient_id", maintain_order=True).agg(
        residual_status=status.filter(counts.fill_null(False)).drop_nulls().last(),
        left_status=status.filter(same.fill_null(False)).drop_nulls().last(),
        surgery_ids=pl.col("record_ids").explode(),
    )
