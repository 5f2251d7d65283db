"""The dose under each switch: prescribed or delivered, with a boost or without."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort import dose
from schemas.assumptions import Assumptions

COURSE = {
    "patient_id": "1", "course_id": "a", "kind": "external beam", "boost": None, "prescribed_dose_gy": 66.0,
    "delivered_dose_gy": 60.0, "levels_gy": [66.0],
}  # fmt: skip
TYPES = {"boost": pl.String, "delivered_dose_gy": pl.Float64, "levels_gy": pl.List(pl.Float64)}


def phase(number: int, prescribed: float | None, delivered: float | None = None, **values) -> dict:
    return {"patient_id": "1", "course_id": "a", "phase": number, "kind": "external beam", "site": 1,
            "prescribed_dose_gy": prescribed, "delivered_dose_gy": delivered, **values}  # fmt: skip


def told(course: dict, phases: list[dict], **assumptions: Any) -> float | None:
    of_phase = pl.DataFrame(
        phases or [phase(1, 1.0)],
        schema_overrides={
            "site": pl.Int32,
            "prescribed_dose_gy": pl.Float64,
            "delivered_dose_gy": pl.Float64,
        },
    )
    frames = {"curated.radiotherapy_phase": of_phase if phases else of_phase.clear()}
    courses = pl.DataFrame([COURSE | course], schema_overrides=TYPES)
    return dose.doses(frames, courses, Assumptions(**assumptions))["dose_gy"][0]


WITHOUT = {"boost": "not counted"}
SEQUENTIAL = [phase(1, 50.0, 50.0), phase(2, 16.0, 10.0)]


@pytest.mark.parametrize(
    ("course", "phases", "assumptions", "gy"),
    [
        ({}, [], {}, 66.0),
        ({}, [], {"dose": "delivered"}, 60.0),
        ({"delivered_dose_gy": None}, [], {"dose": "delivered"}, None),
        # Nothing tells of a boost: the whole dose is that without one.
        ({}, [], WITHOUT, 66.0),
        ({"boost": "none"}, SEQUENTIAL, WITHOUT, 66.0),
        ({"boost": "sequential"}, SEQUENTIAL, {}, 66.0),
        ({"boost": "sequential"}, SEQUENTIAL, WITHOUT, 50.0),
        ({"boost": "sequential"}, SEQUENTIAL, {**WITHOUT, "dose": "delivered"}, 50.0),
        # A boost that was given first, or to another site, is none of the leading phase.
        ({"boost": "sequential"}, [phase(1, 16.0), phase(2, 50.0)], WITHOUT, 50.0),
        ({"boost": "sequential"}, [phase(1, 50.0), phase(2, 60.0, site=2)], WITHOUT, None),
        # Brachytherapy beside an irradiation from outside is the boost, even with more Gy.
        ({"boost": "sequential"}, [phase(1, 45.0), phase(2, 50.0, kind="brachytherapy")], WITHOUT, 45.0),
        ({"boost": "concomitant"}, SEQUENTIAL, WITHOUT, 50.0),
        # Documented, and nothing shows how much of the dose it was.
        ({"boost": "sequential"}, [], WITHOUT, None),
        ({"boost": "sequential"}, [phase(1, 66.0)], WITHOUT, None),
        ({"boost": "unspecified"}, SEQUENTIAL, WITHOUT, None),
        # 50 and 66 Gy in the same fractions: of 60 Gy delivered the lower level had 60 * 50 / 66.
        ({"boost": "simultaneous integrated", "levels_gy": [66.0, 50.0]}, [], WITHOUT, 50.0),
        (
            {"boost": "simultaneous integrated", "levels_gy": [66.0, 50.0]}, [],
            {**WITHOUT, "dose": "delivered"}, 60 * 50 / 66,
        ),
        # Unknown levels say nothing; three levels have a lowest and a highest one.
        ({"boost": "simultaneous integrated", "levels_gy": [66.0, None, 50.0, 60.0]}, [], WITHOUT, 50.0),
        ({"boost": "simultaneous integrated", "levels_gy": [66.0, None]}, [], WITHOUT, None),
        # Of equal phases the earlier one; one without a site is of the first, one without a dose is none.
        (
            {"boost": "sequential"}, [phase(2, 25.0, 20.0), phase(1, 25.0, 24.0)],
            {**WITHOUT, "dose": "delivered"}, 24.0,
        ),
        ({"boost": "sequential"}, [phase(1, 50.0, site=None), phase(2, 16.0)], WITHOUT, 50.0),
        ({"boost": "sequential"}, [phase(1, 50.0), phase(2, None)], WITHOUT, None),
        # Of brachytherapy alone the irradiation from outside is the boost.
        (
            {"boost": "sequential", "kind": "brachytherapy"},
            [phase(1, 50.0), phase(2, 45.0, kind="brachytherapy")], WITHOUT, 45.0,
        ),
        ({"boost": "simultaneous integrated"}, [], WITHOUT, None),
        ({"boost": "simultaneous integrated", "levels_gy": None}, [], WITHOUT, None),
        ({"boost": None, "prescribed_dose_gy": None}, [], WITHOUT, None),
    ],
)  # fmt: skip
def test_the_dose(course, phases, assumptions, gy):
    found = told(course, phases, **assumptions)
    assert found == (None if gy is None else pytest.approx(gy))
