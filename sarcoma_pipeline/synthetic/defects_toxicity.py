"""Seed defects of toxicity in the table of late effects and in an ST, by kind (``data/demo/defects.csv``)."""

from __future__ import annotations

import datetime as dt

from sarcoma_pipeline.synthetic.defects_obds import find, inner, on
from sarcoma_pipeline.synthetic.drop import LATE_EFFECTS, Drop
from sarcoma_pipeline.synthetic.late_effects import told
from sarcoma_pipeline.synthetic.obds import put
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


@plants("fatal late effect of a living patient")
def _fatal(drop: Drop, person: Person) -> Planted:
    assert person.death_date is None
    return _planted(drop, person, "ja", "Fibrose", "5", 300)


@plants("late effect after death")
def _after_death(drop: Drop, person: Person) -> Planted:
    assert person.rt_start is not None and person.death_date is not None
    days = (person.death_date - person.rt_start).days + 30
    return _planted(drop, person, "ja", "Fibrose", "2", days)


@plants("late effect in one row, and none in another")
def _contradicted(drop: Drop, person: Person) -> Planted:
    _planted(drop, person, "ja", "Fibrose", "2", 300)
    return _planted(drop, person, "keine", "", "0", 400)


@plants("side effect with a code of another list")
def _code(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "ST")
    effects = inner(report, "Nebenwirkungen")
    effects[:] = []
    effect = put(put(effects, "Menge_Nebenwirkung"), "Nebenwirkung")
    put(put(effect, "Art"), "MedDRA_Code", "20012345")
    put(effect, "Grad", "3")
    put(effect, "Version", "5.0")
    return on(drop, person, report)


@plants("late effect before radiotherapy")
def _before(drop: Drop, person: Person) -> Planted:
    return _planted(drop, person, "ja", "Fibrose", "2", -20)
