"""Firth's model with very little data: a small centre with three events and six covariates."""

import warnings

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import firth
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate, PartialLikelihood


def _few_events(seed: int, patients: int = 44, events: int = 3) -> PartialLikelihood:
    draw = np.random.default_rng(seed)
    x = (draw.random((patients, 6)) < 0.3).astype(float)
    time = draw.integers(1, 60, patients)
    event = np.zeros(patients, dtype=bool)
    event[draw.choice(patients, events, replace=False)] = True
    return PartialLikelihood(pl.Series(time), pl.Series(event), x)


def test_three_events_are_profiled_in_few_steps(monkeypatch):
    evaluated = 0
    at = PartialLikelihood.at

    def counted(self, coefficients):
        nonlocal evaluated
        evaluated += 1
        return at(self, coefficients)

    monkeypatch.setattr(PartialLikelihood, "at", counted)
    found = firth.penalised(_few_events(0))
    assert np.isfinite([*found.low, *found.high]).all()
    # With the penalty's curvature, Newton's method needs few steps; with the information alone, over 20 000.
    assert evaluated < 5000


def test_limits_are_where_the_profile_has_fallen_by_chi_squared():
    likelihood = _few_events(1)
    found = firth.penalised(likelihood)
    scale = np.sqrt(np.diag(likelihood.at(np.zeros(likelihood.p)).information))
    every = np.ones(likelihood.p, dtype=bool)
    _, height, _ = firth._maximise(likelihood, np.zeros(likelihood.p), every, scale)
    for limits in (found.low, found.high):
        for i, limit in enumerate(limits):
            at, free = found.coefficients.copy(), every.copy()
            at[i], free[i] = limit, False
            _, reached, _ = firth._maximise(likelihood, at, free, scale)
            assert abs(2 * (height - reached) - 3.841458820694124) < 1e-8


@pytest.mark.parametrize("values", [(1.0, 0.0), (0.1, 0.3), (1 / 3, 1e6)])
def test_a_covariate_that_never_differs_among_those_at_risk_has_no_estimate(values):
    """Two pairs that are never at risk together: everybody at risk has the same value."""
    x = np.array([values[0]] * 2 + [values[1]] * 2)
    time, entry = [5, 10, 15, 20], np.array([np.nan, np.nan, 10, 10])
    likelihood = PartialLikelihood(time, [True, False, True, False], x[:, None], entry)
    with warnings.catch_warnings(), pytest.raises(NoEstimate):
        warnings.simplefilter("error")
        firth.penalised(likelihood)
    with pytest.raises(NoEstimate):
        likelihood.maximum()
