"""Seed defects of courses: copies, new plans, treatment records, several irradiations.

Every patient keeps the course in their row; the defect must not change it.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sarcoma_pipeline.synthetic.dicom_course import Course, fractions
from sarcoma_pipeline.synthetic.dicom_record import RECORD
from sarcoma_pipeline.synthetic.drop import Drop, Planned
from sarcoma_pipeline.synthetic.obds import Element, tag
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.seeding import Planted, plants

_OTHER_UNITS = "312.5"
_DAYS_LATER = dt.timedelta(days=10)


def _first(drop: Drop, person: Person) -> Planned:
    return drop.courses[person.number][0]


def _changed(drop: Drop, person: Person, **values: Any) -> Planted:
    """Change the patient's own course."""
    planned = _first(drop, person)
    planned.course = replace(planned.course, **values)
    return Planted(planned.folder, planned=planned)


def _beside(drop: Drop, person: Person, name: str, *, elsewhere: bool = False, **values: Any) -> Planted:
    """Add a plan to the patient's course, in its frame of reference or elsewhere in the body."""
    first = _first(drop, person)
    # A plan elsewhere has its own contours.
    modalities = ("RTPLAN", "RTSTRUCT") if elsewhere else ("RTPLAN",)
    course = replace(first.course, modalities=modalities, delivered=(), plan=name, **values)
    seed = f"{first.seed} {name}" if elsewhere else first.seed
    planned = Planned(course, f"{first.folder}_{name}", seed)
    drop.courses[person.number].append(planned)
    return Planted(planned.folder, planned=planned)


def _one_fraction(course: Course, number: int = 1) -> dict[str, Any]:
    return {"fractions": number, "prescribed_dose_gy": number * course.single_dose_gy,
            "simultaneous_integrated_boost": False}  # fmt: skip


def _report(drop: Drop, person: Person) -> Element:
    return next(r for r in drop.reports(person) if r.find(tag("ST")) is not None)


def _documented(drop: Drop, person: Person, change: Callable[[Element], None] = lambda _: None) -> Planted:
    """Change the report of the course, and return its place, which is that of the finding."""
    report = _report(drop, person)
    change(report)
    return Planted(drop.export_of(person), report.get("Meldung_ID"))


def _set(report: Element, name: str, text: str) -> None:
    next(report.iter(tag(name))).text = text


# --- plans --------------------------------------------------------------------------------------------


@plants("plan approved again")
def _approved_again(drop: Drop, person: Person) -> Planted:
    later = _first(drop, person).course.plan_date + dt.timedelta(days=4)
    _beside(drop, person, "erneut", label="STS neu", plan_date=later)
    # The newer plan counts.
    return Planted(_first(drop, person).folder, planned=_first(drop, person))


@plants("verification plan of two fractions")
def _verification(drop: Drop, person: Person) -> Planted:
    two = _one_fraction(_first(drop, person).course, 2)
    return _beside(drop, person, "pruefung", elsewhere=True, label="QA", intent="VERIFICATION", **two)


@plants("approval left out")
def _no_approval(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, approval="")


@plants("treated without approval")
def _unapproved(drop: Drop, person: Person) -> Planted:
    _records(drop, person)
    return _changed(drop, person, approval="UNAPPROVED")


@plants("planned anew without a reference")
def _replanned(drop: Drop, person: Person) -> Planted:
    later = _first(drop, person).course.plan_date + _DAYS_LATER
    return _beside(
        drop, person, "neu", label="STS adaptiert", plan_date=later, meterset=_OTHER_UNITS
    )  # fmt: skip


@plants("second site on the same days")
def _two_sites(drop: Drop, person: Person) -> Planted:
    _beside(drop, person, "leiste", elsewhere=True, label="LEISTE", meterset=_OTHER_UNITS)
    return Planted(_first(drop, person).folder, planned=_first(drop, person))


@plants("measurement among the plans")
def _measurement(drop: Drop, person: Person) -> Planted:
    one = _one_fraction(_first(drop, person).course)
    return _beside(drop, person, "messung", elsewhere=True, label="MESSUNG", **one)


@plants("plan without monitor units")
def _no_units(drop: Drop, person: Person) -> Planted:
    return _beside(drop, person, "leer", meterset=None, label="ENTWURF")


@plants("plan for research")
def _research(drop: Drop, person: Person) -> Planted:
    return _beside(drop, person, "studie", intent="RESEARCH", label="PROTONEN", meterset=_OTHER_UNITS)


@plants("plan dated long before its course")
def _long_before(drop: Drop, person: Person) -> Planted:
    early = _first(drop, person).course.plan_date - dt.timedelta(days=150)
    return _changed(drop, person, plan_date=early)


@plants("prescription in centigray")
def _centigray(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, written_dose_gy=100 * _first(drop, person).course.prescribed_dose_gy)


@plants("dose of one fraction as prescription")
def _per_fraction(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, written_dose_gy=_first(drop, person).course.single_dose_gy)


@plants("beam doses that give another dose")
def _beam_doses(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, beam_dose_share="0.9")


# --- treatment records --------------------------------------------------------------------------------


def _records(
    drop: Drop, person: Person, count: int | None = None, pause_after: int | None = None, pause_days: int = 0
) -> dt.date:
    """Add a treatment record for every fraction, and return the day of the last one."""
    assert person.rt_start is not None and person.fractions is not None
    given = fractions(person.rt_start, count or person.fractions, pause_after, pause_days)
    _changed(drop, person, delivered=given)
    return given[-1].day


@plants("course broken off")
def _broken_off(drop: Drop, person: Person) -> Planted:
    last = _records(drop, person, 15)

    def end(report: Element) -> None:
        _set(report, "Ende", last.isoformat())
        _set(report, "Ende_Grund", "A")

    return _documented(drop, person, end)


@plants("broken off and planned anew with another dose per fraction")
def _planned_anew(drop: Drop, person: Person) -> Planted:
    last = _records(drop, person, 15)
    rest = fractions(last + dt.timedelta(days=5), 10)
    follow_up = _beside(
        drop, person, "rest", label="STS Rest", plan_date=last + dt.timedelta(days=2), fractions=len(rest),
        prescribed_dose_gy=25.0, single_dose_gy=2.5, meterset=_OTHER_UNITS,
    ).planned  # fmt: skip
    assert follow_up is not None
    numbered = tuple(replace(one, number=15 + one.number) for one in rest)
    follow_up.course = replace(follow_up.course, delivered=numbered)

    def given(report: Element) -> None:
        _set(report, "Ende", rest[-1].day.isoformat())
        _set(report, "Dosis", "55")
        single = next(report.iter(tag("Einzeldosis")))
        next(single.iter(tag("Dosis"))).text = "2.2"

    _documented(drop, person, given)
    return Planted(_first(drop, person).folder, planned=_first(drop, person))


@plants("three weeks without treatment")
def _interrupted(drop: Drop, person: Person) -> Planted:
    last = _records(drop, person, None, 10, 21)
    return _documented(drop, person, lambda report: _set(report, "Ende", last.isoformat()))


@plants("broken off after all fractions")
def _complete(drop: Drop, person: Person) -> Planted:
    _records(drop, person)
    return _documented(drop, person, lambda report: _set(report, "Ende_Grund", "A"))


@plants("record without its plan")
def _lost_plan(drop: Drop, person: Person) -> Planted:
    assert person.rt_start is not None
    first = _first(drop, person)
    course = replace(first.course, modalities=(), delivered=fractions(person.rt_start, 1), plan="verloren")
    planned = Planned(course, f"{first.folder}_protokoll", f"{first.seed} verloren")
    drop.courses[person.number].append(planned)
    return Planted(planned.folder, planned=planned, modality=RECORD)


@plants("fraction recorded twice")
def _twice(drop: Drop, person: Person) -> Planted:
    _records(drop, person)
    given = _first(drop, person).course.delivered
    again = replace(given[4], part=2, day=given[-1].day + dt.timedelta(days=1))
    place = _changed(drop, person, delivered=(*given, again))
    return replace(place, modality=f"{RECORD}5")


# --- documentation ------------------------------------------------------------------------------------


@plants("two irradiations without a mark")
def _two_irradiations(drop: Drop, person: Person) -> Planted:
    del drop.courses[person.number]

    def add(report: Element) -> None:
        several = next(report.iter(tag("Menge_Bestrahlung")))
        second = copy.deepcopy(several[0])
        several.append(second)
        _set(second, "Dosis", "16")
        for part in several:
            boost = next(part.iter(tag("Boost")))
            boost.getparent().remove(boost)

    return _documented(drop, person, add)


@plants("dose per fraction against the plan")
def _single_dose(drop: Drop, person: Person) -> Planted:
    def change(report: Element) -> None:
        single = next(report.iter(tag("Einzeldosis")))
        next(single.iter(tag("Dosis"))).text = "2.5"

    return _documented(drop, person, change)
