"""A drop folder of any size: the demo's patients drawn again, moved in time, with defects at a rate.

Written by the hundred, so that memory does not grow with the number; the same seed gives the same bytes
whatever the number of processes. What is measured on it says how the program scales, nothing about sarcoma.
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

from sarcoma_pipeline.synthetic import defects, tables
from sarcoma_pipeline.synthetic.drop import TABLE, Drop, lay_out
from sarcoma_pipeline.synthetic.people import Person, number_people

AT_ONCE = 100
"""Patients of one part: one export a period, one file an office."""

_FIRST_NUMBER = 50_000_000
_MOVED_DAYS = 1000
_STUDY_BEGINS = dt.date(2011, 1, 1)
_BORN_DAYS = 1500


def _anyone(person: Person) -> bool:
    return True


KINDS: dict[str, Callable[[Person], bool]] = {
    "unknown status code": _anyone,
    "examination in the future": _anyone,
    "old notation of a date": _anyone,
    "estimated diagnosis": _anyone,
    "diagnosis a century early": _anyone,
    "tumour under two numbers": _anyone,
    "repeated report": _anyone,
    "impossible date of surgery": lambda p: p.surgery_date is not None,
    "operation before diagnosis": lambda p: p.surgery_date is not None,
    "course ends before it starts": lambda p: p.rt_start is not None,
    "plan against documentation": lambda p: p.prescribed_dose_gy is not None,
    "examination after death": lambda p: p.death_date is not None,
    "alive after death": lambda p: p.death_date is not None,
    "two dates of death": lambda p: p.death_date is not None,
    "death without a date": lambda p: p.death_date is None,
    "no information": _anyone,
    "unknown answer": _anyone,
    "reply about a stranger": _anyone,
    "size that is no number": _anyone,
    "two sizes in one cell": _anyone,
}
"""Defects that every patient can carry who fits, and that touch nobody else."""


@dataclass(frozen=True)
class Part:
    """Which patients are written together, and how.

    Attributes:
        number: of the part, from 0.
        patients: how many.
        seed: of everything.
        defect_rate: share of patients with a planted defect.
        plans: share of patients with radiotherapy whose plan is exported.
        into: the drop folder.
        data: folder of ``demo_cohort.csv``.
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
        into: the folder; made if it is not there.
        patients: how many.
        seed: the same one gives the same bytes.
        data: folder of ``demo_cohort.csv``.
        defect_rate: share of patients with a planted defect, 0 to 1.
        plans: share of patients with radiotherapy whose plan is exported, 0 to 1.
        processes: how many write at once.

    Returns:
        Kind of defect to how often it was planted.
    """
    parts = [
        Part(number, min(AT_ONCE, patients - first), seed, defect_rate, plans, into, data)
        for number, first in enumerate(range(0, patients, AT_ONCE))
    ]
    planted: Counter[str] = Counter()
    target = into / TABLE
    target.parent.mkdir(parents=True, exist_ok=True)
    header, empty = tables.file([]), len(tables.file([]))
    with target.open("wb") as table:
        table.write(header)
        for rows, kinds in _written(parts, processes):
            table.write(tables.file(rows)[empty:])
            planted.update(kinds)
    return planted


def _written(parts: list[Part], processes: int) -> Iterator[tuple[list[dict[str, str]], list[str]]]:
    if processes == 1:
        yield from map(write_part, parts)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(write_part, parts)


def write_part(part: Part) -> tuple[list[dict[str, str]], list[str]]:
    """Write one part but for the table of the department.

    Returns:
        Its rows of the table, and the kinds of defect that were planted.
    """
    draw = random.Random(f"{part.seed} {part.number}")
    first = part.number * AT_ONCE
    known = pl.read_csv(part.data / "demo_cohort.csv", try_parse_dates=True, infer_schema_length=None)
    rows = [moved(draw.choice(_rows(known)), draw) for _ in range(part.patients)]
    persons = number_people(rows, range(first, first + part.patients), _FIRST_NUMBER + part.seed % 1000, draw)
    drop = lay_out(persons, persons)
    planted = []
    for person in persons:
        if draw.random() >= part.defect_rate:
            continue
        kind = draw.choice([kind for kind, fits in KINDS.items() if fits(person)])
        defects.PLANTS[kind](drop, person)
        planted.append(kind)
    for number in [n for n in drop.courses if draw.random() >= part.plans]:
        del drop.courses[number]
    _name(drop, part)
    # The table is one file for everybody: it is put together by the caller.
    rows_of_table, drop.rows = drop.rows, []
    drop.write(part.into)
    return rows_of_table, planted


def _rows(known: pl.DataFrame) -> list[dict[str, Any]]:
    return known.to_dicts()


def moved(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """A patient's row with every date moved back by the same number of days, and another birthday.

    Radiotherapy stays within the years of the study.
    """
    room = (row["rt_start"] or _STUDY_BEGINS) - _STUDY_BEGINS
    back = dt.timedelta(days=draw.randrange(1 + min(_MOVED_DAYS, max(room.days, 0))))
    dates = {name: value - back for name, value in row.items() if isinstance(value, dt.date)}
    dates["diagnosis_date"] = max(dates["diagnosis_date"], dt.date(2009, 1, 1))
    born = dates["birth_date"] - dt.timedelta(days=draw.randrange(_BORN_DAYS))
    return row | dates | {"birth_date": born}


def _name(drop: Drop, part: Part) -> None:
    """Let the files of a part be no other part's, nor the references within them."""

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
