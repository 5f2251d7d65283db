"""Harrell's C: the share of comparable pairs in which the patient with the higher risk has the earlier event.

Defined as in R's ``survival::concordance``: a pair is comparable if the earlier of its two times ended with
an event. Two events at the same time are not comparable; an event and a censoring at the same time are (the
censored patient lived longer). Equal risks count one half. Computed in ``n log n`` with a wavelet matrix
(Claude and Navarro 2012), because numpy has no ordered tree; lifelines gives the same result with a loop over
patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def linear_predictor(design: ArrayLike, coefficients: ArrayLike) -> NDArray[np.floating]:
    """Compute ``x'b`` of every row, with equal results for equal rows.

    A matrix product may add the terms of two equal rows in a different order, and rounding then breaks their
    tie.
    """
    return (np.asarray(design) * np.asarray(coefficients)).sum(axis=1)


@dataclass(frozen=True)
class Concordance:
    """Harrell's C and its standard error; both None if no pair is comparable."""

    value: float | None = None
    standard_error: float | None = None


def harrell(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None = None
) -> float | None:
    """Compute Harrell's C; the arguments are those of :func:`harrell_with_error`."""
    return harrell_with_error(time, event, risk, entry).value


def harrell_with_error(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None = None
) -> Concordance:
    """Compute Harrell's C, and its standard error by the infinitesimal jackknife.

    The influence of a patient is the share of their pairs: ``(wins − C pairs) / all pairs``, where a patient
    stands in a pair with those who lived longer, and with those who had an event before.

    Args:
        time: ``n``.
        event: whether the time ended with an event, ``n``.
        risk: higher values mean an earlier expected event, ``n``.
        entry: time only after which a patient can be compared, ``n``; NaN means from the beginning.

    Returns:
        C from 0 to 1, and its standard error.
    """
    times, ended = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
    order = np.lexsort((~ended, times))
    times, ended = times[order], ended[order]
    rank = np.unique(np.asarray(risk, dtype=np.float64)[order], return_inverse=True)[1]
    dying = np.flatnonzero(ended)
    # Patients who lived longer come after the last event of the same time.
    longer = dying[np.searchsorted(times[dying], times[dying], side="right") - 1] + 1
    count = len(times)
    wins, pairs = np.zeros(count), np.zeros(count)
    # Pairs in which the patient has the event and the others live longer. A win counts 2, a tie 1.
    wins[dying] = _beaten(rank, longer, rank[dying])
    pairs[dying] = count - longer
    # As the one who lives longer: against the events before. The events from the end on, latest first.
    events = rank[dying][::-1]
    last = np.searchsorted(times[dying], times, side="left")
    last = np.where(ended, last, np.searchsorted(times[dying], times, side="right"))
    start = len(dying) - last
    wins += 2 * last - _beaten(events, start, rank)
    pairs += last
    if entry is not None:
        # A patient who enters on or after the day of an event cannot be compared with it.
        enters = np.asarray(entry, dtype=np.float64)[order]
        enters = np.where(np.isnan(enters), -np.inf, enters)
        by_entry = np.argsort(enters, kind="stable")
        late = np.searchsorted(enters[by_entry], times[dying], side="left")
        wins[dying] -= _beaten(rank[by_entry], late, rank[dying])
        pairs[dying] -= count - late
        missed = np.searchsorted(times[dying], enters, side="right")
        wins -= 2 * missed - _beaten(events, len(dying) - missed, rank)
        pairs -= missed
    # Each pair has been counted for both of its patients.
    total = pairs.sum() / 2
    if not total:
        return Concordance()
    c = wins.sum() / (4 * total)
    return Concordance(float(c), float(np.sqrt(((wins / 2 - c * pairs) ** 2).sum()) / total))


def _beaten(
    values: NDArray[np.int64], start: NDArray[np.int64], bound: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count 2 for every element of ``values[start:]`` below ``bound`` and 1 for every equal one."""
    return _below(values, start, bound) + _below(values, start, bound + 1)


def _below(
    values: NDArray[np.int64], start: NDArray[np.int64], bound: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the elements of ``values[start:]`` below ``bound``, for every pair of start and bound."""
    count = np.zeros(len(start), dtype=np.int64)
    if not len(values):
        return count
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
