"""The volume within an isodose of single hot voxels, by pencil.

Between the centres of voxels the dose is trilinear: around a lone voxel of 1 Gy, at u, v, w from the far
corner of an octant, it is u v w.
"""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume import conformity
from sarcoma_pipeline.curation.dose_volume.conformity import isodose_volume, paddick
from schemas.dicom_geometry import DoseGrid

LEVEL = 0.12
CORNER = 1 - LEVEL * (1 - log(LEVEL) + log(LEVEL) ** 2 / 2)
"""Share of an octant in which u v w is at least the level: 0.356."""
FACE = 1 - LEVEL * (1 - log(LEVEL))
"""Share of a cell between two equal neighbours in which v w is at least the level: 0.626."""


def grid(*hot: tuple[int, int, int], shape=(7, 7, 7), offsets=None, spacing=(1.0, 1.0)) -> DoseGrid:
    """A grid in which the dose is 1 Gy at some voxels and 0 elsewhere."""
    voxels = np.zeros(shape, np.float32)
    for place in hot:
        voxels[place] = 2
    x, y = np.eye(3)[:2]
    offsets = np.arange(float(shape[0])) if offsets is None else np.array(offsets)
    return DoseGrid(voxels, 0.5, np.zeros(3), x, y, spacing, offsets)


def counted(fine: int, level: float) -> float:
    """The octants of a lone voxel, by the middles of equal parts of its edges."""
    middles = [(n + 0.5) / fine for n in range(fine)]
    return 8 * sum(u * v * w >= level for u, v, w in product(middles, repeat=3)) / fine**3


def test_a_lone_voxel():
    found = isodose_volume(grid((3, 3, 3)), LEVEL)
    assert found == pytest.approx(8 * CORNER, rel=0.03)
    assert found == pytest.approx(counted(5, LEVEL)), "five points along each edge"
    assert isodose_volume(grid((1, 1, 1), shape=(3, 3, 3)), LEVEL) == found, "its neighbours are the border"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_neighbours_along_each_axis(axis):
    other = [3, 3, 3]
    other[axis] = 4
    found = isodose_volume(grid((3, 3, 3), (other[0], other[1], other[2])), LEVEL)
    assert found == pytest.approx(8 * CORNER + 4 * FACE, rel=0.03)


def test_frames_rows_and_columns_have_spacings_of_their_own():
    """The octants below the voxel are 2 mm thick and those above 5 mm; in the plane they have 3 by 4 mm."""
    found = isodose_volume(grid((2, 1, 3), shape=(5, 3, 5), offsets=(0, 7, 9, 14, 30), spacing=(3, 4)), LEVEL)
    assert found == pytest.approx((2 + 5) * 3 * 4 * counted(5, LEVEL) / 2)


def test_a_large_isodose_has_fewer_points(monkeypatch):
    """A lone voxel has eight octants: 216 points are 27 for each, 8 are one, in its middle."""
    monkeypatch.setattr(conformity, "_POINTS", 216)
    assert isodose_volume(grid((3, 3, 3)), LEVEL) == pytest.approx(counted(3, LEVEL))
    for points in (8, 1):
        monkeypatch.setattr(conformity, "_POINTS", points)
        assert [isodose_volume(grid((3, 3, 3)), level) for level in (0.125, 0.126)] == [8, 0]


@pytest.mark.parametrize(("axis", "end"), product(range(3), (0, 4)))
def test_an_isodose_at_the_border_has_no_volume(axis, end):
    at = [2, 2, 2]
    at[axis] = end
    at_border = grid((at[0], at[1], at[2]), shape=(5, 5, 5))
    assert isodose_volume(at_border, LEVEL) is None
    # A dose equal to that of the isodose is within it.
    assert isodose_volume(at_border, 1) is None
    assert isodose_volume(at_border, 1.01) == 0


@pytest.mark.parametrize("shape", [(1, 5, 5), (5, 1, 5), (5, 5, 1), (2, 5, 5)])
def test_a_grid_of_one_or_two_planes_is_all_border(shape):
    at = tuple(min(2, n - 1) for n in shape)
    assert isodose_volume(grid((at[0], at[1], at[2]), shape=shape), LEVEL) is None


def test_unknown_doses_beside_the_isodose_leave_no_volume():
    """The isodose reaches into all 26 cubes around a hot voxel; what is farther away does not matter."""
    for place in product(range(7), repeat=3):
        if place == (3, 3, 3):
            continue
        one = grid((3, 3, 3))
        one.voxels[place] = np.nan
        found = isodose_volume(one, LEVEL)
        if max(abs(n - 3) for n in place) == 1:
            assert found is None, place
        else:
            assert found == pytest.approx(counted(5, LEVEL)), place


def test_the_index_of_paddick():
    # Half of a target of 0.5 is covered by an isodose of 0.4: 0.0625 / 0.2.
    assert paddick(0.5, 0.25, 0.4) == pytest.approx(0.3125)
    assert paddick(0, 0, 0.4) is None
    assert paddick(0.5, 0, 0) is None
