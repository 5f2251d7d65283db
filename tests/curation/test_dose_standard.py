"""What DICOM PS3.3 allows or forbids of doses and contours: a right number, or a finding and none."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from sarcoma_pipeline.curation.dose_volume import calculation
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.dose_volume.structure_dose import measure
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_grid, dicom_dose_parts
from sarcoma_pipeline.sources.dicom_dose_grid import NoGrid
from schemas.dicom_geometry import DosePart, EmbeddedHistogram, Structure
from schemas.dose_settings import DoseSettings
from tests.curation import rt_phantoms as ph

SMALL = {"apart": (5.0, 5.0, 5.0), "count": (25, 25, 25)}
RIGHT = pytest.approx((25.6, 40, 54.4), abs=0.1)
"""D98, D50, D2 of 40 Gy that rises by 0.5 Gy per mm along 60 mm."""
BAR = ph.cylinder(20, 60)


def structure(contours, name: str = "PTV") -> list[Structure]:
    return ph.structure_set([(name, "PTV", contours)])


@cache
def bar() -> tuple[Structure, ...]:
    return tuple(structure(BAR))


def part(
    base: float = 40, slope: float = 0.5, uid: str = "1.1", beam: str = "", plans=("5.5",), **how
) -> DosePart:
    refers = []
    for one in plans:
        item = Dataset()
        item.ReferencedSOPInstanceUID = one
        if beam:
            group, of = Dataset(), Dataset()
            group.ReferencedFractionGroupNumber, of.ReferencedBeamNumber = "1", beam
            group.ReferencedBeamSequence, item.ReferencedFractionGroupSequence = [of], [group]
        refers.append(item)
    data = ph.dose_object(
        lambda x, y, z: base + slope * z,
        **{**SMALL, "SOPInstanceUID": uid, "ReferencedRTPlanSequence": refers, **how},
    )
    return dicom_dose_parts.part(data)


def computed(*parts: DosePart, structures=None) -> tuple[dict, dict[str, str]]:
    """The row of the PTV, and what is doubtful; the isodose of its slanted dose always leaves the grid."""
    groups = (PlannedGroup("1", 25, frozenset({"1", "2"})),)
    plan = PlanParts(PlanOfDose("5.5", groups, 25), parts)
    result = calculation.calculate(structures or bar(), [plan], (40.0,), DoseSettings())
    rows = result.structures or [{}]
    return rows[0], {one["id"]: one["value"] for one in result.doubts if one["id"] != "dose.isodose-cut"}


def is_right(row: dict) -> bool:
    return (row["d98_gy"], row["d50_gy"], row["d2_gy"]) == RIGHT


# --- the grid ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [16, 32])
def test_big_endian_pixels_are_swapped(bits):
    data = ph.dose_object(ph.rising(2), bits=bits, **SMALL)
    data.PixelData = np.frombuffer(data.PixelData, f"<u{bits // 8}").astype(f">u{bits // 8}").tobytes()
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    stream = io.BytesIO()
    dcmwrite(stream, data, implicit_vr=False, little_endian=False, force_encoding=True)
    found = measure(bar()[0], dicom_dose_grid.grid(dcmread(io.BytesIO(stream.getvalue()))))
    assert (found.d98_gy, found.d50_gy, found.d2_gy) == RIGHT


def test_pixels_compressed_without_loss_are_read_and_with_loss_are_not():
    data = ph.dose_object(ph.rising(2), bits=16, **SMALL)
    data.compress(RLELossless)
    found = measure(bar()[0], dicom_dose_grid.grid(data))
    assert (found.d98_gy, found.d50_gy, found.d2_gy) == RIGHT
    with pytest.raises(NoGrid, match="loss"):
        part(LossyImageCompression="01")


def test_the_sign_of_pixels_belongs_to_errors_of_doses_only():
    """16 bits with a sign turn the doses above half of the scale negative."""
    with pytest.raises(NoGrid, match="negative"):
        part(bits=16, PixelRepresentation=1)


@pytest.mark.parametrize("frames", [24, 12])
def test_more_pixels_than_announced_are_no_dose(frames):
    with pytest.raises(NoGrid, match="as many"):
        part(NumberOfFrames=frames, GridFrameOffsetVector=[5.0 * i for i in range(frames)])


def test_frames_that_are_missing_are_told():
    there = [i for i in range(25) if i not in (11, 12, 13)]
    whole = ph.dose_object(ph.rising(2), **SMALL)
    pixels = whole.pixel_array[there].tobytes()
    row, told = computed(
        part(NumberOfFrames=22, GridFrameOffsetVector=[5.0 * i for i in there], PixelData=pixels)
    )
    assert told == {"dose.frames-missing": "1 of 1"}
    assert is_right(row)


# --- what the distribution is -----------------------------------------------------------------------


def test_the_error_of_a_dose_is_never_part_of_a_sum():
    beams = [part(10, 0.1, "1", "1", DoseSummationType="BEAM")]
    error = part(30, 0.4, "2", "2", DoseSummationType="BEAM", DoseType="ERROR")
    row, told = computed(*beams, error)
    assert row["mean_gy"] is None
    assert set(told) == {"dose.not-a-dose", "dose.sum-incomplete"}
    row, told = computed(part(), part(1, 0, "9", DoseType="ERROR"))
    assert is_right(row)
    assert set(told) == {"dose.not-a-dose"}


def test_effective_and_physical_doses_are_not_added():
    beams = [part(10, 0.1, "1", "1", DoseSummationType="BEAM"),
             part(30, 0.4, "2", "2", DoseSummationType="BEAM", DoseType="EFFECTIVE")]  # fmt: skip
    row, told = computed(*beams)
    assert row["mean_gy"] is None
    assert told == {"dose.type-differs": "BEAM: EFFECTIVE, PHYSICAL"}
    row, told = computed(part(DoseType="EFFECTIVE"))
    assert is_right(row)
    assert set(told) == {"dose.not-physical"}


@pytest.mark.parametrize("kind", ["MULTI_PLAN", "CONTROL_POINT", "RECORD", "PLAN_OVERVIEW", "BRACHY"])
def test_a_dose_of_more_or_less_than_the_plan_is_none(kind):
    row, told = computed(part(DoseSummationType=kind))
    assert row["mean_gy"] is None
    assert told == {"dose.sum-incomplete": kind}


def test_a_dose_of_a_plan_that_refers_to_two_plans_is_none():
    row, told = computed(part(plans=("5.5", "5.6")))
    assert row["mean_gy"] is None
    assert set(told) == {"dose.sum-ambiguous"}


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("dose.in-water", {"TissueHeterogeneityCorrection": "WATER"}),
        ("dose.in-water", {"TissueHeterogeneityCorrection": ["IMAGE", "WATER"]}),
        ("dose.transformed", {"SpatialTransformOfDose": "NON_RIGID"}),
    ],
)
def test_how_a_dose_was_computed_is_told(rule, how):
    row, told = computed(part(**how))
    assert is_right(row)
    assert set(told) == {rule}
    assert computed(part(TissueHeterogeneityCorrection="IMAGE", SpatialTransformOfDose="NONE"))[1] == {}


def test_a_course_of_which_one_plan_has_no_dose_is_told():
    plans = [
        PlanParts(PlanOfDose(uid, (PlannedGroup("1", 25, frozenset({"1"})),), 25), parts)
        for uid, parts in (("5.5", [part()]), ("5.6", []))
    ]
    result = calculation.calculate(bar(), plans, (40.0,), DoseSettings())
    assert result.structures[0]["mean_gy"] is None
    assert [(one["id"], one["value"]) for one in result.doubts] == [
        ("dose.sum-incomplete", "1 of 2 plans have a dose")
    ]


def two_plans(structures, names=("5.5", "5.6")) -> calculation.Result:
    plans = [
        PlanParts(PlanOfDose(uid, (PlannedGroup("1", 25, frozenset({"1"})),), 25), [part(20, 0, plans=[uid])])
        for uid in names
    ]
    return calculation.calculate(structures, plans, (40.0,), DoseSettings())


def test_what_contours_lack_is_told_with_one_plan_and_not_again_with_their_sum():
    lacking = structure(ph.cylinder(20, 21, z=-30) + ph.cylinder(20, 21, z=30))
    assert [two_plans(lacking, names).structures[0]["mean_gy"] for names in (["5.5"], ["5.5", "5.6"])] == [
        pytest.approx(20),
        pytest.approx(40),
    ]
    told = [{one["id"] for one in two_plans(lacking, n).doubts} for n in (["5.5"], ["5.5", "5.6"])]
    assert ["contours.gap" in one for one in told] == [True, False]


def test_a_target_that_leaves_the_next_one_is_told_with_both_names():
    targets = ph.structure_set([("GTV", "GTV", ph.cylinder(30, 60)), ("CTV", "CTV", ph.cylinder(20, 60))])
    result = two_plans(targets, ["5.5"])
    assert {one["structure"] for one in result.doubts if one["id"] == "margin.not-within"} == {"GTV in CTV"}
    assert [(one["inner"], one["outer"]) for one in result.margins] == [("GTV", "CTV")]
    assert two_plans(targets).margins == [], "margins are those of a structure set, not of a sum"


# --- contours ---------------------------------------------------------------------------------------

VOLUME = 24 * np.pi


def opened(data: Dataset, *numbers: int) -> list[Structure]:
    for number in numbers:
        data.ROIContourSequence[0].ContourSequence[number].ContourGeometricType = "OPEN_PLANAR"
    return dicom_contours.structures(data)


def test_open_contours_beside_closed_ones_are_told():
    found = opened(ph.structure_set_object([("PTV", "PTV", BAR)]), 0, 19)
    row, told = computed(part(), structures=found)
    assert told["contours.open"] == "2 of 20"
    assert row["volume_cc"] == pytest.approx(VOLUME * 18 / 20, rel=0.005)


@pytest.mark.parametrize(
    "bent",
    [
        lambda c: np.vstack([c, c]),  # twice around: nothing by the even-odd rule
        lambda c: np.vstack([c[:90], c[:89:-1]]),  # half of it backwards: a figure of eight
    ],
)
def test_a_contour_that_crosses_itself_is_told(bent):
    _, told = computed(part(), structures=structure([bent(one) for one in BAR]))
    assert told["contours.self-crossing"] == "20"


@pytest.mark.parametrize("contours", [ph.keyhole(20, 10, 60), ph.tube(20, 10, 60), ph.sphere(20), BAR])
def test_keyholes_holes_and_small_ends_do_not_cross_themselves(contours):
    _, told = computed(part(), structures=structure(contours))
    assert not {one for one in told if one.startswith("contours.")}


def test_a_part_that_misses_a_plane_is_told():
    both = ph.cylinder(10, 60, x=-15) + [c for i, c in enumerate(ph.cylinder(10, 60, x=15)) if i != 7]
    _, told = computed(part(), structures=structure(both))
    assert told["contours.part-missing"] == "1 of 20 planes"
    whole = ph.cylinder(10, 60, x=-15) + ph.cylinder(10, 60, x=15)
    assert not {
        one for one in computed(part(), structures=structure(whole))[1] if one.startswith("contours.")
    }


def test_parts_on_slices_of_different_series_are_told():
    """Each part lies on every second plane: its slabs have half of their thickness."""
    parts = ph.cylinder(10, 60, x=-15) + ph.cylinder(10, 60, x=15, z=1.5)
    row, told = computed(part(), structures=structure(parts))
    assert told["contours.part-missing"] == "38 of 40 planes"
    assert row["volume_cc"] < 0.6 * 12 * np.pi


def test_structures_of_one_number_have_no_dose():
    data = ph.structure_set_object([("PTV", "PTV", BAR), ("Femur_R", "ORGAN", ph.cylinder(5, 60))])
    data.StructureSetROISequence[1].ROINumber = 1
    data.ROIContourSequence[1].ReferencedROINumber = 1
    row, told = computed(part(), structures=dicom_contours.structures(data))
    assert row == {}
    assert set(told) == {"structure.number-repeated"}


def test_two_structures_of_one_name_keep_their_own_doses():
    found = ph.structure_set([("Femur_R", "ORGAN", BAR), ("Femur_R", "ORGAN", ph.cylinder(10, 30))])
    plan = PlanParts(PlanOfDose("5.5", (PlannedGroup("1", 25, frozenset({"1"})),), 25), [part()])
    rows = calculation.calculate(found, [plan], (), DoseSettings()).structures
    assert [row["roi_number"] for row in rows] == [1, 2]
    assert [row["volume_cc"] for row in rows] == pytest.approx([VOLUME, 3 * np.pi], rel=0.005)


SMALLER = ph.cylinder(10, 30)


def repeated(*regions, reverse: bool = False) -> list[str]:
    """What is said about repeated names; ``reverse`` turns the order of all sequences."""
    data = ph.structure_set_object(regions)
    if reverse:
        for keyword in ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence"):
            data[keyword].value = list(reversed(data[keyword].value))
    plan = PlanParts(PlanOfDose("5.5", (PlannedGroup("1", 25, frozenset({"1"})),), 25), [part()])
    made = calculation.calculate(dicom_contours.structures(data), [plan], (), DoseSettings())
    return [one["value"] for one in made.doubts if one["id"] == "structure.name-repeated"]


@pytest.mark.parametrize("reverse", [False, True])
def test_structures_of_one_name_or_one_meaning_are_told(reverse):
    said = repeated(
        ("PTV", "PTV", BAR), ("PTV_50", "PTV", SMALLER), ("X1", "ORGAN", BAR), ("x1 ", "ORGAN", SMALLER),
        ("Hautstreifen", "ORGAN", BAR), ("Lymphkorridor", "ORGAN", SMALLER), reverse=reverse,
    )  # fmt: skip
    assert said == [
        "PTV: PTV (number 1), PTV_50 (number 2)",
        "skin corridor: Hautstreifen (number 5), Lymphkorridor (number 6)",
        "x1: X1 (number 3), x1 (number 4)",
    ]


def test_structures_of_one_name_are_told_if_their_types_give_them_two_meanings():
    said = repeated(("Ziel", "PTV", BAR), ("ziel", "ORGAN", SMALLER), ("PTV_50", "PTV", SMALLER))
    assert said == [
        "PTV: Ziel (number 1), PTV_50 (number 3)", "ziel: Ziel (number 1), ziel (number 2)",
    ]  # fmt: skip


@pytest.mark.parametrize("ctv", [[], [("CTV", "CTV", [])]])
def test_a_gtv_beside_the_ptv_is_told_without_a_ctv(ctv):
    targets = [("GTV", "GTV", ph.cylinder(10, 30, x=30)), ("PTV", "PTV", ph.cylinder(25, 60)), *ctv]
    found = two_plans(ph.structure_set(targets), ["5.5"])
    assert {one["structure"] for one in found.doubts if one["id"] == "margin.not-within"} == {"GTV in PTV"}
    assert [one for one in found.margins if one["radial_p50_mm"] is not None] == []
    inside = [("GTV", "GTV", ph.cylinder(10, 30, x=10)), targets[1]]
    told = two_plans(ph.structure_set(inside), ["5.5"]).doubts
    assert "margin.not-within" not in {one["id"] for one in told}


@pytest.mark.parametrize("gtv", [20, 30])
def test_a_gtv_that_is_larger_than_the_ptv_is_told_without_a_ctv(gtv):
    found = ph.structure_set([("GTV", "GTV", ph.cylinder(gtv, 60)), ("PTV", "PTV", ph.cylinder(25, 60))])
    _, told = computed(part(), structures=found)
    assert ("target.order" in told) == (gtv == 30)


def test_a_histogram_that_names_no_structure_is_told():
    histogram = EmbeddedHistogram((), np.array([0.0, 50.0]), np.array([10.0, 0.0]), "CM3", None)
    plan = PlanParts(PlanOfDose("5.5", (), 25), [], [histogram, histogram])
    told = calculation.calculate(bar(), [plan], (), DoseSettings()).doubts
    assert told == [{"id": "dvh.not-comparable", "value": "of no structure: 2", "structure": ""}]


@pytest.mark.parametrize(
    "other",
    [
        ("Femur_L", "ORGAN", SMALLER),
        ("Femur_R", "ORGAN", []),  # an empty entry
        ("Femur_R", "CONTROL", SMALLER),  # no organ
        ("", "ORGAN", SMALLER),
    ],
)
def test_structures_of_other_names_or_without_a_volume_are_not_told(other):
    assert repeated(("Femur_R", "ORGAN", BAR), ("", "ORGAN", BAR), other) == []


def test_a_structure_without_observation_is_known_by_its_name():
    data = ph.structure_set_object([("PTV", "PTV", BAR)])
    del data.RTROIObservationsSequence
    row, _ = computed(part(), structures=dicom_contours.structures(data))
    assert (row["tg263"], is_right(row)) == ("PTV", True)
