"""Competing risks in the report: hazard ratios of each cause by both hazards, pattern of first failure."""

from __future__ import annotations

from collections.abc import Iterator
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
    percent,
    ratio_of,
)
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.stored_notes import told
from schemas.analysis_models import CAUSE_SPECIFIC, SUBDISTRIBUTION
from schemas.language import gettext as _
from schemas.language import in_sentence
from schemas.statistics import FEW, TOO_FEW


def blocks(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the table of each analysis with models, after a warning of too few events, and the patterns."""
    if report.has("analysis.competing_hazard_ratio"):
        frame = report.frames["analysis.competing_hazard_ratio"].sort("position")
        titles = {risks.name: risks.title for risks in report.study.cumulative_incidence}
        for part in frame.partition_by("analysis", maintain_order=True):
            title = titles.get(part["analysis"][0], capital(part["analysis"][0]))
            yield from map(Paragraph, _warnings(part, title, report))
            yield _hazards(report, part, title)
    if report.has("analysis.first_failure"):
        yield _patterns(report)


def _warnings(rows: pl.DataFrame, title: str, report: Report) -> Iterator[str]:
    statistics = report.study.statistics
    of = {
        TOO_FEW: (
            statistics.too_few_events_per_coefficient,
            _("their hazard ratios mean nothing and are printed for completeness only"),
        ),
        FEW: (statistics.few_events_per_coefficient, _("their hazard ratios are unstable")),
    }
    causes = rows.unique("cause", keep="first", maintain_order=True).rows(named=True)
    for verdict, (threshold, means) in of.items():
        mine = [r for r in causes if r["verdict"] == verdict]
        if mine:
            counted = listed(
                [
                    _("{cause} ({events} events, {events_per_variable} for each coefficient)").format(
                        cause=_(r["cause"]),
                        events=number(r["events"]),
                        events_per_variable=number(r["events_per_variable"], 1),
                    )
                    for r in mine
                ]
            )
            yield _("{title}: fewer than {threshold} events per coefficient for {counted}; {means}.").format(
                title=title, threshold=general(threshold), counted=counted, means=means
            )


def _hazards(report: Report, rows: pl.DataFrame, title: str) -> Table:
    terms, decimals = methods.term_titles(report.study), report.study.statistics.p_decimals

    def p(value: float | None) -> str:
        return p_value(value, decimals)

    lines: list[Line] = []
    for of_cause in rows.partition_by("cause", maintain_order=True):
        first = of_cause.row(0, named=True)
        counted = _("{events} events, {competing_events} competing").format(
            events=number(first["events"]), competing_events=number(first["competing_events"])
        )
        lines.append(Line((f"{capital(first['cause'])} ({counted})", "", "", "", ""), heading=True))
        by = {(r["hazard"], r["term"], r["level"]): r for r in of_cause.rows(named=True)}
        specific = of_cause.filter(hazard=CAUSE_SPECIFIC).rows(named=True)
        for term, group in groupby(specific, key=lambda row: row["term"]):
            contrasts = list(group)
            for row in contrasts:
                other = by[SUBDISTRIBUTION, term, row["level"]]
                cells = (ratio_of(row), p(row["p_value"]), ratio_of(other), p(other["p_value"]))
                lines.append(Line((row["contrast"], *cells), indent=True))
            if len(contrasts) > 1:
                other = by[SUBDISTRIBUTION, term, contrasts[0]["level"]]
                name = _("{term}: all levels together").format(term=terms.get(term, term))
                joint = ("", p(contrasts[0]["joint_p_value"]), "", p(other["joint_p_value"]))
                lines.append(Line((name, *joint), indent=True))
    first = rows.row(0, named=True)
    notes = (
        _(
            "n = {n}. Cause-specific: Cox model of the hazard of patients without any event yet, the other "
            "causes censored; it tells what a covariate does. Subdistribution: Fine and Gray’s model; it "
            "follows the cumulative incidence, which a covariate may also change through the other causes. "
            "Wald’s tests."
        ).format(n=number(first["n"])),
        *dict.fromkeys(
            f"{capital(_(r['cause']))}, {r['contrast']}: {told(r['note'])}."
            for r in rows.rows(named=True)
            if r["note"]
        ),
    )
    key = "".join(c if c.isalnum() else "-" for c in first["analysis"].lower())
    return Table(
        f"table-hazards-{key}",
        report.supplement(),
        _("Cause-specific beside subdistribution hazard ratios: {title}").format(
            title=in_sentence(title[:1]) + title[1:]
        ),
        (
            _("Cause and covariate"),
            _("Cause-specific HR (95 % CI)"),
            "p",
            _("Subdistribution HR (95 % CI)"),
            "p",
        ),
        tuple(lines),
        notes,
        (36, 22, 10, 22, 10),
    )


def _patterns(report: Report) -> Table:
    rows: list[tuple[Any, ...]] = [
        (
            capital(_(r["pattern"])), number(r["n"]), percent(r["n"] / r["denominator"]),
            number(r["median_months"], 1) if r["median_months"] is not None else MISSING, number(r["died"]),
        )
        for r in report.frames["analysis.first_failure"].sort("position").rows(named=True)
    ]  # fmt: skip
    days = report.study.statistics.first_failure_days
    first = report.frames["analysis.first_failure"].row(0, named=True)
    lines = tuple(Line(tuple(row)) for row in rows)
    return Table(
        "table-first-failure",
        report.supplement(),
        _("Pattern of first failure"),
        (
            _("First failure"),
            _("n of {denominator}").format(denominator=number(first["denominator"])),
            "%",
            _("Median time, months"),
            _("Died"),
        ),
        lines,
        (
            _(
                "Sites of relapse within {days} days of the first one are one pattern. Died: patients of "
                "the pattern who died, of any cause."
            ).format(days=number(days)),
        ),
    )


def methods_sentences(report: Report) -> list[str]:
    """Describe the models and the patterns, as far as their tables exist."""
    statistics, said = report.study.statistics, []
    if report.has("analysis.competing_hazard_ratio"):
        like = {"efron": _("as R’s finegray with coxph"), "breslow": _("as R’s cmprsk")}[statistics.ties]
        said.append(
            _(
                "Of each cause, the cause-specific hazard was modelled by Cox’s method with the other causes "
                "censored, and the subdistribution hazard by Fine and Gray’s (1999; {like}), with weights "
                "from the Kaplan–Meier estimate of the censoring and Fine and Gray’s variance."
            ).format(like=like)
        )
    if report.has("analysis.first_failure"):
        said.append(
            _(
                "The pattern of first failure joins the sites of all relapses within "
                "{first_failure_days} days of the first one."
            ).format(first_failure_days=number(statistics.first_failure_days))
        )
    if report.has("analysis.cumulative_incidence") and statistics.least_at_risk:
        said.append(
            _(
                "Curves of cumulative incidence end where fewer than {least_at_risk} patients are at risk."
            ).format(least_at_risk=number(statistics.least_at_risk))
        )
    return said
