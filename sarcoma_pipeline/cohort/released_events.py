"""Build ``cohort.events``: the timeline of the eligible patients, pseudonymous and without calendar dates."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.cohort_events import CohortEvent
from schemas.distinct_values import distinct


def events(timeline: Timeline, members: pl.DataFrame) -> pl.DataFrame:
    """Return ``cohort.events`` of the members, in order.

    Args:
        timeline: the events.
        members: ``patient_id``, ``pseudonym``.
    """
    named = timeline.events.join(members, on="patient_id", maintain_order="left")
    evidence = distinct(pl.col("record_ids"))
    return CohortEvent.conform(
        named.with_columns(evidence=evidence).sort("pseudonym", "day", nulls_last=True, maintain_order=True)
    )
