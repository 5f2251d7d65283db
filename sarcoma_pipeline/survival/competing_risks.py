"""Cumulative incidence of one kind of event where another forestalls it: Aalen and Johansen's estimator.

Equal to R's ``survfit(Surv(time, factor(kind)) ~ 1, conf.type = "log-log")``, standard errors included: they
are of the infinitesimal jackknife. R's default interval is ``log``; log-log is chosen as it is that of the
Kaplan–Meier curves beside it and never leaves 0 to 1. lifelines' ``AalenJohansenFitter`` moves tied times by
random numbers and is not used.

Fine and Gray's regression is not fitted: no well-kept library was found that has it. ``comprisk`` is checked
against R's ``cmprsk``, but calls itself an alpha version and brings numba and scikit-learn; ``CompRiskReg``
says it is being planned; ``pycmprsk`` is a single release, for Python 3.13 and later only, and brings numba
and matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, TOLERANCE
from schemas.analysis import CumulativeIncidence, CumulativeIncidenceEstimate
from schemas.configuration import CompetingRisks

_Z = NormalDist().inv_cdf(0.975)


def cumulative_incidence(endpoints: pl.DataFrame, analyses: Sequence[CompetingRisks]) -> pl.DataFrame:
    """The curve of every cause of every analysis whose endpoint there is.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        analyses: which kinds of event of which endpoint make a cause.

    Returns:
        `schemas.analysis.CumulativeIncidence`: per cause time 0 and every time at which somebody leaves.

    Raises:
        ValueError: an event is of a kind that no cause names.
    """
    parts = [CumulativeIncidence.empty()]
    for analysis in analyses:
        mine = endpoints.filter(pl.col("endpoint") == analysis.endpoint)
        if mine.height:
            curves = aalen_johansen(_causes(mine, analysis.causes), list(analysis.causes))
            named = curves.with_columns(analysis=pl.lit(analysis.name), endpoint=pl.lit(analysis.endpoint))
            parts.append(CumulativeIncidence.conform(named))
    return CumulativeIncidence.enforce(pl.concat(parts))


def at_horizons(curves: pl.DataFrame, horizons_months: Sequence[float]) -> pl.DataFrame:
    """Cumulative incidence at the horizons.

    Args:
        curves: `schemas.analysis.CumulativeIncidence`.
        horizons_months: at which times.

    Returns:
        `schemas.analysis.CumulativeIncidenceEstimate`; null beyond the last time, unless nobody is left free
        of every event.
    """
    lines = list(_read(curves, horizons_months))
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else CumulativeIncidenceEstimate.empty()
    return CumulativeIncidenceEstimate.enforce(CumulativeIncidenceEstimate.conform(frame))


def aalen_johansen(times: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
    """The estimator.

    The jackknife needs no sum over patients per time: the influence of a patient on the incidence ``F(t)`` is
    the same ``B(t)`` for all who are still at risk, and ``a − q F(t)`` with constants of his own once he has
    left at ``T``, so that their squares are cumulative sums.

    Args:
        times: ``days`` and ``cause`` (null if censored), a row per patient.
        causes: all causes, in order.

    Returns:
        ``cause, time_months, at_risk, events, incidence, standard_error, ci_low, ci_high``.
    """
    steps = (
        times.group_by("days")
        .agg(
            pl.len().alias("left"),
            *((pl.col("cause") == c).sum().alias(f"d{i}") for i, c in enumerate(causes)),
        )
        .sort("days")
    )
    days, left = steps["days"].to_numpy(), steps["left"].to_numpy().astype(float)
    deaths = steps.select(f"d{i}" for i in range(len(causes))).to_numpy().astype(float)
    at_risk = np.cumsum(left[::-1])[::-1]
    hazard = deaths.sum(axis=1) / at_risk
    free = np.cumprod(1 - hazard)
    before = np.concatenate([[1.0], free[:-1]])
    # With the last patients the curve ends; what would follow is multiplied by a survival of 0.
    inverse = np.divide(1, at_risk * (1 - hazard), out=np.zeros_like(hazard), where=hazard < 1)
    lived = np.cumsum(inverse * hazard)
    lived_before = np.concatenate([[0.0], lived[:-1]])
    frames = []
    for i, cause in enumerate(causes):
        step = before * deaths[:, i] / at_risk
        incidence = np.cumsum(step)
        staying = np.cumsum(step * (lived_before - 1 / at_risk))
        variance = (at_risk - left) * staying**2
        # Those who leave at a time: by this cause, by another, or censored.
        gone = (
            (deaths[:, i], before / at_risk, inverse),
            (deaths.sum(axis=1) - deaths[:, i], 0.0, inverse),
            (left - deaths.sum(axis=1), 0.0, 0.0),
        )
        for number, own, ended in gone:
            q = ended - lived
            a = staying + own + q * incidence
            variance += (
                np.cumsum(number * a**2)
                - 2 * incidence * np.cumsum(number * a * q)
                + incidence**2 * np.cumsum(number * q**2)
            )
        error = np.sqrt(np.maximum(variance, 0))
        frames.append(_curve(cause, days, at_risk, deaths[:, i], incidence, error))
    return pl.concat(frames)


def _curve(
    cause: str,
    days: np.ndarray,
    at_risk: np.ndarray,
    events: np.ndarray,
    incidence: np.ndarray,
    error: np.ndarray,
) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "time_months": np.concatenate([[0.0], days / DAYS_PER_MONTH]),
            "at_risk": np.concatenate([at_risk[:1], at_risk]),
            "events": np.concatenate([[0], events]),
            "incidence": np.concatenate([[0.0], incidence]),
            "standard_error": np.concatenate([[0.0], error]),
        }
    )
    inside = pl.col("incidence").is_between(0, 1, closed="none")
    widening = (_Z * pl.col("standard_error") / (pl.col("incidence") * -pl.col("incidence").log())).exp()
    return frame.with_columns(
        cause=pl.lit(cause),
        ci_low=pl.when(inside).then(pl.col("incidence").pow(widening)),
        ci_high=pl.when(inside).then(pl.col("incidence").pow(1 / widening)),
    )


def _causes(endpoints: pl.DataFrame, causes: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    of_kind = {kind: cause for cause, kinds in causes.items() for kind in kinds}
    kinds = endpoints.filter("event")["event_kind"].unique().sort().to_list()
    if unnamed := [kind for kind in kinds if kind not in of_kind]:
        raise ValueError(f"no cause of the cumulative incidence names the events {unnamed}")
    cause = pl.col("event_kind").replace_strict(of_kind, default=None, return_dtype=pl.String)
    return endpoints.select(days=pl.col("time_days").cast(pl.Int64), cause=pl.when("event").then(cause))


def _read(curves: pl.DataFrame, horizons_months: Sequence[float]) -> Iterator[dict[str, Any]]:
    of = ["analysis", "endpoint", "cause"]
    left = curves.group_by("analysis", "time_months").agg(free=1 - pl.col("incidence").sum())
    for key, curve in curves.join(left, on=["analysis", "time_months"]).group_by(of, maintain_order=True):
        curve = curve.sort("time_months", maintain_order=True)
        ended = curve["free"][-1] < TOLERANCE
        for horizon in horizons_months:
            before = curve.filter(pl.col("time_months") <= horizon + TOLERANCE)
            after = curve.filter(pl.col("time_months") >= horizon - TOLERANCE)
            now = before.row(-1, named=True)
            known = after.height > 0 or ended
            read = {name: now[name] if known else None for name in ("standard_error", "ci_low", "ci_high")}
            yield {
                **dict(zip(of, key, strict=True)),
                **read,
                "horizon_months": float(horizon),
                "value": now["incidence"] if known else None,
                "n": curve["at_risk"][0],
                "events": before["events"].sum(),
                "at_risk": after["at_risk"].max() if after.height else 0,
            }
