"""Cumulative incidence of one kind of event in the presence of competing events (Aalen–Johansen estimator).

Results equal R's ``survfit(Surv(time, factor(kind)) ~ 1, conf.type = "log-log")``, including standard errors,
which are those of the infinitesimal jackknife. R's default interval is ``log``; log-log is used here because
the Kaplan–Meier curves use it and because it stays between 0 and 1. lifelines' ``AalenJohansenFitter`` is not
used because it moves tied times by random numbers.

Fine and Gray's regression is not fitted, because no well-maintained library provides it. ``comprisk`` is
checked against R's ``cmprsk``, but calls itself an alpha version and depends on numba and scikit-learn;
``CompRiskReg`` states that it is being planned; ``pycmprsk`` has a single release, for Python 3.13 and later,
and depends on numba and matplotlib.
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
    """Estimate the curve of every cause of every analysis whose endpoint exists.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        analyses: the kinds of event that make up each cause, per endpoint.

    Returns:
        `schemas.analysis.CumulativeIncidence`: per cause, time 0 and every time with an event or censoring.

    Raises:
        ValueError: no cause contains the kind of an event.
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
    """Read the cumulative incidence at the horizons.

    Args:
        curves: `schemas.analysis.CumulativeIncidence`.
        horizons_months: the horizons.

    Returns:
        `schemas.analysis.CumulativeIncidenceEstimate`; null beyond the last time unless every patient has had
        an event.
    """
    lines = list(_read(curves, horizons_months))
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else CumulativeIncidenceEstimate.empty()
    return CumulativeIncidenceEstimate.enforce(CumulativeIncidenceEstimate.conform(frame))


def aalen_johansen(times: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
    """Estimate the curves.

    The jackknife needs no sum over patients per time: the influence of a patient on the incidence ``F(t)`` is
    the same ``B(t)`` for all patients still at risk, and ``a − q F(t)`` with constants of the patient once
    they have left at ``T``. The squares are therefore cumulative sums.

    Args:
        times: ``days`` and ``cause`` (null if censored), one row per patient.
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
    # If the last patients have an event, the factor is arbitrary: it is multiplied by a survival of 0.
    inverse = np.divide(1, at_risk * (1 - hazard), out=np.zeros_like(hazard), where=hazard < 1)
    lived = np.cumsum(inverse * hazard)
    lived_before = np.concatenate([[0.0], lived[:-1]])
    frames = []
    for i, cause in enumerate(causes):
        step = before * deaths[:, i] / at_risk
        incidence = np.cumsum(step)
        staying = np.cumsum(step * (lived_before - 1 / at_risk))
        variance = (at_risk - left) * staying**2
        # Patients who leave at a time: by this cause, by another cause, or censored.
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
        raise ValueError(f"no cause of the cumulative incidence contains the events {unnamed}")
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
