"""Seed faults of contours and dose grids: one per patient, none changes a prescription."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from sarcoma_pipeline.synthetic.dicom_course import Course, item

Regions = list[tuple[str, str, list[np.ndarray]]]

STRUCTURES = {
    "contours in two planes": "contours.few-planes",
    "planes left out": "contours.gap",
    "target of a few millilitres": "structure.volume-implausible",
    "name that nobody knows": "structures.unmapped",
    "CTV with the type PTV": "structures.type-contradicts",
}
DOSES = {
    "dose grid cut off": "dose.grid-too-small",
    "dose in centigray": "dose.units",
    "dose of another CT": "dose.frame-differs",
    "dose without scaling": "dose.file-unreadable",
    "dose of one fraction": "dose.far-from-prescription",
    "histogram of another plan": "dvh.differs",
}
FAULTS = STRUCTURES | DOSES
"""Fault to the rule that finds it."""
_OTHER_FRAME = "1.2.826.0.1.3680043.8.498.1"
_NO_SCALING = "0"
_OTHER_SHARE = 0.9


def faulty(fault: str, regions: Regions) -> Regions:
    """Return the structures with a fault."""
    if fault == "contours in two planes":
        return [_with(one, one[2][:2]) if one[0] == "GTV" else one for one in regions]
    if fault == "planes left out":
        return [_with(one, [*one[2][:5], *one[2][9:]]) if one[0] == "CTV" else one for one in regions]
    if fault == "target of a few millilitres":
        return [
            _with(one, [points * [0.05, 0.05, 1] for points in one[2]]) if one[0] == "PTV" else one
            for one in regions
        ]
    if fault == "name that nobody knows":
        return [*regions, ("Struktur 7", "", regions[-1][2])]
    if fault == "CTV with the type PTV":
        return [(one[0], "PTV", one[2]) if one[0] == "CTV" else one for one in regions]
    return regions


def _with(region: tuple[str, str, list[np.ndarray]], contours: Sequence[np.ndarray]):
    return region[0], region[1], list(contours)


def faulty_grid(fault: str, values: np.ndarray, course: Course) -> np.ndarray:
    """Return the grid with a fault."""
    if fault == "dose grid cut off":
        return values[: len(values) // 2]
    if fault == "dose of one fraction":
        return values / course.fractions
    return values


def spoil(fault: str, dose: Dataset, values: np.ndarray, number_of_ptv: int, volume_cc: float) -> None:
    """Change the finished RTDOSE.

    Args:
        fault: the fault.
        dose: the object.
        values: its dose in Gy.
        number_of_ptv: ROINumber of the PTV.
        volume_cc: volume of the PTV.
    """
    if fault == "dose in centigray":
        dose.DoseUnits = "CGY"
    if fault == "dose of another CT":
        dose.FrameOfReferenceUID = _OTHER_FRAME
    if fault == "dose without scaling":
        dose.DoseGridScaling = _NO_SCALING
    if fault == "histogram of another plan":
        highest = float(values.max()) * _OTHER_SHARE
        pairs = [f"{highest:.3f}", f"{volume_cc:.3f}", "0.5", "0"]
        dose.DVHSequence = [
            item(
                DVHType="CUMULATIVE",
                DoseUnits="GY",
                DoseType="PHYSICAL",
                DVHDoseScaling="1",
                DVHVolumeUnits="CM3",
                DVHNumberOfBins="2",
                DVHData=pairs,
                DVHReferencedROISequence=[
                    item(ReferencedROINumber=str(number_of_ptv), DVHROIContributionType="INCLUDED")
                ],
            )
        ]
