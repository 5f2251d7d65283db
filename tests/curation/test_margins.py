"""Margins of phantoms whose targets are known bodies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.margins import Margins, _percentiles, limb_axis, margins
from schemas.dicom_geometry import Contour, Structure
from tests.curation import rt_phantoms as ph

TILT = np.radians(20)
AXIS = np.array([np.sin(TILT), 0, np.cos(TILT)])


def tilted(radius: float, half: float) -> list[np.ndarray]:
    """A cylinder around ``AXIS`` on planes of z from ``-half`` to ``half``."""
    found = []
    for z in ph.levels(2 * half, 3):
        flat = ph.circle(radius, z)
        found.append(np.column_stack([flat[:, 0] / np.cos(TILT) + z * np.tan(TILT), flat[:, 1], flat[:, 2]]))
    return found


def of(inner, outer, *axis):
    return margins(ph.structure(inner, type_="GTV"), ph.structure(outer, type_="CTV"), *axis)


def test_30_mm_along_and_15_mm_across():
    found = of(ph.cylinder(20, 60), ph.cylinder(35, 120))
    assert (found.superior, found.inferior) == (pytest.approx(30, abs=0.1), pytest.approx(30, abs=0.1))
    assert (found.radial_p5, found.radial_p50, found.radial_p95) == pytest.approx((15, 15, 15), abs=0.1)
    assert found.doubts == ()


def test_each_end_and_each_side_has_its_own_margin():
    """The outer target is moved by 6 mm towards the head and by 5 mm to the left."""
    found = of(ph.cylinder(20, 60), ph.cylinder(35, 120, x=5, z=6))
    assert (found.superior, found.inferior) == (pytest.approx(36, abs=0.1), pytest.approx(24, abs=0.1))
    angles = np.linspace(0, 2 * np.pi, 100_000)
    across = 35 - np.hypot(20 * np.cos(angles) - 5, 20 * np.sin(angles))
    expected = np.percentile(across, [5, 50, 95])
    assert (found.radial_p5, found.radial_p50, found.radial_p95) == pytest.approx(tuple(expected), abs=0.2)


def test_the_axis_of_a_limb_that_lies_obliquely():
    found = of(tilted(20, 30), tilted(35, 60), AXIS)
    assert (found.radial_p5, found.radial_p50, found.radial_p95) == pytest.approx((15, 15, 15), abs=0.2)
    # Ends cut across z: the highest point lies at the rim.
    end = 30 / np.cos(TILT) + 15 * np.tan(TILT)
    assert (found.superior, found.inferior) == (pytest.approx(end, abs=0.2), pytest.approx(end, abs=0.2))
    # Along the patient instead, the distance in the plane of tilt is longer.
    found = of(tilted(20, 30), tilted(35, 60))
    assert found.superior == pytest.approx(30, abs=0.1)
    assert found.radial_p95 == pytest.approx(15 / np.cos(TILT), abs=0.1)


def test_a_ball_grown_by_30_mm_along_and_15_mm_across():
    """The outer target is the sum of a ball and an ellipsoid, by their supporting planes."""
    slope = np.radians(np.linspace(-90, 90, 20_001))
    support = np.sqrt((15 * np.cos(slope)) ** 2 + (30 * np.sin(slope)) ** 2)
    radius = 20 * np.cos(slope) + 15**2 * np.cos(slope) / support
    height = 20 * np.sin(slope) + 30**2 * np.sin(slope) / support
    outer = [ph.circle(float(np.interp(z, height, radius)), z) for z in np.arange(-49, 50, 2.0)]
    found = of(ph.sphere(20, 2, -1), outer)
    assert (found.superior, found.inferior) == (pytest.approx(30, abs=1), pytest.approx(30, abs=1))
    assert (found.radial_p5, found.radial_p50) == pytest.approx((15, 15), abs=1)


def test_an_inner_target_that_leaves_the_outer_one_is_told():
    found = of(ph.cylinder(35, 120), ph.cylinder(20, 60))
    assert (found.superior, found.inferior) == (pytest.approx(-30, abs=0.1), pytest.approx(-30, abs=0.1))
    # Half of its length is beyond the ends of the outer one, the other half all around it.
    assert found.doubts == (Doubt("margin.not-within", "100 % of the outline"),)
    assert [one.id for one in of(ph.cylinder(20, 60), ph.cylinder(21, 60, x=4)).doubts] == [
        "margin.not-within"
    ]
    assert [one.id for one in of(ph.cylinder(20, 60), ph.cylinder(35, 54)).doubts] == ["margin.not-within"]
    # A target that is cut at skin or bone touches its inner target and does not leave it.
    assert of(ph.cylinder(20, 60), ph.cylinder(25, 60, x=5)).doubts == ()


def prism(half: float, *heights: float) -> Structure:
    """Squares around the axis of z, of ``half`` to each side."""
    square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    outlines = (np.column_stack([square, np.full(4, z)]) for z in heights)
    return Structure(1, "", None, None, tuple(Contour("CLOSED_PLANAR", one) for one in outlines))


def doubtful(inner: Structure, outer: Structure, *axis) -> list[str]:
    return [one.value for one in margins(inner, outer, *axis).doubts]


def test_half_a_millimetre_outside_is_the_thickness_of_a_line():
    inner = prism(5, *np.arange(0, 31, 3.0))  # from -1.5 to 31.5 mm
    ends = np.arange(0, 31, 2.0)  # from -1 to 31 mm
    assert doubtful(inner, prism(9, *ends)) == []
    for shift in (0.1, -0.1):
        assert doubtful(inner, prism(9, *(ends + shift))) == ["0 % of the outline"]
    assert doubtful(prism(10.5, *ends), prism(10, *ends)) == []
    assert doubtful(prism(10.6, *ends), prism(10, *ends)) == ["100 % of the outline"]


@pytest.mark.parametrize(("planes", "expected"), [(100, ["1 % of the outline"]), (101, [])])
def test_from_one_percent_of_the_outline_it_is_told(planes, expected):
    """The inner target leaves the outer one in one plane."""
    heights = np.arange(planes) * 3.0
    outer = prism(9, *heights)
    narrow = prism(4, heights[50]).contours
    inner = prism(5, *heights)
    outer = replace(outer, contours=(*outer.contours[:50], *narrow, *outer.contours[51:]))
    assert doubtful(inner, outer) == expected


@pytest.mark.parametrize(("along", "measured"), [(0.5, True), (0.499, False)])
def test_planes_may_be_up_to_60_degrees_oblique_to_the_axis(along, measured):
    axis = np.array([np.sqrt(1 - along**2), 0, along])
    heights = np.arange(0, 31, 3.0)
    found = margins(prism(5, *heights), prism(20, *heights), axis)
    assert (found.radial_p50 is not None) is measured
    assert ([one.id for one in found.doubts] == ["margin.planes-differ"]) is not measured


@pytest.mark.parametrize("up", [1, -1])
def test_a_flat_end_is_no_side(up):
    """A plane is left out if its outline is far from that of the plane above it or below it."""
    outer = ph.cylinder(35, 120)

    def stack(*radii: float) -> list[np.ndarray]:
        return [ph.circle(radius, up * 3 * n) for n, radius in enumerate(radii)]

    found = of(stack(20, 8, 8, 8, 8), outer)
    assert (found.radial_p5, found.radial_p95) == pytest.approx((27, 27), abs=0.1)
    found = of(stack(8, 20, 19, 18, 17, 16), outer)
    assert (found.radial_p5, found.radial_p95) == pytest.approx((16, 19), abs=0.1)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"), [(9, 11, (15, 15, 19)), (1, 21, (15, 19, 19)), (17, 1, (15, 15, 15))]
)
def test_the_percentiles_are_of_the_length_of_the_outline(wide, narrow, expected):
    """Planes of radius 20 and 16: 50.6, 5.6 and 95.5 % of the outlines that count lie 15 mm deep."""
    radii = [*[20] * (wide + 1), *[16] * (narrow + 1)]
    body = [ph.circle(radius, 3 * n - 40) for n, radius in enumerate(radii)]
    found = of(body, ph.cylinder(35, 120))
    assert (found.radial_p5, found.radial_p50, found.radial_p95) == pytest.approx(expected, abs=0.1)


def test_a_percentile_is_the_least_value_that_its_share_of_the_weight_reaches():
    """Of 1 to 1,000, in any order; half of the weight may be beyond the outer target."""
    values, even = np.arange(1000.0, 0, -1), np.ones(1000)
    assert _percentiles(values, even, (5, 50, 95)) == [50, 500, 950]
    assert _percentiles(np.array([2.0, -np.inf]), np.array([1.0, 1.0]), (5, 50, 95)) == [None, None, 2]


def test_what_cannot_be_compared():
    empty = of([], ph.cylinder(20, 60))
    assert (empty.superior, empty.radial_p50, empty.doubts) == (None, None, ())
    other = ph.structure(ph.cylinder(35, 120), frame="9.9")
    found = margins(ph.structure(ph.cylinder(20, 60)), other)
    assert (found.superior, [one.id for one in found.doubts]) == (None, ["margin.frame-differs"])
    sagittal = [one[:, [2, 0, 1]] for one in ph.cylinder(35, 120)]
    found = of(ph.cylinder(20, 60), sagittal)
    assert (found.superior, [one.id for one in found.doubts]) == (None, ["margin.planes-differ"])


@pytest.mark.parametrize(("planes", "is_long"), [(13, False), (15, True)])
def test_a_long_bone_is_at_least_twice_as_long_as_wide(planes, is_long):
    """A square bar of 21 mm on planes 3 mm apart: 39 mm are too short, 45 mm are long."""
    axis = limb_axis(prism(10.5, *np.arange(0, 3.0 * planes, 3)))
    assert (axis is not None) is is_long
    if axis is not None:
        assert axis == pytest.approx([0, 0, 1], abs=0.01)


@pytest.mark.parametrize(
    ("inner", "outer", "told"),
    [("9", "9", []), ("9", None, []), (None, "9", []), (None, None, []), ("9", "8", ["differs"])],
)
def test_targets_are_compared_unless_their_frames_differ(inner, outer, told):
    heights = np.arange(0, 31, 3.0)
    one, other = replace(prism(5, *heights), frame=inner), replace(prism(9, *heights), frame=outer)
    assert doubtful(one, other) == told
    assert (margins(one, other).radial_p50 is None) is bool(told)


def test_without_one_of_two_targets_there_is_no_margin():
    nothing, there = Structure(1, "", None, None, ()), prism(5, *np.arange(0, 31, 3.0))
    for pair in ((nothing, there), (there, nothing), (nothing, nothing)):
        assert margins(*pair) == Margins()


def test_the_axis_of_a_long_bone():
    found = limb_axis(ph.structure(tilted(12, 120)))
    assert found is not None
    assert np.degrees(np.arccos(found @ AXIS)) < 1
    assert limb_axis(ph.structure(ph.sphere(20))) is None
    assert limb_axis(ph.structure([])) is None
