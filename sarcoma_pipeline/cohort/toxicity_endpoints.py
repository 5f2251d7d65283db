"""Derive ``cohort.toxicity_endpoints``: who had each toxicity of study.toml, who is documented, and when.

A grade is counted from the first day of the primary course of radiotherapy, a major wound complication from
the definitive resection. The risk ends with the toxicity, death, an amputation, or the end of observation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import resection, within_bounds
from sarcoma_pipeline.cohort.primary import Curated, surgeries
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.gate import Gate
from schemas.toxicity_codes import ACUTE_DAYS, WOUND_DAYS
from schemas.toxicity_toml import ToxicityEndpoint
from schemas.vocabularies import TOXICITY_OUTCOME
from schemas.wound_operations import amputates

TOXICITY, DEATH, AMPUTATION, CENSORED = TOXICITY_OUTCOME


@dataclass(frozen=True)
class _Days:
    """Days of the members since time zero.

    Attributes:
        members: one row per member: ``pseudonym``, ``radiotherapy_start``, ``radiotherapy_end``,
            ``resected_on``, ``reresected_on`` (last re-resection that belongs to it), ``died``, ``looked``
            (last examination), ``doubtful`` (a date beyond the bounds).
        courses: ``pseudonym``, ``day``: first days of further courses.
        amputations: ``pseudonym``, ``day``.
    """

    members: pl.DataFrame
    courses: pl.DataFrame
    amputations: pl.DataFrame


def derive(
    curated: Curated,
    timeline: Timeline,
    members: pl.DataFrame,
    toxicity: pl.DataFrame,
    endpoints: Sequence[ToxicityEndpoint],
    gate: Gate,
) -> pl.DataFrame:
    """Return ``cohort.toxicity_endpoints``: a row per member and endpoint.

    Args:
        curated: the curated tables, for the OPS codes of amputations.
        timeline: the events of the patients.
        members: ``patient_id``, ``pseudonym``.
        toxicity: ``cohort.toxicity`` of the members.
        endpoints: as study.toml declares them.
        gate: bounds of days; a patient with a date beyond them has no time.
    """
    days = _days(curated, timeline, members, gate)
    parts = [CohortToxicityEndpoint.conform(_endpoint(days, toxicity, endpoint)) for endpoint in endpoints]
    return pl.concat([CohortToxicityEndpoint.empty(), *parts])


def states(toxicity: pl.DataFrame, endpoint: ToxicityEndpoint) -> pl.DataFrame:
    """Return the documented patients with what they had.

    A grade up to day 90 is documented by a statement of acute toxicity, or that there was none; a late one by
    a statement of late toxicity: the side effects of an oBDS report end at day 90 and say nothing of later.

    Args:
        toxicity: `schemas.cohort_toxicity.CohortToxicity`.
        endpoint: what counts.

    Returns:
        ``pseudonym``, ``event``, ``unclear`` (may have had one), ``onset`` (day of the first one, since time
        zero), ``stated`` (day of the last dated statement), ``evidence``.
    """
    stated = toxicity.filter(pl.col("statement") != "unknown")
    if endpoint.measure == "major wound complication":
        mine = stated.filter(therapy="surgery", of_primary_treatment=True)
        says = pl.col("major_wound_complication")
        told, event = pl.lit(True), says.fill_null(False)
        maybe = says.is_null()
    else:
        mine = stated.filter(therapy="radiotherapy", of_primary_treatment=True)
        present = pl.col("statement") == "present"
        here = pl.col("window") == endpoint.window
        told = here.fill_null(False)
        versions = list(endpoint.ctcae_versions)
        grade = pl.col("grade")
        if versions:
            grade = pl.when(pl.col("ctcae_version").is_in(versions)).then(grade)
        grave = present & (grade >= endpoint.least_grade)
        kind = pl.col("category").is_in(list(endpoint.categories)) if endpoint.categories else pl.lit(True)
        whole = grave & here & kind
        event = whole.fill_null(False)
        # Null where a part is not documented: then it may be an event.
        maybe = whole.is_null()
    counts = pl.col("_event") | (pl.col("_maybe") if endpoint.unclear == "with" else pl.lit(False))
    return (
        mine.with_columns(_told=told, _event=event, _maybe=maybe)
        .group_by("pseudonym")
        .agg(
            told=pl.col("_told").any(),
            event=counts.any(),
            unclear=pl.col("_maybe").any() & ~pl.col("_event").any(),
            onset=pl.col("onset_day").filter(counts).min(),
            stated=pl.col("onset_day").max(),
            evidence=pl.col("evidence").explode().unique().sort(),
        )
        .filter("told")
        .drop("told")
    )


def _days(curated: Curated, timeline: Timeline, members: pl.DataFrame, gate: Gate) -> _Days:
    named = members.select("patient_id", "pseudonym")
    events = timeline.events.filter(pl.col("day").is_not_null()).join(named, on="patient_id")
    kind, day = pl.col("kind"), pl.col("day")
    happened = events.group_by("patient_id").agg(
        died=day.filter(kind == "death").min(), looked=day.filter(kind == "assessment").max()
    )
    further = (kind == "radiotherapy start") & (pl.col("detail") == "further course")
    amputations = (
        surgeries(curated)
        .filter(amputates())
        # What is after the data cut-off is not in the timeline.
        .join(events, left_on=["patient_id", "surgery_day"], right_on=["patient_id", "day"])
        .select("pseudonym", day="surgery_day")
    )
    doubtful = within_bounds.doubtful_times(timeline.events, gate)["patient_id"]
    milestones = timeline.milestones.select(
        "patient_id", "radiotherapy_start", "radiotherapy_end", "resected_on"
    )
    within = timeline.assumptions.reresection_days
    parts = resection.parts(curated, timeline.milestones, timeline.events, within)
    last = parts.group_by("patient_id").agg(reresected_on=pl.col("therapy_day").max())
    return _Days(
        named.join(milestones, on="patient_id", how="left")
        .join(last, on="patient_id", how="left")
        .join(happened, on="patient_id", how="left")
        .with_columns(doubtful=pl.col("patient_id").is_in(doubtful.implode())),
        events.filter(further).select("pseudonym", "day"),
        amputations,
    )


def _endpoint(days: _Days, toxicity: pl.DataFrame, endpoint: ToxicityEndpoint) -> pl.DataFrame:
    wound = endpoint.measure != "grade"
    origin, died, had = pl.col("origin"), pl.col("died"), pl.col("had")
    closes = origin + ACUTE_DAYS if endpoint.window == "acute" else pl.lit(None, pl.Int32)
    if wound:
        # The wound of a re-resection has its own 120 days.
        closes = pl.max_horizontal(origin, "reresected_on") + WOUND_DAYS
    frame = (
        days.members.with_columns(origin="resected_on" if wound else "radiotherapy_start")
        .join(states(toxicity, endpoint), on="pseudonym", how="left")
        .sort("pseudonym")
        .with_columns(
            closes=pl.when(origin.is_not_null()).then(closes),
            endpoint=pl.lit(endpoint.name),
            documented=pl.col("event").is_not_null(),
            treated=origin.is_not_null(),
            had=pl.col("event").fill_null(False),
            unclear=pl.col("unclear").fill_null(False),
            evidence=pl.col("evidence").fill_null([]),
        )
    )
    within = died.is_between(origin, pl.col("closes")).fill_null(False)
    assumed = pl.col("treated") if endpoint.undocumented == "without" else pl.lit(False)
    aside = pl.col("died_in_window") if endpoint.died_in_window == "leave out" else pl.lit(False)
    frame = frame.with_columns(died_in_window=within & ~had).with_columns(
        counted=(pl.col("documented") | assumed) & ~aside
    )
    # Acute side effects have no date: they have a share only.
    return _timed(frame, days, endpoint) if endpoint.followed else frame


def _timed(frame: pl.DataFrame, days: _Days, endpoint: ToxicityEndpoint) -> pl.DataFrame:
    """Add the time at risk, and what ended it.

    Args:
        frame: a row per patient; ``closes`` is the last day of the window, null for late toxicity.
        days: further courses and amputations.
        endpoint: the endpoint.
    """
    origin, died, late = pl.col("origin"), pl.col("died"), endpoint.window == "late"
    # Targets of one course may begin one after the other: another course begins after the end of the first.
    over = pl.max_horizontal(origin, pl.coalesce("radiotherapy_end", origin + ACUTE_DAYS))
    again = days.courses if late and endpoint.further_radiotherapy == "censor" else None
    cut_off = days.amputations if AMPUTATION in endpoint.competing else None
    frame = _first_after(frame, again, over, "again")
    frame = _first_after(frame, cut_off, origin, "amputated")
    looked = pl.max_horizontal(
        "looked" if endpoint.followed_until == "last examination" else "stated", origin
    )
    # The documentation of an operation covers the whole window after it.
    seen = looked if late else pl.col("closes")
    unwatched = pl.lit(False)
    if late and endpoint.death_days is not None:
        unwatched = (died - pl.max_horizontal("looked", origin) > endpoint.death_days).fill_null(False)
    rival = pl.when(~unwatched).then(died) if DEATH in endpoint.competing else pl.lit(None, pl.Int32)
    frame = frame.with_columns(seen=pl.min_horizontal(seen, died), rival=rival).with_columns(
        leaves=pl.min_horizontal("seen", "again"),
        # The toxicity has no date: it began between these days.
        low=origin + (ACUTE_DAYS + 1 if late else 0),
    )
    high = pl.max_horizontal("low", pl.min_horizontal("leaves", "amputated"))
    dated = pl.max_horizontal("onset", origin)
    onset = pl.when(pl.col("onset").is_not_null()).then(dated).otherwise((pl.col("low") + high) // 2)
    frame = frame.with_columns(began=pl.when("had").then(onset))
    # On one day the toxicity comes first, then the amputation, then the death.
    rivals = {TOXICITY: "began", AMPUTATION: "amputated", DEATH: "rival"}
    frame = frame.with_columns(first=pl.min_horizontal(*rivals.values()))
    what = pl.coalesce(
        *(pl.when(pl.col(day) == pl.col("first")).then(pl.lit(kind)) for kind, day in rivals.items())
    )
    stop = pl.min_horizontal("again", "closes")
    happens = pl.col("first").is_not_null() & (pl.col("first") <= stop).fill_null(True)
    end = pl.when(happens).then("first").otherwise("leaves")
    risk = pl.col("counted") & pl.col("treated") & ~pl.col("doubtful")
    basis = pl.when(pl.col("onset").is_not_null()).then(pl.lit("date")).otherwise(pl.lit("middle"))
    return frame.with_columns(
        time_days=pl.when(risk).then((end - origin).clip(0)).cast(pl.Int32),
        outcome=pl.when(risk).then(pl.when(happens).then(what).otherwise(pl.lit(CENSORED))),
        time_basis=pl.when(risk & happens & (what == TOXICITY)).then(basis),
    )


def _first_after(frame: pl.DataFrame, days: pl.DataFrame | None, limit: pl.Expr, name: str) -> pl.DataFrame:
    """Add the first of a patient's days after a limit; null without one."""
    if days is None:
        return frame.with_columns(pl.lit(None, pl.Int32).alias(name))
    first = (
        frame.select("pseudonym", _limit=limit)
        .join(days, on="pseudonym")
        .filter(pl.col("day") > pl.col("_limit"))
        .group_by("pseudonym")
        .agg(pl.col("day").min().alias(name))
    )
    return frame.join(first, on="pseudonym", how="left", maintain_order="left")
