"""The total order of records, and partial dates narrowed by other days."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation.event_rows import cut, merged, nth_of_the_day, ranked, with_days
from schemas.curated import Surgery

DAY = dt.date


def told(*rows: tuple[str, str | None, str]) -> pl.DataFrame:
    """Source, day of the report, record id, and the place in the frame."""
    columns = {"source": pl.String, "reported_on": pl.Date, "place": pl.String, "record_id": pl.String}
    made = [(source, on and DAY.fromisoformat(on), "a", record) for source, on, record in rows]
    return pl.DataFrame(made, schema=columns, orient="row").with_row_index("n")


def order(*rows: tuple[str, str | None, str]) -> list[int]:
    return ranked(told(*rows), ["office", "oBDS"])["n"].to_list()


def test_the_most_credible_record_is_the_last_one():
    assert order(("office", "2015-01-01", "a"), ("oBDS", "2020-01-01", "b")) == [1, 0]
    assert order(("oBDS", "2015-01-01", "a"), ("unknown", "2020-01-01", "b")) == [1, 0]
    assert order(("oBDS", "2020-01-01", "a"), ("oBDS", "2015-01-01", "b"), ("oBDS", None, "c")) == [2, 1, 0]
    assert order(("oBDS", "2020-01-01", "b"), ("oBDS", "2020-01-01", "a")) == [1, 0]


def test_of_many_statements_of_one_record_the_first_one_is_the_most_credible():
    rows = [("oBDS", "2020-01-01", "ab"[n % 2]) for n in range(400)]
    assert order(*rows) == [*range(398, -1, -2), *range(399, -1, -2)]


@pytest.mark.parametrize(
    ("date", "precision", "after", "before", "expected"),
    [
        (DAY(2015, 6, 15), "month", None, None, (DAY(2015, 6, 15), DAY(2015, 6, 1), DAY(2015, 6, 30))),
        (DAY(2015, 7, 1), "year", None, None, (DAY(2015, 7, 1), DAY(2015, 1, 1), DAY(2015, 12, 31))),
        # 21 to 30 June: the middle is the 25th, rounded down.
        (
            DAY(2015, 6, 15),
            "month",
            DAY(2015, 6, 21),
            None,
            (DAY(2015, 6, 25), DAY(2015, 6, 21), DAY(2015, 6, 30)),
        ),
        (
            DAY(2015, 6, 15),
            "month",
            None,
            DAY(2015, 6, 9),
            (DAY(2015, 6, 5), DAY(2015, 6, 1), DAY(2015, 6, 9)),
        ),
        (DAY(2015, 6, 15), "month", DAY(2015, 6, 30), None, (DAY(2015, 6, 30),) * 3),
        # A day that excludes the whole month is ignored, and an exact day is not moved.
        (
            DAY(2015, 6, 15),
            "month",
            DAY(2015, 7, 1),
            None,
            (DAY(2015, 6, 15), DAY(2015, 6, 1), DAY(2015, 6, 30)),
        ),
        (DAY(2015, 6, 15), "day", DAY(2015, 6, 21), None, (DAY(2015, 6, 15),) * 3),
        (DAY(2015, 6, 15), None, None, DAY(2015, 6, 9), (DAY(2015, 6, 15),) * 3),
        (DAY(2015, 6, 10), "month", None, None, (DAY(2015, 6, 10), DAY(2015, 6, 1), DAY(2015, 6, 30))),
        (None, "month", DAY(2015, 6, 21), None, (None, None, None)),
    ],
)
def test_a_partial_date_narrowed_by_other_days(date, precision, after, before, expected):
    schema = {"date": pl.Date, "precision": pl.String, "after": pl.Date, "before": pl.Date}
    frame = pl.DataFrame([(date, precision, after, before)], schema=schema, orient="row")
    made = cut(frame, "date", "precision", pl.col("after"), pl.col("before"))
    assert made.select("date", "_low", "_high").row(0) == expected


def test_records_of_one_event_are_one_row_with_the_last_known_values():
    rows = pl.DataFrame(
        {"patient_id": ["q", "p", "q", "p"], "surgery_date": [None, DAY(2015, 1, 1), DAY(2015, 2, 1), None],
         "intent": ["curative", "palliative", None, "curative"], "record_id": ["d", "c", "b", "a"],
         "record_ids": [["x"]] * 4, "place": ["1"] * 4},
    )  # fmt: skip
    made = merged(rows, ["patient_id", pl.lit(1)], Surgery)
    assert set(made.columns) == {"patient_id", "surgery_date", "intent", "record_ids"}
    assert made.select("patient_id", "surgery_date", "intent", "record_ids").rows() == [
        ("q", DAY(2015, 2, 1), "curative", ["b", "d"]), ("p", DAY(2015, 1, 1), "curative", ["a", "c"]),
    ]  # fmt: skip


def test_the_events_of_one_day_are_numbered_within_each_reporter():
    told = pl.DataFrame(
        {"day": [1, 1, 1, 1, 2, 2], "reporter": ["A", "A", "B", None, "A", "A"],
         "name": ["7", "9", "8", "3", None, "9"]},
    )  # fmt: skip
    numbered = told.select(nth_of_the_day(told, ["day"], pl.col("name")))
    assert numbered.to_series().to_list() == [1, 2, 1, 1, 1, 1]


def test_a_day_that_the_source_gives_is_kept():
    frame = pl.DataFrame(
        {"patient_id": ["p", "p", "q"], "date": [DAY(2015, 1, 31)] * 3, "day": [None, 7, None]},
        schema_overrides={"day": pl.Int32},
    )
    zero = pl.DataFrame({"patient_id": ["p"], "zero": [DAY(2015, 1, 1)]})
    made = with_days(frame, zero, {"date": "day"})
    assert made["day"].to_list() == [30, 7, None]
    assert with_days(frame.drop("day"), zero, {"date": "day"})["day"].to_list() == [30, 30, None]
    nobody = with_days(frame.drop("day").clear(), zero, {"date": "day"})
    assert nobody.schema["day"] == pl.Int32 and nobody.is_empty()
