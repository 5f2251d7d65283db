"""Read cells of a spreadsheet whose format hides what they are: days as numbers, and numbers as days."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

from schemas.sources_toml import COUNTED_FROM_1904

_SERIAL = rf"^(\d{{4,5}})(?:\.\d+)?({re.escape(COUNTED_FROM_1904)})?$"
BIRTHS_COUNTED_FROM = dt.date(1910, 1, 1)
"""The earliest birth that is read from a number: the numbers of earlier days may be years."""
DAYS_COUNTED_FROM = dt.date(1950, 1, 1)
"""The earliest other day: no survival time, in days, is as large as its number."""


def counted(plain: pl.Expr, earliest: dt.date) -> pl.Expr:
    """Return the day that a spreadsheet counts with a number; null if it is too early, or in the future."""
    parts = plain.str.extract_groups(_SERIAL)
    days = pl.duration(days=parts.struct.field("1").cast(pl.Int64, strict=False))
    # A spreadsheet counts a 29 February 1900, so that its later days begin at the day before day 0.
    begin = pl.when(parts.struct.field("2").is_null()).then(dt.date(1899, 12, 30))
    day = (begin.otherwise(dt.date(1904, 1, 1)) + days).cast(pl.Date)
    return pl.when((day >= earliest) & (day <= pl.col("received_on"))).then(day)


_TYPED_DAYS_FROM = dt.date(1930, 1, 1)
"""The earliest day that a spreadsheet makes of what was typed, such as 5.5 or 1/30."""
_DAY_1 = dt.date(1899, 12, 31)
"""The day before a spreadsheet's day 1, up to the 29 February 1900 that never was."""
_NO_LEAP_DAY = dt.date(1900, 3, 1)


def number_of_a_day(plain: pl.Expr) -> pl.Expr:
    """Return the number that a spreadsheet shows as a day; null for a day that somebody may have typed.

    A person who types 5.5 gets the fifth of May of this year, and the number is lost. A number that was typed
    before the column was formatted is shown as a day of the years after 1900.
    """
    day = plain.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    time = plain.str.extract_groups(r"^\d{4}-\d\d-\d\d(?:[ T](\d\d):(\d\d):(\d\d))?$")
    parts = [time.struct.field(str(n)).cast(pl.Float64).fill_null(0.0) for n in (1, 2, 3)]
    days = (day - _DAY_1).dt.total_days() + (day >= _NO_LEAP_DAY).cast(pl.Int64)
    number = days + (parts[0] + parts[1] / 60 + parts[2] / 3600) / 24
    # The library shows the numbers 59 and 60 as the same day.
    known = plain.str.contains(r"^19\d\d-\d\d-\d\d([ T]\d\d:\d\d:\d\d)?$") & (day != dt.date(1900, 2, 28))
    return pl.when(known & (day < _TYPED_DAYS_FROM)).then(number)
