"""Generate drop folders of any size: the demo's patients at other times, with a given rate of defects.

Patients are written in groups of a hundred, so that memory does not grow with their number. The same seed
gives the same bytes, regardless of the number of processes. Measurements on these files show how the program
scales, nothing about sarcoma.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

from sarcoma_pipeline.synthetic import defects, department_table
from sarcoma_pipeline.synthetic.drop import TABLE, Drop, lay_out
from sarcoma_pipeline.synthetic.people import Person, number_people

AT_ONCE = 100
"""Patients per part: each part has one export per period and one file per office."""

_FIRST_NUMBER = 50_000_000
_MOVED_DAYS = 1000
_STUDY_BEGINS = dt.date(2011, 1, 1)
_BORN_DAYS = 1500
_STUDY_ENDS = dt.date(2020, 12, 31)
_FIRST_DIAGNOSIS = dt.date(2009, 1, 1)
_LAST_EVENT = dt.date(2021, 12, 30)
_INELIGIBLE = 0.2
"""Fraction of ineligible patients, about as in the demo: 24 of 110."""

_STRETCH = (0.75, 1.25)
_FOLLOWED = (
    "local_relapse_date", "distant_relapse_date", "second_malignancy_date", "death_date",
    "last_assessment_date", "last_known_alive_date",
)  # fmt: skip

Fits = Callable[[Drop, Person], bool]


def _anyone(drop: Drop, person: Person) -> bool:
    return True


def _operated(drop: Drop, person: Person) -> bool:
    return person.surgery_date is not None


def _irradiated(drop: Drop, person: Person) -> bool:
    return person.rt_start is not None


def _dead(drop: Drop, person: Person) -> bool:
    return person.death_date is not None


def _alive(drop: Drop, person: Person) -> bool:
    return person.death_date is None


def _planned(drop: Drop, person: Person) -> bool:
    return person.number in drop.courses


def _transposable(drop: Drop, person: Person) -> bool:
    born = person.birth_date
    return born.day <= 12 and born.day != born.month


KINDS: dict[str, Fits] = {
    "unknown status code": _anyone,
    "examination in the future": _anyone,
    "old notation of a date": _anyone,
    "estimated diagnosis": _anyone,
    "diagnosis a century early": _anyone,
    "tumour under two numbers": _anyone,
    "repeated report": _anyone,
    "corrected report": _operated,
    "impossible date of surgery": _operated,
    "operation before diagnosis": _operated,
    "course ends before it starts": _irradiated,
    "radiotherapy without irradiation": _irradiated,
    "plan against documentation": lambda drop, person: person.prescribed_dose_gy is not None,
    "examination after death": _dead,
    "alive after death": _dead,
    "two dates of death": _dead,
    "death without a date": _alive,
    "death before diagnosis": _alive,
    "no information": _anyone,
    "unknown answer": _anyone,
    "reply about a stranger": _anyone,
    "day and month of birth transposed": _transposable,
    "size that is no number": _anyone,
    "size in millimetres": _anyone,
    "two sizes in one cell": _anyone,
    "plan without PatientID": _planned,
    "structure set of another patient": _planned,
    "plan without file meta": _planned,
    "birth date of zeros": _planned,
    "plan exported twice": _planned,
    "unapproved plan": _planned,
    "dose at the beams only": _planned,
    "two slice thicknesses": _planned,
    "cut DICOM file": _planned,
}
"""Defects that affect only their own patient, each with a condition that the patient must fulfil."""


@dataclass(frozen=True)
class Part:
    """Patients that are written together.

    Attributes:
        number: number of the part, from 0.
        patients: number of patients.
        seed: random seed.
        defect_rate: fraction of patients with a seeded defect.
        plans: fraction of patients with radiotherapy whose plan is exported.
        into: the drop folder.
        data: folder of ``demo_cohort.csv`` and ``ineligible.csv``.
    """

    number: int
    patients: int
    seed: int
    defect_rate: float
    plans: float
    into: Path
    data: Path


def write(
    into: Path, patients: int, seed: int, data: Path, defect_rate: float = 0.02, plans: float = 1.0,
    processes: int = 1,
) -> Counter[str]:  # fmt: skip
    """Write a drop folder.

    Args:
        into: the folder; created if missing.
        patients: number of patients.
        seed: random seed; the same seed gives the same bytes.
        data: folder of ``demo_cohort.csv`` and ``ineligible.csv``.
        defect_rate: fraction of patients with a seeded defect, 0 to 1.
        plans: fraction of patients with radiotherapy whose plan is exported, 0 to 1.
        processes: number of processes that write in parallel.

    Returns:
        Kind of defect to number of seeded defects.
    """
    parts = [
        Part(number, min(AT_ONCE, patients - first), seed, defect_rate, plans, into, data)
        for number, first in enumerate(range(0, patients, AT_ONCE))
    ]
    planted: Counter[str] = Counter()
    target = into / TABLE
    target.parent.mkdir(parents=True, exist_ok=True)
    header, empty = department_table.file([]), len(department_table.file([]))
    with target.open("wb") as table:
        table.write(header)
        for rows, kinds in _written(parts, processes):
            table.write(department_table.file(rows)[empty:])
            planted.update(kinds)
    return planted


def _written(parts: list[Part], processes: int) -> Iterator[tuple[list[dict[str, str]], list[str]]]:
    if processes == 1:
        yield from map(write_part, parts)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(write_part, parts)


def write_part(part: Part) -> tuple[list[dict[str, str]], list[str]]:
    """Write one part, except for its rows of the department's table.

    Returns:
        Its rows of the table, and the kinds of the seeded defects.
    """
    draw = random.Random(f"{part.seed} {part.number}")
    first = part.number * AT_ONCE
    eligible, ineligible = _known(part.data)
    rows = [
        moved(draw.choice(ineligible if draw.random() < _INELIGIBLE else eligible), draw)
        for _ in range(part.patients)
    ]
    persons = number_people(rows, range(first, first + part.patients), _FIRST_NUMBER + part.seed % 1000, draw)
    drop = lay_out(persons, persons)
    for number in [n for n in drop.courses if draw.random() >= part.plans]:
        del drop.courses[number]
    planted = []
    for person in persons:
        if draw.random() >= part.defect_rate:
            continue
        kind = draw.choice([kind for kind, fits in KINDS.items() if fits(drop, person)])
        defects.PLANTS[kind](drop, person)
        planted.append(kind)
    _name(drop, part)
    # The caller writes the table, because it is one file for all parts.
    rows_of_table, drop.rows = drop.rows, []
    drop.write(part.into)
    return rows_of_table, planted


def _known(data: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Load the demo's eligible and ineligible patients, without those with defects."""
    eligible, ineligible = (
        pl.read_csv(data / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)
        for name in ("demo_cohort", "ineligible")
    )
    return eligible.to_dicts(), ineligible.filter(pl.col("patient").str.starts_with("INE-")).to_dicts()


def moved(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """Move a patient's row to another time, with another length of follow-up and another birthday.

    All dates move back by the same number of days, with radiotherapy staying within the years of the study
    (or after them, if it was after them). The times of events after treatment are scaled by one factor, so
    that their order is kept and no two patients have the same times.
    """
    back = dt.timedelta(days=draw.randrange(1 + min(_MOVED_DAYS, max(_room(row), 0))))
    dates = {name: value - back for name, value in row.items() if isinstance(value, dt.date)}
    dates["diagnosis_date"] = max(dates["diagnosis_date"], _FIRST_DIAGNOSIS)
    born = dates["birth_date"] - dt.timedelta(days=draw.randrange(_BORN_DAYS))
    return row | dates | _stretched(dates, draw) | {"birth_date": born}


def _room(row: dict[str, Any]) -> int:
    """Return the number of days by which a row can be moved back."""
    start = row["rt_start"]
    if start is None:
        return (row["diagnosis_date"] - _FIRST_DIAGNOSIS).days
    return (start - _STUDY_ENDS).days - 1 if start > _STUDY_ENDS else (start - _STUDY_BEGINS).days


def _stretched(dates: dict[str, dt.date], draw: random.Random) -> dict[str, dt.date]:
    treated = max(dates[name] for name in ("diagnosis_date", "surgery_date", "rt_end") if name in dates)
    days = {name: (dates[name] - treated).days for name in _FOLLOWED if name in dates}
    longest = max(days.values())
    if longest <= 0:
        return {}
    least, most = _STRETCH
    factor = draw.uniform(least, max(least, min(most, (_LAST_EVENT - treated).days / longest)))
    return {name: treated + dt.timedelta(days=round(n * factor)) for name, n in days.items() if n > 0}


def _name(drop: Drop, part: Part) -> None:
    """Make file names and references unique to the part."""

    def own(path: str) -> str:
        folder, _, name = path.rpartition("/")
        return f"{folder}/{part.number:05d}_{name}"

    drop.exports = {own(path): export for path, export in drop.exports.items()}
    drop.replies = {
        own(path): [
            replace(reply, reference=f"MR-{part.number:05d}-{office}-{position:04d}")
            for position, reply in enumerate(replies)
        ]
        for office, (path, replies) in enumerate(drop.replies.items())
    }
    for courses in drop.courses.values():
        for planned in courses:
            folder, _, name = planned.folder.partition("/")
            planned.folder = f"{folder}/{part.number:05d}/{name}"
