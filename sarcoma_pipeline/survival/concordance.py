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


_FEW = 1 << 14
"""So many comparisons of patients with events are made one by one: a wavelet matrix takes longer."""


def harrell(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None = None
) -> float | None:
    """Compute Harrell's C without its error; the arguments are those of :func:`harrell_with_error`."""
    wins, pairs = _Ordered.of(time, event, risk, entry).as_first()
    total = pairs.sum()
    return float(wins.sum() / (2 * total)) if total else None


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
    patients = _Ordered.of(time, event, risk, entry)
    first_wins, first_pairs = patients.as_first()
    total = first_pairs.sum()
    if not total:
        return Concordance()
    wins, pairs = patients.as_second()
    wins[patients.dying] += first_wins
    pairs[patients.dying] += first_pairs
    c = first_wins.sum() / (2 * total)
    return Concordance(float(c), float(np.sqrt(((wins / 2 - c * pairs) ** 2).sum()) / total))


@dataclass(frozen=True)
class _Ordered:
    """Patients by time, events before censorings.

    Attributes:
        times: ``n``.
        ended: whether the time ended with an event, ``n``.
        rank: rank of the risk, equal for equal risks, ``n``.
        dying: positions of the events.
        enters: times of entry, minus infinity from the beginning, ``n``; None if that holds for all.
    """

    times: NDArray[np.float64]
    ended: NDArray[np.bool_]
    rank: NDArray[np.int64]
    dying: NDArray[np.int64]
    enters: NDArray[np.float64] | None

    @classmethod
    def of(cls, time: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None) -> _Ordered:
        times, ended = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
        order = np.lexsort((~ended, times))
        ended = ended[order]
        enters = None
        if entry is not None:
            enters = np.asarray(entry, dtype=np.float64)[order]
            enters = np.where(np.isnan(enters), -np.inf, enters)
        rank = np.unique(np.asarray(risk, dtype=np.float64)[order], return_inverse=True)[1]
        return cls(times[order], ended, rank, np.flatnonzero(ended), enters)

    def as_first(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count wins and pairs of each event against those who live longer; a win counts 2, a tie 1."""
        times, rank, dying = self.times, self.rank, self.dying
        # Patients who lived longer come after the last event of the same time.
        longer = dying[np.searchsorted(times[dying], times[dying], side="right") - 1] + 1
        wins, pairs = _beaten(rank, longer, rank[dying]), len(times) - longer
        if self.enters is not None:
            # A patient who enters on or after the day of an event cannot be compared with it.
            by_entry = np.argsort(self.enters, kind="stable")
            late = np.searchsorted(self.enters[by_entry], times[dying], side="left")
            wins -= _beaten(rank[by_entry], late, rank[dying])
            pairs -= len(times) - late
        return wins, pairs

    def as_second(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count wins and pairs of each patient, as the one who lives longer, against the events before."""
        times, rank, dying = self.times, self.rank, self.dying
        # The events from the end on, latest first.
        events = rank[dying][::-1]
        last = np.searchsorted(times[dying], times, side="left")
        last = np.where(self.ended, last, np.searchsorted(times[dying], times, side="right"))
        wins, pairs = 2 * last - _beaten(events, len(dying) - last, rank), last
        if self.enters is not None:
            missed = np.searchsorted(times[dying], self.enters, side="right")
            wins -= 2 * missed - _beaten(events, len(dying) - missed, rank)
            pairs = pairs - missed
        return wins, pairs


def _beaten(
    values: NDArray[np.int64], start: NDArray[np.int64], bound: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count 2 for every element of ``values[start:]`` below ``bound`` and 1 for every equal one."""
    count = np.zeros(len(start), dtype=np.int64)
    if not len(values):
        return count
    if len(values) * len(start) <= _FEW:
        after = np.arange(len(values)) >= start[:, None]
        below, equal = values < bound[:, None], values == bound[:, None]
        return 2 * (after & below).sum(axis=1) + (after & equal).sum(axis=1)
    low, high = start.copy(), np.full(len(start), len(values))
    # A bound may lie above every value: the patient at highest risk need not have had the event.
    for bit in reversed(range(int(max(values.max(), bound.max())).bit_length())):
        zero = (values >> bit) & 1 == 0
        before = np.concatenate([[0], np.cumsum(zero)])
        low_zeros, high_zeros = before[low], before[high]
        one = (bound >> bit) & 1 == 1
        count += np.where(one, high_zeros - low_zeros, 0)
        low = np.where(one, before[-1] + low - low_zeros, low_zeros)
        high = np.where(one, before[-1] + high - high_zeros, high_zeros)
        values = np.concatenate([values[zero], values[~zero]])
    # What is left between low and high agrees with the bound in every bit.
    return 2 * count + high - low
