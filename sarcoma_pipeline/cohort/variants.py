"""Runs the cohort again with every other value of every switch, from the curated events on."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.cohort import covariates, eligibility, endpoints
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.timeline import timeline
from schemas.assumptions import Assumptions, Value, alternatives
from schemas.configuration import Study


def runs(curated: Curated, study: Study) -> Iterator[tuple[str, Value, pl.DataFrame, pl.DataFrame]]:
    """Yield the cohort under each alternative of the study's assumptions.

    Args:
        curated: the curated tables.
        study: criteria, endpoints and assumptions.

    Returns:
        The switch, its value, ``cohort.patients`` and ``cohort.endpoints``.
    """
    for switch, value, assumptions in alternatives(study.assumptions):
        yield (switch.name, value, *derived(curated, study, assumptions))


def derived(curated: Curated, study: Study, assumptions: Assumptions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Derive ``cohort.patients`` and ``cohort.endpoints`` anew."""
    happened = timeline(curated, assumptions)
    eligible = eligibility.eligible(eligibility.assess(curated, happened, study).eligibility)
    members = eligibility.members(curated, eligible)
    return (
        covariates.patients(curated, happened, eligible),
        endpoints.derive(happened, members, study).endpoints,
    )
