"""Events too late after the diagnosis: which patients have one, and which records date it."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.within_bounds import doubtful_times
from schemas.gate import Gate


def timeline(*rows: tuple[str, int | None, list[str]]) -> pl.DataFrame:
    schema = {"patient_id": pl.String, "day": pl.Int32, "record_ids": pl.List(pl.String)}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


UP_TO_100 = Gate(bounds={"d": (-10, 100)})


@pytest.mark.parametrize(("day", "doubtful"), [(100, False), (101, True), (None, False), (-11, False)])
def test_a_day_above_the_bounds_is_doubtful(day, doubtful):
    found = doubtful_times(timeline(("a", day, ["r"])), UP_TO_100)
    assert found.rows() == ([("a", day, ["r"])] if doubtful else [])


def test_the_records_of_the_latest_day_date_it():
    events = timeline(
        ("b", 200, ["r4"]), ("b", 101, ["r1"]), ("b", 200, ["r3", "r2"]), ("b", 50, ["r0"]), ("a", 102, ["q"])
    )  # fmt: skip
    assert doubtful_times(events, UP_TO_100).rows() == [("a", 102, ["q"]), ("b", 200, ["r2", "r3", "r4"])]
