"""Cases of the rules that one function judges: courses, contours, and this refresh against the last one.

Each case is a function that returns the rules that are broken.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.curation.course_rules import CourseFacts, judge
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from sarcoma_pipeline.curation.dose_volume.structure_dose import Wanted, measure
from sarcoma_pipeline.quality import volumes
from schemas.volumes import Volume
from tests.curation import rt_phantoms as ph
from tests.quality.rule_cases.four import NO_VALUE, THE_FAULT, Four

Broken = Callable[[], set[str]]

# --- courses: documentation against plans and treatment records -------------------------------------------

_PLANNED: dict[str, Any] = {
    "prescribed": 50.0, "delivered": None, "planned_fractions": 25, "delivered_fractions": None,
    "first": None, "last": None, "gap": None,
}  # fmt: skip
BEGIN, END = dt.date(2015, 3, 2), dt.date(2015, 4, 3)


def course(dose: float | None = 50.0, fractions: int | None = 25, documented: dict[str, Any] | None = None,
           **found: Any) -> Broken:  # fmt: skip
    """Return the rules that a course of 25 x 2 Gy breaks, documented and planned or delivered otherwise."""
    said = DocumentedCourse("c", "r", ("r",), dose=dose, fractions=fractions, **(documented or {}))
    values: dict[str, Any] = {**_PLANNED, "documented": said, **found}
    facts = CourseFacts(**values)
    return lambda: {rule.id for rule, _ in judge(facts)}


DATED = {"start": BEGIN, "end": END}
COURSES: dict[str, Four[Broken]] = {
    "radiotherapy.dose-conflict": Four(
        course(60.0, 30), course(50.4), course(None, None),
        course(40.0, 20, delivered=30.0, delivered_fractions=15),
    ),
    "radiotherapy.fractions-conflict": Four(
        course(fractions=20), course(), course(fractions=None), course(fractions=30),
    ),
    "course.delivered-less": Four(
        course(delivered=48.0, delivered_fractions=24), course(delivered=50.0, delivered_fractions=25),
        course(delivered=48.0, delivered_fractions=None), course(delivered=2.0, delivered_fractions=1),
    ),
    "course.delivered-more": Four(
        course(delivered=52.0, delivered_fractions=26), course(delivered=50.0, delivered_fractions=25),
        course(delivered=52.0, delivered_fractions=26, planned_fractions=None),
        course(delivered=60.0, delivered_fractions=30),
    ),
    "course.dates-differ": Four(
        course(documented=DATED, first=BEGIN + dt.timedelta(4), last=END),
        course(documented=DATED, first=BEGIN + dt.timedelta(3), last=END - dt.timedelta(3)),
        course(first=BEGIN, last=END),
        course(documented=DATED, first=BEGIN, last=END + dt.timedelta(4)),
    ),
    "course.interrupted": Four(course(gap=8), course(gap=7), course(gap=None), course(gap=40)),
    "course.end-reason": Four(
        course(30.0, 15, {"end_reason": "E"}, delivered=30.0, delivered_fractions=15),
        course(30.0, 15, {"end_reason": "A"}, delivered=30.0, delivered_fractions=15),
        course(30.0, 15, {"end_reason": None}, delivered=30.0, delivered_fractions=15),
        course(50.0, 25, {"end_reason": "A"}, delivered=50.0, delivered_fractions=25),
    ),
}  # fmt: skip

# --- contours -----------------------------------------------------------------------------------------


def drawn(contours: list[np.ndarray], **how: Any) -> Broken:
    """Return the rules that a structure breaks."""
    return lambda: {one.id for one in measure(ph.structure(contours, **how), None, Wanted()).doubts}


BAR = ph.cylinder(20, 60)  # planes 3 mm apart
PLANES = len(BAR)
_LINE = np.array([[0.0, 0, 0], [10, 0, 0]])


def _tilted(contour: np.ndarray) -> np.ndarray:
    return np.column_stack([contour[:, 0], contour[:, 1], contour[:, 2] + 0.3 * contour[:, 0]])


def _without(*planes: int) -> list[np.ndarray]:
    return [one for n, one in enumerate(BAR) if n not in planes]


CONTOURS: dict[str, Four[Broken]] = {
    "contours.absent": Four(drawn([]), drawn(BAR), THE_FAULT, drawn([], kind="POINT")),
    "contours.few-planes": Four(drawn(BAR[:1]), drawn(BAR[:3]), NO_VALUE, drawn(BAR[:2])),
    "contours.coarse": Four(drawn(BAR[:3]), drawn(BAR[:7]), NO_VALUE, drawn(BAR[:6])),
    "contours.gap": Four(drawn(_without(9)), drawn(_without(0)), NO_VALUE, drawn(_without(5, 6, 7, 8))),
    "contours.points-only": Four(
        drawn([np.zeros((1, 3))], kind="POINT"), drawn(BAR), NO_VALUE, drawn(BAR, kind="OPEN_PLANAR"),
    ),
    "contours.repeated": Four(
        drawn([*BAR, BAR[4]]), drawn([*BAR, *ph.cylinder(20, 60, x=60)]), NO_VALUE,
        drawn([*BAR, BAR[7][::-1]]),
    ),
    "contours.overlap": Four(
        drawn([*BAR, *ph.cylinder(20, 60, x=20)]), drawn([*BAR, *ph.cylinder(20, 60, x=60)]), NO_VALUE,
        drawn([*BAR, ph.cylinder(20, 60, x=5)[3]]),
    ),
    "contours.unreadable": Four(
        drawn([*BAR, _LINE]), drawn(BAR), NO_VALUE, drawn([*BAR, np.full((4, 3), np.nan)]),
    ),
    "contours.not-planar": Four(
        drawn([*BAR[:-1], BAR[-1] + np.where(np.arange(len(BAR[-1])) == 0, 4.0, 0.0)[:, None] * [0, 0, 1]]),
        drawn(BAR), NO_VALUE,
        drawn([BAR[0] + np.where(np.arange(len(BAR[0])) < 5, 3.0, 0.0)[:, None] * [0, 0, 1], *BAR[1:]]),
    ),
    "contours.not-parallel": Four(
        drawn([*BAR[:10], *map(_tilted, BAR[10:])]), drawn([*map(_tilted, BAR)]), NO_VALUE,
        drawn([*BAR, *(one[:, [2, 0, 1]] for one in BAR)]),
    ),
}  # fmt: skip

# --- this refresh against the last one --------------------------------------------------------------------

_USUAL = {"files": 20, "files unread": 1, "records": 200, "quarantined": 2, "patients": 100}


def _nights(tonight: dict[str, int], before: dict[str, int]) -> set[str]:
    rows = [
        (night, "all" if metric == "patients" else "s", metric, n)
        for night, values in (("R1", before), ("R2", tonight))
        for metric, n in (_USUAL | values).items()
    ]
    found = Volume.conform(pl.DataFrame(rows, schema=Volume.polars_schema(), orient="row"))
    return set(volumes.observe(found, "R2")["rule_id"])


def night(before: dict[str, int] | None = None, **tonight: int) -> Broken:
    """Return the rules that a refresh breaks that differs from the one before in some counts."""
    return partial(_nights, {k.replace("_", " "): n for k, n in tonight.items()}, before or {})


REFRESHES: dict[str, Four[Broken]] = {
    "dataset.source-silent": Four(
        night(files=0, records=0), night(files=1), NO_VALUE,
        night({"files": 0, "records": 0}, files=0, records=0),
    ),
    "dataset.volume-dropped": Four(night(records=180), night(records=181), NO_VALUE, night(records=1)),
    "dataset.patients-lost": Four(night(patients=99), night(patients=100), NO_VALUE, night(patients=1)),
    "dataset.quarantine-rose": Four(
        night(quarantined=7), night(quarantined=6), NO_VALUE, night({"quarantined": 0}, quarantined=5),
    ),
    "dataset.files-unread": Four(
        night(files_unread=5), night(files_unread=4), NO_VALUE, night(files=10, files_unread=3),
    ),
}  # fmt: skip

COMPUTED = COURSES | CONTOURS | REFRESHES
