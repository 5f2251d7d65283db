"""Quarantine: records that break an ``error`` rule reach no cohort until mended or waived."""

from __future__ import annotations

import polars as pl

from schemas.quality import Disposition, Quarantine


def quarantine(observed: pl.DataFrame) -> pl.DataFrame:
    """Records with at least one finding of severity ``error``.

    Args:
        observed: observations (``schemas.quality.Observation``), without those whose waiver is in force.

    Returns:
        ``quality.quarantine``: one row per record with the rules it breaks.
    """
    held = (
        observed.filter(pl.col("severity") == "error")
        .group_by("record_id")
        .agg(rule_ids=pl.col("rule_id").unique().sort())
        .sort("record_id")
    )
    return Quarantine.conform(held)


def settle(dispositions: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Dispositions, one a record: a record in quarantine is nothing else besides.

    Args:
        dispositions: all that steps of curation set aside.
        held: ``quality.quarantine``.

    Returns:
        ``quality.disposition``.
    """
    free = dispositions.join(held, on="record_id", how="anti")
    # A duplicate was never looked at any further, so nothing else can be true of it.
    ranked = free.sort(pl.col("disposition") != "duplicate", "record_id", maintain_order=True)
    once = ranked.unique("record_id", keep="first", maintain_order=True)
    return Disposition.conform(once.sort("record_id"))
