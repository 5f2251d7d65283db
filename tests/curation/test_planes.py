"""Contours in their planes: which are one, and how thick the slab of each plane is."""

from __future__ import annotations

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.planes import Planes, arrange, usual_distance
from schemas.dicom_geometry import Contour, Structure

SQUARE = np.array([[-10, -10], [10, -10], [10, 10], [-10, 10]], float)


def drawn(*contours: tuple[np.ndarray, float], kind: str = "CLOSED_PLANAR") -> Structure:
    """Outlines with their z."""
    points = [np.column_stack([outline, np.full(len(outline), z)]) for outline, z in contours]
    return Structure(1, "", None, None, tuple(Contour(kind, one) for one in points))


def stack(*heights: float) -> Structure:
    return drawn(*((SQUARE, z) for z in heights))


def arranged(structure: Structure, usual: float | None = None) -> tuple[Planes, dict[str, str]]:
    planes, doubts = arrange(structure, usual)
    assert planes is not None
    return planes, {one.id: one.value for one in doubts}


@pytest.mark.parametrize("shift", [(-0.0001, 0.0), (0.0, -0.0001), (0.0, 0.0004), (0.0004, 0.0)])
def test_contours_that_differ_by_less_than_a_micrometre_are_one(shift):
    """Of a corner at 0, the one on the negative side is rounded to a negative zero."""
    corner = np.array([[0, -10], [10, 0], [0, 10], [-10, 0]], float)
    planes, doubts = arranged(drawn(*((corner, z) for z in range(0, 21, 3)), (corner + shift, 9)))
    assert len(planes.outlines) == 7
    assert doubts == {"contours.repeated": "1"}


def test_contours_that_differ_by_more_are_two():
    planes, doubts = arranged(drawn(*((SQUARE, z) for z in range(0, 21, 3)), (SQUARE + 0.002, 9)))
    assert (len(planes.outlines), doubts) == (8, {})


@pytest.mark.parametrize(("apart", "planes"), [(0.1, 7), (0.11, 8)])
def test_contours_up_to_a_tenth_of_a_millimetre_apart_are_in_one_plane(apart, planes):
    found, _ = arranged(drawn(*((SQUARE, z) for z in (0, 3, 6, 9, 12, 15, 18)), (SQUARE / 2, -apart)))
    assert len(found.positions) == planes


@pytest.mark.parametrize(
    ("step", "doubts", "upper"),
    [
        (4.5, {}, 2.25),  # 1.5 times the usual distance
        (4.6, {"contours.gap": "1; the widest has 4.6 mm"}, 2.3),
        (7.5, {"contours.gap": "1; the widest has 7.5 mm"}, 3.75),  # 2.5 times: both reach half-way
        (7.6, {"contours.gap": "1; the widest has 7.6 mm"}, 1.5),  # a gap that stays
    ],
)
def test_gaps_and_how_far_slabs_reach(step, doubts, upper):
    heights = [0, 3, 6, 9, 9 + step, 12 + step, 15 + step]
    found, told = arranged(stack(*heights))
    assert told == doubts
    assert found.upper[3] == pytest.approx(9 + upper)
    assert found.lower[4] == pytest.approx(9 + step - upper)
    assert (found.lower[0], found.upper[6]) == (-1.5, 16.5 + step)


def test_the_outer_slabs_are_as_thick_as_half_the_distance_of_their_neighbour():
    found, _ = arranged(stack(0, 2, 5, 8, 11, 14, 18))
    assert (found.lower[0], found.upper[-1]) == (-1, 20)


@pytest.mark.parametrize(
    ("heights", "of_set", "thickness"),
    [
        ((0,), 3, 3), ((0, 4), 3, 4), ((0, 9), 3, 3), ((0, 9), None, 9), ((0, 2, 6), 9, 2),
    ],
)  # fmt: skip
def test_fewer_than_three_planes_take_the_usual_distance_of_their_set(heights, of_set, thickness):
    """By it, two planes 9 mm apart are a gap. Three planes have a usual distance of their own."""
    found, _ = arranged(stack(*heights), of_set)
    assert found.upper[0] - found.lower[0] == pytest.approx(thickness)


def test_the_usual_distance_of_a_set_is_the_lower_median():
    assert usual_distance([stack(0, 2, 4), stack(0, 3, 6)]) == 2
    assert usual_distance([stack(0, 2), stack(0, 3, 6)]) == 3
    # Distances up to a tenth of a millimetre are none; nor are those of points and open contours.
    assert usual_distance([stack(0, 0.1, 5.1)]) == 5
    assert usual_distance([drawn((SQUARE, 0), (SQUARE, 2), kind="OPEN_PLANAR"), stack(0, 3)]) == 3
