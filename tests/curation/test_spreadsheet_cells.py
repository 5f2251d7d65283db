"""Numbers that a spreadsheet shows as days: day 1 is 1 January 1900, and 29 February 1900 is counted."""

import polars as pl
import pytest

from sarcoma_pipeline.curation.spreadsheet_cells import number_of_a_day


@pytest.mark.parametrize(
    ("shown", "number"),
    [
        ("1900-01-01", 1),
        ("1900-01-01 19:12:00", 1.8),
        ("1900-02-19 09:36:00", 50.4),
        ("1900-02-19T14:24:00", 50.6),
        ("1900-01-10 00:00:45", 10 + 45 / 86_400),
        ("1900-02-27", 58),
        ("1900-02-28", None),
        # Day 60 is the 29 February 1900 that never was.
        ("1900-03-01", 61),
        ("1904-01-01", 1462),
        ("1929-12-31", 10_958),
        ("1930-01-01", None),
        ("2015-05-05", None),
        ("1899-12-31", None),
        ("1900-01-01 9:36", None),
        ("50.4", None),
        (None, None),
    ],
)
def test_the_number_that_a_day_was(shown, number):
    frame = pl.DataFrame({"cell": [shown]}, schema={"cell": pl.String})
    found = frame.select(number_of_a_day(pl.col("cell"))).item()
    assert found == (None if number is None else pytest.approx(number, abs=1e-9))
