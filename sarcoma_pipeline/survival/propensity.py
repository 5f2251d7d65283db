"""Propensity scores: the probability of a treatment given covariates, by logistic regression.

If the covariates separate the treatments, the maximum of the likelihood does not exist; then Firth's penalty
keeps the scores between 0 and 1 (Firth 1993; Heinze and Schemper 2002). Results equal R's ``glm``
(`tests/golden/weighting.R`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sarcoma_pipeline.survival.ratio import probability

Floats = NDArray[np.floating]

MAXIMUM_LIKELIHOOD, FIRTH = "logistic regression", "logistic regression with Firth's penalty"
_STEPS, _SETTLED = 100, 1e-20
"""Newton's steps, and the squared step in standard errors that ends them."""
_SEPARATED = 1e-7
"""A fitted probability nearer to 0 or 1 means that the covariates separate the treatments."""


@dataclass(frozen=True)
class Propensity:
    """Fitted probabilities.

    Attributes:
        scores: probability of the treatment of every patient, ``n``.
        coefficients: log odds, the intercept first.
        method: `MAXIMUM_LIKELIHOOD` or `FIRTH`.
    """

    scores: Floats
    coefficients: Floats
    method: str


def propensity(design: Floats, treated: NDArray[np.bool_]) -> Propensity | None:
    """Fit the probability of a treatment; None if not even the penalised fit settles.

    Args:
        design: covariates without an intercept, no column a combination of the others; ``n × p``.
        treated: whether each patient had the treatment, ``n``; both must occur.
    """
    x = np.column_stack([np.ones(len(treated)), design])
    for method, penalised in ((MAXIMUM_LIKELIHOOD, False), (FIRTH, True)):
        found = _fitted(x, treated.astype(np.float64), penalised)
        if found is None:
            continue
        scores = probability(x @ found)
        if np.minimum(scores, 1 - scores).min() > (0 if penalised else _SEPARATED):
            return Propensity(scores, found, method)
    return None


def _fitted(x: Floats, y: Floats, penalised: bool) -> Floats | None:
    # Columns of mean 0 and spread 1 keep the information well-conditioned; coefficients are turned back.
    centre, spread = x.mean(axis=0), x.std(axis=0)
    centre[0], spread[0] = 0.0, 1.0
    z = (x - centre) / spread
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = probability(z @ beta)
        weight = p * (1 - p)
        information = z.T @ (weight[:, None] * z)
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        rest = y - p
        if penalised:
            hat = weight * np.einsum("ij,jk,ik->i", z, inverse, z)
            rest = rest + hat * (0.5 - p)
        score = z.T @ rest
        step = inverse @ score
        size = float(step @ score)
        if not np.isfinite(size):
            return None
        beta = beta + step * min(1.0, 3 / max(np.abs(step).max(), 1e-300))
        if abs(size) < _SETTLED:
            turned = beta / spread
            turned[0] -= float((beta[1:] * centre[1:] / spread[1:]).sum())
            return turned
    return None
