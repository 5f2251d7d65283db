"""Measure the margins from one target to the next, along the axis of the limb and across it.

Superior and inferior margins are differences of the extents along the axis. The radial margin is measured in
the planes of the inner target, seen along the axis: from each point of its outline to the nearest edge of the
outer target. Only the sides of the inner target count: where its surface closes to a dome, the distance
across says nothing about a margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sarcoma_pipeline.curation.dose_volume import polygons
from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.planes import Planes, arrange
from sarcoma_pipeline.curation.dose_volume.samples import fill
from schemas.dicom_geometry import Array, Structure

PATIENT_AXIS = np.array([0.0, 0.0, 1.0])
"""From feet to head, in the patient's coordinates."""
_STEEPEST = np.tan(np.radians(30))
"""Greatest slope of a side against the axis."""
_POINT_MM, _MOST_POINTS = 1.0, 200
_OUTSIDE = 0.01
"""Share of the inner outline outside the outer target from which it is a doubt."""


@dataclass(frozen=True)
class Margins:
    """Margins from an inner to an outer target, in mm; negative where the inner one reaches farther.

    Attributes:
        superior: towards the head, along the axis.
        inferior: towards the feet, along the axis.
        radial_p5: 5th percentile of the distances across the axis; the others likewise.
        doubts: what is doubtful, sorted.
    """

    superior: float | None = None
    inferior: float | None = None
    radial_p5: float | None = None
    radial_p50: float | None = None
    radial_p95: float | None = None
    doubts: tuple[Doubt, ...] = ()


def limb_axis(bone: Structure) -> Array | None:
    """Return the direction of a long bone, towards the head; None if it has no volume or is not long.

    Args:
        bone: the bone of the limb; it must be at least twice as long as wide.
    """
    planes, _ = arrange(bone)
    if planes is None:
        return None
    samples = fill(planes)
    spreads, directions = np.linalg.eigh(np.cov(samples.points.T, aweights=samples.weights))
    if spreads[2] < 4 * spreads[1]:
        return None
    axis = directions[:, 2]
    return axis * (1 if axis @ PATIENT_AXIS >= 0 else -1)


def margins(inner: Structure, outer: Structure, axis: Array = PATIENT_AXIS) -> Margins:
    """Return the margins from one target to the next.

    Args:
        inner: GTV or CTV.
        outer: the target grown from it.
        axis: direction of the limb, of length 1, towards the head.
    """
    of_inner, _ = arrange(inner)
    of_outer, _ = arrange(outer)
    if of_inner is None or of_outer is None:
        return Margins()
    if inner.frame and outer.frame and inner.frame != outer.frame:
        return Margins(doubts=(Doubt("margin.frame-differs", "differs"),))
    if abs(of_inner.axes[2] @ of_outer.axes[2]) < 0.999 or abs(of_inner.axes[2] @ axis) < 0.5:
        return Margins(doubts=(Doubt("margin.planes-differ", "differ"),))
    low, high = np.array([_extent(one, axis) for one in (of_inner, of_outer)]).T
    distances, weights = _across(of_inner, of_outer, axis)
    doubts = []
    outside = float(weights[distances < -0.5].sum() / weights.sum()) if len(weights) else 1.0
    if outside >= _OUTSIDE or high[1] < high[0] - 0.5 or low[1] > low[0] + 0.5:
        doubts.append(Doubt("margin.not-within", f"{100 * outside:.0f} % of the outline"))
    radial = [None, None, None] if not len(weights) else _percentiles(distances, weights, (5, 50, 95))
    return Margins(float(high[1] - high[0]), float(low[0] - low[1]), *radial, doubts=tuple(doubts))


def _extent(planes: Planes, axis: Array) -> tuple[float, float]:
    along = planes.corners @ axis
    return float(along.min()), float(along.max())


def _across(inner: Planes, outer: Planes, axis: Array) -> tuple[Array, Array]:
    """Return the distances of the inner target's sides from the edge of the outer one, and their weights."""
    # Two directions across the axis: outlines are seen along it.
    first = inner.axes[0] - float(inner.axes[0] @ axis) * axis
    first = first / np.linalg.norm(first)
    seen = np.array([first, np.cross(axis, first)], dtype=np.float64)
    own, others = _seen(inner, seen), _seen(outer, seen)
    distances, weights = [], []
    for number, outlines in enumerate(own):
        around = np.flatnonzero(
            (outer.lower <= inner.positions[number] + 1e-6) & (inner.positions[number] <= outer.upper + 1e-6)
        )
        for outline in outlines:
            points, step = polygons.spread(outline, _POINT_MM, _MOST_POINTS)
            sides = np.ones(len(points), bool)
            for neighbour in (number - 1, number + 1):
                if 0 <= neighbour < len(own):
                    rise = abs(inner.positions[neighbour] - inner.positions[number])
                    sides &= np.abs(polygons.distance(points, own[neighbour])) <= _STEEPEST * rise
            points = points[sides]
            if not len(points):
                continue
            if len(around):
                distances.append(polygons.distance(points, others[around[0]]))
            else:
                # Beyond the end of the outer target: as far outside as can be.
                distances.append(np.full(len(points), -np.inf))
            weights.append(np.full(len(points), step * (inner.upper[number] - inner.lower[number])))
    return np.concatenate([[], *distances]), np.concatenate([[], *weights])


def _seen(planes: Planes, seen: Array) -> list[list[Array]]:
    """Return the outlines of each plane as they are seen along the axis."""
    found: list[list[Array]] = [[] for _ in planes.positions]
    for outline, plane in zip(planes.outlines, planes.of_plane, strict=True):
        in_space = np.column_stack([outline, np.full(len(outline), planes.positions[plane])]) @ planes.axes
        found[plane].append(in_space @ seen.T)
    return found


def _percentiles(values: Array, weights: Array, percents: tuple[int, ...]) -> list[float | None]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(reached, np.array(percents) / 100 - 1e-9)
    return [float(one) if np.isfinite(one) else None for one in values[order][at]]
