"""Kaplan–Meier against R's survival (tests/golden/demo_survival.R)."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves, estimates, sensitivity

RELATIVE = 1e-6


def _same(pairs: pl.DataFrame, ours: str, golden: str) -> None:
    assert pairs.height > 0
    assert pairs.filter(pl.col(ours).is_null() != pl.col(golden).is_null()).is_empty()
    wrong = pairs.filter((pl.col(ours) - pl.col(golden)).abs() > RELATIVE * pl.col(golden).abs())
    assert wrong.is_empty(), wrong


def test_curves_are_rs(endpoints: pl.DataFrame, golden: pl.DataFrame) -> None:
    ours = (
        curves(endpoints)
        .with_columns(key=(pl.col("time_months") * DAYS_PER_MONTH).round().cast(pl.Int64).cast(pl.String))
        .unpivot(
            ["at_risk", "events", "censored", "survival", "ci_low", "ci_high"],
            index=["endpoint", "key"],
            variable_name="quantity",
            value_name="ours",
        )
        .filter(pl.col("key") != "0")
    )
    theirs = golden.filter(pl.col("object") == "curve")
    pairs = ours.join(theirs, on=["endpoint", "key", "quantity"], how="full")
    assert pairs["object"].null_count() == pairs["key"].null_count() == 0
    _same(pairs, "ours", "value")


def test_horizons_medians_and_follow_up_are_rs(demo_estimates: pl.DataFrame, golden: pl.DataFrame) -> None:
    at = demo_estimates.filter(pl.col("quantity") == "survival").select(
        "endpoint",
        object=pl.lit("horizon"),
        key=pl.col("horizon_months").cast(pl.Int64).cast(pl.String),
        survival="value",
        ci_low="ci_low",
        ci_high="ci_high",
        at_risk=pl.col("at_risk").cast(pl.Float64),
    )
    names = {
        "median": "quantile",
        "follow-up reverse Kaplan–Meier": "reverse",
        "follow-up observed": "follow-up",
    }
    times = demo_estimates.filter(pl.col("quantity").is_in(list(names))).select(
        "endpoint",
        object=pl.col("quantity").replace_strict(names),
        q1="q1",
        q2="value",
        q3="q3",
        lo="ci_low",
        hi="ci_high",
    )
    parts = [
        at.unpivot(
            ["survival", "ci_low", "ci_high", "at_risk"],
            index=["object", "endpoint", "key"],
            variable_name="quantity",
        )
    ]
    for column, key, quantity in [
        ("q1", "25", "quantile"),
        ("q2", "50", "quantile"),
        ("q3", "75", "quantile"),
        ("lo", "50", "lower"),
        ("hi", "50", "upper"),
    ]:
        parts.append(
            times.select("object", "endpoint", key=pl.lit(key), quantity=pl.lit(quantity), value=column)
        )
    ours = pl.concat(parts, how="diagonal").rename({"value": "ours"})
    pairs = ours.join(golden, on=["object", "endpoint", "key", "quantity"])
    assert pairs.height == 16 * 4 + 8 * 5 + 3
    _same(pairs, "ours", "value")


def test_the_papers_numbers(demo_estimates: pl.DataFrame) -> None:
    def of(endpoint: str, quantity: str, horizon: int | None = None) -> dict:
        chosen = demo_estimates.filter(
            pl.col("endpoint") == endpoint,
            pl.col("quantity") == quantity,
            pl.col("horizon_months").eq_missing(horizon),
        )
        return chosen.row(0, named=True)

    events = {name: of(name, "events")["value"] for name in ("OS", "DFS", "DMFS", "LRFS")}
    assert events == {"OS": 18, "DFS": 45, "DMFS": 39, "LRFS": 22}
    assert of("OS", "survival", 24)["value"] == pytest.approx(0.878, abs=0.001)
    assert of("DFS", "median")["value"] == pytest.approx(47.9, abs=0.05)
    assert of("DMFS", "median")["value"] == pytest.approx(51.4, abs=0.05)
    assert of("OS", "median")["value"] is None and of("LRFS", "median")["value"] is None
    follow_up = of("OS", "follow-up observed")
    assert [round(follow_up[name]) for name in ("value", "q1", "q3")] == [33, 19, 61]


SAMPLES = {
    "edge": ([100, 200, 200, 300, 400, 500, 600, 600], [1, 1, 0, 1, 0, 1, 1, 1]),
    "plateau": ([100, 200, 300, 400], [1, 1, 1, 0]),
    "open": ([100, 200, 300, 400], [1, 1, 0, 0]),
    "zero": ([0, 0, 200, 300], [1, 0, 1, 0]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_edges_are_rs(name: str, golden: pl.DataFrame) -> None:
    days, event = SAMPLES[name]
    frame = pl.DataFrame({"endpoint": "DFS", "time_days": days, "event": [bool(e) for e in event]})
    frame = frame.with_columns(time_months=pl.col("time_days") / DAYS_PER_MONTH)
    # R has no row at time 0: it starts with the first time.
    points = (
        curves(frame)
        .slice(1)
        .with_columns(key=(pl.col("time_months") * DAYS_PER_MONTH).round().cast(pl.Int64).cast(pl.String))
    )
    theirs = golden.filter(pl.col("object") == name)
    ours = points.unpivot(
        ["survival", "ci_low", "ci_high"], index="key", variable_name="quantity", value_name="ours"
    )
    pairs = ours.join(theirs, on=["key", "quantity"])
    assert pairs.height == theirs.height
    _same(pairs, "ours", "value")

    median = estimates(frame, []).filter(pl.col("quantity") == "median").row(0, named=True)
    quantiles = golden.filter(pl.col("object") == f"{name}-quantile")
    for column, key, quantity in [
        ("q1", "25", "quantile"),
        ("value", "50", "quantile"),
        ("q3", "75", "quantile"),
        ("ci_low", "50", "lower"),
        ("ci_high", "50", "upper"),
    ]:
        expected = quantiles.filter(pl.col("key") == key, pl.col("quantity") == quantity)["value"].item()
        assert median[column] == (None if expected is None else pytest.approx(expected, rel=RELATIVE)), column


def test_survival_beyond_the_last_time_is_null_unless_zero() -> None:
    frame = pl.DataFrame(
        {
            "endpoint": ["OS", "OS", "DFS", "DFS"],
            "time_days": [100, 200, 100, 200],
            "event": [True, False, True, True],
        }
    ).with_columns(time_months=pl.col("time_days") / DAYS_PER_MONTH)
    found = estimates(frame, [60]).filter(pl.col("quantity") == "survival")
    assert found.select("endpoint", "value", "at_risk").rows() == [("OS", None, 0), ("DFS", 0.0, 0)]


def test_sensitivity_moves_with_the_ends_of_partial_dates(endpoints: pl.DataFrame) -> None:
    os = endpoints.filter(pl.col("endpoint") == "OS")
    # A death at 700 days, known to the year only: before or after 24 months (730.5 days).
    day = pl.when(pl.col("time_days") == 403)
    moved = os.with_columns(
        time_days_earliest=day.then(250).otherwise("time_days").cast(pl.Int32),
        time_days_latest=day.then(800).otherwise("time_days").cast(pl.Int32),
    )
    at24 = sensitivity(moved, [24]).filter(pl.col("quantity") == "survival").row(0, named=True)
    assert at24["latest"] > at24["middle"] != at24["earliest"]
    assert sensitivity(os, [24]).filter(pl.col("middle") != pl.col("latest")).is_empty()


def test_a_partial_day_of_entry_is_moved_to_both_ends():
    # Two events, on day 80 and day 100. The first patient enters on day 60 or, at the late end, on day 90:
    # after the event, so that they were never at risk. On day 85 one of two is left, or the other one alone.
    frame = pl.DataFrame(
        {
            "endpoint": ["OS", "OS"], "event": [True, True], "time_days": [80, 100],
            "time_days_earliest": [80, 100], "time_days_latest": [80, 100], "entry_days": [60, None],
            "entry_days_earliest": [50, None], "entry_days_latest": [90, None],
        },
        schema_overrides=dict.fromkeys(("entry_days", "entry_days_earliest", "entry_days_latest"), pl.Int32),
    )  # fmt: skip
    found = sensitivity(frame, [85 / 30.4375]).filter(quantity="survival").row(0, named=True)
    assert (found["middle"], found["earliest"], found["latest"]) == (0.5, 0.5, 1.0)
