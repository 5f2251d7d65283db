"""Derive the cohort again under every alternative value of every switch.

A run repeats the derivation from the step that its switch changes (``Switch.acts``); earlier steps are
taken from the main analysis. If the timeline is unchanged, the cohort of the main analysis is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from sarcoma_pipeline.cohort import covariates, eligibility, endpoints
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.timeline import Timeline, timeline
from schemas.assumptions import Assumptions, Value, alternatives
from schemas.configuration import Study

Cohort = tuple[pl.DataFrame, pl.DataFrame]
"""``cohort.patients`` and ``cohort.endpoints``."""


def runs(curated: Curated, study: Study, main: Cohort) -> Iterator[tuple[str, Value, Cohort]]:
    """Yield the cohort under each alternative of the study's assumptions.

    Args:
        curated: the curated tables.
        study: criteria, endpoints and assumptions.
        main: the cohort under the study's own assumptions.
    """
    happened = timeline(curated, study.assumptions)
    members = eligibility.members(curated, main[0]["pseudonym"])
    for switch, value, assumptions in alternatives(study.assumptions):
        here = replace(happened, assumptions=assumptions)
        if switch.switch.acts == "endpoints":
            yield switch.name, value, (main[0], endpoints.derive(here, members, study).endpoints)
        elif switch.switch.acts == "cohort":
            yield switch.name, value, _from_cohort(curated, here, study, main)
        else:
            here = timeline(curated, assumptions)
            alike = here.events.equals(happened.events) and here.milestones.equals(happened.milestones)
            yield switch.name, value, main if alike else _from_cohort(curated, here, study, None)


def derived(curated: Curated, study: Study, assumptions: Assumptions) -> Cohort:
    """Derive ``cohort.patients`` and ``cohort.endpoints`` from the curated tables."""
    return _from_cohort(curated, timeline(curated, assumptions), study, None)


def _from_cohort(curated: Curated, happened: Timeline, study: Study, main: Cohort | None) -> Cohort:
    """Derive the cohort from a timeline; with the same patients, the endpoints of ``main`` are kept."""
    described = covariates.describe(curated, happened, study.gate)
    eligible = eligibility.eligible(eligibility.assess(curated, happened, study, described).eligibility)
    patients = described.filter(pl.col("pseudonym").is_in(eligible.implode()))
    if main and patients["pseudonym"].equals(main[0]["pseudonym"].sort()):
        return patients, main[1]
    members = eligibility.members(curated, eligible)
    return patients, endpoints.derive(happened, members, study).endpoints
