"""Find the last day of observation: of an examination that extends an endpoint, and known alive."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import looks
from sarcoma_pipeline.cohort.life_and_death import CUT_OFF, MOVED, REGISTRY
from sarcoma_pipeline.cohort.relapses import UNKNOWN
from schemas.assumptions import Assumptions
from schemas.configuration import EndpointRule
from schemas.vocabularies import DEATH_BY_TUMOUR, OTHER_DEATH

DEATHS = ("death", DEATH_BY_TUMOUR, OTHER_DEATH)


def last_looks(rule: EndpointRule, assumptions: Assumptions, events: pl.DataFrame) -> pl.DataFrame:
    """Return the last examination that extends the endpoint.

    An endpoint of one site ends before a relapse of unknown site.
    """
    return looked(looks.needed(rule), UNKNOWN in rule.events, assumptions, events)


def looked(
    needed: tuple[str, ...], unknown_counts: bool, assumptions: Assumptions, events: pl.DataFrame
) -> pl.DataFrame:
    """Return the last examination that states what is needed.

    Args:
        needed: the components that it must state.
        unknown_counts: whether a relapse of unknown site is an event of the endpoint.
        assumptions: the switches.
        events: the timeline.
    """
    # In two steps: the lists are looked into for examinations only.
    exams = events.filter(pl.col("kind") == "assessment", pl.col("day") >= 0)
    exams = exams.filter(looks.stating(needed, assumptions))
    lost = pl.col("kind") == UNKNOWN if needed and not unknown_counts else pl.lit(False)
    unknown = events.filter(lost).group_by("patient_id").agg(unknown_day=pl.col("day").min())
    before = exams.join(unknown, on="patient_id", how="left").filter(
        (pl.col("day") < pl.col("unknown_day")).fill_null(True)
    )
    return _latest(before, "looked").join(unknown, on="patient_id", how="full", coalesce=True)


def last_alive(assumptions: Assumptions, events: pl.DataFrame) -> pl.DataFrame:
    """Return the last day known alive; with the switch, the registry office's last answer if there is one."""
    # A statement or a relapse proves life on its first possible day; a contact counts in the middle.
    contact, first = pl.col("kind").is_in(CONTACTS), pl.min_horizontal("day", "day_earliest").clip(0)
    seen = events.filter(~pl.col("kind").is_in(DEATHS), pl.col("day").is_not_null()).with_columns(
        *(
            pl.when(contact).then(pl.col(c).clip(0)).otherwise(first).alias(c)
            for c in ("day", "day_earliest", "day_latest")
        ),
        _told=pl.col("day"),
    )
    last = _latest(seen, "alive")
    if assumptions.alive_until == "last contact":
        return last
    undated = events.filter(pl.col("kind") == "death", pl.col("day").is_null())
    asked = pl.col("detail").is_in([REGISTRY, MOVED, CUT_OFF])
    # An answer before time zero says nothing of the follow-up: the contacts after it do.
    answered = seen.filter(pl.col("kind") == "alive", asked, pl.col("_told") >= 0)
    office = _latest(answered, "alive").join(undated, on="patient_id", how="anti")
    return pl.concat([office, last.join(office, on="patient_id", how="anti")])


CONTACTS = (
    "assessment", "surgery", "definitive resection", "radiotherapy start", "radiotherapy end",
    "systemic therapy", "alive",
)  # fmt: skip
"""Kinds of rows on whose day somebody saw the patient."""


def _latest(days: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the last day of each patient, and the first and last days that it may mean."""
    last = pl.col("day") == pl.col("day").max()
    low, high = pl.col("day_earliest").max(), pl.col("day_latest").max()
    # In the alphabet, day comes before month and year.
    coarse = pl.col("precision").filter(pl.col("day_latest") == high).max()
    ids = [pl.col("record_ids").filter(last).explode().alias(f"{name}_ids")]
    return days.group_by("patient_id").agg(
        pl.col("day").max().alias(name),
        *(ids if "record_ids" in days.columns else ()),
        low.alias(f"{name}_earliest"),
        high.alias(f"{name}_latest"),
        pl.when(low == high).then(pl.lit("day")).otherwise(coarse).alias(f"{name}_precision"),
    )
