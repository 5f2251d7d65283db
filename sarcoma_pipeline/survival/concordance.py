"""Harrell's C: the share of comparable pairs in which the patient with the higher risk has the earlier event.

Defined as in R's ``survival::concordance``: a pair is comparable if the earlier of its two times ended with
an event. Two events at the same time are not comparable; an event and a censoring at the same time are (the
censored patient lived longer). Equal risks count one half. Computed in ``n log n`` with a wavelet matrix
(Claude and Navarro 2012), because numpy has no ordered tree; lifelines gives the same result with a loop over
patients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def linear_predictor(design: ArrayLike, coefficients: ArrayLike) -> NDArray[np.floating]:
    """Compute ``x'b`` of every row, with equal results for equal rows.

    A matrix product may add the terms of two equal rows in a different order, and rounding then breaks their
    tie.
    """
    return (np.asarray(design) * np.asarray(coefficients)).sum(axis=1)


def harrell(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None = None
) -> float | None:
    """Compute Harrell's C.

    Args:
        time: ``n``.
        event: whether the time ended with an event, ``n``.
        risk: higher values mean an earlier expected event, ``n``.
        entry: time only after which a patient can be compared, ``n``; NaN means from the beginning.

    Returns:
        0 to 1; None if no pair is comparable.
    """
    times, ended = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
    order = np.lexsort((~ended, times))
    times, ended = times[order], ended[order]
    rank = np.unique(np.asarray(risk, dtype=np.float64)[order], return_inverse=True)[1]
    dying = np.flatnonzero(ended)
    # Patients who lived longer come after the last event of the same time.
    longer = dying[np.searchsorted(times[dying], times[dying], side="right") - 1] + 1
    below, not_above = _below(rank, longer, rank[dying]), _below(rank, longer, rank[dying] + 1)
    wins, pairs = int(below.sum() + not_above.sum()), int((len(times) - longer).sum())
    if entry is not None:
        # A patient who enters on or after the day of an event cannot be compared with it.
        enters = np.asarray(entry, dtype=np.float64)[order]
        enters = np.where(np.isnan(enters), -np.inf, enters)
        by_entry = np.argsort(enters, kind="stable")
        late = np.searchsorted(enters[by_entry], times[dying], side="left")
        values = rank[by_entry]
        wins -= int((_below(values, late, rank[dying]) + _below(values, late, rank[dying] + 1)).sum())
        pairs -= int((len(times) - late).sum())
    return wins / (2 * pairs) if pairs else None


def _below(
    values: NDArray[np.int64], start: NDArray[np.int64], bound: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the elements of ``values[start:]`` below ``bound``, for every pair of start and bound."""
    count = np.zeros(len(start), dtype=np.int64)
    low, high = start.copy(), np.full(len(start), len(values))
    for bit in reversed(range(int(values.max() + 1).bit_length())):
        zero = (values >> bit) & 1 == 0
        before = np.concatenate([[0], np.cumsum(zero)])
        low_zeros, high_zeros = before[low], before[high]
        one = (bound >> bit) & 1 == 1
        count += np.where(one, high_zeros - low_zeros, 0)
        low = np.where(one, before[-1] + low - low_zeros, low_zeros)
        high = np.where(one, before[-1] + high - high_zeros, high_zeros)
        values = np.concatenate([values[zero], values[~zero]])
    return count
