"""Kaplan–Meier estimates by subgroup, and the log-rank test of their difference.

The test is that of R's ``survdiff`` (Mantel, with the hypergeometric variance). Tests are not adjusted for
multiple testing; like the paper's, they are descriptive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival.chi_square_tail import tail
from sarcoma_pipeline.survival.design import levels_of, values, with_entry
from sarcoma_pipeline.survival.kaplan_meier import at_horizons, estimator, quartiles, size
from schemas.analysis import LogRank, Subgroup, SubgroupCurve
from schemas.configuration import Covariate


@dataclass(frozen=True)
class Subgroups:
    """The results of all subgroups.

    Attributes:
        estimates: `schemas.analysis.Subgroup`.
        curves: `schemas.analysis.SubgroupCurve`.
        tests: `schemas.analysis.LogRank`.
    """

    estimates: pl.DataFrame
    curves: pl.DataFrame
    tests: pl.DataFrame


def subgroups(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    covariates: Sequence[Covariate],
    horizons_months: Sequence[float],
) -> Subgroups:
    """Compare the levels of every factor for every endpoint.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        covariates: the factors.
        horizons_months: times of the survival estimates.

    Raises:
        ValueError: a covariate has no reference level.
    """
    parts, lines, tests = [SubgroupCurve.empty()], [], []
    for name in endpoints["endpoint"].unique(maintain_order=True):
        times = with_entry(endpoints.filter(pl.col("endpoint") == name)).select(
            "pseudonym", "endpoint", "time_days", "event", "entry_days"
        )
        joined = times.join(patients, on="pseudonym", maintain_order="left")
        for factor in covariates:
            everybody = joined.select(
                "endpoint",
                "time_days",
                "event",
                "entry_days",
                covariate=pl.lit(factor.name),
                level=values(factor),
            )
            known = everybody.drop_nulls("level")
            order = [
                x for x in levels_of(factor, known["level"].unique().to_list()) if (known["level"] == x).any()
            ]
            known = known.with_columns(pl.col("level").cast(pl.Enum(order))).sort("level")
            curves = estimator(known, ["endpoint", "covariate", "level"])
            parts.append(SubgroupCurve.conform(curves))
            lines += _read(curves, horizons_months)
            common = {"endpoint": name, "covariate": factor.name, "missing": everybody.height - known.height}
            tests += [{**common, **line} for line in log_rank(known)]
    return Subgroups(
        estimates=_frame(Subgroup, lines),
        curves=SubgroupCurve.enforce(pl.concat(parts)),
        tests=_frame(LogRank, tests),
    )


def log_rank(times: pl.DataFrame) -> list[dict[str, Any]]:
    """Compute the log-rank test; returns one row per level.

    Args:
        times: ``time_days, event, level``, levels in order of appearance; with ``entry_days`` a patient is at
            risk only after that day.

    Returns:
        ``level, n, observed, expected``, and ``chi_square, degrees_of_freedom, p_value`` of the test, which
        are null unless at least two levels have expected events, at times at which not everybody has one.
    """
    levels = times["level"].unique(maintain_order=True).to_list()
    per_time = (
        times.group_by("time_days")
        .agg(
            *((pl.col("level") == level).sum().alias(f"n{i}") for i, level in enumerate(levels)),
            *(
                (pl.col("event") & (pl.col("level") == level)).sum().alias(f"d{i}")
                for i, level in enumerate(levels)
            ),
        )
        .sort("time_days")
    )
    numbers = per_time.select(f"n{i}" for i in range(len(levels))).to_numpy().astype(float)
    deaths = per_time.select(f"d{i}" for i in range(len(levels))).to_numpy().astype(float)
    at_risk = np.cumsum(numbers[::-1], axis=0)[::-1] - _not_yet(times, per_time["time_days"], levels)
    total, died = at_risk.sum(axis=1, keepdims=True), deaths.sum(axis=1, keepdims=True)
    share = at_risk / np.maximum(total, 1)
    observed, expected = deaths.sum(axis=0), (died * share).sum(axis=0)
    spread = died * np.where(total > 1, (total - died) / np.maximum(total - 1, 1), 0)
    covariance = np.diag((spread * share).sum(axis=0)) - (spread * share).T @ share
    test: dict[str, Any] = {"chi_square": None, "degrees_of_freedom": None, "p_value": None}
    compared = np.flatnonzero(expected > 0)
    if len(compared) > 1:
        # The differences add up to 0, so one level is redundant.
        free = compared[1:]
        difference, spread_of = (observed - expected)[free], covariance[np.ix_(free, free)]
        # At a time at which all patients at risk have the event nothing is compared.
        freedom = int(np.linalg.matrix_rank(spread_of, hermitian=True))
        if freedom:
            chi_square = float(difference @ np.linalg.pinv(spread_of, hermitian=True) @ difference)
            test = {
                "chi_square": chi_square,
                "degrees_of_freedom": freedom,
                "p_value": float(tail(freedom, chi_square)),
            }
    return [
        {"level": level, "n": int(n), "observed": int(o), "expected": float(e), **test}
        for level, n, o, e in zip(levels, numbers.sum(axis=0), observed, expected, strict=True)
    ]


def _not_yet(times: pl.DataFrame, days: pl.Series, levels: list[Any]) -> NDArray[np.float64]:
    """Count the patients of every level who enter on a day or after it."""
    late = with_entry(times)
    counts = np.zeros((len(days), len(levels)))
    for i, level in enumerate(levels):
        entries = np.sort(late.filter(pl.col("level") == level)["entry_days"].drop_nulls().to_numpy())
        counts[:, i] = len(entries) - np.searchsorted(entries, days.to_numpy(), side="left")
    return counts


def _read(curves: pl.DataFrame, horizons_months: Sequence[float]) -> Iterator[dict[str, Any]]:
    by = ["endpoint", "covariate", "level"]
    for key, curve in curves.group_by(by, maintain_order=True):
        total = {**dict(zip(by, key, strict=True)), "n": size(curve), "events": curve["events"].sum()}
        yield {**total, "quantity": "median", **quartiles(curve)}
        yield from ({**total, **at} for at in at_horizons(curve, horizons_months))


def _frame(contract: type[Subgroup] | type[LogRank], lines: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else contract.empty()
    return contract.enforce(contract.conform(frame))
