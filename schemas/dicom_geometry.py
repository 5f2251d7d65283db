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
        interpreted_type: RTROIInterpretedType; different ones are joined by a backslash
            (``schemas.structure_names.TYPES_DIFFER``).
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
        voxels: values by frame, row and column; of a sum not a number where one of its grids ends.
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
        heterogeneity: TissueHeterogeneityCorrection: IMAGE, ROI_OVERRIDE, WATER; several if beams differ.
        transform: SpatialTransformOfDose: NONE, RIGID, NON_RIGID.
    """

    voxels: NDArray[np.integer | np.floating]
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
    heterogeneity: tuple[str, ...] = ()
    transform: str | None = None

    @cached_property
    def normal(self) -> Array:
        """The direction from frame to frame."""
        return np.cross(self.row, self.column)

    @cached_property
    def frame_spacing(self) -> float:
        """The median distance of neighbouring frames, in mm; infinite for one frame."""
        return float(np.median(np.diff(self.offsets))) if len(self.offsets) > 1 else float("inf")


@dataclass(frozen=True, eq=False)
class DosePart:
    """A dose distribution and the part of a plan that it is the dose of.

    Attributes:
        uid: SOPInstanceUID of the RTDOSE.
        grid: the dose.
        plans: SOPInstanceUIDs of the plans that it refers to.
        groups: numbers of the fraction groups that it refers to.
        beams: numbers of fraction group and beam that it refers to.
    """

    uid: str
    grid: DoseGrid
    plans: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    beams: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, eq=False)
class EmbeddedHistogram:
    """A dose-volume histogram as the planning system wrote it.

    Attributes:
        regions: ROINumber and contribution (INCLUDED, EXCLUDED) of its structures.
        doses: rising doses, in Gy.
        volumes: volume that gets at least the dose.
        volume_units: CM3 or PERCENT.
        fault: why it cannot be read; None if it was.
    """

    regions: tuple[tuple[int, str], ...]
    doses: Array
    volumes: Array
    volume_units: str
    fault: str | None = None
