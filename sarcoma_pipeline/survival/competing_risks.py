"""Cumulative incidence of one kind of event in the presence of competing events (Aalen–Johansen estimator).

Results equal R's ``survfit(Surv(time, factor(kind)) ~ 1, conf.type = "log-log")``, including standard errors,
which are those of the infinitesimal jackknife. R's default interval is ``log``; log-log is used here because
the Kaplan–Meier curves use it and because it stays between 0 and 1. lifelines' ``AalenJohansenFitter`` is not
used because it moves tied times by random numbers.

Fine and Gray's regression is in `sarcoma_pipeline.survival.subdistribution`, because no well-maintained
library provides it. ``comprisk`` is checked against R's ``cmprsk``, but calls itself an alpha version and
depends on numba and scikit-learn; ``CompRiskReg`` states that it is being planned; ``pycmprsk`` has a single
release, for Python 3.13 and later, and depends on numba and matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival.design import with_entry
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
            curves = aalen_johansen(causes_of(mine, analysis.causes), list(analysis.causes))
            named = curves.with_columns(analysis=pl.lit(analysis.name), endpoint=pl.lit(analysis.endpoint))
            parts.append(CumulativeIncidence.conform(named))
    return CumulativeIncidence.enforce(pl.concat(parts))


def at_horizons(
    curves: pl.DataFrame, endpoints: pl.DataFrame, horizons_months: Sequence[float]
) -> pl.DataFrame:
    """Read the cumulative incidence at the horizons.

    Args:
        curves: `schemas.analysis.CumulativeIncidence`.
        endpoints: `schemas.cohort.CohortEndpoint`, for the number of patients: with delayed entry not all are
            at risk at time 0.
        horizons_months: the horizons.

    Returns:
        `schemas.analysis.CumulativeIncidenceEstimate`; null beyond the last time unless every patient has had
        an event.
    """
    lines = list(_read(curves, endpoints, horizons_months))
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else CumulativeIncidenceEstimate.empty()
    return CumulativeIncidenceEstimate.enforce(CumulativeIncidenceEstimate.conform(frame))


def aalen_johansen(times: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
    """Estimate the curves.

    The jackknife needs no sum over patients per time. The influence of a patient on the incidence ``F(t)`` is
    ``B(t) − c − l F(t)`` while they are at risk, with constants ``c`` and ``l`` of their entry (0 if at risk
    from the beginning), and ``a − q F(t)`` once they have left. The squares are therefore cumulative sums.

    Args:
        times: ``days``, ``entry`` (the patient is at risk only after this day; null means from the beginning)
            and ``cause`` (null if censored), one row per patient.
        causes: all causes, in order.

    Returns:
        ``cause, time_months, at_risk, events, incidence, standard_error, ci_low, ci_high``; per cause, time 0
        and every time with an event, a censoring or an entry.
    """
    # The order of a sum changes its last digit.
    times = times.sort("days", "entry", "cause")
    leaving, entry = times["days"].to_numpy(), times["entry"].fill_null(-1).to_numpy()
    # Entries have a row of their own, because the number at risk rises after them.
    days = np.unique(np.concatenate([leaving, entry[entry > 0]]))
    left_at = np.searchsorted(days, leaving)
    # Number of steps before a patient is at risk: those up to the day of entry.
    missed = np.searchsorted(days, entry, side="right")
    of = [(times["cause"] == c).fill_null(False).to_numpy() for c in causes]
    ended_by_event = times["cause"].is_not_null().to_numpy()

    def sums(at: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.cumsum(
            np.bincount(at, weights=values, minlength=len(days) + 1)[: len(days)], dtype=np.float64
        )

    everybody = np.ones(len(left_at))
    gone = sums(left_at, everybody)
    at_risk = sums(missed, everybody) - np.concatenate([[0.0], gone[:-1]])
    deaths = [np.bincount(left_at, weights=mine, minlength=len(days)) for mine in of]
    # On the day of the first entries nobody may be at risk; nobody leaves on it either.
    divisor = np.maximum(at_risk, 1)
    hazard = np.sum(deaths, axis=0) / divisor
    before = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
    # If the last patients have an event, the factor is arbitrary: it is multiplied by a survival of 0.
    inverse = np.divide(1, divisor * (1 - hazard), out=np.zeros_like(hazard), where=hazard < 1)
    lived = np.cumsum(inverse * hazard)
    lived_before = np.concatenate([[0.0], lived])
    frames = []
    for cause, mine, died in zip(causes, of, deaths, strict=True):
        step = before * died / divisor
        incidence = np.cumsum(step)
        staying = np.cumsum(step * (lived_before[:-1] - 1 / divisor))
        # The constants of the entry, and of leaving: by this cause, by another cause, or censored.
        slope = lived_before[missed]
        constant = (
            np.concatenate([[0.0], staying])[missed] - slope * np.concatenate([[0.0], incidence])[missed]
        )
        own = np.where(mine, (before / divisor)[left_at], 0.0)
        q = np.where(ended_by_event, inverse[left_at], 0.0) - lived[left_at]
        a = staying[left_at] + own + q * incidence[left_at] - constant
        q = q + slope

        def here(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return sums(missed, values) - sums(left_at, values)

        there = here(everybody) * staying**2 - 2 * staying * here(constant) + here(constant**2)
        there -= 2 * incidence * (staying * here(slope) - here(slope * constant))
        there += incidence**2 * here(slope**2)
        left = sums(left_at, a**2) - 2 * incidence * sums(left_at, a * q) + incidence**2 * sums(left_at, q**2)
        # An incidence of 0 or 1 does not vary, but the sums of its variance may leave a rounding error.
        varies = (incidence > TOLERANCE) & (incidence < 1 - TOLERANCE)
        error = np.where(varies, np.sqrt(np.maximum(there + left, 0)), 0.0)
        start = float((entry <= 0).sum())
        frames.append(_curve(cause, days, start, at_risk, died, incidence, error))
    return pl.concat(frames)


def _curve(
    cause: str,
    days: np.ndarray,
    start: float,
    at_risk: np.ndarray,
    events: np.ndarray,
    incidence: np.ndarray,
    error: np.ndarray,
) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "time_months": np.concatenate([[0.0], days / DAYS_PER_MONTH]),
            "at_risk": np.concatenate([[start], at_risk]),
            "events": np.concatenate([[0], events]),
            "incidence": np.concatenate([[0.0], incidence]),
            "standard_error": np.concatenate([[0.0], error]),
        }
    )
    inside = pl.col("incidence").is_between(TOLERANCE, 1 - TOLERANCE, closed="none")
    widening = (_Z * pl.col("standard_error") / (pl.col("incidence") * -pl.col("incidence").log())).exp()
    return frame.with_columns(
        cause=pl.lit(cause),
        ci_low=pl.when(inside).then(pl.col("incidence").pow(widening)),
        ci_high=pl.when(inside).then(pl.col("incidence").pow(1 / widening)),
    )


def causes_of(endpoints: pl.DataFrame, causes: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return ``days``, ``entry`` and ``cause`` (null if censored) of every row.

    Raises:
        ValueError: no cause contains the kind of an event.
    """
    of_kind = {kind: cause for cause, kinds in causes.items() for kind in kinds}
    kinds = endpoints.filter("event")["event_kind"].unique().sort().to_list()
    if unnamed := [kind for kind in kinds if kind not in of_kind]:
        raise ValueError(f"no cause of the cumulative incidence contains the events {unnamed}")
    cause = pl.col("event_kind").replace_strict(of_kind, default=None, return_dtype=pl.String)
    return with_entry(endpoints).select(
        days=pl.col("time_days").cast(pl.Int64),
        entry=pl.col("entry_days").cast(pl.Int64),
        cause=pl.when("event").then(cause),
    )


def _read(
    curves: pl.DataFrame, endpoints: pl.DataFrame, horizons_months: Sequence[float]
) -> Iterator[dict[str, Any]]:
    of = ["analysis", "endpoint", "cause"]
    sizes = dict(endpoints.group_by("endpoint").len().iter_rows())
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
                "n": sizes[key[1]],
                "events": before["events"].sum(),
                "at_risk": after["at_risk"][0] if after.height else 0,
            }
