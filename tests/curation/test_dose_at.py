"""Doses between the voxels of a small grid, by hand: 100 a frame, 10 a row, 1 a column (PS3.3 C.8.8.3)."""

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.dose_at import dose_at
from schemas.dicom_geometry import DoseGrid

# Rows are 2 mm apart, columns 3 mm; frames lie at 0, 4 and 10 mm.
GRID = DoseGrid(
    voxels=np.add.outer(np.add.outer([0, 100, 200], [0, 10, 20]), [0, 1, 2, 3]),
    scaling=0.1,
    origin=np.array([50.0, -20.0, 7.0]),
    row=np.array([1.0, 0, 0]),
    column=np.array([0, 1.0, 0]),
    spacing=(2.0, 3.0),
    offsets=np.array([0.0, 4.0, 10.0]),
)
INSIDE = {
    # what: millimetres along row, column and normal from the first voxel; the dose
    "the first voxel": (0, 0, 0, 0.0),
    "the second column": (3, 0, 0, 0.1),
    "the second row": (0, 2, 0, 1.0),
    "the second frame": (0, 0, 4, 10.0),
    "the last voxel": (9, 4, 10, 22.3),
    "between columns": (4.5, 2, 4, 11.15),
    "between rows": (3, 1, 4, 10.6),
    "between the narrow frames": (0, 0, 1, 2.5),
    "between the wide frames": (0, 0, 8.5, 17.5),
    "between all": (1.5, 1, 7, 15.55),
    # A voxel reaches half a distance beyond its centre, with its own dose.
    "before the first column": (-1.5, 2, 4, 11.0),
    "behind the last column": (10.5, 2, 4, 11.3),
    "before the first row": (3, -1, 4, 10.1),
    "behind the last row": (3, 5, 4, 12.1),
    "before the first frame": (3, 2, -2, 1.1),
    "behind the last frame": (3, 2, 13, 21.1),
}
OUTSIDE = [(-1.6, 2, 4), (10.6, 2, 4), (3, -1.1, 4), (3, 5.1, 4), (3, 2, -2.1), (3, 2, 13.1)]


def _points(*places) -> np.ndarray:
    return np.array(places, dtype=float) + GRID.origin


@pytest.mark.parametrize(("x", "y", "z", "dose"), INSIDE.values(), ids=INSIDE)
def test_the_dose_at_a_point(x, y, z, dose):
    assert dose_at(GRID, _points((x, y, z))) == pytest.approx([dose])


def test_beyond_the_voxels_there_is_no_dose():
    assert np.isnan(dose_at(GRID, _points(*OUTSIDE))).all()


def test_many_points_keep_their_order():
    places = [(x, y, z) for x, y, z, _ in INSIDE.values()]
    many = dose_at(GRID, np.tile(_points(*places), (20_000, 1)))
    assert many.reshape(20_000, -1) == pytest.approx(
        np.tile([one[-1] for one in INSIDE.values()], (20_000, 1))
    )
