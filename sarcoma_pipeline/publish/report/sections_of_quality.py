"""Sections of the report on data quality: accounting, findings, chart review, and the paper."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish import limits
from sarcoma_pipeline.publish.report import (
    report_tables,
)
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import capital, listed, number
from sarcoma_pipeline.publish.report.report_tables import Table


def quality_section(report: Report) -> Iterator[Table]:
    """Yield the accounting of records and the findings by rule."""
    if report.has("quality.accounting"):
        frame = report.frames["quality.accounting"]
        names = ("records", "curated", "quarantined", "duplicates", "out_of_scope", "unaccounted")
        rows = [
            ({"records": "Read"}.get(n) or capital(n.replace("_", " ")), number(int(frame[n].sum())))
            for n in names
        ]
        yield report_tables.plain(
            "table-accounting", report.supplement(),
            f"Accounting of every record (files read: {frame.height})",
            ("Records", "n"), rows,
        )  # fmt: skip
    if report.has("quality.findings"):
        found = (
            report.frames["quality.findings"]
            .group_by("severity", "rule_id", "what")
            .agg(pl.len().alias("n"), pl.col("pseudonym").drop_nulls().n_unique().alias("patients"))
            .with_columns(rank=pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}))
            .sort("rank", "n", "rule_id", descending=[False, True, False])
        )
        rows = found.select("severity", "rule_id", "what", "n", "patients").rows()
        head = ("Severity", "Rule", "What is wrong", "Findings", "Patients")
        yield report_tables.plain(
            "table-findings",
            report.supplement(),
            "Findings of the data quality rules",
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
        "Rules find contradictions and gaps. The errors below leave no trace in the data. A share says "
        "how much "
        "of this release could be affected, not how much is wrong."
    )
    rows = [(one.what, one.why, limits.said(shares.get(one.id)), one.counts) for one in limits.LIMITS]
    head = ("What may be wrong", "Why no rule sees it", "Share", "What is counted")
    yield report_tables.plain(
        "table-limits", report.supplement(), "What no rule can know", head, rows, (30, 32, 14, 24)
    )


def review_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the error rates of the chart reviews; not for the public."""
    # The counts are of patients, and not suppressed where they are small: not for the public.
    if report.policy is not None or not report.has("meta.chart_review"):
        return
    yield Paragraph(
        "Drawn patients were abstracted again from their charts, without knowledge of the released values. "
        "An error is a released value that differs from the chart; intervals are exact (Clopper–Pearson). "
        "The samples are stratified by centre, sources and outcome, in proportion to the strata."
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
                else f"{100 * row['error_rate']:.1f} ({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})",
                row["not_in_chart"],
            )
            for row in rows.iter_rows(named=True)
        ]
        yield report_tables.plain(
            f"table-review-{sample_id}",
            report.supplement(),
            f"Chart review of {first['patients']} patients of release {first['refresh_id']}, read on "
            f"{first['read_on']}",
            ("Variable", "Reviewed", "Errors", "Error rate, % (95 % CI)", "Not in chart"),
            lines,
        )


def paper_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the comparison with the paper."""
    if not report.has("analysis.published_comparison"):
        return
    frame = report.frames["analysis.published_comparison"]
    counted = frame.group_by("verdict").len().sort("len", "verdict", descending=[True, False]).rows()
    verdicts = listed([f"{verdict}: {n}" for verdict, n in counted])
    yield Paragraph(f"Comparison of {frame.height} numbers of the paper with this cohort: {verdicts}.")
    yield report_tables.comparison(frame, report.supplement())


def audit_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the checks of the paper’s numbers against each other."""
    if not report.has("analysis.published_audit"):
        return
    frame = report.frames["analysis.published_audit"]
    yield Paragraph(
        f"The paper’s numbers were checked against each other, without any data, in {frame.height} checks. "
        "Counts are treated as sets of patients: the same set must have the same count everywhere, disjoint "
        "sets must add up, and a percentage must match its count. A p value is recomputed from its hazard "
        "ratio and interval (z = ln HR / SE, SE = ln(high / low) / 3.92); it fails only if no unrounded "
        "values could have been rounded to the printed ones."
    )
    yield report_tables.audit_counts(frame, report.supplement())
    yield report_tables.audit(frame, report.supplement())
