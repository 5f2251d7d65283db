"""`cohort.endpoints` of the demo, from its file of truth: data/demo/demo_cohort.csv."""

from __future__ import annotations

import polars as pl

from schemas.cohort import CohortEndpoint

MONTH = 30.4375
"""Days."""
NAMES = ("OS", "DFS", "DMFS", "LRFS")


def demo_endpoints(demo: pl.DataFrame) -> pl.DataFrame:
    parts = [
        demo.select(
            pseudonym="patient",
            endpoint=pl.lit(name),
            time_days=f"{name.lower()}_days",
            time_months=pl.col(f"{name.lower()}_days") / MONTH,
            event=f"{name.lower()}_event",
            # The CSV file has no kind of event: the cohort layer derives it.
            event_kind=pl.when(f"{name.lower()}_event").then(pl.lit("death")).otherwise(pl.lit("censored")),
            evidence=pl.concat_list("patient"),
            time_days_earliest=f"{name.lower()}_days",
            time_days_latest=f"{name.lower()}_days",
        )
        for name in NAMES
    ]
    return CohortEndpoint.enforce(CohortEndpoint.conform(pl.concat(parts)))
