"""Firth's penalised Cox model: finite hazard ratios where a level has no event.

The partial likelihood is multiplied by the square root of the determinant of its information, Jeffreys' prior
(Firth 1993; Heinze and Schemper 2001). Intervals and p values come from the profile penalised likelihood, as
those authors recommend, because Wald intervals are wrong for such an asymmetric likelihood.

Ties are handled by Efron's method, as in the unpenalised models. The Python package ``firthmodels`` has only
Breslow's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sarcoma_pipeline.survival.partial_likelihood import (
    Derivatives,
    Floats,
    NoEstimate,
    PartialLikelihood,
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
_FARTHEST = 50.0
"""Distance from the maximum, in standard errors, at which a profile counts as unbounded."""


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
    scale = np.sqrt(np.diag(likelihood.at(np.zeros(likelihood.p)).information))
    every = np.ones(likelihood.p, dtype=bool)
    best, height, there = _maximise(likelihood, np.zeros(likelihood.p), every, scale)
    errors = np.sqrt(np.diag(np.linalg.inv(there.information)))
    limits = np.array(
        [
            [_limit(likelihood, best, height, errors, i, side, scale) for side in (-1, 1)]
            for i in range(len(best))
        ]
    )
    p_values = np.empty(len(best))
    for i in range(len(best)):
        null, free = best.copy(), every.copy()
        null[i], free[i] = 0.0, False
        ratio = max(height - _maximise(likelihood, null, free, scale)[1], 0.0)
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
    inverse = np.linalg.inv(here.information)
    q = ((x @ inverse) * x).sum(axis=1, keepdims=True)
    denominator = likelihood.over_risk_sets(hazard)
    mean = likelihood.over_risk_sets(hazard * x) / denominator
    mean_q = likelihood.over_risk_sets(hazard * q) / denominator
    lived = likelihood.over_patients(1 / denominator)
    towards = likelihood.over_patients((mean @ inverse) / denominator)
    third = (hazard * (lived * q - 2 * (towards * x).sum(axis=1, keepdims=True)) * x).sum(axis=0)
    third -= (mean * mean_q).sum(axis=0)
    third += 2 * (((mean @ inverse) * mean).sum(axis=1, keepdims=True) * mean).sum(axis=0)
    return here.score + third / 2


def _maximise(
    likelihood: PartialLikelihood, start: Floats, free: NDArray[np.bool_], scale: Floats
) -> tuple[Floats, float, Derivatives]:
    """Maximise over the free coefficients; returns position, penalised log likelihood and derivatives."""
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
    concave = np.isfinite(inner).all() and np.linalg.eigvalsh(inner / unit)[0] > _FLAT
    return solve(inner if concave else here.information[np.ix_(free, free)], score[free], scale[free])


def _height(here: Derivatives) -> float:
    """Compute the penalised log likelihood."""
    sign, logarithm = np.linalg.slogdet(here.information)
    return here.log_likelihood + logarithm / 2 if sign > 0 else -math.inf


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

    Uses Newton's method on the signed root of the fall, which is nearly linear. If the profile never falls
    that far, the limit is infinite.
    """
    free = np.ones(len(best), dtype=bool)
    free[i] = False
    at = best.copy()
    at[i] += side * _Z * errors[i]
    for _ in range(_STEPS):
        if abs(at[i] - best[i]) > _FARTHEST * errors[i]:
            break
        at, reached, here = _maximise(likelihood, at, free, scale)
        fall = max(height - reached, 0.0)
        slope = -side * penalised_score(likelihood, at, here)[i]
        root = math.sqrt(2 * fall)
        if root == 0 or slope <= 0:
            at[i] += side * errors[i]
            continue
        move = (_Z - root) * root / slope
        at[i] += side * max(-abs(at[i] - best[i]) / 2, min(move, 4 * errors[i]))
        if abs(move) < 1e-12 * errors[i]:
            return float(at[i])
    return side * math.inf
