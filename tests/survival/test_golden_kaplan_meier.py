"""Kaplan–Meier, follow-up and restricted means against R's survfit and lifelines."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves, estimates
from sarcoma_pipeline.survival.restricted_mean import restricted_means
from tests.survival.golden import SETS, data, golden, quantities, same


def _days(months: float) -> str:
    return str(round(months * DAYS_PER_MONTH))


@pytest.mark.parametrize("quantity", ["at_risk", "events", "censored", "survival", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", SETS)
def test_curves_are_rs(name: str, quantity: str) -> None:
    # R has no row at time 0.
    ours = curves(data(name)).slice(1)
    found = {
        (_days(time), quantity): value for time, value in ours.select("time_months", quantity).iter_rows()
    }
    theirs = quantities("kaplan_meier", set=name, object="curve", quantity=quantity)
    if quantity.startswith("ci"):
        # R sets limits to 1 before the first event and to none after the last patient; here both are null.
        known = dict(zip(found, ours["survival"], strict=True))
        theirs = {key: value for key, value in theirs.items() if 0 < known[key] < 1}
    same(found, theirs)


@pytest.mark.parametrize("object_", ["horizon", "median", "follow-up"])
@pytest.mark.parametrize("name", SETS)
def test_estimates_are_rs(name: str, object_: str) -> None:
    horizons = [
        float(key) / DAYS_PER_MONTH for key, _ in quantities("kaplan_meier", set=name, object="horizon")
    ]
    rows = estimates(data(name), sorted(set(horizons)))
    quantity = {"horizon": "survival", "median": "median", "follow-up": "follow-up reverse Kaplan–Meier"}[
        object_
    ]
    columns = ("value", "ci_low", "ci_high", *(("at_risk",) if object_ == "horizon" else ("q1", "q3")))
    found = {}
    for row in rows.filter(pl.col("quantity") == quantity).iter_rows(named=True):
        key = _days(row["horizon_months"]) if object_ == "horizon" else ""
        scale = 1 if object_ == "horizon" else DAYS_PER_MONTH
        found |= {(key, c): row[c] if row[c] is None else row[c] * scale for c in columns}
    same(found, quantities("kaplan_meier", set=name, object=object_))


@pytest.mark.parametrize("name", SETS)
def test_restricted_means_are_rs(name: str) -> None:
    theirs = quantities("kaplan_meier", set=name, object="restricted mean")
    horizons = sorted({float(key) / DAYS_PER_MONTH for key, _ in theirs})
    found = {
        (_days(row["horizon_months"]), quantity): row[quantity] * DAYS_PER_MONTH
        for row in restricted_means(curves(data(name)), horizons).iter_rows(named=True)
        for quantity in ("value", "standard_error")
    }
    same(found, theirs)


def test_no_mean_beyond_the_last_time() -> None:
    frame = pl.DataFrame(
        {
            "endpoint": ["OS"] * 2 + ["DFS"] * 2,
            "time_days": [100, 200] * 2,
            "event": [True, False, True, True],
        }
    )
    found = restricted_means(curves(frame), [5, 60])
    assert found.filter(pl.col("horizon_months") == 5)["value"].null_count() == 0
    beyond = dict(found.filter(pl.col("horizon_months") == 60).select("endpoint", "value").iter_rows())
    assert beyond["OS"] is None
    assert beyond["DFS"] == pytest.approx(150 / DAYS_PER_MONTH)


@pytest.mark.parametrize("name", ["lung", "rotterdam", "demo_os"])
def test_lifelines_agrees(name: str) -> None:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    frame = data(name)
    fitter = KaplanMeierFitter().fit(frame["time_months"].to_numpy(), frame["event"].to_numpy())
    ours = curves(frame).slice(1)
    theirs = fitter.survival_function_at_times(ours["time_months"].to_numpy()).to_numpy()
    assert ours["survival"].to_numpy() == pytest.approx(theirs, rel=1e-9)
    horizon = (
        float(golden("kaplan_meier").filter(set=name, object="restricted mean")["key"][0]) / DAYS_PER_MONTH
    )
    mean = restricted_means(curves(frame), [horizon]).row(0, named=True)
    value = restricted_mean_survival_time(fitter, t=horizon)
    assert mean["value"] == pytest.approx(value, rel=1e-9)


def test_lifelines_variance_is_of_a_patients_time_and_not_of_the_mean() -> None:
    """Show why R's standard error is used."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    # Without censoring, the variance of the mean is the variance of the times divided by their number.
    frame = pl.DataFrame({"endpoint": "OS", "time_days": [10, 20, 30, 50]}).with_columns(event=pl.lit(True))
    fitter = KaplanMeierFitter().fit(frame["time_days"].to_numpy() / DAYS_PER_MONTH)
    found = restricted_mean_survival_time(fitter, t=50 / DAYS_PER_MONTH, return_variance=True)
    assert isinstance(found, tuple)
    ours = restricted_means(curves(frame), [50 / DAYS_PER_MONTH])["standard_error"].item()
    assert 4 * ours**2 == pytest.approx(found[1], rel=1e-6)
