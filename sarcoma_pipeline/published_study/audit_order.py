"""Audit values and their order: ranges, quartiles, periods, numbers of levels and covariates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sarcoma_pipeline.published_study.audit_counts import condition, within
from sarcoma_pipeline.published_study.audit_estimates import agrees, ratios
from sarcoma_pipeline.published_study.audit_rules import LEVELS, PERIOD, RANGE, Check, Row
from sarcoma_pipeline.published_study.printed_number import at_most, number

_LOCATION = ("quartiles", "range")
"""Statistics whose value is a median."""

_SPREAD = (*_LOCATION, "maximum", "minimum", "mode", "mean")

_NOT_LEVELS = {"unknown", "missing", "not known", "not stated", "n/a"}

_PERIOD = re.compile(r"^(?P<what>.*?)\s*\b(?P<side>start|begin|end)$", re.IGNORECASE)


def checks(rows: list[Row]) -> Iterator[Check]:
    """Yield the checks of ranges, periods, levels and covariates."""
    yield from _ranges(rows)
    yield from _medians(rows)
    yield from _periods(rows)
    yield from _levels(rows)
    yield from _terms(rows)


def _ranges(rows: list[Row]) -> Iterator[Check]:
    """Check that all values of a group lie in the range of every group that contains it."""
    mine = [row for row in rows if row["column"] and row["statistic"] in _SPREAD]
    for outer in mine:
        if outer["statistic"] not in ("range", "maximum", "minimum"):
            continue
        least = outer["ci_low"] if outer["statistic"] == "range" else ""
        most = outer["ci_high"] if outer["statistic"] == "range" else ""
        if outer["statistic"] == "maximum":
            most = outer["value"]
        if outer["statistic"] == "minimum":
            least = outer["value"]
        low = least if number(least) is not None else None
        high = most if number(most) is not None else None
        for inner in mine:
            contained = within(condition(inner["of"]), condition(outer["of"]))
            if inner is outer or inner["column"] != outer["column"] or not contained:
                continue
            shown = [t for t in (inner["value"], inner["ci_low"], inner["ci_high"]) if number(t) is not None]
            inside = all(
                (low is None or at_most(low, text)) and (high is None or at_most(text, high))
                for text in shown
            )
            if shown and (low is not None or high is not None):
                yield RANGE.check(
                    [inner, outer],
                    " to ".join(shown),
                    f"within {least or 'any'} to {most or 'any'} ({outer['section']})",
                    inside,
                )


def _medians(rows: list[Row]) -> Iterator[Check]:
    """Check that a group has the same median with its range as with its quartiles."""
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row["statistic"] in _LOCATION and row["column"] and number(row["value"]) is not None:
            other = seen.setdefault((row["column"], row["of"]), row)
            if other["statistic"] != row["statistic"]:
                same = agrees(row["value"], other["value"])
                yield RANGE.check(
                    [row, other],
                    f"median {row['value']}",
                    f"median {other['value']} ({other['section']})",
                    same,
                )


def _periods(rows: list[Row]) -> Iterator[Check]:
    starts: dict[str, dict[str, Row]] = {}
    for row in rows:
        if (found := _PERIOD.match(row["quantity"].strip())) and number(row["value"]) is not None:
            side = "end" if found["side"].lower() == "end" else "start"
            starts.setdefault(found["what"].lower(), {})[side] = row
    for sides in starts.values():
        if len(sides) == 2:
            start, end = sides["start"], sides["end"]
            right = float(start["value"]) <= float(end["value"])
            yield PERIOD.check([start, end], f"{start['value']} to {end['value']}", "start ≤ end", right)


def _levels(rows: list[Row]) -> Iterator[Check]:
    """Check a printed number of levels against the levels printed with a count."""
    for row in rows:
        if row["statistic"] != "levels" or number(row["n"]) is None:
            continue
        named = {
            value
            for other in rows
            if other["statistic"] == "count"
            for column, values in condition(other["where"])
            if column == row["column"]
            for value in values
            if value.lower() not in _NOT_LEVELS
        }
        if named:
            yield LEVELS.check(
                [row],
                f"{row['n']} levels",
                f"{len(named)}: {', '.join(sorted(named))}",
                int(float(row["n"])) == len(named),
            )


def _terms(rows: list[Row]) -> Iterator[Check]:
    """Check a printed number of covariates against the covariates in the tables of the models."""
    terms: dict[str, set[str]] = {}
    for row in ratios(rows):
        if row["section"].startswith("Table") and row["term"]:
            terms.setdefault(row["model"], set()).add(row["term"])
    for row in rows:
        if row["statistic"] == "terms" and row["model"] in terms and number(row["n"]) is not None:
            named = terms[row["model"]] - terms.get(row["beyond"], set())
            yield LEVELS.check(
                [row],
                f"{row['n']} covariates",
                f"{len(named)}: {', '.join(sorted(named))}",
                int(float(row["n"])) == len(named),
            )
