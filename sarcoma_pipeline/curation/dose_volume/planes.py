"""Arrange the contours of a structure in parallel planes, each with the slab that it stands for.

A slab reaches half-way to the neighbouring planes; the first and the last one end half a distance beyond
their plane. Planes of any orientation are allowed, as long as they are parallel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from schemas.dicom_geometry import CLOSED, Array, Contour, Structure

FEWEST_PLANES, ENOUGH_PLANES = 3, 7
_SAME_PLANE_MM = 0.1
_PARALLEL = 0.999
_GAP, _BRIDGED = 1.5, 2.5
"""Distances of planes, in usual distances: from when it is a gap, up to when a gap is bridged."""


@dataclass(frozen=True, eq=False)
class Planes:
    """The contours of one structure, by plane.

    Attributes:
        axes: two directions in the planes and their normal, one row each.
        positions: position of each plane along the normal, rising.
        lower: lower end of each slab.
        upper: upper end of each slab.
        outlines: contours as ``u, v`` in the plane.
        of_plane: index of the plane of each outline.
    """

    axes: Array
    positions: Array
    lower: Array
    upper: Array
    outlines: tuple[Array, ...]
    of_plane: tuple[int, ...]

    @cached_property
    def edges(self) -> tuple[Array, np.ndarray]:
        """All edges as ``u, v, u, v`` with the lower ``v`` first, and the plane of each."""
        edges = [np.hstack([one, np.roll(one, -1, axis=0)]) for one in self.outlines]
        counts = [len(one) for one in edges]
        every = np.vstack(edges)
        falling = every[:, 1] > every[:, 3]
        every[falling] = every[falling][:, [2, 3, 0, 1]]
        return every, np.repeat(np.array(self.of_plane), counts)

    @cached_property
    def corners(self) -> Array:
        """All points of the contours at both ends of their slabs, in the patient's coordinates."""
        flat = np.vstack(self.outlines)
        plane = np.repeat(np.array(self.of_plane), [len(one) for one in self.outlines])
        ends = [np.column_stack([flat, end[plane]]) for end in (self.lower, self.upper)]
        return np.vstack(ends) @ self.axes


def arrange(structure: Structure, usual_mm: float | None = None) -> tuple[Planes | None, list[Doubt]]:
    """Return the planes of a structure, and what is doubtful about its contours.

    Args:
        structure: the structure.
        usual_mm: usual distance of the planes of its structure set; used if the structure has fewer than
            three planes.

    Returns:
        The planes; None if the structure has no volume.
    """
    doubts: list[Doubt] = []
    closed = [one for one in structure.contours if one.kind in CLOSED]
    sound = [
        one
        for one in closed
        if len(one.points) > 2 and np.isfinite(one.points).all() and _area_vector(one.points).any()
    ]
    if unreadable := structure.unreadable + len(closed) - len(sound):
        doubts.append(Doubt("contours.unreadable", str(unreadable)))
    if not structure.contours and not structure.unreadable:
        doubts.append(Doubt("contours.absent", "0"))
    elif structure.contours and not closed:
        doubts.append(Doubt("contours.points-only", str(len(structure.contours))))
    elif len(closed) < len(structure.contours):
        open_ = len(structure.contours) - len(closed)
        doubts.append(Doubt("contours.open", f"{open_} of {len(structure.contours)}"))
    if not sound:
        return None, doubts
    axes = _axes(sound)
    if axes is None:
        return None, [*doubts, Doubt("contours.not-parallel", str(len(sound)))]
    local = [one.points @ axes.T for one in sound]
    heights = np.array([one[:, 2].mean() for one in local])
    uneven = sum(bool(np.ptp(one[:, 2]) > _SAME_PLANE_MM) for one in local)
    if uneven:
        doubts.append(Doubt("contours.not-planar", str(uneven)))
    order = np.argsort(heights, kind="stable")
    index = np.concatenate([[0], np.cumsum(np.diff(heights[order]) > _SAME_PLANE_MM)])
    positions = np.array([heights[order][index == i].mean() for i in range(index[-1] + 1)])
    outlines, of_plane, repeated = _distinct([local[i][:, :2] for i in order], index.tolist())
    if repeated:
        doubts.append(Doubt("contours.repeated", str(repeated)))
    if len(positions) < ENOUGH_PLANES:
        few = "contours.few-planes" if len(positions) < FEWEST_PLANES else "contours.coarse"
        doubts.append(Doubt(few, str(len(positions))))
    distances = np.diff(positions)
    usual = _usual(distances, usual_mm)
    if usual is None:
        return None, doubts
    gaps = distances[distances > _GAP * usual]
    if len(gaps):
        doubts.append(Doubt("contours.gap", f"{len(gaps)}; the widest has {gaps.max():.1f} mm"))
    reach = np.where(distances > _BRIDGED * usual, usual, distances) / 2
    ends = np.array([usual / 2]) if not len(reach) else reach
    lower = positions - np.concatenate([ends[:1], reach])
    upper = positions + np.concatenate([reach, ends[-1:]])
    return Planes(axes, positions, lower, upper, tuple(outlines), tuple(of_plane)), doubts


def usual_distance(structures: Sequence[Structure]) -> float | None:
    """Return the usual distance of neighbouring planes in a structure set, in mm.

    It is the lower median over all structures with contours in planes of one z, which counts to a hundredth.
    """
    distances: list[float] = []
    for one in structures:
        heights = {
            round(float(c.points[0, 2]), 2) for c in one.contours if c.kind in CLOSED and len(c.points)
        }
        found = np.diff(sorted(heights))
        distances.extend(found[found > _SAME_PLANE_MM].tolist())
    return sorted(distances)[(len(distances) - 1) // 2] if distances else None


def _usual(distances: Array, usual_mm: float | None) -> float | None:
    """Return the lower median of the distances of planes; of one distance or none, that of the set."""
    if len(distances) > 1:
        return float(np.sort(distances)[(len(distances) - 1) // 2])
    if usual_mm is not None:
        return usual_mm
    return float(distances[0]) if len(distances) else None


def _area_vector(points: Array) -> Array:
    """Return the normal of a contour, as long as twice its area."""
    centred = points - points[0]
    return np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)


def _axes(contours: Sequence[Contour]) -> Array | None:
    """Return two directions in the contours' planes and their normal; None if they are not parallel."""
    vectors = np.array([_area_vector(one.points) for one in contours])
    lengths = np.linalg.norm(vectors, axis=1)
    if not lengths.max() > 0:
        return None
    large = lengths > lengths.max() / 100
    units = vectors[large] / lengths[large, None]
    main = int(np.argmax(np.abs(units[np.argmax(lengths[large])])))
    units *= np.where(units[:, main] < 0, -1, 1)[:, None]
    # The median, because one bent contour must not tilt the others.
    normal = np.median(units, axis=0)
    normal /= np.linalg.norm(normal)
    if (units @ normal < _PARALLEL).any():
        return None
    if normal[main] > 1 - 1e-6:
        return np.eye(3)[[(main + 1) % 3, (main + 2) % 3, main]]
    first = np.eye(3)[(main + 1) % 3]
    first = first - (first @ normal) * normal
    first /= np.linalg.norm(first)
    return np.array([first, np.cross(normal, first), normal])


def _distinct(outlines: list[Array], planes: list[int]) -> tuple[list[Array], list[int], int]:
    """Return the outlines without those that stand twice in a plane, and the number left out.

    Contours are the same if they have the same points, in whatever direction and from wherever they begin.
    The order of the result does not depend on that of the file.
    """
    found: dict[tuple[int, bytes], Array] = {}
    for outline, plane in zip(outlines, planes, strict=True):
        usual = _from_smallest(outline)
        rounded = np.ascontiguousarray(np.round(usual, 3) + 0.0)  # a negative zero has other bytes
        found.setdefault((plane, np.unique(rounded.view(complex)).tobytes()), usual)
    order = sorted(found)
    return [found[key] for key in order], [key[0] for key in order], len(outlines) - len(found)


def _from_smallest(outline: Array) -> Array:
    """Return the same outline from its smallest point towards the smaller of its neighbours."""
    apart = outline[(outline != np.roll(outline, 1, axis=0)).any(axis=1)]
    turned = np.roll(apart, -int(np.lexsort(apart.T[::-1])[0]), axis=0)
    if tuple(turned[-1]) < tuple(turned[1]):
        turned = np.roll(turned[::-1], 1, axis=0)
    return turned
