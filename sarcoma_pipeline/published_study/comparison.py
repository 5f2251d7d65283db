"""Compare every published number with ours and give a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import polars as pl

from sarcoma_pipeline.published_study import printed_number
from sarcoma_pipeline.published_study.audit_rows import NUMBERS, split
from sarcoma_pipeline.published_study.printed_number import NOT_REACHED
from sarcoma_pipeline.published_study.recomputed import Cohort, Recomputed
from schemas.analysis import PublishedComparison
from schemas.analysis_models import JointTest
from schemas.rounding import decimals_of, half_up, p_value, percent_half_up
from schemas.statistics import DEFAULT, Statistics

CLOSE = 0.03
"""Relative difference up to which a number is close."""

_GRADES = ("equal", "within rounding", "close", "differs")


def compare(
    published: pl.DataFrame,
    published_map: pl.DataFrame,
    audit: pl.DataFrame,
    *,
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    estimates: pl.DataFrame,
    hazard_ratios: pl.DataFrame,
    joint_tests: pl.DataFrame | None = None,
    statistics: Statistics = DEFAULT,
) -> pl.DataFrame:
    """Compare every published number with ours.

    Args:
        published: ``published.csv`` as text (``read_csv(…, infer_schema=False)``), to keep the printed
            decimals.
        published_map: ``published_map.csv`` as text, see `sarcoma_pipeline.published_study.recomputed`.
        audit: ``audit.csv`` as text: ``id, class, finding``; class ERROR is a contradiction.
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        estimates: `schemas.analysis.SurvivalEstimate`.
        hazard_ratios: `schemas.analysis.HazardRatio`.
        joint_tests: `schemas.analysis_models.JointTest`.
        statistics: p value below which the paper speaks of a difference, and decimals of p values.

    Returns:
        `schemas.analysis.PublishedComparison`, in the order of ``published.csv``.

    Raises:
        ValueError: a published row has no mapping or several, or a mapping names an unknown statistic or an
            unknown entry of the audit.
    """
    cohort = Cohort(patients, endpoints, estimates, hazard_ratios)
    jointly = joint_tests if joint_tests is not None else JointTest.empty()
    tested = {(row["model"], row["term"]): row for row in jointly.rows(named=True)}
    mapping = _blank_to_null(published_map).with_columns(pl.col("horizon").cast(pl.Float64))
    rows = {row["id"]: row for row in mapping.iter_rows(named=True)}
    wanted = published["id"].to_list()
    if len(rows) != mapping.height or set(rows) != set(wanted):
        raise ValueError(
            f"published_map must contain every row once; it differs in: {sorted(set(rows) ^ set(wanted))}"
        )
    findings = {entry["id"]: entry for entry in audit.iter_rows(named=True)}
    lines = [
        _line(paper, rows[paper["id"]], cohort, findings, tested, statistics)
        for paper in _blank_to_null(published).iter_rows(named=True)
    ]
    frame = pl.DataFrame(lines, infer_schema_length=None)
    return PublishedComparison.enforce(PublishedComparison.conform(frame))


def _blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.all().replace("", None))


def _line(
    paper: dict[str, Any],
    row: dict[str, Any],
    cohort: Cohort,
    findings: dict[str, Any],
    tested: Mapping[tuple[str | None, str | None], dict[str, Any]],
    statistics: Statistics,
) -> dict[str, Any]:
    ours = cohort.recompute(row)
    as_printed, paper, unreadable = paper, *_canonical(paper)
    verdict, interval = _verdicts(paper, ours)
    named = [key for key in (row["audit"] or "").split(";") if key]
    if unknown := [key for key in named if key not in findings]:
        raise ValueError(f"published_map row {row['id']} names unknown audit entries {unknown}")
    entries = [findings[key] for key in named]
    if any(entry["class"] == "ERROR" for entry in entries):
        verdict = "paper contradicts itself"
    reasons = ([ours.missing] if ours.missing else []) + unreadable
    reasons += [f"Audit {e['id']} ({e['class']}): {e['finding']}" for e in entries]
    joint = tested.get((row["model"], row["term"])) if row["statistic"] == "hazard ratio" else None
    printed_p = _number(paper["p"])
    value, n, percent = _number(paper["value"]), _number(paper["n"]), _number(paper["pct"])
    pairs = ((ours.value, value), (ours.n, n), (ours.percent, percent))
    return {
        "id": int(paper["id"]),
        "section": paper["section"],
        "quantity": paper["quantity"],
        "level": paper["group/level"],
        "unit": paper["unit"],
        "published_text": _paper_text(as_printed),
        "our_text": None if ours.missing else _our_text(paper, ours),
        "published_value": value,
        "published_low": _number(paper["ci_low"]),
        "published_high": _number(paper["ci_high"]),
        "published_p": printed_p,
        "published_n": None if n is None else int(n),
        "published_percent": percent,
        "our_value": ours.value,
        "our_low": ours.low,
        "our_high": ours.high,
        "our_p": ours.p,
        "our_joint_p": joint["p_value"] if joint and ours.p is not None else None,
        "our_joint_text": _jointly(printed_p, joint, statistics) if joint and ours.p is not None else None,
        "our_n": ours.n,
        "our_percent": ours.percent if percent is not None else None,
        "difference": next((a - b for a, b in pairs if a is not None and b is not None), None),
        "verdict": verdict,
        "interval_verdict": interval,
        "reason": " ".join(reasons) or None,
        "quote": paper["quote"],
    }


def _jointly(printed_p: float | None, joint: Mapping[str, Any], statistics: Statistics) -> str | None:
    """Say that the paper's small p value is of one contrast, and the covariate as a whole shows nothing."""
    p, degrees = joint["p_value"], joint["degrees_of_freedom"]
    if printed_p is None or p is None or degrees < 2 or not printed_p < statistics.significance <= p:
        return None
    return (
        f"The paper's p value is of one of {degrees} contrasts of {joint['term']}; all of them together "
        f"give p = {p_value(p, statistics.p_decimals)} in the model of {joint['model']}."
    )


def _canonical(paper: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a row with canonical numbers (None if there is none), and the cells that cannot be read."""
    row = {**dict.fromkeys(("ci", *NUMBERS), ""), **{name: text or "" for name, text in paper.items()}}
    split(row)
    unreadable = []
    for name in NUMBERS:
        try:
            text = printed_number.read(row[name], name)
        except printed_number.Unreadable:
            unreadable.append(f"{name} “{row[name]}” is no number.")
            text = ""
        row[name] = "" if text == printed_number.NOT_ESTIMABLE else text
    return {name: text or None for name, text in row.items()}, unreadable


def _number(printed: str | None) -> float | None:
    return None if printed is None else printed_number.number(printed)


def _verdicts(paper: dict[str, Any], ours: Recomputed) -> tuple[str, str | None]:
    if ours.missing:
        return "not computable", None
    parts = []
    if paper["value"] == NOT_REACHED:
        parts.append("equal" if ours.not_reached else "differs")
    elif paper["value"] is not None:
        parts.append(_grade(paper["value"], ours.value))
    if paper["n"] is not None:
        parts.append(_grade(paper["n"], ours.n))
    if paper["pct"] is not None:
        grade = _percent_grade(paper["pct"], ours)
        # If the count is equal, a percentage within rounding is no additional difference.
        parts.append("equal" if grade == "within rounding" and paper["n"] is not None else grade)
    limits = [
        _grade(paper[name], limit)
        for name, limit in (("ci_low", ours.low), ("ci_high", ours.high))
        if paper[name] is not None
    ]
    if not ours.interval:
        parts, limits = parts + limits, []
    if not parts:
        return "not computable", None
    return _worst(parts), _worst(limits) if limits else None


def _worst(grades: list[str]) -> str:
    return max(grades, key=_GRADES.index)


def _grade(printed: str, ours: float | None) -> str:
    paper = printed_number.number(printed)
    if paper is None:
        low, high = printed_number.box(printed)
        return "within rounding" if low <= (inf if ours is None else ours) <= high else "differs"
    if ours is None:
        return "differs"
    if ours == paper:
        return "equal"
    # Counts are never rounded.
    if not isinstance(ours, int) and float(half_up(ours, decimals_of(printed))) == paper:
        return "within rounding"
    return "close" if abs(ours - paper) <= CLOSE * abs(paper) else "differs"


def _percent_grade(printed: str, ours: Recomputed) -> str:
    if ours.n is None or not ours.denominator:
        return "differs"
    whole = printed_number.number(printed) is not None and decimals_of(printed) == 0
    if whole and percent_half_up(ours.n, ours.denominator) == printed:
        return "within rounding"
    return _grade(printed, ours.percent)


def _paper_text(paper: dict[str, Any]) -> str:
    of = f"/{paper['denominator']}" if paper["denominator"] and paper["n"] else ""
    count = f"{paper['n']}{of}" if paper["n"] else None
    percent = f"{paper['pct']} %" if paper["pct"] else None
    return _joined(count, percent, paper["value"], paper["ci_low"], paper["ci_high"], paper["p"])


def _our_text(paper: dict[str, Any], ours: Recomputed) -> str:
    # At least one decimal, to show e.g. that a printed 48 is 47.9 here.
    digits = max(1, *(decimals_of(paper[name] or "") for name in ("value", "ci_low", "ci_high")))

    def shown(number: float | None, printed: str | None) -> str | None:
        return None if number is None or printed is None else half_up(number, digits)

    of = f"/{ours.denominator}" if ours.denominator is not None and paper["denominator"] else ""
    # Print our count even if the paper prints only a percentage.
    count = None if ours.n is None else f"{ours.n}{of}"
    percent = f"{half_up(ours.percent, 1)} %" if ours.percent is not None and paper["pct"] else None
    value = NOT_REACHED if ours.not_reached else shown(ours.value, paper["value"])
    low, high = shown(ours.low, paper["ci_low"]), shown(ours.high, paper["ci_high"])
    p = None if ours.p is None or paper["p"] is None else half_up(ours.p, decimals_of(paper["p"] or ""))
    return _joined(count, percent, value, low, high, p)


def _joined(
    count: str | None,
    percent: str | None,
    value: str | None,
    low: str | None,
    high: str | None,
    p: str | None,
) -> str:
    bounds = f"({low}; {high})" if low is not None and high is not None else None
    head = f"{count} ({percent})" if count and percent else count or percent
    chance = None if not p else f"p {p}" if p[0] in "<>≤≥" else f"p = {p}"
    return " ".join(part for part in (head, value, bounds, chance) if part)
