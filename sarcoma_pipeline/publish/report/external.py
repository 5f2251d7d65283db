"""Draws and prints the external validation of published prognostic models."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish.report import calibrations
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import MISSING, capital, listed, number
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import gettext as _
from schemas.language import in_sentence, ngettext
from schemas.study_toml import Study, Validation


def blocks(report: Report) -> Iterator[Paragraph | Table | Figure]:
    """Yield source, measures, calibration and net benefit of every published model."""
    if not report.has("analysis.external_validation"):
        return
    for validation in report.study.validation:
        measures = _of(report, "analysis.external_validation", validation)
        if not measures.height:
            continue
        key = validation.name.lower().replace(" ", "-")
        first = measures.row(0, named=True)
        yield Paragraph(
            _(
                "{title}. {source} It was applied as it stands to {n} patients with all its predictors "
                "({events} events)."
            ).format(
                title=validation.title,
                source=validation.source,
                n=number(first["n"]),
                events=number(first["events"]),
            )
            + _lacking(first["missing"])
        )
        yield _measures(report, measures, validation, key)
        frame = _of(report, "analysis.external_calibration", validation)
        parts = frame.partition_by("horizon_months", maintain_order=True)
        panels = [
            calibrations.panel(
                part.filter(pl.col("risk_group") > 0), letter,
                _("{months} months").format(months=number(part["horizon_months"][0])),
                part["horizon_months"][0], key=f"{key}-{letter.lower()}",
            )
            for letter, part in zip("ABCDEFGH", parts, strict=False)
        ]  # fmt: skip
        yield report.figure(
            f"figure-external-{key}",
            _(
                "Calibration of {title}: a point per group of predicted risk, with the 95 % confidence "
                "interval of the Kaplan–Meier estimate. On the dashed line prediction and observation agree."
            ).format(title=in_sentence(validation.title[:1]) + validation.title[1:]),
            panels,
        )
        yield _benefit(report, validation, key)


def _lacking(missing: int | None) -> str:
    if missing == 0:
        return ""
    return ngettext(
        " {missing} patient lacks a predictor and is left out.",
        " {missing} patients lack a predictor and are left out.",
        missing,
    ).format(missing=number(missing))


def methods_sentence(study: Study) -> str:
    """Return the sentence on how published prognostic models were judged."""
    names = listed([in_sentence(validation.title) for validation in study.validation])
    return _(
        "Published prognostic models ({names}) were applied as they stand, with their own coefficients and "
        "baseline survival, to the patients with all of their predictors. Discrimination is given as "
        "Harrell’s and Uno’s concordance; calibration as the slope of the linear predictor in a Cox model "
        "(Royston and Altman, 2013), as observed (Kaplan–Meier) over expected events, and by groups of "
        "predicted risk at each horizon; usefulness as net benefit (Vickers, 2008)."
    ).format(names=names)


def _of(report: Report, table: str, validation: Validation) -> pl.DataFrame:
    return report.frames[table].filter(validation=validation.name).sort("position")


def _measures(report: Report, measures: pl.DataFrame, validation: Validation, key: str) -> Table:
    lines = []
    for row in measures.rows(named=True):
        at = (
            _(" at {months} months").format(months=number(row["horizon_months"]))
            if row["horizon_months"]
            else ""
        )
        limits = (
            MISSING if row["ci_low"] is None else f"{number(row['ci_low'], 2)}–{number(row['ci_high'], 2)}"
        )
        lines.append(Line((capital(_(row["quantity"])) + at, number(row["value"], 3), limits)))
    return Table(
        f"table-external-{key}", report.supplement(),
        _("{title} in these patients").format(title=validation.title),
        (_("Measure"), _("Value"), _("95 % CI")), tuple(lines),
        (_("C: 0.5 is chance, 1 a perfect order; Uno’s does not depend on the censoring. Calibration slope: "
           "1 is right, below 1 predictions are too extreme. Observed / expected: above 1 there are more "
           "events than predicted."),),
    )  # fmt: skip


def _benefit(report: Report, validation: Validation, key: str) -> Table:
    rows = _of(report, "analysis.net_benefit", validation).rows(named=True)
    lines = tuple(
        Line(
            (
                _("{months} months, from {threshold} %").format(
                    months=number(r["horizon_months"]), threshold=number(100 * r["threshold"])
                ),
                _("{number} of {all}").format(number=number(r["flagged"]), all=number(r["n"])),
                number(r["model"], 3),
                number(r["everybody"], 3),
            )
        )
        for r in rows
    )  # fmt: skip
    return Table(
        f"table-benefit-{key}", report.supplement(),
        _("Net benefit: {title}").format(title=in_sentence(validation.title)),
        (_("Horizon, and risk from which one acts"), _("Flagged"), _("By the model"),
         _("Acting on everybody")), lines,
        (_("Events found per patient, less false alarms weighted by the odds of the threshold (Vickers "
           "2008). Acting on nobody has a net benefit of 0; a model helps only where it is above both "
           "others."),),
    )  # fmt: skip
