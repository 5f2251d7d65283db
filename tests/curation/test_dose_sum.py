"""The dose of a plan from its distributions, against embedded histograms and prescription."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from sarcoma_pipeline.curation.dose_volume.dose_sum import (
    PlannedGroup,
    WholeDose,
    against_prescription,
    whole_dose,
)
from sarcoma_pipeline.curation.dose_volume.doubts import MEANINGS
from sarcoma_pipeline.curation.dose_volume.embedded_histogram import compare
from sarcoma_pipeline.curation.dose_volume.structure_dose import StructureDose, Wanted, measure
from sarcoma_pipeline.sources import dicom_dose_parts
from schemas.dicom_geometry import DosePart, EmbeddedHistogram
from tests.curation import rt_phantoms as ph

BAR = ph.structure(ph.cylinder(20, 60))
PLAN = [PlannedGroup("1", 25, frozenset({"1", "2"}))]
TWO_GROUPS = [PlannedGroup("1", 25, frozenset({"1"})), PlannedGroup("2", 8, frozenset({"1"}))]


def item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def part(
    kind: str,
    base: float,
    slope: float,
    group: str | None = None,
    beams: str = "",
    uid: str = "1.1",
    **how: Any,
) -> DosePart:
    """A distribution of ``base`` Gy that rises by ``slope`` Gy per mm along z."""
    refers = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.5", ReferencedSOPInstanceUID="5.5")
    if group is not None:
        of_group = item(ReferencedFractionGroupNumber=group)
        if beams:
            of_group.ReferencedBeamSequence = [item(ReferencedBeamNumber=beam) for beam in beams]
        refers.ReferencedFractionGroupSequence = [of_group]
    data = ph.dose_object(
        lambda x, y, z: base + slope * z,
        DoseSummationType=kind, ReferencedRTPlanSequence=[refers], SOPInstanceUID=uid, **how,
    )  # fmt: skip
    return dicom_dose_parts.part(data)


def ids(found: WholeDose) -> dict[str, str]:
    assert all(one.id in MEANINGS for one in found.doubts)
    return {one.id: one.value for one in found.doubts}


def is_whole(found: WholeDose) -> bool:
    """Whether the dose is 40 Gy that rises by 0.5 Gy per mm: 25.6 Gy in 98 %, 54.4 Gy in 2 % of 60 mm."""
    dose = measure(BAR, found.grid)
    return (dose.d98_gy, dose.d50_gy, dose.d2_gy) == pytest.approx((25.6, 40, 54.4), abs=0.1)


WHOLE = part("PLAN", 40, 0.5)
BEAMS = [part("BEAM", 10, 0.1, "1", "1", "2.1"), part("BEAM", 30, 0.4, "1", "2", "2.2")]
SESSION = part("FRACTION_SESSION", 1.6, 0.02, "1", uid="3.1")


def test_the_reader_says_what_a_distribution_is_the_dose_of():
    one = BEAMS[0]
    assert (one.uid, one.plans, one.groups, one.beams) == (
        "2.1", ("5.5",), frozenset({"1"}), frozenset({("1", "1")}),
    )  # fmt: skip


def test_the_dose_of_the_plan_comes_before_its_parts():
    found = whole_dose([*BEAMS, SESSION, WHOLE], PLAN)
    assert (found.kind, found.uids, ids(found)) == ("PLAN", ("1.1",), {})
    assert is_whole(found)


def test_two_copies_of_a_plan_s_dose_are_one_and_two_different_ones_are_none():
    copy = part("PLAN", 40, 0.5, uid="1.2")
    found = whole_dose([copy, WHOLE], PLAN)
    assert (found.uids, ids(found)) == (("1.1",), {})
    found = whole_dose([part("PLAN", 44, 0.5, uid="1.2"), WHOLE], PLAN)
    assert (found.grid, ids(found)) == (None, {"dose.sum-ambiguous": "PLAN: 2 different distributions"})


def test_a_copy_with_another_type_of_dose_is_no_copy():
    """The same numbers cannot be the physical dose and the dose weighted by its biological effect."""
    weighted = part("PLAN", 40, 0.5, uid="1.2", DoseType="EFFECTIVE")
    found = whole_dose([weighted, WHOLE], PLAN)
    assert (found.grid, ids(found)) == (None, {"dose.sum-ambiguous": "PLAN: 2 different distributions"})


def test_a_distribution_that_does_not_say_of_what_it_is_the_dose_is_told_if_it_differs():
    def beside(base: float) -> WholeDose:
        return whole_dose([WHOLE, part("", base, 0.5, uid="1.2")], PLAN)

    assert (beside(40).uids, ids(beside(40))) == (("1.1",), {})
    found = beside(44)
    assert (found.uids, ids(found)) == (("1.1",), {"dose.sum-ambiguous": "1 without DoseSummationType"})
    # A dose of several plans says so, and is not this plan's dose.
    assert ids(whole_dose([WHOLE, part("MULTI_PLAN", 66, 0.5, uid="1.3")], PLAN)) == {}


def test_the_beams_of_a_plan_add_up_in_any_order():
    found = whole_dose(BEAMS, PLAN)
    assert (found.kind, found.uids, ids(found)) == ("BEAM", ("2.1", "2.2"), {})
    assert is_whole(found)
    again = whole_dose(BEAMS[::-1], PLAN)
    assert again.grid is not None and found.grid is not None
    assert np.array_equal(again.grid.voxels, found.grid.voxels)
    both = part("BEAM", 40, 0.5, "1", "12")
    assert is_whole(whole_dose([both], PLAN))


def test_a_missing_beam_is_told_and_nothing_is_added():
    found = whole_dose(BEAMS[:1], PLAN)
    assert (found.grid, ids(found)) == (None, {"dose.sum-incomplete": "BEAM: 1 of 2"})
    unnamed = part("BEAM", 30, 0.4, "1", "", "2.2")
    assert ids(whole_dose([BEAMS[0], unnamed], PLAN)) == {"dose.sum-incomplete": "BEAM: 1 of 2"}
    # A beam of which the plan knows nothing.
    assert set(ids(whole_dose([*BEAMS, part("BEAM", 1, 0, "1", "3", "2.3")], PLAN))) == {
        "dose.sum-incomplete"
    }


def test_a_beam_that_comes_twice_is_told():
    twice = part("BEAM", 31, 0.4, "1", "2", "2.3")
    found = whole_dose([*BEAMS, twice], PLAN)
    assert (found.grid, set(ids(found))) == (None, {"dose.sum-ambiguous"})
    copy = part("BEAM", 30, 0.4, "1", "2", "2.3")
    assert is_whole(whole_dose([*BEAMS, copy], PLAN))


def test_fraction_groups_are_whole_deliveries():
    groups = [part("FRACTION", 30, 0.3, "1", uid="4.1"), part("FRACTION", 10, 0.2, "2", uid="4.2")]
    found = whole_dose(groups, TWO_GROUPS)
    assert (found.kind, ids(found)) == ("FRACTION", {})
    assert is_whole(found)
    assert ids(whole_dose(groups[:1], TWO_GROUPS)) == {"dose.sum-incomplete": "FRACTION: 1 of 2"}
    # A plan with one group needs no reference to it.
    assert is_whole(whole_dose([part("FRACTION", 40, 0.5)], PLAN))
    assert ids(whole_dose([part("FRACTION", 40, 0.5)], TWO_GROUPS)) == {
        "dose.sum-incomplete": "FRACTION: 0 of 2"
    }


def test_one_fraction_is_multiplied_by_the_number_of_fractions():
    assert is_whole(whole_dose([SESSION], PLAN))
    beams = [
        part("BEAM_SESSION", 0.4, 0.004, "1", "1", "6.1"), part("BEAM_SESSION", 1.2, 0.016, "1", "2", "6.2"),
    ]  # fmt: skip
    assert is_whole(whole_dose(beams, PLAN))
    two = [
        part("FRACTION_SESSION", 1.28, 0.02, "1", uid="6.1"),
        part("FRACTION_SESSION", 1, 0, "2", uid="6.2"),
    ]
    assert is_whole(whole_dose(two, TWO_GROUPS))  # 25 times 1.28 and 8 times 1 are 40
    unknown = [PlannedGroup("1", None, frozenset({"1"}))]
    assert ids(whole_dose([SESSION], unknown)) == {
        "dose.sum-incomplete": "FRACTION_SESSION: number of fractions unknown"
    }
    other = part("FRACTION_SESSION", 1.7, 0.02, "1", uid="3.2")
    assert set(ids(whole_dose([SESSION, other], PLAN))) == {"dose.sum-ambiguous"}


def test_distributions_on_other_grids_are_added_where_both_are():
    shifted = part("BEAM", 30, 0.4, "1", "2", "2.2", first=(-58.9, -58.7, -58.1), apart=(3, 2.5, 2.5))
    found = whole_dose([BEAMS[0], shifted], PLAN)
    assert is_whole(found)
    short = part("BEAM", 30, 0.4, "1", "2", "2.2", count=(25, 49, 49))
    found = whole_dose([BEAMS[0], short], PLAN)
    dose = measure(BAR, found.grid, Wanted(prescribed_gy=40, target=True))
    assert "dose.grid-too-small" in {one.id for one in dose.doubts}
    assert dose.d98_gy is None
    other = part("BEAM", 30, 0.4, "1", "2", "2.2", FrameOfReferenceUID="9.9")
    assert ids(whole_dose([BEAMS[0], other], PLAN)) == {"dose.frame-differs": "BEAM: 2 distributions"}


def test_other_kinds_and_units_are_told():
    assert ids(whole_dose([part("CONTROL_POINT", 1, 0)], PLAN)) == {"dose.sum-incomplete": "CONTROL_POINT"}
    assert ids(whole_dose([part("PLAN", 40, 0.5, DoseUnits="RELATIVE")], PLAN)) == {"dose.units": "1 of 1"}
    assert whole_dose([], PLAN).doubts == ()


@pytest.mark.parametrize(
    ("offsets", "told"),
    [
        ((0,), {}),
        ((0, 9), {}),
        ((0, 2, 4, 7), {}),  # 3 mm are 1.5 times the usual 2 mm
        ((0, 2, 4, 7.1), {"dose.frames-missing": "1 of 1"}),
        ((0, 3.1, 5.1, 7.1), {"dose.frames-missing": "1 of 1"}),
    ],
)
def test_frames_that_seem_to_be_missing_are_told(offsets, told):
    grid = replace(WHOLE.grid, voxels=WHOLE.grid.voxels[: len(offsets)], offsets=np.array(offsets, float))
    assert ids(whole_dose([replace(WHOLE, grid=grid)], PLAN)) == told


@pytest.mark.parametrize(
    "d50, d95, fractions, told",
    [
        (50.4, 48, 25, None),
        (53, 50, 25, None),  # prescribed to 95 % of the volume
        (47.6, 40, 25, None),
        (47.5, 40, 25, None),  # exactly 5 %
        (47.4, 46, 25, ""),
        (2.0, 1.9, 25, "; it fits times 25 fractions"),
        (1250.0, 1240, 25, "; it fits divided by 25 fractions"),
        (2.0, 1.9, None, ""),
        (60, 57, 25, ""),
        (None, None, 25, None),
    ],
)
def test_a_target_s_dose_is_compared_with_its_prescription(d50, d95, fractions, told):
    found = against_prescription(d50, d95, 50, fractions)
    expected = [] if told is None else [f"D50 {d50:.1f} Gy, D95 {d95:.1f} Gy, prescribed 50 Gy{told}"]
    assert [one.value for one in found] == expected
    assert against_prescription(d50, d95, None) == []


# A bar of 60 mm along a gradient of 0.5 Gy/mm: every dose between 25 and 55 Gy is as frequent.
EDGES = np.arange(0, 55.1, 0.25)
SHARES = np.clip((55 - EDGES) / 30, 0, 1)
VOLUME = 24 * np.pi


def histogram(volumes=VOLUME * SHARES, widths=None, regions=((1, "INCLUDED"),), **attributes: Any) -> Dataset:
    widths = np.full(len(volumes), 0.25) if widths is None else widths
    made = item(
        DVHType="CUMULATIVE", DoseUnits="GY", DVHDoseScaling=1, DVHVolumeUnits="CM3",
        DVHData=[f"{value:.8g}" for pair in zip(widths, volumes, strict=True) for value in pair],
        DVHReferencedROISequence=[
            item(ReferencedROINumber=number, DVHROIContributionType=how) for number, how in regions
        ],
    )  # fmt: skip
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


FOUND = measure(BAR, WHOLE.grid)


def differs(*histograms: Dataset, found: StructureDose = FOUND) -> dict[str, str]:
    data = ph.dose_object(ph.rising(2), DVHSequence=list(histograms))
    doubts = compare(1, found, dicom_dose_parts.embedded(data))
    assert all(one.id in MEANINGS for one in doubts)
    return {one.id: one.value for one in doubts}


def test_an_embedded_histogram_that_agrees_is_silent():
    assert differs(histogram()) == {}
    assert differs() == {}
    parts = -np.diff(np.append(SHARES, 0)) * VOLUME
    assert differs(histogram(parts, DVHType="DIFFERENTIAL")) == {}
    assert differs(histogram(100 * SHARES, DVHVolumeUnits="PERCENT")) == {}
    assert differs(histogram(widths=np.full(len(SHARES), 25), DVHDoseScaling=0.01)) == {}
    assert differs(histogram(regions=[(2, "INCLUDED")], volumes=SHARES)) == {}


def test_more_than_2_percent_is_told():
    assert differs(histogram(1.015 * VOLUME * SHARES)) == {}
    assert set(differs(histogram(1.03 * VOLUME * SHARES))) == {"dvh.differs"}
    assert differs(histogram(widths=np.full(len(SHARES), 0.25 * 1.015))) == {}
    (value,) = differs(histogram(widths=np.full(len(SHARES), 0.25 * 1.04))).values()
    assert "D50 40.00 against 41.60 Gy" in value and "volume" not in value
    assert differs(histogram(1.03 * VOLUME * SHARES), found=StructureDose()) == {}


def falling(doses=(0.0, 40.0, 50.0), volumes=(10.0, 10.0, 0.0), units="CM3") -> EmbeddedHistogram:
    """All of it gets 40 Gy, nothing 50 Gy: D98 40.2, D95 40.5, D50 45, D2 49.8, mean 45 Gy."""
    return EmbeddedHistogram(((1, "INCLUDED"),), np.array(doses), np.array(volumes), units)


AGREES = StructureDose(
    10.0, mean_gy=45.0, d98_gy=40.2, d95_gy=40.5, d50_gy=45.0, d2_gy=49.8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        # 2 % of 45 Gy is 0.9 Gy.
        ({"d50_gy": 45.89}, []),
        ({"d50_gy": 45.91}, ["D50 45.91 against 45.00 Gy"]),
        ({"d50_gy": 44.09}, ["D50 44.09 against 45.00 Gy"]),
        ({"mean_gy": 45.91}, ["mean 45.91 against 45.00 Gy"]),
        ({"d98_gy": 41.1}, ["D98 41.10 against 40.20 Gy"]),
        ({"d95_gy": 41.4}, ["D95 41.40 against 40.50 Gy"]),
        ({"d2_gy": 51.0}, ["D2 51.00 against 49.80 Gy"]),
        ({"volume_cc": 10.19}, []),
        ({"volume_cc": 10.21, "d2_gy": 51.0}, ["volume 10.21 against 10.00 cc", "D2 51.00 against 49.80 Gy"]),
        ({"mean_gy": None, "d50_gy": None, "volume_cc": None}, []),
    ],
)
def test_each_value_of_a_histogram_may_differ_by_2_percent(changes, told):
    doubts = compare(1, replace(AGREES, **changes), [falling()])
    assert [one.value for one in doubts] == (["; ".join(told)] if told else [])
    # Of a histogram in percent nobody knows the volume.
    relative = [one.value for one in compare(1, replace(AGREES, **changes), [falling(units="PERCENT")])]
    doses = [one for one in told if "volume" not in one]
    assert relative == (["; ".join(doses)] if doses else [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        # Small differences are none: 0.1 Gy and 0.05 cm³.
        ({"mean_gy": 1.59}, False), ({"mean_gy": 1.61}, True), ({"mean_gy": 1.39}, True),
        ({"volume_cc": 1.049}, False), ({"volume_cc": 1.051}, True),
    ],
)  # fmt: skip
def test_small_differences_from_a_histogram_are_none(changes, told):
    """All of 1 cm³ gets 1 Gy, nothing 2 Gy: 1.5 Gy in the mean."""
    small = falling((0.0, 1.0, 2.0), (1.0, 1.0, 0.0))
    found = StructureDose(1.0, mean_gy=1.5)
    assert bool(compare(1, replace(found, **changes), [small])) is told


def test_a_histogram_that_begins_above_nothing_has_the_mean_of_its_whole_volume():
    """All of it gets 30 Gy, half of it 50 Gy: 30 Gy + (1 + 0.5) / 2 · 20 Gy = 45 Gy, and nothing more."""
    begins = falling((30.0, 50.0), (10.0, 5.0))
    assert compare(1, StructureDose(mean_gy=45.0), [begins]) == []
    (told,) = compare(1, StructureDose(mean_gy=50.0), [begins])
    assert told.value == "mean 50.00 against 45.00 Gy"


def test_each_histogram_of_a_structure_is_told_once_in_any_order():
    far = replace(AGREES, d50_gy=60.0)
    every = [falling(), replace(falling(), fault="cut"), falling(), replace(falling(), regions=())]
    assert [one.id for one in compare(1, far, every)] == ["dvh.differs", "dvh.not-comparable"]
    assert compare(1, far, every) == compare(1, far, every[::-1])
    assert compare(2, far, every) == []


@pytest.mark.parametrize(
    "attributes, value",
    [
        ({"DoseUnits": "RELATIVE"}, "DoseUnits RELATIVE"),
        ({"DVHType": "NATURAL"}, "DVHType NATURAL"),
        ({"DVHData": ["0.25"]}, "DVHData is no list of pairs"),
        ({"DVHData": ["0.25", "10", "0.25", "-1"]}, "DVHData is no histogram"),
        ({"DVHData": ["0.25", "10", "0.25", "11"]}, "a cumulative histogram rises"),
        ({"regions": [(1, "INCLUDED"), (2, "EXCLUDED")]}, "INCLUDED, EXCLUDED"),
        ({"regions": [(1, "EXCLUDED")]}, "EXCLUDED"),
    ],
)
def test_a_histogram_that_cannot_be_compared_is_told(attributes, value):
    assert differs(histogram(**attributes)) == {"dvh.not-comparable": value}
