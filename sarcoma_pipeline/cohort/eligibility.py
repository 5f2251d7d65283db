"""Apply the eligibility criteria in the order of study.toml and count each (the STROBE flow).

Every patient is checked against every criterion. The first criterion that is not met is the reason for
exclusion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from sarcoma_pipeline.cohort import covariates, flow, primary
from sarcoma_pipeline.cohort.derived_once import once
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.relapses import AT_DIAGNOSIS
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas import site_codes
from schemas.assumptions import Assumptions
from schemas.cohort import CohortEligibility
from schemas.configuration import Criterion, Study

MORPHOLOGY, CERTAINTY, SITE = "morphology", "diagnostic certainty", "site of the primary tumour"
METASTASIS, INTENT, SEQUENCE = "metastasis at diagnosis", "intent", "relation of radiotherapy to surgery"
TECHNIQUE, TUMOUR, LAST_DAY = "technique", "tumour", "day of death or last day known alive"
"""Names of the facts in findings; all other facts are named by their column of ``cohort.patients``."""


class Fact(NamedTuple):
    """A fact that a criterion needs.

    Attributes:
        name: its name in a finding.
        lacking: whether the verdict is open because this fact is missing.
        had: whether the patient has this fact.
    """

    name: str
    lacking: pl.Expr
    had: pl.Expr


class Judged(NamedTuple):
    """The expressions that decide a criterion.

    Attributes:
        met: whether the criterion is fulfilled.
        value: the value that decided.
        reason: why it is not fulfilled.
        known: whether the verdict rests on known facts; false if facts are missing or contradictory.
        facts: the facts that it needs, in this order; if one is missing the verdict is open.
    """

    met: pl.Expr
    value: pl.Expr
    reason: pl.Expr
    known: pl.Expr
    facts: tuple[Fact, ...]


EVERYBODY = Criterion(name="tumour documented", rule="known", label="Tumour documented")
"""Criterion for every patient in every study: without a tumour there is no time zero."""


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on some patients by every criterion, :data:`EVERYBODY` being the last.

    Attributes:
        eligibility: ``cohort.eligibility`` of these patients.
        missing: ``pseudonym``, ``criterion``, ``fact``: the facts that a verdict lacks.
        had: the facts that criteria need, and whether one of these patients has it.
    """

    eligibility: pl.DataFrame
    missing: pl.DataFrame
    had: Mapping[str, bool]


@dataclass(frozen=True)
class Eligibility:
    """The verdicts on all patients.

    Attributes:
        eligibility: ``cohort.eligibility``.
        flow: ``cohort.flow``.
        missing: ``pseudonym``, ``criterion``, ``fact``: the facts that a verdict lacks.
        nowhere: facts that the verdicts lack and that no patient has.
    """

    eligibility: pl.DataFrame
    flow: pl.DataFrame
    missing: pl.DataFrame
    nowhere: frozenset[str]


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
    if described is None:
        described = covariates.describe(curated, timeline, study.gate)
    return together([judge(curated, timeline, study, described)], study)


def judge(curated: Curated, timeline: Timeline, study: Study, described: pl.DataFrame) -> Verdicts:
    """Judge every patient of ``curated.patient`` by every criterion; nothing depends on other patients.

    Args:
        curated: the curated tables.
        timeline: what happened to the patients, under the study's assumptions or a variant of them.
        study: the criteria.
        described: the patients' covariates.
    """
    facts = _facts(curated, timeline, described)
    judged = [CohortEligibility.empty().drop("excluded_here")]
    missing = [pl.DataFrame(schema={"pseudonym": pl.String, "criterion": pl.String, "fact": pl.String})]
    had: dict[str, bool] = {}
    for position, criterion in enumerate([*study.criteria, EVERYBODY], start=1):
        of = _judge(criterion, timeline)
        judged.append(
            facts.select(
                "pseudonym",
                criterion=pl.lit(criterion.name),
                position=pl.lit(position, dtype=pl.Int32),
                met=of.met.fill_null(False),
                value=of.value.cast(pl.String),
                reason=of.reason.cast(pl.String),
                known=of.known.fill_null(False),
            )
        )
        lacks = [pl.when(one.lacking.fill_null(False)).then(pl.lit(one.name)) for one in of.facts]
        lacking = facts.select("pseudonym", criterion=pl.lit(criterion.name), fact=pl.coalesce(lacks))
        missing.append(lacking.drop_nulls("fact"))
        for one in of.facts:
            had[one.name] = had.get(one.name, False) or bool(facts.select(one.had.any()).item())
    frame = pl.concat(judged).sort("pseudonym", "position")
    unmet = ~pl.col("met")
    first = unmet & (unmet.cum_sum().over("pseudonym") == 1)
    frame = frame.with_columns(
        excluded_here=first, reason=pl.when(unmet).then(pl.coalesce(["reason", pl.lit("not documented")]))
    )
    return Verdicts(CohortEligibility.conform(frame), pl.concat(missing), had)


def together(parts: Sequence[Verdicts], study: Study) -> Eligibility:
    """Return the verdicts on all patients.

    :data:`EVERYBODY` counts only if the study's criteria admit a patient without a tumour.

    Args:
        parts: the verdicts on the patients, by groups in the order of their pseudonyms.
        study: the criteria.
    """
    frame = pl.concat([CohortEligibility.empty(), *(part.eligibility for part in parts)])
    missing = pl.concat([part.missing for part in parts])
    last = pl.col("position") > len(study.criteria)
    criteria = [*study.criteria, EVERYBODY]
    if study.criteria and frame.filter(last, "excluded_here").is_empty():
        frame = frame.filter(~last)
        criteria.pop()
    asked = [criterion.name for criterion in criteria]
    names = {name for part in parts for name in part.had}
    nowhere = frozenset(name for name in names if not any(part.had[name] for part in parts))
    return Eligibility(
        frame, flow.of(frame, criteria), missing.filter(pl.col("criterion").is_in(asked)), nowhere
    )


def _judge(criterion: Criterion, timeline: Timeline) -> Judged:
    return _tumour() if criterion is EVERYBODY else RULES[criterion.rule](criterion, timeline.assumptions)


def eligible(eligibility: pl.DataFrame) -> pl.Series:
    """Return the pseudonyms of the patients who meet every criterion."""
    return eligibility.group_by("pseudonym").agg(pl.col("met").all()).filter("met")["pseudonym"].sort()


def meeting(curated: Curated, timeline: Timeline, study: Study, described: pl.DataFrame) -> pl.Series:
    """Return the pseudonyms of the patients who meet every criterion, without reasons and flow.

    Args:
        curated: the curated tables.
        timeline: what happened to the patients.
        study: the criteria.
        described: the patients' covariates.
    """
    facts = _facts(curated, timeline, described)
    # Where EVERYBODY is not asked, every patient who meets the criteria has a tumour.
    met = [_judge(criterion, timeline).met.fill_null(False) for criterion in (*study.criteria, EVERYBODY)]
    verdicts = facts.select("pseudonym", met=pl.all_horizontal(met))
    return verdicts.group_by("pseudonym").agg(pl.col("met").all()).filter("met")["pseudonym"].sort()


def members(curated: Curated, eligible: pl.Series) -> pl.DataFrame:
    """Return ``patient_id`` and ``pseudonym`` of the eligible patients."""
    persons = curated["curated.patient"].select("patient_id", "pseudonym")
    return persons.filter(pl.col("pseudonym").is_in(eligible.implode()))


def _facts(curated: Curated, timeline: Timeline, described: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient with all facts that a criterion may need."""
    early = timeline.events.filter(pl.col("kind") == AT_DIAGNOSIS).select("patient_id").unique()
    found = early.with_columns(found_at_diagnosis=pl.lit(True))
    frame = facts_of_records(curated).join(found, on="patient_id", how="left")
    return frame.join(described, on="pseudonym", how="left")


@once
def facts_of_records(curated: Curated) -> pl.DataFrame:
    """Return one row per patient with the facts of criteria that depend on no assumption.

    Args:
        curated: the curated tables.
    """
    tumour = primary.tumour(curated).select(
        "patient_id",
        "histologically_confirmed",
        "m_stage",
        "distant_metastasis",
        "diagnosis_date",
        has_tumour=pl.lit(True),
    )
    course = primary.course(curated).select(
        "patient_id",
        irradiated=pl.lit(True),
        course_intent="intent",
        start_date="start_date",
        end_date="end_date",
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
    frame = curated["curated.patient"].select("patient_id", "pseudonym")
    for facts in (tumour, course, operated, observed):
        frame = frame.join(facts, on="patient_id", how="left")
    return frame.with_columns(pl.col("has_tumour").fill_null(False))


def _tumour() -> Judged:
    has = pl.col("has_tumour")
    reason = pl.lit("no tumour documented")
    return Judged(has, pl.lit(None), reason, has, (Fact(TUMOUR, ~has, has),))


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
    morphology, certainty = pl.col("icdo3_morphology"), pl.col("histologically_confirmed")
    # A sarcoma morphology without histological proof is a contradiction.
    known = morphology.is_not_null() & ~(sarcoma & ~proven.fill_null(False))
    facts = (
        Fact(MORPHOLOGY, morphology.is_null(), morphology.is_not_null()),
        Fact(CERTAINTY, sarcoma & certainty.is_null(), certainty.is_not_null()),
    )
    return Judged(sarcoma & proven, morphology, reason, known, facts)


def _site(criterion: Criterion, assumptions: Assumptions) -> Judged:
    value = pl.concat_str("icd10_site", pl.lit(", "), "region")
    switches = (
        (assumptions.skin_sites, (site_codes.SKIN,), "a site of the skin"),
        (assumptions.nerve_sites, (site_codes.NERVE,), "a peripheral nerve"),
        (assumptions.visceral_sites, site_codes.MAY_BE_VISCERAL, "a site that may be visceral"),
    )
    unspecified = pl.col("region").fill_null("unspecified") == "unspecified"
    elsewhere = (
        pl.when(pl.col("icd10_site").is_null())
        .then(pl.lit("no site documented"))
        .when(unspecified)
        .then(pl.lit("site not specified"))
        .otherwise(pl.lit("primary tumour elsewhere"))
    )
    reason, excluded = elsewhere, pl.lit(False)
    for chosen, sites, why in switches:
        if chosen == "exclude":
            of = pl.any_horizontal(pl.col("icd10_site").str.starts_with(s) for s in sites).fill_null(False)
            reason, excluded = pl.when(of).then(pl.lit(why)).otherwise(reason), excluded | of
    met = pl.col("region").is_in(criterion.values) & ~excluded
    return Judged(met, value, reason, ~unspecified, (Fact(SITE, unspecified, ~unspecified),))


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
    # A patient without an M category and without a documented metastasis counts as M0.
    known = staged | found | (pl.col("m_stage") == "M0").fill_null(False)
    shown = pl.when(value != "").then(value)
    return Judged(~(staged | found), shown, reason, known, (Fact(METASTASIS, ~known, known),))


def _curative(_: Criterion, __: Assumptions) -> Judged:
    intents = pl.concat_list("course_intent", "surgery_intent").list.drop_nulls()
    palliative = intents.list.contains("palliative")
    met = intents.list.contains("curative") & ~palliative
    reason = pl.when(palliative).then(pl.lit("palliative intent"))
    both, any_of = palliative & intents.list.contains("curative"), intents.list.len() > 0
    return Judged(met, intents.list.join(", "), reason, any_of & ~both, (Fact(INTENT, ~any_of, any_of),))


def _radiotherapy(criterion: Criterion, _: Assumptions) -> Judged:
    sequence = pl.col("radiation_sequence").is_in(criterion.values)
    technique = pl.col("technique").is_in(criterion.techniques) if criterion.techniques else pl.lit(True)
    irradiated = pl.col("irradiated").fill_null(False)
    reason = (
        pl.when(irradiated & pl.col("radiation_sequence").is_null())
        .then(pl.lit("radiotherapy without its relation to surgery"))
        .when(pl.col("radiation_sequence").is_null())
        .then(pl.lit("no radiotherapy documented"))
        .when(~sequence)
        .then(pl.lit("neither pre- nor postoperative"))
        .when(pl.col("technique").is_null())
        .then(pl.lit("no plan shows the technique"))
        .otherwise(pl.lit("another technique"))
    )
    value = pl.concat_str("radiation_sequence", pl.lit(", "), pl.col("technique").fill_null("no plan"))
    # No course at all is a known answer; a course without sequence or technique is not.
    shown = pl.col("technique").is_not_null() & (pl.col("technique") != "unknown")
    asked = shown if criterion.techniques else pl.lit(True)
    related = pl.col("radiation_sequence").is_not_null()
    known = ~irradiated | (related & (~sequence.fill_null(False) | asked))
    facts = (
        Fact(SEQUENCE, irradiated & ~related, related),
        Fact(TECHNIQUE, irradiated & sequence & ~asked, shown),
    )
    return Judged(sequence & technique.fill_null(False), value, reason, known, facts)


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
    dated = start.is_not_null()
    reason = pl.when(dated).then(pl.lit("outside the window"))
    fact = Fact(f"date of {assumptions.study_window}", ~dated, dated)
    return Judged(met, start.dt.year(), reason, dated, (fact,))


def _observed(_: Criterion, __: Assumptions) -> Judged:
    day = pl.col("observed_day")
    seen, reason = day.is_not_null(), pl.lit("neither a day of death nor one known alive")
    return Judged(seen, day, reason, seen, (Fact(LAST_DAY, ~seen, seen),))


def _known(criterion: Criterion, _: Assumptions) -> Judged:
    column = criterion.column or criterion.name
    has = pl.col(column).is_not_null()
    return Judged(has, pl.col(column), pl.lit("missing"), has, (Fact(column, ~has, has),))


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
"""Rule name in study.toml to the function that evaluates it."""
