"""Doses of one structure by pencil: a bar of 10 × 10 × 30 mm in a dose that rises along it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume import samples
from sarcoma_pipeline.curation.dose_volume.structure_dose import Given, StructureDose, Wanted, measure
from schemas.dicom_geometry import Contour, DoseGrid, Structure

SQUARE = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5.0]])
HEIGHTS = np.arange(-13.5, 14, 3)
GRID = DoseGrid(
    voxels=np.repeat(40 + 0.5 * np.arange(-20.0, 21, 2), 25).reshape(21, 5, 5),
    scaling=1.0,
    origin=np.array([-8.0, -8, -20]),
    row=np.array([1.0, 0, 0]),
    column=np.array([0, 1.0, 0]),
    spacing=(4.0, 4.0),
    offsets=np.arange(0.0, 41, 2),
    frame="9",
)
"""40 Gy in the middle, 0.5 Gy more with every millimetre: from 32.5 to 47.5 Gy in the bar."""


@pytest.fixture(autouse=True)
def _few_points(monkeypatch):
    """A body this plain needs no more points."""
    monkeypatch.setattr(samples, "SAMPLES", 10_000)


def bar(outline: np.ndarray = SQUARE, frame: str | None = "9") -> Structure:
    planes = (np.column_stack([outline, np.full(len(outline), z)]) for z in HEIGHTS)
    return Structure(1, "bar", "PTV", frame, tuple(Contour("CLOSED_PLANAR", one) for one in planes))


def ids(found: StructureDose) -> dict[str, str]:
    return {one.id: one.value for one in found.doubts}


def test_the_doses_of_the_bar():
    found = measure(bar(), GRID, Wanted(40.0, (35.0, 45.0), target=True))
    assert found.volume_cc == pytest.approx(3.0, rel=1e-3)
    doses = (found.d98_gy, found.d95_gy, found.d50_gy, found.d2_gy, found.mean_gy, found.max_gy)
    # 15 Gy over the length: 2 % are 0.3 Gy, 5 % are 0.75 Gy.
    assert doses == pytest.approx((32.8, 33.25, 40, 47.2, 40, 47.5), abs=0.05)
    assert found.homogeneity == pytest.approx((47.2 - 32.8) / 40, abs=3e-3)
    # 38 Gy is 95 % of the prescribed dose; above it lie 9.5 of 15 Gy.
    assert found.v95_percent == pytest.approx(100 * 9.5 / 15, abs=0.3)
    assert found.volumes_percent == pytest.approx({35: 100 * 12.5 / 15, 45: 100 * 2.5 / 15}, abs=0.3)
    assert (found.eqd2_mean_gy, found.eqd2_d50_gy, found.eqd2_d2_gy) == (None, None, None)


@pytest.mark.parametrize(
    ("given", "ratio", "mean", "median", "hottest"),
    [
        # 2 Gy a fraction in the middle: D (D / 20 + 3) / 5 of 40 and of 47.2 Gy; the mean of D² is
        # 1600 + 15² / 12.
        ([(1.0, 20)], 3.0, (1618.75 / 20 + 120) / 5, 40.0, 47.2 * (47.2 / 20 + 3) / 5),
        ([(1.0, 20)], 10.0, (1618.75 / 20 + 400) / 12, 40.0, 47.2 * (47.2 / 20 + 10) / 12),
        # Half of the fractions of 4 Gy: as many Gy a fraction, half of the effect.
        ([(0.5, 10)], 3.0, (1618.75 / 10 + 120) / 10, 28.0, 47.2 * (47.2 / 10 + 3) / 10),
        (
            [(1.0, 20), (0.5, 10)], 3.0, (1618.75 / 20 + 120) / 5 + (1618.75 / 10 + 120) / 10, 68.0,
            47.2 * (47.2 / 20 + 3) / 5 + 47.2 * (47.2 / 10 + 3) / 10,
        ),
    ],
)  # fmt: skip
def test_the_dose_in_fractions_of_2_gy_of_equal_effect(given, ratio, mean, median, hottest):
    plans = tuple(Given(GRID, share, fractions) for share, fractions in given)
    found = measure(bar(), GRID, Wanted(alpha_beta_gy=ratio, given=plans))
    assert found.eqd2_mean_gy == pytest.approx(mean, abs=0.05)
    assert found.eqd2_d50_gy == pytest.approx(median, abs=0.05)
    assert found.eqd2_d2_gy == pytest.approx(hottest, abs=0.05)


def test_homogeneity_and_conformity_are_those_of_targets_only():
    plain = measure(bar(), GRID, Wanted(40.0))
    assert (plain.homogeneity, plain.conformity) == (None, None)
    cold = replace(GRID, scaling=0.0)
    found = measure(bar(), cold, Wanted(40.0, target=True))
    assert (found.d50_gy, found.homogeneity, found.conformity, found.v95_percent) == (0, None, None, 0)
    assert measure(bar(), GRID, Wanted(None, target=True)).v95_percent is None


@pytest.mark.parametrize(
    ("changes", "frame", "told", "has_dose"),
    [
        ({"units": " gy "}, "9", {}, True),
        ({"units": "RELATIVE"}, "9", {"dose.units": "RELATIVE"}, False),
        ({"kind": " error "}, "9", {"dose.not-a-dose": "ERROR"}, False),
        ({"kind": None}, "9", {}, True),
        ({"frame": None}, "9", {"dose.frame-unknown": "dose"}, True),
        ({}, None, {"dose.frame-unknown": "structure"}, True),
        ({"frame": None}, None, {"dose.frame-unknown": "structure"}, True),
        ({}, "8", {"dose.frame-differs": "differs"}, False),
        ({"units": None}, "8", {"dose.units": "missing", "dose.frame-differs": "differs"}, False),
    ],
)
def test_what_hinders_a_dose_and_what_makes_it_doubtful(changes, frame, told, has_dose):
    found = measure(bar(frame=frame), replace(GRID, **changes))
    assert ids(found) == told
    assert (found.mean_gy is not None) is has_dose
    assert found.volume_cc == pytest.approx(3.0, rel=1e-3)


def test_contours_that_enclose_nothing_have_no_volume():
    """Each goes twice around the same square: by the even-odd rule nothing is inside."""
    found = measure(bar(np.vstack([SQUARE, SQUARE])), GRID)
    assert (found.volume_cc, found.mean_gy) == (None, None)
    assert ids(found) == {"contours.self-crossing": "10"}


def test_half_of_the_bar_has_its_own_doses():
    half = replace(bar(), contours=bar().contours[:5])
    found = measure(half, GRID)
    # Five planes: from -15 to 0 mm.
    assert (found.mean_gy, found.max_gy) == pytest.approx((36.25, 40), abs=0.05)
    assert ids(found) == {"contours.coarse": "5"}
