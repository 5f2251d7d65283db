"""Count, for every rule, the records that it judged and the records that break it.

Both are counted for each source as well. A curated row rests on records of several sources and is counted
with each of them, but once in the total.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Protocol

import polars as pl

from sarcoma_pipeline.quality import rule_catalogue
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaFile, MetaValueAccount
from schemas.quality import Accounting, Finding, RuleResult
from schemas.rule import Rule
from schemas.thresholds import Threshold, of_rule
from schemas.vocabularies import WAIVED


class Read(Protocol):
    """Reads columns of the current rows of a table."""

    def __call__(self, table: str, /, *, columns: Sequence[str]) -> pl.DataFrame:
        """Return these columns of a table."""
        ...


Counts = dict[str | None, int]
"""Number of records by source; with the key None for all of them together."""

_VALUES_READ = ("value.code-unknown", "value.date-unreadable", "value.number-unreadable")
"""Rules that judge every value that is read."""


def results(
    read: Read,
    sources_of: pl.DataFrame,
    findings: pl.DataFrame,
    thresholds: Sequence[Threshold],
    before: pl.DataFrame,
    refresh_id: str,
) -> pl.DataFrame:
    """Return ``quality.rule_results``: a row per rule, and one per rule and source.

    A rule on one record judges each record and column with the values that it needs. A rule that compares
    records is said to judge all rows of its table; one on files all files. Of a rule on whole deliveries
    there is no number of records.

    Args:
        read: reads a table.
        sources_of: ``record_id`` and ``source`` of every received record.
        findings: the findings of this refresh: ``finding_id``, ``rule_id``, ``records``, ``status`` and
            ``source``.
        thresholds: the declared thresholds.
        before: the results of the last refresh.
        refresh_id: this refresh.
    """
    judged = _judged(read, sources_of)
    broken = _broken(findings)
    since = dict(before.filter(pl.col("source").is_null()).select("rule_id", "above_since").iter_rows())
    rows = []
    for name, rule in rule_catalogue.rules().items():
        of_source = judged.get(name, {})
        found = broken.get(name, {})
        for source in [None, *sorted({s for s in (*of_source, *found) if s is not None})]:
            all_, waived = found.get(source, (0, 0))
            count = of_source.get(source)
            row = {
                "rule_id": name, "category": rule.category, "severity": rule.severity, "source": source,
                "judged": count, "broken": all_, "waived": waived,
                "percent": _percent(all_ - waived, count),
            }  # fmt: skip
            rows.append(row | (_above(rule, row, thresholds, since, refresh_id) if source is None else {}))
    return RuleResult.conform(pl.DataFrame(rows, infer_schema_length=None))


def source_of_findings(records: pl.DataFrame) -> pl.DataFrame:
    """Return the source of the record at fault of each finding: ``finding_id`` and ``source``.

    Args:
        records: ``finding_id``, ``source`` and ``at_fault`` of ``quality.finding_records``.
    """
    return (
        records.filter("at_fault")
        .drop_nulls("source")
        .group_by("finding_id")
        .agg(pl.col("source").min())
        .sort("finding_id")
    )


def _percent(broken: int, judged: int | None) -> float | None:
    """Return the share of records that break a rule, without waived ones; None if none was judged."""
    return min(100.0, 100 * broken / judged) if judged else None


def _above(
    rule: Rule,
    row: Mapping[str, object],
    thresholds: Sequence[Threshold],
    since: Mapping[str, str | None],
    refresh_id: str,
) -> dict[str, object]:
    """Return the threshold of a rule, and since when its share lies above it."""
    threshold = of_rule(thresholds, rule.id, rule.severity)
    if threshold is None:
        return {}
    percent = row["percent"]
    above = isinstance(percent, float) and percent > threshold.max_percent
    return {
        "max_percent": threshold.max_percent,
        "check": threshold.check,
        "above_since": (since.get(rule.id) or refresh_id) if above else None,
    }


def _broken(findings: pl.DataFrame) -> dict[str, dict[str | None, tuple[int, int]]]:
    """Count the records that break each rule, all and waived ones: by source, and together."""
    counted = findings.select(
        "rule_id", "source", all=pl.col("records").fill_null(1), is_waived=pl.col("status") == WAIVED
    )
    sums = (pl.col("all").sum(), pl.col("all").filter(pl.col("is_waived")).sum().alias("waived"))
    found: dict[str, dict[str | None, tuple[int, int]]] = {}
    for rule, source, every, waived in (
        counted.drop_nulls("source").group_by("rule_id", "source").agg(sums).iter_rows()
    ):
        found.setdefault(rule, {})[source] = (every, waived)
    for rule, every, waived in counted.group_by("rule_id").agg(sums).iter_rows():
        found.setdefault(rule, {})[None] = (every, waived)
    return found


def _judged(read: Read, sources_of: pl.DataFrame) -> dict[str, Counts]:
    """Count the records that each rule judged, by source and together; rules without a number are missing."""
    found = _verdicts(read, sources_of)
    on, rules = rule_catalogue.tables(), rule_catalogue.rules()
    files = read(MetaFile.table(), columns=("file_id", "source", "kind"))
    accounts = read(Accounting.table(), columns=("file_id", "records", "values_read", "values_delivered"))

    @cache
    def rows_of(table: str) -> Counts:
        # Many rules are on one table.
        given = CONTRACTS[table].polars_schema()
        ids = [c for c in ("record_ids", "record_id") if c in given]
        # Any column has the number of rows.
        return _rows(read(table, columns=ids[:1] or list(given)[:1]), sources_of)

    for name, rule in rules.items():
        if name not in found and (counts := _of_table(rule, on[name], files, accounts, rows_of)) is not None:
            found[name] = counts
    return found


def _of_table(
    rule: Rule, table: str, files: pl.DataFrame, accounts: pl.DataFrame, rows_of: Callable[[str], Counts]
) -> Counts | None:
    """Count what a rule without verdicts of its own judged: files, values, records or rows of its table."""
    if rule.group == "obds":
        files = files.filter(pl.col("kind") == "obds")
    if rule.scope == "file":
        return _summed(files.select("source", n=pl.lit(1)))
    if rule.scope == "dataset":
        return None
    of_file = files.select("file_id", "source")
    if rule.id in _VALUES_READ:
        values = accounts.select("file_id", n="values_read")
        return _summed(of_file.join(values, on="file_id"))
    if table == MetaValueAccount.table():
        values = accounts.select("file_id", n="values_delivered")
        return _summed(of_file.join(values, on="file_id"))
    if table == Accounting.table():
        return _summed(of_file.join(accounts.select("file_id", n="records"), on="file_id"))
    if table == Finding.table() or table.startswith("meta."):
        return None
    return rows_of(table)


def _rows(rows: pl.DataFrame, sources_of: pl.DataFrame) -> Counts:
    """Count the rows of a table by the sources of their records, and together."""
    counts: Counts = {None: rows.height}
    ids = "record_ids" if "record_ids" in rows.columns else "record_id"
    if ids in rows.columns:
        records = rows.select(row=pl.int_range(pl.len()), record_id=ids)
        if ids == "record_ids":
            records = records.explode("record_id")
        of_source = records.join(sources_of, on="record_id").select("row", "source").unique()
        counts |= dict(of_source.drop_nulls("source").group_by("source").len().iter_rows())
    return counts


def _summed(frame: pl.DataFrame) -> Counts:
    """Add up ``n`` by ``source`` and together."""
    by = frame.drop_nulls("source").group_by("source").agg(pl.col("n").sum())
    return {None: int(frame["n"].sum()), **dict(by.iter_rows())}


def _verdicts(read: Read, sources_of: pl.DataFrame) -> dict[str, Counts]:
    """Count the verdicts of the rules on one record, table by table."""
    found: dict[str, Counts] = {}
    for table, contract in CONTRACTS.items():
        rules = [r for r in contract.rules() if r.holds is not None and r.scope != "program"]
        if not rules or not table.startswith("typed."):
            continue
        # A table may declare one rule for several columns.
        known = [
            (pl.len() if r.missing == "broken" else r.holds.is_not_null().sum()).alias(str(place))
            for place, r in enumerate(rules)
            if r.holds is not None
        ]
        # Every column that the rules name, and perhaps some whose name is part of another word: polars'
        # ``meta.root_names`` leaves out columns that are named together, as in ``pl.col("a", "b")``.
        words = " ".join(str(r.holds) for r in rules)
        asked = [c for c in contract.polars_schema() if c in words and c != "source"]
        frame = read(table, columns=list(dict.fromkeys(("record_id", *asked))))
        frame = frame.join(sources_of, on="record_id", how="left")
        by = frame.group_by("source").agg(known)
        for place, rule in enumerate(rules):
            counts = found.setdefault(rule.id, {None: 0})
            for source, number in by.select("source", str(place)).iter_rows():
                counts[None] = counts.get(None, 0) + number
                if source is not None:
                    counts[source] = counts.get(source, 0) + number
    return found
