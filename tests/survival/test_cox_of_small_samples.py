"""The partial likelihood against its definition, one risk set after the other, on small samples."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import design
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate, PartialLikelihood
from schemas.statistics import Ties
from tests.survival.small_samples import Sample, samples

TINY = 1e-20


def _log_likelihood(sample: Sample, beta: np.ndarray, ties: Ties, *, strata: bool) -> complex:
    """Return the logarithm of the product over the deaths; of each stratum alone if there are strata."""
    linear, total = sample.design @ beta, 0j
    for level in sorted(set(sample.level)) if strata else [None]:
        mine = np.ones(len(linear), dtype=bool) if level is None else sample.level == level
        for day in sample.days:
            dying = mine & sample.event & (sample.time == day)
            risk = np.exp(linear[mine & sample.at_risk(day)]).sum()
            own = np.exp(linear[dying]).sum()
            deaths = int(dying.sum())
            total += linear[dying].sum()
            for i in range(deaths):
                total -= np.log(risk - (i / deaths * own if ties == "efron" else 0))
    return total


def _likelihood(sample: Sample, ties: Ties, *, strata: bool) -> PartialLikelihood:
    frame = sample.frame()
    if strata:
        frame = frame.with_columns((pl.col("level").rank("dense")).cast(pl.Int64).alias(design.STRATUM))
    time, entry = design.at_risk(frame)
    return PartialLikelihood(time, sample.event, sample.design, entry, ties)


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_likelihood_and_its_slope_are_those_of_the_definition(ties: Ties, strata: bool) -> None:
    rng = np.random.default_rng(5)
    for number, sample in enumerate(samples(80, seed=5)):
        if not sample.event.any():
            continue
        beta: Floats = rng.normal(size=2)
        found = _likelihood(sample, ties, strata=strata).at(beta)
        steps = [beta + TINY * 1j * unit for unit in np.eye(2)]
        moved = [_log_likelihood(sample, step, ties, strata=strata) for step in steps]
        assert found.log_likelihood == pytest.approx(moved[0].real, rel=1e-9, abs=1e-9), number
        slope = [value.imag / TINY for value in moved]
        assert found.score.tolist() == pytest.approx(slope, rel=1e-8, abs=1e-9), number


def test_an_entry_before_the_origin_stays_in_its_stratum() -> None:
    # Two strata of one event and one patient who lives longer: log ½ each, whenever they entered.
    frame = pl.DataFrame(
        {"time_days": [1, 2, 1, 2], "entry_days": [None, None, -9, -9], design.STRATUM: [1, 1, 2, 2]}
    )
    time, entry = design.at_risk(frame)
    event = np.array([True, False, True, False])
    likelihood = PartialLikelihood(time, event, np.zeros((4, 1)), entry)
    assert likelihood.at(np.zeros(1)).log_likelihood == pytest.approx(2 * np.log(0.5))


def test_a_stratum_that_separates_its_only_event_has_no_estimate() -> None:
    # In the only stratum with an event, its patient has the highest x₁ among three who differ in x₂. Hazards
    # of the other strata are far higher, so that those of this one were lost in the rounding of their sums.
    rows = [
        (1, 0, 1, 0.0, 1), (2, 0, 0, 1.0, 2), (2, 0, 0, 0.0, 3), (2, 0, 1, 0.0, 2), (3, 0, 2, 0.0, 3),
        (3, 0, 2, 0.0, 1), (4, 1, 1, -1.0, 2), (4, 1, 1, 0.0, 3), (5, None, 2, 0.0, 1), (5, 0, 0, -1.0, 1),
    ]  # fmt: skip
    names = ["time_days", "entry_days", "x", "z", design.STRATUM]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    time, entry = design.at_risk(frame)
    event = np.arange(len(rows)) == 3
    likelihood = PartialLikelihood(time, event, frame.select("x", "z").to_numpy(), entry)
    with pytest.raises(NoEstimate, match="infinity"):
        likelihood.maximum()
