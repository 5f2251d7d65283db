"""Curves of the risk of a toxicity by a dose, against R's glm; without enough events there is none."""

import math

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival.dose_response import SAME, SEPARATED, TOO_FEW, dose_response
from sarcoma_pipeline.survival.ratio import probability, ratio
from schemas.dose_response_toml import DoseResponse

CURVE = DoseResponse(name="skin", title="Skin", toxicity="acute", column="skin_v20")
DOSES = [5, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23, 24, 26, 27, 29, 30, 32, 35, 38]
EVENTS = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1]


def fitted(doses: list, events: list) -> pl.DataFrame:
    """One patient more has no dose, and one no documentation."""
    people = [f"p{n:02}" for n in range(len(doses))]
    patients = pl.DataFrame({"pseudonym": [*people, "x", "y"], "skin_v20": [*map(float, doses), None, 20.0]})
    states = pl.DataFrame(
        {
            "pseudonym": [*people, "x", "y"],
            "endpoint": "acute",
            "counted": [*(True for _ in people), True, False],
            "event": [*map(bool, events), True, None],
        }
    )
    others = states.with_columns(endpoint=pl.lit("late"), event=pl.lit(True))
    shuffled = patients.sample(fraction=1, shuffle=True, seed=3)
    return dose_response(shuffled, pl.concat([others, states]), [CURVE])


def test_the_curve_is_that_of_r():
    """R 4.2: glm(event ~ dose, binomial), confint.default, predict(type = "link", se.fit), quantile."""
    found = fitted(DOSES, EVENTS)
    assert found.select("patients", "events", "left_out").unique().rows() == [(20, 9, 2)]
    first, middle, last = (found.row(at, named=True) for at in (0, 10, 20))
    assert [first["odds_ratio"], first["odds_ratio_low"], first["odds_ratio_high"]] == pytest.approx(
        [1.15385357, 1.00837537, 1.32031990], rel=1e-7
    )
    assert first["p_value"] == pytest.approx(0.03740985697, rel=1e-8)
    assert (first["value"], last["value"]) == pytest.approx((7.85, 35.15))
    assert [first[x] for x in ("probability", "ci_low", "ci_high")] == pytest.approx(
        [0.10883276, 0.01466236, 0.50056528], rel=1e-6
    )
    assert [last[x] for x in ("probability", "ci_low", "ci_high")] == pytest.approx(
        [0.85864836, 0.42241874, 0.98056531], rel=1e-6
    )
    assert middle["value"] == pytest.approx(21.5)


@pytest.mark.parametrize(
    ("doses", "events", "why"),
    [
        (DOSES, [1] * 4 + [0] * 16, TOO_FEW),
        (DOSES, [1] * 16 + [0] * 4, TOO_FEW),
        ([20] * 20, EVENTS, SAME),
        (DOSES, [0] * 10 + [1] * 10, SEPARATED),
    ],
)
def test_without_a_curve_there_is_a_reason(doses, events, why):
    (row,) = fitted(doses, events).to_dicts()
    assert (row["warning"], row["probability"], row["events"]) == (why, None, sum(events))


def test_a_ratio_that_no_number_holds_is_none():
    assert (ratio(0.0), ratio(1.0), ratio(800.0), ratio(-800.0)) == (1.0, math.e, None, None)
    assert probability(np.array([-1e6, 0.0, 1e6])) == pytest.approx([0.0, 0.5, 1.0], abs=1e-300)
