"""Find reasons against publishing a study: the results do not fit the data that were read.

A wrong mapping leaves no fault in any record: an endpoint without events looks like a healthy cohort. Each
reason says what to check, and how to publish anyway if the result can be right.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.implausible_results import (
    Frames,
    Reason,
    excluded_everybody,
    on_one_day,
    without_events,
    without_follow_up,
)
from sarcoma_pipeline.quality.unreadable_cells import mostly_unreadable, unreadable, without_record
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortFlow, CohortPatient
from schemas.configuration import Sources, Study


def never_published(
    study: Study,
    sources: Sources,
    tables: Frames,
    observed: pl.DataFrame,
    source_of: pl.DataFrame,
) -> list[Reason]:
    """Return every reason why the study must not be published; empty if there is none.

    Args:
        study: ``study.toml``.
        sources: ``sources.toml``.
        tables: typed tables and ``cohort.flow``, ``cohort.eligibility``, ``cohort.patients``,
            ``cohort.endpoints``.
        observed: observations of all steps.
        source_of: :func:`sources_of`.
    """
    return [
        *excluded_everybody(tables[CohortFlow.table()], tables[CohortEligibility.table()]),
        *without_follow_up(tables[CohortPatient.table()], tables[CohortEndpoint.table()]),
        *without_events(tables[CohortEndpoint.table()], tables[CohortPatient.table()], study, tables),
        *on_one_day(tables),
        *mostly_unreadable(unreadable(tables, observed, source_of), sources, study.gate),
        *without_record(tables, observed, source_of, sources, study.gate),
    ]
