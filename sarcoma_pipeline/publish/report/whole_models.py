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
    listed,
    number,
    p_value,
    ratio_of,
)
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.configuration import Model
from schemas.statistics import FEW, TOO_FEW, Statistics


def summary(report: Report) -> Iterator[Paragraph]:
    """Say which models have too few events, and where a small p value is not borne out by the joint test."""
    if not report.has("analysis.model_fit"):
        return
    fits = {row["model"]: row for row in report.frames["analysis.model_fit"].rows(named=True)}
    few = [model.name for model in report.study.models if fits.get(model.name, {}).get("verdict") == TOO_FEW]
    least = report.study.statistics.too_few_events_per_coefficient
    if few:
        yield Paragraph(
            f"Of {number(len(fits))} multivariable models, {number(len(few))} ({listed(few)}) "
            f"{'have' if len(few) > 1 else 'has'} fewer than {least:g} events per coefficient: too few for "
            "hazard ratios and p values to mean anything."
        )
    for model in report.study.models:
        yield from map(Paragraph, contradicted(report, model))


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
    title, each = title.lower(), number(fit["coefficients"])
    counted = (
        f"The model of {title} has {number(fit['events'])} events for {each} coefficients "
        f"({number(fit['events_per_variable'], 1)} each), fewer than"
        if fit["events"] is not None
        else f"The model of {title} has, for each of its {each} coefficients, fewer events than"
    )
    if fit["verdict"] == TOO_FEW:
        return (
            f"{counted} the {statistics.too_few_events_per_coefficient:g} that the study declares as the "
            "least: its hazard ratios, intervals and p values mean nothing and are printed for completeness "
            "only."
        )
    if fit["verdict"] == FEW:
        return (
            f"{counted} {statistics.few_events_per_coefficient:g}: its hazard ratios are unstable and its "
            "intervals may be too narrow."
        )
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
            [f"{r['contrast']}, p {_equals(p_value(r['p_value'], statistics.p_decimals))}" for r in small]
        )
        title = report.titles.get(model.endpoint, model.endpoint).lower()
        of = str(terms.get(test["term"], test["term"])).lower()
        wald = f", Wald p = {number(test['wald_p_value'], 2)}" if test["wald_p_value"] is not None else ""
        said.append(
            f"The joint test of {of} in the model of {title} ({model.name}) gives p = {number(p, 2)} "
            f"(likelihood ratio, {number(degrees)} degrees of freedom{wald}): it does not show that {title} "
            f"differs by {of}, although {'contrasts' if len(small) > 1 else 'one contrast'} of "
            f"{number(degrees)} {'have' if len(small) > 1 else 'has'} a small p value ({shown})."
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
    return (
        f" The paper prints p = {printed} for {'these contrasts' if len(small) > 1 else 'this contrast'}: "
        "the joint test speaks against a conclusion from it."
    )


def _equals(shown: str) -> str:
    return shown.replace("<", "< ") if shown.startswith("<") else f"= {shown}"


def _discrimination(fit: pl.DataFrame) -> str:
    row = fit.row(0, named=True)
    return f"Harrell’s C of the model is {_concordance(row)}."


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
            lines.append(Line(("All levels together", *joint), indent=True))
    patients = {
        "same patients": "Univariable models use the patients of the multivariable one.",
        "every patient": "Univariable models use every patient with the covariate.",
    }[statistics.univariable]
    notes = [f"{patients} LR: likelihood ratio test of all coefficients of the covariate together."]
    adjusted = {r["term"]: r["adjusted_p_value"] for r in tests.values() if r["adjusted_p_value"] is not None}
    if adjusted:
        shown = "; ".join(f"{terms.get(t, t)} {p(value)}" for t, value in adjusted.items())
        notes.append(f"Joint tests adjusted for their number ({statistics.p_adjustment}): {shown}.")
    bent = {r["term"]: r["nonlinearity_p_value"] for r in tests.values() if r.get("nonlinearity_p_value")}
    notes += [
        f"{terms.get(term, term)}: natural cubic spline; against a straight effect, p = {p(value)}."
        for term, value in bent.items()
    ]
    notes += list(dict.fromkeys(r["note"] for r in tests.values() if r["note"]))
    return Table(
        f"table-beside-{model.name.lower()}", report.supplement(),
        f"Univariable beside multivariable hazard ratios, with joint tests: {title.lower()}",
        ("Covariate", "Univariable HR (95 % CI)", "p (Wald)", "p (LR)", "Multivariable HR (95 % CI)",
         "p (Wald)", "p (LR)"),
        tuple(lines), tuple(notes), (24, 20, 9, 9, 20, 9, 9),
    )  # fmt: skip


def fits(report: Report) -> Table:
    """Return the table of all models as a whole: concordance with its interval, global tests, verdict."""
    decimals = report.study.statistics.p_decimals
    lines = [
        Line(
            (
                r["model"], number(r["coefficients"]), number(r["events_per_variable"], 1),
                r["verdict"] or MISSING, _concordance(r), number(r["likelihood_ratio"], 2),
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
        "table-model-fit", report.supplement(), "The models as a whole",
        ("Model", "Coefficients", "Events per coefficient", "Events are", "Harrell’s C (95 % CI)",
         "Likelihood ratio", "p", "p (Wald)"),
        tuple(lines),
        (f"Few: below {few:g} events per coefficient; too few: below {too_few:g}. Interval of C: "
         "infinitesimal jackknife. Likelihood ratio and p: all coefficients against none.",
         *dict.fromkeys(r for r in report.frames["analysis.model_fit"]["note"] if r)),
    )  # fmt: skip


def validation(report: Report) -> Table:
    """Return the table of `schemas.analysis_models.InternalValidation`."""
    rows = report.frames["analysis.internal_validation"].sort("position").rows(named=True)
    lines = tuple(
        Line(
            (
                r["model"], r["quantity"].capitalize(), number(r["apparent"], 3), number(r["optimism"], 3),
                number(r["corrected"], 3), f"{number(r['fitted'])} of {number(r['resamples'])}",
            )
        )
        for r in rows
    )  # fmt: skip
    return Table(
        "table-validation", report.supplement(), "Internal validation of the models by the bootstrap",
        ("Model", "Measure", "Apparent", "Optimism", "Corrected", "Resamples fitted"), lines,
        ("Optimism: mean over the resamples of the measure in the resample minus that in all patients. A "
         "calibration slope below 1: predictions are too extreme, and hazard ratios too far from 1.",
         *dict.fromkeys(f"{r['model']}: {r['note']}." for r in rows if r["note"])),
    )  # fmt: skip
