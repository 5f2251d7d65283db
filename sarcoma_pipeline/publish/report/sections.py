"""Build the sections of the report: their tables and figures, in order and numbered.

A section appears only if its tables exist and are not empty. A study with one endpoint, without a paper or
without models therefore has a shorter report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from sarcoma_pipeline.publish.report import (
    competing,
    methods,
    report_tables,
    strobe,
    whole_models,
)
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report, Section
from sarcoma_pipeline.publish.report.number_format import listed, median, number, rate
from sarcoma_pipeline.publish.report.report_tables import Table
from sarcoma_pipeline.publish.report.sections_of_quality import (
    audit_section,
    limits_section,
    paper_section,
    quality_section,
    review_section,
)
from sarcoma_pipeline.publish.report.sections_of_results import (
    competing_section,
    diagnostics_section,
    follow_up_section,
    models_section,
    participants_section,
    sensitivity_section,
    subgroups_section,
    survival_section,
)
from schemas.disclosure import WITHHELD


def sections(report: Report) -> list[Section]:
    """Return the sections in order."""
    present: list[Section] = []
    for key, title, build in _SECTIONS:
        blocks = tuple(build(report))
        if blocks:
            present.append(Section(key, title, blocks))
    keys = {section.key for section in present} | {"checklist", "provenance"}
    present.append(Section("checklist", "STROBE and RECORD", tuple(_checklist(report, present, keys))))
    present.append(Section("provenance", "Provenance", tuple(_provenance(report))))
    return present


def _summary(report: Report) -> Iterator[Paragraph]:
    if not report.has("analysis.survival_estimate"):
        return
    estimates = report.frames["analysis.survival_estimate"]
    patients = report.frames["meta.release"].row(0, named=True)["eligible"]
    followed = [
        f"The median observed follow-up was {number(r['value'], report.decimals)} months "
        f"(Q1–Q3 {number(r['q1'], report.decimals)}–{number(r['q3'], report.decimals)})."
        for r in estimates.filter(quantity="follow-up observed").rows(named=True)
    ]
    yield Paragraph(" ".join([f"{number(patients)} patients were analysed.", *followed]))
    for name, title in report.titles.items():
        mine = estimates.filter(endpoint=name)
        if not mine.is_empty():
            yield Paragraph(_outcome(title, mine, report.decimals))
    yield from whole_models.summary(report)


def _outcome(title: str, estimates: pl.DataFrame, decimals: int) -> str:
    middle = estimates.filter(quantity="median").row(0, named=True)
    at = estimates.filter(pl.col("value").is_not_null(), quantity="survival").rows(named=True)
    shares = [
        f"{rate(r['value'], r['ci_low'], r['ci_high'], ' %', decimals)} at "
        f"{number(r['horizon_months'])} months"
        for r in at
    ]
    months = median(middle["value"], middle["ci_low"], middle["ci_high"], decimals=decimals)
    unit = " months" if months[0].isdigit() else ""
    return "; ".join(
        part
        for part in (f"{title}: {number(middle['events'])} events", listed(shares), f"median {months}{unit}.")
        if part
    )


def _disclosure(report: Report) -> Iterator[Paragraph]:
    if report.policy:
        few = report.policy.threshold
        yield Paragraph(
            f"This is the public version: no table has a row per patient. Counts from 1 to {few - 1} are "
            "withheld, together with further counts from which they could be calculated, and with "
            f"percentages and estimates based on them; these are printed as “{WITHHELD}” or a dash. Numbers "
            f"at risk are rounded to multiples of {report.policy.rounding}. Survival is given every "
            f"{report.policy.grid_months} months in whole per cent, and only where none or at least {few} "
            "events lie in between. Times are given in whole months."
        )


def _methods(report: Report) -> Iterator[Paragraph]:
    for text in methods.design(report.study, report.sources):
        yield Paragraph(text)
    for text in methods.endpoints(report.study):
        yield Paragraph(text)
    there = {name: frame for name, frame in report.frames.items() if frame.height}
    for text in methods.statistics(report.study, there):
        yield Paragraph(text)
    if said := competing.methods_sentences(report):
        yield Paragraph(" ".join(said))
    release = report.frames["meta.release"].row(0, named=True)
    yield Paragraph(methods.software(release, report.versions))


def _checklist(report: Report, present: list[Section], keys: set[str]) -> Iterator[Paragraph | Table]:
    titles = {section.key: section.title for section in present} | {"provenance": "Provenance"}
    rows = [
        (item.number, item.asks, titles[where] if where else "Not filled",
         item.answer if where or not item.sections else "This report does not contain this section.")
        for item, where in strobe.filled(keys)
    ]  # fmt: skip
    done = sum(row[2] != "Not filled" for row in rows)
    yield Paragraph(
        f"{done} of {len(rows)} items of STROBE (cohort studies) and RECORD (routinely collected data) are "
        "answered here, fully or partly. The others are left to the authors."
    )
    head = ("Item", "Asks for", "Section", "How")
    caption = "Items of STROBE and RECORD"
    yield report_tables.plain("table-checklist", report.supplement(), caption, head, rows, (14, 30, 18, 38))


def _provenance(report: Report) -> Iterator[Paragraph]:
    release = report.frames["meta.release"].row(0, named=True)
    yield Paragraph(methods.provenance(release))


_SECTIONS: tuple[tuple[str, str, Callable[[Report], Iterator[Paragraph | Table | Figure]]], ...] = (
    ("summary", "Summary", _summary),
    ("disclosure", "Disclosure control", _disclosure),
    ("methods", "Methods", _methods),
    ("participants", "Participants", participants_section),
    ("survival", "Survival", survival_section),
    ("follow-up", "Follow-up", follow_up_section),
    ("models", "Multivariable models", models_section),
    ("competing", "Competing risks", competing_section),
    ("subgroups", "Subgroups", subgroups_section),
    ("diagnostics", "Diagnostics", diagnostics_section),
    ("sensitivity", "Sensitivity", sensitivity_section),
    ("quality", "Data quality", quality_section),
    ("limits", "What no rule can know", limits_section),
    ("review", "Chart review", review_section),
    ("paper", "The paper beside this cohort", paper_section),
    ("audit", "Audit of the paper", audit_section),
)
