"""Prepare the rows of a table of published numbers: canonical numbers, statistics and groups of patients.

A cell that cannot be read, or whose value is impossible, becomes a check and is left out of all others. If
the table does not name the `statistic` of a row and its patients (`where`), both are derived from its words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import inf

import polars as pl

from sarcoma_pipeline.published_study import printed_number as printed
from sarcoma_pipeline.published_study.audit_rules import PLAUSIBLE, POSSIBLE, READABLE, ZERO_P, Check, Row
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

RATIOS = ("hazard ratio", "odds ratio", "risk ratio")
"""Statistics with a confidence interval that is symmetric on the log scale."""

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
_WORDS = (
    ("hazard ratio", re.compile(r"\b(?:s?hr|hazard ratio)\b", re.IGNORECASE)),
    ("odds ratio", re.compile(r"\bodds ratio\b|\bOR\b")),
    ("risk ratio", re.compile(r"\b(?:risk ratio|relative risk)\b|\bRR\b", re.IGNORECASE)),
    ("range", re.compile(r"\brange\b|\bmin\b.*\bmax\b", re.IGNORECASE)),
    ("quartiles", re.compile(r"\bq1\b|\biqr\b|\binterquartile\b|\bquartiles?\b", re.IGNORECASE)),
)
_EVERYBODY = re.compile(
    r"^(?:all |total |number of |included )*(?:patients|participants|cases|n|all|total)?$"
)


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
    _say_what_each_is(rows, grouped="where" in frame.columns)
    return rows


def readable(rows: list[Row]) -> Iterator[Check]:
    """Make every number canonical, in place.

    Yield a check for each cell that cannot be read or is impossible.
    """
    for row in rows:
        split(row)
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
        yield from _possible(row)


def split(row: Row) -> None:
    """Split the content of one cell: `27/86 (31 %)`, `0.46 (0.22-0.97)`, an interval."""
    found = _COUNT.match(printed.plain(row["n"]))
    if found and (found["of"] or found["pct"]):
        row["n"] = found["n"]
        row["denominator"] = row["denominator"] or found["of"] or ""
        row["pct"] = row["pct"] or found["pct"] or ""
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


def _say_what_each_is(rows: list[Row], *, grouped: bool) -> None:
    """Fill in `statistic` and, in a table without groups, `where` and `of`, from the words of the rows."""
    for row in rows:
        row["statistic"] = row["statistic"] or _statistic(row)
    if grouped:
        return
    denominators: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        key = row["section"], row["quantity"].strip().lower()
        denominators.setdefault(key, Counter())[row["denominator"]] += bool(row["denominator"])
    totals = {row["n"] for row in rows if row["statistic"] == "count" and _everybody(row)}
    for row in rows:
        if row["statistic"] in ("count", "quartiles", "range"):
            own = denominators[row["section"], row["quantity"].strip().lower()]
            usual = max(own, key=lambda d: (own[d], d)) if own else ""
            row["of"] = "" if not usual or usual in totals else f"denominator={usual}"
            if row["statistic"] == "count" and not _everybody(row):
                row["where"] = f"{_word(row['quantity'])}={_word(row['group/level'])}"
                row["groups"] = "from words"
            elif row["statistic"] != "count":
                row["column"] = _word(row["quantity"])
        elif row["statistic"] in RATIOS:
            row["model"], row["term"] = _word(row["quantity"]), _word(row["group/level"])


def _statistic(row: Row) -> str:
    words = f"{row['quantity']} {row['group/level']}"
    for name, pattern in _WORDS:
        if pattern.search(words) and (row["value"] or row["ci_low"] or row["ci"]):
            return name
    return "count" if row["n"] or row["pct"] else ""


def _everybody(row: Row) -> bool:
    level = _word(row["group/level"])
    return (
        bool(_EVERYBODY.match(_word(row["quantity"])))
        and level in ("", "all", "total")
        and not row["denominator"]
    )


def _word(text: str) -> str:
    return re.sub(r"[;=|<]", " ", text).strip().lower()
