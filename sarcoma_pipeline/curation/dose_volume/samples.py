"""Fill a structure with weighted points.

Each slab is cut into layers and each layer into strips. In a strip the inside is found exactly by the
even-odd rule, so that holes, keyholes and disjoint parts need no special treatment. The place of a point
within its cell follows a sequence of low discrepancy, so that thousands of points do not have the same dose
only because they lie in one layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sarcoma_pipeline.curation.dose_volume.planes import Planes
from sarcoma_pipeline.curation.dose_volume.polygons import area, area_by_edges
from schemas.dicom_geometry import Array

SAMPLES = 100_000
"""Usual number of points of a structure."""
MOST_SAMPLES = 1_000_000
"""A large structure gets more points, to be no coarser than the dose grid, but no more than these."""
_GOLDEN, _SILVER, _THIRD = 0.6180339887498949, 0.7548776662466927, 0.5698402909980532


@dataclass(frozen=True, eq=False)
class Samples:
    """Points of a structure.

    Attributes:
        points: x, y, z in mm, in the patient's coordinates.
        weights: the volume that each point stands for, in mm³.
    """

    points: Array
    weights: Array


def fill(planes: Planes, finest_mm: float = np.inf) -> Samples:
    """Return the points of a structure.

    Args:
        planes: its planes.
        finest_mm: spacing of the dose grid; the points of a structure are not farther apart, if their number
            allows it.
    """
    size = _size(planes, finest_mm)
    thickness = planes.upper - planes.lower
    layers = np.maximum(1, np.ceil(thickness / size - 1e-9).astype(int))
    plane_of_layer = np.repeat(np.arange(len(layers)), layers)
    first = np.cumsum(layers) - layers
    depth = np.arange(layers.sum()) - first[plane_of_layer]
    left, right, layer, v = _strips(planes, size, layers, first)
    length = right - left
    pieces = np.maximum(1, np.rint(length / size).astype(int))
    of = np.repeat(np.arange(len(length)), pieces)
    within = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    number = np.arange(len(of))
    step = (length / pieces)[of]
    u = left[of] + (within + (number * _SILVER) % 1) * step
    height = (thickness / layers)[plane_of_layer]
    up = planes.lower[plane_of_layer] + depth * height
    in_layer = layer[of]
    n = up[in_layer] + (number * _THIRD) % 1 * height[in_layer]
    points = np.column_stack([u, v[of], n]) @ planes.axes
    return Samples(points, step * size * height[in_layer])


def _size(planes: Planes, finest_mm: float) -> float:
    """Return the edge of a cell, in mm."""
    thickness = planes.upper - planes.lower
    # Both, because one of them is nothing in a contour that crosses itself, and the cells would be too.
    areas = np.array([max(area(one), area_by_edges(one)) for one in planes.outlines])
    # Holes count as if they were filled: an upper limit.
    volume = max(float((areas * thickness[np.array(planes.of_plane)]).sum()), 1e-9)
    usual, least = (volume / SAMPLES) ** (1 / 3), (volume / MOST_SAMPLES) ** (1 / 3)
    return max(least, min(usual, finest_mm))


def _strips(
    planes: Planes, size: float, layers: np.ndarray, first: np.ndarray
) -> tuple[Array, Array, np.ndarray, Array]:
    """Return the inside of every strip: its two ends, its layer and its ``v``."""
    edges, of_plane = planes.edges
    copies = layers[of_plane]
    source = np.repeat(np.arange(len(edges)), copies)
    layer = first[of_plane[source]] + np.arange(len(source)) - np.repeat(np.cumsum(copies) - copies, copies)
    shift = (layer * _GOLDEN) % 1
    base = edges[:, [1, 3]].min()
    low = np.ceil((edges[source, 1] - base) / size - shift).astype(np.int64)
    high = np.ceil((edges[source, 3] - base) / size - shift).astype(np.int64)
    counts = high - low
    of = np.repeat(np.arange(len(source)), counts)
    strip = low[of] + np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    v = base + (strip + shift[of]) * size
    u0, v0, u1, v1 = edges[source[of]].T
    u = u0 + (v - v0) / (v1 - v0) * (u1 - u0)
    order = np.lexsort((u, strip, layer[of]))
    u, v, at = u[order], v[order], layer[of][order]
    left, right = u[0::2], u[1::2]
    inside = right > left
    return left[inside], right[inside], at[0::2][inside], v[0::2][inside]
