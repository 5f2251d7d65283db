"""Writes the summary from the released numbers: what was found, how sure it is, what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import assumption_runs, whole_models
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import (
    MISSING,
    listed,
    median,
    number,
    percent,
    rate,
)
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.survival.sensitivity import beyond_error
from schemas.assumptions import sentences
from schemas.language import gettext as _
from schemas.language import ngettext, quoted


def blocks(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the summary; the first paragraph of each part has the part's name as its lead."""
    if not report.has("analysis.survival_estimate"):
        return
    parts = (
        (_("What was found"), _found(report)),
        (_("How sure it is"), _sure(report)),
        (_("What would change it"), _changing(report)),
    )
    for name, said in parts:
        lead = name
        for block in said:
            yield block if isinstance(block, Table) else Paragraph(block, lead=lead)
            lead = ""


def _found(report: Report) -> Iterator[str | Table]:
    estimates = report.frames["analysis.survival_estimate"]
    patients = report.frames["meta.release"].row(0, named=True)["eligible"]
    followed = [
        _("The median observed follow-up was {value} months (Q1–Q3 {q1}–{q3}).").format(
            value=number(r["value"], report.decimals),
            q1=number(r["q1"], report.decimals),
            q3=number(r["q3"], report.decimals),
        )
        for r in estimates.filter(quantity="follow-up observed").rows(named=True)
    ]
    yield " ".join([_("{patients} patients were analysed.").format(patients=number(patients)), *followed])
    yield _outcomes(report, estimates)
    yield from whole_models.found(report)


def _outcomes(report: Report, estimates: pl.DataFrame) -> Table:
    """Return a row per endpoint: events, survival at the last horizon, median."""
    rates = estimates.filter(pl.col("value").is_not_null(), quantity="survival")
    last = rates.select(pl.col("horizon_months").max()).item()
    lines = []
    for name, title in report.titles.items():
        middle = estimates.filter(endpoint=name, quantity="median").rows(named=True)
        if not middle:
            continue
        at = rates.filter(endpoint=name, horizon_months=last).rows(named=True)
        lines.append(
            Line(
                (
                    f"{title} ({name})",
                    number(middle[0]["events"]),
                    *((_rate(at[0], report.decimals) if at else MISSING,) if last is not None else ()),
                    median(
                        middle[0]["value"], middle[0]["ci_low"], middle[0]["ci_high"], "NR", report.decimals
                    ),
                )
            )
        )
    months = (_("At {months} months, %").format(months=number(last)),) if last is not None else ()
    return Table(
        "table-summary",
        _("At a glance"),
        _("Outcomes, with 95 % confidence intervals"),
        (_("Endpoint"), _("Events"), *months, _("Median, months")),
        tuple(lines),
        (_("NR: not reached. The section on survival has all times."),),
        brief=True,
    )


def _rate(row: dict[str, Any], decimals: int) -> str:
    return rate(row["value"], row["ci_low"], row["ci_high"], decimals=decimals)


def _sure(report: Report) -> Iterator[str]:
    """Say how many patients the last rates rest on, how complete follow-up is, what models can bear."""
    said = [*_at_the_end(report), *_complete(report)]
    if said:
        yield " ".join(said)
    yield from whole_models.summary(report)


def _at_the_end(report: Report) -> Iterator[str]:
    rates = report.frames["analysis.survival_estimate"].filter(quantity="survival")
    if report.policy or rates.is_empty():
        return
    last = max(rates["horizon_months"].to_list())
    left = dict(rates.filter(horizon_months=last).select("endpoint", "at_risk").iter_rows())
    shown = [f"{number(left[name])} ({name})" for name in report.titles if left.get(name) is not None]
    if shown:
        yield _("At {months} months {left} patients are at risk.").format(
            months=number(last), left=listed(shown)
        )


def _complete(report: Report) -> Iterator[str]:
    if not report.has("analysis.follow_up_completeness"):
        return
    rows = report.frames["analysis.follow_up_completeness"]
    whole = {r["endpoint"]: r for r in rows.filter(pl.col("covariate").is_null()).rows(named=True)}
    of = next((whole[name] for name in report.titles if name in whole), None)
    if of and of["completeness"] is not None and of["lost"] is not None:
        yield ngettext(
            "Follow-up ({endpoint}) has {share} % of the possible person-years; {lost} patient was lost.",
            "Follow-up ({endpoint}) has {share} % of the possible person-years; {lost} patients were lost.",
            of["lost"],
        ).format(endpoint=of["endpoint"], share=percent(of["completeness"]), lost=number(of["lost"]))
    warned = rows.filter(pl.col("covariate").is_not_null(), pl.col("warning").is_not_null())
    by = [name for name in report.titles if name in set(warned["endpoint"])]
    if by:
        yield _(
            "Loss to follow-up differs between groups ({endpoints}): if the lost did better or worse than "
            "the others, these curves are wrong."
        ).format(endpoints=listed(by))


def _changing(report: Report) -> Iterator[str]:
    """Name the choices that move an estimate by more than its standard error, and the records set aside."""
    if report.has("analysis.survival_sensitivity"):
        yield _assumptions(report)
    if report.has("quality.accounting"):
        held = int(report.frames["quality.accounting"]["quarantined"].sum())
        if held:
            yield ngettext(
                "{held} record is in quarantine: no number includes it until it is corrected or waived.",
                "{held} records are in quarantine: no number includes them until they are corrected or "
                "waived.",
                held,
            ).format(held=number(held))


def _assumptions(report: Report) -> str:
    frame = report.frames["analysis.survival_sensitivity"]
    said = sentences(report.study.assumptions)
    moved: dict[str, list[str]] = {}
    for name in report.titles:
        for variant, _quantity, _months in beyond_error(frame.filter(endpoint=name)):
            of = moved.setdefault(assumption_runs.assumed(variant, said), [])
            if name not in of:
                of.append(name)
    if not moved:
        return _("No other choice of the definitions moves a survival rate by more than its standard error.")
    shown = [f"{quoted(variant)} ({listed(of)})" for variant, of in moved.items()]
    return _(
        "Another choice of the definitions moves a survival rate by more than its standard error: "
        "{variants}. The section on sensitivity has the numbers."
    ).format(variants="; ".join(shown))
