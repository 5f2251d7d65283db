"""Volumes and doses of phantoms against their closed forms, on grids of every orientation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import brentq

from sarcoma_pipeline.curation.dose_volume.dose_at import dose_at
from sarcoma_pipeline.curation.dose_volume.doubts import MEANINGS
from sarcoma_pipeline.curation.dose_volume.planes import usual_distance
from sarcoma_pipeline.curation.dose_volume.structure_dose import Wanted, measure
from schemas.dicom_geometry import Contour, Structure
from tests.curation import rt_phantoms as ph

# Share of a body below a place on an axis through its middle, by pencil.


def below_in_disc(radius: float) -> Callable[[float], float]:
    """Share of a disc left of x: circular segments."""

    def share(x: float) -> float:
        t = np.clip(x / radius, -1, 1)
        return float(0.5 + (t * np.sqrt(1 - t * t) + np.arcsin(t)) / np.pi)

    return share


def below_in_ball(radius: float) -> Callable[[float], float]:
    """Share of a ball below z: spherical caps."""

    def share(z: float) -> float:
        t = np.clip(z / radius, -1, 1)
        return float((2 + 3 * t - t**3) / 4)

    return share


def below_in_bar(half: float) -> Callable[[float], float]:
    """Share of a cylinder below z, along its own axis."""
    return lambda z: float(np.clip((z + half) / (2 * half), 0, 1))


def below_in_ring(outer: float, inner: float) -> Callable[[float], float]:
    """Share of a ring left of x."""
    whole, hole = below_in_disc(outer), below_in_disc(inner)
    return lambda x: (outer**2 * whole(x) - inner**2 * hole(x)) / (outer**2 - inner**2)


def below_in_two_discs(radius: float, apart: float) -> Callable[[float], float]:
    """Share of two discs left of x, whose middles are ``apart`` from the middle."""
    one = below_in_disc(radius)
    return lambda x: (one(x - apart) + one(x + apart)) / 2


def dose_to(percent: float, share: Callable[[float], float]) -> float:
    """The dose of 40 Gy + 0.5 Gy/mm that the hottest ``percent`` of a body gets."""
    return 40 + 0.5 * brentq(lambda place: share(place) - (1 - percent / 100), -59, 59)  # pyright: ignore


DISC, PI = below_in_disc, np.pi
BODIES = {
    # name: contours, volume in cm³, share left of x, share below z, greatest x and z
    "ball": (ph.sphere(20), 32 / 3 * PI, below_in_ball(20), below_in_ball(20), 20, 20),
    "ball between": (ph.sphere(20, 3, -18.5), 32 / 3 * PI, below_in_ball(20), below_in_ball(20), 20, 20),
    "bar": (ph.cylinder(20, 60), 24 * PI, DISC(20), below_in_bar(30), 20, 30),
    "hole": (ph.tube(20, 10, 60), 18 * PI, below_in_ring(20, 10), below_in_bar(30), 20, 30),
    "keyhole": (ph.keyhole(20, 10, 60), 18 * PI, below_in_ring(20, 10), below_in_bar(30), 20, 30),
    "skin": (ph.tube(30, 25, 60), 16.5 * PI, below_in_ring(30, 25), below_in_bar(30), 30, 30),
    "two parts": (
        ph.cylinder(10, 30, x=-15) + [one[::-1] for one in ph.cylinder(10, 30, x=15)],
        6 * PI, below_in_two_discs(10, 15), below_in_bar(15), 25, 15,
    ),
    "thin": (ph.cylinder(0.9, 7, 1), 0.81 * 7 * PI / 1000, DISC(0.9), below_in_bar(3.5), 0.9, 3.5),
}  # fmt: skip

DRAWN = {name: ph.structure(body[0]) for name, body in BODIES.items()}

COS, SIN = np.cos(np.radians(20)), np.sin(np.radians(20))
TURNED = (COS, SIN, 0, -SIN, COS, 0)
TILTED = (COS, 0, -SIN, 0, 1, 0)


def corner(directions: tuple[float, ...]) -> tuple[float, float, float]:
    """The first voxel of a cube of 120 mm around the origin."""
    row, column = np.array(directions[:3]), np.array(directions[3:])
    x, y, z = -60 * (row + column + np.cross(row, column))
    return x, y, z


GRIDS: dict[str, dict] = {
    "plain": {},
    "shifted": {"first": (-58.9, -58.9, -58.9)},
    "16 bits": {"bits": 16},
    "absolute": {"absolute": True},
    "anisotropic": {"apart": (5, 2, 3), "count": (25, 61, 41)},
    "head first prone": {"first": (60, 60, -60), "directions": (-1, 0, 0, 0, -1, 0)},
    "feet first": {"first": (60, -60, 60), "directions": (-1, 0, 0, 0, 1, 0)},
    "feet first, absolute": {"first": (60, -60, 60), "directions": (-1, 0, 0, 0, 1, 0), "absolute": True},
    "negative offsets": {"first": (-60, -60, 60), "offsets": -2.5 * np.arange(49)},
    "negative absolute offsets": {"first": (-60, -60, 60), "offsets": -2.5 * np.arange(49), "absolute": True},
    "uneven offsets": {"offsets": np.sort(np.r_[2.5 * np.arange(49), 40.3]), "count": (50, 49, 49)},
    "sagittal": {"first": (60, -60, 60), "directions": (0, 1, 0, 0, 0, -1)},
    "coronal": {"first": (-60, -60, 60), "directions": (1, 0, 0, 0, 0, -1)},
    "oblique": {"first": corner(TURNED), "directions": TURNED},
    "tilted": {"first": corner(TILTED), "directions": TILTED},
    "implicit": {"syntax": ImplicitVRLittleEndian},
}


def close(found: float | None, expected: float) -> bool:
    """Whether a dose is right to 0.1 Gy or 0.5 %."""
    return found is not None and abs(found - expected) <= max(0.1, 0.005 * expected)


QUICK = ("absolute", "oblique")


@pytest.fixture(
    scope="module",
    params=[one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in GRIDS],
)
def grids(request):
    how = GRIDS[request.param]
    return [ph.dose(ph.rising(axis), **how) for axis in (0, 2)]


def test_the_doses_of_every_body_on_every_grid(grids):
    for name, (_, volume, left, under, x, z) in BODIES.items():
        drawn = DRAWN[name]
        for grid, share, end in ((grids[0], left, x), (grids[1], under, z)):
            found = measure(drawn, grid, Wanted(prescribed_gy=40, volumes_at_gy=(36, 43), target=True))
            assert found.volume_cc == pytest.approx(volume, rel=0.005), name
            for percent, value in (
                (98, found.d98_gy), (95, found.d95_gy), (50, found.d50_gy), (2, found.d2_gy),
            ):  # fmt: skip
                assert close(value, dose_to(percent, share)), (name, percent, value)
            assert found.mean_gy == pytest.approx(40, abs=0.03), name
            # The outermost half of a slab can be cut off or added: 0.75 mm of a ball.
            assert found.max_gy == pytest.approx(40 + end / 2, abs=0.51 if "ball" in name else 0.02), name
            assert found.v95_percent == pytest.approx(100 * (1 - share(-4)), abs=0.3), name
            assert found.volumes_percent[36] == pytest.approx(100 * (1 - share(-8)), abs=0.3), name
            assert found.volumes_percent[43] == pytest.approx(100 * (1 - share(6)), abs=0.3), name
            expected = (dose_to(2, share) - dose_to(98, share)) / dose_to(50, share)
            assert found.homogeneity == pytest.approx(expected, abs=0.005), name
            assert found.covered_percent == pytest.approx(100), name
            assert [one.id for one in found.doubts] == ["dose.isodose-cut"], name


@pytest.mark.parametrize("level, expected", [(40, 1.0), (50, 1 / 8), (30, 8 / 27)])
def test_the_index_of_paddick_of_concentric_balls(level, expected):
    """The dose falls by 1 Gy per mm from 60 Gy: the isodose of d Gy is a ball of radius 60 - d."""
    grid = ph.dose(
        lambda x, y, z: 60 - np.sqrt(x**2 + y**2 + z**2),
        first=(-42, -42, -42),
        apart=(1, 1, 1),
        count=(85,) * 3,
    )
    drawn = ph.structure(ph.sphere(20, 1))
    found = measure(drawn, grid, Wanted(prescribed_gy=level, target=True))
    assert found.conformity == pytest.approx(expected, rel=0.02)
    half = measure(drawn, grid, Wanted(prescribed_gy=2 * level, target=True, isodose=0.5))
    assert half.conformity == pytest.approx(found.conformity)
    assert measure(drawn, grid, Wanted(prescribed_gy=level)).conformity is None
    assert measure(drawn, grid, Wanted(target=True)).conformity is None
    cold = measure(drawn, grid, Wanted(prescribed_gy=90, target=True))
    assert (cold.conformity, cold.v95_percent) == (None, 0)


GRID = ph.dose(ph.rising(2))


def doubts(contours, grid=GRID, **how) -> dict[str, str]:
    wanted = how.pop("wanted", Wanted())
    found = measure(ph.structure(contours, **how), grid, wanted)
    assert all(one.id in MEANINGS for one in found.doubts)
    return {one.id: one.value for one in found.doubts}


def test_metrics_say_what_is_wanted():
    assert Wanted.of(("mean", "V40", "V12.5", "max")) == Wanted(volumes_at_gy=(12.5, 40))
    assert Wanted.of(("HI", "V95%"), 50, 3) == Wanted(prescribed_gy=50, target=True, usual_mm=3)


def test_too_few_planes_are_told():
    assert doubts(ph.cylinder(10, 3)) == {"contours.few-planes": "1"}
    assert doubts(ph.cylinder(10, 6)) == {"contours.few-planes": "2"}
    assert doubts(ph.cylinder(10, 9)) == {"contours.coarse": "3"}
    assert doubts(ph.cylinder(10, 18)) == {"contours.coarse": "6"}
    assert doubts(ph.cylinder(10, 21)) == {}


def test_one_plane_has_the_thickness_of_its_structure_set_or_none():
    one = ph.structure(ph.cylinder(10, 3))
    assert measure(one, GRID).volume_cc is None
    assert measure(one, GRID, Wanted(usual_mm=3)).volume_cc == pytest.approx(0.3 * PI, rel=0.005)
    others = ph.structure_set([("a", "", ph.cylinder(9, 30, 3)), ("b", "", ph.sphere(9, 3)), ("c", "", [])])
    assert usual_distance(others) == pytest.approx(3)
    assert usual_distance([one]) is None


@pytest.mark.parametrize("radius, apart, planes", [(5, 3, 3), (3, 1, 5)])
def test_a_small_ball_is_right_to_3_percent_and_told(radius, apart, planes):
    found = measure(ph.structure(ph.sphere(radius, apart)), GRID)
    assert found.volume_cc == pytest.approx(4 / 3 * PI * radius**3 / 1000, rel=0.03)
    assert [(one.id, one.value) for one in found.doubts] == [("contours.coarse", str(planes))]


def test_a_missing_plane_is_bridged_and_a_gap_is_not():
    bar = ph.cylinder(20, 60)
    skipped = [one for i, one in enumerate(bar) if i != 9]
    found = measure(ph.structure(skipped), GRID)
    assert found.volume_cc == pytest.approx(24 * PI, rel=0.005)
    assert {one.id: one.value for one in found.doubts} == {"contours.gap": "1; the widest has 6.0 mm"}
    cut = [one for one in bar if abs(one[0, 2]) > 9]
    found = measure(ph.structure(cut), GRID)
    # Two parts of 21 mm.
    assert found.volume_cc == pytest.approx(2 * 8.4 * PI, rel=0.005)
    assert {one.id: one.value for one in found.doubts} == {"contours.gap": "1; the widest has 21.0 mm"}
    # Every second slice drawn is no gap.
    assert doubts(ph.cylinder(20, 60, 6)) == {}


def test_a_structure_that_the_grid_does_not_cover_has_no_dose():
    part = ph.dose(ph.rising(2), count=(25, 49, 49))  # z from -60 to 0
    found = measure(ph.structure(ph.cylinder(20, 60)), part, Wanted(prescribed_gy=40, target=True))
    # A voxel reaches 1.25 mm beyond its centre: 31.25 of 60 mm.
    assert found.covered_percent == pytest.approx(100 * 31.25 / 60, abs=0.1)
    assert (found.d98_gy, found.mean_gy, found.max_gy, found.v95_percent) == (None,) * 4
    assert [one.id for one in found.doubts] == ["dose.grid-too-small"]
    assert found.volume_cc == pytest.approx(24 * PI, rel=0.005)
    outside = doubts(ph.cylinder(10, 30, z=200))
    assert outside == {"dose.grid-too-small": "0.0 %"}


@pytest.mark.parametrize(
    ("frames", "known"),
    [
        # One frame has no thickness of its own: a millimetre. Others reach half of their distance beyond.
        (1, [False, True, True, False, False, False]),
        (2, [False, True, True, True, True, False]),
    ],
)
def test_how_far_the_outer_frames_reach(frames, known):
    grid = ph.dose(ph.rising(2), first=(-60, -60, 0), count=(frames, 49, 49))  # frames at 0 and 2.5 mm
    doses = dose_at(grid, np.array([[0.0, 0.0, z] for z in (-1.3, -0.4, 0.4, 1.3, 3.7, 3.8)]))
    assert (~np.isnan(doses)).tolist() == known


def test_a_grid_that_covers_99_percent_is_enough():
    """A bar of 60 mm of which 0.5 mm lies outside: 99.2 %."""
    grid = ph.dose(ph.rising(2), first=(-60, -60, -60.75), count=(37, 49, 49))  # ends at 29.25 + 1.25 mm
    assert doubts(ph.cylinder(20, 60, z=1), grid) == {}
    assert "dose.grid-too-small" in doubts(ph.cylinder(20, 60, z=1.2), grid)


@pytest.mark.parametrize(
    "attributes, doubt",
    [
        ({"DoseUnits": "RELATIVE"}, {"dose.units": "RELATIVE"}),
        ({"DoseUnits": None}, {"dose.units": "missing"}),
        ({"DoseType": "ERROR"}, {"dose.not-a-dose": "ERROR"}),
        ({"DoseType": "EFFECTIVE"}, {}),
        ({"FrameOfReferenceUID": "9.9"}, {"dose.frame-differs": "differs"}),
        ({"FrameOfReferenceUID": None}, {"dose.frame-unknown": "dose"}),
    ],
)
def test_what_the_grid_says_about_itself(attributes, doubt):
    grid = ph.dose(ph.rising(2), **attributes)
    bar = ph.structure(ph.cylinder(20, 60))
    found = measure(bar, grid)
    assert {one.id: one.value for one in found.doubts} == doubt
    assert found.volume_cc == measure(bar, GRID).volume_cc, "the volume is that of the contours"
    hindered = {"dose.units", "dose.not-a-dose", "dose.frame-differs"} & set(doubt)
    assert (found.d50_gy is None) is bool(hindered)


def test_a_structure_without_its_frame_is_told():
    assert doubts(ph.cylinder(20, 60), frame=None) == {"dose.frame-unknown": "structure"}


def test_without_a_grid_there_is_a_volume():
    bar = ph.cylinder(20, 60)
    found = measure(ph.structure(bar), None)
    assert (found.d50_gy, found.doubts) == (None, ())
    # Nor is the volume another one if the dose does not cover the bar, or covers it and cannot be used.
    grids = (None, GRID, ph.dose(ph.rising(2), count=(25, 49, 49)), ph.dose(ph.rising(2), DoseUnits=None))
    volumes = [measure(ph.structure(bar), grid).volume_cc for grid in grids]
    assert volumes == pytest.approx([24 * PI] * 4, rel=1e-4)


def test_a_structure_without_area_is_told():
    assert doubts([]) == {"contours.absent": "0"}
    assert doubts([np.zeros((1, 3))], kind="POINT") == {"contours.points-only": "1"}
    assert doubts(ph.cylinder(20, 60), kind="OPEN_PLANAR") == {"contours.points-only": "20"}
    # Three points are an outline, unless they lie on one line.
    assert "contours.unreadable" not in doubts(
        [np.array([[0, 0, z], [9, 0, z], [0, 9, z]]) for z in (0.0, 3, 6)]
    )
    line = np.array([[0, 0, 0], [1, 1, 0], [2, 2, 0.0]])
    assert doubts([line]) == {"contours.unreadable": "1"}


def test_contours_with_wrong_numbers_are_left_out_and_told():
    bar = ph.structure(ph.cylinder(20, 60))
    broken = np.array([[np.nan, 0, 0], [1, 0, 0], [0, 1, 0]])
    more = (*bar.contours, Contour("CLOSED_PLANAR", broken), Contour("CLOSED_PLANAR", broken[1:]))
    found = measure(Structure(1, "a", None, ph.FRAME, more, 1), GRID)
    assert {one.id: one.value for one in found.doubts} == {"contours.unreadable": "3"}
    assert found.volume_cc == pytest.approx(24 * PI, rel=0.005)


def test_a_contour_that_stands_twice_counts_once():
    bar = ph.cylinder(20, 60)
    turned = np.roll(bar[3], 40, axis=0)[::-1]
    found = measure(ph.structure([*bar, turned]), GRID)
    assert found.volume_cc == pytest.approx(24 * PI, rel=0.005)
    assert [one.id for one in found.doubts] == ["contours.repeated"]


def test_contours_that_overlap_in_part_are_told_and_neighbours_are_not():
    both = ph.cylinder(10, 30, x=-8) + ph.cylinder(10, 30, x=8)
    assert doubts(both) == {"contours.overlap": "10"}
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])
    beside = [
        np.column_stack([square + np.array([x, 0]), np.full(4, z)])
        for z in ph.levels(30, 3)
        for x in (0.0, 10.0)
    ]
    assert doubts(beside) == {}


def test_planes_of_any_direction_that_are_parallel():
    turn = np.array([[COS, 0, SIN], [0, 1, 0], [-SIN, 0, COS]])
    tilted = [one @ turn.T for one in ph.cylinder(20, 60)]
    found = measure(ph.structure(tilted), GRID)
    assert found.volume_cc == pytest.approx(24 * PI, rel=0.005)
    assert found.doubts == ()
    sagittal = [one[:, [2, 0, 1]] for one in ph.cylinder(20, 60)]  # its axis is x
    across = measure(ph.structure(sagittal), GRID)
    assert across.volume_cc == pytest.approx(24 * PI, rel=0.005)
    assert close(across.d98_gy, dose_to(98, DISC(20)))
    for way in (1, -1):
        crossed = doubts([one[::way] for one in (*tilted, *ph.cylinder(20, 60))])
        assert crossed == {"contours.not-parallel": "40"}
    bent = ph.cylinder(20, 60)
    bent[4][:60, 2] += 1
    assert doubts(bent) == {"contours.not-planar": "1"}


def test_order_and_direction_of_contours_do_not_matter():
    contours = ph.tube(20, 10, 60)
    shuffled = [
        np.roll(contours[i], 7 * i, axis=0)[:: -1 if i % 2 else 1]
        for i in np.random.default_rng(1).permutation(len(contours))
    ]
    wanted = Wanted(prescribed_gy=40, volumes_at_gy=(36,))
    grid = ph.dose(ph.rising(0))
    assert measure(ph.structure(contours), grid, wanted) == measure(ph.structure(shuffled), grid, wanted)


def test_a_second_computation_agrees():
    """Random points, a crossing test of their own and scipy's interpolator give the same."""

    def field(x, y, z):
        return 50 * np.exp(-(((x - 8) / 22) ** 2) - ((y + 5) / 30) ** 2 - (z / 35) ** 2)

    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    contours = []
    for z in ph.levels(45, 3):
        radius = 18 + 6 * np.sin(3 * angles + z / 10) - 0.2 * abs(z)
        star = np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.full(90, z)])
        contours += [star, ph.circle(5, z, x=3)]
    grid = ph.dose(field)
    found = measure(ph.structure(contours), grid, Wanted(volumes_at_gy=(30,)))

    random = np.random.default_rng(20)
    points = random.uniform([-26, -26, -22.5], [26, 26, 22.5], (400_000, 3))
    slab = np.floor((points[:, 2] + 22.5) / 3).astype(int)
    inside = np.zeros(len(points), bool)
    for number in range(15):
        here = np.flatnonzero(slab == number)
        for outline in (contours[2 * number], contours[2 * number + 1]):
            for (x0, y0), (x1, y1) in zip(outline[:, :2], np.roll(outline[:, :2], -1, axis=0), strict=True):
                x, y = points[here, 0], points[here, 1]
                crossed = (y0 <= y) != (y1 <= y)
                with np.errstate(divide="ignore", invalid="ignore"):
                    inside[here] ^= crossed & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    axis = -60 + 2.5 * np.arange(49)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    doses = RegularGridInterpolator((axis, axis, axis), field(x, y, z))(points[inside])
    assert found.volume_cc == pytest.approx(52 * 52 * 45 * inside.mean() / 1000, rel=0.005)
    assert found.mean_gy == pytest.approx(doses.mean(), abs=0.1)
    for value, quantile in ((found.d98_gy, 2), (found.d50_gy, 50), (found.d2_gy, 98)):
        assert close(value, float(np.percentile(doses, quantile)))
    assert found.volumes_percent[30] == pytest.approx(100 * (doses >= 30).mean(), abs=0.4)
