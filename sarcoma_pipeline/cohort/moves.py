"""Find patients whose overall survival is censored on the day of a move although they were seen later."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.finding_place import candidates
from sarcoma_pipeline.cohort.last_days import CONTACTS
from sarcoma_pipeline.cohort.life_and_death import CUT_OFF, MOVED, REGISTRY
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.cohort import CohortEndpoint
from schemas.rule import Rule
from schemas.sides import AFTER_MOVE

SEEN_AFTER_MOVE = Rule(
    "vital-status.seen-after-move",
    "warning",
    on=CohortEndpoint.table(),
    scope="patient",
    what="The person is stated to have moved away, but was examined, treated or stated to be alive on a "
    "later day. Overall survival is censored on the day of the move.",
    remedy="Compare the date of the move in the registry office's answer with the later date. If both are "
    "right, ask the registry office at the new address: its answer moves the censoring. Otherwise correct "
    "the wrong one.",
    source="docs/architecture.md, endpoints: a move censors at its own date",
    sides=AFTER_MOVE,
)


def observe(timeline: Timeline, members: pl.DataFrame) -> pl.DataFrame:
    """Return moves that end the time of overall survival before a later contact.

    A later answer of the registry office, the data cut-off and a death end the time instead. Where the last
    contact ends it (switch ``alive_until``), no move does.

    Args:
        timeline: the events of the patients.
        members: ``patient_id``, ``pseudonym`` of the cohort.

    Returns:
        What ``finding_place.placed`` takes.
    """
    events = timeline.events.join(members, on="patient_id", how="semi")
    if timeline.assumptions.alive_until == "last contact":
        events = events.clear()
    told = events.filter(pl.col("detail").is_in([REGISTRY, MOVED, CUT_OFF]), pl.col("day") >= 0)
    last = pl.col("day") == pl.col("day").max().over("patient_id")
    moved = told.filter(last, (pl.col("detail") == MOVED).all().over("patient_id", "day"))
    seen = (
        events.filter(pl.col("kind").is_in(CONTACTS))
        .group_by("patient_id")
        .agg(_seen=pl.col("day_earliest").max())
    )
    late = (
        moved.join(events.filter(pl.col("kind") == "death"), on="patient_id", how="anti")
        .join(seen, on="patient_id")
        .filter(pl.col("_seen") > pl.col("day_latest"))
    )
    note = pl.format("seen {} days after the move", pl.col("_seen") - pl.col("day"))
    return candidates(late, "patient_id", SEEN_AFTER_MOVE, "typed.vital_status", "status_date", note=note)
