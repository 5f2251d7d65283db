"""Find contours that do not fit each other, or themselves.

Contours of one plane that overlap in part (neither a hole nor a part of its own), contours that cross
themselves, and planes in which a part of the structure is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.planes import Planes
from sarcoma_pipeline.curation.dose_volume.polygons import area, area_by_edges, inside
from schemas.dicom_geometry import Array

_PART = (0.02, 0.98)
"""Shares of the smaller contour's points that lie in the other one, between which two contours overlap."""


_CROSSING = 0.05
"""Share of its area by which the two ways to measure it may differ: the strips are coarse."""


def misfits(planes: Planes) -> list[Doubt]:
    """Return what does not fit among the contours of a structure, with the number of each kind."""
    by_plane: dict[int, list[Array]] = {}
    for outline, plane in zip(planes.outlines, planes.of_plane, strict=True):
        by_plane.setdefault(plane, []).append(outline)
    pairs = sum(
        _overlap(one, other)
        for outlines in by_plane.values()
        for one, other in combinations(outlines, 2)
        if _common(_box(one), _box(other)) is not None
    )
    crossing = sum(_crosses_itself(one) for one in planes.outlines)
    missing = _missing(planes, by_plane)
    doubts = [Doubt("contours.overlap", str(pairs))] if pairs else []
    if crossing:
        doubts.append(Doubt("contours.self-crossing", str(crossing)))
    if missing:
        doubts.append(Doubt("contours.part-missing", f"{missing} of {len(by_plane)} planes"))
    return doubts


def _box(outline: Array) -> Array:
    return np.array([outline.min(axis=0), outline.max(axis=0)])


def _common(one: Array, other: Array) -> Array | None:
    """Return what two boxes have in common; None if it is nothing."""
    common = np.array([np.maximum(one[0], other[0]), np.minimum(one[1], other[1])])
    return common if (common[0] < common[1]).all() else None


def _crosses_itself(outline: Array) -> bool:
    """Return whether the area by the even-odd rule is another than the area by the sum over the edges.

    They are the same for every contour that does not cross itself, keyholes included.
    """
    around, within = area_by_edges(outline), area(outline)
    return abs(within - around) > _CROSSING * max(within, around)


def _missing(planes: Planes, by_plane: Mapping[int, Sequence[Array]]) -> int:
    """Return the number of planes that lack a part which both neighbouring planes have."""
    boxes = {plane: [_box(one) for one in outlines] for plane, outlines in by_plane.items()}
    missing = 0
    for plane in range(1, len(planes.positions) - 1):
        before, after = boxes[plane - 1], boxes[plane + 1]
        parts = [part for a, b in product(before, after) if (part := _common(a, b)) is not None]
        missing += any(all(_common(part, here) is None for here in boxes[plane]) for part in parts)
    return missing


def _overlap(one: Array, other: Array) -> bool:
    few, many = _PART
    return all(few < inside(_shrunk(a), [b]).mean() < many for a, b in ((one, other), (other, one)))


def _shrunk(outline: Array) -> Array:
    """Return the contour a little smaller, so that contours that only share an edge do not overlap."""
    centre = outline.mean(axis=0)
    return centre + 0.99 * (outline - centre)
