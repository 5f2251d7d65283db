"""Firth's penalised Cox model: finite hazard ratios even if a level has no event.

The partial likelihood is multiplied by the square root of the determinant of its information, Jeffreys' prior
(Firth 1993; Heinze and Schemper 2001). Intervals and p values come from the profile penalised likelihood, as
those authors recommend, because Wald intervals are wrong for such an asymmetric likelihood.

Ties are handled by Efron's method, as in the unpenalised models. The Python package ``firthmodels`` has only
Breslow's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sarcoma_pipeline.survival.partial_likelihood import (
    Derivatives,
    Floats,
    NoEstimate,
    PartialLikelihood,
    inverse,
    solve,
)

_Z = NormalDist().inv_cdf(0.975)
_STEPS = 100
_HALVINGS = 40
_LONGEST = 5.0
"""Maximum step, in standard errors (of the information at 0)."""
_SETTLED, _ROUNDED = 1e-22, 1e-14
"""Squared length of the last step in standard errors: convergence, and the limit set by rounding errors."""
_APART = 1e-5
"""Step of the numerical derivative of the score, in standard errors."""
_FLAT = 1e-9
"""Minimum curvature relative to the information at 0; below it the function has no maximum nearby."""
_WIDENINGS = 60
"""Maximum number of steps, each 1.5 times the one before, to find where a profile has fallen far enough."""


@dataclass(frozen=True)
class Penalised:
    """A penalised model; all arrays have length ``p``.

    Attributes:
        coefficients: log hazard ratios.
        standard_errors: from the inverse information at the maximum, as in ``coxphf``.
        low: lower 95 % limits of the profile penalised likelihood.
        high: upper limits.
        p_values: of the penalised likelihood ratio test against a coefficient of 0.
    """

    coefficients: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    p_values: Floats


def penalised(likelihood: PartialLikelihood) -> Penalised:
    """Maximise the penalised likelihood and profile every coefficient.

    Raises:
        NoEstimate: the covariates are collinear.
    """
    likelihood.compares()
    curvature = np.diag(likelihood.at(np.zeros(likelihood.p)).information)
    # Rounding can make the information negative for a column that is constant in every risk set.
    if not (curvature > 0).all():
        raise NoEstimate("a covariate has no variance among the patients at risk")
    scale = np.sqrt(curvature)
    every = np.ones(likelihood.p, dtype=bool)
    best, height, there = _maximise(likelihood, np.zeros(likelihood.p), every, scale)
    errors = np.sqrt(np.diag(inverse(there.information)))
    limits = np.array(
        [
            [_limit(likelihood, best, height, errors, i, side, scale) for side in (-1, 1)]
            for i in range(len(best))
        ]
    )
    p_values = np.full(len(best), np.nan)
    for i in range(len(best)):
        null, free = best.copy(), every.copy()
        null[i], free[i] = 0.0, False
        try:
            ratio = max(height - _maximise(likelihood, null, free, scale)[1], 0.0)
        except NoEstimate:
            continue
        # 2 · ratio has a chi-squared distribution with one degree of freedom: the square of a normal deviate.
        p_values[i] = math.erfc(math.sqrt(ratio))
    return Penalised(best, errors, limits[:, 0], limits[:, 1], p_values)


def penalised_score(likelihood: PartialLikelihood, coefficients: Floats, here: Derivatives) -> Floats:
    """Compute the score of the penalised log likelihood: ``U + ½ tr(I⁻¹ ∂I/∂b)``.

    ``∂I/∂b`` are third central moments of the columns over every risk set. With ``J = I⁻¹``, ``m`` the mean
    and ``q = x'Jx``, their traces are ``E[qx] − m E[q] − 2 (E[xx'] − mm') J m``. Sums over risk sets are
    rearranged into sums over patients, as for the information.
    """
    x = likelihood.design
    hazard, _ = likelihood.hazards(coefficients)
    inverted = inverse(here.information)
    q = ((x @ inverted) * x).sum(axis=1, keepdims=True)
    denominator = likelihood.over_risk_sets(hazard)
    mean = likelihood.over_risk_sets(hazard * x) / denominator
    mean_q = likelihood.over_risk_sets(hazard * q) / denominator
    lived = likelihood.over_patients(1 / denominator)
    towards = likelihood.over_patients((mean @ inverted) / denominator)
    third = (hazard * (lived * q - 2 * (towards * x).sum(axis=1, keepdims=True)) * x).sum(axis=0)
    third -= (mean * mean_q).sum(axis=0)
    third += 2 * (((mean @ inverted) * mean).sum(axis=1, keepdims=True) * mean).sum(axis=0)
    return here.score + third / 2


def _maximise(
    likelihood: PartialLikelihood, start: Floats, free: NDArray[np.bool_], scale: Floats
) -> tuple[Floats, float, Derivatives]:
    """Maximise over the free coefficients.

    Returns:
        Position, penalised log likelihood and derivatives.
    """
    coefficients, here = start.copy(), likelihood.at(start)
    height, last = _height(here), math.inf
    if not math.isfinite(height):
        raise NoEstimate("the covariates are collinear")
    for _ in range(_STEPS if free.any() else 0):
        score = penalised_score(likelihood, coefficients, here)
        step = np.zeros_like(coefficients)
        step[free] = _newton_step(likelihood, coefficients, here, score, free, scale)
        gain = float(step @ score)
        step /= max(1.0, float(np.abs(step * scale).max()) / _LONGEST)
        for _ in range(_HALVINGS):
            there = likelihood.at(coefficients + step)
            reached = _height(there)
            if reached >= height - 1e-12 * abs(height):
                break
            step = step / 2
        if not math.isfinite(reached):
            raise NoEstimate("no step increases the penalised likelihood")
        coefficients, here, height = coefficients + step, there, reached
        if gain < _SETTLED or last <= gain < _ROUNDED:
            break
        last = gain
    return coefficients, height, here


def _newton_step(
    likelihood: PartialLikelihood,
    coefficients: Floats,
    here: Derivatives,
    score: Floats,
    free: NDArray[np.bool_],
    scale: Floats,
) -> Floats:
    """Compute Newton's step of the free coefficients.

    The curvature of the penalty has no closed form and is computed from differences of the score. If the
    result is not positive definite, the information is used without the penalty.
    """
    curvature = np.empty((len(score), len(score)))
    for i in np.flatnonzero(free):
        apart = _APART / scale[i]
        beside = coefficients.copy()
        beside[i] += apart
        curvature[i] = (score - penalised_score(likelihood, beside, likelihood.at(beside))) / apart
    inner = curvature[np.ix_(free, free)]
    inner = (inner + inner.T) / 2
    unit = np.outer(scale[free], scale[free])
    try:
        concave = np.isfinite(inner).all() and np.linalg.eigvalsh(inner / unit)[0] > _FLAT
    except np.linalg.LinAlgError:
        concave = False
    return solve(inner if concave else here.information[np.ix_(free, free)], score[free], scale[free])


def _height(here: Derivatives) -> float:
    """Compute the penalised log likelihood."""
    sign, logarithm = np.linalg.slogdet(here.information)
    height = here.log_likelihood + logarithm / 2 if sign > 0 else -math.inf
    return height if math.isfinite(height) else -math.inf


def _limit(
    likelihood: PartialLikelihood,
    best: Floats,
    height: float,
    errors: Floats,
    i: int,
    side: int,
    scale: Floats,
) -> float:
    """Find where the profile of coefficient ``i`` has fallen by half the 95 % quantile of chi-squared.

    The limit is bracketed with growing steps and found by the Illinois method on the signed root of the fall,
    which is nearly linear. Under separation the profile is long; only the number of steps limits the
    distance.

    Returns:
        The limit; NaN if the profile cannot be followed that far.
    """
    free = np.ones(len(best), dtype=bool)
    free[i] = False
    at = best.copy()

    def excess(value: float) -> float:
        at[i] = value
        there, reached, _ = _maximise(likelihood, at, free, scale)
        at[:] = there
        return math.sqrt(2 * max(height - reached, 0.0)) - _Z

    inner, at_inner = float(best[i]), -_Z
    step = side * _Z * float(errors[i])
    try:
        for _ in range(_WIDENINGS):
            outer = inner + step
            at_outer = excess(outer)
            if at_outer >= 0:
                break
            inner, at_inner, step = outer, at_outer, 1.5 * step
        else:
            return math.nan
        return _root(excess, inner, at_inner, outer, at_outer, 1e-12 * float(errors[i]))
    except NoEstimate:
        return math.nan


def _root(
    excess: Callable[[float], float], a: float, at_a: float, b: float, at_b: float, width: float
) -> float:
    """Find the zero between two values of opposite sign by the Illinois method."""
    for _ in range(_STEPS):
        middle = (a * at_b - b * at_a) / (at_b - at_a)
        found = excess(middle)
        if found == 0 or abs(b - a) <= width or min(abs(middle - a), abs(middle - b)) <= width:
            return middle
        if (found > 0) == (at_b > 0):
            b, at_b, at_a = middle, found, at_a / 2
        else:
            a, at_a, b, at_b = b, at_b, middle, found
    return math.nan
