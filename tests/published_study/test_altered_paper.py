"""One printed number of the paper is altered at a time: by a unit, a swap of two digits, or a factor of ten.

The cell of the table changes, and with it what the paper prints there. A change is found if the audit has a
failing check that it does not have for the paper itself, or a contradiction of the same rule that now shows
the altered number. For every change that is not found `_why_not` computes a reason, without the audit.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from math import erfc, log, sqrt
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.published_study.audit import audit

NUMBERS = ("value", "ci_low", "ci_high", "p", "n", "pct", "denominator")
KINDS = ("unit", "swap", "ten")
Change = tuple[str, str, str, str, str]
"""Row, column, printed text, kind of change, altered text."""

ALONE = {
    **dict.fromkeys(("12", "13"), "a year"),
    **dict.fromkeys(("43", "44", "47", "48", "49"), "a margin"),
    **dict.fromkeys(("127", "139", "146", "147", "148", "149", "150"), "other studies"),
    **dict.fromkeys(("40", "131", "145"), "a subgroup of any size"),
    **dict.fromkeys(("38", "50"), "a range that holds the quartiles"),
    **dict.fromkeys(("98", "99"), "quartiles in their range"),
    "27": "an edition",
    "32": "a thickness",
    "33": "a report",
    "34": "an energy",
    "39": "a range of its own",
    "41": "a maximum in its range",
    "61": "an interval within rounding",
}
"""Rows with a number that no other printed number determines, and what it is."""

CORRECTED = {
    ("74", "pct", "31"),
    ("135", "pct", "28"),
    ("140", "n", "27"),
    ("142", "n", "35"),
    ("143", "denominator", "35"),
}
"""Changes that make a wrong number of the paper right."""


def _changes(published: pl.DataFrame) -> Iterator[Change]:
    for row in published.iter_rows(named=True):
        for column in NUMBERS:
            text = row[column]
            if text and text[0].isdigit():
                yield from ((row["id"], column, text, kind, new) for kind, new in _altered(text))


def _altered(text: str) -> Iterator[tuple[str, str]]:
    digits = len(text.partition(".")[2])
    unit = Decimal(1).scaleb(-digits)
    yield "unit", str(Decimal(text) + unit)
    yield "unit", str(Decimal(text) - unit)
    yield "ten", str((Decimal(text) * 10).quantize(unit))
    places = [i for i, sign in enumerate(text) if sign.isdigit()]
    for left, right in reversed(list(pairwise(places))):
        if text[left] != text[right]:
            signs = list(text)
            signs[left], signs[right] = signs[right], signs[left]
            yield "swap", "".join(signs)
            return


class Auditor:
    """Audits the paper with one number altered."""

    def __init__(self, paper: dict[str, pl.DataFrame]) -> None:
        self.paper = paper
        self.before = self._failing(paper["published"])
        self.keys = {(rule, ids, verdict) for rule, ids, _, verdict in self.before}

    def _failing(self, published: pl.DataFrame) -> set[tuple[str, ...]]:
        checks = audit(published, self.paper["published_map"], self.paper["audit"])
        failing = checks.filter(
            pl.col("rule").is_not_null(), pl.col("verdict").is_in(["contradiction", "tension"])
        )
        return set(failing.select("rule", "ids", "printed", "verdict").rows())

    def found(self, change: Change) -> bool:
        row, column, _, _, new = change
        altered = pl.when(pl.col("id") == row).then(pl.lit(new)).otherwise(pl.col(column))
        after = self._failing(self.paper["published"].with_columns(altered.alias(column)))
        return any(
            (rule, ids, verdict) not in self.keys
            or (
                verdict == "contradiction" and row in ids.split(";") and new in re.findall(r"[\d.]+", printed)
            )
            for rule, ids, printed, verdict in after - self.before
        )


def _half(text: str) -> float:
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def _fits_wald(value: str, low: str, high: str, p: str) -> bool:
    """Look for unrounded limits whose mean and Wald p round to the printed numbers, on a fine grid."""
    steps = 80
    for i in range(steps + 1):
        lower = log(float(low) + _half(low) * (2 * i / steps - 1))
        for j in range(steps + 1):
            upper = log(float(high) + _half(high) * (2 * j / steps - 1))
            ratio, error = (lower + upper) / 2, (upper - lower) / 3.919928
            near = abs(2.718281828459045**ratio - float(value)) <= _half(value) * (1 + 1e-6)
            if near and (
                not p or abs(erfc(abs(ratio) / error / sqrt(2)) - float(p)) <= _half(p) * (1 + 1e-6)
            ):
                return True
    return False


def _why_not(change: Change, row: dict[str, str]) -> str | None:
    """Return why no arithmetic can reveal a change, or None."""
    id_, column, _, _, new = change
    if (id_, column, new) in CORRECTED:
        return "makes a wrong number right"
    if id_ in ALONE:
        return f"stands alone: {ALONE[id_]}"
    if row["quantity"].startswith("HR"):
        cells = {**row, column: new}
        limits = cells["value"], cells["ci_low"], cells["ci_high"]
        if _fits_wald(*limits, cells["p"] or ""):
            return "within rounding of ratio limits and p"
        wrong_before = not _fits_wald(row["value"], row["ci_low"], row["ci_high"], row["p"] or "")
        if wrong_before and _fits_wald(*limits, ""):
            return "the row is reported already; ratio and limits still fit"
    return None


@pytest.fixture(scope="module")
def changes(paper: dict[str, pl.DataFrame]) -> list[Change]:
    return list(_changes(paper["published"]))


@pytest.fixture(scope="module")
def auditor(paper: dict[str, pl.DataFrame]) -> Auditor:
    return Auditor(paper)


def _one_each(changes: list[Change]) -> list[Change]:
    """Return one change for each number, the kinds in turn; a unit where no two digits can be swapped."""
    numbers: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        numbers.setdefault(change[:2], []).append(change)
    chosen = []
    for i, mine in enumerate(numbers.values()):
        kinds = {change[3]: change for change in mine}
        wanted = KINDS[i % 3]
        chosen.append(kinds.get(wanted, kinds["unit"]))
    return chosen


@pytest.mark.slow
def test_most_changes_are_found_and_the_others_cannot_be(
    changes: list[Change], auditor: Auditor, paper: dict[str, pl.DataFrame]
) -> None:
    rows = {row["id"]: row for row in paper["published"].iter_rows(named=True)}
    found = {change: auditor.found(change) for change in changes}
    assert len({change[:2] for change in changes}) == 381
    unexplained = [c for c, hit in found.items() if not hit and _why_not(c, rows[c[0]]) is None]
    assert unexplained == []
    of, hits = Counter(c[3] for c in changes), Counter(c[3] for c, hit in found.items() if hit)
    assert all(
        hits[kind] >= least * of[kind] for kind, least in (("unit", 0.75), ("swap", 0.95), ("ten", 0.95))
    )
    in_turn = [found[change] for change in _one_each(changes)]
    assert (len(in_turn), sum(in_turn) >= 340) == (381, True)


def test_most_of_two_dozen_changes_are_found(changes: list[Change], auditor: Auditor) -> None:
    sample = _one_each(changes)[::16]
    assert sum(auditor.found(change) for change in sample) >= 0.8 * len(sample)


def test_a_change_within_rounding_is_told_from_one_that_is_not() -> None:
    assert _fits_wald("0.432", "0.140", "1.332", "0.1442")
    assert not _fits_wald("0.432", "0.140", "1.332", "0.1424")
    assert not _fits_wald("0.735", "0.073", "7.360", "0.9646")


def write(target: Path, paper: dict[str, pl.DataFrame]) -> None:
    """Write every change with what became of it, for a report."""
    auditor = Auditor(paper)
    rows = {row["id"]: row for row in paper["published"].iter_rows(named=True)}
    with target.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        for change in _changes(paper["published"]):
            hit = auditor.found(change)
            out.writerow([*change, "found" if hit else _why_not(change, rows[change[0]]) or "NOT EXPLAINED"])
