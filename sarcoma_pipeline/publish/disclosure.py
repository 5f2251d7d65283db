"""Disclosure control: decides which numbers of a study may be published, as one policy.

1. Row-level tables are never published. Only the tables named in `public` are; tables unknown to the
   policy are not.
2. A count from 1 to below the threshold is suppressed. So is every further count needed to protect it,
   with the same mark: a mark of its own would reveal which of two suppressed counts is the small one.
3. *Partitions* (the levels of a factor in Table 1): together with the small counts, the smallest other
   counts are suppressed until all of them add up to twice the threshold; if that is impossible, the zeros
   of the block too.
4. *Nested groups* (steps of the flow, patients of the models, events up to a time, per endpoint and across
   endpoints at one time): two published counts are equal or differ by at least the threshold, so that their
   difference is never a small count.
5. Counts by level are published in Table 1 only, and for the whole cohort only. Any other breakdown of
   the same patients (a model's levels, part of the cohort, a paper's regrouping) could be subtracted from
   it.
6. Curves are published at intervals of months, with rounded numbers at risk; estimates as printed, times
   in whole months. A median in full precision would be an individual patient's value.

Two public versions can be subtracted from each other too. Each is compared with every earlier one: see
`sarcoma_pipeline.publish.differences` and `sarcoma_pipeline.publish.public_record`.

The policy prevents subtraction of counts (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4).
That survival estimates of a small cohort allow rough guesses of cumulative events, none of them small, is
inherent in publishing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from sarcoma_pipeline.publish import disclosure_models
from sarcoma_pipeline.publish.count_suppression import Nested, withheld
from sarcoma_pipeline.publish.differences import Comparison
from sarcoma_pipeline.publish.disclosure_estimates import comparison, hazard_ratio, survival
from schemas.analysis import HazardRatio
from schemas.disclosure import WITHHELD, Disclosure

_UNTOUCHED = ("cohort.derivability", "analysis.published_audit", "meta.release")
"""Tables whose only count of patients is the size of the cohort."""


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
