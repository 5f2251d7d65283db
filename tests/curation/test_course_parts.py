"""First and last day of a course, their precision, and the longest break (radiotherapy.md, records)."""

import datetime as dt
from typing import Any

import pytest

from sarcoma_pipeline.curation.course_parts import Given, days_of, precisions_of
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse


def day(month: int, of_month: int) -> dt.date:
    return dt.date(2015, month, of_month)


def documented(start=None, end=None, **more: Any) -> DocumentedCourse:
    return DocumentedCourse("c", "r", ("r",), start=start, end=end, **more)


def given(*days: dt.date, fractions: int = 25, record: str | None = "rec", each: bool = True) -> Given:
    return Given(50.0, fractions, days, record, each)


NOTHING = given(fractions=0, record=None)
TREATED = given(day(3, 2), day(4, 3))
FEWER = given(*TREATED.days, fractions=20)
DAYS = {
    # what: documentation, treatment records, planned fractions, first and last day
    "nothing known": (None, NOTHING, None, None, None),
    "documented only": (documented(day(3, 4), day(4, 7)), NOTHING, 25, day(3, 4), day(4, 7)),
    "recorded only": (None, TREATED, 25, day(3, 2), day(4, 3)),
    "documented without days": (documented(), TREATED, 25, day(3, 2), day(4, 3)),
    "records come first": (documented(day(2, 27), day(4, 30)), TREATED, 25, day(3, 2), day(4, 3)),
    "an end before the last record": (documented(end=day(4, 1)), FEWER, 25, day(3, 2), day(4, 3)),
    "an end after the last of too few fractions": (
        documented(end=day(4, 10)), FEWER, 25, day(3, 2), day(4, 10),
    ),
    "one fraction too few": (
        documented(end=day(4, 10)), given(*TREATED.days, fractions=24), 25, day(3, 2), day(4, 10),
    ),
    "planned fractions unknown": (documented(end=day(4, 10)), TREATED, None, day(3, 2), day(4, 10)),
    "more fractions than planned": (
        documented(end=day(4, 10)), given(*TREATED.days, fractions=26), 25, day(3, 2), day(4, 3),
    ),
    "too few, because it was aborted": (
        documented(end=day(4, 10), end_reason="A"), FEWER, 25, day(3, 2), day(4, 3),
    ),
    "the month of the last record says nothing else": (
        documented(end=day(4, 15), end_precision="month"), FEWER, 25, day(3, 2), day(4, 3),
    ),
    "a later month": (
        documented(end=day(5, 15), end_precision="month"), FEWER, 25, day(3, 2), day(5, 15),
    ),
    "one record of one day": (None, given(day(3, 2), fractions=1), 1, day(3, 2), day(3, 2)),
}  # fmt: skip


@pytest.mark.parametrize(("said", "told", "planned", "first", "last"), DAYS.values(), ids=DAYS)
def test_the_first_and_the_last_day(said, told, planned, first, last):
    assert days_of(said, told, planned) == (first, last)


def test_a_day_of_treatment_is_exact_and_a_documented_one_as_exact_as_it_was_said():
    said = documented(day(3, 15), day(4, 15), start_precision="month", end_precision="year")
    assert precisions_of(said, NOTHING, day(3, 15), day(4, 15)) == _precise("month", "year")
    assert precisions_of(said, TREATED, day(3, 2), day(4, 3)) == _precise("day", "day")
    assert precisions_of(said, TREATED, day(3, 2), day(4, 15)) == _precise("day", "year")
    assert precisions_of(said, NOTHING, day(3, 15), None) == _precise("month", None)
    assert precisions_of(documented(day(3, 4), day(4, 7)), NOTHING, day(3, 4), day(4, 7)) == _precise(
        "day", "day"
    )
    assert precisions_of(None, TREATED, day(3, 2), day(4, 3)) == _precise("day", "day")
    assert precisions_of(None, NOTHING, None, None) == _precise(None, None)


def _precise(start: str | None, end: str | None) -> dict[str, str | None]:
    return {"start_date_precision": start, "end_date_precision": end}


def test_the_longest_time_between_fractions_is_known_if_each_has_its_day():
    # Monday, Tuesday, Friday, Monday.
    days = day(3, 2), day(3, 3), day(3, 6), day(3, 9)
    assert given(*days[:3]).gap == 3
    assert given(*days).gap == 3
    assert given(*days[:2], day(3, 13)).gap == 10
    assert given(*days, each=False).gap is None
    assert given(day(3, 2)).gap is None
    assert (given(*days).first, given(*days).last, NOTHING.first, NOTHING.last) == (
        day(3, 2),
        day(3, 9),
        None,
        None,
    )
