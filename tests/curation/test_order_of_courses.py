"""The order of documented courses: the dated ones, those counted in days, and those without a day."""

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
