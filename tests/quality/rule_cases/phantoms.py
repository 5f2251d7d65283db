"""Cases of the rules on contours, structures and targets: a structure set, with or without a dose, in memory.

A phantom is a bar of 20 mm radius and 30 mm length on planes 3 mm apart, in a dose of 50 Gy that falls to
none before the border of its grid. What breaks a rule differs from it in one thing. A case is computed when
it is asked for, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from pydicom.dataset import Dataset

from sarcoma_pipeline.cohort import primary, structure_doses
from sarcoma_pipeline.curation import dose_findings
from sarcoma_pipeline.curation.dose_volume import samples
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts, calculate
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_parts
from sarcoma_pipeline.sources.dicom_dose_grid import NoGrid
from schemas.curated_dose import DoseVolume
from schemas.dicom_geometry import Structure
from schemas.dose_settings import DoseSettings
from schemas.gate import Gate
from schemas.structures_toml import StructureNames
from tests.curation import rt_phantoms as ph
from tests.quality.rule_cases.computed import Broken
from tests.quality.rule_cases.four import NO_VALUE, Four

Region = tuple[str, str, Sequence[np.ndarray]]
Drawn = Callable[[], list[Structure]]
Given = Callable[[], Dataset]

FEW_SAMPLES = 10_000
"""Points of a structure: a tenth of the usual number, because no case rests on the last percent."""
PLAN, NEXT_PLAN = "5.5", "5.6"


def bar(
    radius: float = 20, length: float = 30, apart: float = 3, x: float = 0, z: float = 0
) -> list[np.ndarray]:
    """Return a cylinder along z, of few corners and the area of its circle."""
    corners = 36
    wide = radius * np.sqrt(2 * np.pi / corners / np.sin(2 * np.pi / corners))
    angles = np.arange(corners) * 2 * np.pi / corners
    flat = np.column_stack([x + wide * np.cos(angles), wide * np.sin(angles), np.zeros(corners)])
    return [flat + np.array([0, 0, plane]) for plane in ph.levels(length, apart, z)]


def keyhole(outer: list[np.ndarray], inner: list[np.ndarray]) -> list[np.ndarray]:
    """Return a tube that is drawn as one contour per plane, through a channel of no width."""
    pairs = zip(outer, inner, strict=True)
    return [np.vstack([out, out[:1], hole[:1], hole[:0:-1], hole[:1]]) for out, hole in pairs]


def structures(*regions: Region, edit: Callable[[Dataset], None] | None = None) -> Drawn:
    """Return a structure set of names, types and contours; ``edit`` changes the DICOM object."""

    @cache
    def made() -> list[Structure]:
        data = ph.structure_set_object(regions)
        if edit:
            edit(data)
        return dicom_contours.structures(data)

    return made


ONE_TARGET = structures(("PTV", "PTV", bar()))


def computed(
    *doses: Given,
    of: Drawn = ONE_TARGET,
    levels: tuple[float, ...] = (50.0,),
    groups: Sequence[PlannedGroup] = (PlannedGroup("1", 25, frozenset({"1", "2"})),),
    and_next: Sequence[Given] | None = None,
    own: Sequence[StructureNames] = (),
) -> Broken:
    """Return the rules that a calculation breaks.

    Args:
        doses: dose distributions of the plan.
        of: the structure set.
        levels: prescribed dose levels in Gy, the highest first.
        groups: fraction groups of the plan.
        and_next: dose distributions of a second plan of the course; their doses are added.
        own: the study's own names of structures.
    """

    @cache
    def broken() -> set[str]:
        plans = [_plan(PLAN, groups, doses)]
        if and_next is not None:
            plans.append(_plan(NEXT_PLAN, groups, and_next))
        with patch.object(samples, "SAMPLES", FEW_SAMPLES):
            return {one["id"] for one in calculate(of(), plans, levels, DoseSettings(), own).doubts}

    return broken


def _plan(uid: str, groups: Sequence[PlannedGroup], doses: Sequence[Given]) -> PlanParts:
    parts, histograms, unplaced = [], [], []
    for one in doses:
        data = one()
        try:
            parts.append(dicom_dose_parts.part(data))
        except NoGrid as broken:
            unplaced.append(str(broken))
        histograms += dicom_dose_parts.embedded(data)
    return PlanParts(PlanOfDose(uid, tuple(groups), groups[0].fractions), parts, histograms, unplaced)


def drawn(*contours: Sequence[np.ndarray], edit: Callable[[Dataset], None] | None = None) -> Broken:
    """Return the rules that the contours of one target break, given as the parts of the target."""
    every = [one for part in contours for one in part]
    return computed(of=structures(("PTV", "PTV", every), edit=edit))


def holding(*regions: Region, own: Sequence[StructureNames] = (), edit: Any = None) -> Broken:
    """Return the rules that a structure set breaks."""
    return computed(of=structures(*regions, edit=edit), own=own)


def _kind(kind: str | None, *contours: int) -> Callable[[Dataset], None]:
    """Return a change: contours of the first structure have another ContourGeometricType."""

    def edit(data: Dataset) -> None:
        for number in contours:
            item = data.ROIContourSequence[0].ContourSequence[number]
            if kind is None:
                del item.ContourGeometricType
            else:
                item.ContourGeometricType = kind

    return edit


def _twice(contour: np.ndarray) -> np.ndarray:
    return np.vstack([contour, contour])


def _eight(contour: np.ndarray) -> np.ndarray:
    """The second half of the outline runs backwards."""
    half = len(contour) // 2
    return np.vstack([contour[:half], contour[: half - 1 : -1]])


LEFT, RIGHT = bar(8, x=-15), bar(8, x=15)

CONTOURS: dict[str, Four[Broken]] = {
    "contours.open": Four(
        drawn(bar(), edit=_kind("OPEN_PLANAR", 0, 9)), drawn(bar()),
        drawn(bar(), edit=_kind(None, 4)),
        drawn(bar(), [np.zeros((1, 3))], edit=_kind("POINT", 10)),
        null_fires=True,  # nobody knows that it is closed: it is left out
    ),
    "contours.part-missing": Four(
        drawn(LEFT, RIGHT[:4], RIGHT[5:]), drawn(LEFT, RIGHT[2:7]), NO_VALUE,
        drawn(LEFT, bar(8, x=15, z=1.5)),
    ),
    "contours.self-crossing": Four(
        drawn([_eight(one) for one in bar()]), drawn(keyhole(bar(20), bar(10))), NO_VALUE,
        drawn(bar()[:5], [_twice(bar()[5])], bar()[6:]),
    ),
}  # fmt: skip


def _numbered(*numbers: int | None) -> Callable[[Dataset], None]:
    """Return a change: the structures have these ROINumbers, also where they are referred to."""

    def edit(data: Dataset) -> None:
        items = (data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence)
        for number, (region, *others) in zip(numbers, zip(*items, strict=True), strict=True):
            region.ROINumber = number
            for one in others:
                one.ReferencedROINumber = number

    return edit


FEMUR, KNEE = ("Femur_R", "ORGAN", bar(6, x=-40)), ("Knie re", "ORGAN", bar(8, x=40))
TARGET = ("PTV", "PTV", bar())
_SMALL_BONE = StructureNames(names=("Femur_R",), role="bone", tg263="Femur_R", most_cc=3.0)  # it has 3.4 cm³

STRUCTURES: dict[str, Four[Broken]] = {
    "structure.name-repeated": Four(
        holding(TARGET, ("PTV", "PTV", bar(10))), holding(FEMUR, ("Femur_L", "ORGAN", bar(6, x=40))),
        holding(("", "ORGAN", bar(8)), ("", "ORGAN", bar(10))),
        holding(("Ziel", "PTV", bar(6)), ("Ziel", "ORGAN", bar(5))),  # one name, two meanings
    ),
    "structure.number-repeated": Four(
        holding(TARGET, FEMUR, edit=_numbered(1, 1)), holding(TARGET, FEMUR, edit=_numbered(1, 3)),
        holding(TARGET, FEMUR, edit=_numbered(None, None)),
        holding(TARGET, FEMUR, KNEE, edit=_numbered(4, 7, 7)),
        null_fires=True,  # "or none"
    ),
    "structure.volume-implausible": Four(
        drawn(bar(4, 18)),  # 0.90 cm³
        drawn(bar(4.5, 18)),  # 1.15 cm³
        drawn(),  # no volume
        holding(FEMUR, own=[_SMALL_BONE]),
    ),
}  # fmt: skip


def _frame(number: int, frame: str | None) -> Callable[[Dataset], None]:
    """Return a change: a structure has another frame of reference, or none."""

    def edit(data: Dataset) -> None:
        region = data.StructureSetROISequence[number]
        del region.ReferencedFrameOfReferenceUID
        if frame:
            region.ReferencedFrameOfReferenceUID = frame

    return edit


def _target(name: str, *size: float, **where: float) -> Region:
    return name, name, bar(*size, **where)


def _sagittal(region: Region) -> Region:
    name, type_, contours = region
    return name, type_, [one[:, [2, 0, 1]] for one in contours]


GTV, CTV, PTV = _target("GTV", 8, 18), _target("CTV", 14, 24), _target("PTV", 20, 30)

TARGETS: dict[str, Four[Broken]] = {
    "margin.frame-differs": Four(
        holding(GTV, CTV, edit=_frame(0, "9.9")), holding(GTV, CTV), holding(GTV, CTV, edit=_frame(0, None)),
        holding(GTV, CTV, PTV, edit=_frame(2, "9.9")),
    ),
    "margin.not-within": Four(
        holding(GTV, _target("CTV", 14, 24, x=10)),
        holding(GTV, _target("CTV", 14, 24, x=6)),  # it touches the CTV, as at the skin
        holding(GTV, ("CTV", "CTV", [])),
        holding(_target("GTV", 8, 36), PTV),  # beyond both ends, and there is no CTV
    ),
    "margin.planes-differ": Four(
        holding(_sagittal(GTV), CTV), holding(GTV, ("CTV", "CTV", bar(14, 24, 2))), NO_VALUE,
        holding(_sagittal(CTV), _sagittal(PTV)),  # parallel, and not across the limb
    ),
    "target.order": Four(
        holding(_target("CTV", 21, 30), PTV), holding(GTV, CTV, PTV),
        holding(_target("CTV", 21, 30), ("PTV", "PTV", [])),
        holding(_target("GTV", 21, 30), PTV),  # there is no CTV
    ),
}  # fmt: skip


def named(*regions: tuple[str | None, str | None], own: Sequence[StructureNames] = ()) -> Broken:
    """Return the rules that names and types of structures break."""
    return lambda: set(dose_findings.names([("tps", regions)], own)["rule_id"])


NAMES: dict[str, Four[Broken]] = {
    "structures.unmapped": Four(
        named(("Strukturx", "ORGAN")),
        named(("Strukturx", "ORGAN"), own=[StructureNames(names=("strukturX",), role="helper")]),
        named((None, None)),
        named(("PTV", "PTV"), ("Kniekehle", None)),
        null_fires=True,  # without a name and a type no analysis uses it
    ),
    "structures.type-contradicts": Four(
        named(("CTV", "PTV")), named(("PTV Boost", "PTV")), named(("CTV", None)), named(("PTV", "ORGAN")),
    ),
}  # fmt: skip


def _row(uid: str, volume: float | None, **values: Any) -> dict[str, Any]:
    return {
        "patient_id": "P", "course_id": "C", "record_ids": [uid], "whole_course": True,
        "structure_set_uid": uid, "calculation": uid, "roi_number": 1, "structure": "PTV", "tg263": "PTV",
        "role": "target", "volume_cc": volume,
    } | values  # fmt: skip


def sets(*rows: dict[str, Any]) -> Broken:
    """Return the rules that a patient's structures break, of several structure sets of one course."""

    def broken() -> set[str]:
        schema = DoseVolume.polars_schema()
        frame = pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)
        members = pl.DataFrame({"patient_id": ["P"], "pseudonym": ["p"]})
        course = members.select("patient_id", course_id=pl.lit("C"), delivered_dose_gy=pl.lit(50.0))
        with patch.object(primary, "course", lambda _: course):
            return set(structure_doses.observe({DoseVolume.table(): frame}, members, Gate())["rule_id"])

    return broken


_STRIP = {"structure": "Hautstreifen", "tg263": None, "role": "skin corridor"}

SETS: dict[str, Four[Broken]] = {
    "structure.sets-differ": Four(
        sets(_row("1.5", 200.0), _row("1.6", 195.0)), sets(_row("1.5", 200.0), _row("1.6", 197.0)),
        sets(_row("1.5", 200.0), _row("1.6", None)),
        sets(_row("1.5", 30.0, **_STRIP), _row("1.6", 30.0, **_STRIP), _row("1.7", 31.0, **_STRIP)),
    ),
}  # fmt: skip

PHANTOMS = CONTOURS | STRUCTURES | TARGETS | NAMES | SETS
