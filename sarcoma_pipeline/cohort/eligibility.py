"""Eligibility: named criteria in the order of study.toml, each with its count (the STROBE flow).

Every patient is judged by every criterion; the first that is not met is the one that excludes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import covariates, primary
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.relapses import AT_DIAGNOSIS
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas import site_codes
from schemas.assumptions import Assumptions
from schemas.cohort import CohortEligibility, CohortFlow
from schemas.configuration import Criterion, Study

Judged = tuple[pl.Expr, pl.Expr, pl.Expr]
"""Whether it is met, what it was judged on, why it is not met."""


@dataclass(frozen=True)
class Eligibility:
    """``cohort.eligibility`` and ``cohort.flow``."""

    eligibility: pl.DataFrame
    flow: pl.DataFrame


def assess(
    curated: Curated, timeline: Timeline, study: Study, described: pl.DataFrame | None = None
) -> Eligibility:
    """Judge every patient of ``curated.patient``.

    Args:
        curated: the curated tables.
        timeline: what happened to the patients, under the study's assumptions or a variant of them.
        study: the criteria.
        described: the patients' covariates, where they are known already.
    """
    facts = _facts(
        curated,
        timeline,
        covariates.describe(curated, timeline, study.gate) if described is None else described,
    )
    judged = []
    for position, criterion in enumerate(study.criteria, start=1):
        met, value, reason = RULES[criterion.rule](criterion, timeline.assumptions)
        judged.append(
            facts.select(
                "pseudonym",
                criterion=pl.lit(criterion.name),
                position=pl.lit(position, dtype=pl.Int32),
                met=met.fill_null(False),
                value=value.cast(pl.String),
                reason=reason,
            )
        )
    frame = pl.concat(judged).sort("pseudonym", "position")
    unmet = ~pl.col("met")
    first = unmet & (unmet.cum_sum().over("pseudonym") == 1)
    frame = frame.with_columns(
        excluded_here=first, reason=pl.when(unmet).then(pl.coalesce(["reason", pl.lit("not documented")]))
    )
    return Eligibility(CohortEligibility.conform(frame), _flow(frame, study))


def eligible(eligibility: pl.DataFrame) -> pl.Series:
    """Pseudonyms of the patients who meet every criterion."""
    return eligibility.group_by("pseudonym").agg(pl.col("met").all()).filter("met")["pseudonym"].sort()


def members(curated: Curated, eligible: pl.Series) -> pl.DataFrame:
    """``patient_id`` and ``pseudonym`` of the eligible patients."""
    persons = curated["curated.patient"].select("patient_id", "pseudonym")
    return persons.filter(pl.col("pseudonym").is_in(eligible.implode()))


def _flow(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    excluded = dict(frame.filter("excluded_here").group_by("position").len().iter_rows())
    entered = frame["pseudonym"].n_unique()
    rows = []
    for position, criterion in enumerate(study.criteria, start=1):
        out = excluded.get(position, 0)
        rows.append(
            {
                "position": position,
                "criterion": criterion.name,
                "label": criterion.label,
                "entered": entered,
                "excluded": out,
                "remaining": entered - out,
            }
        )
        entered -= out
    return CohortFlow.conform(pl.DataFrame(rows))


def _facts(curated: Curated, timeline: Timeline, described: pl.DataFrame) -> pl.DataFrame:
    """One row a patient with everything that a criterion may ask for."""
    tumour = primary.tumour(curated).select(
        "patient_id", "histologically_confirmed", "m_stage", "distant_metastasis", "diagnosis_date"
    )
    course = primary.course(curated).select(
        "patient_id", course_intent="intent", start_date="start_date", end_date="end_date"
    )
    by_day = ["surgery_day", "intent"]
    operated = (
        primary.surgeries(curated)
        .group_by("patient_id")
        .agg(surgery_intent=pl.col("intent").sort_by(by_day, nulls_last=True).drop_nulls().first())
    )
    observed = curated["curated.vital_status"].select(
        "patient_id", observed_day=pl.coalesce(["death_day", "last_alive_day"])
    )
    early = timeline.events.filter(pl.col("kind") == AT_DIAGNOSIS).select("patient_id").unique()
    found = early.with_columns(found_at_diagnosis=pl.lit(True))
    frame = curated["curated.patient"].select("patient_id", "pseudonym")
    for facts in (tumour, course, operated, observed, found):
        frame = frame.join(facts, on="patient_id", how="left")
    return frame.join(described, on="pseudonym", how="left")


def _histology(_: Criterion, __: Assumptions) -> Judged:
    proven = pl.col("histologically_confirmed") == "yes"
    sarcoma = pl.col("histology_group").is_not_null()
    reason = (
        pl.when(pl.col("icdo3_morphology").is_null())
        .then(pl.lit("no morphology documented"))
        .when(~sarcoma)
        .then(pl.lit("morphology is no soft tissue sarcoma"))
        .otherwise(pl.lit("not histologically proven"))
    )
    return sarcoma & proven, pl.col("icdo3_morphology"), reason


def _site(criterion: Criterion, assumptions: Assumptions) -> Judged:
    value = pl.concat_str("icd10_site", pl.lit(", "), "region")
    switches = (
        (assumptions.skin_sites, (site_codes.SKIN,), "a site of the skin"),
        (assumptions.nerve_sites, (site_codes.NERVE,), "a peripheral nerve"),
        (assumptions.visceral_sites, site_codes.MAY_BE_VISCERAL, "a site that may be visceral"),
    )
    elsewhere = pl.lit("primary tumour elsewhere")
    reason, excluded = elsewhere, pl.lit(False)
    for chosen, sites, why in switches:
        if chosen == "exclude":
            of = pl.any_horizontal(pl.col("icd10_site").str.starts_with(s) for s in sites).fill_null(False)
            reason, excluded = pl.when(of).then(pl.lit(why)).otherwise(reason), excluded | of
    return pl.col("region").is_in(criterion.values) & ~excluded, value, reason


def _no_metastasis(_: Criterion, __: Assumptions) -> Judged:
    staged = (pl.col("m_stage") == "M1").fill_null(False) | pl.col("distant_metastasis").fill_null(False)
    found = pl.col("found_at_diagnosis").fill_null(False)
    reason = (
        pl.when(staged)
        .then(pl.lit("distant metastasis at diagnosis"))
        .otherwise(pl.lit("distant metastasis within the synchronous window"))
    )
    value = pl.concat_str(
        "m_stage", pl.when(found).then(pl.lit("metastasis")), separator=", ", ignore_nulls=True
    )
    return ~(staged | found), pl.when(value != "").then(value), reason


def _curative(_: Criterion, __: Assumptions) -> Judged:
    intents = pl.concat_list("course_intent", "surgery_intent").list.drop_nulls()
    palliative = intents.list.contains("palliative")
    met = intents.list.contains("curative") & ~palliative
    reason = pl.when(palliative).then(pl.lit("palliative intent"))
    return met, intents.list.join(", "), reason


def _radiotherapy(criterion: Criterion, _: Assumptions) -> Judged:
    sequence = pl.col("radiation_sequence").is_in(criterion.values)
    technique = pl.col("technique").is_in(criterion.techniques) if criterion.techniques else pl.lit(True)
    reason = (
        pl.when(pl.col("radiation_sequence").is_null())
        .then(pl.lit("no radiotherapy documented"))
        .when(~sequence)
        .then(pl.lit("neither pre- nor postoperative"))
        .when(pl.col("technique").is_null())
        .then(pl.lit("no plan shows the technique"))
        .otherwise(pl.lit("another technique"))
    )
    value = pl.concat_str("radiation_sequence", pl.lit(", "), pl.col("technique").fill_null("no plan"))
    return sequence & technique.fill_null(False), value, reason


def _window(criterion: Criterion, assumptions: Assumptions) -> Judged:
    days = {
        "radiotherapy start": ["start_date", "diagnosis_date"],
        "radiotherapy end": ["end_date", "start_date", "diagnosis_date"],
        "diagnosis": ["diagnosis_date"],
    }
    start = pl.coalesce(days[assumptions.study_window])
    met = pl.lit(True)
    if criterion.start:
        met = met & (start >= criterion.start)
    if criterion.end:
        met = met & (start <= criterion.end)
    return met, start.dt.year(), pl.when(start.is_not_null()).then(pl.lit("outside the window"))


def _observed(_: Criterion, __: Assumptions) -> Judged:
    day = pl.col("observed_day")
    return day.is_not_null(), day, pl.lit("neither a day of death nor one known alive")


def _known(criterion: Criterion, _: Assumptions) -> Judged:
    value = pl.col(criterion.column or criterion.name)
    return value.is_not_null(), value, pl.lit("missing")


RULES: dict[str, Callable[[Criterion, Assumptions], Judged]] = {
    "histology": _histology,
    "site": _site,
    "no_metastasis": _no_metastasis,
    "curative": _curative,
    "radiotherapy": _radiotherapy,
    "window": _window,
    "observed": _observed,
    "known": _known,
}
"""Rule of study.toml to how it is judged."""
