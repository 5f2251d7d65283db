"""Gray's test against R's cmprsk."""

import polars as pl
import pytest

from sarcoma_pipeline.survival import gray
from tests.survival.golden import data, golden, quantities

CASES = [
    case
    for case in golden("gray").select("set", "object").unique().sort("set", "object").rows()
    if not case[1].endswith("incidence")
]


def _times(name: str, group: str) -> pl.DataFrame:
    return data(name).select(
        days="time_days", cause=pl.when("event").then("event_kind"), level=pl.col(group).cast(pl.String)
    )


@pytest.mark.parametrize(("name", "group"), CASES)
def test_statistic_degrees_and_p_are_cmprsks(name: str, group: str) -> None:
    theirs = quantities("gray", set=name, object=group)
    for cause in {cause for cause, _ in theirs}:
        ours = gray.test(_times(name, group), cause)
        assert ours is not None
        assert ours.statistic == pytest.approx(theirs[cause, "statistic"], rel=1e-8)
        assert ours.degrees == theirs[cause, "degrees"]
        assert ours.p_value == pytest.approx(theirs[cause, "p_value"], rel=1e-8)


def test_the_order_of_patients_does_not_matter() -> None:
    times = _times("demo_lrfs", "sequence")
    assert gray.test(times, "death") == gray.test(times.reverse(), "death")


def test_one_group_or_no_event_has_no_test() -> None:
    times = _times("demo_lrfs", "sequence")
    assert gray.test(times.filter(pl.col("level") == "preoperative"), "death") is None
    assert gray.test(times, "fibrosis") is None
