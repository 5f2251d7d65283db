"""The order of documented courses and of their irradiations, and which of two courses a boost continues."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest

from sarcoma_pipeline.curation.documented_courses import documented_courses
from schemas.typed import Radiotherapy


def irradiated(number: str, day: int | None = None, date: str | None = None) -> dict[str, Any]:
    """A row of ``typed.radiotherapy``; days count from time zero."""
    given = {
        "module_id": number, "record_id": f"record {number}", "report_id": f"report {number}",
        "tumour_id": "1", "irradiated": True, "part": 1, "start_day": day,
        "start_date": dt.date.fromisoformat(date) if date else None, "prescribed_dose_gy": 50.0,
    }  # fmt: skip
    return dict.fromkeys(Radiotherapy.polars_schema().names()) | given


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_dated_courses_come_first_then_counted_ones_and_those_without_a_day(order):
    rows = [
        irradiated("a", day=700, date="2013-12-01"),
        irradiated("b", day=40),
        irradiated("c", day=900),
        irradiated("d"),
    ]
    found = documented_courses([rows[place] for place in order])
    assert [(course.key, course.start_day) for course in found] == [
        ("a", 700),
        ("b", 40),
        ("c", 900),
        ("d", None),
    ]


def test_a_boost_continues_the_course_that_ended_last():
    """Courses of one region, 42 days before the boost at most: 50 Gy each, and 16 Gy more."""
    left = {"target_region": "7.3", "target_side": "left", "application": "external beam"}
    rows = [
        irradiated("b", date="2015-02-02") | left | {"end_date": dt.date(2015, 3, 6)},
        irradiated("a", date="2015-03-02") | left | {"end_date": dt.date(2015, 4, 3)},
        irradiated("c", date="2015-04-06") | left | {
            "end_date": dt.date(2015, 4, 15), "prescribed_dose_gy": 16.0, "boost": "sequential",
        },
    ]  # fmt: skip
    for order in (rows, [rows[0] | {"module_id": "a"}, rows[1] | {"module_id": "b"}, rows[2]]):
        found = documented_courses(order)
        assert [(course.start, course.dose) for course in found] == [
            (dt.date(2015, 2, 2), 50.0),
            (dt.date(2015, 3, 2), 66.0),
        ]


CONTENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # two irradiations of one course, in their order
    ({"start_date": dt.date(2015, 3, 2)}, {"start_date": dt.date(2015, 3, 3)}),
    ({"start_date": dt.date(2015, 3, 2)}, {"start_date": None}),
    ({"end_date": dt.date(2015, 4, 2)}, {"end_date": dt.date(2015, 4, 3)}),
    ({"end_date": dt.date(2015, 4, 3)}, {"end_date": None}),
    ({"prescribed_dose_gy": 60.0}, {"prescribed_dose_gy": 50.0}),
    ({"single_dose_gy": 2.5}, {"single_dose_gy": 2.0}),
    ({"target_region": None}, {"target_region": "7.3"}),
    ({"target_region": "6.8."}, {"target_region": "7.3"}),
    ({"target_side": None}, {"target_side": "left"}),
    ({"target_side": "left"}, {"target_side": "unknown"}),
    ({"boost": None}, {"boost": "sequential"}),
    ({"boost": "sequential"}, {"boost": "unspecified"}),
    # The day since time zero tells them apart, and does not order them.
    ({"radiation": None, "start_day": 2}, {"radiation": "photons", "start_day": 1}),
    ({"radiation": "electrons", "start_day": 2}, {"radiation": "photons", "start_day": 1}),
]
ATTRIBUTES = {
    "start_date": "start", "end_date": "end", "prescribed_dose_gy": "dose", "single_dose_gy": "single",
    "target_region": "region", "target_side": "side",
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("content", CONTENT)
def test_irradiations_of_a_course_are_ordered_by_days_and_content_not_by_their_number(
    content: tuple[dict[str, Any], dict[str, Any]], turned: bool
):
    usual = irradiated("1", date="2015-03-02") | {"target_region": "7.3", "target_side": "left"}
    rows = [
        usual | one | {"part": part, "record_id": f"record {part}"}
        for part, one in enumerate(content[::-1] if turned else content, start=1)
    ]
    (course,) = documented_courses(rows, "C49.2")
    for column in content[0]:
        attribute: str = ATTRIBUTES.get(column, column)
        assert [getattr(part, attribute) for part in course.parts] == [one[column] for one in content]
