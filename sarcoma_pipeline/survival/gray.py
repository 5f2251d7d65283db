"""Compare cumulative incidences between groups: Gray's test (Ann Stat 1988; 16: 1141-54).

Results equal R's ``cmprsk::cuminc``, with weight 1 (rho = 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.chi_square_tail import tail

CENSORED, EVENT, COMPETING = 0, 1, 2


@dataclass(frozen=True)
class Test:
    """Gray's test of one cause.

    Attributes:
        statistic: chi-square.
        degrees: degrees of freedom: groups at risk at an event of the cause, minus one.
        p_value: probability of at least this statistic if the incidence is the same in all groups.
    """

    statistic: float
    degrees: int
    p_value: float


def test(times: pl.DataFrame, cause: str) -> Test | None:
    """Compare the cumulative incidence of a cause between groups.

    Args:
        times: ``days``, ``cause`` (null if censored) and ``level`` (the group), one row per patient; nobody
            enters late.
        cause: the cause; all others compete.

    Returns:
        The test; None with fewer than two groups, if no patient has the cause, if no two groups can be
        compared at any of its events, or if Gray's variance is negative, as it can be where most patients of
        a group have the event on one day. ``cmprsk`` gives -1 or a negative number in these cases.
    """
    levels = sorted(times["level"].unique().to_list())
    if len(levels) < 2 or not (times["cause"] == cause).any():
        return None
    kind = np.where(
        times["cause"].is_null().to_numpy(),
        CENSORED,
        np.where((times["cause"] == cause).fill_null(False).to_numpy(), EVENT, COMPETING),
    )
    days, at = np.unique(times["days"].to_numpy(), return_inverse=True)
    group = times["level"].replace_strict(levels, list(range(len(levels)))).to_numpy()
    ended = np.zeros((len(days), len(levels), 3))
    np.add.at(ended, (at, group, kind), 1)
    score, covariance = _score(ended)
    # The scores add up to 0, so one group is redundant. So is one whose patients left before the first event.
    variances, directions = np.linalg.eigh(covariance)
    least = 1e-9 * max(float(variances.max()), 1e-9)
    along, free = directions.T @ score, variances > least
    if variances.min() < -least or not free.any() or not np.allclose(along[~free], 0, atol=1e-6):
        return None
    statistic, degrees = float((along[free] ** 2 / variances[free]).sum()), int(free.sum())
    return Test(statistic, degrees, float(tail(degrees, statistic)))


def _score(ended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of the groups and their covariance.

    Args:
        ended: patients by time, group and kind of end.
    """
    groups = ended.shape[1]
    at_risk = ended.sum(axis=(0, 2))
    score, covariance = np.zeros(groups), np.zeros((groups, groups))
    survival_before, incidence_before = np.ones(groups), np.zeros(groups)
    common_before = 0.0
    # Gray's c, v2 and v3: integrals of the influence of each group's events.
    influence, cross, spread = np.zeros((groups, groups)), np.zeros((groups, groups)), np.zeros(groups)
    for now in ended:
        here, events, others = at_risk > 0, now[:, EVENT], now[:, COMPETING]
        died = events.sum()
        if died + others.sum() > 0:
            risk, before = at_risk[here], survival_before[here]
            survival, incidence = survival_before.copy(), incidence_before.copy()
            survival[here] = before * (risk - events[here] - others[here]) / risk
            incidence[here] = incidence_before[here] + before * events[here] / risk
            share = np.zeros(groups)
            share[here] = risk / before
            total = share.sum()
            weight = share * (1 - incidence_before)
            common = common_before + died / total
            score += events - died * weight / weight.sum()
            a = np.diag(share) - np.outer(share, share) / total
            influence = influence + a * died / (total * (1 - common_before))
            if died:
                for k in np.flatnonzero(here).tolist():
                    t4 = 1 - (1 - common) / survival[k] if survival[k] > 0 else 1.0
                    tied = 1 - (died - 1) / (total * survival_before[k] - 1) if died > 1 else 1.0
                    t3 = tied * survival_before[k] * died / (total * at_risk[k])
                    covariance, cross, spread = _added(
                        covariance, cross, spread, k, a[:, k] - t4 * influence[:, k], t4, t3
                    )
            for k in np.flatnonzero(here & (others > 0) & (survival > 0)).tolist():
                t4 = (1 - common) / survival[k]
                tied = 1 - (others[k] - 1) / (at_risk[k] - 1) if others[k] > 1 else 1.0
                t3 = tied * survival_before[k] ** 2 * others[k] / at_risk[k] ** 2
                covariance, cross, spread = _added(
                    covariance, cross, spread, k, t4 * influence[:, k], -t4, t3
                )
            survival_before, incidence_before, common_before = survival, incidence, common
        at_risk = at_risk - now.sum(axis=1)
    covariance = covariance + (influence * spread) @ influence.T + influence @ cross.T + cross @ influence.T
    return score, covariance


def _added(
    covariance: np.ndarray,
    cross: np.ndarray,
    spread: np.ndarray,
    k: int,
    own: np.ndarray,
    slope: float,
    variance: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add the variance of the events of group ``k`` at one time."""
    cross, spread = cross.copy(), spread.copy()
    cross[:, k] += own * slope * variance
    spread[k] += slope**2 * variance
    return covariance + np.outer(own, own) * variance, cross, spread
