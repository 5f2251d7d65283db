"""Tables of the paper's numbers: next to those of this cohort, and checked against each other."""

from __future__ import annotations

import re
from itertools import groupby

import polars as pl

from sarcoma_pipeline.publish.report.number_format import MISSING, capital
from sarcoma_pipeline.publish.report.report_tables import Line, Table, plain
from sarcoma_pipeline.publish.report.stored_audit import said
from sarcoma_pipeline.publish.report.stored_notes import told
from schemas.audit import VERDICTS
from schemas.language import gettext as _

_AUDIT_ENTRY = re.compile(r"(?=Audit \d+ \()")
"""Start of an entry of the audit within a remark of the comparison."""


def comparison(rows: pl.DataFrame, label: str) -> Table:
    """Return every published number next to ours, from `schemas.analysis.PublishedComparison`."""
    lines: list[Line] = []
    remarks: dict[str, int] = {}
    for section, group in groupby(rows.sort("id").iter_rows(named=True), key=lambda row: row["section"]):
        lines.append(Line((capital(told(section)), "", "", "", "", ""), heading=True))
        for r in group:
            what = ", ".join(part for part in (r["quantity"], r["level"]) if part and part != "all")
            # Many rows share a remark: it is printed once, as a note below the table.
            parts = [*_AUDIT_ENTRY.split(r["reason"] or ""), r.get("our_joint_text") or ""]
            numbers = sorted(remarks.setdefault(p.strip(), len(remarks) + 1) for p in parts if p)
            remark = ", ".join(map(str, numbers))
            paper, ours = r["published_text"] or MISSING, r["our_text"] or MISSING
            verdicts = (_(r["verdict"]), _(r["interval_verdict"]) if r["interval_verdict"] else "")
            cells = (what, paper, ours, *verdicts, remark)
            lines.append(Line(cells, indent=True, mark=r["verdict"]))
    notes = (
        _(
            "Equal: the same number. Within rounding: our number, rounded as printed, equals the paper’s. "
            "Close: within 3 %. The verdict on a p value follows from its hazard ratio and interval."
        ),
        *(f"{index}: {said(remark)}" for remark, index in remarks.items()),
    )
    return Table(
        "table-comparison",
        label,
        _("Every number of the paper and the same number of this cohort"),
        (_("Quantity"), _("Paper"), _("This cohort"), _("Verdict"), _("On the CI"), _("Note")),
        tuple(lines),
        notes,
        (24, 22, 22, 19, 7, 6),
    )


def audit_counts(rows: pl.DataFrame, label: str) -> Table:
    """Count the checks of each kind by verdict, from `schemas.audit.PublishedAudit`."""
    counted = {(c, v): n for c, v, n in rows.group_by("check", "verdict").len().iter_rows()}
    lines = [
        (capital(_(check)), *(counted.get((check, verdict), 0) for verdict in VERDICTS))
        for check in dict.fromkeys(rows["check"])
    ]
    totals = [sum(n for (_, v), n in counted.items() if v == verdict) for verdict in VERDICTS]
    head = (_("Check"), *(capital(_(verdict)) for verdict in VERDICTS))
    return plain(
        "table-checks", label, _("Checks of the paper’s numbers against each other"), head,
        [*lines, (_("All checks"), *totals)],
    )  # fmt: skip


def audit(rows: pl.DataFrame, label: str) -> Table:
    """List the checks that are not consistent, from `schemas.audit.PublishedAudit`."""
    lines: list[Line] = []
    for verdict in VERDICTS:
        mine = rows.filter(verdict=verdict)
        if verdict == "consistent" or mine.is_empty():
            continue
        lines.append(Line((f"{capital(_(verdict))} ({mine.height})", "", "", "", ""), heading=True))
        for r in mine.iter_rows(named=True):
            sections = ", ".join(map(_, r["section"].split(", ")))
            what = f"{capital(r['what'])} ({sections}): {_(r['check'])}"
            quote = f"“{r['quote']}”" if r["quote"] else ""
            cells = (what, quote, said(r["printed"]), said(r["expected"]), r["read"] or MISSING)
            lines.append(Line(cells, indent=True, mark=verdict))
    return Table(
        "table-audit",
        label,
        _("Contradictions between the paper’s own numbers"),
        (
            _("Quantity and check"),
            _("The paper’s words"),
            _("Printed"),
            _("Recomputed from its other numbers"),
            _("Entry"),
        ),
        tuple(lines),
        (
            _(
                "Contradiction: cannot be explained by rounding. Tension: possible but unlikely. By "
                "definition: depends on a definition that the paper does not give. Entry: number of the same "
                "point in a reader’s audit; a dash: found only by recomputation."
            ),
        ),
        (27, 22, 16, 28, 7),
    )
