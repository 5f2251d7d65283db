"""Contours and dose grids as the readers return them, or refuse them."""

from __future__ import annotations

import pytest

from sarcoma_pipeline.sources import dicom_contours, dicom_dose_grid
from tests.curation import rt_phantoms as ph


@pytest.mark.parametrize(
    "how",
    [
        {"GridFrameOffsetVector": None},
        {"GridFrameOffsetVector": [5.0 + 2.5 * k for k in range(49)]},
        {"GridFrameOffsetVector": [0.0] * 49},
        {"GridFrameOffsetVector": [0.0, 2.5]},
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
        {"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]},
        {"ImagePositionPatient": None},
        {"PixelSpacing": [0, 1]},
        {"DoseGridScaling": 0},
        {"DoseGridScaling": None},
        {"PixelData": b"\0" * 100},
    ],
)
def test_a_grid_that_cannot_be_placed_is_refused(how):
    data = ph.dose_object(ph.rising(2), **how)
    with pytest.raises(dicom_dose_grid.NoGrid):
        dicom_dose_grid.grid(data)


def test_absolute_offsets_of_frames_that_are_not_transverse_are_refused():
    tilted = (0.8, 0, -0.6, 0, 1, 0)
    data = ph.dose_object(
        ph.rising(2),
        directions=tilted,
        first=(0, 0, -60),
        GridFrameOffsetVector=[-60 + 2.5 * k for k in range(49)],
    )
    with pytest.raises(dicom_dose_grid.NoGrid):
        dicom_dose_grid.grid(data)


def test_the_reader_of_contours_counts_what_it_cannot_read():
    regions = [("a", "PTV", ph.cylinder(5, 30)), ("b", "", [])]
    assert [(one.number, one.name, one.interpreted_type) for one in ph.structure_set(regions)] == [
        (1, "a", "PTV"), (2, "b", None),
    ]  # fmt: skip
    items = ph.structure_set_object(regions)
    drawn = items.ROIContourSequence[0].ContourSequence
    drawn[0].NumberOfContourPoints = 179
    drawn[1].ContourData = drawn[1].ContourData[:-1]
    del drawn[2].ContourData
    read = dicom_contours.structures(items)[0]
    assert (len(read.contours), read.unreadable) == (7, 3)
