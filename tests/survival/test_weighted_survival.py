"""Sums over intervals and the weighted Cox model, against their definitions counted patient by patient."""

import numpy as np
import pytest

from sarcoma_pipeline.survival.intervals import Intervals
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate
from sarcoma_pipeline.survival.weighted_survival import WeightedLikelihood, cox
from schemas.statistics import Ties
from tests.survival.small_samples import Floats, Sample, samples


def test_intervals_are_summed_as_counted() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        n, points = int(rng.integers(0, 9)), int(rng.integers(1, 20))
        first, past = rng.integers(0, points + 1, (2, n))
        intervals = Intervals(first, past, points)
        inside = (np.arange(points) >= first[:, None]) & (np.arange(points) < past[:, None])
        of_intervals, of_points = (rng.integers(0, 99, (k, 2)).astype(float) for k in (n, points))
        assert intervals.over_intervals(of_intervals).tolist() == (inside.T @ of_intervals).tolist()
        assert intervals.over_points(of_points).tolist() == (inside @ of_points).tolist()


def test_small_values_are_not_lost_beside_large_ones() -> None:
    """Points 0 to 5 are in an interval of 1e20; the interval of 1e-20 begins after it."""
    intervals = Intervals(np.array([0, 6, 0]), np.array([6, 9, 0]), 9)
    assert (
        intervals.over_intervals(np.array([[1e20], [1e-20], [1.0]]))[:, 0].tolist()
        == [1e20] * 6 + [1e-20] * 3
    )
    through = intervals.over_points(np.array([[1e20]] * 6 + [[1e-20]] * 3))[:, 0]
    assert through.tolist() == pytest.approx([6e20, 3e-20, 0], rel=1e-15, abs=0)


def _by_definition(
    sample: Sample, x: Floats, weights: Floats, beta: Floats, ties: Ties
) -> tuple[Floats, Floats, Floats]:
    """Return score, information, and each patient's score residual (R: coxscore), by risk set."""
    n, p = x.shape
    relative = np.exp(x @ beta)
    score, information, residuals = np.zeros(p), np.zeros((p, p)), np.zeros((n, p))
    for now in np.unique(sample.time[sample.event]):
        risk, dying = sample.at_risk(now), sample.event & (sample.time == now)
        count = int(dying.sum())
        mean_weight = weights[dying].sum() / count
        score += (weights[dying, None] * x[dying]).sum(axis=0)
        for number in range(count):
            # Efron's share of the dying that the risk set leaves out.
            share = 0.0 if ties == "breslow" else number / count
            exposed = np.where(dying, 1 - share, 1.0) * risk * relative
            total = (exposed * weights).sum()
            mean = ((exposed * weights)[:, None] * x).sum(axis=0) / total
            apart = x - mean
            score -= mean_weight * mean
            information += mean_weight / total * (apart.T @ ((exposed * weights)[:, None] * apart))
            residuals += apart * (dying / count - exposed * mean_weight / total)[:, None]
    return score, information, residuals


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_derivatives_are_those_of_the_definition(ties: Ties) -> None:
    rng, compared = np.random.default_rng(6), 0
    for sample in samples(150, seed=6):
        if not sample.event.any():
            continue
        weights = rng.choice([0.01, 1, 3, 100], len(sample.time)) * rng.uniform(0.5, 2, len(sample.time))
        beta = rng.normal(size=2) * rng.choice([0, 1, 3])
        time = sample.time.astype(float)
        likelihood = WeightedLikelihood(time, sample.event, sample.design, weights, sample.entry, ties)
        ours = likelihood.at(beta)
        score, information, residuals = _by_definition(sample, likelihood.x, weights, beta, ties)
        for found, expected in (
            (ours.score, score), (ours.information, information), (ours.residuals, residuals),
        ):  # fmt: skip
            size = max(np.abs(expected).max(), 1e-3)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * size)
        compared += 1
    assert compared > 100


@pytest.mark.parametrize("late", [False, True])
def test_a_group_without_events_has_no_estimate(late: bool) -> None:
    """Far out, the information is a rounding error: Newton's method did not settle, or it did and p was 0."""
    rng = np.random.default_rng(2)
    n = 30
    treated = np.arange(n) % 3 == 0
    time, event = rng.integers(5, 20, n).astype(float), ~treated & (rng.random(n) < 0.7)
    entry = np.where(np.arange(n) % 2, 3.0, np.nan) if late else None
    for weights in (np.ones(n), rng.uniform(0.2, 5, n)):
        with pytest.raises(NoEstimate, match="tends to infinity"):
            cox(time, event, treated.astype(float)[:, None], weights, entry)
