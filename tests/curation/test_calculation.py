"""What is asked of each structure of a plan or a course, and what all of them say together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume import calculation, samples
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts, Result
from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.dose_volume.structure_dose import StructureDose, Wanted
from schemas.dicom_geometry import Contour, DoseGrid, DosePart, EmbeddedHistogram, Structure
from schemas.dose_settings import DoseSettings
from schemas.structures_toml import StructureNames

GRID = DoseGrid(
    voxels=np.full((6, 6, 6), 50.0),
    scaling=1.0,
    origin=np.full(3, -50.0),
    row=np.array([1.0, 0, 0]),
    column=np.array([0, 1.0, 0]),
    spacing=(20.0, 20.0),
    offsets=np.arange(0.0, 101.0, 20.0),
    summation="PLAN",
    frame="9",
)
"""50 Gy everywhere from -60 to 60 mm."""


@pytest.fixture(autouse=True)
def _few_points(monkeypatch):
    """Bodies this plain need no more points."""
    monkeypatch.setattr(samples, "SAMPLES", 10_000)


def bar(name: str, half: float = 5, type_: str = "ORGAN", *, x: float = 0.0, length: int = 7) -> Structure:
    """A bar along z with a square cut, on planes 3 mm apart."""
    square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]]) + np.array([x, 0])
    heights = 3.0 * (np.arange(length) - length // 2)
    planes = (np.column_stack([square, np.full(4, z)]) for z in heights)
    contours = tuple(Contour("CLOSED_PLANAR", one) for one in planes)
    return Structure(0, name, type_, "9", contours)


def numbered(*structures: Structure) -> list[Structure]:
    return [replace(one, number=number) for number, one in enumerate(structures, start=1)]


def plan(uid: str = "5.5", grid: DoseGrid | None = GRID, fractions: int | None = 25, **more) -> PlanParts:
    share = more.pop("share", 1.0)
    groups = (PlannedGroup("1", fractions, frozenset({"1"})),)
    parts = [DosePart(f"1.{uid}", grid, (uid,))] if grid else []
    return PlanParts(PlanOfDose(uid, groups, fractions, share), parts, **more)


@dataclass
class Asked:
    """Stands for the measurement: it says what was found before, and remembers what it was asked."""

    found: dict[str, StructureDose] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    grid: DoseGrid | None = None

    def __call__(self, structure: Structure, grid: DoseGrid | None, wanted: Wanted) -> StructureDose:
        self.wanted[structure.name], self.grid = wanted, grid
        return self.found.get(structure.name, StructureDose(10.0))


@pytest.fixture
def asked(monkeypatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(calculation, "measure", made)
    return made


def calculated(structures, *plans: PlanParts, levels=(), own=()) -> Result:
    return calculation.calculate(numbered(*structures), plans or [plan()], levels, DoseSettings(), own)


def told(result: Result) -> list[tuple[str, str, str]]:
    return sorted((one["id"], one["structure"], one["value"]) for one in result.doubts)


def test_bodies_helpers_and_devices_have_no_row(asked):
    other = [bar("BODY", type_="EXTERNAL"), bar("Ring", type_="CONTROL"), bar("Couch", type_="SUPPORT")]
    result = calculated([*other, bar("X1"), bar("PTV", type_="PTV")])
    assert [row["structure"] for row in result.structures] == ["X1", "PTV"]


@pytest.mark.parametrize(
    ("name", "type_", "prescribed", "target", "ratio", "doses"),
    [
        ("PTV", "PTV", 50.0, True, 4.0, (20.0, 40.0, 50.0)),
        ("PTV Boost", "PTV", 66.0, True, 4.0, (20.0, 40.0, 50.0)),
        ("Femur_R", "ORGAN", None, False, 3.0, (20.0, 40.0, 50.0)),
        ("Nerv", "ORGAN", None, False, 2.0, (12.5, 20.0, 40.0, 50.0)),
    ],
)
def test_what_is_asked_of_a_structure(asked, name, type_, prescribed, target, ratio, doses):
    nerve = StructureNames(names=("Nerv",), role="neurovascular", metrics=("V12.5", "V40"), alpha_beta_gy=2.0)
    calculated([bar(name, type_=type_)], levels=(66.0, 60.0, 50.0), own=[nerve])
    wanted = asked.wanted[name]
    assert (wanted.prescribed_gy, wanted.target, wanted.alpha_beta_gy) == (prescribed, target, ratio)
    assert (wanted.volumes_at_gy, wanted.usual_mm) == (doses, 3.0)


def test_without_levels_no_target_has_a_prescribed_dose(asked):
    assert calculated([bar("PTV", type_="PTV")]).structures[0]["prescribed_dose_gy"] is None


@pytest.mark.parametrize(
    ("name", "cc", "is_told"),
    [
        # A PTV has limits by default, 1 and 8000 cm³; the limits themselves are plausible.
        ("PTV", 0.99, True), ("PTV", 1.0, False), ("PTV", 8000.0, False), ("PTV", 8001.0, True),
        ("PTV", None, False), ("PTV Boost", 0.99, True), ("CTV", 0.1, False), ("Femur_R", 0.1, False),
        # Own limits outrank those of a PTV, each for itself.
        ("PTV small", 0.5, False), ("PTV small", 0.4, True), ("PTV small", 8001.0, True),
        ("Nerv", 0.1, False), ("Nerv", 20.0, False), ("Nerv", 20.1, True),
    ],
)  # fmt: skip
def test_a_volume_outside_its_limits_is_told(asked, name, cc, is_told):
    own = [
        StructureNames(names=("Nerv",), role="neurovascular", most_cc=20),
        StructureNames(names=("PTV small",), role="target", tg263="PTV", least_cc=0.5),
    ]
    asked.found[name] = StructureDose(cc)
    type_ = "PTV" if "PTV" in name else name if name == "CTV" else "ORGAN"
    expected = [("structure.volume-implausible", name, f"{cc:.1f} cm³")] if is_told else []
    assert told(calculated([bar(name, type_=type_)], own=own)) == expected


FAR = StructureDose(10.0, d95_gy=70.0, d50_gy=71.0)
DIFFERS = EmbeddedHistogram(((1, "INCLUDED"),), np.array([0.0, 50.0, 60.0]), np.array([9.0, 9.0, 0.0]), "CM3")


def test_of_a_plan_doses_are_compared_with_prescription_and_histogram_and_of_a_sum_they_are_not(asked):
    asked.found = dict.fromkeys(("PTV", "CTV", "Femur_R"), FAR)
    targets = [bar("PTV", type_="PTV"), bar("CTV", type_="CTV"), bar("Femur_R")]
    alone = told(calculated(targets, plan(histograms=[DIFFERS]), levels=(50.0,)))
    assert [one[:2] for one in alone] == [("dose.far-from-prescription", "PTV"), ("dvh.differs", "PTV")]
    both = calculated(targets, plan(histograms=[DIFFERS]), plan("5.6"), levels=(50.0,))
    assert told(both) == []


def test_a_histogram_of_no_structure_is_told_of_a_plan_only(asked):
    nameless = EmbeddedHistogram((), np.array([0.0, 50.0]), np.array([10.0, 0.0]), "CM3")
    one = plan(histograms=[nameless])
    assert told(calculated([bar("X1")], one)) == [("dvh.not-comparable", "", "of no structure: 1")]
    assert told(calculated([bar("X1")], one, plan("5.6"))) == []


def test_of_a_sum_only_what_is_doubtful_about_doses_is_told(asked):
    asked.found["X1"] = StructureDose(
        10.0, doubts=(Doubt("contours.gap", "1"), Doubt("dose.grid-too-small", "1 %"))
    )
    gap, small = ("contours.gap", "X1", "1"), ("dose.grid-too-small", "X1", "1 %")
    assert told(calculated([bar("X1")])) == [gap, small]
    assert told(calculated([bar("X1")], plan(), plan("5.6"))) == [small]


def test_a_distribution_that_cannot_be_placed_is_told_once(asked):
    result = calculated([bar("X1")], plan(unplaced=["too large", "too large", "cut"]))
    assert told(result) == [("dose.file-unreadable", "", "cut"), ("dose.file-unreadable", "", "too large")]


# --- several plans ----------------------------------------------------------------------------------


def test_the_doses_of_plans_are_added_by_their_shares(asked):
    result = calculated([bar("X1")], plan(share=0.4), plan("5.6", fractions=10))
    assert asked.grid is not None
    assert asked.grid.voxels == pytest.approx(70)
    given = asked.wanted["X1"].given
    assert [(one.share, one.fractions) for one in given] == [(0.4, 25), (1.0, 10)]
    # 10 of 25 fractions, and 10.
    assert (result.structures[0]["fractions"], result.structures[0]["dose_kind"]) == (20, "PLAN")


@pytest.mark.parametrize(
    ("plans", "doubt", "fractions"),
    [
        ([plan(), plan("5.6", None)], ("dose.sum-incomplete", "", "1 of 2 plans have a dose"), 50),
        ([plan(grid=None), plan("5.6", None)], None, 50),
        (
            [plan(), plan("5.6", replace(GRID, kind="EFFECTIVE"))],
            ("dose.type-differs", "", "plans: EFFECTIVE, PHYSICAL"), 50,
        ),
        ([plan(), plan("5.6", replace(GRID, frame="8"))], ("dose.frame-differs", "", "2 plans"), 50),
    ],
)  # fmt: skip
def test_plans_whose_doses_cannot_be_added_have_none(asked, plans, doubt, fractions):
    result = calculated([bar("X1")], *plans)
    assert (asked.grid, asked.wanted["X1"].given) == (None, ())
    assert [one for one in told(result) if one[0] != "dose.not-physical"] == ([doubt] if doubt else [])
    assert result.structures[0]["fractions"] == fractions


def test_without_the_fractions_of_one_plan_there_is_a_sum_and_no_eqd2(asked):
    result = calculated([bar("X1")], plan(), plan("5.6", fractions=None))
    assert asked.grid is not None and asked.grid.voxels == pytest.approx(100)
    assert asked.wanted["X1"].given == ()
    assert result.structures[0]["fractions"] is None


# --- targets within each other ----------------------------------------------------------------------

GTV, CTV, PTV = (bar(name, half, name) for name, half in (("GTV", 5), ("CTV", 15), ("PTV", 20)))


def shown(result: Result) -> list[tuple]:
    return [(m["inner"], m["outer"], m["axis"], round(m["radial_p50_mm"])) for m in result.margins]


def test_margins_lie_between_neighbouring_targets_along_the_first_long_bone(asked):
    both = [("GTV", "CTV", "patient", 10), ("CTV", "PTV", "patient", 5)]
    assert shown(calculated([PTV, GTV, CTV])) == both
    assert shown(calculated([GTV, PTV])) == []
    femur, tibia = bar("Femur_R", 2, length=31), bar("Tibia_L", 2, length=31)
    # A hip is no long bone, and a piece of a femur is not long.
    others = [bar("Pelvis", 2, length=31), bar("Femur_L", 40)]
    for bones, axis in (([femur, tibia], "Femur_R"), ([tibia, femur], "Tibia_L"), ([femur], "Femur_R")):
        made = calculated([*others, *bones, GTV, CTV])
        assert shown(made) == [("GTV", "CTV", axis, 10)]
    assert shown(calculated([*others, GTV, CTV])) == [("GTV", "CTV", "patient", 10)]


@pytest.mark.parametrize("more", [bar("CTV", 15, "CTV"), bar("CTV", 10, "CTV", x=1.0)])
def test_targets_of_one_name_have_no_margins(asked, more):
    assert shown(calculated([GTV, CTV, more, PTV])) == []


def test_a_boost_has_no_margins(asked):
    assert shown(calculated([bar("CTV Boost", 15, "CTV"), GTV, PTV])) == []
    high = StructureNames(names=("high",), role="target boost", tg263="CTV")
    assert shown(calculated([bar("high", 12), GTV, CTV], own=[high])) == [("GTV", "CTV", "patient", 10)]


@pytest.mark.parametrize(
    ("gtv", "ctv", "ptv", "doubts"),
    [
        (10.0, 20.0, 30.0, []),
        (20.0, 20.0, 20.0, []),
        (21.0, 20.0, 30.0, [("GTV", "GTV 21.0 cm³, CTV 20.0 cm³")]),
        (10.0, 31.0, 30.0, [("CTV", "CTV 31.0 cm³, PTV 30.0 cm³")]),
        (31.0, None, 30.0, [("GTV", "GTV 31.0 cm³, PTV 30.0 cm³")]),
        (31.0, 20.0, None, [("GTV", "GTV 31.0 cm³, CTV 20.0 cm³")]),
    ],
)
def test_a_target_that_is_larger_than_the_next_is_told(asked, gtv, ctv, ptv, doubts):
    volumes = {"GTV": gtv, "CTV": ctv, "PTV": ptv}
    asked.found = {name: StructureDose(cc) for name, cc in volumes.items()}
    result = calculated([GTV, CTV, PTV])
    assert [one[1:] for one in told(result) if one[0] == "target.order"] == doubts


def test_of_two_targets_of_one_name_or_a_boost_no_order_is_told(asked):
    asked.found = {"GTV": StructureDose(50.0), "CTV": StructureDose(20.0), "CTV b": StructureDose(60.0)}
    two = calculated([GTV, CTV, bar("CTV b", 15, "CTV")])
    assert [one for one in told(two) if one[0] == "target.order"] == []
    asked.found["CTV Boost"] = StructureDose(1.0)
    boost = calculated([GTV, bar("CTV Boost", 5, "CTV")])
    assert [one for one in told(boost) if one[0] == "target.order"] == []
