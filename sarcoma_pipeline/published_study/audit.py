"""Audit of the paper: recomputes its numbers from each other, without any data.

Counts are treated as sets of patients: ``published_map.csv`` says which patients each printed count refers
to. The same set must have the same count wherever it is printed, disjoint sets must add up, and a percentage
must match its count. Hazard ratios must agree with their interval and p value (:mod:`.audit_estimates`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from sarcoma_pipeline.published_study import audit_estimates
from sarcoma_pipeline.published_study.audit_estimates import Check, Row
from schemas.audit import PublishedAudit
from schemas.rounding import half_up, percent_half_up

Condition = frozenset[tuple[str, frozenset[str]]]
"""A set of patients: columns, each with its allowed values."""

_SAME_BY_DEFINITION = (
    (
        "radiation_sequence=postoperative additive",
        "residual_status=R1|R2;radiation_sequence=postoperative adjuvant|postoperative additive",
        "additive is the postoperative radiotherapy of residual tumour",
    ),
)
"""Pairs of conditions that describe the same patients."""


_CLASSES = {
    "ERROR": "contradiction",
    "TENSION": "tension",
    "DEFINITION": "by definition",
    "STYLE": "wording",
    "OK": "consistent",
}
"""The reader's classes of findings, with the corresponding verdict."""


@dataclass(frozen=True)
class _Count:
    """A printed count, and the patients it refers to."""

    row: Row
    among: Condition
    of: Condition

    @property
    def n(self) -> int | None:
        return int(self.row["n"]) if self.row["n"] else None

    @property
    def denominator(self) -> int | None:
        return int(self.row["denominator"]) if self.row["denominator"] else None


def audit(published: pl.DataFrame, published_map: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Check the paper's numbers against each other.

    Args:
        published: ``published.csv`` as text.
        published_map: ``published_map.csv`` as text: the patients of each row, and related entries of
            ``read``.
        read: ``audit.csv`` as text, the audit by a reader: ``id, class, item, finding, where``.

    Returns:
        `schemas.audit.PublishedAudit`: every check, also the consistent ones; then entries of the reader that
        no check found.

    Raises:
        KeyError: ``published_map`` names an entry that ``read`` does not have.
    """
    rows = [
        {name: value or "" for name, value in row.items()}
        for row in published.join(published_map, on="id", how="left").iter_rows(named=True)
    ]
    counts = [
        _Count(row, _condition(row["where"], row["of"]), _condition(row["of"]))
        for row in rows
        if row["statistic"] == "count"
    ]
    known = _known(counts)
    checks = [
        *_percentages(counts),
        *_percentages_alone(counts, known),
        *_repeated(counts, known),
        *_denominators(counts, known),
        *_sums(counts, known),
        *_percentage_sums(counts),
        *_definitions(counts),
        *audit_estimates.checks(rows, {_text(c): n for c, n in known.items()}),
    ]
    classes = {entry["id"]: _CLASSES[entry["class"]] for entry in read.iter_rows(named=True)}
    entries = {
        row["id"]: [(entry, classes[entry]) for entry in row["audit"].split(";")]
        for row in rows
        if row["audit"]
    }
    lines = [_with_entries(check.as_row(), entries) for check in checks]
    found = {e for line in lines for e in (line["read"] or "").split(";")}
    lines += [_as_read(entry) for entry in read.iter_rows(named=True) if entry["id"] not in found]
    lines = [{"position": i, **line} for i, line in enumerate(lines, 1)]
    return PublishedAudit.enforce(PublishedAudit.conform(pl.DataFrame(lines, infer_schema_length=None)))


def _with_entries(line: dict[str, str], entries: dict[str, list[tuple[str, str]]]) -> dict[str, str | None]:
    """Add the reader's entries with the same verdict about a check's first row."""
    about = entries.get(line["ids"].partition(";")[0], [])
    same = [entry for entry, verdict in about if verdict == line["verdict"] != "consistent"]
    return {**line, "read": ";".join(same) or None}


def _as_read(entry: dict[str, str]) -> dict[str, str | None]:
    return {
        "check": "read, not recomputed", "ids": "", "section": entry["where"], "what": entry["item"],
        "printed": "", "expected": entry["finding"], "verdict": _CLASSES[entry["class"]], "quote": None,
        "read": entry["id"],
    }  # fmt: skip


def _condition(*texts: str) -> Condition:
    """Combine conditions; for a column named twice, only values allowed by both remain."""
    allowed: dict[str, frozenset[str]] = {}
    for part in ";".join(texts).split(";"):
        column, _, values = part.partition("=")
        if part:
            wanted = frozenset(values.split("|"))
            allowed[column] = allowed.get(column, wanted) & wanted
    return frozenset(allowed.items())


def _text(condition: Condition) -> str:
    return ";".join(f"{column}={'|'.join(sorted(values))}" for column, values in sorted(condition))


def _known(counts: list[_Count]) -> dict[Condition, int]:
    """Return one count per set of patients: the one in Table 1, else the one printed most often."""
    known: dict[Condition, list[tuple[bool, int]]] = {}
    for count in counts:
        if count.n is not None:
            known.setdefault(count.among, []).append((count.row["section"] == "Table 1", count.n))
    return {
        condition: max(seen, key=lambda one: (one[0], sum(n == one[1] for _, n in seen)))[1]
        for condition, seen in known.items()
    }


def _percentages(counts: list[_Count]) -> Iterator[Check]:
    for count in counts:
        printed, n, of = count.row["pct"], count.n, count.denominator
        if not (printed and n is not None and of):
            continue
        right = percent_half_up(n, of)
        remark = ""
        if right != printed and percent_half_up(of - n, of) == printed:
            remark = f"; {printed} % is that of the other {of - n}"
        yield Check(
            "percentage of a count", [count.row], f"{n} ({printed} %)",
            f"{n}/{of} = {half_up(100 * n / of, 1)} %{remark}",
            "consistent" if right == printed else "contradiction",
        )  # fmt: skip


def _percentages_alone(counts: list[_Count], known: dict[Condition, int]) -> Iterator[Check]:
    """Check percentages printed without a count against the count printed elsewhere."""
    for count in counts:
        of = count.denominator
        if count.n is not None or not count.row["pct"] or not of:
            continue
        n = known.get(count.among) or _from_parts(count.among, known)
        if n is not None:
            right = percent_half_up(n, of) == count.row["pct"]
            yield Check(
                "percentage of a count", [count.row], f"{count.row['pct']} %",
                f"{n}/{of} = {half_up(100 * n / of, 1)} %", "consistent" if right else "contradiction",
            )  # fmt: skip


def _from_parts(condition: Condition, known: dict[Condition, int]) -> int | None:
    if len(condition) != 1:
        return None
    ((column, values),) = condition
    parts = [known.get(frozenset({(column, frozenset({value}))})) for value in values]
    return sum(n for n in parts if n is not None) if all(n is not None for n in parts) else None


def _repeated(counts: list[_Count], known: dict[Condition, int]) -> Iterator[Check]:
    """Check that the same patients have the same count in several places."""
    for condition, right in known.items():
        same = [c for c in counts if c.among == condition and c.n is not None]
        if len(same) < 2:
            continue
        for other in (c for c in same if c.n != right):
            in_order = sorted(same, key=lambda c: c.row["section"] != "Table 1")
            elsewhere = next(c for c in in_order if c.n == right)
            remark = f"; {other.n} is the percentage there" if elsewhere.row["pct"] == str(other.n) else ""
            yield Check(
                "same patients, same count", [other.row, elsewhere.row], str(other.n),
                f"{right} ({elsewhere.row['section']}){remark}", "contradiction",
            )  # fmt: skip
        if all(c.n == right for c in same):
            yield Check(
                "same patients, same count", [c.row for c in same], str(right),
                f"{right}, {len(same)} times", "consistent",
            )  # fmt: skip


def _denominators(counts: list[_Count], known: dict[Condition, int]) -> Iterator[Check]:
    for count in counts:
        right = known.get(count.of) or _from_parts(count.of, known)
        if count.denominator is None or right is None or not count.of:
            continue
        yield Check(
            "denominator", [count.row], f"of {count.denominator}", f"of {right}",
            "consistent" if right == count.denominator else "contradiction",
        )  # fmt: skip


def _sums(counts: list[_Count], known: dict[Condition, int]) -> Iterator[Check]:
    """Check that disjoint sets add up to their printed union."""
    levels: dict[str, frozenset[str]] = {}
    for count in counts:
        for column, values in count.among:
            # Table 1 prints all levels of a variable; other tables may leave some out.
            every = values if count.row["section"] == "Table 1" else frozenset()
            levels[column] = levels.get(column, frozenset()) | every
    for column, every in levels.items():
        groups: dict[Condition, dict[frozenset[str], int]] = {}
        for condition, n in known.items():
            for name, values in condition:
                if name == column:
                    groups.setdefault(condition - {(name, values)}, {})[values] = n
        for rest, sets in groups.items():
            targets = dict(sets)
            if every and rest in known:
                targets[every] = known[rest]
            for union, total in targets.items():
                parts = _cover(union, [s for s in sets if s < union])
                if parts:
                    yield _sum(counts, rest, column, [(p, sets[p]) for p in parts], union, total)


def _cover(union: frozenset[str], sets: list[frozenset[str]]) -> tuple[frozenset[str], ...] | None:
    for size in range(len(sets), 1, -1):
        for parts in combinations(sets, size):
            if sum(len(p) for p in parts) == len(union) and frozenset().union(*parts) == union:
                return parts
    return None


def _sum(
    counts: list[_Count],
    rest: Condition,
    column: str,
    parts: list[tuple[frozenset[str], int]],
    union: frozenset[str],
    total: int,
) -> Check:
    wanted = [frozenset({*rest, (column, part)}) for part, _ in parts]
    rows = [next(c.row for c in counts if c.among == w and c.n is not None) for w in wanted]
    whole = (frozenset({*rest, (column, union)}), rest)
    rows += [next((c.row for c in counts if c.among in whole and c.n == total), rows[0])]
    added = sum(n for _, n in parts)
    named = " + ".join(str(n) for _, n in parts)
    return Check(
        "parts and whole", rows, f"{named} = {added}", str(total),
        "consistent" if added == total else "contradiction",
    )  # fmt: skip


def _percentage_sums(counts: list[_Count]) -> Iterator[Check]:
    """Check the percentages of each block of Table 1; correct rounding may miss 100 %."""
    blocks: dict[str, list[_Count]] = {}
    for count in counts:
        if count.row["section"] == "Table 1" and count.row["pct"]:
            blocks.setdefault(count.row["quantity"], []).append(count)
    for block in blocks.values():
        printed = sum(int(c.row["pct"]) for c in block)
        right = sum(int(percent_half_up(c.n, c.denominator)) for c in block if c.n and c.denominator)
        yield Check(
            "percentages of a block", [c.row for c in block], f"sum {printed} %",
            f"sum {right} %" + ("" if right == 100 else " by rounding alone"),
            "consistent" if printed == right else "contradiction",
        )  # fmt: skip


def _definitions(counts: list[_Count]) -> Iterator[Check]:
    for one, other, why in _SAME_BY_DEFINITION:
        first = next((c for c in counts if c.among == _condition(one) and c.n is not None), None)
        second = next((c for c in counts if c.among == _condition(other) and c.n is not None), None)
        if first and second:
            yield Check(
                "same patients by definition", [second.row, first.row], str(second.n),
                f"{first.n}, as {why}", "consistent" if first.n == second.n else "contradiction",
            )  # fmt: skip


def summary(checks: pl.DataFrame) -> dict[str, Any]:
    """Count the checks by verdict."""
    return dict(checks.group_by("verdict").len().sort("verdict").iter_rows())
