"""Firth's model with very little data: a small centre with three events and six covariates."""

import numpy as np
import polars as pl

from sarcoma_pipeline.survival import firth
from sarcoma_pipeline.survival.partial_likelihood import PartialLikelihood


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
