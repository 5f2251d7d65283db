"""Ratios and probabilities from a log scale that no number may be able to hold."""

from __future__ import annotations

import math

import numpy as np

LARGEST = 700
"""Logarithms beyond this overflow. An estimate or a limit so far out says that the data do not bound it."""


def ratio(log_ratio: float) -> float | None:
    """Return the ratio of a log ratio, or of one of its limits; None if it is too large or too small."""
    return math.exp(log_ratio) if abs(log_ratio) < LARGEST else None


def probability(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log odds."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -LARGEST, LARGEST)))
