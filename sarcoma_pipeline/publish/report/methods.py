"""Writes the methods section from the study's configuration, so that text and analysis cannot differ."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from sarcoma_pipeline.publish.report.number_format import general, listed, number
from sarcoma_pipeline.sources import readers
from schemas.assumptions import declared
from schemas.configuration import Covariate, EndpointRule, Sources, Study
from schemas.language import SOURCE, decimal, in_sentence, marked, ngettext, pgettext, spoken
from schemas.language import gettext as _
from schemas.statistics import Statistics

_OR = marked(" or ")
_CENSORED_AT = (marked("last day known alive"), marked("last disease assessment"))
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
    kinds = listed(list(dict.fromkeys(_(readers.reader(source.kind).label) for source in sources.source)))
    criteria = "; ".join(
        f"({i}) {criterion.label[:1].lower() + criterion.label[1:]}"
        if criterion.label[1:2].islower() and in_sentence("A") == "a"
        else f"({i}) {criterion.label}"
        for i, criterion in enumerate(study.criteria, 1)
    )
    return [
        _(
            "{description} Data came from {kinds}. A record that breaks a rule of severity ‘error’ is "
            "quarantined until it is corrected at its source or waived by a data steward."
        ).format(description=study.description, kinds=kinds),
        _death(sources),
        _("Eligible were patients who fulfilled, in this order: {criteria}.").format(criteria=criteria),
        *_thresholds(study),
    ]


def _thresholds(study: Study) -> list[str]:
    """Return the paragraph on the declared shares of records that may break a rule; none without them."""
    if not study.thresholds:
        return []
    shares = listed(
        [
            _("{rules} at most {percent} %").format(
                rules=t.rule or _("each rule of severity ‘{severity}’").format(severity=t.severity),
                percent=decimal(f"{t.max_percent:g}"),
            )
            for t in study.thresholds
        ]
    )
    return [
        _("Of the records that a rule judges, these shares may break it: {shares}.").format(shares=shares)
    ]


def _death(sources: Sources) -> str:
    """Return the sentence on how contradictions about life and death are resolved."""
    order = listed([_(source) for source in sources.precedence["death"]])
    return _(
        "On life and death the sources rank in the order {order}. A dated death stands against a later "
        "statement of life unless that comes from a source of a higher rank than every source of the death; "
        "then the death is set aside, and a data steward decides."
    ).format(order=order)


def endpoints(study: Study) -> list[str]:
    """Return paragraphs on time zero, endpoints, assumptions, and endpoints that cannot be derived."""
    derivable = [rule for rule in study.endpoints if rule.derivable]
    sentences = [
        _("Time zero is the initial pathological diagnosis (date of biopsy); months are days / 30.4375."),
        *(_endpoint(rule) for rule in derivable),
        _("A date known only to the month or year is set to the middle of that month or year."),
    ]
    chosen = [d.sentence(getattr(study.assumptions, d.name)) for d in declared()]
    assumed = _(
        "Where the definitions leave a choice, the study assumed the following.  {assumptions}"
    ).format(assumptions=" ".join(filter(None, chosen)))
    lacking = [
        _("{title} ({name}) is not derivable. {reason}").format(
            title=rule.title, name=rule.name, reason=rule.reason
        )
        for rule in study.endpoints
        if not rule.derivable
    ]
    return [" ".join(sentences), assumed, *lacking]


def _endpoint(rule: EndpointRule) -> str:
    first = listed([_(kind) for kind in rule.events], _OR)
    until = _("the first of {first}") if len(rule.events) > 1 else pgettext("one event", "{first}")
    last = _(rule.censor.replace("last known", "last day known", 1))
    since = _(" from the {origin}").format(origin=_(rule.origin)) if rule.origin else ""
    by = (
        _(", and by {events}").format(events=listed([_(kind) for kind in rule.censored_by], _OR))
        if rule.censored_by
        else ""
    )
    entry = _(" Patients are at risk from the {entry} on.").format(entry=_(rule.entry)) if rule.entry else ""
    mark = (
        _(" Patients are at risk from day {landmark_days} on (landmark).").format(
            landmark_days=rule.landmark_days
        )
        if rule.landmark_days
        else ""
    )
    return _(
        "{title} ({name}) is the time{since} to {until}, censored at the {last}{by}.{entry}{mark}"
    ).format(
        title=rule.title,
        name=rule.name,
        since=since,
        until=until.format(first=first),
        last=last,
        by=by,
        entry=entry,
        mark=mark,
    )


def statistics(study: Study, tables: Mapping[str, Any]) -> list[str]:
    """Return paragraphs on estimators and models; additional analyses only if their tables exist."""
    horizons = listed([number(h) for h in study.horizons_months])
    sentences = [
        _(
            "Numbers are given as median with first and third quartile (type 7), categories as counts and "
            "percentages of all patients of the block, the missing included. Survival was estimated by "
            "Kaplan and Meier’s method with log-log 95 % confidence intervals, at {horizons} months and as "
            "median. Follow-up is given as the plain quantile of the observed times and by the reverse "
            "Kaplan–Meier method."
        ).format(horizons=horizons),
    ]
    if study.models:
        sentences.append(_models(study))
    if "analysis.model_fit" in tables:
        sentences.append(_whole_models(study.statistics))
    if "analysis.internal_validation" in tables:
        sentences.append(
            _(
                "Concordance and calibration slope were corrected for optimism by fitting each model anew to "
                "{bootstrap_resamples} bootstrap resamples (seed "
                "{bootstrap_seed})."
            ).format(
                bootstrap_resamples=number(study.statistics.bootstrap_resamples),
                bootstrap_seed=study.statistics.bootstrap_seed,
            )
        )
    if "analysis.ph_test" in tables:
        sentences.append(
            _(
                "Proportional hazards were tested by scaled Schoenfeld residuals (Grambsch and Therneau, "
                "1994), as the exact score test against 1 − S(t)."
            )
        )
    additional = []
    if "analysis.cumulative_incidence" in tables:
        additional.append(
            _(
                "Cumulative incidence with competing risks is Aalen and Johansen’s estimate, with log-log 95 "
                "% confidence intervals from the infinitesimal jackknife."
            )
        )
    if "analysis.subgroup" in tables:
        additional.append(_("Subgroups were compared by the log-rank test."))
    if "analysis.restricted_mean" in tables:
        additional.append(
            _("Restricted means are areas under the Kaplan–Meier curve, with Greenwood’s variance.")
        )
    if "analysis.survival_sensitivity" in tables:
        additional.append(_sensitivity(study))
    paragraphs = [" ".join(sentences), " ".join([*additional, _p_values(study.statistics)])]
    translated = _("The texts of this report are translated from English; the language changes no number.")
    return paragraphs if spoken() == SOURCE else [*paragraphs, translated]


def _sensitivity(study: Study) -> str:
    titles = {rule.name: in_sentence(rule.title) for rule in study.endpoints}
    by_name: dict[str, list[str]] = {}
    for variant in study.censoring_variants:
        by_name.setdefault(variant.name, []).append(titles[variant.endpoint])
    variants = [f"{name} ({listed(of)})" for name, of in by_name.items()]
    both_ends = _("every partial date at both ends of its interval")
    others = _("every other value of each assumption named above, derived anew from the curated events")
    runs = "; ".join([both_ends, *variants, others, _("complete cases only")])
    return _("Sensitivity was examined side by side with the main analysis: {runs}.").format(runs=runs)


def _models(study: Study) -> str:
    known = {covariate.name: covariate for covariate in study.covariates}
    by_terms: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for model in study.models:
        by_terms.setdefault((model.covariates, model.strata), []).append(model.endpoint)
    models = "; ".join(
        _("for {endpoints} {covariates}").format(
            endpoints=listed(names), covariates=listed([_covariate(known[term], study) for term in terms])
        )
        + (
            _(", stratified by {factors}").format(
                factors=listed([_covariate(known[term], study) for term in strata])
            )
            if strata
            else ""
        )
        for (terms, strata), names in by_terms.items()
    )
    merged = [
        _("{merge} were joined as {values}").format(
            merge=listed(list(c.merge)), values=listed(list(dict.fromkeys(c.merge.values())))
        )
        for c in study.covariates
        if c.merge
    ]
    joined = _(" For the models {merged}.").format(merged="; ".join(merged)) if merged else ""
    return _(
        "Hazard ratios come from multivariable Cox models of the complete cases, with "
        "{ties}’s method for ties and Wald 95 % confidence intervals and "
        "two-sided p values. Covariates were {models}.{joined} "
        "Where a level has no event, Firth’s penalised likelihood is given beside it, with profile "
        "intervals. Concordance is Harrell’s."
    ).format(ties=study.statistics.ties.capitalize(), models=models, joined=joined)


def _whole_models(statistics: Statistics) -> str:
    patients = {
        "same patients": _("in the patients of the multivariable model"),
        "every patient": _("in every patient with the covariate"),
    }[statistics.univariable]
    return _(
        "Each covariate was tested as a whole by the likelihood ratio test against the model without it, and "
        "by Wald’s test; univariable models were fitted {patients}. The standard error of the concordance "
        "is that of the infinitesimal jackknife. A model with fewer than "
        "{few_events_per_coefficient} events per coefficient is called unstable (Peduzzi et "
        "al., 1995), one with fewer than {too_few_events_per_coefficient} without meaning "
        "(Vittinghoff and McCulloch, 2007)."
    ).format(
        patients=patients,
        few_events_per_coefficient=general(statistics.few_events_per_coefficient),
        too_few_events_per_coefficient=general(statistics.too_few_events_per_coefficient),
    )


def _p_values(statistics: Statistics) -> str:
    """Say how p values are computed, adjusted and printed."""
    least = decimal(f"{10.0**-statistics.p_decimals:.{statistics.p_decimals}f}")
    adjusted = {
        "none": _("No correction was made for multiple testing."),
        "holm": _(
            "The joint tests of a model are also adjusted for their number by Holm’s method; no other p "
            "value is adjusted."
        ),
        "false discovery rate": _(
            "The joint tests of a model are also adjusted for their number by Benjamini "
            "and Hochberg’s method; no other p value is adjusted."
        ),
    }[statistics.p_adjustment]
    return _(
        "{adjusted} p values are two-sided, printed with {p_decimals} decimals and as <{least} "
        "below that; the text speaks of a difference below {significance}."
    ).format(
        adjusted=adjusted,
        p_decimals=statistics.p_decimals,
        least=least,
        significance=general(statistics.significance),
    )


def _covariate(covariate: Covariate, study: Study) -> str:
    title = term_titles(study).get(covariate.name, covariate.name)
    lowered = title[1:2].islower() and in_sentence("A") == "a"
    title = title[:1].lower() + title[1:] if lowered else title
    if covariate.kind == "spline":
        knots = listed(list(covariate.knot_names))
        return _("{title} (natural cubic spline, knots {knots}; reference: {reference})").format(
            title=title, knots=knots, reference=covariate.reference
        )
    return (
        _("{title} (reference: {reference})").format(title=title, reference=covariate.reference)
        if covariate.reference
        else title
    )


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
    return _(
        "Analysis: sarcoma_pipeline {code_version} with {packages}. Its estimators are tested "
        "against R’s packages survival, cmprsk, rms and mice."
    ).format(code_version=release["code_version"], packages=packages)


def provenance(release: Mapping[str, Any]) -> str:
    """Return the paragraph with the hashes of the inputs of the results."""
    count = release["decisions"]
    decided = ngettext(
        "{count} decision of stewards {decisions_hash}",
        "{count} decisions of stewards {decisions_hash}",
        count,
    ).format(count=number(count), decisions_hash=release["decisions_hash"])
    return _(
        "Release {refresh_id} of {released_at}: program {code_version} "
        "{code_hash}; configuration {configuration_hash}; raw files "
        "{manifest_hash}; {decided}; content {content_hash}. "
        "Equal content hashes mean equal numbers; “sarcoma refresh --as-of” rebuilds the release."
    ).format(
        refresh_id=release["refresh_id"],
        released_at=release["released_at"],
        code_version=release["code_version"],
        code_hash=release["code_hash"],
        configuration_hash=release["configuration_hash"],
        manifest_hash=release["manifest_hash"],
        decided=decided,
        content_hash=release["content_hash"],
    )
