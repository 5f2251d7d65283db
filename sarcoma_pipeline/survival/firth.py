"""Firth's penalised Cox model: finite hazard ratios where a level has no event.

The partial likelihood is multiplied by the square root of the determinant of its information, Jeffreys' prior
(Firth 1993; Heinze and Schemper 2001). Intervals and p values are of the profile penalised likelihood, as
those authors advise: Wald's are wrong where the likelihood is this lopsided.

Ties are Efron's, as in the models it stands in for. Python's ``firthmodels`` has Breslow's only.
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
"""Longest step in standard errors (of the information at 0)."""
_SETTLED, _ROUNDED = 1e-22, 1e-14
"""Square of the last step in standard errors: where to stop, and where rounding keeps it from shrinking."""
_APART = 1e-5
"""Distance of two scores, in standard errors, whose difference is the curvature."""
_FLAT = 1e-9
"""Curvature, in units of the information's at 0, below which there is no hill."""
_FARTHEST = 50.0
"""Standard errors from the maximum; a profile that has not fallen by then has no limit."""


@dataclass(frozen=True)
class Penalised:
    """A penalised model, arrays of length ``p``.

    Attributes:
        coefficients: log hazard ratios.
        standard_errors: of the inverse information at the maximum, as ``coxphf`` gives them.
        low: lower limits of the profile penalised likelihood, 95 %.
        high: upper limits.
        p_values: of the penalised likelihood ratio against a coefficient of 0.
    """

    coefficients: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    p_values: Floats


def penalised(likelihood: PartialLikelihood) -> Penalised:
    """Maximise the penalised likelihood and profile every coefficient.

    Raises:
        NoEstimate: columns are collinear.
    """
    scale = np.sqrt(np.diag(likelihood.at(np.zeros(likelihood.p)).information))
    every = np.ones(likelihood.p, dtype=bool)
    best, height, there = _climb(likelihood, np.zeros(likelihood.p), every, scale)
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
        ratio = max(height - _climb(likelihood, null, free, scale)[1], 0.0)
        # Chi-squared of one degree: 2 · ratio is the square of a normal deviate.
        p_values[i] = math.erfc(math.sqrt(ratio))
    return Penalised(best, errors, limits[:, 0], limits[:, 1], p_values)


def penalised_score(likelihood: PartialLikelihood, coefficients: Floats, here: Derivatives) -> Floats:
    """First derivatives of the penalised log likelihood: ``U + ½ tr(I⁻¹ ∂I/∂b)``.

    ``∂I/∂b`` are third central moments of the columns over every risk set. With ``J = I⁻¹``, ``m`` the mean
    and ``q = x'Jx`` their traces are ``E[qx] − m E[q] − 2 (E[xx'] − mm') J m``, and sums over risk sets turn
    into sums over patients as those of the information do.
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


def _climb(
    likelihood: PartialLikelihood, start: Floats, free: NDArray[np.bool_], scale: Floats
) -> tuple[Floats, float, Derivatives]:
    """The maximum over the free coefficients: where it is, how high, and the derivatives there."""
    coefficients, here = start.copy(), likelihood.at(start)
    height, last = _height(here), math.inf
    if not math.isfinite(height):
        raise NoEstimate("the covariates are collinear")
    for _ in range(_STEPS if free.any() else 0):
        score = penalised_score(likelihood, coefficients, here)
        step = np.zeros_like(coefficients)
        step[free] = _towards(likelihood, coefficients, here, score, free, scale)
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


def _towards(
    likelihood: PartialLikelihood,
    coefficients: Floats,
    here: Derivatives,
    score: Floats,
    free: NDArray[np.bool_],
    scale: Floats,
) -> Floats:
    """Newton's step of the free coefficients.

    The penalty's own curvature has no short form: it is taken from differences of the score. Where that is
    not the curvature of a hill, the information's is taken, without the penalty.
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
    hill = np.isfinite(inner).all() and np.linalg.eigvalsh(inner / unit)[0] > _FLAT
    return solve(inner if hill else here.information[np.ix_(free, free)], score[free], scale[free])


def _height(here: Derivatives) -> float:
    """The penalised log likelihood."""
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
    """Where the profile of coefficient ``i`` has fallen by half the 95 % quantile of chi-squared.

    Newton's method on the signed root of the fall, which is nearly a straight line. A profile that never
    falls so far has no limit: infinity.
    """
    free = np.ones(len(best), dtype=bool)
    free[i] = False
    at = best.copy()
    at[i] += side * _Z * errors[i]
    for _ in range(_STEPS):
        if abs(at[i] - best[i]) > _FARTHEST * errors[i]:
            break
        at, reached, here = _climb(likelihood, at, free, scale)
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
