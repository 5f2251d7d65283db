"""Derive the endpoints from the timeline: the first event, or the day of censoring.

A patient is at risk from the endpoint's origin or entry. The time ends with the first of the events that
study.toml names; of two events on one day, the one named first counts. An event that censors the endpoint
ends the time before later events. Without an event the time is censored:

- ``last known alive``: on the day of the registry office's last answer, else of the last contact (switch);
- ``last disease assessment``: on the day of the last examination that states the components of the endpoint.
  Patients without such an examination are censored at day 0, dead or alive (switch). Deaths and other events
  that are known without an examination count only for patients who were examined.

Patients who are not at risk have no row in ``cohort.endpoints``, but one in ``cohort.not_at_risk`` with the
reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import looks, within_bounds
from sarcoma_pipeline.cohort.derived_once import Derive, every_time
from sarcoma_pipeline.cohort.endpoint_rules import disease_free, of_relapse, resolved
from sarcoma_pipeline.cohort.last_days import DEATHS, last_alive, looked
from sarcoma_pipeline.cohort.life_and_death import BY_TUMOUR, CAUSE_UNKNOWN
from sarcoma_pipeline.cohort.relapses import UNKNOWN, first_relapse
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.assumptions import Assumptions
from schemas.cohort import CohortDerivability, CohortEndpoint
from schemas.cohort_events import CohortNotAtRisk
from schemas.configuration import EndpointRule, Milestone, Study
from schemas.distinct_values import distinct
from schemas.gate import Gate
from schemas.vocabularies import SECOND_MALIGNANCY

DAYS_PER_MONTH = 30.4375
MONTHS_PER_DAY = 1 / DAYS_PER_MONTH
"""Days are multiplied by it: polars divides a column by a number in another way if it has only one row, and
then the last digit of a patient's value would depend on how many patients are derived together."""

OUTSIDE_BOUNDS = "a time outside the bounds of the release gate"
"""Reason why a patient is not at risk; the finding is ``patient.time-implausible``."""
_UNWATCHED = (*DEATHS, SECOND_MALIGNANCY)
"""Events that are known without an examination for relapse."""

MILESTONE: dict[Milestone, str] = {
    "radiotherapy start": "radiotherapy_start",
    "radiotherapy end": "radiotherapy_end",
    "definitive resection": "resected_on",
}


@dataclass(frozen=True)
class Derived:
    """The tables ``cohort.endpoints``, ``cohort.not_at_risk`` and ``cohort.derivability``."""

    endpoints: pl.DataFrame
    not_at_risk: pl.DataFrame
    derivability: pl.DataFrame


def derive(timeline: Timeline, members: pl.DataFrame, study: Study) -> Derived:
    """Derive every endpoint of the members.

    Args:
        timeline: the events, under the study's assumptions or a variant of them.
        members: ``patient_id``, ``pseudonym`` of the eligible patients.
        study: the endpoints' rules.
    """
    frames = [_endpoint(*told) for told in _told(timeline.events, timeline, members, study, every_time)]
    there = [f.filter(pl.col("reason").is_null()) for f in frames]
    others = [f.filter(pl.col("reason").is_not_null()) for f in frames]
    derivability = [
        {"endpoint": r.name, "derivable": r.derivable, "reason": None if r.derivable else r.reason}
        for r in study.endpoints
    ]
    return Derived(
        pl.concat([CohortEndpoint.empty(), *map(CohortEndpoint.conform, there)]),
        pl.concat([CohortNotAtRisk.empty(), *map(CohortNotAtRisk.conform, others)]),
        CohortDerivability.conform(pl.DataFrame(derivability)),
    )


TIMES = (
    "pseudonym", "endpoint", "event", "event_kind", "time_days", "time_days_earliest", "time_days_latest",
    "entry_days", "entry_days_earliest", "entry_days_latest",
)  # fmt: skip
"""Columns of ``cohort.endpoints`` that analyses read: those without evidence and without repetition."""


def at_risk(timeline: Timeline, members: pl.DataFrame, study: Study, derive: Derive) -> pl.DataFrame:
    """Derive the columns :data:`TIMES` of ``cohort.endpoints`` alone.

    Args:
        timeline: the events, under the study's assumptions or a variant of them.
        members: ``patient_id``, ``pseudonym`` of the eligible patients.
        study: the endpoints' rules.
        derive: calls the function of each part.
    """
    told = _told(derive(_without_evidence, timeline.events), timeline, members, study, derive)
    found = [derive(_at_risk, *of_endpoint) for of_endpoint in told]
    return pl.concat([CohortEndpoint.empty().select(TIMES), *found])


def _without_evidence(events: pl.DataFrame) -> pl.DataFrame:
    """Return the timeline without the records: nothing that is derived from it has evidence."""
    return events.drop("record_ids")


_Told = tuple[EndpointRule, Assumptions, pl.DataFrame, tuple[pl.DataFrame, ...], pl.DataFrame, Gate]
"""The arguments of :func:`_endpoint`."""


def _at_risk(*told: *_Told) -> pl.DataFrame:
    rule, assumptions, *_ = told
    reasons = [holds.fill_null(False) for _, holds in _reasons(rule, assumptions)]
    there = _timed(*told).filter(~pl.any_horizontal("outside", *reasons))
    return there.select(pl.lit(rule.name).alias(c) if c == "endpoint" else c for c in TIMES).sort("pseudonym")


def _told(
    happened: pl.DataFrame, timeline: Timeline, members: pl.DataFrame, study: Study, derive: Derive
) -> Iterator[_Told]:
    """Yield what is known of the members for every endpoint.

    Args:
        happened: the events of the timeline; without ``record_ids``, no evidence is derived from them.
        timeline: the timeline.
        members: ``patient_id``, ``pseudonym`` of the eligible patients.
        study: the endpoints' rules.
        derive: calls the function of each part.
    """
    assumptions = timeline.assumptions
    events = derive(_of_members, happened, members)
    alive = derive(last_alive, assumptions, events)
    frame = derive(_of_every_endpoint, members, timeline.milestones, alive, derive(_zero, events))
    doubtful = derive(within_bounds.doubtful_times, timeline.events, study.gate)
    for rule in study.endpoints:
        if rule.derivable:
            of = resolved(rule, timeline)
            parts = (
                derive(_first, events, of.events, "event"),
                derive(_first, events, of.censored_by, "stop"),
                derive(looked, looks.needed(of), UNKNOWN in of.events, assumptions, events),
            )
            yield of, assumptions, frame, parts, doubtful, study.gate


def _of_members(events: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    return _causes(events.join(members, on="patient_id", how="semi"))


def _causes(events: pl.DataFrame) -> pl.DataFrame:
    """Add a second row for every death with its cause.

    If the cause is unknown, a relapse before it means the tumour.
    """
    deaths = events.filter(pl.col("kind") == "death").join(first_relapse(events), on="patient_id", how="left")
    after = (pl.col("relapsed_on") <= pl.col("day")).fill_null(False)
    by_tumour = (pl.col("detail") == BY_TUMOUR) | ((pl.col("detail") == CAUSE_UNKNOWN) & after)
    kind = pl.when(by_tumour).then(pl.lit(DEATHS[1])).otherwise(pl.lit(DEATHS[2]))
    return pl.concat([events, deaths.with_columns(kind=kind).select(events.columns)])


def _of_every_endpoint(
    members: pl.DataFrame, milestones: pl.DataFrame, alive: pl.DataFrame, zero: pl.DataFrame
) -> pl.DataFrame:
    """Return the members with their milestones, last day alive and time zero."""
    columns = [f"{name}{end}" for name in MILESTONE.values() for end in ("", *_OF_DAY)]
    frame = members.join(
        milestones.select("patient_id", "disease_free", *columns), on="patient_id", how="left"
    )
    for part in (alive, zero):
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    return frame


def _zero(events: pl.DataFrame) -> pl.DataFrame:
    ids = {"zero_ids": "record_ids"} if "record_ids" in events.columns else {}
    return events.filter(pl.col("kind") == "diagnosis").select(
        "patient_id", zero_low="day_earliest", zero_high="day_latest", zero_precision="precision", **ids
    )


def _endpoint(*told: *_Told) -> pl.DataFrame:
    """Return the time of every member, and why a member is not at risk."""
    rule, assumptions, *_ = told
    reasons = [(OUTSIDE_BOUNDS, pl.col("outside")), *_reasons(rule, assumptions)]
    why = [pl.when(holds.fill_null(False)).then(pl.lit(reason)) for reason, holds in reasons]
    timed = _timed(*told).with_columns(endpoint=pl.lit(rule.name), reason=pl.coalesce(why))
    return timed.sort("pseudonym")


def _timed(
    rule: EndpointRule,
    assumptions: Assumptions,
    frame: pl.DataFrame,
    parts: Sequence[pl.DataFrame],
    doubtful: pl.DataFrame,
    gate: Gate,
) -> pl.DataFrame:
    """Return the time of every member, and in ``outside`` whether it is outside the gate's bounds.

    Args:
        rule: the resolved rule.
        assumptions: the switches.
        frame: the members with their milestones, last day alive and time zero.
        parts: first event, first censoring event, last examination.
        doubtful: the patients whose times are outside the gate's bounds.
        gate: the bounds.
    """
    for part in parts:
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    frame = _counted(rule, _ended(rule, assumptions, frame))
    return frame.with_columns(outside=_outside_bounds(doubtful, gate))


_OF_DAY = ("_earliest", "_latest", "_precision")
"""Endings of the columns with the days that a partial date may mean, and its precision."""
_COARSE = {"day": 0, "month": 1, "year": 2}
_DETAILS = ("kind", "day", "day_earliest", "day_latest")
_EVIDENCE = "zero_ids"
"""Column that the members have only if evidence is derived."""


def _first(events: pl.DataFrame, kinds: tuple[str, ...], name: str) -> pl.DataFrame:
    """Return the first event of the given kinds; its evidence is all records of that kind on that day."""
    order = pl.col("kind").replace_strict(
        {k: i for i, k in enumerate(kinds)}, default=None, return_dtype=pl.Int32
    )
    coarse = pl.col("precision").replace_strict(_COARSE, return_dtype=pl.Int32)
    found = events.filter(pl.col("kind").is_in(kinds), pl.col("day").is_not_null())
    same = (pl.col("day") == pl.col("day").first()) & (pl.col("kind") == pl.col("kind").first())
    ids = [pl.col("record_ids").filter(same).explode().alias(f"{name}_ids")]
    return (
        found.sort("patient_id", "day", order, coarse, "day_earliest", "day_latest")
        .group_by("patient_id", maintain_order=True)
        .agg(
            *(ids if "record_ids" in events.columns else ()),
            *(pl.col(c).first().alias(f"{name}_{c}") for c in (*_DETAILS, "precision")),
        )
    )


def _ended(rule: EndpointRule, assumptions: Assumptions, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the end of each time in days since time zero.

    It is the event, the censoring event, or the end of observation. Evidence and precision are those of what
    ended the time, if the parts have them.
    """
    a, evidence = assumptions, _EVIDENCE in frame.columns
    event = pl.col("event_day").is_not_null() & (pl.col("event_day") <= pl.col("stop_day")).fill_null(True)
    details = (*_DETAILS, "precision", "ids") if evidence else _DETAILS
    frame = frame.with_columns(
        *(pl.when(event).then(f"event_{c}").otherwise(f"stop_{c}").alias(f"end_{c}") for c in details),
        is_event=event,
    )
    counts = pl.col("end_day").is_not_null() & (pl.col("end_day") <= pl.col("unknown_day")).fill_null(True)
    ends = ("", "_earliest", "_latest")
    until, ids = [pl.col(f"alive{end}") for end in ends], pl.col("alive_ids")
    known = pl.col("alive_precision")
    if of_relapse(rule):
        unwatched = pl.col("end_kind").is_in(_UNWATCHED).fill_null(False)
        died = pl.col("end_kind").is_in(DEATHS).fill_null(False)
        instead = pl.col("resected_on") if a.never_examined == "definitive resection" else pl.lit(0)
        # Censoring must not come after the death.
        instead = pl.min_horizontal(instead.clip(0).fill_null(0), pl.when(died).then("end_day"))
        looked = [pl.coalesce(f"looked{end}", instead) for end in ends]
        looked_exact = pl.col("looked_precision").fill_null("day")
        if a.relapse_free_until == "as declared":
            until, ids, known = looked, pl.col("looked_ids"), looked_exact
            if a.never_examined != "counted":
                counts = counts & ~(unwatched & pl.col("looked").is_null())
            if a.late_deaths == "within window":
                counts = counts & ~(died & (pl.col("end_day") - looked[0] > a.late_death_days))
        else:
            lost = pl.col("unknown_day").is_not_null()
            until = [pl.when(lost).then(seen).otherwise(day) for seen, day in zip(looked, until, strict=True)]
            ids = pl.when(lost).then("looked_ids").otherwise(ids)
            known = pl.when(lost).then(looked_exact).otherwise(known)
    event = pl.col("is_event") & counts
    told = {
        "evidence": distinct(pl.coalesce(pl.when(counts).then("end_ids").otherwise(ids), _EVIDENCE)),
        "date_precision": pl.when(counts).then("end_precision").otherwise(known.fill_null("day")),
    }
    return frame.with_columns(
        **(told if evidence else {}),
        event=event,
        event_kind=pl.when(event).then("end_kind").otherwise(pl.lit("censored")),
        _day=pl.when(counts).then("end_day").otherwise(until[0]),
        _low=pl.when(counts).then("end_day_earliest").otherwise(until[1]),
        _high=pl.when(counts).then("end_day_latest").otherwise(until[2]),
    )


def _counted(rule: EndpointRule, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the time since the origin, and the day of entry.

    A partial date of the origin widens the times that start at it.
    """
    origin, entry = rule.origin or "diagnosis", rule.entry or rule.origin or "diagnosis"
    frame = frame.with_columns(_origin=_milestone(origin), _entry=_milestone(entry))
    low, high = pl.col("_low"), pl.col("_high")
    started = (
        [pl.col(f"zero_{c}") for c in ("low", "high", "precision")]
        if origin == "diagnosis"
        else [pl.col(f"{MILESTONE[origin]}{c}") for c in _OF_DAY]
    )
    entered = [pl.col("_entry")] * 2
    if entry != "diagnosis":
        entered = [pl.col(f"{MILESTONE[entry]}{c}") for c in _OF_DAY[:2]]
    enters = {
        "entry_days": pl.col("_entry") - pl.col("_origin"),
        # At the early end of its date the origin is late, as for the times.
        "entry_days_earliest": entered[0] - started[1],
        "entry_days_latest": entered[1] - started[0],
    }
    if entry == origin:
        # Whoever enters at the origin does so whenever it was.
        enters = dict.fromkeys(enters, pl.lit(0, dtype=pl.Int32))
    landmark = pl.lit(rule.landmark_days or 0)
    enters = {name: pl.max_horizontal(day, landmark) for name, day in enters.items()}
    times = {
        "time_days": pl.col("_day") - pl.col("_origin"),
        "time_days_earliest": low - started[1],
        "time_days_latest": high - started[0],
    }
    return frame.with_columns(
        *(time.cast(pl.Int32).alias(name) for name, time in times.items()),
        *(pl.when(late > 0).then(late).cast(pl.Int32).alias(name) for name, late in enters.items()),
        *([_coarser("date_precision", started[2])] if _EVIDENCE in frame.columns else ()),
    ).with_columns(
        pl.col("time_days_earliest").clip(0),
        time_months=pl.col("time_days") * MONTHS_PER_DAY,
        entry_months=pl.col("entry_days") * MONTHS_PER_DAY,
    )


def _coarser(precision: str, other: pl.Expr) -> pl.Expr:
    """Return the coarser of two precisions under the name of the first."""
    ranks = pl.max_horizontal(
        p.replace_strict(_COARSE, default=0, return_dtype=pl.Int32) for p in (pl.col(precision), other)
    )
    named = {rank: name for name, rank in _COARSE.items()}
    return ranks.replace_strict(named, return_dtype=pl.String).alias(precision)


def _milestone(name: Milestone) -> pl.Expr:
    return pl.lit(0, dtype=pl.Int32) if name == "diagnosis" else pl.col(MILESTONE[name])


def _outside_bounds(doubtful: pl.DataFrame, gate: Gate) -> pl.Expr:
    """Return whether the release gate would block the row, or a date of the patient is implausibly late."""
    bounds = gate.bounded(CohortEndpoint)
    return pl.col("patient_id").is_in(doubtful["patient_id"].implode()) | within_bounds.outside(
        bounds, bounds
    )


def _reasons(rule: EndpointRule, assumptions: Assumptions) -> Iterator[tuple[str, pl.Expr]]:
    """Yield each reason why a patient is not at risk, with its condition.

    The first that holds is reported.
    """
    origin, entry = rule.origin or "diagnosis", rule.entry or rule.origin or "diagnosis"
    time, enters = pl.col("time_days"), pl.col("entry_days")
    yield "diagnosed after the data cut-off", pl.col("_day").is_null()
    yield f"no {origin}", pl.col("_origin").is_null()
    yield f"no {entry}", pl.col("_entry").is_null()
    if disease_free(rule) and assumptions.never_disease_free == "exclude":
        yield "never free of disease", ~pl.col("disease_free").fill_null(False)
    if origin != "diagnosis":
        yield f"ended before the {origin}", time <= 0
    if entry != origin:
        yield f"ended before the {entry}", time <= pl.col("_entry") - pl.col("_origin")
    yield "ended before the landmark", time <= enters
