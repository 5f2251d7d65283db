"""Standardised differences: how far groups of patients lie apart, whatever their number.

A p value would depend on the number of patients; a difference of 0.1 is usually called small (Austin, Stat
Med 2009; 28: 3083). A factor's difference is the distance of its shares (Yang and Dalton, SAS Global Forum
2012, paper 335), which for two levels is that of a proportion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST = 2
"""Known values that a group needs: fewer have no spread."""


def largest(groups: Mapping[str, pl.Series], *, factor: bool) -> tuple[float, str] | None:
    """Return the largest standardised difference of all pairs of groups, and the names of the pair.

    Args:
        groups: group to the values of its patients; missing ones are left out.
        factor: whether the values are levels, not numbers.

    Returns:
        The difference, not negative, and `one vs. other`; None if no pair can be compared.
    """
    found = []
    for one, other in combinations(groups, 2):
        pair = (groups[one].drop_nulls(), groups[other].drop_nulls())
        difference = _of_shares(*pair) if factor else _of_means(*pair)
        if difference is not None:
            found.append((difference, f"{one} vs. {other}"))
    # If differences are equal, take the pair that comes first in the order of the groups.
    return max(found, key=lambda pair: pair[0], default=None)


def of_means(
    one: NDArray[np.floating],
    other: NDArray[np.floating],
    weights: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
) -> float | None:
    """Return the standardised difference of two means, without its sign.

    Args:
        one: numbers of one group, at least two.
        other: numbers of the other group.
        weights: weights of the patients of both groups, for the means only: the spread stays that of the
            patients as they are (Austin and Stuart, Stat Med 2015; 34: 3661).
    """
    spread = sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    means = [np.average(x, weights=w) for x, w in zip((one, other), weights or (None, None), strict=True)]
    if np.ptp(one) == 0 and np.ptp(other) == 0:
        # Not told from the spread: the mean of equal numbers may differ from them in its last digit.
        return 0.0 if one[0] == other[0] else None
    return float(abs(means[0] - means[1]) / spread)


def of_proportions(
    one: NDArray[np.bool_],
    other: NDArray[np.bool_],
    weights: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
) -> float | None:
    """Return the standardised difference of two proportions, without its sign.

    Args:
        one: whether each patient of one group has the level.
        other: the same of the other group.
        weights: weights of the patients of both groups, for the proportions only (see :func:`of_means`).
    """
    plain = [float(x.mean()) for x in (one, other)]
    spread = sqrt(sum(p * (1 - p) for p in plain) / 2)
    shares = [np.average(x, weights=w) for x, w in zip((one, other), weights or (None, None), strict=True)]
    if spread == 0:
        return 0.0 if shares[0] == shares[1] else None
    return float(abs(shares[0] - shares[1]) / spread)


def of_shares(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return the standardised distance of the shares of levels in two groups.

    Args:
        one: shares of all levels in one group, which add up to 1.
        other: those in the other group.
    """
    # The last share follows from the others; a level that nobody has says nothing.
    kept = [(a, b) for a, b in zip(one, other, strict=True) if a or b][:-1]
    if not kept:
        return 0.0
    first, second = (np.array(shares) for shares in zip(*kept, strict=True))
    covariance = (_covariance(first) + _covariance(second)) / 2
    difference = first - second
    if np.linalg.matrix_rank(covariance) < len(difference):
        # Both groups have no spread in some direction: equal there, or infinitely far apart.
        inverse = np.linalg.pinv(covariance, hermitian=True)
        if not np.allclose(covariance @ inverse @ difference, difference):
            return None
        return float(sqrt(max(0.0, difference @ inverse @ difference)))
    return float(sqrt(difference @ np.linalg.solve(covariance, difference)))


def _covariance(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.diag(shares) - np.outer(shares, shares)


def _of_means(one: pl.Series, other: pl.Series) -> float | None:
    numbers = [x.cast(pl.Float64) for x in (one, other)]
    numbers = [x.filter(x.is_finite()).to_numpy() for x in numbers]
    return None if min(map(len, numbers)) < LEAST else of_means(numbers[0], numbers[1])


def _of_shares(one: pl.Series, other: pl.Series) -> float | None:
    texts = [x.cast(pl.String) for x in (one, other)]
    if min(map(len, texts)) < LEAST:
        return None
    levels = sorted({*texts[0], *texts[1]})
    return of_shares(*([(x == level).sum() / len(x) for level in levels] for x in texts))
