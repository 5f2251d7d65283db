"""Give the demo's courses treatment records that fit their documentation, two of them with a fault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from sarcoma_pipeline.synthetic.dicom_course import Fraction
from sarcoma_pipeline.synthetic.drop import Drop, Planned
from sarcoma_pipeline.synthetic.people import Person

FAULTS = {
    "record of a fraction left out": "records.incomplete",
    "fraction ended early without monitor units": "records.ended-early",
}
"""Fault to the rule that finds it."""
_FAULTY = 7
"""Number of the faulty fraction."""
_SATURDAY = 5


def fractions_between(first: dt.date, last: dt.date, count: int) -> tuple[Fraction, ...]:
    """Return fractions from the first to the last day, one a day.

    Weekends and, if there are more working days than fractions, days at equal distances have none; if there
    are fewer, some days of weekends have one.

    Args:
        first: day of the first fraction.
        last: day of the last one.
        count: number of fractions.

    Raises:
        ValueError: there are fewer days than fractions.
    """
    every = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    if len(every) < count or count < 2:
        raise ValueError("there are fewer days than fractions")
    inner = sorted(every[1:-1], key=lambda day: (day.weekday() >= _SATURDAY, day))
    working = [day for day in inner if day.weekday() < _SATURDAY]
    wanted = count - 2
    if len(working) > wanted:
        free = len(working) - wanted
        left_out = {(2 * n + 1) * len(working) // (2 * free) for n in range(free)}
        chosen = [day for n, day in enumerate(working) if n not in left_out]
    else:
        chosen = inner[:wanted]
    days = [first, *sorted(chosen), last]
    return tuple(Fraction(day, number) for number, day in enumerate(days, 1))


def add(drop: Drop, persons: Sequence[Person], faulty: Sequence[Person]) -> dict[str, Planned]:
    """Add a record of every fraction to the only course of each person.

    Args:
        drop: the content of the drop folder; it is changed.
        persons: the persons whose courses get records.
        faulty: the persons among them whose records get the faults, one each.

    Returns:
        Fault to the course that has it.
    """
    found = {}
    faults = dict(zip((one.number for one in faulty), FAULTS, strict=False))
    for person in persons:
        courses = drop.courses.get(person.number, [])
        if len(courses) != 1 or person.rt_start is None or person.rt_end is None or not person.fractions:
            continue
        (planned,) = courses
        given = fractions_between(person.rt_start, person.rt_end, person.fractions)
        fault = faults.get(person.number)
        if fault is not None:
            given = _faulty(fault, given)
            found[fault] = planned
        planned.course = replace(planned.course, delivered=given)
    return found


def _faulty(fault: str, given: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    at = _FAULTY - 1
    if fault == "record of a fraction left out":
        return (*given[:at], *given[at + 1 :])
    return (*given[:at], replace(given[at], ended="MACHINE"), *given[at + 1 :])
