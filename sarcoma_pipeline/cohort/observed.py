"""Compute how long each patient could be observed for each endpoint, and the days of their treatment."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import covariates, eligibility, primary
from sarcoma_pipeline.cohort.endpoint_rules import of_relapse, resolved
from sarcoma_pipeline.cohort.endpoints import MILESTONE
from sarcoma_pipeline.cohort.last_days import last_looks
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.timeline import Timeline, timeline
from schemas.configuration import EndpointRule, Study

OBSERVED = ("pseudonym", "endpoint", "possible_days", "looked_days", "needs_examinations", *MILESTONE)
"""Columns of an observation; the milestones are days since the endpoint's origin."""


def observed(curated: Curated, study: Study, pseudonyms: pl.Series) -> pl.DataFrame:
    """Return one row per patient and endpoint, with the columns :data:`OBSERVED`.

    The possible time ends at the data cut-off, or earlier at the event, a censoring event or death.

    Args:
        curated: the curated tables.
        study: the endpoints and the assumptions.
        pseudonyms: of the cohort.
    """
    happened = timeline(curated, study.assumptions)
    members = eligibility.members(curated, pseudonyms)
    cut = covariates.cut_off(curated, happened)
    zero = primary.tumour(curated).select(
        "patient_id", _last=(pl.lit(cut, dtype=pl.Date) - pl.col("diagnosis_date")).dt.total_days()
    )
    frame = members.join(happened.milestones, on="patient_id").join(zero, on="patient_id")
    parts = [_of_endpoint(resolved(r, happened), happened, frame) for r in study.endpoints if r.derivable]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])


_SCHEMA = {
    "pseudonym": pl.String, "endpoint": pl.String, "possible_days": pl.Int64, "looked_days": pl.Int64,
    "needs_examinations": pl.Boolean, **dict.fromkeys(MILESTONE, pl.Int64),
}  # fmt: skip


def _of_endpoint(rule: EndpointRule, happened: Timeline, frame: pl.DataFrame) -> pl.DataFrame:
    ends = {"death", *rule.events, *rule.censored_by}
    ended = (
        happened.events.filter(pl.col("kind").is_in(ends), pl.col("day").is_not_null())
        .group_by("patient_id")
        .agg(_ended=pl.col("day").min())
    )
    looks = last_looks(rule, happened.assumptions, happened.events).select("patient_id", "looked")
    joined = frame.join(ended, on="patient_id", how="left").join(looks, on="patient_id", how="left")
    zero = pl.lit(0) if rule.origin in (None, "diagnosis") else pl.col(MILESTONE[rule.origin])
    needs = of_relapse(rule)
    return joined.select(
        "pseudonym",
        endpoint=pl.lit(rule.name),
        possible_days=(pl.min_horizontal("_last", "_ended") - zero).cast(pl.Int64),
        looked_days=(pl.col("looked") - zero).cast(pl.Int64) if needs else pl.lit(None, pl.Int64),
        needs_examinations=pl.lit(needs),
        **{name: (pl.col(c) - zero).cast(pl.Int64) for name, c in MILESTONE.items()},
    )
