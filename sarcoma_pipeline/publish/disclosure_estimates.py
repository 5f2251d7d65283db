"""Disclosure control of survival estimates, hazard ratios and the comparison with the paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import groupby
from math import isfinite
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.count_suppression import Nested
from sarcoma_pipeline.publish.differences import COHORT, Comparison
from schemas.disclosure import WITHHELD, Disclosure
from schemas.rounding import half_up

_OF_THE_PAPER = ("not computable", "paper contradicts itself")
"""Verdicts that reveal nothing about the cohort."""


def survival(
    curve: pl.DataFrame,
    estimates: pl.DataFrame,
    nested: Nested,
    policy: Disclosure,
    compared: Comparison | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reduce curves to a grid of months, and suppress estimates.

    An endpoint with few events is left out. Survival is published at a time only if the numbers of events
    before it and between it and the next such time are zero or large enough; horizons are chosen first.
    """
    compared = compared or Comparison(policy)
    points, lines = [], []
    # Death is an event of every endpoint: at one time, the events of the endpoints are nested.
    together: dict[float, Nested] = defaultdict(lambda: Nested(policy.threshold, ()))
    for endpoint in dict.fromkeys(estimates["endpoint"]):
        mine = estimates.filter(pl.col("endpoint") == endpoint).to_dicts()
        rows = curve.filter(pl.col("endpoint") == endpoint).sort("time_months").to_dicts()
        patients, events = mine[0]["n"], sum(row["events"] for row in rows)
        if not rows or patients < policy.threshold or 0 < events < policy.threshold:
            continue
        horizons = [float(r["horizon_months"]) for r in mine if r["quantity"] == "survival"]
        counted = {
            "n": _admit(nested, compared, f"patients of {endpoint}", patients),
            "events": _admit(nested, compared, f"events of {endpoint}", events),
        }
        at = _grid(rows, horizons, Nested(policy.threshold, (0, patients)), together, policy, compared)
        points += [at[t] for t in sorted(at) if t % policy.grid_months == 0 and at[t]["at_risk"]]
        lines += [_estimate(row, at, counted, policy) for row in mine]
    return (
        pl.DataFrame(points, schema=curve.schema),
        pl.DataFrame(lines, schema=estimates.schema),
    )


def _admit(nested: Nested, compared: Comparison, cell: str, count: int) -> bool:
    """Return whether a count of a part of the cohort may be published, and store it."""
    admitted = compared.admits(COHORT, cell, count) and nested.admit(count)
    compared.note(COHORT, cell, count, shown=admitted)
    return admitted


def _grid(
    rows: list[dict[str, Any]],
    horizons: list[float],
    nested: Nested,
    together: Mapping[float, Nested],
    policy: Disclosure,
    compared: Comparison,
) -> dict[float, dict[str, Any]]:
    """Return the curve at the horizons and grid times; without numbers where few patients are at risk.

    Args:
        rows: rows of one curve.
        horizons: in months.
        nested: cumulative events of this endpoint over time.
        together: events of all endpoints at a time.
        policy: threshold, rounding and grid.
        compared: the earlier public versions.
    """
    endpoint = rows[0]["endpoint"]
    last = rows[-1]["time_months"]
    grid = [float(t) for t in range(0, int(last) + 1, policy.grid_months)]
    nested.admit(sum(row["events"] for row in rows))
    found = {}
    for time in dict.fromkeys([0.0, *horizons, *grid]):
        past = [row for row in rows if row["time_months"] <= time]
        # With delayed entry the numbers at risk may rise: the next row has the number at this time.
        at_risk = next((row["at_risk"] for row in rows if row["time_months"] >= time), 0)
        enough = at_risk >= policy.threshold
        so_far = sum(row["events"] for row in past)
        families = ((f"events of {endpoint}", f"{time:g}"), (f"events at {time:g}", endpoint))
        shown = enough and all(compared.admits(*cell, so_far) for cell in families)
        shown = shown and nested.admits(so_far) and together[time].admit(so_far) and nested.admit(so_far)
        for cell in families:
            compared.note(*cell, so_far, shown=shown)
        found[time] = {
            **past[-1],
            "time_months": time,
            "at_risk": _rounded(at_risk, policy),
            "events": None,
            "censored": None,
            **{c: _share(past[-1][c]) if shown else None for c in ("survival", "ci_low", "ci_high")},
        }
    return found


def _estimate(
    row: dict[str, Any], at: dict[float, dict[str, Any]], counted: Mapping[str, bool], policy: Disclosure
) -> dict[str, Any]:
    made = {**row, "n": row["n"] if counted["n"] else None}
    if row["quantity"] == "survival":
        point = at[float(row["horizon_months"])]
        value = point["survival"]
        return made | {
            "value": value, "ci_low": point["ci_low"], "ci_high": point["ci_high"], "events": None,
            "at_risk": point["at_risk"],
        }  # fmt: skip
    made["events"] = row["events"] if counted["events"] else None
    made["at_risk"] = _rounded(row["at_risk"], policy)
    if row["quantity"] == "events":
        return made | {"value": row["value"] if counted["events"] else None}
    return made | {c: _printed(row[c], 0) for c in ("value", "ci_low", "ci_high", "q1", "q3")}


def hazard_ratio(
    frame: pl.DataFrame, nested: Nested, policy: Disclosure, compared: Comparison | None = None
) -> pl.DataFrame:
    """Suppress counts by level of `schemas.analysis.HazardRatio`, and ratios based on few patients or events.

    A ratio is based on few if the patients or events of its level or of the reference level are few.
    """
    rows = frame.sort("position").to_dicts()
    compared = compared or Comparison(policy)

    def few(count: int | None) -> bool:
        return count is not None and 0 < count < policy.threshold

    for name, model in groupby(rows, key=lambda row: row["model"]):
        lines = list(model)
        counted = {
            of: _admit(nested, compared, f"{of} of model {name}", lines[0][of]) for of in ("n", "events")
        }
        for _, term in groupby(lines, key=lambda row: row["term"]):
            levels = list(term)
            factor = levels[0]["level_n"] is not None
            rest = [
                levels[0][of] - sum(row[count] or 0 for row in levels) if factor else None
                for of, count in (("n", "level_n"), ("events", "level_events"))
            ]
            for row in levels:
                small = any(map(few, (*rest, row["level_n"], row["level_events"], row["n"], row["events"])))
                row |= _ratio(row, small, counted, policy)
    return pl.DataFrame(rows, schema=frame.schema)


def _ratio(
    row: dict[str, Any], small: bool, counted: Mapping[str, bool], policy: Disclosure
) -> dict[str, Any]:
    numbers = ("hazard_ratio", "ci_low", "ci_high", "coefficient", "standard_error")
    made: dict[str, Any] = {c: None if small else _printed(row[c], 3) for c in numbers}
    made["p_value"] = None if small else _printed(row["p_value"], 4)
    made["concordance"] = _printed(row["concordance"], 3)
    made |= {"level_n": None, "level_events": None}
    if not counted["n"]:
        made |= {"n": None, "missing": None}
    if not counted["events"]:
        made |= {"events": None, "events_per_variable": None}
    if small:
        made["note"] = f"{row['contrast']}: {WITHHELD}, fewer than {policy.threshold} patients or events."
    return made


def comparison(frame: pl.DataFrame, known: Collection[float]) -> pl.DataFrame:
    """Suppress our values in `schemas.analysis.PublishedComparison` unless they are published hazard ratios.

    A paper groups the cohort in its own way. Our counts beside its counts, and the verdicts on them, would be
    further breakdowns of the same patients that rule 5 excludes.

    Args:
        frame: the comparison.
        known: the published hazard ratios in full precision.
    """
    texts = ("our_text", "our_joint_text")
    ours = [c for c in frame.columns if c.startswith("our_") and c not in texts]
    # The joint test of a factor is in its own table, if that may be published.
    frame = frame.with_columns(
        pl.lit(None, frame.schema[c]).alias(c) for c in frame.columns if c.startswith("our_joint")
    )
    rows = []
    for row in frame.iter_rows(named=True):
        if row["our_n"] is None and row["our_percent"] is None and row["our_value"] in known:
            rows.append({**row, **{c: _printed(row[c], 3) for c in (*ours, "difference")}})
            continue
        hidden = dict.fromkeys([*ours, "difference", "interval_verdict"])
        text = WITHHELD if row["our_text"] else None
        verdict = row["verdict"] if row["verdict"] in _OF_THE_PAPER else WITHHELD
        rows.append({**row, **hidden, "our_text": text, "verdict": verdict})
    return pl.DataFrame(rows, schema=frame.schema)


def _rounded(count: int | None, policy: Disclosure) -> int | None:
    """Round to the nearest multiple of the base, halves up; return null for a count below the threshold."""
    if count is None or 0 < count < policy.threshold:
        return None
    return policy.rounding * ((2 * count + policy.rounding) // (2 * policy.rounding))


def _share(value: float | None) -> float | None:
    return _printed(value, 2)


def _printed(value: float | None, decimals: int) -> float | None:
    return None if value is None or not isfinite(value) else float(half_up(value, decimals))
