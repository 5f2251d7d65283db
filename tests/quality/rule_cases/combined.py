"""Cases of the rules on the plans of a course: which course, which of them count, and what a steward chose.

The patient is that of ``planned``: a course of 25 x 2 Gy from 2 March to 3 April 2015, before an operation on
20 May. Plans that are not alike have other monitor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tests.curation.conftest import Case
from tests.curation.rt_files import Field, days, plan, record, records
from tests.quality.rule_cases.four import NO_VALUE, Four
from tests.quality.rule_cases.planned import Told, delivered
from tests.quality.rule_cases.together import Many


def _arcs(single: float, meterset: float = 310.0) -> list[Field]:
    return [Field(single / 2, meterset), Field(single / 2, meterset, turns="CC")]


def _second(dose: float | None, fractions: int | None, *, single: float = 2.0, **more: Any) -> Dataset:
    """Return another plan than 1.1, of 12 March."""
    return plan("1.2", dose, fractions, **({"date": "20150312", "beams": _arcs(single)} | more))


def _treated(uid: str = "1.1", count: int = 25, first: str = "20150302", **more: Any) -> list[Dataset]:
    return records(uid, first, count, **more)


def _with(number: int | None, *more: dict[str, Any]) -> list[Dataset]:
    """Return 25 records of whole fractions, and further ones of one number on the days after them."""
    every = days("20150302", 25 + len(more))
    whole = [record("1.1", day, n, delivered=(600.0,)) for n, day in enumerate(every[:25], 1)]
    return [*whole, *(record("1.1", day, number, **m) for day, m in zip(every[25:], more, strict=True))]


def _ended(how: str, units: float | None = None) -> list[Dataset]:
    """Return 25 records, of which the last one ended in some way."""
    day = days("20150302", 25)[-1]
    return [*_treated(count=24), record("1.1", day, 25, ended=how, delivered=(units,))]


def _without_status() -> list[Dataset]:
    *others, last = _ended("MACHINE")
    del last.TreatmentSessionBeamSequence[0].TreatmentTerminationStatus
    return [*others, last]


def two_courses(*files: Dataset, dose: float = 54, single: float = 1.8) -> Told:
    """Return a patient with 25 x 2 Gy from 1 June, 30 fractions from 20 July, and these files."""

    def tell(case: Case) -> None:
        case.course(start="2015-06-01", end="2015-07-03")
        case.course(dose, single, "2015-07-20", "2015-08-28", st="ST2")
        case.files(*files)

    return tell


UNCLEAR = delivered(plan("1.1"), _second(34, 17), documented=False)
"""A replan for the rest that nothing links and nobody documents: ask (docs/radiotherapy.md, examples)."""
RESEARCH = delivered(plan("1.1", intent="RESEARCH"))
FOLLOWS = [("1.1", "PREDECESSOR")]

COURSES: dict[str, Four[Told]] = {
    "course.undecided": Four(
        UNCLEAR,
        delivered(plan("1.1"), _second(34, 17, relations=FOLLOWS), documented=False),
        delivered(plan("1.1"), _second(34, None), documented=False),
        delivered(plan("1.1", 60, 30), *_treated(count=15), _second(33, 15, single=2.2, date="20150322"),
                  *_treated("1.2", 15, "20150323", start=16), documented=False),
        null_fires=True,  # without a number of fractions nothing is added (D10)
    ),
    "course.research-plan": Four(
        RESEARCH, delivered(plan("1.1", intent="RESEARCH"), *_treated()), delivered(plan("1.1", intent="")),
        delivered(plan("1.1"), _second(60, 30, intent="RESEARCH")),
    ),
    "course.parallel-sites": Four(
        delivered(plan("1.1"), _second(45, 25, single=1.8, isocentre=(0.0, 0.0, 250.0))),
        delivered(plan("1.1"), _second(45, 25, single=1.8, isocentre=(0.0, 0.0, 60.0))),
        delivered(plan("1.1"), _second(45, 25, beams=[Field(1.8, 310.0, isocentre=None)])),
        delivered(plan("1.1"), _second(45, 25, single=1.8, frame="1.99", date="20150226")),
    ),
    "course.plan-superseded": Four(
        delivered(plan("1.1"), _second(50, 25, date="20150226"), *_treated("1.2")),
        delivered(plan("1.1"), _second(50, 25), *_treated("1.1")),
        delivered(plan("1.1", date=None), _second(50, 25, date="20150226"), *_treated("1.2")),
        delivered(plan("1.1", 60, 30), _second(48, 24, relations=FOLLOWS), *_treated("1.2", 24), dose=48),
    ),
    "course.replan-unlinked": Four(
        delivered(plan("1.1"), _second(50, 25)), delivered(plan("1.1"), _second(50, 25, relations=FOLLOWS)),
        delivered(plan("1.1"), _second(50, 25), documented=False),
        delivered(plan("1.1", 45, 25), _second(45, 25, single=1.8), dose=45, single=1.8),
    ),
}  # fmt: skip

ASSIGNED: dict[str, Four[Told]] = {
    "plan.course-ambiguous": Four(
        two_courses(plan("1.1", 48, 24, date="20150701")),
        two_courses(plan("1.1", date="20150701")),
        two_courses(plan("1.1", 48, 24, date=None)),
        two_courses(plan("1.1", date="20150701"), dose=50, single=2),
    ),
    "plan.course-unknown": Four(
        delivered(plan("1.1", 48, 24, date=None)), delivered(plan("1.1", date=None)),
        delivered(plan("1.1", date=None, references=[], beams=[Field(None)])),
        two_courses(plan("1.1", date=None), dose=50, single=2),
        null_fires=True,
    ),
    "plan.outside-courses": Four(
        delivered(plan("1.1"), plan("1.2", 30, 10, date="20190305")),
        delivered(plan("1.1"), plan("1.2", 30, 10, date="20150305")),
        delivered(plan("1.1"), plan("1.2", 30, 10, date=None)),
        delivered(plan("1.1", 48, 24, date="20141201")),
    ),
    "plan.uid-reused": Four(
        delivered(plan("1.1"), plan("1.1", 60, 30, beams=_arcs(2))),
        delivered(plan("1.1", approval="UNAPPROVED"), plan("1.1")),
        delivered(plan("1.1"), plan("1.1", 50, None, beams=_arcs(2, 300))),
        delivered(plan("1.1"), plan("1.1", 60, 30, approval="UNAPPROVED")),
        null_fires=True,  # 25 fractions and an empty number are two contents
    ),
}  # fmt: skip

TREATED: dict[str, Four[Told]] = {
    "records.ended-early": Four(
        delivered(plan("1.1"), *_ended("MACHINE")), delivered(plan("1.1"), *_ended("MACHINE", 300.0)),
        delivered(plan("1.1"), *_without_status()), delivered(plan("1.1"), *_ended("OPERATOR")),
    ),
    "records.fraction-twice": Four(
        delivered(plan("1.1"), *_with(25, {"delivered": (600.0,)})),
        delivered(plan("1.1"), *_treated(count=24), record("1.1", days("20150302", 25)[-1], 25,
                                                          delivered=(300.0,)),
                  record("1.1", days("20150302", 26)[-1], 25, delivered=(300.0,), delivery="CONTINUATION")),
        delivered(plan("1.1"), *_with(None, {"delivered": (600.0,)})),
        delivered(plan("1.1"), *_with(7, {"delivered": (300.0,)}, {"delivered": (250.0,)})),
    ),
}  # fmt: skip

COMBINED = COURSES | ASSIGNED | TREATED


@dataclass(frozen=True)
class Chosen:
    """A patient, and the number of the reading of the course that a steward chose; 0: none yet."""

    told: Told
    reading: int = 0


def one_after_the_other(first: float, second: float | None, fractions: int, others: int) -> Told:
    """Return a patient with two plans that nothing links, of other doses per fraction; no course."""
    more = _second(second, others, beams=_arcs(second / others) if second else [Field(None, 310.0)])
    return delivered(plan("1.1", first, fractions), more, documented=False)


CHOSEN: dict[str, Four[Chosen]] = {
    "course.decided": Four(Chosen(UNCLEAR, 2), Chosen(UNCLEAR), NO_VALUE, Chosen(RESEARCH, 1)),
    # Each plan by itself is plausible; the first reading is that all doses add.
    "course.dose-implausible": Four(
        Chosen(one_after_the_other(60, 42, 30, 20), 1),
        Chosen(one_after_the_other(60, 40, 30, 16), 1),
        Chosen(one_after_the_other(60, None, 30, 20), 1),
        Chosen(one_after_the_other(45, 44, 40, 41), 1),
    ),
}  # fmt: skip


def broken_by(cases: dict[str, Four[Chosen]], folder: Path) -> set[tuple[str, str]]:
    """Return each case with the rules that its records break after the choice."""
    records_, whose, asked = Many(), {}, {}
    told = [(f"{rule} {name}", one) for rule, four in cases.items() for name, one, _ in four.cases()]
    for number, (case, one) in enumerate(told, 2):
        patient = Case(records_, folder, str(number)).patient()
        one.told(patient)
        whose |= dict.fromkeys(patient.ids, case)
        asked[f"number:{number}"] = one.reading
    offered = records_.run()["radiotherapy_reading"]
    keys = {
        row["reading_key"]
        for row in offered.iter_rows(named=True)
        if row["reading"] == asked[row["patient_id"]]
    }
    observed = records_.run(frozenset(keys)).observed.select("record_id", "rule_id")
    return {(whose[record_id], rule) for record_id, rule in observed.iter_rows() if record_id in whose}
