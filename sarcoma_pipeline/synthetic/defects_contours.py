"""Seed faults of contours and structure sets in patients outside the cohort: one per patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from sarcoma_pipeline.synthetic.dicom_course import item

Contours = list[np.ndarray]
Region = tuple[str, str, Contours]

_BONE, _CTV, _GTV = "Femur re", "CTV", "GTV"
_OTHER_FRAME = "1.2.826.0.1.3680043.8.498.2"
_PART_MM, _OVERLAP_MM, _BENT_MM, _AWAY_MM = 45.0, 15.0, 4.0, 60.0


def _sagittal(points: np.ndarray) -> np.ndarray:
    """Turn a contour about the y axis."""
    return points[:, [2, 1, 0]]


def _bent(contours: Contours) -> Contours:
    bent = contours[3].copy()
    bent[0, 2] += _BENT_MM
    return [*contours[:3], bent, *contours[4:]]


def _crossed(contours: Contours) -> Contours:
    """Let a contour turn back in its middle, so that it forms an eight."""
    half = len(contours[3]) // 2
    eight = np.vstack([contours[3][:half], contours[3][half:][::-1]])
    return [*contours[:3], eight, *contours[4:]]


def _in_two_parts(contours: Contours) -> Contours:
    beside = [points + np.array([0, _PART_MM, 0]) for points in contours]
    return [*contours, *beside[:5], *beside[6:]]


DRAWN: dict[str, tuple[str, str, Callable[[Contours], Contours]]] = {
    "structure without contours": ("contours.absent", _BONE, lambda _: []),
    "structure of five planes": ("contours.coarse", _BONE, lambda c: c[:5]),
    "slices of two directions": ("contours.not-parallel", _BONE, lambda c: [*c[:9], *map(_sagittal, c[9:])]),
    "bent contour": ("contours.not-planar", _BONE, _bent),
    "two contours that overlap": ("contours.overlap", _BONE, lambda c: [*c, c[3] + [_OVERLAP_MM, 0, 0]]),
    "slice of one part forgotten": ("contours.part-missing", _BONE, _in_two_parts),
    "contour drawn twice": ("contours.repeated", _BONE, lambda c: [*c, c[3]]),
    "contour that crosses itself": ("contours.self-crossing", _BONE, _crossed),
    "CTV that is larger than the PTV": ("target.order", _CTV, lambda c: [p * [1.6, 1.6, 1] for p in c]),
    "GTV beside the CTV": ("margin.not-within", _GTV, lambda c: [p - [_AWAY_MM, 0, 0] for p in c]),
    "GTV on sagittal slices": ("margin.planes-differ", _GTV, lambda c: list(map(_sagittal, c))),
}
"""Fault to the rule that finds it, the structure that has it, and how its contours are changed."""
WRITTEN = {
    "points instead of contours": "contours.points-only",
    "open contour among closed ones": "contours.open",
    "contour with a wrong number of points": "contours.unreadable",
    "targets of two frames of reference": "margin.frame-differs",
    "two structures of one number": "structure.number-repeated",
    "two structures of one name": "structure.name-repeated",
    "region of two types": "structures.types-differ",
}
"""Fault of the finished RTSTRUCT to the rule that finds it."""
FAULTS = {fault: rule for fault, (rule, _, _) in DRAWN.items()} | WRITTEN


def drawn(fault: str, regions: list[Region]) -> list[Region]:
    """Return the structures with a fault of their contours."""
    if fault not in DRAWN:
        return regions
    _, faulty, change = DRAWN[fault]
    return [(name, kind, change(c) if name == faulty else c) for name, kind, c in regions]


def spoil(fault: str, structures: Dataset) -> None:
    """Change the finished RTSTRUCT."""
    if fault not in WRITTEN:
        return
    regions = {str(one.ROIName): one for one in structures.StructureSetROISequence}
    bone, gtv = regions[_BONE], regions[_GTV]
    (contours,) = (
        one.ContourSequence
        for one in structures.ROIContourSequence
        if one.ReferencedROINumber == bone.ROINumber
    )
    if fault == "points instead of contours":
        for contour in contours:
            contour.ContourGeometricType = "POINT"
    if fault == "open contour among closed ones":
        contours[0].ContourGeometricType = "OPEN_PLANAR"
    if fault == "contour with a wrong number of points":
        contours[0].NumberOfContourPoints = "7"
    if fault == "targets of two frames of reference":
        gtv.ReferencedFrameOfReferenceUID = _OTHER_FRAME
    if fault == "two structures of one number":
        regions["Hautstreifen"].ROINumber = bone.ROINumber
    if fault == "two structures of one name":
        regions["Hautstreifen"].ROIName = "Femur rechts"
    if fault == "region of two types":
        structures.RTROIObservationsSequence.append(
            item(
                ObservationNumber=str(len(regions) + 1),
                ReferencedROINumber=str(gtv.ROINumber),
                RTROIInterpretedType="CTV",
                ROIInterpreter="",
            )
        )
