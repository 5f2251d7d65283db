"""Cox's partial likelihood with Efron's ties, in sorted cumulative sums, and Newton's method upon it.

For every event time with ``d`` deaths Efron (1977) takes ``d`` risk sets, the ``l``-th with ``l/d`` of the
dying taken out. Every sum over risk sets below is rearranged into one over patients, so that a fit costs one
sort and, per step, a few passes over the ``n × p`` matrix: no ``p × p`` matrix per event time, no loop over
patients. It is here instead of lifelines' ``CoxPHFitter`` because that import takes seconds of every refresh,
because Firth's penalty and the test of proportional hazards need the same sums at other weights, and because
lifelines has none of the two as R has them; `tests/survival` holds lifelines and R against it.

Sources: Therneau and Grambsch, Modeling Survival Data (2000), section 3.3; R's ``survival::coxph``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.floating]

_STEPS = 60
_HALVINGS = 40
_SETTLED = 1e-20
"""Square of the last step in standard errors (g' I⁻¹ g): the error after it is that of the arithmetic."""
_ROUNDING = 1e-12
"""Share of a log likelihood, or of a column's variance, that rounding may make up."""


class NoEstimate(Exception):
    """The partial likelihood has no maximum, or no unique one."""


@dataclass(frozen=True)
class Derivatives:
    """The partial likelihood at one vector of coefficients.

    Attributes:
        log_likelihood: natural logarithm.
        score: first derivatives, ``p``.
        information: negative second derivatives, ``p × p``.
    """

    log_likelihood: float
    score: Floats
    information: Floats


@dataclass(frozen=True)
class Maximum:
    """A fitted model.

    Attributes:
        coefficients: log hazard ratios, ``p``.
        at: the likelihood there.
    """

    coefficients: Floats
    at: Derivatives

    @property
    def covariance(self) -> Floats:
        """Inverse of the information, ``p × p``."""
        return np.linalg.inv(self.at.information)


class PartialLikelihood:
    """The partial likelihood of times, events and a design.

    Attributes:
        n: patients.
        p: columns of the design.
        events: patients with an event.
        order: the patients by descending time, as positions in what was given.
        design: the columns centred at their mean, in that order; ``n × p``.
        dying: positions in that order of the patients with an event, a risk set each.
    """

    def __init__(self, time: ArrayLike, event: ArrayLike, design: ArrayLike) -> None:
        """Sort once; everything else is sums.

        Args:
            time: of any unit, ``n``.
            event: whether the time ended with an event, ``n``.
            design: numbers and indicators, without an intercept; ``n × p``.

        Raises:
            ValueError: nobody has an event.
        """
        times, ended = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
        if not ended.any():
            raise ValueError("a partial likelihood needs an event")
        matrix = np.asarray(design, dtype=np.float64).reshape(len(times), -1)
        # The dying of a time stand together, after those who are censored at it.
        self.order = np.lexsort((ended, -times))
        # Differences of large sums lose digits; a centred column has none to lose.
        self.design = matrix[self.order] - matrix.mean(axis=0)
        self.n, self.p = self.design.shape
        self.dying = np.flatnonzero(ended[self.order])
        self.events = len(self.dying)
        self._starts = np.flatnonzero(np.diff(times[self.order][self.dying], prepend=np.inf))
        deaths = np.diff(self._starts, append=self.events)
        self._last = self.dying[self._starts + deaths - 1]
        # Which event time a death belongs to, and which share of its dying the risk set leaves out.
        self._group = np.repeat(np.arange(len(deaths)), deaths)
        self._share = ((np.arange(self.events) - self._starts[self._group]) / deaths[self._group])[:, None]

    def over_risk_sets(self, values: Floats) -> Floats:
        """For every death the sum over the patients of its risk set: ``n × c`` to ``events × c``."""
        total = np.cumsum(values, axis=0)[self._last]
        dying = np.add.reduceat(values[self.dying], self._starts)
        return total[self._group] - self._share * dying[self._group]

    def over_patients(self, values: Floats) -> Floats:
        """For every patient the sum over the risk sets that he is in: ``events × c`` to ``n × c``."""
        through = np.zeros((self.n, values.shape[1]))
        through[self._last] = np.add.reduceat(values, self._starts)
        through = np.cumsum(through[::-1], axis=0)[::-1]
        through[self.dying] -= np.add.reduceat(self._share * values, self._starts)[self._group]
        return through

    def hazards(self, coefficients: Floats) -> tuple[Floats, Floats]:
        """``exp(x'b)`` of every patient, ``n × 1``, and the logarithm of the constant it is divided by."""
        linear = self.design @ coefficients
        # A constant cancels in every term; without it the exponential may overflow.
        return np.exp(linear - linear.max())[:, None], linear.max()

    def at(self, coefficients: Floats, weights: Floats | None = None) -> Derivatives:
        """The likelihood and its derivatives.

        Args:
            coefficients: ``p``.
            weights: a factor for the term of every death, in the order of `dying`, the same within an event
                time; None is 1. With ``g(t)`` the score is that of coefficients of ``x g(t)``.
        """
        hazard, shift = self.hazards(coefficients)
        factor = np.ones((self.events, 1)) if weights is None else weights[:, None]
        denominator = self.over_risk_sets(hazard)
        means = self.over_risk_sets(hazard * self.design) / denominator
        own = self.design[self.dying]
        terms = (own @ coefficients)[:, None] - shift - np.log(denominator)
        second = self.design.T @ (hazard * self.over_patients(factor / denominator) * self.design)
        return Derivatives(
            log_likelihood=float((factor * terms).sum()),
            score=(factor * (own - means)).sum(axis=0),
            information=second - means.T @ (factor * means),
        )

    def maximum(self) -> Maximum:
        """Newton's method from 0, halving a step that does not climb.

        Raises:
            NoEstimate: columns are collinear, or a coefficient runs to infinity.
        """
        coefficients = np.zeros(self.p)
        here = self.at(coefficients)
        scale = np.sqrt(np.diag(here.information))
        for _ in range(_STEPS):
            step = solve(here.information, here.score, scale)
            if step @ here.score < _SETTLED:
                return Maximum(coefficients + step, self.at(coefficients + step))
            floor = here.log_likelihood - _ROUNDING * abs(here.log_likelihood)
            for _ in range(_HALVINGS):
                there = self.at(coefficients + step)
                if there.log_likelihood >= floor:
                    break
                step = step / 2
            coefficients, here = coefficients + step, there
        raise NoEstimate("Newton's method does not settle")


def solve(information: Floats, score: Floats, scale: Floats) -> Floats:
    """``I⁻¹ g``.

    Args:
        information: ``p × p``.
        score: ``p``.
        scale: unit of every column, so that a flat direction is known as one: the square roots of the
            information's diagonal at 0.

    Raises:
        NoEstimate: the information is singular: columns are collinear, or the likelihood has become flat.
    """
    unit = np.where(scale > 0, scale, 1)
    values, vectors = np.linalg.eigh(information / np.outer(unit, unit))
    if not np.isfinite(values).all() or values[0] < _ROUNDING:
        raise NoEstimate("the covariates are collinear or separate the events")
    return vectors @ ((vectors.T @ (score / unit)) / values) / unit
