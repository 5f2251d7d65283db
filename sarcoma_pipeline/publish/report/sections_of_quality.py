"""Sections of the report on data quality: accounting, findings, chart review, and the paper."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish import limits
from sarcoma_pipeline.publish.report import (
    published_tables,
    report_tables,
)
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import listed, number
from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.language import day, decimal, marked, pgettext
from schemas.language import gettext as _

_ACCOUNTED = {
    "records": marked("Read"),
    "curated": marked("Curated"),
    "quarantined": marked("Quarantined"),
    "duplicates": marked("Duplicates"),
    "out_of_scope": marked("Out of scope"),
    "unaccounted": marked("Unaccounted"),
}
"""Columns of the accounting, with their titles."""


def quality_section(report: Report) -> Iterator[Table]:
    """Yield the accounting of records and the findings by rule."""
    if report.has("quality.accounting"):
        frame = report.frames["quality.accounting"]
        rows = [(_(name), number(int(frame[column].sum()))) for column, name in _ACCOUNTED.items()]
        yield report_tables.plain(
            "table-accounting", report.supplement(),
            _("Accounting of every record (files read: {files})").format(files=frame.height),
            (_("Records"), "n"), rows,
        )  # fmt: skip
    if report.has("quality.findings"):
        found = (
            report.frames["quality.findings"]
            .group_by("severity", "rule_id", "what")
            .agg(pl.len().alias("n"), pl.col("pseudonym").drop_nulls().n_unique().alias("patients"))
            .with_columns(rank=pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}))
            .sort("rank", "n", "rule_id", descending=[False, True, False])
        )
        rows = [
            (_(severity), rule, _(what), *counts)
            for severity, rule, what, *counts in found.select(
                "severity", "rule_id", "what", "n", "patients"
            ).iter_rows()
        ]
        head = (
            _("Severity"),
            _("Rule"),
            _("What is wrong"),
            pgettext("narrow column", "Findings"),
            pgettext("narrow column", "Patients"),
        )
        yield report_tables.plain(
            "table-findings",
            report.supplement(),
            _("Findings of the data quality rules"),
            head,
            rows,
            (9, 29, 44, 9, 9),
        )


def limits_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield what no rule can know; not for the public."""
    # The counts are of patients, and not suppressed where they are small: not for the public.
    if report.policy is not None or not (shares := limits.counted(report.frames)):
        return
    yield Paragraph(
        _(
            "Rules find contradictions and gaps. The errors below leave no trace in the data. A share says "
            "how much "
            "of this release could be affected, not how much is wrong."
        )
    )
    rows = [
        (_(one.what), _(one.why), limits.said(shares.get(one.id)), _(one.counts)) for one in limits.LIMITS
    ]
    head = (_("What may be wrong"), _("Why no rule sees it"), _("Share"), _("What is counted"))
    yield report_tables.plain(
        "table-limits", report.supplement(), _("What no rule can know"), head, rows, (30, 32, 14, 24)
    )


def review_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the error rates of the chart reviews; not for the public."""
    # The counts are of patients, and not suppressed where they are small: not for the public.
    if report.policy is not None or not report.has("meta.chart_review"):
        return
    yield Paragraph(
        _(
            "Drawn patients were abstracted again from their charts, without knowledge of the released "
            "values. An error is a released value that differs from the chart; intervals are exact "
            "(Clopper–Pearson). The samples are stratified by centre, sources and outcome, in proportion to "
            "the strata."
        )
    )
    frame = report.frames["meta.chart_review"]
    for (sample_id,), rows in frame.group_by("sample_id", maintain_order=True):
        first = rows.row(0, named=True)
        lines = [
            (
                row["variable"],
                row["reviewed"],
                row["errors"],
                "–"
                if row["error_rate"] is None
                else decimal(
                    f"{100 * row['error_rate']:.1f} ({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"
                ),
                row["not_in_chart"],
            )
            for row in rows.iter_rows(named=True)
        ]
        yield report_tables.plain(
            f"table-review-{sample_id}",
            report.supplement(),
            _("Chart review of {patients} patients of release {refresh_id}, read on {read_on}").format(
                patients=first["patients"], refresh_id=first["refresh_id"], read_on=day(first["read_on"])
            ),
            (_("Variable"), _("Reviewed"), _("Errors"), _("Error rate, % (95 % CI)"), _("Not in chart")),
            lines,
        )


def paper_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the comparison with the paper."""
    if not report.has("analysis.published_comparison"):
        return
    frame = report.frames["analysis.published_comparison"]
    counted = frame.group_by("verdict").len().sort("len", "verdict", descending=[True, False]).rows()
    verdicts = listed([f"{_(verdict)}: {n}" for verdict, n in counted])
    yield Paragraph(
        _("Comparison of {numbers} numbers of the paper with this cohort: {verdicts}.").format(
            numbers=frame.height, verdicts=verdicts
        )
    )
    yield published_tables.comparison(frame, report.supplement())


def audit_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the checks of the paper’s numbers against each other."""
    if not report.has("analysis.published_audit"):
        return
    frame = report.frames["analysis.published_audit"]
    yield Paragraph(
        _(
            "The paper’s numbers were checked against each other, without any data, in {checks} checks. "
            "Counts are treated as sets of patients: the same set must have the same count everywhere, "
            "disjoint sets must add up, and a percentage must match its count. A p value is recomputed from "
            "its hazard ratio and interval (z = ln HR / SE, SE = ln(high / low) / 3.92); it fails only if no "
            "unrounded values could have been rounded to the printed ones."
        ).format(checks=frame.height)
    )
    yield published_tables.audit_counts(frame, report.supplement())
    yield published_tables.audit(frame, report.supplement())
