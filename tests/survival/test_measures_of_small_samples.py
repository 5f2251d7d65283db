"""Tests and measures of small samples against their definitions: every table, every pair, every patient."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, exp, log, nan, prod, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from sarcoma_pipeline.survival import balance, weighted_survival
from sarcoma_pipeline.survival.chained_equations import nelson_aalen
from sarcoma_pipeline.survival.external_validation import uno
from sarcoma_pipeline.survival.model_tests import adjusted
from sarcoma_pipeline.survival.proportions import fisher
from tests.survival.small_samples import Sample, samples

Z = NormalDist().inv_cdf(0.975)


def test_fishers_p_adds_all_tables_that_are_not_more_likely() -> None:
    rng = np.random.default_rng(1)
    for _ in range(150):
        sizes = rng.integers(0, 6, int(rng.integers(1, 5))).tolist()
        groups = [(int(rng.integers(0, of + 1)), of) for of in sizes]
        total = sum(events for events, _ in groups)
        if sum(of > 0 for of in sizes) < 2 or total in (0, sum(sizes)):
            assert fisher(groups) is None
            continue
        ways = {
            table: prod(comb(of, events) for events, of in zip(table, sizes, strict=True))
            for table in product(*(range(of + 1) for of in sizes))
            if sum(table) == total
        }
        observed = ways[tuple(events for events, _ in groups)]
        unlikely = sum(w for w in ways.values() if w <= observed)
        assert fisher(groups) == pytest.approx(float(Fraction(unlikely, comb(sum(sizes), total))))


@pytest.mark.parametrize("method", ["holm", "false discovery rate"])
def test_p_values_are_adjusted_by_their_definition(method: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        given = rng.choice([0, 0.001, 0.01, 0.02, 0.04, 0.2, 1], int(rng.integers(0, 7))).tolist()
        m = len(given)
        for p, found in zip(given, adjusted(given, method), strict=True):
            # Holm: the largest of the smaller p values, each times those that are not smaller.
            holm = max(min(1.0, q * (m - sum(r < q for r in given))) for q in given if q <= p)
            # Benjamini and Hochberg: the least of the larger ones, each times m by those that are not larger.
            rate = min(min(1.0, m * q / sum(r <= q for r in given)) for q in given if q >= p)
            assert found == pytest.approx(holm if method == "holm" else rate)


def test_the_distance_of_shares_is_mahalanobis_of_all_levels() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        levels = int(rng.integers(1, 5))
        n = rng.integers(1, 12, 2)
        one, other = (rng.multinomial(of, rng.dirichlet(np.full(levels, 0.5))) / of for of in n)
        covariance = sum(np.diag(x) - np.outer(x, x) for x in (one, other)) / 2
        inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
        apart = one - other
        reached = np.allclose(covariance @ inverse @ apart, apart, atol=1e-9)
        expected = sqrt(max(0.0, float(apart @ inverse @ apart))) if reached else None
        found = balance.of_shares(one.tolist(), other.tolist())
        assert found == (None if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-9))


def _uno(sample: Sample, risk: np.ndarray) -> float | None:
    """Compare every pair of which one has an event while the other lives on; weight 1 / G² of its time."""
    time, event = sample.time, sample.event
    wins = pairs = 0.0
    for i in np.flatnonzero(event):
        uncensored = 1.0
        for day in (day for day in sample.days if day < time[i]):
            left = sample.at_risk(day) & ~((time == day) & event)
            lost = int(((time == day) & ~event).sum())
            uncensored *= 1 - lost / left.sum() if lost < left.sum() else 1
        longer = sample.at_risk(time[i]) & ((time > time[i]) | ~event)
        pairs += longer.sum() / uncensored**2
        won = (risk[longer] < risk[i]).sum() + (risk[longer] == risk[i]).sum() / 2
        wins += won / uncensored**2
    return wins / pairs if pairs else None


def test_unos_c_weights_every_pair() -> None:
    for sample in samples(150, seed=6):
        risk = sample.design[:, 0]
        found = uno(sample.time.astype(np.float64), sample.event, risk, sample.entry).value
        expected = _uno(sample, risk)
        assert found == (None if expected is None else pytest.approx(expected))


def test_the_cumulative_hazard_is_that_of_the_days_at_risk() -> None:
    for sample in samples(150, seed=7):
        hazard = {
            day: (sample.event & (sample.time == day)).sum() / sample.at_risk(day).sum()
            for day in sample.days
        }
        expected = [
            sum(h for day, h in hazard.items() if day <= time and not day <= entry)
            for time, entry in zip(sample.time, sample.entry, strict=True)
        ]
        found = nelson_aalen(sample.time.tolist(), sample.event, sample.entry)
        assert found.tolist() == pytest.approx(expected)


def _survival(sample: Sample, weights: np.ndarray) -> dict[int, complex]:
    """Return the Kaplan–Meier estimate of weighted patients by day."""
    survival, found = 1 + 0j, {}
    for day in sample.days:
        survival *= (
            1 - weights[sample.event & (sample.time == day)].sum() / weights[sample.at_risk(day)].sum()
        )
        found[day] = survival
    return found


def test_a_weighted_curve_has_the_error_of_the_jackknife() -> None:
    rng, tiny = np.random.default_rng(8), 1e-20
    for sample in samples(80, seed=8):
        n = len(sample.time)
        weights = rng.choice([0.001, 1, 3, 1000], n)
        steps = list(weighted_survival.curve(sample.time.astype(float), sample.event, weights, sample.entry))
        ours = {round(step.days): step for step in steps}
        # The derivative by each weight, by a complex step, times the weight.
        moved = [_survival(sample, weights + tiny * 1j * np.eye(n)[i]) for i in range(n)]
        for day, value in _survival(sample, weights).items():
            survival, low, high = value.real, nan, nan
            if 1e-9 < survival < 1 - 1e-9:
                error = sqrt(sum((w * m[day].imag / tiny) ** 2 for w, m in zip(weights, moved, strict=True)))
                middle, width = log(-log(survival)), Z * error / (survival * -log(survival))
                low, high = exp(-exp(middle + width)), exp(-exp(middle - width))
            found = ours[day]
            limits = [nan if x is None else x for x in (found.low, found.high)]
            assert [found.survival, *limits] == pytest.approx([survival, low, high], abs=1e-9, nan_ok=True)
            assert found.at_risk == sample.at_risk(day).sum()
            assert found.weighted_at_risk == pytest.approx(weights[sample.at_risk(day)].sum())
