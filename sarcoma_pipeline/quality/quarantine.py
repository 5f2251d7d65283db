"""Quarantine: records that break an ``error`` rule do not reach the cohort until corrected or waived."""

from __future__ import annotations

import polars as pl

from schemas.quality import Disposition, Quarantine
from schemas.vocabularies import DUPLICATE, ERROR


def quarantine(observed: pl.DataFrame) -> pl.DataFrame:
    """Return the records with at least one finding of severity ``error``.

    Args:
        observed: observations (``schemas.quality.Observation``), without those whose waiver is in force.

    Returns:
        ``quality.quarantine``: one row per record with the rules it breaks.
    """
    quarantined = (
        observed.filter(pl.col("severity") == ERROR)
        .group_by("record_id")
        .agg(rule_ids=pl.col("rule_id").unique().sort())
        .sort("record_id")
    )
    return Quarantine.conform(quarantined)


def settle(dispositions: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return one disposition per record; a record in quarantine has no other.

    Args:
        dispositions: all records set aside by steps of curation.
        held: ``quality.quarantine``.

    Returns:
        ``quality.disposition``.
    """
    free = dispositions.join(held, on="record_id", how="anti")
    # "duplicate" takes precedence, because duplicates are not processed any further.
    ranked = free.sort(pl.col("disposition") != DUPLICATE, "record_id", maintain_order=True)
    once = ranked.unique("record_id", keep="first", maintain_order=True)
    return Disposition.conform(once.sort("record_id"))
