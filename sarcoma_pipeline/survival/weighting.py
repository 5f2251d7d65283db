"""Inverse-probability weights: two treatments compared as if their patients were alike.

The weights make the covariates of both groups those of all patients (Robins, Hernán and Brumback 2000; Austin
and Stuart 2015). They know nothing of covariates that were not recorded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival import balance, spline, weighted_survival
from sarcoma_pipeline.survival.collinearity import independent
from sarcoma_pipeline.survival.design import entries, levels_of, values, with_entry
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, Z
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate
from sarcoma_pipeline.survival.propensity import FIRTH, Propensity, propensity
from sarcoma_pipeline.survival.ratio import ratio
from schemas.analysis_weighting import (
    WeightedBalance,
    WeightedCurve,
    WeightedGroup,
    WeightedHazardRatio,
)
from schemas.configuration import Covariate, Weighting
from schemas.statistics import DEFAULT, Statistics, Ties

Floats = NDArray[np.floating]

RARE = 0.05
"""A probability of the given treatment below it: patients like this one hardly ever got it (Crump and others,
Biometrika 2009; 96: 187 use 0.1, Cole and Hernán, Am J Epidemiol 2008; 168: 656 look at the extremes)."""
FEW_EVENTS = 5
"""A group with fewer events leaves a ratio that one more event would turn over."""
_ROUNDING = 1e-12
"""A standard error of a log hazard ratio that is not above it is 0, with rounding errors."""
_FEWEST = 2
"""Patients that each group needs."""


@dataclass(frozen=True)
class WeightedGroups:
    """The results of all weightings, one frame a contract of `schemas.analysis_weighting`."""

    groups: pl.DataFrame
    balance: pl.DataFrame
    curves: pl.DataFrame
    ratios: pl.DataFrame


def inverse_probability(scores: Floats, treated: NDArray[np.bool_], *, stabilised: bool = True) -> Floats:
    """Return the weights.

    Args:
        scores: probability of the treatment of every patient, between 0 and 1, ``n``.
        treated: whether each patient had it, ``n``.
        stabilised: whether to multiply by the share of patients with the treatment that was given.
    """
    given = np.where(treated, scores, 1 - scores)
    share = np.where(treated, treated.mean(), 1 - treated.mean()) if stabilised else 1.0
    return share / given


def effective_size(weights: Floats) -> float:
    """Return Kish's effective sample size: as many patients of equal weight would tell as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def weighted_groups(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    weightings: Sequence[Weighting],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> WeightedGroups:
    """Weight, judge the balance, and compare the treatments, for every weighting.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        weightings: the weightings, in order.
        covariates: the covariates that they name.
        statistics: what the study declares.

    Raises:
        ValueError: a factor has no reference level.
    """
    known = {c.name: c for c in covariates}
    groups: list[dict[str, Any]] = []
    apart: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    ratios: list[dict[str, Any]] = []
    for weighting in weightings:
        treatment = known[weighting.treatment]
        confounders = tuple(known[name] for name in weighting.covariates)
        read = patients.select("pseudonym", *(values(c) for c in (treatment, *confounders)))
        rows = read.drop_nulls()
        # An order that depends on the patients' values only: sums do not depend on pseudonyms.
        rows = rows.sort(pl.exclude("pseudonym"), "pseudonym")
        levels = _compared(treatment)
        rows = rows.filter(pl.col(treatment.name).is_in(levels))
        treated = (rows[treatment.name] == levels[0]).to_numpy()
        enough = min(treated.sum(), (~treated).sum()) >= _FEWEST
        found = propensity(_design(rows, confounders), treated) if enough else None
        weights = found and inverse_probability(found.scores, treated, stabilised=weighting.stabilised)
        common = {"weighting": weighting.name}
        missing = patients.height - rows.height
        for index, level in enumerate(levels):
            mine = treated == (index == 0)
            line = _group(found, weights, mine, treated, rows, confounders)
            groups.append({
                **common, "treatment": treatment.name, "level": level, "n": int(mine.sum()),
                "missing": missing, **line,
            })  # fmt: skip
        if weights is None:
            continue
        apart += [{**common, **line} for line in _balance(rows, confounders, treated, weights)]
        weighed = rows.select("pseudonym").with_columns(_treated=treated, _weight=weights)
        for name in weighting.endpoints:
            times = with_entry(endpoints.filter(pl.col("endpoint") == name))
            joined = weighed.join(times, on="pseudonym", how="inner", maintain_order="left")
            joined = joined.filter((pl.col("time_days") > pl.col("entry_days")).fill_null(True))
            if not joined.height:
                continue
            both = {**common, "endpoint": name}
            curves += [{**both, **line} for line in _curves(joined, levels)]
            label = treatment.labels.get(levels[0], f"{_capital(levels[0])} vs. {levels[1]}")
            ratios.append({**both, "contrast": label, **_ratios(joined, statistics.ties)})
    return WeightedGroups(
        numbered(WeightedGroup, groups), numbered(WeightedBalance, apart), numbered(WeightedCurve, curves),
        numbered(WeightedHazardRatio, ratios),
    )  # fmt: skip


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _compared(treatment: Covariate) -> tuple[str, str]:
    """Return the level that is compared, and the reference."""
    levels = levels_of(treatment, [])
    (other,) = (level for level in levels if level != treatment.reference)
    return other, str(treatment.reference)


def _design(rows: pl.DataFrame, covariates: Sequence[Covariate]) -> Floats:
    """Return the columns of the propensity's regression, without constant and collinear ones."""
    columns: dict[str, Any] = {}
    for covariate in covariates:
        column = rows[covariate.name]
        if covariate.kind == "continuous":
            columns[covariate.name] = column.to_numpy()
        elif covariate.kind == "spline":
            for knot, of in spline.columns(covariate, column.to_numpy()).items():
                columns[f"{covariate.name}\x1f{knot}"] = of
        else:
            for level in sorted(set(column) - {covariate.reference}):
                columns[f"{covariate.name}\x1f{level}"] = (column == level).cast(pl.Float64).to_numpy()
    frame = pl.DataFrame(columns)
    frame = frame.select(name for name in frame.columns if frame[name].n_unique() > 1)
    kept = independent(frame) if frame.width else []
    return frame.select(kept).to_numpy() if kept else np.zeros((rows.height, 0))


def _group(
    found: Propensity | None,
    weights: Floats | None,
    mine: NDArray[np.bool_],
    treated: NDArray[np.bool_],
    rows: pl.DataFrame,
    covariates: Sequence[Covariate],
) -> dict[str, Any]:
    if found is None or weights is None:
        few = min(int(treated.sum()), int((~treated).sum())) < _FEWEST
        why = "fewer than two patients in a group" if few else "the covariates tell the treatment completely"
        return {"warning": f"no weights: {why}"}
    own, given = weights[mine], np.where(treated, found.scores, 1 - found.scores)[mine]
    size, n = effective_size(own), int(mine.sum())
    told = []
    if found.method == FIRTH:
        told.append("some covariates tell the treatment completely: their weights rest on Firth's penalty")
    rare = int((given < RARE).sum())
    if rare:
        told.append(
            f"{rare} of {n} patients got a treatment that patients like them get in fewer than "
            f"{100 * RARE:g} % of cases: their weights are large and the comparison rests on few patients"
        )
    alone = [
        f"{c.name} {level}"
        for c in covariates
        if c.kind == "factor"
        for level in sorted(set(rows[c.name].filter(mine)) - set(rows[c.name].filter(~mine)))
    ]
    if alone:
        told.append(f"only this group has patients with {', '.join(alone)}: nobody is there to compare with")
    if size < n / 2:
        told.append(f"the weights leave as much information as {size:.0f} of {n} patients")
    return {
        "effective_size": size, "weight_mean": float(own.mean()), "weight_low": float(own.min()),
        "weight_high": float(own.max()), "score_low": float(given.min()), "score_high": float(given.max()),
        "method": found.method, "warning": "; ".join(told) or None,
    }  # fmt: skip


def _balance(
    rows: pl.DataFrame, covariates: Sequence[Covariate], treated: NDArray[np.bool_], weights: Floats
) -> list[dict[str, Any]]:
    split = (weights[treated], weights[~treated])
    lines = []
    for covariate in covariates:
        column = rows[covariate.name]
        if covariate.kind != "factor":
            one, other = (column.to_numpy()[mine] for mine in (treated, ~treated))
            both = balance.of_means(one, other), balance.of_means(one, other, split)
            lines.append({"covariate": covariate.name, "level": None, "before": both[0], "after": both[1]})
            continue
        present = [x for x in levels_of(covariate, list(set(column))) if x in set(column)]
        # With two levels, one of them determines the other.
        shown = [x for x in present if x != covariate.reference][:1] if len(present) == 2 else present
        for level in shown:
            has = (column == level).to_numpy()
            one, other = has[treated], has[~treated]
            both = balance.of_proportions(one, other), balance.of_proportions(one, other, split)
            lines.append({"covariate": covariate.name, "level": level, "before": both[0], "after": both[1]})
    return lines


def _arrays(joined: pl.DataFrame) -> tuple[Floats, NDArray[np.bool_], Floats, Floats | None]:
    return (
        joined["time_days"].cast(pl.Float64).to_numpy(),
        joined["event"].to_numpy(),
        joined["_weight"].to_numpy(),
        entries(joined),
    )


def _curves(joined: pl.DataFrame, levels: tuple[str, str]) -> list[dict[str, Any]]:
    lines = []
    for level, treated in zip(levels, (True, False), strict=True):
        mine = joined.filter(pl.col("_treated") == treated)
        if not mine.height:
            continue
        for step in weighted_survival.curve(*_arrays(mine)):
            lines.append({
                "level": level, "time_months": step.days / DAYS_PER_MONTH, "at_risk": step.at_risk,
                "weighted_at_risk": step.weighted_at_risk, "events": step.events, "censored": step.censored,
                "survival": step.survival, "ci_low": step.low, "ci_high": step.high,
            })  # fmt: skip
    return lines


def _ratios(joined: pl.DataFrame, ties: Ties) -> dict[str, Any]:
    time, event, weights, entry = _arrays(joined)
    x = joined["_treated"].cast(pl.Float64).to_numpy()[:, None]
    line: dict[str, Any] = {"n": joined.height, "events": int(event.sum())}
    least = min(int((event & (joined["_treated"].to_numpy() == of)).sum()) for of in (True, False))
    if least < FEW_EVENTS:
        line["note"] = f"one group has only {least} event{'' if least == 1 else 's'}: the ratio says little"
    for prefix, used in (("", weights), ("crude_", np.ones(len(time)))):
        try:
            found = weighted_survival.cox(time, event, x, used, entry, ties)
        except NoEstimate as reason:
            line["note"] = f"no estimate: {reason}"
            continue
        b, error = float(found.coefficients[0]), float(np.sqrt(found.covariance[0, 0]))
        if not error > _ROUNDING:
            line["note"] = "no estimate: the robust variance is 0"
            continue
        low, high = ratio(b - Z * error), ratio(b + Z * error)
        if low is None or high is None:
            line["note"] = "no estimate: the data do not bound the ratio"
            continue
        line |= {
            f"{prefix}hazard_ratio": math.exp(b), f"{prefix}ci_low": low, f"{prefix}ci_high": high,
            f"{prefix}p_value": math.erfc(abs(b / error) / math.sqrt(2)),
        }  # fmt: skip
        if not prefix:
            line |= {"coefficient": b, "standard_error": error}
    return line
