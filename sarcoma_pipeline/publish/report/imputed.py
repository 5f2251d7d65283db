"""Prints Cox models after multiple imputation beside those of the complete cases."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish.report import methods
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import listed, number, p_value, percent, ratio
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.stored_notes import told as translated
from schemas.language import gettext as _
from schemas.language import in_sentence
from schemas.study_toml import Study


def blocks(report: Report) -> Iterator[Paragraph | Table]:
    """Yield, for each imputed model, what is missing, and both results side by side."""
    if not report.has("analysis.imputed_hazard_ratio", "analysis.imputed_covariate"):
        return
    decimals, terms = report.study.statistics.p_decimals, methods.term_titles(report.study)
    titles = {m.name: m.title.partition(" (")[0] for m in report.study.models}
    frame = report.frames["analysis.imputed_hazard_ratio"].sort("position")
    for part in frame.partition_by("model", maintain_order=True):
        first = part.row(0, named=True)
        title = in_sentence(str(titles.get(first["model"], first["model"])))
        told = report.frames["analysis.imputed_covariate"].filter(model=first["model"]).sort("position")
        yield Paragraph(_missing(title, first, told, terms))
        lines: list[Line] = []
        for of in part.partition_by("term", maintain_order=True):
            rows = of.rows(named=True)
            term = str(terms.get(rows[0]["term"], rows[0]["term"]))
            factor = rows[0]["level"] is not None
            if factor:
                joint = p_value(rows[0]["joint_p_value"], decimals) if len(rows) > 1 else ""
                lines.append(Line((term, "", "", "", joint, ""), heading=True))
            for row in rows:
                both = [
                    ratio(row[f"{of}hazard_ratio"], row[f"{of}ci_low"], row[f"{of}ci_high"])
                    for of in ("complete_", "")
                ]
                cells = (
                    row["contrast"], both[0], p_value(row["complete_p_value"], decimals), both[1],
                    p_value(row["p_value"], decimals), percent(row["missing_information"], 0),
                )  # fmt: skip
                lines.append(Line(cells, indent=factor))
        notes = [
            _(
                "Complete cases: {complete_events} events in {complete_n} patients; imputed: {events} in {n}"
                ". In the row of a covariate: p of the joint test of its levels after imputation. Missing "
                "information: the share of the information on the hazard ratio that the missing values "
                "cost, in per cent."
            ).format(
                complete_events=number(first["complete_events"]),
                complete_n=number(first["complete_n"]),
                events=number(first["events"]),
                n=number(first["n"]),
            ),
            *dict.fromkeys(
                f"{r['contrast']}: {translated(r['note'])}." for r in part.rows(named=True) if r["note"]
            ),
        ]
        yield Table(
            f"table-imputed-{first['model'].lower()}", report.supplement(),
            _("Hazard ratios of the complete cases and after multiple imputation: {title}").format(
                title=title
            ),
            (_("Covariate"), _("Complete cases: HR (95 % CI)"), "p", _("Imputed: HR (95 % CI)"), "p",
             _("Missing information")),
            tuple(lines), tuple(notes),
        )  # fmt: skip


def _missing(title: str, first: dict[str, object], told: pl.DataFrame, terms: dict[str, str]) -> str:
    lacking = [
        f"{terms.get(r['covariate'], r['covariate'])} ({number(r['missing'])}, {percent(r['share'])} %)"
        for r in told.filter(pl.col("missing") > 0).rows(named=True)
    ]
    if not lacking:
        return _("In the model of {title} no covariate is missing: nothing was imputed.").format(title=title)
    lost = int(str(first["n"])) - int(str(first["complete_n"]))
    return _(
        "In the model of {title} the following was missing: {lacking}. Complete cases leave out {lost} of "
        "{n} patients; {imputations} imputed data sets keep them. If the two results differ, the answer "
        "depends on the patients whom the complete cases leave out."
    ).format(title=title, lacking=listed(lacking), lost=lost, n=first["n"], imputations=first["imputations"])


def methods_sentence(study: Study) -> str:
    """Return the sentence on how missing covariates were imputed; nothing if no model asks for it."""
    asked = [model for model in study.models if model.missing == "impute"]
    if not asked:
        return ""
    how = asked[0].imputation
    others = "" if all(m.imputation == how for m in asked) else _(" (in the first of these models)")
    terms = methods.term_titles(study)
    names = dict.fromkeys(name for model in asked for name in model.imputation.auxiliary)
    helped = (
        _(", and {names}").format(names=listed([in_sentence(str(terms.get(n, n))) for n in names]))
        if names
        else ""
    )
    return _(
        "As a sensitivity analysis missing covariates of the models of {models} were imputed {imputations} "
        "times by chained equations with {iterations} iterations{others} (seed {seed}): numbers by "
        "predictive mean matching, levels by multinomial logistic regression, from the other covariates, the "
        "event and the Nelson–Aalen cumulative hazard (White and Royston, 2009){helped}. Estimates were "
        "pooled by Rubin’s rules with Barnard and Rubin’s degrees of freedom, joint tests by Li, Raghunathan "
        "and Rubin’s D1. Imputation assumes that values are missing at random given these variables."
    ).format(
        models=listed([m.name for m in asked]),
        imputations=how.imputations,
        iterations=how.iterations,
        others=others,
        seed=how.seed,
        helped=helped,
    )
