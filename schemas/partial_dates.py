"""The days that a partial date may mean."""

from __future__ import annotations

import calendar
import datetime as dt

import polars as pl


def interval(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the first and the last day that a date of this precision may mean."""
    month, year = precision == "month", precision == "year"
    first = pl.when(month).then(date.dt.month_start()).when(year).then(date.dt.truncate("1y"))
    last = (
        pl.when(month)
        .then(date.dt.month_end())
        .when(year)
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
    )
    return first.otherwise(date), last.otherwise(date)


def days_of(date: dt.date, precision: str | None) -> tuple[dt.date, dt.date]:
    """Return the first and the last day that a date of this precision may mean."""
    if precision == "month":
        return date.replace(day=1), date.replace(day=calendar.monthrange(date.year, date.month)[1])
    if precision == "year":
        return date.replace(month=1, day=1), date.replace(month=12, day=31)
    return date, date
