"""Rubin's rules: one estimate from the fits to several imputed data sets.

Degrees of freedom are those of Barnard and Rubin (1999), joint tests those of Li, Raghunathan and Rubin
(1991; D1) with the degrees of freedom of Reiter (2007). Results equal R's ``mice::pool`` and ``mice::D1``
(`tests/golden/imputation.R`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from sarcoma_pipeline.survival.partial_likelihood import Floats

_LEAST_SHARE = 1e-4
"""Smallest share of the variance between the imputations in the degrees of freedom, as in ``mice``."""


@dataclass(frozen=True)
class Pooled:
    """One coefficient of all imputed data sets.

    Attributes:
        coefficient: mean of the coefficients.
        standard_error: root of the total variance.
        degrees_of_freedom: of the t distribution.
        low: lower 95 % limit.
        high: upper 95 % limit.
        p_value: two-sided.
        missing_information: fraction of missing information.
    """

    coefficient: float
    standard_error: float
    degrees_of_freedom: float
    low: float
    high: float
    p_value: float
    missing_information: float


@dataclass(frozen=True)
class JointlyPooled:
    """The test that several coefficients are all 0: F with its two degrees of freedom."""

    f: float
    degrees_of_freedom: int
    denominator: float
    p_value: float


def pool(coefficients: Sequence[float], variances: Sequence[float], complete: float) -> Pooled:
    """Pool one coefficient.

    Args:
        coefficients: in each imputed data set, at least two.
        variances: squared standard errors.
        complete: degrees of freedom of the analysis of complete data; of a Cox model the events minus the
            coefficients, at least 1, as in ``mice``.
    """
    from scipy.special import stdtr, stdtrit

    m, mean = len(coefficients), float(np.mean(coefficients))
    within, between = float(np.mean(variances)), float(np.var(coefficients, ddof=1))
    total = within + (1 + 1 / m) * between
    share = max((1 + 1 / m) * between / total, _LEAST_SHARE)
    old = (m - 1) / share**2
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    degrees = old * observed / (old + observed)
    increase = (1 + 1 / m) * between / within
    error = float(np.sqrt(total))
    width = float(stdtrit(degrees, 0.975)) * error
    return Pooled(
        coefficient=mean,
        standard_error=error,
        degrees_of_freedom=degrees,
        low=mean - width,
        high=mean + width,
        p_value=2 * float(stdtr(degrees, -abs(mean / error))),
        missing_information=(increase + 2 / (degrees + 3)) / (increase + 1),
    )


def pool_jointly(
    coefficients: Sequence[Floats], covariances: Sequence[Floats], complete: float
) -> JointlyPooled | None:
    """Test that several coefficients are all 0; None if their covariance is singular.

    Args:
        coefficients: in each imputed data set, ``k``.
        covariances: their covariances, ``k × k``.
        complete: see :func:`pool`.
    """
    from scipy.special import fdtrc

    q, u = np.array(coefficients), np.array(covariances)
    m, k = q.shape
    mean, within = q.mean(axis=0), u.mean(axis=0)
    between = np.atleast_2d(np.cov(q, rowvar=False, ddof=1))
    try:
        increase = (1 + 1 / m) * float(np.trace(np.linalg.solve(within, between))) / k
        f = float(mean @ np.linalg.solve((1 + increase) * within, mean)) / k
    except np.linalg.LinAlgError:
        return None
    denominator = _denominator(k, m, increase, complete)
    # Without any difference between the imputations the test is the chi-square test.
    p = float(fdtrc(k, min(denominator, 1e12), f))
    return JointlyPooled(f, k, denominator, p)


def _denominator(k: int, m: int, r: float, complete: float) -> float:
    """Return the second degrees of freedom: Reiter's where they exist, else those of Li and others."""
    t = k * (m - 1)
    if t > 4:
        a = r * t / (t - 2)
        observed = (complete + 1) / (complete + 3) * complete
        c0, c1, c2 = 1 / (t - 4), observed - 2 * (1 + a), observed - 4 * (1 + a)
        if c2 > 0:
            z = 1 / c2 + c0 * (
                a**2 * c1 / ((1 + a) ** 2 * c2)
                + 8 * a**2 * c1 / ((1 + a) * c2**2)
                + 4 * a**2 / ((1 + a) * c2)
                + 4 * a**2 / (c2 * c1)
                + 16 * a**2 * c1 / c2**3
                + 8 * a**2 / c2**2
            )
            return 4 + 1 / z
        return inf if r == 0 else 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2
    return inf if r == 0 else t * (1 + 1 / k) * (1 + 1 / r) ** 2 / 2
