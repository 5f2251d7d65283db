"""Find contours of one plane that overlap in part: neither a hole nor a part of its own."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.planes import Planes
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
    return all(few < _inside(_shrunk(a), b).mean() < many for a, b in ((one, other), (other, one)))


def _shrunk(outline: Array) -> Array:
    """Return the contour a little smaller, so that contours that only share an edge do not overlap."""
    centre = outline.mean(axis=0)
    return centre + 0.99 * (outline - centre)


def _inside(points: Array, outline: Array) -> np.ndarray:
    """Return for each point whether a contour encloses it, by the even-odd rule."""
    u, v = points[:, :1], points[:, 1:]
    u0, v0 = outline.T
    u1, v1 = np.roll(outline, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        right = u < u0 + (v - v0) / (v1 - v0) * (u1 - u0)
    crossed = (v0 > v) != (v1 > v)
    return (crossed & right).sum(axis=1) % 2 == 1
