"""Define the structures and dose grids that readers of DICOM RT return and that doses are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""ContourGeometricType of contours that enclose an area (PS3.3 C.8.8.6.3)."""


@dataclass(frozen=True, eq=False)
class Contour:
    """One contour of a structure.

    Attributes:
        kind: ContourGeometricType.
        points: one row per point: x, y, z in mm, in the patient's coordinates.
    """

    kind: str
    points: Array


@dataclass(frozen=True, eq=False)
class Structure:
    """One region of interest of a structure set.

    Attributes:
        number: ROINumber.
        name: ROIName.
        interpreted_type: RTROIInterpretedType.
        frame: UID of the frame of reference of its coordinates.
        contours: its contours, in the order of the file.
        unreadable: number of contours whose coordinates cannot be read.
    """

    number: int
    name: str
    interpreted_type: str | None
    frame: str | None
    contours: tuple[Contour, ...]
    unreadable: int = 0


@dataclass(frozen=True, eq=False)
class DoseGrid:
    """One dose distribution on a grid of any orientation.

    Attributes:
        voxels: stored values by frame, row and column.
        scaling: DoseGridScaling, dose per stored value.
        origin: centre of the first voxel, in mm.
        row: direction of rising columns (first half of ImageOrientationPatient).
        column: direction of rising rows.
        spacing: distance of rows and of columns (PixelSpacing), in mm.
        offsets: position of each frame along the normal from ``origin``, in mm, strictly rising.
        units: DoseUnits.
        kind: DoseType.
        summation: DoseSummationType.
        frame: UID of the frame of reference.
    """

    voxels: NDArray[np.integer]
    scaling: float
    origin: Array
    row: Array
    column: Array
    spacing: tuple[float, float]
    offsets: Array
    units: str | None = "GY"
    kind: str | None = "PHYSICAL"
    summation: str | None = "PLAN"
    frame: str | None = None

    @cached_property
    def normal(self) -> Array:
        """The direction from frame to frame."""
        return np.cross(self.row, self.column)

    @cached_property
    def frame_spacing(self) -> float:
        """The median distance of neighbouring frames, in mm; infinite for one frame."""
        return float(np.median(np.diff(self.offsets))) if len(self.offsets) > 1 else float("inf")
