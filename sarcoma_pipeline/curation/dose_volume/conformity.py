"""Compute the conformity index of Paddick (J Neurosurg 2000; 93 Suppl 3: 219–222)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, map_coordinates

from schemas.dicom_geometry import DoseGrid

_POINTS = 2_000_000
_FINEST = 5
"""Most points along one edge of a voxel."""


def isodose_volume(grid: DoseGrid, dose: float) -> float | None:
    """Return the volume within an isodose, in mm³.

    Returns:
        None if the isodose reaches the border of the grid: it ends somewhere else.
    """
    hot = grid.voxels * grid.scaling >= dose
    if not hot.any():
        return 0.0
    if any(hot.take(end, axis=axis).any() for axis in range(3) for end in (0, -1)):
        return None
    # The isodose reaches into every cube around a voxel, also across its corners.
    around = np.asarray(binary_dilation(hot, np.ones((3, 3, 3))), bool)
    if np.isnan(grid.voxels[around]).any():
        return None
    # The isodose lies within one voxel of the voxels that are hot themselves.
    first, last = zip(*(_extent(hot, axis) for axis in range(3)), strict=True)
    cells = np.array(last) - np.array(first) + 2
    fine = int(np.clip((_POINTS / cells.prod()) ** (1 / 3), 1, _FINEST))
    within = (np.arange(fine) + 0.5) / fine
    axes = [
        (np.arange(low - 1, high + 1)[:, None] + within).ravel()
        for low, high in zip(first, last, strict=True)
    ]
    depth = np.repeat(np.diff(grid.offsets)[first[0] - 1 : last[0] + 1], fine) / fine
    area = grid.spacing[0] * grid.spacing[1] / fine**2
    volume = 0.0
    rows, columns = np.meshgrid(axes[1], axes[2], indexing="ij")
    for position, thickness in zip(axes[0], depth, strict=True):
        index = np.array([np.full(rows.size, position), rows.ravel(), columns.ravel()])
        doses = map_coordinates(grid.voxels, index, output=np.float64, order=1) * grid.scaling
        volume += float((doses >= dose).sum() * thickness * area)
    return volume


def _extent(hot: np.ndarray, axis: int) -> tuple[int, int]:
    others = tuple(other for other in range(3) if other != axis)
    found = np.flatnonzero(hot.any(axis=others))
    return int(found[0]), int(found[-1])


def paddick(target_mm3: float, covered_mm3: float, isodose_mm3: float) -> float | None:
    """Return the square of the covered target volume over the product of target and isodose volume.

    Args:
        target_mm3: volume of the target.
        covered_mm3: volume of the target within the isodose.
        isodose_mm3: volume within the isodose.
    """
    if isodose_mm3 <= 0 or target_mm3 <= 0:
        return None
    return covered_mm3**2 / (target_mm3 * isodose_mm3)
