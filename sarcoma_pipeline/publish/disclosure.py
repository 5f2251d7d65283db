"""Disclosure control: which numbers of a study may be public, as one policy.

1. No row-level table. Only the tables named in `public` pass; what the policy does not know does not leave.
2. A count from 1 to below the threshold is withheld. So is every further count needed to hide it, with the
   same mark: a mark of its own would say which of two withheld counts is the small one.
3. *Partitions* (the levels of a factor in Table 1): with the small counts go the smallest of the others,
   until they are twice the threshold together; where that cannot be had, the zeros of the block go too.
4. *Nested groups* (steps of the flow, patients of the models, events up to a time, of one endpoint and at
   one time of all): two published counts differ by nothing or by at least the threshold, so that no
   difference of them is a small count.
5. Counts by level stand in Table 1 only, and for the whole cohort only. Any other cut of the same patients
   (a model's levels, part of the cohort, a paper's regrouping) could be subtracted from it.
6. Curves are read every few months, with the patients at risk rounded; estimates are printed numbers, times
   whole months. A median in full precision is a patient's own value.

The policy knows one release. Two of them a few patients apart can be subtracted from each other: what is made
public belongs to a milestone of the study, not to a night.

The policy keeps counts from subtraction (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4);
that survival estimates of a small cohort allow rough guesses of cumulative events, none of them small, is
inherent in printing them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from typing import Any

import polars as pl

from schemas.analysis import HazardRatio
from schemas.disclosure import WITHHELD, Disclosure
from schemas.rounding import half_up

_UNTOUCHED = ("cohort.derivability", "analysis.published_audit", "meta.release")
"""Tables that hold no count of patients but the size of the cohort."""

_OF_THE_PAPER = ("not computable", "paper contradicts itself")
"""Verdicts that tell nothing about the cohort."""


class TooFewPatients(Exception):
    """The cohort itself is below the threshold: nothing about it can be public."""


def public(tables: Mapping[str, pl.DataFrame], policy: Disclosure) -> dict[str, pl.DataFrame]:
    """The tables that may be public, small counts and what gives them away withheld.

    Args:
        tables: of a release, by the names of their contracts; ``meta.release`` must be there.
        policy: threshold and rounding.

    Returns:
        Columns and dtypes of the contracts; null where a number is withheld, ``withheld`` where a text is.

    Raises:
        TooFewPatients: the cohort is smaller than the threshold.
    """
    patients = int(tables["meta.release"]["eligible"][0])
    if patients < policy.threshold:
        raise TooFewPatients(f"fewer than {policy.threshold} patients: nothing about them can be public")
    made = {name: tables[name] for name in _UNTOUCHED if name in tables}
    if "cohort.flow" in tables:
        made["cohort.flow"] = flow(tables["cohort.flow"], policy)
    hidden: set[int] = set()
    if "analysis.table_one" in tables:
        made["analysis.table_one"], hidden = table_one(tables["analysis.table_one"], patients, policy)
    nested = Nested(policy.threshold, (0, patients), {*hidden, *(patients - n for n in hidden)})
    if "analysis.survival_estimate" in tables and "analysis.survival_curve" in tables:
        curve, estimates = survival(
            tables["analysis.survival_curve"], tables["analysis.survival_estimate"], nested, policy
        )
        made |= {"analysis.survival_curve": curve, "analysis.survival_estimate": estimates}
    if "analysis.hazard_ratio" in tables:
        made["analysis.hazard_ratio"] = hazard_ratio(tables["analysis.hazard_ratio"], nested, policy)
    if "analysis.published_comparison" in tables:
        known = tables.get("analysis.hazard_ratio", HazardRatio.empty()).sort("position")["hazard_ratio"]
        stands = made.get("analysis.hazard_ratio", HazardRatio.empty())["hazard_ratio"].is_not_null()
        made["analysis.published_comparison"] = comparison(
            tables["analysis.published_comparison"], set(known.filter(stands))
        )
    return made


class Nested:
    """Counts of groups within each other, as they are published one by one.

    Args:
        threshold: least difference of two published counts.
        published: those that stand anyway.
        hidden: counts withheld elsewhere, which must not appear here either.
    """

    def __init__(self, threshold: int, published: Iterable[int], hidden: Collection[int] = ()) -> None:
        self.threshold = threshold
        self._published = set(published)
        self._hidden = hidden

    def admits(self, count: int) -> bool:
        """Whether the count may be published."""
        apart = all(gap == 0 or gap >= self.threshold for gap in (abs(count - n) for n in self._published))
        return apart and (count in self._published or count not in self._hidden)

    def admit(self, count: int) -> bool:
        """Whether the count may be published; if so, those after it are measured by it too."""
        admitted = self.admits(count)
        if admitted:
            self._published.add(count)
        return admitted


def withheld(blocks: Sequence[Sequence[int]], total: int, threshold: int) -> list[set[int]]:
    """Which counts of partitions of the same patients must not be published.

    A count withheld in one block may be the same patients as one printed in another, or all but them, under
    another name: equal counts are withheld too.

    Args:
        blocks: counts of each partition.
        total: what each adds up to; it is published.
        threshold: counts from 1 to below it are withheld.

    Returns:
        Positions in each block. None, or the small counts with at least one that is not small, together twice
        the threshold or more; all positions, zeros included, if there are no such parts.
    """
    chosen: list[set[int]] = [set() for _ in blocks]
    before: list[set[int]] | None = None
    while chosen != before:
        before = list(chosen)
        for b, counts in enumerate(blocks):
            others = [o for o in range(len(blocks)) if o != b]
            printed = _either_way([n for o in others for n in blocks[o]], total)
            masked = _either_way([blocks[o][i] for o in others for i in chosen[o]], total) - {0, total}
            must = chosen[b] | {i for i, n in enumerate(counts) if 0 < n < threshold or n in masked}
            chosen[b] = _hide_behind(must, counts, threshold, printed)
    return chosen


def _either_way(counts: Iterable[int], total: int) -> set[int]:
    return {x for n in counts for x in (n, total - n)}


def _hide_behind(
    chosen: set[int], counts: Sequence[int], threshold: int, printed: Collection[int]
) -> set[int]:
    """The positions with further ones; a count that stands in another block is the last resort.

    Equal counts are taken together. What is withheld then depends on the counts and not on their order, so
    every order of the withheld ones makes the same page: no part can be told to be the small one.
    """
    while chosen and (
        max(counts[i] for i in chosen) < threshold or sum(counts[i] for i in chosen) < 2 * threshold
    ):
        spare = [(n in printed, n) for i, n in enumerate(counts) if n and i not in chosen]
        if not spare:
            return set(range(len(counts)))
        chosen = chosen | {i for i, n in enumerate(counts) if n == min(spare)[1]}
    return chosen


def flow(frame: pl.DataFrame, policy: Disclosure) -> pl.DataFrame:
    """`schemas.cohort.CohortFlow`: the cohort's size and the steps that no small exclusion divides."""
    rows = frame.sort("position").to_dicts()
    if not rows:
        return frame
    nested = Nested(policy.threshold, [rows[-1]["remaining"]])
    shown = {n for n in (rows[0]["entered"], *(r["remaining"] for r in rows)) if nested.admit(n)}
    for row in rows:
        row["entered"], row["remaining"] = (
            n if n in shown else None for n in (row["entered"], row["remaining"])
        )
        if row["entered"] is None or row["remaining"] is None:
            row["excluded"] = None
    return pl.DataFrame(rows, schema=frame.schema)


def table_one(frame: pl.DataFrame, patients: int, policy: Disclosure) -> tuple[pl.DataFrame, set[int]]:
    """`schemas.analysis.TableOne`, and the counts that it withholds.

    Counts of a part of the cohort are withheld whatever their size, and so is the number of known values: it
    tells how many are missing. Medians and quartiles are the printed ones.
    """
    rows = frame.sort("position").to_dicts()
    blocks = [list(group) for _, group in groupby(rows, key=lambda row: row["block"])]
    factors = [b for b in blocks if b[0]["level"] is not None and b[0]["denominator"] == patients]
    counts = [[row["n"] for row in block] for block in factors]
    chosen = withheld(counts, patients, policy.threshold)
    hidden = {counts[b][i] for b, positions in enumerate(chosen) for i in positions} - {0}
    for block, positions in zip(factors, chosen, strict=True):
        for i in positions:
            block[i] |= {"n": None, "percent": None, "percent_printed": None, "text": WITHHELD}
    for row in (row for block in blocks if block not in factors for row in block):
        few = row["level"] is not None or row["n"] < policy.threshold
        if few:
            row |= {"percent": None, "percent_printed": None, "value": None, "low": None, "high": None}
            row["text"] = WITHHELD
        elif row["value"] is not None:
            row["value"] = float(row["text"])
        elif row["low"] is not None:
            row["low"], row["high"] = (float(part) for part in row["text"].split("–"))
        if few or row["n"] != patients:
            row["n"] = None
        if row["denominator"] != patients:
            row["denominator"] = None
    return pl.DataFrame(rows, schema=frame.schema), hidden


def survival(
    curve: pl.DataFrame, estimates: pl.DataFrame, nested: Nested, policy: Disclosure
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`schemas.analysis.SurvivalCurve` on a grid of months, and `schemas.analysis.SurvivalEstimate`.

    An endpoint with few events is left out. Survival is printed at a time only if the events before and after
    it, up to the next such time, are none or enough; horizons come first.
    """
    points, lines = [], []
    # Who is dead has no other endpoint left either: at one time the endpoints' events are nested.
    together: dict[float, Nested] = defaultdict(lambda: Nested(policy.threshold, ()))
    for endpoint in dict.fromkeys(estimates["endpoint"]):
        mine = estimates.filter(pl.col("endpoint") == endpoint).to_dicts()
        rows = curve.filter(pl.col("endpoint") == endpoint).sort("time_months").to_dicts()
        patients, events = mine[0]["n"], sum(row["events"] for row in rows)
        if not rows or patients < policy.threshold or 0 < events < policy.threshold:
            continue
        horizons = [float(r["horizon_months"]) for r in mine if r["quantity"] == "survival"]
        at = _grid(rows, horizons, Nested(policy.threshold, (0, patients)), together, policy)
        counted = {"n": nested.admit(patients), "events": nested.admit(events)}
        points += [at[t] for t in sorted(at) if t % policy.grid_months == 0 and at[t]["at_risk"]]
        lines += [_estimate(row, at, counted, policy) for row in mine]
    return (
        pl.DataFrame(points, schema=curve.schema),
        pl.DataFrame(lines, schema=estimates.schema),
    )


def _grid(
    rows: list[dict[str, Any]],
    horizons: list[float],
    nested: Nested,
    together: Mapping[float, Nested],
    policy: Disclosure,
) -> dict[float, dict[str, Any]]:
    """The curve at the horizons and at the grid's times; nothing but the time where few are at risk.

    Args:
        rows: of one curve.
        horizons: in months.
        nested: the events of this endpoint, as they are told at one time and another.
        together: the events of all endpoints at a time.
        policy: threshold, rounding and grid.
    """
    last = rows[-1]["time_months"]
    grid = [float(t) for t in range(0, int(last) + 1, policy.grid_months)]
    nested.admit(sum(row["events"] for row in rows))
    found = {}
    for time in dict.fromkeys([0.0, *horizons, *grid]):
        past = [row for row in rows if row["time_months"] <= time]
        at_risk = sum(row["events"] + row["censored"] for row in rows if row["time_months"] >= time)
        enough = at_risk >= policy.threshold
        so_far = sum(row["events"] for row in past)
        shown = enough and nested.admits(so_far) and together[time].admit(so_far) and nested.admit(so_far)
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


def hazard_ratio(frame: pl.DataFrame, nested: Nested, policy: Disclosure) -> pl.DataFrame:
    """`schemas.analysis.HazardRatio`: ratios without counts by level, none that rests on few.

    A level is few if its patients or events are, or those of the reference level.
    """
    rows = frame.sort("position").to_dicts()

    def few(count: int | None) -> bool:
        return count is not None and 0 < count < policy.threshold

    for _, model in groupby(rows, key=lambda row: row["model"]):
        lines = list(model)
        counted = {name: nested.admit(lines[0][name]) for name in ("n", "events")}
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
    """`schemas.analysis.PublishedComparison`: ours only where it is a ratio that stands in the models.

    A paper regroups the cohort freely; its counts beside ours, and the verdicts on them, would be cuts of the
    same patients that no margin describes.

    Args:
        frame: the comparison.
        known: the published hazard ratios in full precision.
    """
    ours = [c for c in frame.columns if c.startswith("our_") and c != "our_text"]
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
    """To the nearest multiple of the base, halves up; null for few."""
    if count is None or 0 < count < policy.threshold:
        return None
    return policy.rounding * ((2 * count + policy.rounding) // (2 * policy.rounding))


def _share(value: float | None) -> float | None:
    return _printed(value, 2)


def _printed(value: float | None, decimals: int) -> float | None:
    return None if value is None or not isfinite(value) else float(half_up(value, decimals))
