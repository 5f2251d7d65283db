"""Harrell's C against its definition, counted pair by pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sarcoma_pipeline.survival import concordance
from sarcoma_pipeline.survival.concordance import harrell, harrell_with_error

Row = tuple[float, bool, float, float]
"""Time, event, risk and entry."""


def _pairs(rows: list[Row]) -> Iterator[tuple[int, int, float]]:
    """Yield each pair of an event and a patient who lived longer, and what it counts for the event."""
    for i, (time, event, risk, _) in enumerate(rows):
        for j, (other, ended, less, entry) in enumerate(rows):
            longer = other > time or (other == time and not ended)
            if event and longer and not entry >= time:
                yield i, j, 1.0 if risk > less else 0.5 if risk == less else 0.0


def _defined(rows: list[Row]) -> tuple[float, float] | None:
    """C, and its error from the influence of each patient (R's ``survival::concordance``)."""
    pairs = list(_pairs(rows))
    if not pairs:
        return None
    c = sum(won for *_, won in pairs) / len(pairs)
    influence = np.zeros(len(rows))
    for i, j, won in pairs:
        influence[[i, j]] += (won - c) / len(pairs)
    return c, float(np.sqrt((influence**2).sum()))


@pytest.mark.parametrize("few", [0, concordance._FEW], ids=["wavelet matrix", "one by one"])
@pytest.mark.parametrize("delayed", [False, True])
def test_every_pair_counts_once(few, delayed, monkeypatch):
    """Few events and many ties: the patient at highest risk is often one who is censored."""
    monkeypatch.setattr(concordance, "_FEW", few)
    rng = np.random.default_rng(7)
    estimated = 0
    for _ in range(60):
        n = int(rng.integers(0, 20))
        time, event = rng.integers(1, 12, n), rng.random(n) < rng.random()
        risk = rng.integers(0, 12, n)
        entry = np.where(rng.random(n) < 0.5, np.nan, time - rng.integers(1, 6, n))
        entry = entry if delayed else np.full(n, np.nan)
        rows = list(zip(*(a.tolist() for a in (time, event, risk, entry)), strict=True))
        found = harrell_with_error(time, event, risk, entry if delayed else None)
        expected = _defined(rows)
        assert harrell(time, event, risk, entry if delayed else None) == found.value
        if expected is None:
            assert (found.value, found.standard_error) == (None, None)
        else:
            estimated += 1
            assert (found.value, found.standard_error) == pytest.approx(expected, abs=1e-12)
    assert estimated > 30


def test_the_patient_at_highest_risk_is_alive():
    """One death at risk 0: nobody who lives longer is at lower risk, and C is 0."""
    for ranks in range(1, 20):
        risk = np.arange(ranks + 1.0)
        assert harrell([1.0] + [2.0] * ranks, [True] + [False] * ranks, risk) == 0
