"""Writes the methods section from the study's configuration, so that text and analysis cannot differ."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from sarcoma_pipeline.publish.report.number_format import listed, number
from sarcoma_pipeline.sources import readers
from schemas.assumptions import declared
from schemas.configuration import Covariate, EndpointRule, Sources, Study
from schemas.statistics import Statistics

_PACKAGES = (
    "numpy",
    "scipy",
    "polars",
    "duckdb",
    "pandera",
    "pydicom",
    "lxml",
    "great-expectations",
    "dagster",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute the results."""
    return {"Python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def design(study: Study, sources: Sources) -> list[str]:
    """Return paragraphs on setting, sources and eligibility."""
    kinds = listed(list(dict.fromkeys(readers.reader(source.kind).label for source in sources.source)))
    criteria = "; ".join(
        f"({i}) {criterion.label[:1].lower() + criterion.label[1:]}"
        if criterion.label[1:2].islower()
        else f"({i}) {criterion.label}"
        for i, criterion in enumerate(study.criteria, 1)
    )
    return [
        f"{study.description} Data came from {kinds}. A record that breaks a rule of severity ‘error’ is "
        "quarantined until it is corrected at its source or waived by a data steward.",
        _death(sources),
        f"Eligible were patients who fulfilled, in this order: {criteria}.",
    ]


def _death(sources: Sources) -> str:
    """Return the sentence on how contradictions about life and death are resolved."""
    order = listed(list(sources.precedence["death"]))
    return (
        f"On life and death the sources rank in the order {order}. A dated death stands against a later "
        "statement of life unless that comes from a source of a higher rank than every source of the death; "
        "then the death is set aside, and a data steward decides."
    )


def endpoints(study: Study) -> list[str]:
    """Return paragraphs on time zero, endpoints, assumptions, and endpoints that cannot be derived."""
    derivable = [rule for rule in study.endpoints if rule.derivable]
    sentences = [
        "Time zero is the initial pathological diagnosis (date of biopsy); months are days / 30.4375.",
        *(_endpoint(rule) for rule in derivable),
        "A date known only to the month or year is set to the middle of that month or year.",
    ]
    chosen = [d.sentence(getattr(study.assumptions, d.name)) for d in declared()]
    assumed = "Where the definitions leave a choice, the study assumed the following.  " + " ".join(
        filter(None, chosen)
    )
    lacking = [
        f"{rule.title} ({rule.name}) is not derivable. {rule.reason}"
        for rule in study.endpoints
        if not rule.derivable
    ]
    return [" ".join(sentences), assumed, *lacking]


def _endpoint(rule: EndpointRule) -> str:
    first = listed(list(rule.events)).replace(" and ", " or ")
    until = f"the first of {first}" if len(rule.events) > 1 else first
    last = rule.censor.replace("last known", "last day known", 1)
    since = f" from the {rule.origin}" if rule.origin else ""
    by = f", and by {listed(list(rule.censored_by)).replace(' and ', ' or ')}" if rule.censored_by else ""
    entry = f" Patients are at risk from the {rule.entry} on." if rule.entry else ""
    mark = f" Patients are at risk from day {rule.landmark_days} on (landmark)." if rule.landmark_days else ""
    return (
        f"{rule.title} ({rule.name}) is the time{since} to {until}, censored at the {last}{by}.{entry}{mark}"
    )


def statistics(study: Study, tables: Mapping[str, Any]) -> list[str]:
    """Return paragraphs on estimators and models; additional analyses only if their tables exist."""
    horizons = listed([number(h) for h in study.horizons_months])
    sentences = [
        "Numbers are given as median with first and third quartile (type 7), categories as counts and "
        "percentages of all patients of the block, the missing included. Survival was estimated by Kaplan "
        f"and Meier’s method with log-log 95 % confidence intervals, at {horizons} months and as median. "
        "Follow-up is given as the plain quantile of the observed times and by the reverse Kaplan–Meier "
        "method.",
    ]
    if study.models:
        sentences.append(_models(study))
    if "analysis.model_fit" in tables:
        sentences.append(_whole_models(study.statistics))
    if "analysis.internal_validation" in tables:
        sentences.append(
            "Concordance and calibration slope were corrected for optimism by fitting each model anew to "
            f"{number(study.statistics.bootstrap_resamples)} bootstrap resamples (seed "
            f"{study.statistics.bootstrap_seed})."
        )
    if "analysis.ph_test" in tables:
        sentences.append(
            "Proportional hazards were tested by scaled Schoenfeld residuals (Grambsch and Therneau, 1994), "
            "as the exact score test against 1 − S(t)."
        )
    additional = []
    if "analysis.cumulative_incidence" in tables:
        additional.append(
            "Cumulative incidence with competing risks is Aalen and Johansen’s estimate, with log-log 95 % "
            "confidence intervals from the infinitesimal jackknife."
        )
    if "analysis.subgroup" in tables:
        additional.append("Subgroups were compared by the log-rank test.")
    if "analysis.restricted_mean" in tables:
        additional.append(
            "Restricted means are areas under the Kaplan–Meier curve, with Greenwood’s variance."
        )
    if "analysis.survival_sensitivity" in tables:
        additional.append(_sensitivity(study))
    return [" ".join(sentences), " ".join([*additional, _p_values(study.statistics)])]


def _sensitivity(study: Study) -> str:
    titles = {rule.name: rule.title.lower() for rule in study.endpoints}
    by_name: dict[str, list[str]] = {}
    for variant in study.censoring_variants:
        by_name.setdefault(variant.name, []).append(titles[variant.endpoint])
    variants = [f"{name} ({listed(of)})" for name, of in by_name.items()]
    both_ends = "every partial date at both ends of its interval"
    others = "every other value of each assumption named above, derived anew from the curated events"
    runs = "; ".join([both_ends, *variants, others, "complete cases only"])
    return f"Sensitivity was examined side by side with the main analysis: {runs}."


def _models(study: Study) -> str:
    known = {covariate.name: covariate for covariate in study.covariates}
    by_terms: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for model in study.models:
        by_terms.setdefault((model.covariates, model.strata), []).append(model.endpoint)
    models = "; ".join(
        f"for {listed(names)} {listed([_covariate(known[term], study) for term in terms])}"
        + (f", stratified by {listed([_covariate(known[term], study) for term in strata])}" if strata else "")
        for (terms, strata), names in by_terms.items()
    )
    merged = [
        f"{listed(list(c.merge))} were joined as {listed(list(dict.fromkeys(c.merge.values())))}"
        for c in study.covariates if c.merge
    ]  # fmt: skip
    joined = f" For the models {'; '.join(merged)}." if merged else ""
    return (
        "Hazard ratios come from multivariable Cox models of the complete cases, with "
        f"{study.statistics.ties.capitalize()}’s method for ties and Wald 95 % confidence intervals and "
        f"two-sided p values. Covariates were {models}.{joined} "
        "Where a level has no event, Firth’s penalised likelihood is given beside it, with profile "
        "intervals. Concordance is Harrell’s."
    )


def _whole_models(statistics: Statistics) -> str:
    patients = {
        "same patients": "in the patients of the multivariable model",
        "every patient": "in every patient with the covariate",
    }[statistics.univariable]
    return (
        "Each covariate was tested as a whole by the likelihood ratio test against the model without it, and "
        f"by Wald’s test; univariable models were fitted {patients}. The standard error of the concordance "
        "is that of the infinitesimal jackknife. A model with fewer than "
        f"{statistics.few_events_per_coefficient:g} events per coefficient is called unstable (Peduzzi et "
        f"al., 1995), one with fewer than {statistics.too_few_events_per_coefficient:g} without meaning "
        "(Vittinghoff and McCulloch, 2007)."
    )


def _p_values(statistics: Statistics) -> str:
    """Say how p values are computed, adjusted and printed."""
    least = f"{10.0**-statistics.p_decimals:.{statistics.p_decimals}f}"
    adjusted = {
        "none": "No correction was made for multiple testing.",
        "holm": "The joint tests of a model are also adjusted for their number by Holm’s method; no other p "
        "value is adjusted.",
        "false discovery rate": "The joint tests of a model are also adjusted for their number by Benjamini "
        "and Hochberg’s method; no other p value is adjusted.",
    }[statistics.p_adjustment]
    return (
        f"{adjusted} p values are two-sided, printed with {statistics.p_decimals} decimals and as <{least} "
        f"below that; the text speaks of a difference below {statistics.significance:g}."
    )


def _covariate(covariate: Covariate, study: Study) -> str:
    title = term_titles(study).get(covariate.name, covariate.name)
    title = title[:1].lower() + title[1:] if title[1:2].islower() else title
    if covariate.kind == "spline":
        knots = listed(list(covariate.knot_names))
        return f"{title} (natural cubic spline, knots {knots}; reference: {covariate.reference})"
    return f"{title} (reference: {covariate.reference})" if covariate.reference else title


def term_titles(study: Study) -> dict[str, str]:
    """Return the title of each covariate: that of its column in Table 1, without the unit."""
    blocks = {row.column: row.title.partition(" (")[0] for row in study.table_one}
    return {c.name: blocks.get(c.column, c.name.replace("_", " ").capitalize()) for c in study.covariates}


def abbreviations(study: Study) -> dict[str, str]:
    """Return levels written in capitals with their labels in Table 1."""
    return {
        level: label
        for row in study.table_one
        for level, label in row.labels.items()
        if level.isupper() and label.upper() != level
    }


def software(release: Mapping[str, Any], installed: Mapping[str, str]) -> str:
    """Return the sentence on the program and packages that computed the results."""
    packages = listed([f"{name} {version}" for name, version in installed.items()])
    return (
        f"Analysis: sarcoma_pipeline {release['code_version']} with {packages}. Its estimators are tested "
        "against R’s packages survival, cmprsk and rms."
    )


def provenance(release: Mapping[str, Any]) -> str:
    """Return the paragraph with the hashes of the inputs of the results."""
    count = release["decisions"]
    decided = f"{number(count)} decision{'' if count == 1 else 's'} of stewards {release['decisions_hash']}"
    return (
        f"Release {release['refresh_id']} of {release['released_at']}: program {release['code_version']} "
        f"{release['code_hash']}; configuration {release['configuration_hash']}; raw files "
        f"{release['manifest_hash']}; {decided}; content {release['content_hash']}. "
        "Equal content hashes mean equal numbers; “sarcoma refresh --as-of” rebuilds the release."
    )
