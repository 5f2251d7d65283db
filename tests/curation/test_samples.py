"""How finely a structure is filled: by its volume, the dose grid and the greatest number of points."""

from __future__ import annotations

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.planes import arrange
from sarcoma_pipeline.curation.dose_volume.samples import _size
from schemas.dicom_geometry import Contour, Structure

SQUARE = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], float)


@pytest.mark.parametrize(
    ("planes", "finest", "edge"),
    [
        # 800 cm³: 100,000 cells of 8 mm³ have edges of 2 mm, 1,000,000 of 0.8 mm³ of 0.928 mm.
        (16, np.inf, 2.0),
        (16, 3.0, 2.0),
        (16, 1.5, 1.5),
        (16, 0.5, 0.8 ** (1 / 3)),
        # 100 cm³: 1 mm³.
        (2, np.inf, 1.0),
    ],
)
def test_the_edge_of_a_cell(planes, finest, edge):
    heights = (np.column_stack([SQUARE, np.full(4, 5.0 * n)]) for n in range(planes))
    contours = tuple(Contour("CLOSED_PLANAR", one) for one in heights)
    found, _ = arrange(Structure(1, "", None, None, contours))
    assert found is not None
    assert _size(found, finest) == pytest.approx(edge)
