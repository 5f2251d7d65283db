"""Audit a paper: recompute its numbers from each other, without patient data."""

from __future__ import annotations

from typing import Any

import polars as pl

from sarcoma_pipeline.published_study import (
    audit_citations,
    audit_counts,
    audit_estimates,
    audit_events,
    audit_order,
    audit_percentages,
    audit_rows,
    audit_survival,
    audit_tests,
)
from sarcoma_pipeline.published_study.audit_rules import Check
from schemas.audit import PublishedAudit

_CLASSES = {
    "ERROR": "contradiction",
    "TENSION": "tension",
    "DEFINITION": "by definition",
    "STYLE": "wording",
    "OK": "consistent",
}
"""Verdicts of the classes that the reader gives to findings."""

_READ = "read, not recomputed"


def audit(published: pl.DataFrame, published_map: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Check the paper's numbers against each other, and add what a reader found.

    Args:
        published: ``published.csv`` as text.
        published_map: ``published_map.csv`` as text: the patients of each row, and related entries of
            ``read``.
        read: ``audit.csv`` as text, the audit by a reader: ``id, class, item, finding, where``.

    Returns:
        `schemas.audit.PublishedAudit`: every check, including the consistent ones; then the reader's entries
        that no check found.

    Raises:
        KeyError: ``published_map`` names an entry that is missing in ``read``.
    """
    rows = published.join(published_map, on="id", how="left")
    classes = {entry["id"]: _CLASSES[entry["class"]] for entry in read.iter_rows(named=True)}
    entries = {
        row["id"]: [(entry, classes[entry]) for entry in row["audit"].split(";")]
        for row in rows.iter_rows(named=True)
        if row["audit"]
    }
    lines = [_with_entries(check.as_row(), entries) for check in _checks(rows)]
    found = {e for line in lines for e in (line["read"] or "").split(";")}
    lines += [_as_read(entry) for entry in read.iter_rows(named=True) if entry["id"] not in found]
    return _table(lines)


def audit_table(published: pl.DataFrame) -> pl.DataFrame:
    """Check the numbers of any paper against each other.

    Args:
        published: the table as text, with the columns of ``docs/audit.md`` that it uses.

    Returns:
        `schemas.audit.PublishedAudit`: every check, including the consistent ones.
    """
    return _table([{**check.as_row(), "read": None} for check in _checks(published)])


def _checks(published: pl.DataFrame) -> list[Check]:
    rows = audit_rows.table(published)
    unreadable = list(audit_rows.readable(rows))
    known = audit_counts.known_counts(audit_counts.counts(rows))
    by_text = {audit_counts.condition_text(of): n for of, n in known.items()}
    return [
        *unreadable,
        *audit_percentages.checks(rows, known),
        *audit_counts.checks(rows, known),
        *audit_order.checks(rows),
        *audit_tests.checks(rows),
        *audit_estimates.checks(rows),
        *audit_survival.checks(rows, by_text),
        *audit_events.checks(rows, by_text),
        *audit_citations.checks(rows),
    ]


def _table(lines: list[dict[str, str | None]]) -> pl.DataFrame:
    numbered = [{"position": i, **line} for i, line in enumerate(lines, 1)]
    if not numbered:
        return PublishedAudit.empty()
    frame = pl.DataFrame(numbered, infer_schema_length=None)
    return PublishedAudit.enforce(PublishedAudit.conform(frame))


def _with_entries(line: dict[str, str], entries: dict[str, list[tuple[str, str]]]) -> dict[str, str | None]:
    """Add the reader's entries about a check's first row that have the same verdict."""
    about = entries.get(line["ids"].partition(";")[0], [])
    same = [entry for entry, verdict in about if verdict == line["verdict"] != "consistent"]
    return {**line, "read": ";".join(same) or None}


def _as_read(entry: dict[str, str]) -> dict[str, str | None]:
    return {
        "check": _READ, "rule": None, "ids": "", "section": entry["where"], "what": entry["item"],
        "printed": "", "expected": entry["finding"], "verdict": _CLASSES[entry["class"]], "quote": None,
        "read": entry["id"],
    }  # fmt: skip


def summary(checks: pl.DataFrame) -> dict[str, Any]:
    """Count the checks by verdict."""
    return dict(checks.group_by("verdict").len().sort("verdict").iter_rows())
