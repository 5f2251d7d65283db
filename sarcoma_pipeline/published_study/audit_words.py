"""Derive what a row is about from its words: its statistic, its endpoint and time, and its patients.

A table that fills in `statistic` and `where` itself is left as it is.
"""

from __future__ import annotations

import re
from collections import Counter

from sarcoma_pipeline.published_study.audit_rules import Row
from sarcoma_pipeline.published_study.printed_number import MONTHS

RATIOS = ("hazard ratio", "odds ratio", "risk ratio")
"""Statistics with a confidence interval that is symmetric on the log scale."""

_SPREADS = ("quartiles", "range")
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
_ENDPOINTS = tuple(
    (name, re.compile(rf"\b{name}\b|\b(?:{words})[- ]survival\b", re.IGNORECASE))
    for name, words in (
        ("DMFS", r"distant[- ]metastas[ei]s[- ]free"),
        ("LRFS", r"local[- ](?:relapse|recurrence)[- ]free"),
        ("MFS", r"metastas[ei]s[- ]free"),
        ("DFS", r"disease[- ]free"),
        ("RFS", r"(?:relapse|recurrence)[- ]free"),
        ("PFS", r"progression[- ]free"),
        ("EFS", r"event[- ]free"),
        ("OS", r"overall"),
    )
)
"""Endpoints with death among their events, the longer names first: `distant metastasis-free` is not `MFS`."""

_HORIZON = re.compile(r"(?<![\d.,-])(?P<time>\d+(?:[.,]\d+)?)[- ]?(?P<unit>months?|mo|years?|yrs?|y)\b", re.I)
_NO_GROUP = re.compile(
    r"\b(?:median|survival|rates?|estimated?|cumulative|kaplan-meier|at|after|time|probability|all|total|"
    r"patients|of|the|actuarial|overall|cohort|entire|whole)\b|[^\w<>≤≥+/. -]",
    re.IGNORECASE,
)


def say_what_each_is(rows: list[Row], *, grouped: bool) -> None:
    """Fill in `statistic` and, in a table without groups, `where`, `of`, `endpoint` and `horizon`."""
    for row in rows:
        row["statistic"] = row["statistic"] or _statistic(row)
    if grouped:
        return
    denominators: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        denominators.setdefault(_block(row), Counter())[row["denominator"]] += bool(row["denominator"])
    totals = {row["n"] for row in rows if row["statistic"] == "count" and _everybody(row)}
    for row in rows:
        if row["statistic"] in ("count", *_SPREADS):
            usual = _usual(denominators[_block(row)], totals)
            row["of"] = "" if not usual or usual in totals else f"denominator={usual}"
            if row["statistic"] == "count" and not _everybody(row):
                row["where"] = f"{_word(row['quantity'])}={_word(row['group/level'])}"
                row["groups"] = "from words"
            elif row["statistic"] != "count":
                row["column"] = _word(row["quantity"])
        elif row["statistic"] in RATIOS:
            row["model"], row["term"] = _word(row["quantity"]), _word(row["group/level"])
        elif row["statistic"] in ("survival", "median"):
            _say_when_and_whose(row)


def _block(row: Row) -> tuple[str, str]:
    return row["section"], row["quantity"].strip().lower()


def _usual(denominators: Counter[str], totals: set[str]) -> str:
    """Return the commonest denominator of a block.

    One above the total counts only if no level has the total: what is counted may be tumours, not patients.
    """
    most = max((int(t) for t in totals if t.isdigit()), default=None)
    own = dict(denominators)
    if most is not None and own.keys() & totals:
        own = {d: times for d, times in own.items() if not d.isdigit() or int(d) <= most}
    return max(own, key=lambda d: (own[d], d)) if own else ""


def _statistic(row: Row) -> str:
    words = f"{row['quantity']} {row['group/level']}"
    if row["value"] or row["ci_low"] or row["ci"]:
        for name, pattern in _WORDS:
            if pattern.search(words):
                return name
    if _endpoint(words) and row["value"] and not row["n"]:
        unit, median = row["unit"].strip().lower(), re.search(r"\bmedian\b", words, re.IGNORECASE)
        if median and unit in ("", *MONTHS):
            return "median"
        if not median and _HORIZON.search(words) and (unit == "%" or "%" in row["value"]):
            return "survival"
    return "count" if row["n"] or row["pct"] else ""


def _endpoint(words: str) -> str:
    named = [name for name, pattern in _ENDPOINTS if pattern.search(words)]
    # `metastasis-free` is part of `distant metastasis-free`: the first name is the longer one.
    return "" if not named or (len(named) > 1 and named != ["DMFS", "MFS"]) else named[0]


def _say_when_and_whose(row: Row) -> None:
    """Fill in the endpoint and the time of a rate or median; the other words name its patients."""
    words = f"{row['quantity']} {row['group/level']}"
    row["endpoint"] = row["endpoint"] or _endpoint(words)
    times = _HORIZON.findall(words)
    if row["statistic"] == "survival" and not row["horizon"] and len(times) == 1:
        row["horizon"] = " ".join(times[0])
    rest = _HORIZON.sub(" ", words)
    for _, pattern in _ENDPOINTS:
        rest = pattern.sub(" ", rest)
    group = " ".join(_NO_GROUP.sub(" ", rest).lower().split()).strip("- .")
    if group and not row["of"]:
        row["of"] = f"words={group}"


def _everybody(row: Row) -> bool:
    level = _word(row["group/level"])
    return (
        bool(_EVERYBODY.match(_word(row["quantity"])))
        and level in ("", "all", "total")
        and not row["denominator"]
    )


def _word(text: str) -> str:
    return re.sub(r"[;=|<]", " ", text).strip().lower()
