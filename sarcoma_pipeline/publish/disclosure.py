"""Disclosure control: decides which numbers of a study may be published, as one policy.

1. Row-level tables are never published. Only the tables named in `public` are; tables unknown to the policy
are not. 2. A count from 1 to below the threshold is suppressed. So is every further count needed to protect
it, with the same
   mark: a mark of its own would reveal which of two suppressed counts is the small one.
3. *Partitions* (the levels of a factor in Table 1): together with the small counts, the smallest other counts
are suppressed until all of them add up to twice the threshold; if that is impossible, the zeros of the block
too. 4. *Nested groups* (steps of the flow, patients of the models, events up to a time, per endpoint and
across endpoints at one time): two published counts are equal or differ by at least the threshold, so that
their difference is never a small count. 5. Counts by level are published in Table 1 only, and for the whole
cohort only. Any other breakdown of the same patients (a model's levels, part of the cohort, a paper's
regrouping) could be subtracted from it. 6. Curves are published at intervals of months, with rounded numbers
at risk; estimates as printed, times in whole months. A median in full precision would be an individual
patient's value.

Two public versions can be subtracted from each other too. Each is compared with every earlier one: see
`sarcoma_pipeline.publish.differences` and `sarcoma_pipeline.publish.public_record`.

The policy prevents subtraction of counts (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4).
That survival estimates of a small cohort allow rough guesses of cumulative events, none of them small, is
inherent in publishing them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from typing import Any

import polars as pl

from sarcoma_pipeline.publish import disclosure_models
from sarcoma_pipeline.publish.differences import COHORT, Comparison
from schemas.analysis import HazardRatio
from schemas.disclosure import WITHHELD, Disclosure
from schemas.rounding import half_up

_UNTOUCHED = ("cohort.derivability", "analysis.published_audit", "meta.release")
"""Tables whose only count of patients is the size of the cohort."""

_OF_THE_PAPER = ("not computable", "paper contradicts itself")
"""Verdicts that reveal nothing about the cohort."""


class TooFewPatients(Exception):
    """The cohort is smaller than the threshold: nothing about it can be published."""


def public(
    tables: Mapping[str, pl.DataFrame], policy: Disclosure, compared: Comparison | None = None
) -> dict[str, pl.DataFrame]:
    """Return the tables that may be published, without small counts and counts that would reveal them.

    Args:
        tables: tables of a release by their contracts' names, including ``meta.release``.
        policy: threshold and rounding.
        compared: the earlier public versions; the counts of this version are added to it.

    Returns:
        Tables with the contracts' columns and types; null for a suppressed number, ``withheld`` for a
        suppressed text.

    Raises:
        TooFewPatients: the cohort is smaller than the threshold.
        TooAlike: the cohort differs from an earlier public one by few patients.
    """
    compared = compared or Comparison(policy)
    patients = int(tables["meta.release"]["eligible"][0])
    if patients < policy.threshold:
        raise TooFewPatients(f"fewer than {policy.threshold} patients: nothing about them can be published")
    compared.start(patients)
    made = {name: tables[name] for name in _UNTOUCHED if name in tables}
    if "cohort.flow" in tables:
        made["cohort.flow"] = flow(tables["cohort.flow"], policy, compared)
    hidden: set[int] = set()
    if "analysis.table_one" in tables:
        made["analysis.table_one"], hidden = table_one(
            tables["analysis.table_one"], patients, policy, compared
        )
    nested = Nested(policy.threshold, (0, patients), {*hidden, *(patients - n for n in hidden)})
    if "analysis.survival_estimate" in tables and "analysis.survival_curve" in tables:
        curve, estimates = survival(
            tables["analysis.survival_curve"], tables["analysis.survival_estimate"], nested, policy, compared
        )
        made |= {"analysis.survival_curve": curve, "analysis.survival_estimate": estimates}
    if "analysis.hazard_ratio" in tables:
        made["analysis.hazard_ratio"] = hazard_ratio(
            tables["analysis.hazard_ratio"], nested, policy, compared
        )
        made |= disclosure_models.public(tables, made["analysis.hazard_ratio"])
    if "analysis.published_comparison" in tables:
        known = tables.get("analysis.hazard_ratio", HazardRatio.empty()).sort("position")["hazard_ratio"]
        published = made.get("analysis.hazard_ratio", HazardRatio.empty())["hazard_ratio"].is_not_null()
        made["analysis.published_comparison"] = comparison(
            tables["analysis.published_comparison"], set(known.filter(published))
        )
    return made


class Nested:
    """Counts of nested groups of patients, admitted for publication one by one.

    Args:
        threshold: minimum difference of two published counts.
        published: counts that are always published.
        hidden: counts suppressed elsewhere, which must not appear here.
    """

    def __init__(self, threshold: int, published: Iterable[int], hidden: Collection[int] = ()) -> None:
        self.threshold = threshold
        self._published = set(published)
        self._hidden = hidden

    def admits(self, count: int) -> bool:
        """Return whether the count may be published."""
        apart = all(gap == 0 or gap >= self.threshold for gap in (abs(count - n) for n in self._published))
        return apart and (count in self._published or count not in self._hidden)

    def admit(self, count: int) -> bool:
        """Return whether the count may be published; if so, later counts are compared with it too."""
        admitted = self.admits(count)
        if admitted:
            self._published.add(count)
        return admitted


def withheld(
    blocks: Sequence[Sequence[int]],
    total: int,
    threshold: int,
    given: Sequence[Collection[int]] = (),
) -> list[set[int]]:
    """Choose the counts of partitions of the same patients that must be suppressed.

    A count suppressed in one block may describe the same patients, or their complement, as a count printed in
    another block. Therefore equal counts are suppressed too.

    Args:
        blocks: counts of each partition.
        total: the published sum of each partition.
        threshold: counts from 1 to below it are suppressed.
        given: positions in each block that are always suppressed.

    Returns:
        Positions in each block: none; or the small counts together with at least one other, adding up to
        twice the threshold or more; or all positions, zeros included, if there are no such others.
    """
    chosen: list[set[int]] = [set(g) for g in given] if given else [set() for _ in blocks]
    before: list[set[int]] | None = None
    while chosen != before:
        before = list(chosen)
        for b, counts in enumerate(blocks):
            others = [o for o in range(len(blocks)) if o != b]
            printed = _with_complements([n for o in others for n in blocks[o]], total)
            masked = _with_complements([blocks[o][i] for o in others for i in chosen[o]], total) - {0, total}
            must = chosen[b] | {i for i, n in enumerate(counts) if 0 < n < threshold or n in masked}
            chosen[b] = _add_secondary(must, counts, threshold, printed)
    return chosen


def _with_complements(counts: Iterable[int], total: int) -> set[int]:
    return {x for n in counts for x in (n, total - n)}


def _add_secondary(
    chosen: set[int], counts: Sequence[int], threshold: int, printed: Collection[int]
) -> set[int]:
    """Add positions until the small counts are protected; counts printed in another block are used last.

    Equal counts are added together. The result therefore depends on the counts and not on their order, and
    the published page does not reveal which of the suppressed counts is the small one.
    """
    while chosen and (
        max(counts[i] for i in chosen) < threshold or sum(counts[i] for i in chosen) < 2 * threshold
    ):
        spare = [(n in printed, n) for i, n in enumerate(counts) if n and i not in chosen]
        if not spare:
            return set(range(len(counts)))
        chosen = chosen | {i for i, n in enumerate(counts) if n == min(spare)[1]}
    return chosen


def flow(frame: pl.DataFrame, policy: Disclosure, compared: Comparison | None = None) -> pl.DataFrame:
    """Return `schemas.cohort.CohortFlow` with small counts suppressed.

    Steps without a small exclusion are kept.
    """
    rows = frame.sort("position").to_dicts()
    if not rows:
        return frame
    compared = compared or Comparison(policy)
    nested = Nested(policy.threshold, [rows[-1]["remaining"]])
    cells = [("", rows[0]["entered"]), *((row["criterion"], row["remaining"]) for row in rows)]
    shown: dict[int, int] = {}
    # The last step is the cohort, whose size is published.
    for i in (len(rows), *range(len(rows))):
        criterion, n = cells[i]
        admitted = (i == len(rows) or compared.admits("flow", criterion, n)) and nested.admit(n)
        if admitted:
            shown[i] = n
        compared.note("flow", criterion, n, shown=admitted)
    for i, row in enumerate(rows):
        row["entered"], row["remaining"] = shown.get(i), shown.get(i + 1)
        if row["entered"] is None or row["remaining"] is None:
            row["excluded"] = None
        excluded, unknown = row["excluded"], row["not_known"]
        parts = (
            {} if excluded is None or unknown is None else {"not known": unknown, "known": excluded - unknown}
        )
        of = f"excluded by {row['criterion']}"
        told = bool(parts) and not any(0 < n < policy.threshold for n in parts.values())
        told = told and all(compared.admits(of, part, n) for part, n in parts.items())
        for part, n in parts.items():
            compared.note(of, part, n, shown=told)
        if not told:
            row["not_known"] = None
    return pl.DataFrame(rows, schema=frame.schema)


def table_one(
    frame: pl.DataFrame, patients: int, policy: Disclosure, compared: Comparison | None = None
) -> tuple[pl.DataFrame, set[int]]:
    """Suppress counts of `schemas.analysis.TableOne`; return the table and the suppressed counts.

    Counts of a part of the cohort are always suppressed, and so is the number of known values, because it
    reveals how many are missing. Medians and quartiles are kept as printed.
    """
    rows = frame.sort("position").to_dicts()
    blocks = [list(group) for _, group in groupby(rows, key=lambda row: row["block"])]
    factors = [b for b in blocks if b[0]["level"] is not None and b[0]["denominator"] == patients]
    counts = [[row["n"] for row in block] for block in factors]
    chosen = _levels(factors, counts, patients, compared or Comparison(policy))
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


def _levels(
    factors: Sequence[Sequence[Mapping[str, Any]]],
    counts: Sequence[Sequence[int]],
    patients: int,
    compared: Comparison,
) -> list[set[int]]:
    """Return the positions to suppress in each factor, given this version and the earlier ones."""
    chosen = withheld(counts, patients, compared.policy.threshold)
    before: list[set[int]] | None = None
    labels = [[row["level"] for row in block] for block in factors]
    of = [dict(zip(names, numbers, strict=True)) for names, numbers in zip(labels, counts, strict=True)]
    while chosen != before:
        before = chosen
        more = []
        for b, block in enumerate(factors):
            hidden = compared.must_hide(block[0]["block"], of[b], {labels[b][i] for i in chosen[b]})
            more.append({i for i, level in enumerate(labels[b]) if level in hidden})
        chosen = withheld(counts, patients, compared.policy.threshold, more)
    for b, block in enumerate(factors):
        compared.note_block(block[0]["block"], of[b], {labels[b][i] for i in chosen[b]})
    return chosen


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
