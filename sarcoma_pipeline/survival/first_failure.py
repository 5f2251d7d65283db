"""Pattern of first failure: where the disease came back first, and what came instead of a relapse.

Relapses within the declared days of the first one belong to it: their sites together are the pattern.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH
from schemas.analysis_models import FirstFailure
from schemas.vocabularies import (
    DISTANT_RELAPSE,
    LOCAL_RELAPSE,
    REGIONAL_RELAPSE,
    SECOND_MALIGNANCY,
    UNKNOWN_RELAPSE,
)

_SITES = {
    LOCAL_RELAPSE: "local",
    REGIONAL_RELAPSE: "regional",
    DISTANT_RELAPSE: "distant",
    UNKNOWN_RELAPSE: "unknown site",
}
"""Kind of event to the site of the pattern, in the order in which sites are named."""

SECOND, DEATH = SECOND_MALIGNANCY, "death without relapse"
UNDATED, NONE = "relapse without a date", "no failure"


def first_failure(events: pl.DataFrame, patients: pl.DataFrame, days: int) -> pl.DataFrame:
    """Count the patterns.

    Args:
        events: `schemas.cohort_events.CohortEvent`.
        patients: `schemas.cohort.CohortPatient`.
        days: relapses within these days of the first one are one pattern.

    Returns:
        `schemas.analysis_models.FirstFailure`: relapses by number of patients, then what else came first,
        then patients without failure; each patient once.
    """
    by_patient = events.select("pseudonym", "day", "kind").join(
        patients.select("pseudonym"), on="pseudonym", how="semi"
    )
    relapses = by_patient.filter(pl.col("kind").is_in(list(_SITES)))
    first = relapses.group_by("pseudonym").agg(first=pl.col("day").min())
    among = relapses.join(first, on="pseudonym").filter(pl.col("day") <= pl.col("first") + days)
    order = pl.Enum(list(_SITES.values()))
    patterns = (
        among.select("pseudonym", "first", site=pl.col("kind").replace_strict(_SITES, return_dtype=order))
        .unique()
        .sort("pseudonym", "site")
        .group_by("pseudonym", "first", maintain_order=True)
        .agg(pl.col("site").cast(pl.String).str.join(" and ").alias("pattern"))
    )
    died = by_patient.filter(pl.col("kind") == "death")["pseudonym"].unique()
    everybody = patients.select("pseudonym").join(patterns, on="pseudonym", how="left")
    for name, kind in ((SECOND, SECOND_MALIGNANCY), (DEATH, "death")):
        days_of = by_patient.filter(pl.col("kind") == kind).group_by("pseudonym").agg(pl.col("day").min())
        everybody = everybody.join(days_of.rename({"day": name}), on="pseudonym", how="left")
    undated = pl.col("pseudonym").is_in(first.filter(pl.col("first").is_null())["pseudonym"].implode())
    is_dead = pl.col("pseudonym").is_in(died.implode())
    # A second malignancy before the relapse is the first failure; on the same day the relapse is.
    second = pl.col(SECOND).is_not_null() & (pl.col(SECOND) < pl.col("first")).fill_null(True)
    told = everybody.with_columns(
        pattern=pl.when(second)
        .then(pl.lit(SECOND))
        .when(pl.col("pattern").is_not_null())
        .then(pl.concat_str("pattern", pl.lit(" relapse")))
        .when(undated)
        .then(pl.lit(UNDATED))
        .when(is_dead)
        .then(pl.lit(DEATH))
        .otherwise(pl.lit(NONE)),
        day=pl.when(second).then(SECOND).otherwise(pl.coalesce("first", DEATH)),
        dead=is_dead,
    ).with_columns(day=pl.when(~pl.col("pattern").is_in([UNDATED, NONE])).then("day"))
    rank = {SECOND: 1, DEATH: 2, UNDATED: 3, NONE: 4}
    counted = (
        told.group_by("pattern")
        .agg(
            n=pl.len(),
            median_months=pl.col("day").cast(pl.Float64).median() / DAYS_PER_MONTH,
            died=pl.col("dead").sum(),
        )
        .with_columns(
            denominator=pl.lit(patients.height, pl.Int64),
            percent=100 * pl.col("n") / patients.height if patients.height else None,
            rank=pl.col("pattern").replace_strict(rank, default=0, return_dtype=pl.Int64),
        )
        .sort("rank", "n", "pattern", descending=[False, True, False])
        .with_row_index("position", offset=1)
    )
    return FirstFailure.enforce(FirstFailure.conform(counted))
