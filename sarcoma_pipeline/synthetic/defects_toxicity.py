"""Seed defects in the table of late effects, by kind (``data/demo/defects.csv``)."""

from __future__ import annotations

import datetime as dt

from sarcoma_pipeline.synthetic.drop import LATE_EFFECTS, Drop
from sarcoma_pipeline.synthetic.late_effects import told
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.seeding import Planted, plants


def _planted(drop: Drop, person: Person, statement: str, kind: str, grade: str, days: int | None) -> Planted:
    """Add a row whose effect began so many days after the start of radiotherapy."""
    assert person.rt_start is not None
    on = None if days is None else person.rt_start + dt.timedelta(days=days)
    drop.late_effects.append(told(person, statement, kind, grade, on))
    return Planted(LATE_EFFECTS, person.number)


@plants("late effect without a grade")
def _no_grade(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "Fibrose", "", 300)


@plants("grade that CTCAE does not have")
def _grade(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "Fibrose", "7", 300)


@plants("severe late effect of no kind")
def _no_kind(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "", "3", 300)


@plants("no late effect, with a grade")
def _none_with_grade(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "keine", "", "2", 300)


@plants("late effect without a date")
def _undated(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "Fibrose", "2", None)


@plants("late effect before radiotherapy")
def _before(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "Fibrose", "2", -20)
