"""The Aalen–Johansen estimator against R's multi-state survfit."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.competing_risks import aalen_johansen, at_horizons, cumulative_incidence
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves
from schemas.configuration import CompetingRisks
from tests.survival.golden import data, quantities, same, split

SETS = ("rotterdam", "colon", "mgus2", "demo_lrfs", "demo_dmfs")
QUANTITIES = ("at_risk", "events", "incidence", "standard_error", "ci_low", "ci_high")


def _analysis(name: str) -> CompetingRisks:
    kinds = data(name).filter("event")["kind"].unique().sort().to_list()
    return CompetingRisks(name=name, endpoint="DFS", title="", causes={kind: (kind,) for kind in kinds})


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("name", SETS)
def test_cumulative_incidence_is_rs(name: str, quantity: str) -> None:
    analysis = _analysis(name)
    endpoints, _ = split(name)
    ours = cumulative_incidence(endpoints, [analysis])
    for cause in analysis.causes:
        # R has no row at time 0.
        curve = ours.filter(pl.col("cause") == cause).slice(1)
        found = {
            (str(round(time * DAYS_PER_MONTH)), quantity): value
            for time, value in curve.select("time_months", quantity).iter_rows()
        }
        theirs = quantities("competing_risks", set=name, object=cause, quantity=quantity)
        # R sums the squared influences in a different order.
        same(found, theirs, relative=1e-8)


@pytest.mark.parametrize("name", SETS)
def test_the_causes_and_the_survival_add_up_to_one(name: str) -> None:
    endpoints, _ = split(name)
    ours = cumulative_incidence(endpoints, [_analysis(name)])
    total = ours.group_by("time_months", maintain_order=True).agg(pl.col("incidence").sum())
    survival = curves(endpoints)["survival"]
    assert (total["incidence"] + survival).to_list() == pytest.approx([1.0] * total.height, abs=1e-12)


def test_one_cause_is_the_kaplan_meier_estimate_with_greenwoods_error() -> None:
    frame = data("lung").select(
        days="time_days", entry=pl.lit(None, dtype=pl.Int64), cause=pl.when("event").then(pl.lit("death"))
    )
    ours = aalen_johansen(frame, ["death"])
    survival = curves(data("lung"))
    assert ours["incidence"].to_list() == pytest.approx((1 - survival["survival"]).to_list(), abs=1e-12)


def test_ties_do_not_depend_on_the_order_of_the_patients() -> None:
    endpoints, _ = split("rotterdam")
    once = cumulative_incidence(endpoints, [_analysis("rotterdam")])
    again = cumulative_incidence(endpoints.sample(fraction=1, shuffle=True, seed=1), [_analysis("rotterdam")])
    assert once.equals(again)


def test_horizons_are_read_off_the_curve_and_null_beyond_it() -> None:
    endpoints, _ = split("colon")
    curve = cumulative_incidence(endpoints, [_analysis("colon")])
    last = curve["time_months"].max()
    assert isinstance(last, float)
    found = at_horizons(curve, endpoints, [2, last + 1])
    for row in found.filter(pl.col("horizon_months") == 2).iter_rows(named=True):
        mine = curve.filter(pl.col("cause") == row["cause"], pl.col("time_months") <= 2)
        assert row["value"] == mine["incidence"][-1] and row["events"] == mine["events"].sum()
    beyond = found.filter(pl.col("horizon_months") > 2)
    assert beyond["value"].null_count() == beyond.height == 2
    assert beyond["at_risk"].to_list() == [0, 0]


def test_the_curve_is_known_once_every_patient_had_an_event() -> None:
    endpoints, _ = split("mgus2")
    curve = cumulative_incidence(endpoints, [_analysis("mgus2")])
    found = at_horizons(curve, endpoints, [10_000 / DAYS_PER_MONTH])
    assert found["value"].sum() == pytest.approx(1, abs=1e-12)


def test_an_event_that_no_cause_names_is_refused() -> None:
    endpoints, _ = split("mgus2")
    only = CompetingRisks(name="x", endpoint="DFS", title="", causes={"death": ("death",)})
    with pytest.raises(ValueError, match="progression"):
        cumulative_incidence(endpoints, [only])
