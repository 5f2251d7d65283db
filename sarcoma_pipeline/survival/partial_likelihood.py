"""Cox's partial likelihood with Efron's ties, from cumulative sums, and its maximum by Newton's method.

For every event time with ``d`` deaths, Efron (1977) uses ``d`` risk sets; in the ``l``-th one, the dying
patients have weight ``1 − l/d``. All sums over risk sets are rearranged into sums over patients, so that a
fit needs one sort and, per step, a few passes over the ``n × p`` matrix: no ``p × p`` matrix per event time
and no loop over patients.

lifelines' ``CoxPHFitter`` is not used because importing it takes seconds in every refresh, and because it has
neither Firth's penalty nor the test of proportional hazards as in R; both need the same sums with other
weights. `tests/survival` compares the results with lifelines and R.

Sources: Therneau and Grambsch, Modeling Survival Data (2000), section 3.3; R's ``survival::coxph``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.statistics import Ties

Floats: TypeAlias = NDArray[np.floating]

_STEPS = 60
_HALVINGS = 40
_SETTLED = 1e-20
"""Squared length of the last step in standard errors (g' I⁻¹ g) at which only rounding errors remain."""
_ROUNDING = 1e-12
"""Relative rounding error of a log likelihood, or of a column's variance."""

_EXACT = 1e-9
"""Least share of a risk set in the sum of all hazards, so that its relative rounding error is below 1e-6."""


class NoEstimate(Exception):
    """The partial likelihood has no maximum, or no unique one."""


@dataclass(frozen=True)
class Derivatives:
    """The partial likelihood and its derivatives at one vector of coefficients.

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
        likelihood: what was maximised.
    """

    coefficients: Floats
    likelihood: PartialLikelihood

    @cached_property
    def at(self) -> Derivatives:
        """Likelihood and derivatives at the maximum."""
        return self.likelihood.at(self.coefficients)

    @property
    def covariance(self) -> Floats:
        """Inverse of the information, ``p × p``.

        Raises:
            NoEstimate: it has none.
        """
        return inverse(self.at.information)


class PartialLikelihood:
    """The partial likelihood of times, events and a design matrix.

    Attributes:
        n: number of patients.
        p: number of columns of the design.
        events: number of patients with an event.
        order: patients by descending time, as positions in the input.
        design: centred columns in that order; ``n × p``.
        dying: positions in that order of the patients with an event; each has one risk set.
    """

    def __init__(
        self,
        time: ArrayLike,
        event: ArrayLike,
        design: ArrayLike,
        entry: ArrayLike | None = None,
        ties: Ties = "efron",
    ) -> None:
        """Sort the patients by time; everything else is computed from sums.

        Args:
            time: of any unit, ``n``.
            event: whether the time ended with an event, ``n``.
            design: numbers and indicators, without an intercept; ``n × p``.
            entry: the patient is at risk only after this time, ``n``; NaN means from the beginning. None if
                that holds for all.
            ties: how events on the same day enter. With Breslow's method, the risk set of each contains all.

        Raises:
            ValueError: there is no event.
        """
        times, ended = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
        if not ended.any():
            raise ValueError("a partial likelihood needs an event")
        matrix = np.asarray(design, dtype=np.float64).reshape(len(times), -1)
        # Sorts by descending time; at ties, events come after censorings.
        self.order = np.lexsort((ended, -times))
        # Centred, because differences of large sums lose precision.
        self.design = matrix[self.order] - matrix.mean(axis=0)
        self.n, self.p = self.design.shape
        self.dying = np.flatnonzero(ended[self.order])
        self._own = self.design[self.dying]
        self.events = len(self.dying)
        self._starts = np.flatnonzero(np.diff(times[self.order][self.dying], prepend=np.inf))
        deaths = np.diff(self._starts, append=self.events)
        self._last = self.dying[self._starts + deaths - 1]
        # The event time of each death, and the share of its dying patients that the risk set leaves out.
        self._group = np.repeat(np.arange(len(deaths)), deaths)
        self._share = ((np.arange(self.events) - self._starts[self._group]) / deaths[self._group])[:, None]
        if ties == "breslow":
            self._share = np.zeros_like(self._share)
        self._late: NDArray[np.int64] | None = None
        if entry is not None:
            self._delay(times[self.order][self._last], np.asarray(entry, dtype=np.float64)[self.order])

    def _delay(self, event_times: Floats, entry: Floats) -> None:
        """Find the patients not yet at risk at each event time.

        Event times and patients are in descending order.
        """
        enters = np.where(np.isnan(entry), -np.inf, entry)
        if not np.isfinite(enters).any():
            return
        self._late = np.argsort(-enters, kind="stable")
        # Number of patients who enter at an event time or after it.
        self._later = np.searchsorted(-enters[self._late], -event_times, side="right")
        # Position of the last event time on or before each patient's entry; earlier event times do not count
        # for the patient.
        self._missed = np.searchsorted(-event_times, -enters, side="left")

    def over_risk_sets(self, values: Floats) -> Floats:
        """Sum over the patients of each death's risk set: ``n × c`` to ``events × c``."""
        total = values.cumsum(axis=0).take(self._last, axis=0)
        if self._late is not None:
            outside = values.take(self._late, axis=0).cumsum(axis=0)
            total = total - np.vstack([np.zeros((1, values.shape[1])), outside]).take(self._later, axis=0)
        dying = np.add.reduceat(values.take(self.dying, axis=0), self._starts)
        return total.take(self._group, axis=0) - self._share * dying.take(self._group, axis=0)

    def over_patients(self, values: Floats) -> Floats:
        """Sum over the risk sets that contain each patient: ``events × c`` to ``n × c``."""
        through = np.zeros((self.n, values.shape[1]))
        per_time = np.add.reduceat(values, self._starts)
        through[self._last] = per_time
        through = through[::-1].cumsum(axis=0)[::-1]
        if self._late is not None:
            before = np.cumsum(per_time[::-1], axis=0)[::-1]
            through -= np.vstack([before, np.zeros((1, values.shape[1]))])[self._missed]
        through[self.dying] -= np.add.reduceat(self._share * values, self._starts).take(self._group, axis=0)
        return through

    def hazards(self, coefficients: Floats) -> tuple[Floats, Floats]:
        """Return ``exp(x'b)`` per patient, ``n × 1``, divided by a constant, and the constant's logarithm."""
        linear = self.design @ coefficients
        # The constant cancels in every term; without it the exponential may overflow.
        return np.exp(linear - linear.max())[:, None], linear.max()

    # Callers refuse what is not finite: a coefficient may tend to infinity.
    @np.errstate(divide="ignore", invalid="ignore", over="ignore")
    def at(self, coefficients: Floats, weights: Floats | None = None) -> Derivatives:
        """Compute the likelihood and its derivatives.

        Args:
            coefficients: ``p``.
            weights: factor of each death's term in the order of `dying`, equal within an event time; None
                means 1. With weights ``g(t)``, the score is that of coefficients of ``x g(t)``.
        """
        hazard, shift = self.hazards(coefficients)
        sums = self.over_risk_sets(np.hstack([hazard, hazard * self.design]))
        denominator, means = sums[:, :1], sums[:, 1:] / sums[:, :1]
        own = self._own
        terms = (own @ coefficients)[:, None] - shift - np.log(denominator)
        if weights is None:
            # A copy, because BLAS multiplies a matrix by itself with another rounding.
            share, scores, weighted = 1 / denominator, own - means, means.copy()
        else:
            factor = weights[:, None]
            share, terms, scores, weighted = (
                factor / denominator, factor * terms, factor * (own - means), factor * means,
            )  # fmt: skip
        second = self.design.T @ (hazard * self.over_patients(share) * self.design)
        return Derivatives(
            log_likelihood=float(terms.sum()),
            score=scores.sum(axis=0),
            information=second - means.T @ weighted,
        )

    def compares(self) -> None:
        """Check that at least one patient outlives an event.

        If all patients at risk have the event on the same day, there is no order of events. Efron's risk sets
        would still give an information matrix.

        Raises:
            NoEstimate: at every event time all patients at risk have the event.
        """
        at_risk = self.over_risk_sets(np.ones((self.n, 1)))[self._starts, 0]
        if (at_risk <= np.diff(self._starts, append=self.events)).all():
            raise NoEstimate("at every event time all patients at risk have the event")

    def _exact(self, coefficients: Floats) -> None:
        """Check that the hazards of patients not yet at risk do not hide those of a risk set.

        Their sum is subtracted from that of all patients; so are the strata, which have their own intervals.

        Raises:
            NoEstimate: a risk set has a share of the sum that is of the size of rounding errors.
        """
        if self._late is None:
            return
        hazard, _ = self.hazards(coefficients)
        everybody = np.cumsum(hazard)[self._last][self._group]
        if (self.over_risk_sets(hazard)[:, 0] < _EXACT * everybody).any():
            raise NoEstimate("the hazards are too different to be added: a coefficient tends to infinity")

    def maximum(self) -> Maximum:
        """Maximise by Newton's method from 0, halving steps that do not increase the likelihood.

        Raises:
            NoEstimate: the covariates are collinear, or a coefficient tends to infinity.
        """
        self.compares()
        coefficients = np.zeros(self.p)
        here = self.at(coefficients)
        scale = np.sqrt(np.diag(here.information))
        for _ in range(_STEPS):
            step = solve(here.information, here.score, scale)
            if step @ here.score < _SETTLED:
                self._exact(coefficients)
                return Maximum(coefficients + step, self)
            floor = here.log_likelihood - _ROUNDING * abs(here.log_likelihood)
            for _ in range(_HALVINGS):
                there = self.at(coefficients + step)
                if there.log_likelihood >= floor:
                    break
                step = step / 2
            coefficients, here = coefficients + step, there
        raise NoEstimate("Newton's method does not settle")


def solve(information: Floats, score: Floats, scale: Floats) -> Floats:
    """Compute ``I⁻¹ g``.

    Args:
        information: ``p × p``.
        score: ``p``.
        scale: unit of every column, by which flat directions are recognised: the square roots of the
            information's diagonal at 0.

    Raises:
        NoEstimate: the information is singular: the covariates are collinear, or the likelihood is flat.
    """
    unit = np.where(scale > 0, scale, 1)
    scaled = information / np.outer(unit, unit)
    if not np.isfinite(scaled).all():
        raise NoEstimate("the information is not finite: a coefficient tends to infinity")
    try:
        values, vectors = np.linalg.eigh(scaled)
    except np.linalg.LinAlgError:
        raise NoEstimate("the eigenvalues of the information were not found") from None
    if not np.isfinite(values).all() or values[0] < _ROUNDING:
        raise NoEstimate("the covariates are collinear or separate the events")
    return vectors @ ((vectors.T @ (score / unit)) / values) / unit


def inverse(information: Floats) -> Floats:
    """Invert the information.

    Raises:
        NoEstimate: it is singular or not finite.
    """
    try:
        found = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        raise NoEstimate("the information is singular") from None
    if not np.isfinite(found).all():
        raise NoEstimate("the information is not finite")
    return found
