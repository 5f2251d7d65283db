"""Areas, points and distances of polygons that are known by geometry."""

from __future__ import annotations

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.polygons import area, area_by_edges, distance, inside, spread

SQUARE = np.array([[-2.0, -2], [2, -2], [2, 2], [-2, 2]])
HOLE = SQUARE / 2
DIAMOND = np.array([[-1.0, 0], [0, -1], [1, 0], [0, 1]])
# The area is measured in 48 strips, here in their middles at 1, 3, 5 …, where some of the corners lie.
CORNERS_IN_STRIPS = np.array([[0.0, 0], [10, 0], [10, 49], [10, 96], [0, 96], [0, 31]])


@pytest.mark.parametrize("turned", [CORNERS_IN_STRIPS, CORNERS_IN_STRIPS[::-1]])
def test_corners_at_the_height_of_a_strip_are_crossed_once(turned):
    assert area(turned) == pytest.approx(960)
    assert area_by_edges(turned) == pytest.approx(960)


def test_the_even_odd_rule_leaves_out_what_is_enclosed_twice():
    crossed = np.array([[0.0, 0], [2, 2], [2, 0], [0, 2]])  # two triangles with one corner in common
    assert area(crossed) == pytest.approx(2, rel=0.02)
    assert area_by_edges(crossed) == 0
    points = np.array([[0.0, 0], [1.5, 0], [-1.5, 1.5], [2.5, 0], [0, -2.5]])
    assert inside(points, [SQUARE, HOLE]).tolist() == [False, True, True, False, False]


def test_a_point_level_with_a_corner_is_inside_or_outside():
    points = np.array([[0.0, 0], [-0.9, 0], [0.9, 0], [-1.5, 0], [1.5, 0], [-1, 1], [1, -1], [-1, -1]])
    assert inside(points, [DIAMOND]).tolist() == [True] * 3 + [False] * 5


def test_the_distance_is_that_of_the_nearest_edge_or_corner():
    points = np.array([[0.0, 0], [1.75, 0.5], [5, 6], [0, -3], [2, 0]])
    expected = [2, 0.25, -5, -1, 0]
    assert distance(points, [SQUARE]) == pytest.approx(np.array(expected))
    assert distance(points[:2], [SQUARE, HOLE]) == pytest.approx(np.array([-1, 0.25]))


@pytest.mark.parametrize(
    ("apart", "most", "count"), [(1.0, 100, 16), (3.0, 100, 6), (1.0, 8, 8), (99.0, 100, 3)]
)
def test_points_are_spread_at_equal_distances(apart, most, count):
    points, step = spread(SQUARE, apart, most)
    assert (len(points), step) == (count, pytest.approx(16 / count))
    assert np.abs(points).max(axis=1) == pytest.approx(np.full(count, 2))
    along = np.where(points[:, 1] == -2, points[:, 0] + 2, np.nan)
    assert along[0] == pytest.approx(8 / count), "half a step from the first corner"
