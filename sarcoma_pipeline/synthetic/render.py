"""Render the demo's drop folder: 86 known patients, ineligible patients, and defects at known places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from sarcoma_pipeline.synthetic import defects_contours, defects_dose, defects_grid, demo_records
from sarcoma_pipeline.synthetic.defects import plant
from sarcoma_pipeline.synthetic.dicom_record import RECORD
from sarcoma_pipeline.synthetic.drop import Drop, Planned, lay_out
from sarcoma_pipeline.synthetic.people import Person, people

DOSE_FAULTS = defects_dose.FAULTS | defects_contours.FAULTS | defects_grid.FAULTS
"""Fault of contours or doses to the rule that finds it."""
_CARRIER = "CAR-"
"""Prefix of patients that exist only for a defect; offices reply about them only if the defect needs it."""


def render(
    cohort: pl.DataFrame,
    ineligible: pl.DataFrame,
    defects: pl.DataFrame,
    into: Path,
    seed: int,
    *,
    anatomy: bool = False,
) -> pl.DataFrame:
    """Write every file of the demo; equal arguments give equal bytes.

    Args:
        cohort: the known patients (``data/demo/demo_cohort.csv``).
        ineligible: patients outside the cohort and those with defects (``data/demo/ineligible.csv``).
        defects: the defects to seed (``data/demo/defects.csv``).
        into: the drop folder; created if missing.
        seed: random seed of names and patient numbers.
        anatomy: whether structure sets and doses show limbs, and the cohort's courses have treatment records;
            the first patients of the cohort then have the faults of ``defects_dose.py`` and
            ``demo_records.py``, one each; patients outside the cohort have those of ``defects_contours.py``
            and ``defects_grid.py``.

    Returns:
        One row per seeded defect: ``defect_id``, ``kind``, ``world``, ``rule_id``, ``file`` (relative to the
        drop folder) and ``locator`` (Meldung_ID, reference of the office, patient number, SOPInstanceUID, or
        ``file`` for the whole file).

    Raises:
        KeyError: a kind of defect or its patient is unknown.
    """
    persons = people(cohort, ineligible, seed)
    asked = [p for p in persons if not p.patient.startswith(_CARRIER)]
    drop = lay_out(persons, asked)
    planted = plant(drop, defects, {p.patient: p for p in persons})
    faults = _anatomy(drop, cohort, persons) | _outside(drop, defects, persons) if anatomy else {}
    unrecorded = _records(drop, cohort, persons) if anatomy else {}
    written = drop.write(into)
    places = []
    for defect, where in planted.items():
        file, locator = where.file, where.locator
        if where.planned is not None:
            path = written[where.planned.folder, where.planned.seed][where.modality]
            file = path.relative_to(into).as_posix()
            # Files are named by modality and SOPInstanceUID; a truncated file contains no object.
            locator = path.stem.partition(".")[2] if where.planned.kept is None else "file"
        places.append({"defect_id": defect, "file": file, "locator": locator})
    schema = {"defect_id": pl.String, "file": pl.String, "locator": pl.String}
    truth = defects.select("defect_id", "kind", "world", "rule_id")
    told = truth.join(pl.DataFrame(places, schema=schema), on="defect_id", how="left", maintain_order="left")
    more = [
        {
            "defect_id": f"DOSE-{number:03}",
            "kind": fault,
            "world": "dicom",
            "rule_id": DOSE_FAULTS[fault],
            "file": written[planned.folder, planned.seed]["RTSTRUCT"].relative_to(into).as_posix(),
            "locator": planned.course.patient_id,
        }
        for number, (fault, planned) in enumerate(faults.items(), 1)
    ] + [
        {
            "defect_id": f"RECORD-{number:03}",
            "kind": fault,
            "world": "dicom",
            "rule_id": demo_records.FAULTS[fault],
            "file": written[planned.folder, planned.seed][RECORD].relative_to(into).as_posix(),
            "locator": planned.course.patient_id,
        }
        for number, (fault, planned) in enumerate(unrecorded.items(), 1)
    ]
    return pl.concat([told, pl.DataFrame(more, schema=told.schema)])


def _anatomy(drop: Drop, cohort: pl.DataFrame, persons: Sequence[Person]) -> dict[str, Planned]:
    """Give every course a limb, and the first patients of the cohort a fault each; return the faulty ones."""
    for courses in drop.courses.values():
        for planned in courses:
            planned.course = replace(planned.course, anatomy=True)
    numbers = {p.patient: p.number for p in persons}
    first = [numbers[patient] for patient in cohort["patient"].sort()]
    found = {}
    for fault, number in zip(defects_dose.FAULTS, first, strict=False):
        planned = drop.courses[number][0]
        planned.course = replace(planned.course, dose_fault=fault)
        found[fault] = planned
    return found


def _outside(drop: Drop, defects: pl.DataFrame, persons: Sequence[Person]) -> dict[str, Planned]:
    """Give patients outside the cohort, whose DICOM files have no other defect, a fault each; return them."""
    taken = set(defects.filter(pl.col("world").is_in(["dicom", "files"]))["patient"])
    alone = [
        courses[0]
        for person in persons
        if not person.of_cohort and person.patient not in taken
        and len(courses := drop.courses.get(person.number, [])) == 1
    ]  # fmt: skip
    faults = [one for one in defects_contours.FAULTS | defects_grid.FAULTS if one != defects_grid.TWO_TYPES]
    found = dict(zip(faults, alone, strict=False))
    of_two_beams = [one for one in alone[len(found) :] if one.course.technique == "VMAT"]
    found |= dict(zip([defects_grid.TWO_TYPES], of_two_beams, strict=False))
    for fault, planned in found.items():
        planned.course = replace(planned.course, dose_fault=fault)
    return found


def _records(drop: Drop, cohort: pl.DataFrame, persons: Sequence[Person]) -> dict[str, Planned]:
    """Give the cohort treatment records; the first patients without a fault of the dose get one of them."""
    ours = set(cohort["patient"])
    of_cohort = sorted((p for p in persons if p.patient in ours), key=lambda person: person.patient)
    after = len(defects_dose.FAULTS)
    return demo_records.add(drop, of_cohort, of_cohort[after : after + len(demo_records.FAULTS)])


def tables(root: Path) -> Path:
    """Return the folder of the demo's tables: ``data/demo`` of a clone, else the copy in the wheel.

    Args:
        root: the project's folder.
    """
    committed = root / "data/demo"
    return committed if (committed / "demo_cohort.csv").exists() else Path(__file__).parent / "tables"


def demo(into: Path, seed: int, data: Path, *, anatomy: bool = False) -> pl.DataFrame:
    """Write the demo from its committed tables.

    Args:
        into: the drop folder.
        seed: random seed of names and patient numbers.
        data: folder of ``demo_cohort.csv``, ``ineligible.csv`` and ``defects.csv``.
        anatomy: whether structure sets and doses show limbs, and courses have treatment records.

    Returns:
        The seeded defects, as from :func:`render`.
    """
    cohort, ineligible, defects = (
        pl.read_csv(data / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)
        for name in ("demo_cohort", "ineligible", "defects")
    )
    return render(cohort, ineligible, defects, into, seed, anatomy=anatomy)
