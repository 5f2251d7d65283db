"""The days that a partial date may mean, counted by hand."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort.partial_dates import reach


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
