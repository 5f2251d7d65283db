"""Find contours of one plane that overlap in part: neither a hole nor a part of its own."""

from __future__ import annotations

from itertools import combinations

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.planes import Planes
from sarcoma_pipeline.curation.dose_volume.polygons import inside
from schemas.dicom_geometry import Array

_PART = (0.02, 0.98)
"""Shares of the smaller contour's points that lie in the other one, between which two contours overlap."""


def overlapping(planes: Planes) -> list[Doubt]:
    """Return a doubt with the number of pairs of contours that overlap in part."""
    pairs = 0
    by_plane: dict[int, list[Array]] = {}
    for outline, plane in zip(planes.outlines, planes.of_plane, strict=True):
        by_plane.setdefault(plane, []).append(outline)
    for outlines in by_plane.values():
        for one, other in combinations(outlines, 2):
            if (one.max(axis=0) > other.min(axis=0)).all() and (other.max(axis=0) > one.min(axis=0)).all():
                pairs += _overlap(one, other)
    return [Doubt("contours.overlap", str(pairs))] if pairs else []


def _overlap(one: Array, other: Array) -> bool:
    few, many = _PART
    return all(few < inside(_shrunk(a), [b]).mean() < many for a, b in ((one, other), (other, one)))


def _shrunk(outline: Array) -> Array:
    """Return the contour a little smaller, so that contours that only share an edge do not overlap."""
    centre = outline.mean(axis=0)
    return centre + 0.99 * (outline - centre)
