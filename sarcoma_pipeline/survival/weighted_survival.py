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

from sarcoma_pipeline.survival.intervals import Intervals
from sarcoma_pipeline.survival.kaplan_meier import Z
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate
from schemas.statistics import Ties

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

_STEPS, _SETTLED = 60, 1e-20
"""Newton's steps, and the squared step in standard errors that ends them."""
_TOO_FAR = 30.0
"""A log hazard ratio of two patients beyond it is that of a group without events: it has no estimate. Beyond
36, the information is a rounding error, and Newton's method seems to settle anywhere."""
_ALL = 1e-12
"""A hazard that is not further below 1 is that of a day on which all die: the rest is rounding."""


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
    began = _began(time, entry)
    there = began < 0
    yield Step(0.0, int(there.sum()), float(weights[there].sum()), 0, 0, 1.0, None, None)
    days, of = np.unique(time, return_inverse=True)
    first = np.searchsorted(days, began, side="right")
    risk = Intervals(first, of + 1, len(days))
    ones = np.ones(len(time))
    number, total = risk.over_intervals(np.column_stack([ones, weights])).T
    ended = np.bincount(of, minlength=len(days))
    deaths = np.bincount(of, weights=event, minlength=len(days))
    hazard = np.bincount(of, weights=weights * event, minlength=len(days)) / total
    survives = hazard < 1 - _ALL
    survival = np.cumprod(np.where(survives, 1 - hazard, 0.0))
    # The influence of a patient: what their own event adds, minus what each day at risk takes.
    scale = np.where(survives, 1 / (total * np.where(survives, 1 - hazard, 1.0)), 0.0)
    taken = np.concatenate([[0.0], np.cumsum(hazard * scale)])
    # What an event adds less what its day takes, (1 - hazard) scale, is 1 / total.
    ends = np.where(event, 1 / total[of] - taken[of], -taken[of + 1]) + taken[first]
    before = np.column_stack([weights**2, weights**2 * taken[first], (weights * taken[first]) ** 2])
    squares, products, entered = Intervals(first, of, len(days)).over_intervals(before).T
    now = taken[1:]
    moving = np.maximum(now**2 * squares - 2 * now * products + entered, 0.0)
    left = np.bincount(of, weights=(weights * ends) ** 2, minlength=len(days))
    error = np.sqrt(np.cumsum(left) + moving)
    for i, day in enumerate(days):
        low = high = None
        if 0 < survival[i] < 1:
            widening = np.exp(Z * error[i] / -np.log(survival[i]))
            low, high = float(survival[i] ** widening), float(survival[i] ** (1 / widening))
        yield Step(
            float(day), int(number[i]), float(total[i]), int(deaths[i]), int(ended[i] - deaths[i]),
            float(survival[i]), low, high,
        )  # fmt: skip


def _began(time: Floats, entry: Floats | None) -> Floats:
    """Return the day only after which each patient is at risk; before 0 means from the beginning."""
    return np.full(len(time), -1.0) if entry is None else np.where(np.isnan(entry), -1.0, entry)


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
    likelihood = WeightedLikelihood(time, event, design, weights, entry, ties)
    beta = np.zeros(likelihood.x.shape[1])
    spread = np.ptp(likelihood.x, axis=0)
    for _ in range(_STEPS):
        here = likelihood.at(beta)
        try:
            step = np.linalg.solve(here.information, here.score)
        except np.linalg.LinAlgError:
            raise NoEstimate("the covariates are collinear or separate the events") from None
        beta = beta + step * min(1.0, 3 / max(np.abs(step).max(), 1e-300))
        if not np.isfinite(beta).all() or np.abs(beta * spread).max() > _TOO_FAR:
            raise NoEstimate("a coefficient tends to infinity")
        if abs(float(step @ here.score)) < _SETTLED:
            break
    else:
        raise NoEstimate("Newton's method does not settle")
    here = likelihood.at(beta)
    moved = np.linalg.solve(here.information, (weights[:, None] * here.residuals).T).T
    return Weighted(beta, moved.T @ moved)


@dataclass(frozen=True)
class Derivatives:
    """Derivatives of the weighted likelihood at one vector of coefficients.

    Attributes:
        score: first derivatives, ``p``.
        information: negative second derivatives, ``p × p``.
        residuals: each patient's score residual, without their weight (R: coxscore), ``n × p``.
    """

    score: Floats
    information: Floats
    residuals: Floats


class WeightedLikelihood:
    """Cox's partial likelihood of weighted patients: one risk set an event, with the mean weight of its day.

    Sums over risk sets are sums over intervals of the days with events, so that a step costs ``n log n``.

    Attributes:
        x: centred covariates, ``n × p``.
    """

    def __init__(
        self, time: Floats, event: Flags, design: Floats, weights: Floats, entry: Floats | None, ties: Ties
    ) -> None:
        """Find the risk sets; the arguments are those of :func:`cox`."""
        self.x = design - np.average(design, axis=0, weights=weights)
        self._weights, self._event = weights, event
        days = np.unique(time[event])
        first, dying = np.searchsorted(days, _began(time, entry), side="right"), np.flatnonzero(event)
        # Intervals end before a patient's own event: Efron's method counts only a share of the dying.
        past = np.where(event, np.searchsorted(days, time), np.searchsorted(days, time, side="right"))
        self._risk = Intervals(first, past, len(days))
        self._dying = dying[np.argsort(time[dying], kind="stable")]
        self._day = np.searchsorted(days, time[self._dying])
        self._starts = np.searchsorted(self._day, np.arange(len(days)))
        deaths = np.bincount(self._day)[self._day]
        number = np.arange(len(dying)) - self._starts[self._day]
        self._share = np.ones((len(dying), 1)) if ties == "breslow" else (1 - number / deaths)[:, None]
        self._deaths = deaths[:, None]
        self._factor = self._by_day(weights[self._dying][:, None])[self._day] / self._deaths

    def at(self, beta: Floats) -> Derivatives:
        """Compute the derivatives at the coefficients, ``p``."""
        linear = self.x @ beta
        # The constant cancels in every term; without it the exponential may overflow.
        relative = np.exp(linear - linear.max())[:, None]
        own, part = self._weights[:, None], self._weights[:, None] * relative
        total = self._over_risk_sets(part)
        rate = self._factor / total
        exposed = relative * self._over_patients(rate)
        # About the mean of all risk sets, so that the difference of the squares keeps its digits.
        x = self.x - (own * exposed * self.x).sum(axis=0) / self._factor.sum()
        means = self._over_risk_sets(part * x) / total
        residuals = relative * self._over_patients(rate * means) - exposed * x
        residuals[self._dying] += x[self._dying] - self._by_day(means / self._deaths)[self._day]
        return Derivatives(
            score=(own * x)[self._dying].sum(axis=0) - (self._factor * means).sum(axis=0),
            information=x.T @ (own * exposed * x) - means.T @ (self._factor * means),
            residuals=residuals,
        )

    def _over_risk_sets(self, values: Floats) -> Floats:
        """Sum over the patients of each event's risk set: ``n × c`` to ``events × c``."""
        dying = self._by_day(values[self._dying])[self._day]
        return self._risk.over_intervals(values)[self._day] + self._share * dying

    def _over_patients(self, values: Floats) -> Floats:
        """Sum over the risk sets that contain each patient: ``events × c`` to ``n × c``."""
        through = self._risk.over_points(self._by_day(values))
        through[self._dying] += self._by_day(self._share * values)[self._day]
        return through

    def _by_day(self, values: Floats) -> Floats:
        """Sum over the events of each day: ``events × c`` to ``days × c``."""
        return np.add.reduceat(values, self._starts)
