"""The simulation of docs/late_deaths.md: its page is current, and its truth is the one that was drawn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from docs.studies import late_deaths

PAGE = Path(__file__).parents[2] / "docs" / "late_deaths.md"


@pytest.mark.slow
def test_the_page_is_what_the_study_writes():
    text = late_deaths.page()
    assert PAGE.read_text("utf-8") == text


def test_what_happened_is_what_was_drawn():
    """Without censoring, disease-free survival is exponential with the sum of both hazards."""
    (_, rates), *_ = late_deaths.results(late_deaths.patients(5000, seed=1))
    total = late_deaths.RELAPSE + late_deaths.DEATH_BEFORE
    for months, rate in zip(late_deaths.HORIZONS, rates, strict=True):
        share = math.exp(-total * months / 12)
        error = math.sqrt(share * (1 - share) / 5000)
        assert rate / 100 == pytest.approx(share, abs=4 * error)


def test_only_the_loss_biases_the_main_rule():
    rates = dict(late_deaths.results(late_deaths.patients(5000, seed=1)))
    truth, kept, main = (
        rates[name][1]
        for name in ("what happened", "nobody is lost (main rule)", "main rule: a death counts however late")
    )
    assert abs(kept - truth) < 1 < truth - main
