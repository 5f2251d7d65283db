"""Contract of the audit: checks of a paper's numbers against each other, without our data."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

VERDICTS = ("contradiction", "tension", "by definition", "wording", "not computable", "consistent")
"""Verdicts from worst to best.

Tension: possible but unlikely. By definition: the paper gives no definition. Not computable: a cell is no
number (NR, NE), or nothing can be computed from it.
"""


class PublishedAudit(Contract, table="analysis.published_audit"):
    """One check of the paper's numbers against each other."""

    position: pl.Int64 = column("Position", "Order of the checks, from 1.", nullable=False, unique=True)
    check: pl.String = column("Check", "Which kind of check.", nullable=False)
    rule: pl.String = column("Rule", "Id of the rule, as in docs/audit.md; null for an entry of the reader.")
    ids: pl.String = column("Rows", "Rows of published.csv, joined by ';'.", nullable=False)
    section: pl.String = column("Section", "Where the paper prints it.", nullable=False)
    what: pl.String = column("What", "The quantity.", nullable=False)
    printed: pl.String = column("Printed", "What the paper prints.", nullable=False)
    expected: pl.String = column("Recomputed", "What follows from the paper's other numbers.", nullable=False)
    verdict: pl.String = column(
        "Verdict",
        "contradiction, tension, by definition, wording, not computable or consistent.",
        nullable=False,
    )
    quote: pl.String = column("Quote", "The paper's words.")
    read: pl.String = column("Entry", "Entries of the audit by a reader, joined by ';'; null if it has none.")
