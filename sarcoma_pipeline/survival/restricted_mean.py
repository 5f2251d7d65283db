"""Restricted mean survival time: the area under the Kaplan–Meier curve up to a horizon.

Results equal ``print(survfit(…), rmean = horizon)`` of R up to the last time. Beyond it, R extends the curve,
while the result here is null, because the curve is unknown there. lifelines'
``restricted_mean_survival_time`` gives the same mean, but its variance is that of a patient's time, not of
the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.kaplan_meier import TOLERANCE, size
from schemas.analysis import RestrictedMean

_Z = NormalDist().inv_cdf(0.975)


def restricted_means(curves: pl.DataFrame, horizons_months: Sequence[float]) -> pl.DataFrame:
    """Compute the restricted mean of every curve at every horizon.

    Args:
        curves: `schemas.analysis.SurvivalCurve`.
        horizons_months: upper limits of the time.

    Returns:
        `schemas.analysis.RestrictedMean`.
    """
    lines: list[dict[str, Any]] = []
    for (endpoint,), curve in curves.group_by("endpoint", maintain_order=True):
        known_to = np.inf if curve["survival"][-1] == 0 else curve["time_months"][-1] + TOLERANCE
        for horizon in map(float, horizons_months):
            common = {"endpoint": endpoint, "horizon_months": horizon, "n": size(curve)}
            until = curve.filter(pl.col("time_months") <= horizon)
            common["events"] = until["events"].sum()
            lines.append({**common, **(area(until, horizon) if horizon <= known_to else {})})
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else RestrictedMean.empty()
    return RestrictedMean.enforce(RestrictedMean.conform(frame))


def area(curve: pl.DataFrame, horizon: float) -> dict[str, float]:
    """Compute the area under a curve, its standard error and limits.

    Args:
        curve: ``time_months, at_risk, events, survival`` from time 0 to the horizon.
        horizon: in months.
    """
    width = np.diff(curve["time_months"].to_numpy(), append=horizon)
    rectangles = width * curve["survival"].to_numpy()
    # Greenwood's formula weights the hazard at a time by the area after that time.
    after = np.cumsum(rectangles[::-1])[::-1]
    events, at_risk = curve["events"].to_numpy().astype(float), curve["at_risk"].to_numpy().astype(float)
    survivors = at_risk * (at_risk - events)
    greenwood = np.divide(events, survivors, out=np.zeros_like(events), where=survivors > 0)
    value, error = float(rectangles.sum()), float(np.sqrt((after**2 * greenwood).sum()))
    return {
        "value": value,
        "standard_error": error,
        # With few patients, the normal approximation exceeds the possible range of a mean time.
        "ci_low": max(value - _Z * error, 0.0),
        "ci_high": min(value + _Z * error, horizon),
    }
