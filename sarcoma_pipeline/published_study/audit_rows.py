"""Prepare the rows of a table of published numbers: canonical numbers, statistics and groups of patients.

A cell that cannot be read, or whose value is impossible, becomes a check and is left out of all others. If
the table does not name the `statistic` of a row and its patients (`where`), both are derived from its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf

import polars as pl

from sarcoma_pipeline.published_study import printed_number as printed
from sarcoma_pipeline.published_study.audit_rules import (
    ENUMERATION,
    PLAUSIBLE,
    POSSIBLE,
    READABLE,
    ZERO_P,
    Check,
    Row,
)
from sarcoma_pipeline.published_study.audit_words import RATIOS, say_what_each_is
from sarcoma_pipeline.published_study.printed_number import Unreadable, number

NUMBERS = ("value", "ci_low", "ci_high", "p", "n", "pct", "denominator")
"""Columns of printed numbers."""

COLUMNS = (
    "id",
    "section",
    "quantity",
    "group/level",
    *NUMBERS,
    "unit",
    "quote",
    "statistic",
    "where",
    "of",
    "column",
    "endpoint",
    "horizon",
    "model",
    "beyond",
    "term",
    "level",
    "audit",
    "reason",
    "ci",
    "method",
    "parts",
    "same_as",
    "comparison",
    "groups",
)
"""Columns that the audit knows; a table needs only those that it uses."""

_OLDEST, _LAST_YEAR, _FIRST_YEAR = 130, 2100, 1800
_PLAUSIBLE = (
    ("", "gy", 200),
    ("", "mv", 50),
    ("", "months", 600),
    ("margin", "cm", 10),
    ("margin", "mm", 100),
    ("slice thickness", "mm", 10),
)
"""Word of the quantity, unit, and the largest plausible number."""
_COUNT = re.compile(
    r"^(?P<n>[\d.,' ]+?)\s*(?:(?:/|\bof\b)\s*(?P<of>[\d.,' ]+?))?\s*(?:[(\[](?P<pct>[^)\]]*)[)\]])?$"
)
_ENUMERATED = re.compile(r"^(?P<parts>\d+(?: ?\+ ?\d+)+)(?: ?(?:/|of) ?(?P<of>\d+))?$")


def table(frame: pl.DataFrame) -> list[Row]:
    """Return the rows of a table as texts, with every known column, in the order of their ids."""
    rows = [
        {**dict.fromkeys(COLUMNS, ""), **{name: value or "" for name, value in row.items()}}
        for row in frame.iter_rows(named=True)
    ]
    if "group/level" not in frame.columns and "level" in frame.columns:
        for row in rows:
            row["group/level"] = row["level"]
    rows.sort(
        key=lambda row: (not row["id"].isdigit(), int(row["id"]) if row["id"].isdigit() else 0, row["id"])
    )
    for row in rows:
        split(row)
    say_what_each_is(rows, grouped="where" in frame.columns)
    return rows


def readable(rows: list[Row]) -> Iterator[Check]:
    """Make every number canonical, in place.

    Yield a check for each cell that cannot be read or is impossible.
    """
    for row in rows:
        yield from _enumerated(row)
        for name in NUMBERS:
            as_printed = row[name]
            try:
                row[name] = printed.read(as_printed, name)
            except Unreadable:
                row[name] = ""
                yield READABLE.check(
                    [row],
                    f"{name}: {as_printed}",
                    "a number, < or > a number, n.s., NR or NE",
                    "not computable",
                )
        if (months := printed.months(row["horizon"])) is None:
            yield READABLE.check([row], f"horizon: {row['horizon']}", "months, or 2 years", "not computable")
        row["horizon"] = months or ""
        yield from _possible(row)


def _enumerated(row: Row) -> Iterator[Check]:
    """Add up the parts of one cell, `2 + 1 of 3`: they cannot be more than the whole."""
    found = _ENUMERATED.match(printed.plain(row["n"]))
    if not found:
        return
    added = sum(int(part) for part in found["parts"].split("+"))
    if row["denominator"].isdigit():
        whole = int(row["denominator"])
        yield ENUMERATION.check(
            [row],
            f"{found['parts']} of {whole}",
            f"{added} of {added}" if added > whole else f"{added} of {whole}; {whole - added} in no part",
            "consistent" if added == whole else "tension" if added < whole else "contradiction",
        )
        # An impossible value is reported once.
        added = min(added, whole)
    row["n"] = str(added)


def split(row: Row) -> None:
    """Split the content of one cell: `27/86 (31 %)`, `2 + 1 of 3`, `0.46 (0.22-0.97)`, an interval."""
    found = _COUNT.match(printed.plain(row["n"]))
    if found and (found["of"] or found["pct"]):
        row["n"] = found["n"]
        row["denominator"] = row["denominator"] or found["of"] or ""
        row["pct"] = row["pct"] or found["pct"] or ""
    elif found := _ENUMERATED.match(printed.plain(row["n"])):
        row["n"] = found["parts"]
        row["denominator"] = row["denominator"] or found["of"] or ""
    if row["ci_low"] or row["ci_high"]:
        return
    if all_three := printed.value_and_interval(row["value"]):
        row["value"], row["ci_low"], row["ci_high"] = all_three
    elif limits := printed.interval(row["ci"]):
        row["ci_low"], row["ci_high"] = limits
    elif limits := printed.interval(row["value"]):
        row["value"], (row["ci_low"], row["ci_high"]) = "", limits


def _possible(row: Row) -> Iterator[Check]:
    """Check each number alone; impossible numbers are left out of the other checks."""
    for name in NUMBERS:
        if row[name] in ("", printed.NOT_REACHED, printed.NOT_ESTIMABLE):
            continue
        low, high, what = _bounds(row, name)
        given = row[name].lstrip("<>")
        whole = name not in printed.COUNTS or float(given).is_integer()
        bound = row[name][0]
        inside = low <= float(given) <= high and not (bound == "<" and float(given) == low)
        if not (whole and inside):
            yield POSSIBLE.check([row], f"{name}: {row[name]}", what, False)
            row[name] = ""
            continue
        most = _most(row)
        if name in ("value", "ci_low", "ci_high") and float(given) > most:
            yield PLAUSIBLE.check(
                [row], f"{name}: {row[name]} {row['unit']}", f"at most {most:g} {row['unit']}", "tension"
            )
    n, of = number(row["n"]), number(row["denominator"])
    if n is not None and of is not None and n > of:
        yield POSSIBLE.check(
            [row], f"{row['n']} of {row['denominator']}", f"at most {row['denominator']}", False
        )
    if row["p"] and number(row["p"]) == 0:
        yield ZERO_P.check(
            [row], f"p = {row['p']}", f"p < {'0.' + '0' * (len(row['p']) - 3) + '1'}", "wording"
        )


def _most(row: Row) -> float:
    """Return the largest plausible number of a row."""
    words, unit = row["quantity"].lower(), row["unit"].strip().lower()
    return min((most for word, of, most in _PLAUSIBLE if of == unit and word in words), default=inf)


def _bounds(row: Row, name: str) -> tuple[float, float, str]:
    unit = row["unit"].strip().lower()
    if name == "p":
        return 0, 1, "0 to 1"
    if name == "pct":
        return 0, 100, "0 to 100 %"
    if name in printed.COUNTS:
        least = 1 if name == "denominator" else 0
        return least, 10**10, f"a whole number from {least}"
    if row["statistic"] == "survival" or unit == "%":
        return 0, 100, "0 to 100 %"
    if unit == "year":
        return _FIRST_YEAR, _LAST_YEAR, "a year of four digits"
    if unit == "years":
        return 0, _OLDEST, f"0 to {_OLDEST} years"
    if row["statistic"] in RATIOS or unit in ("months", "days", "gy", "cgy", "cm", "mm"):
        return 0, 10**10, "not below 0"
    return -(10.0**10), 10.0**10, "any number"
