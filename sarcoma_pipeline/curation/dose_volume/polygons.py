"""Tell which points polygons enclose, and how far points are from their edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.dicom_geometry import Array


def _edges(outlines: Sequence[Array]) -> Array:
    return np.vstack([np.hstack([one, np.roll(one, -1, axis=0)]) for one in outlines])


def inside(points: Array, outlines: Sequence[Array]) -> np.ndarray:
    """Return for each point whether it lies inside, by the even-odd rule over all outlines."""
    u, v = points[:, :1], points[:, 1:]
    u0, v0, u1, v1 = _edges(outlines).T
    with np.errstate(divide="ignore", invalid="ignore"):
        right = u < u0 + (v - v0) / (v1 - v0) * (u1 - u0)
    crossed = (v0 > v) != (v1 > v)
    return (crossed & right).sum(axis=1) % 2 == 1


def area_by_edges(outline: Array) -> float:
    """Return the area by the sum over the edges: exact for a polygon that does not cross itself."""
    u, v = (outline - outline[0]).T
    return abs(float(u @ np.roll(v, -1) - v @ np.roll(u, -1))) / 2


_STRIPS = 48
"""Strips across a polygon in which its area is measured."""


def area(outline: Array) -> float:
    """Return the area by the even-odd rule, to a few percent: also of a polygon that crosses itself."""
    u, v = (outline - outline[0]).T
    low, high = float(v.min()), float(v.max())
    height = (high - low) / _STRIPS
    at = low + (np.arange(_STRIPS) + 0.5)[:, None] * height
    other_u, other_v = np.roll(u, -1), np.roll(v, -1)
    crossed = (v > at) != (other_v > at)
    with np.errstate(divide="ignore", invalid="ignore"):
        where = u + (at - v) / (other_v - v) * (other_u - u)
    found = np.sort(np.where(crossed, where, np.inf), axis=1)[:, : int(crossed.sum(axis=1).max(initial=0))]
    ends = np.where(np.isfinite(found), found, 0)
    return float((ends[:, 1::2] - ends[:, 0::2]).sum()) * height


def distance(points: Array, outlines: Sequence[Array]) -> Array:
    """Return the distance of each point from the nearest edge; negative for points outside."""
    edges = _edges(outlines)
    start, along = edges[:, :2], edges[:, 2:] - edges[:, :2]
    apart = points[:, None, :] - start
    lengths = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((apart * along).sum(axis=2) / lengths, 0, 1)
    nearest = np.linalg.norm(apart - share[..., None] * along, axis=2).min(axis=1)
    return np.where(inside(points, outlines), nearest, -nearest)


def spread(outline: Array, apart: float, most: int) -> tuple[Array, float]:
    """Return points at equal distances along an outline, and the distance of neighbours.

    Args:
        outline: its points.
        apart: wanted distance of neighbours.
        most: most points.
    """
    closed = np.vstack([outline, outline[:1]])
    run = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = int(np.clip(np.ceil(run[-1] / apart), 3, most))
    at = (np.arange(count) + 0.5) * run[-1] / count
    return np.column_stack([np.interp(at, run, closed[:, i]) for i in range(2)]), float(run[-1] / count)
