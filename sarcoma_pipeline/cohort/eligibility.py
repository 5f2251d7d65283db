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
from sarcoma_pipeline.curation.observations import observation
from schemas import site_codes
from schemas.assumptions import Assumptions
from schemas.cohort import CohortEligibility, CohortFlow
from schemas.configuration import Criterion, Study
from schemas.rule import Rule

Judged = tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]
"""Whether it is met, what it was judged on, why it is not met, and whether that rests on known facts."""


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
        met, value, reason, known = RULES[criterion.rule](criterion, timeline.assumptions)
        judged.append(
            facts.select(
                "pseudonym",
                criterion=pl.lit(criterion.name),
                position=pl.lit(position, dtype=pl.Int32),
                met=met.fill_null(False),
                value=value.cast(pl.String),
                reason=reason,
                known=known.fill_null(False),
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
    """Return pseudonyms of the patients who meet every criterion."""
    return eligibility.group_by("pseudonym").agg(pl.col("met").all()).filter("met")["pseudonym"].sort()


def members(curated: Curated, eligible: pl.Series) -> pl.DataFrame:
    """``patient_id`` and ``pseudonym`` of the eligible patients."""
    persons = curated["curated.patient"].select("patient_id", "pseudonym")
    return persons.filter(pl.col("pseudonym").is_in(eligible.implode()))


def _flow(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    out_here = frame.filter("excluded_here")
    excluded = dict(out_here.group_by("position").len().iter_rows())
    unknown = dict(out_here.filter(~pl.col("known")).group_by("position").len().iter_rows())
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
                "not_known": unknown.get(position, 0),
                "remaining": entered - out,
            }
        )
        entered -= out
    return CohortFlow.conform(pl.DataFrame(rows))


def _facts(curated: Curated, timeline: Timeline, described: pl.DataFrame) -> pl.DataFrame:
    """Return one row a patient with everything that a criterion may ask for."""
    tumour = primary.tumour(curated).select(
        "patient_id", "histologically_confirmed", "m_stage", "distant_metastasis", "diagnosis_date"
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
    # A sarcoma in the morphology that no histology proves contradicts itself.
    known = pl.col("icdo3_morphology").is_not_null() & ~(sarcoma & ~proven.fill_null(False))
    return sarcoma & proven, pl.col("icdo3_morphology"), reason, known


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
    return pl.col("region").is_in(criterion.values) & ~excluded, value, reason, ~unspecified


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
    # Without M and without a metastasis the patient counts as free of one.
    known = staged | found | (pl.col("m_stage") == "M0").fill_null(False)
    return ~(staged | found), pl.when(value != "").then(value), reason, known


def _curative(_: Criterion, __: Assumptions) -> Judged:
    intents = pl.concat_list("course_intent", "surgery_intent").list.drop_nulls()
    palliative = intents.list.contains("palliative")
    met = intents.list.contains("curative") & ~palliative
    reason = pl.when(palliative).then(pl.lit("palliative intent"))
    both = palliative & intents.list.contains("curative")
    return met, intents.list.join(", "), reason, (intents.list.len() > 0) & ~both


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
    # No course at all is an answer; a course of which the sequence or the technique is missing is none.
    shown = pl.col("technique").is_not_null() & (pl.col("technique") != "unknown")
    asked = shown if criterion.techniques else pl.lit(True)
    known = ~irradiated | (pl.col("radiation_sequence").is_not_null() & (~sequence.fill_null(False) | asked))
    return sequence & technique.fill_null(False), value, reason, known


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
    return (
        met,
        start.dt.year(),
        pl.when(start.is_not_null()).then(pl.lit("outside the window")),
        (start.is_not_null()),
    )


def _observed(_: Criterion, __: Assumptions) -> Judged:
    day = pl.col("observed_day")
    return day.is_not_null(), day, pl.lit("neither a day of death nor one known alive"), day.is_not_null()


def _known(criterion: Criterion, _: Assumptions) -> Judged:
    value = pl.col(criterion.column or criterion.name)
    return value.is_not_null(), value, pl.lit("missing"), value.is_not_null()


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


NOT_KNOWN = Rule(
    "eligibility.not-known",
    "warning",
    on=CohortEligibility.table(),
    scope="patient",
    what="The patient is excluded because something is missing or contradictory, and not because the "
    "criterion is not fulfilled.",
    remedy="The note says what is missing. Look it up in the letters and add it in the tumour documentation: "
    "Morphologie_ICD_O and Diagnosesicherung, Primaertumor_ICD, Intention, Stellung_OP or the dates of life; "
    "of a technique, export the plan from the planning system.",
    source="STROBE, item 13: not fulfilled is not the same as not known",
)
ASSUMED = Rule(
    "eligibility.assumed",
    "notice",
    on=CohortEligibility.table(),
    scope="patient",
    what="The patient is included although nothing says that the criterion is fulfilled: an unknown value "
    "counts as none.",
    remedy="Look it up in the letters and add it in the tumour documentation, as TNM/M or Menge_FM.",
    source="STROBE, item 13",
)


def observe(judged: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Return who is excluded, or included, by what is not known; a patient is excluded once.

    Args:
        judged: ``cohort.eligibility``.
        records: ``pseudonym`` and ``record_id``: the record that a data steward would look at first.
    """
    unknown = judged.filter(~pl.col("known")).join(records, on="pseudonym", maintain_order="left")
    included = judged.group_by("pseudonym").agg(_all=pl.col("met").all()).filter("_all")
    note = pl.concat_str(pl.lit("criterion "), "criterion", (pl.lit(": ") + pl.col("reason")).fill_null(""))
    table = CohortEligibility.table()
    out = unknown.filter("excluded_here")
    taken = unknown.filter("met").join(included, on="pseudonym", how="semi", maintain_order="left")
    # The column is the criterion, so that two criteria of one patient are two findings.
    return pl.concat(
        observation(frame, rule, table, pl.col("criterion"), pl.col("value"), note)
        for frame, rule in ((out, NOT_KNOWN), (taken, ASSUMED))
    )


def first_records(curated: Curated) -> pl.DataFrame:
    """Return the record of every patient that a data steward would look at first: of the index tumour.

    Args:
        curated: the curated tables.

    Returns:
        ``pseudonym``, ``record_id``; of a patient without a tumour a record of the person.
    """
    tumour = primary.tumour(curated).select("patient_id", _of_tumour="record_ids")
    none: pl.Expr = pl.lit([], dtype=pl.List(pl.String))
    persons = curated["curated.patient"].select("patient_id", "pseudonym", "record_ids")
    joined = persons.join(tumour, on="patient_id", how="left", maintain_order="left").sort("pseudonym")
    return joined.select(
        "pseudonym",
        record_id=pl.coalesce(
            pl.col("_of_tumour").fill_null(none).list.min(), pl.col("record_ids").list.min()
        ),
    ).drop_nulls("record_id")
