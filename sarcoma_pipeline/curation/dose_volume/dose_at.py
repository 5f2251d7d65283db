"""Interpolate a dose grid at points, whatever its orientation."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from schemas.dicom_geometry import Array, DoseGrid

_AT_ONCE = 250_000
"""Points interpolated at once, which bounds memory."""


def dose_at(grid: DoseGrid, points: Array) -> Array:
    """Return the dose at points by trilinear interpolation, in the grid's unit.

    A voxel reaches half a distance beyond its centre; there the dose is that of the border. Farther out the
    dose is not a number.
    """
    doses = np.empty(len(points))
    for begin in range(0, len(points), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        doses[part] = _dose_at(grid, points[part])
    return doses


def _dose_at(grid: DoseGrid, points: Array) -> Array:
    relative = points - grid.origin
    along = relative @ grid.normal
    index = np.array(
        [
            np.interp(along, grid.offsets, np.arange(len(grid.offsets), dtype=float)),
            relative @ grid.column / grid.spacing[0],
            relative @ grid.row / grid.spacing[1],
        ]
    )
    before, after = _beyond(grid)
    outside = (along < before) | (along > after)
    last = np.array(grid.voxels.shape)[1:, None] - 1
    in_frame = index[1:]
    outside |= ((in_frame < -0.5 - 1e-6) | (in_frame > last + 0.5 + 1e-6)).any(axis=0)
    index[1:] = np.clip(in_frame, 0, last)
    doses = map_coordinates(grid.voxels, index, output=np.float64, order=1, mode="nearest") * grid.scaling
    doses[outside] = np.nan
    return doses


def _beyond(grid: DoseGrid) -> tuple[float, float]:
    """Return where the first frame begins and the last one ends, along the normal."""
    offsets = grid.offsets
    if len(offsets) == 1:
        return float(offsets[0]) - 0.5, float(offsets[0]) + 0.5
    first, last = offsets[1] - offsets[0], offsets[-1] - offsets[-2]
    return float(offsets[0] - first / 2 - 1e-6), float(offsets[-1] + last / 2 + 1e-6)
