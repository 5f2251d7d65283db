"""Kaplan–Meier curves and Cox models of weighted patients, with robust variances.

Weights stand for estimated probabilities, not for repeated patients: variances are those of the infinitesimal
jackknife (Lin and Wei 1989). Results equal R's ``survfit(weights)`` and ``coxph(weights, robust = TRUE)``
(`tests/golden/weighting.R`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sarcoma_pipeline.survival.kaplan_meier import Z
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate
from schemas.statistics import Ties

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

_STEPS, _SETTLED = 60, 1e-20
"""Newton's steps, and the squared step in standard errors that ends them."""
_TOO_FAR = 30.0
"""A log hazard ratio beyond it is that of a group without events: it has no estimate."""


@dataclass(frozen=True)
class Step:
    """One time of a weighted curve.

    Attributes:
        days: the time.
        at_risk: patients at risk.
        weighted_at_risk: sum of their weights.
        events: patients with an event.
        censored: patients censored.
        survival: estimate after the time.
        low: lower log-log 95 % limit; None where survival is 0 or 1.
        high: upper limit.
    """

    days: float
    at_risk: int
    weighted_at_risk: float
    events: int
    censored: int
    survival: float
    low: float | None
    high: float | None


def curve(time: Floats, event: Flags, weights: Floats, entry: Floats | None = None) -> Iterator[Step]:
    """Yield the curve of weighted patients: time 0, and every time with an event or a censoring.

    Args:
        time: in days, ``n``.
        event: whether it ended with an event, ``n``.
        weights: above 0, ``n``.
        entry: the patient is at risk only after this day; NaN means from the beginning. None if for all.
    """
    began = np.full(len(time), -1.0) if entry is None else np.where(np.isnan(entry), -1.0, entry)
    there = began < 0
    yield Step(0.0, int(there.sum()), float(weights[there].sum()), 0, 0, 1.0, None, None)
    survival, influence = 1.0, np.zeros(len(time))
    for now in np.unique(time):
        risk, ending = (began < now) & (time >= now), time == now
        dying = ending & event
        total, dead = float(weights[risk].sum()), float(weights[dying].sum())
        hazard = dead / total
        if dead and hazard < 1 - 1e-12:
            survival *= 1 - hazard
            influence += (dying.astype(np.float64) - risk * hazard) / (total * (1 - hazard))
        elif dead:
            survival = 0.0
        low = high = None
        if 0 < survival < 1:
            error = float(np.sqrt(((weights * influence) ** 2).sum()))
            widening = np.exp(Z * error / -np.log(survival))
            low, high = float(survival**widening), float(survival ** (1 / widening))
        yield Step(
            float(now), int(risk.sum()), total, int(dying.sum()), int((ending & ~event).sum()), survival, low,
            high,
        )  # fmt: skip


@dataclass(frozen=True)
class Weighted:
    """A weighted Cox model; arrays have length ``p``, the covariance is ``p × p``."""

    coefficients: Floats
    covariance: Floats


def cox(
    time: Floats, event: Flags, design: Floats, weights: Floats, entry: Floats | None = None,
    ties: Ties = "efron",
) -> Weighted:  # fmt: skip
    """Fit a Cox model to weighted patients.

    Args:
        time: in days, ``n``.
        event: whether it ended with an event, ``n``.
        design: covariates, ``n × p``.
        weights: above 0, ``n``.
        entry: the patient is at risk only after this day; NaN means from the beginning. None if for all.
        ties: how events on the same day enter.

    Returns:
        Log hazard ratios, and their robust covariance.

    Raises:
        NoEstimate: there is no event, a coefficient tends to infinity, or the covariates are collinear.
    """
    if not event.any():
        raise NoEstimate("no event in the model")
    began = np.full(len(time), -1.0) if entry is None else np.where(np.isnan(entry), -1.0, entry)
    x = design - np.average(design, axis=0, weights=weights)
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        score, information, _ = _derivatives(time, event, x, weights, began, beta, ties)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise NoEstimate("the covariates are collinear or separate the events") from None
        beta = beta + step * min(1.0, 3 / max(np.abs(step).max(), 1e-300))
        if not np.isfinite(beta).all() or np.abs(beta * x.std(axis=0)).max() > _TOO_FAR:
            raise NoEstimate("a coefficient tends to infinity")
        if abs(float(step @ score)) < _SETTLED:
            break
    else:
        raise NoEstimate("Newton's method does not settle")
    _, information, residuals = _derivatives(time, event, x, weights, began, beta, ties)
    moved = np.linalg.solve(information, (weights[:, None] * residuals).T).T
    return Weighted(beta, moved.T @ moved)


def _derivatives(
    time: Floats, event: Flags, x: Floats, weights: Floats, began: Floats, beta: Floats, ties: Ties
) -> tuple[Floats, Floats, Floats]:
    """Return score, information, and each patient's score residual (R: coxscore)."""
    n, p = x.shape
    relative = np.exp(x @ beta)
    score, information, residuals = np.zeros(p), np.zeros((p, p)), np.zeros((n, p))
    for now in np.unique(time[event]):
        risk, dying = (began < now) & (time >= now), event & (time == now)
        count = int(dying.sum())
        mean_weight = float(weights[dying].sum()) / count
        score += (weights[dying, None] * x[dying]).sum(axis=0)
        for number in range(count):
            # Efron's share of the dying that the risk set leaves out.
            share = 0.0 if ties == "breslow" else number / count
            part = np.where(dying, 1 - share, 1.0) * risk * weights * relative
            total = float(part.sum())
            mean = (part[:, None] * x).sum(axis=0) / total
            apart = x - mean
            score -= mean_weight * mean
            information += mean_weight * (apart.T @ (part[:, None] * apart)) / total
            exposed = np.where(dying, 1 - share, 1.0) * risk * relative * (mean_weight / total)
            residuals += apart * (dying / count - exposed)[:, None]
    return score, information, residuals
