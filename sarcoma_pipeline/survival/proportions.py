"""Compute exact statistics of proportions: Clopper and Pearson's interval, and Fisher's test of groups."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, prod


def exact_interval(events: int, of: int) -> tuple[float, float] | None:
    """Return the exact 95 % interval of a proportion (Clopper and Pearson 1934); None of nothing."""
    # Imported when needed, because it is slow. scipy.stats computes the same and takes four times as long.
    from scipy.special import betaincinv

    if of == 0:
        return None
    low = 0.0 if events == 0 else float(betaincinv(events, of - events + 1, 0.025))
    high = 1.0 if events == of else float(betaincinv(events + 1, of - events, 0.975))
    return low, high


MOST_TABLES, MOST_TERMS = 200_000, 10**8
"""Tables, and tables times patients, up to which Fisher's test counts every table: a second, and some 100 MB.
The weight of a table has as many bits as there are patients."""
SIMULATED = 100_000
"""Tables of a simulation: a p of 0.05 has a standard error of 0.0007."""
_SEED = 1951


def fisher(groups: Sequence[tuple[int, int]]) -> float | None:
    """Return the two-sided p of Fisher's exact test of two or more groups (Freeman and Halton 1951).

    All distributions of the events over the groups are counted in whole numbers: the probability of each one,
    and the sum of those that are not more likely than the observed one. If there are too many of them
    (:data:`MOST_TABLES`, :data:`MOST_TERMS`), they are drawn at random, always the same ones, as R does with
    ``simulate.p.value`` (Hope 1968).

    Args:
        groups: events and patients of each group.

    Returns:
        The p value; None with fewer than two groups with patients, or if all or no patients have the event.
    """
    found = [(events, of) for events, of in groups if of]
    sizes = [of for _, of in found]
    total, patients = sum(events for events, _ in found), sum(sizes)
    if len(sizes) < 2 or total in (0, patients):
        return None
    tables = _number_of_tables(sizes, total)
    if tables > min(MOST_TABLES, MOST_TERMS / patients):
        return _simulated([events for events, _ in found], sizes)
    observed = prod(comb(of, events) for events, of in found)
    unlikely = sum(weight * ways for weight, ways in _weights(sizes, total).items() if weight <= observed)
    return unlikely / comb(patients, total)


def _number_of_tables(sizes: Sequence[int], total: int) -> float:
    """Return in how many ways the events can be divided among the groups."""
    import numpy as np

    ways = np.zeros(total + 1)
    ways[0] = 1
    for of in sizes:
        sums = np.cumsum(ways)
        ways = sums - np.concatenate([np.zeros(min(of + 1, total + 1)), sums])[: total + 1]
    return float(ways[total])


def _weights(sizes: Sequence[int], total: int) -> dict[int, int]:
    """Return the weights of all tables with the number of tables that have each one."""
    # The same by the events that are left; the groups behind must have room for these.
    left_with: dict[int, dict[int, int]] = {total: {1: 1}}
    room = sum(sizes)
    for of in sizes:
        room -= of
        factors = _binomials(of, min(of, total))
        grown: dict[int, dict[int, int]] = {}
        for left, weights in left_with.items():
            for events in range(max(0, left - room), min(of, left) + 1):
                into = grown.setdefault(left - events, {})
                for weight, ways in weights.items():
                    product = weight * factors[events]
                    into[product] = into.get(product, 0) + ways
        left_with = grown
    return left_with[0]


def _binomials(of: int, most: int) -> list[int]:
    """Return the numbers of ways to choose 0, 1, … patients of a group."""
    found = [1]
    for chosen in range(most):
        found.append(found[-1] * (of - chosen) // (chosen + 1))
    return found


def _simulated(events: Sequence[int], sizes: Sequence[int]) -> float:
    """Return the share of tables that are not more likely than the observed one, in it and random ones."""
    import numpy as np
    from scipy.special import gammaln

    def weight(table: np.ndarray) -> np.ndarray:
        return -(gammaln(table + 1) + gammaln(np.array(sizes) - table + 1)).sum(axis=-1)

    rng = np.random.default_rng(_SEED)
    drawn = rng.multivariate_hypergeometric(sizes, sum(events), SIMULATED, method="marginals")
    observed = weight(np.array(events))
    # Equal weights differ by rounding.
    return (1 + int((weight(drawn) <= observed + 1e-7).sum())) / (1 + SIMULATED)
