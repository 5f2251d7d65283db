"""Contours in their planes: which are one, and how thick the slab of each plane is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.planes import Planes, _from_smallest, arrange, usual_distance
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
    # A plane is where it is to a hundredth of a millimetre.
    assert usual_distance([stack(0, 2.996)]) == 3


FLAT = [(SQUARE, float(z)) for z in range(0, 21, 3)]


@pytest.mark.parametrize(("bend", "told"), [(0.1, {}), (0.11, {"contours.not-planar": "1"})])
def test_points_up_to_a_tenth_of_a_millimetre_apart_are_in_one_plane(bend, told):
    flat = drawn(*FLAT)
    bent = np.column_stack([SQUARE, [0, 0, bend, bend]])
    structure = replace(flat, contours=(Contour("CLOSED_PLANAR", bent), *flat.contours[1:]))
    assert arranged(structure)[1] == told


@pytest.mark.parametrize(("edge", "parallel"), [(2.0, True), (2.02, False)])
def test_contours_up_to_a_hundredth_of_the_largest_have_no_say_in_the_direction_of_planes(edge, parallel):
    """The others are 20 mm wide; a small one stands upright."""
    upright = np.array([[0, 0, 0], [edge, 0, 0], [edge, 0, edge], [0, 0, edge]])
    flat = drawn(*FLAT)
    planes, doubts = arrange(replace(flat, contours=(*flat.contours, Contour("CLOSED_PLANAR", upright))))
    assert (planes is not None) is parallel
    assert ("contours.not-parallel" in {one.id for one in doubts}) is not parallel


def oblique(degrees: float, points: np.ndarray) -> np.ndarray:
    """The points turned about x."""
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return points @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])


@pytest.mark.parametrize("tilt", [0, 30, 150])
def test_the_direction_in_which_contours_are_drawn_does_not_matter(tilt):
    contours = [oblique(tilt, one.points) for one in drawn(*FLAT).contours]
    mixed = [one[::-1] if number % 3 else one for number, one in enumerate(contours)]
    for points in (contours, mixed):
        found, told = arranged(
            Structure(1, "", None, None, tuple(Contour("CLOSED_PLANAR", one) for one in points))
        )
        assert told == {}
        assert np.abs(found.axes[2]) == pytest.approx(np.abs(oblique(tilt, np.array([0, 0, 1.0]))))
        assert np.diff(found.positions) == pytest.approx([3.0] * 6)


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("tilt", "parallel"), [(2.5, True), (2.6, False), (50, False)])
def test_a_contour_of_another_direction_is_told(tilt, parallel, way):
    """The cosine of 2.56 degrees is 0.999."""
    flat = drawn(*FLAT)
    tilted = oblique(tilt, flat.contours[0].points)[::way]
    planes, _ = arrange(replace(flat, contours=(Contour("CLOSED_PLANAR", tilted), *flat.contours[1:])))
    assert (planes is not None) is parallel


@pytest.mark.parametrize(
    "outline",
    [
        [(0, 0), (1, 4), (3, 5), (2, 1)],  # of the neighbours (1, 4) and (2, 1) the smaller one follows
        [(0, 1), (0, 3), (5, 5), (4, 0)],  # of one u the smaller v is the beginning
        [(0, 0), (1, -1), (1, 1)],
    ],
)
def test_an_outline_has_one_spelling(outline):
    points = np.array(outline, float)
    for begin in range(len(points)):
        turned = np.roll(points, begin, axis=0)
        for given in (turned, turned[::-1], np.repeat(turned, 2, axis=0)):
            assert _from_smallest(given).tolist() == points.tolist()
