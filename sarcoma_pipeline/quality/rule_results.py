"""Count, for every rule, the records that it judged and the records that break it.

Both are counted for each source as well. A curated row rests on records of several sources and is counted
with each of them, but once in the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

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

_ROW = "_row"
_AT_ONCE = 200_000
"""Maximum number of records whose sources are looked up at once, to limit memory."""

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
    on, rules = rule_catalogue.tables(), rule_catalogue.rules()
    found: dict[str, Counts] = {}
    rows: dict[str, Counts] = {}
    counted = [on[n] for n, r in rules.items() if _of_files(r, on[n]) is None and _has_number(r, on[n])]
    for table, records in _with_sources(_records(read, counted), sources_of):
        rows[table] = _rows(records)
        for rule, verdicts in _verdicts(table, records):
            counts = found.setdefault(rule, {})
            for source, number in verdicts.items():
                counts[source] = counts.get(source, 0) + number
    files = _files(read)
    for name, rule in rules.items():
        if name not in found:
            if (column := _of_files(rule, on[name])) is not None:
                of = (f for f in files if rule.group != "obds" or f["kind"] == "obds")
                found[name] = _summed((f["source"], f[column]) for f in of)
            elif _has_number(rule, on[name]):
                found[name] = rows.get(on[name]) or {None: _height(read, on[name])}
    return found


def _files(read: Read) -> list[dict[str, Any]]:
    """Return the number of files, of their records and values, by ``source`` and ``kind``."""
    files = read(MetaFile.table(), columns=("file_id", "source", "kind"))
    counted = ("records", "values_read", "values_delivered")
    accounts = read(Accounting.table(), columns=("file_id", *counted))
    of_files = files.join(accounts, on="file_id", how="left")
    by = of_files.group_by("source", "kind").agg(pl.len().alias("files"), pl.col(counted).sum())
    return by.to_dicts()


def _of_files(rule: Rule, table: str) -> str | None:
    """Return what of files a rule without verdicts of its own judged: a column of :func:`_files`."""
    if rule.scope == "file":
        return "files"
    if rule.scope == "dataset":
        return None
    if rule.id in _VALUES_READ:
        return "values_read"
    return {MetaValueAccount.table(): "values_delivered", Accounting.table(): "records"}.get(table)


def _has_number(rule: Rule, table: str) -> bool:
    """Return whether a rule on no file judges the rows of its table."""
    return rule.scope != "dataset" and table != Finding.table() and not table.startswith("meta.")


def _height(read: Read, table: str) -> int:
    # Any column has the number of rows.
    return read(table, columns=list(CONTRACTS[table].polars_schema())[:1]).height


def _of_one_record(table: str) -> list[Rule]:
    """Return the rules of a typed table that have verdicts of their own."""
    if not table.startswith("typed."):
        return []
    return [r for r in CONTRACTS[table].rules() if r.holds is not None and r.scope != "program"]


def _records(read: Read, tables: Iterable[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each table of records: the ids, the number of the row, and what its rules judge."""
    judging = {table for table in CONTRACTS if _of_one_record(table)}
    for table in sorted(judging.union(tables)):
        schema = CONTRACTS[table].polars_schema()
        # Every column that the rules name, and perhaps some whose name is part of another word: polars'
        # ``meta.root_names`` leaves out columns that are named together, as in ``pl.col("a", "b")``.
        words = " ".join(str(rule.holds) for rule in _of_one_record(table))
        asked = [c for c in schema if c in words and c != "source"]
        if "record_ids" in schema:
            rows = read(table, columns=("record_ids",)).with_row_index(_ROW)
            # A row that rests on no record counts, too.
            each = rows.explode("record_ids").rename({"record_ids": "record_id"})
            yield table, rows.select(_ROW).join(each, on=_ROW, how="left")
        elif "record_id" in schema:
            rows = read(table, columns=list(dict.fromkeys(("record_id", *asked))))
            yield table, rows.with_row_index(_ROW)


def _verdicts(table: str, records: pl.DataFrame) -> Iterator[tuple[str, Counts]]:
    """Yield the number of verdicts of each rule on one record of a table."""
    # A table may declare one rule for several columns.
    rules = _of_one_record(table)
    known = [
        (pl.len() if rule.missing == "broken" else rule.holds.is_not_null().sum()).alias(str(place))
        for place, rule in enumerate(rules)
        if rule.holds is not None
    ]
    by = records.group_by("source").agg(known)
    for place, rule in enumerate(rules):
        yield rule.id, _summed(zip(by["source"], by[str(place)], strict=True))


def _with_sources(
    tables: Iterable[tuple[str, pl.DataFrame]], sources_of: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield tables of records with the source of each record.

    Many tables are joined at once: a join for each table would index the sources of all records each time.
    """
    batch: dict[str, pl.DataFrame] = {}
    for table, records in tables:
        if batch and sum(f.height for f in batch.values()) + records.height > _AT_ONCE:
            yield from _joined(batch, sources_of)
            batch = {}
        batch[table] = records
    yield from _joined(batch, sources_of)


def _joined(
    batch: Mapping[str, pl.DataFrame], sources_of: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    ids = [
        frame.select("record_id", _table=pl.lit(n, pl.UInt8), _at=pl.int_range(pl.len(), dtype=pl.UInt32))
        for n, frame in enumerate(batch.values())
    ]
    placed = pl.concat(ids).join(sources_of, on="record_id", how="left", maintain_order="left")
    for number, (table, records) in enumerate(batch.items()):
        part = placed.filter(pl.col("_table") == number)
        once = part.height == records.height
        yield table, (records if once else records[part["_at"]]).with_columns(part["source"])


def _rows(records: pl.DataFrame) -> Counts:
    """Count the rows of a table by the sources of their records, and together."""
    of_rows = records.select(_ROW, "source").unique().group_by("source").len()
    return {**_summed(of_rows.iter_rows()), None: records[_ROW].n_unique()}


def _summed(numbers: Iterable[tuple[str | None, int | None]]) -> Counts:
    """Add up numbers of sources, by source and together."""
    counts: Counts = {None: 0}
    for source, number in numbers:
        counts[None] += number or 0
        if source is not None:
            counts[source] = counts.get(source, 0) + (number or 0)
    return counts
