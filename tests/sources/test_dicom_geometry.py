"""Contours and dose grids as the readers return them, or refuse them."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from sarcoma_pipeline.curation import structure_names
from sarcoma_pipeline.curation.dose_volume.structure_dose import measure
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_grid, dicom_dose_parts
from tests.curation import rt_files
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


def test_contours_that_no_structure_claims_have_one_of_their_own():
    items = ph.structure_set_object([("a", "PTV", ph.cylinder(5, 30)), ("b", "", ph.cylinder(5, 9))])
    items.ROIContourSequence[0].ReferencedROINumber = 7
    del items.ROIContourSequence[1].ReferencedROINumber
    read = dicom_contours.structures(items)
    assert [(one.number, one.name, len(one.contours)) for one in read] == [
        (-1, "", 3), (1, "a", 0), (2, "b", 0), (7, "", 10),
    ]  # fmt: skip


def _observed(*observations: tuple[int, str | None]):
    """A structure set with the regions 1 and 2 and the observations, in their order."""
    data = ph.structure_set_object([("a", "PTV", ph.cylinder(5, 30)), ("b", "", ph.cylinder(5, 9))])
    template = data.RTROIObservationsSequence[0]
    data.RTROIObservationsSequence = []
    for at, (number, type_) in enumerate(observations, 1):
        one = copy.deepcopy(template)
        one.ObservationNumber, one.ReferencedROINumber, one.RTROIInterpretedType = at, number, type_
        data.RTROIObservationsSequence.append(one)
    return data


@pytest.mark.parametrize(
    "observations, types",
    [
        ([(1, "PTV"), (1, "CTV"), (2, "ORGAN")], ["CTV\\PTV", "ORGAN"]),
        ([(1, "PTV"), (1, "PTV")], ["PTV", None]),
        ([(1, "PTV"), (1, ""), (1, None)], ["PTV", None]),
        ([(2, "ORGAN"), (1, None)], [None, "ORGAN"]),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_structure_that_is_observed_several_times(tmp_path, observations, types, reverse):
    data = _observed(*(observations[::-1] if reverse else observations))
    assert [one.interpreted_type for one in dicom_contours.structures(data)] == types
    ((_, received),) = rt_files.read(Dataset(data), tmp_path)
    assert json.loads(received["RTROIInterpretedType"]) == types


def test_of_types_that_differ_none_counts():
    found = structure_names.meaning("Femur_R", "CTV\\PTV")
    assert (found.tg263, found.role, found.decided_by) == ("Femur_R", "bone", "name")
    assert structure_names.meaning("X1", "CTV\\PTV").role is None


def genuine(name: str):
    """An object of pydicom's own test files, from a planning system."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return dcmread(path, force=True)


def test_a_genuine_structure_set_is_read():
    read = dicom_contours.structures(genuine("rtstruct.dcm"))
    assert [(one.name, one.interpreted_type, len(one.contours)) for one in read] == [
        ("patient", "EXTERNAL", 3), ("Isocenter 1", "ISOCENTER", 1), ("Isocenter 2", "ISOCENTER", 1),
    ]  # fmt: skip
    # Three planes: the area of each polygon (shoelace) times the distance of the planes.
    heights = [one.points[0, 2] for one in read[0].contours]
    areas = [
        abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
        for x, y in (one.points[:, :2].T for one in read[0].contours)
    ]
    apart = np.diff(sorted(heights))
    assert apart == pytest.approx(np.full(2, apart[0]))
    assert measure(read[0], None).volume_cc == pytest.approx(sum(areas) * apart[0] / 1000, rel=0.005)
    assert [one.id for one in measure(read[1], None).doubts] == ["contours.points-only"]


@pytest.mark.parametrize("name", ["rtdose.dcm", "rtdose_rle.dcm", "rtdose_expb.dcm"])
def test_a_genuine_dose_is_read_in_every_encoding(name):
    found = dicom_dose_grid.grid(genuine(name))
    plain = dicom_dose_grid.grid(genuine("rtdose.dcm"))
    assert (found.units, found.summation, found.voxels.shape) == ("RELATIVE", "BEAM", (15, 10, 10))
    assert np.array_equal(found.voxels, plain.voxels)
    assert found.offsets == pytest.approx(5 * np.arange(15))
    assert len(dicom_dose_parts.part(genuine(name)).plans) == 1
