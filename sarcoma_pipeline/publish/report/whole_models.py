"""What the report says of Cox models as a whole: univariable beside multivariable, joint tests, events.

Every sentence is made from the released numbers and the thresholds that the study declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import methods
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import (
    MISSING,
    capital,
    general,
    listed,
    number,
    p_value,
    ratio_of,
)
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.stored_notes import told
from schemas.analysis import PENALISED
from schemas.configuration import Model
from schemas.language import gettext as _
from schemas.language import in_sentence, ngettext
from schemas.rounding import equals
from schemas.statistics import FEW, TOO_FEW, Statistics


def summary(report: Report) -> Iterator[str]:
    """Say which models have too few events, and where a small p value is not borne out by the joint test."""
    if not report.has("analysis.model_fit"):
        return
    fits = {row["model"]: row for row in report.frames["analysis.model_fit"].rows(named=True)}
    few = [model.name for model in report.study.models if fits.get(model.name, {}).get("verdict") == TOO_FEW]
    least = report.study.statistics.too_few_events_per_coefficient
    if few:
        yield (
            ngettext(
                "Of {models} multivariable models, {few} ({names}) has fewer than {least} events per "
                "coefficient: too few for hazard ratios and p values to mean anything.",
                "Of {models} multivariable models, {few} ({names}) have fewer than {least} events per "
                "coefficient: too few for hazard ratios and p values to mean anything.",
                len(few),
            ).format(models=number(len(fits)), few=number(len(few)), names=listed(few), least=general(least))
        )
    for model in report.study.models:
        yield from contradicted(report, model)


def found(report: Report) -> Iterator[str]:
    """Say which covariates have a small p value, in the models that have enough events to mean something."""
    if not report.has("analysis.model_fit", "analysis.joint_test", "analysis.hazard_ratio"):
        return
    statistics, terms = report.study.statistics, methods.term_titles(report.study)
    fits = {row["model"]: row for row in report.frames["analysis.model_fit"].rows(named=True)}
    p = pl.coalesce("adjusted_p_value", "p_value")
    for model in report.study.models:
        tests = (
            report.frames["analysis.joint_test"]
            .filter(pl.col("p_value").is_not_null(), model=model.name)
            .with_columns(p=p, small=p < statistics.significance)
            .sort("position")
        )
        if tests.is_empty() or fits.get(model.name, {}).get("verdict") in (None, TOO_FEW):
            continue
        names = {t: in_sentence(str(terms.get(t, t))) for t in tests["term"].to_list()}
        shown = [
            f"{names[r['term']]} (p {equals(p_value(r['p'], statistics.p_decimals))}"
            f"{_single(report, model, r['term'])})"
            for r in tests.filter("small").rows(named=True)
        ]
        others = [names[t] for t in tests.filter(~pl.col("small"))["term"].to_list()]
        title = in_sentence(report.titles.get(model.endpoint, model.endpoint))
        below = general(statistics.significance)
        if not shown:
            yield _("In the model of {title}, no covariate has p below {below}.").format(
                title=title, below=below
            )
            continue
        yield _("In the model of {title}, p is below {below} for {shown}{others}.").format(
            title=title,
            below=below,
            shown=listed(shown),
            others=_(", not for {others}").format(others=listed(others, _(" or "))) if others else "",
        )


def _single(report: Report, model: Model, term: str) -> str:
    """Return the hazard ratio of a covariate with one coefficient, for a bracket."""
    ratios = report.frames["analysis.hazard_ratio"].filter(~PENALISED, model=model.name, term=term)
    if ratios.height != 1:
        return ""
    row = ratios.row(0, named=True)
    return f"; {row['contrast']}: HR\u00a0{number(row['hazard_ratio'], 3)}"


def beside(report: Report, model: Model, title: str, rows: pl.DataFrame) -> Iterator[Paragraph | Table]:
    """Yield what one model says as a whole, below its hazard ratios.

    Args:
        report: the report.
        model: the model.
        title: its title.
        rows: its rows of `schemas.analysis.HazardRatio`, without those with a penalty.
    """
    if not report.has("analysis.univariable_hazard_ratio", "analysis.joint_test", "analysis.model_fit"):
        return
    fit = report.frames["analysis.model_fit"].filter(model=model.name)
    if fit.height:
        said = [enough(fit.row(0, named=True), title, report.study.statistics)]
        yield Paragraph(" ".join([*filter(None, said), *contradicted(report, model)]) or _discrimination(fit))
    yield _beside(report, model, title, rows)


def enough(fit: Mapping[str, Any], title: str, statistics: Statistics) -> str:
    """Say what the number of events per coefficient means for a model; nothing if it is enough.

    Args:
        fit: a row of `schemas.analysis_models.ModelFit`.
        title: the model in words.
        statistics: the declared thresholds.
    """
    title, each = in_sentence(title), number(fit["coefficients"])
    counted = (
        _(
            "The model of {title} has {events} events for {each} coefficients "
            "({events_per_variable} each), fewer than"
        ).format(
            title=title,
            events=number(fit["events"]),
            each=each,
            events_per_variable=number(fit["events_per_variable"], 1),
        )
        if fit["events"] is not None
        else _("The model of {title} has, for each of its {each} coefficients, fewer events than").format(
            title=title, each=each
        )
    )
    if fit["verdict"] == TOO_FEW:
        return _(
            "{counted} the {least} that the study declares as the "
            "least: its hazard ratios, intervals and p values mean nothing and are printed for completeness "
            "only."
        ).format(counted=counted, least=general(statistics.too_few_events_per_coefficient))
    if fit["verdict"] == FEW:
        return _(
            "{counted} {least}: its hazard ratios are unstable and its intervals may be too narrow."
        ).format(counted=counted, least=general(statistics.few_events_per_coefficient))
    return ""


def contradicted(report: Report, model: Model) -> list[str]:
    """Name the factors of a model of which one contrast has a small p value, and the joint test has not."""
    tests, ratios = (report.frames.get(f"analysis.{n}") for n in ("joint_test", "hazard_ratio"))
    if tests is None or ratios is None:
        return []
    statistics, terms = report.study.statistics, methods.term_titles(report.study)
    said = []
    for test in tests.filter(model=model.name).rows(named=True):
        p, degrees = test["p_value"], test["degrees_of_freedom"]
        if p is None or degrees is None or degrees < 2 or p < statistics.significance:
            continue
        small = ratios.filter(
            pl.col("p_value") < statistics.significance, model=model.name, term=test["term"]
        ).rows(named=True)
        if not small:
            continue
        shown = listed(
            [f"{r['contrast']}, p {equals(p_value(r['p_value'], statistics.p_decimals))}" for r in small]
        )
        title = in_sentence(report.titles.get(model.endpoint, model.endpoint))
        of = in_sentence(str(terms.get(test["term"], test["term"])))
        wald = (
            _(", Wald p = {wald_p_value}").format(
                wald_p_value=p_value(test["wald_p_value"], statistics.p_decimals)
            )
            if test["wald_p_value"] is not None
            else ""
        )
        said.append(
            ngettext(
                "The joint test of {of} in the model of {title} ({name}) gives p = {p} "
                "(likelihood ratio, {degrees} degrees of freedom{wald}): it does not show that {title} "
                "differs by {of}, although one contrast of {degrees} has a small p value ({shown}).",
                "The joint test of {of} in the model of {title} ({name}) gives p = {p} "
                "(likelihood ratio, {degrees} degrees of freedom{wald}): it does not show that {title} "
                "differs by {of}, although contrasts of {degrees} have a small p value ({shown}).",
                len(small),
            ).format(
                of=of,
                title=title,
                name=model.name,
                p=p_value(p, statistics.p_decimals),
                degrees=number(degrees),
                wald=wald,
                shown=shown,
            )
            + _papers(report, small)
        )
    return said


def _papers(report: Report, small: list[dict[str, Any]]) -> str:
    """Say that the paper concluded from the same contrasts."""
    frame = report.frames.get("analysis.published_comparison")
    if frame is None or "our_joint_text" not in frame.columns:
        return ""
    ours = {row["hazard_ratio"] for row in small}
    rows = frame.filter(pl.col("our_joint_text").is_not_null(), pl.col("our_value").is_in(ours)).rows(
        named=True
    )
    if not rows:
        return ""
    printed = listed(list(dict.fromkeys(number(r["published_p"], 4) for r in rows)))
    return ngettext(
        " The paper prints p = {printed} for this contrast: the joint test speaks against a conclusion from "
        "it.",
        " The paper prints p = {printed} for these contrasts: the joint test speaks against a conclusion "
        "from it.",
        len(small),
    ).format(printed=printed)


def _discrimination(fit: pl.DataFrame) -> str:
    row = fit.row(0, named=True)
    return _("Harrell’s C of the model is {concordance}.").format(concordance=_concordance(row))


def _concordance(row: Mapping[str, Any]) -> str:
    if row["concordance"] is None:
        return MISSING
    if row["concordance_low"] is None:
        return number(row["concordance"], 3)
    low, high = number(row["concordance_low"], 3), number(row["concordance_high"], 3)
    return f"{number(row['concordance'], 3)} ({low}–{high})"


def _beside(report: Report, model: Model, title: str, rows: pl.DataFrame) -> Table:
    statistics, terms = report.study.statistics, methods.term_titles(report.study)
    single = {
        (r["term"], r["level"]): r
        for r in report.frames["analysis.univariable_hazard_ratio"].filter(model=model.name).rows(named=True)
    }
    tests = {
        r["term"]: r for r in report.frames["analysis.joint_test"].filter(model=model.name).rows(named=True)
    }

    def p(value: float | None) -> str:
        return p_value(value, statistics.p_decimals)

    lines: list[Line] = []
    for term, group in groupby(rows.sort("position").rows(named=True), key=lambda row: row["term"]):
        contrasts, test = list(group), tests.get(term, {})
        ratio_tests = (p(test.get("univariable_p_value")), p(test.get("p_value")))
        factor = contrasts[0]["level"] is not None
        if factor:
            lines.append(Line((str(terms.get(term, term)), *("",) * 6), heading=True))
        for row in contrasts:
            alone = single.get((term, row["level"]))
            uni = (ratio_of(alone), p(alone["p_value"])) if alone else (MISSING, MISSING)
            whole = ratio_tests if len(contrasts) == 1 else ("", "")
            cells = (row["contrast"], *uni, whole[0], ratio_of(row), p(row["p_value"]), whole[1])
            lines.append(Line(cells, indent=factor))
        if len(contrasts) > 1:
            joint = ("", "", ratio_tests[0], "", p(test.get("wald_p_value")), ratio_tests[1])
            lines.append(Line((_("All levels together"), *joint), indent=True))
    patients = {
        "same patients": _("Univariable models use the patients of the multivariable one."),
        "every patient": _("Univariable models use every patient with the covariate."),
    }[statistics.univariable]
    notes = [
        _("{patients} LR: likelihood ratio test of all coefficients of the covariate together.").format(
            patients=patients
        )
    ]
    adjusted = {r["term"]: r["adjusted_p_value"] for r in tests.values() if r["adjusted_p_value"] is not None}
    if adjusted:
        shown = "; ".join(f"{terms.get(t, t)} {p(value)}" for t, value in adjusted.items())
        notes.append(
            _("Joint tests adjusted for their number ({p_adjustment}): {shown}.").format(
                p_adjustment=_(statistics.p_adjustment), shown=shown
            )
        )
    bent = {r["term"]: r["nonlinearity_p_value"] for r in tests.values() if r.get("nonlinearity_p_value")}
    notes += [
        _("{term}: natural cubic spline; against a straight effect, p = {value}.").format(
            term=terms.get(term, term), value=p(value)
        )
        for term, value in bent.items()
    ]
    notes += list(dict.fromkeys(told(r["note"]) for r in tests.values() if r["note"]))
    return Table(
        f"table-beside-{model.name.lower()}",
        report.supplement(),
        _("Univariable beside multivariable hazard ratios, with joint tests: {title}").format(
            title=in_sentence(title)
        ),
        (
            _("Covariate"),
            _("Univariable HR (95 % CI)"),
            _("p (Wald)"),
            _("p (LR)"),
            _("Multivariable HR (95 % CI)"),
            _("p (Wald)"),
            _("p (LR)"),
        ),
        tuple(lines),
        tuple(notes),
        (24, 20, 9, 9, 20, 9, 9),
    )


def fits(report: Report) -> Table:
    """Return the table of all models as a whole: concordance with its interval, global tests, verdict."""
    decimals = report.study.statistics.p_decimals
    lines = [
        Line(
            (
                r["model"], number(r["coefficients"]), number(r["events_per_variable"], 1),
                _(r["verdict"]) if r["verdict"] else MISSING, _concordance(r),
                number(r["likelihood_ratio"], 2),
                p_value(r["p_value"], decimals), p_value(r["wald_p_value"], decimals),
            )
        )
        for r in report.frames["analysis.model_fit"].sort("position").rows(named=True)
    ]  # fmt: skip
    few, too_few = (
        report.study.statistics.few_events_per_coefficient,
        report.study.statistics.too_few_events_per_coefficient,
    )
    return Table(
        "table-model-fit",
        report.supplement(),
        _("The models as a whole"),
        (
            _("Model"),
            _("Coefficients"),
            _("Events per coefficient"),
            _("Events are"),
            _("Harrell’s C (95 % CI)"),
            _("Likelihood ratio"),
            "p",
            _("p (Wald)"),
        ),
        tuple(lines),
        (
            _(
                "Few: below {few} events per coefficient; too few: below {too_few}. Interval of C: "
                "infinitesimal jackknife. Likelihood ratio and p: all coefficients against none."
            ).format(few=general(few), too_few=general(too_few)),
            *dict.fromkeys(told(r) for r in report.frames["analysis.model_fit"]["note"] if r),
        ),
    )


def validation(report: Report) -> Table:
    """Return the table of `schemas.analysis_models.InternalValidation`."""
    rows = report.frames["analysis.internal_validation"].sort("position").rows(named=True)
    lines = tuple(
        Line(
            (
                r["model"],
                capital(_(r["quantity"])),
                number(r["apparent"], 3),
                number(r["optimism"], 3),
                number(r["corrected"], 3),
                _("{fitted} of {resamples}").format(
                    fitted=number(r["fitted"]), resamples=number(r["resamples"])
                ),
            )
        )
        for r in rows
    )
    return Table(
        "table-validation",
        report.supplement(),
        _("Internal validation of the models by the bootstrap"),
        (_("Model"), _("Measure"), _("Apparent"), _("Optimism"), _("Corrected"), _("Resamples fitted")),
        lines,
        (
            _(
                "Optimism: mean over the resamples of the measure in the resample minus that in all "
                "patients. A calibration slope below 1: predictions are too extreme, and hazard ratios too "
                "far from 1."
            ),
            *dict.fromkeys(f"{r['model']}: {told(r['note'])}." for r in rows if r["note"]),
        ),
    )
