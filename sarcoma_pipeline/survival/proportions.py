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


def fisher(groups: Sequence[tuple[int, int]]) -> float | None:
    """Return the two-sided p of Fisher's exact test of two or more groups (Freeman and Halton 1951).

    All distributions of the events over the groups are counted in whole numbers: the probability of each one,
    and the sum of those that are not more likely than the observed one.

    Args:
        groups: events and patients of each group.

    Returns:
        The p value; None with fewer than two groups with patients, or if all or no patients have the event.
    """
    sizes = [of for _, of in groups if of]
    total = sum(events for events, _ in groups)
    if len(sizes) < 2 or total in (0, sum(sizes)):
        return None
    observed = prod(comb(of, events) for events, of in groups)
    # Weight of a partial table to the number of ways, by the events that are left.
    tables: dict[int, dict[int, int]] = {total: {1: 1}}
    for of in sizes:
        grown: dict[int, dict[int, int]] = {}
        for left, weights in tables.items():
            for events in range(min(of, left) + 1):
                into = grown.setdefault(left - events, {})
                factor = comb(of, events)
                for weight, ways in weights.items():
                    into[weight * factor] = into.get(weight * factor, 0) + ways
        tables = grown
    unlikely = sum(weight * ways for weight, ways in tables[0].items() if weight <= observed)
    return unlikely / comb(sum(sizes), total)
