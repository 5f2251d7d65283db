"""The days that a partial date may mean, counted by hand."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort.partial_dates import dated, reach


@pytest.mark.parametrize(
    ("date", "precision", "back", "forth"),
    [
        (dt.date(2013, 7, 1), "year", 181, 183),  # 1 January and 31 December
        (dt.date(2012, 7, 1), "year", 182, 183),  # a leap year
        (dt.date(2012, 2, 15), "month", 14, 14),  # 1 and 29 February
        (dt.date(2013, 7, 1), "day", 0, 0),
        (dt.date(2013, 7, 1), None, 0, 0),
        (None, "year", 0, 0),
    ],
)
def test_the_days_back_to_the_first_and_forward_to_the_last_day(date, precision, back, forth):
    frame = pl.DataFrame(
        {"date": [date], "precision": [precision]}, schema={"date": pl.Date, "precision": pl.String}
    )
    first, last = reach(pl.col("date"), pl.col("precision"))
    assert frame.select(first.alias("first"), last.alias("last")).row(0) == (back, forth)


JUNE = dt.date(2012, 6, 15)
"""Day 166 of 2012; June has the days 152 to 181."""


@pytest.mark.parametrize(
    ("day", "date", "precision", "after", "before", "expected"),
    [
        (166, JUNE, "month", None, None, (166, 152, 181, "month")),
        (166, JUNE, "month", 151, 182, (166, 152, 181, "month")),
        # From day 171 the middle is 176, up to day 160 it is 156; from 161 to 170, 165.
        (166, JUNE, "month", 171, None, (176, 171, 181, "month")),
        (166, JUNE, "month", None, 160, (156, 152, 160, "month")),
        (166, JUNE, "month", 161, 170, (165, 161, 170, "month")),
        (166, JUNE, "month", 181, None, (181, 181, 181, "month")),
        # Limits that exclude the whole month say nothing.
        (166, JUNE, "month", 182, None, (166, 152, 181, "month")),
        (166, JUNE, "month", None, 151, (166, 152, 181, "month")),
        (166, JUNE, "day", 171, None, (166, 166, 166, "day")),
        (166, JUNE, None, None, 160, (166, 166, 166, "day")),
        # A source that gives the day, with no date or an unrelated one.
        (40, JUNE, "month", None, None, (40, 40, 40, "day")),
        (40, None, "month", 50, None, (40, 40, 40, "day")),
        (None, None, None, 50, None, (None, None, None, "day")),
    ],
)
def test_the_day_of_an_event_between_two_other_days(day, date, precision, after, before, expected):
    schema = {
        "patient_id": pl.String, "day": pl.Int32, "date": pl.Date, "precision": pl.String,
        "after": pl.Int32, "before": pl.Int32,
    }  # fmt: skip
    frame = pl.DataFrame([("p", day, date, precision, after, before)], schema=schema, orient="row")
    zero = pl.DataFrame({"patient_id": ["p"], "zero": [dt.date(2012, 1, 1)]})
    made = dated(frame, zero, not_before="after", not_after="before")
    assert made.select("day", "day_earliest", "day_latest", "precision").row(0) == expected
    free = dated(frame, zero).select("day_earliest", "day_latest").row(0)
    assert free == ((152, 181) if date and precision == "month" and day == 166 else (day, day))
