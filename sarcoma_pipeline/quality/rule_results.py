"""Says of every rule, also of one that nothing breaks, how many records it judged, and how many break it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from sarcoma_pipeline.quality import rule_catalogue
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaFile
from schemas.vocabularies import WAIVED

Read = Callable[[str], pl.DataFrame]
"""Reads the current rows of a table."""

RESULTS = {
    "rule_id": pl.String, "severity": pl.String, "scope": pl.String, "judged": pl.Int64, "broken": pl.Int64,
    "waived": pl.Int64, "percent": pl.Float64,
}  # fmt: skip


def results(read: Read, height: Callable[[str], int], findings: pl.DataFrame) -> pl.DataFrame:
    """Return a row per rule.

    ``judged`` counts the verdicts of a rule on one record: each record and column with the values that the
    rule needs. A rule that compares records is said to judge all records of its table; of a rule on whole
    sources or refreshes there is no number of records.

    Args:
        read: reads a table.
        height: counts the current rows of a table.
        findings: the findings of this refresh: ``rule_id``, ``records`` and ``status``.

    Returns:
        The columns of :data:`RESULTS`.
    """
    counted = (
        findings.with_columns(pl.col("records").fill_null(1))
        .group_by("rule_id")
        .agg(
            broken=pl.col("records").sum(),
            waived=pl.col("records").filter(pl.col("status") == WAIVED).sum(),
        )
    )
    verdicts, on = _verdicts(read), rule_catalogue.tables()
    rows = []
    for name, rule in rule_catalogue.rules().items():
        judged = verdicts.get(name)
        if judged is None and rule.scope == "file":
            judged = height(MetaFile.table())
        elif judged is None and rule.scope in ("record", "patient") and on[name].startswith("typed."):
            judged = height(on[name])
        rows.append((name, rule.severity, rule.scope, judged))
    every = pl.DataFrame(
        rows,
        schema={name: RESULTS[name] for name in ("rule_id", "severity", "scope", "judged")},
        orient="row",
    )
    found = every.join(counted, on="rule_id", how="left", maintain_order="left").with_columns(
        pl.col("broken", "waived").fill_null(0)
    )
    share = pl.when(pl.col("judged") > 0).then(
        (100 * pl.col("broken") / pl.col("judged")).clip(upper_bound=100)
    )
    return found.with_columns(percent=share).select(pl.col(c).cast(t) for c, t in RESULTS.items())


def _verdicts(read: Read) -> dict[str, int]:
    """Count the verdicts of the rules on one record, table by table."""
    found: dict[str, int] = {}
    for table, contract in CONTRACTS.items():
        rules = [r for r in contract.rules() if r.holds is not None and r.scope != "program"]
        if not rules or not table.startswith("typed."):
            continue
        frame = read(table)
        for rule in rules:
            assert rule.holds is not None
            known = frame.height
            if rule.missing != "broken":
                known = frame.select(rule.holds.is_not_null().sum()).item()
            found[rule.id] = found.get(rule.id, 0) + int(known)
    return found
