"""Cases of the rules on doses and their histograms: distributions of one plan or two, in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.planned_doses import ObjectAt, PlanFiles, Work
from sarcoma_pipeline.orchestration import dose_work
from schemas.dose_settings import DoseSettings
from tests.curation import rt_phantoms as ph
from tests.quality.rule_cases.computed import Broken
from tests.quality.rule_cases.four import NO_VALUE, THE_FAULT, Four
from tests.quality.rule_cases.phantoms import (
    NEXT_PLAN,
    PLAN,
    PTV,
    Given,
    bar,
    computed,
    structures,
)

GRID: dict[str, Any] = {"first": (-60, -60, -60), "apart": (5, 5, 5), "count": (25, 25, 25)}


def even(gray: float) -> ph.Field:
    """Return a dose within 40 mm of the origin that falls to none at 50 mm."""
    return lambda x, y, z: gray * ((50 - np.max(np.abs([x, y, z]), axis=0)) / 10).clip(0, 1)


def _item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def dose(
    gray: float = 50,
    kind: str | None = "PLAN",
    *,
    group: str | None = None,
    beams: str = "",
    uid: str = "1.1",
    plans: tuple[str, ...] = (PLAN,),
    field: Callable[[float], ph.Field] = even,
    **how: Any,
) -> Given:
    """Return an RTDOSE of a plan; ``how`` are attributes (None: missing) and the place of the grid."""

    @cache
    def made() -> Dataset:
        refers = [_item(ReferencedSOPInstanceUID=one) for one in plans]
        if group is not None:
            of_group = _item(ReferencedFractionGroupNumber=group)
            of_group.ReferencedBeamSequence = [_item(ReferencedBeamNumber=beam) for beam in beams]
            refers[0].ReferencedFractionGroupSequence = [of_group]
        given = {"ReferencedRTPlanSequence": refers, "SOPInstanceUID": uid, "DoseSummationType": kind}
        return ph.dose_object(field(gray), **{**GRID, **given, **how})

    return made


def beam(number: str, gray: float = 25, **how: Any) -> Given:
    """Return the dose of one of the two beams of the plan."""
    return dose(gray, "BEAM", group="1", beams=number, **{"uid": f"2.{number}", **how})


RIGHT = computed(dose())
OF_NEXT = dose(25, uid="1.2", plans=(NEXT_PLAN,))
"""The dose of a second plan of the course."""
BOTH = computed(beam("1"), beam("2"))


def _frames(there: list[int], **how: Any) -> Given:
    """Return the dose of the plan of which some frames are there only."""

    whole = dose(**how)

    def made() -> Dataset:
        pixels = whole().pixel_array[there].tobytes()
        given = {"NumberOfFrames": len(there), "GridFrameOffsetVector": [5.0 * i for i in there]}
        return dose(**{**given, "PixelData": pixels, **how})()

    return made


def _without_frame(data: Dataset) -> None:
    del data.StructureSetROISequence[0].ReferencedFrameOfReferenceUID


def _other_frame(data: Dataset) -> None:
    data.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "9.9"


_REGION = ("PTV", "PTV", bar())
NO_FRAME, OTHER_FRAME = (structures(_REGION, edit=one) for one in (_without_frame, _other_frame))
_UNEVEN = 5.0 * np.arange(25) + np.where(np.arange(25) > 11, 2, 0)  # one distance is 7 mm, 1.4 usual ones
_BEAM_2: dict[str, Any] = {"gray": 25, "group": "1", "beams": "2", "uid": "2.2"}
_ELSEWHERE: dict[str, Any] = {"FrameOfReferenceUID": "9.9"}
_UNKNOWN_FRACTIONS = (PlannedGroup("1", None, frozenset({"1", "2"})),)
_TWO_GROUPS = (PlannedGroup("1", 25, frozenset({"1"})), PlannedGroup("2", 8, frozenset({"1"})))

GRIDS: dict[str, Four[Broken]] = {
    "dose.units": Four(
        computed(dose(DoseUnits="RELATIVE")), RIGHT, computed(dose(DoseUnits=None)),
        computed(beam("1"), beam("2", DoseUnits="CGY")),
        null_fires=True,  # it is not GY
    ),
    "dose.frame-differs": Four(
        computed(dose(**_ELSEWHERE)), RIGHT, computed(dose(FrameOfReferenceUID=None)),
        computed(dose(), of=OTHER_FRAME),
    ),
    "dose.frame-unknown": Four(
        computed(dose(FrameOfReferenceUID=None)), RIGHT, THE_FAULT, computed(dose(), of=NO_FRAME),
    ),
    "dose.frames-missing": Four(
        computed(_frames([i for i in range(25) if i != 12])), computed(dose(offsets=_UNEVEN)),
        computed(_frames([i for i in range(25) if i != 12], GridFrameOffsetVector=None)),
        computed(beam("1"), _frames([i for i in range(25) if i not in (3, 4)], kind="BEAM", **_BEAM_2)),
    ),
    "dose.grid-too-small": Four(
        # The bar ends at z = 15, and the last voxels half a distance beyond their centre: 98 and 99.5 %.
        computed(dose(apart=(74.4 / 15.5, 5, 5), count=(16, 25, 25))),
        computed(dose(apart=(74.85 / 15.5, 5, 5), count=(16, 25, 25))),
        NO_VALUE,
        computed(dose(first=(0, -60, -60), count=(25, 25, 13))),
    ),
    "dose.isodose-cut": Four(
        computed(dose(52, first=(-35, -60, -60), count=(25, 25, 20))), computed(dose(52)),
        computed(dose(52, first=(-35, -60, -60), count=(25, 25, 20)), levels=()),
        computed(dose(52, count=(19, 25, 25))),  # it ends at z = 30
    ),
}  # fmt: skip

KINDS: dict[str, Four[Broken]] = {
    "dose.not-a-dose": Four(
        computed(dose(DoseType="ERROR")), RIGHT, computed(dose(DoseType=None)),
        computed(beam("1"), beam("2", DoseType="ERROR")),
    ),
    "dose.not-physical": Four(
        computed(dose(DoseType="EFFECTIVE")), RIGHT, computed(dose(DoseType=None)),
        computed(*(beam(n, DoseType="EFFECTIVE") for n in "12")),
        null_fires=True,  # nobody knows that it is physical
    ),
    "dose.type-differs": Four(
        computed(beam("1"), beam("2", DoseType="EFFECTIVE")),
        computed(*(beam(n, DoseType="EFFECTIVE") for n in "12")),
        computed(beam("1"), beam("2", DoseType=None)),
        computed(dose(25, DoseType="EFFECTIVE"), and_next=[OF_NEXT]),
        null_fires=True,  # it is not added, and that must be told
    ),
    "dose.in-water": Four(
        computed(dose(TissueHeterogeneityCorrection="WATER")),
        computed(dose(TissueHeterogeneityCorrection="IMAGE")), RIGHT,
        computed(beam("1"), beam("2", TissueHeterogeneityCorrection=["ROI_OVERRIDE", "WATER"])),
    ),
    "dose.transformed": Four(
        computed(dose(SpatialTransformOfDose="NON_RIGID")), computed(dose(SpatialTransformOfDose="NONE")),
        RIGHT, computed(beam("1", SpatialTransformOfDose="RIGID"), beam("2")),
    ),
    "dose.far-from-prescription": Four(
        computed(dose(47)), computed(dose(48)), computed(dose(47), levels=()),
        computed(dose(2)),  # the dose of one fraction
    ),
}  # fmt: skip

SUMS: dict[str, Four[Broken]] = {
    "dose.sum-ambiguous": Four(
        computed(dose(), dose(44, uid="1.2")), computed(dose(), dose(uid="1.2")),
        computed(dose(kind=None), dose(44, None, uid="1.2")),  # of which part is not known
        computed(beam("1"), beam("2"), beam("2", 26, uid="2.3")),
    ),
    "dose.sum-incomplete": Four(
        computed(beam("1")), BOTH,
        computed(dose(2, "FRACTION_SESSION", group="1"), groups=_UNKNOWN_FRACTIONS),
        computed(dose(40, "FRACTION", group="1"), groups=_TWO_GROUPS),
        null_fires=True,  # "numbers of fractions are missing"
    ),
}  # fmt: skip

# --- histograms: a bar along a gradient has every dose between two limits as often ------------------------

_EDGES = np.arange(0, 47.6, 0.5)
_SHARES = np.clip((47.5 - _EDGES) / 15, 0, 1)
_VOLUME = 12 * np.pi
"""In cm³. The dose of 40 Gy rises by 0.5 Gy per mm along the bar of 30 mm: from 32.5 to 47.5 Gy."""


def _rising(_: float) -> ph.Field:
    return ph.rising(2)


def histogram(
    volumes: np.ndarray = _VOLUME * _SHARES, width: float = 0.5, included: str = "INCLUDED", **how: Any
) -> Given:
    """Return the dose of the plan with the histogram of the target; ``how`` are attributes of it."""

    @cache
    def made() -> Dataset:
        pairs = [f"{value:.8g}" for volume in volumes for value in (width, volume)]
        region = _item(ReferencedROINumber=1, DVHROIContributionType=included)
        values = {
            "DVHType": "CUMULATIVE", "DoseUnits": "GY", "DVHDoseScaling": 1, "DVHVolumeUnits": "CM3",
            "DVHData": pairs, "DVHReferencedROISequence": [region],
        } | how  # fmt: skip
        told = _item(**{keyword: value for keyword, value in values.items() if value is not None})
        return dose(field=_rising, DVHSequence=[told])()

    return made


HISTOGRAMS: dict[str, Four[Broken]] = {
    "dvh.differs": Four(
        computed(histogram(1.03 * _VOLUME * _SHARES)), computed(histogram(1.01 * _VOLUME * _SHARES)),
        computed(histogram(), of=structures(("PTV", "PTV", []))),
        computed(histogram(100 * _SHARES, 0.5 * 1.04, DVHVolumeUnits="PERCENT")),
    ),
    "dvh.not-comparable": Four(
        computed(histogram(DoseUnits="RELATIVE")), computed(histogram()),
        computed(histogram(DVHReferencedROISequence=None)), computed(histogram(included="EXCLUDED")),
        null_fires=True,  # of which structure is not known
    ),
}  # fmt: skip


# --- files ------------------------------------------------------------------------------------------------


def files(*, cut: bool = False, refused: str | None = None, **how: Any) -> Broken:
    """Return the rules that the files of a plan break.

    Args:
        cut: whether the second half of the dose is missing.
        refused: why the process that read them was ended.
        how: attributes of the dose.
    """

    def broken() -> set[str]:
        with tempfile.TemporaryDirectory() as place:
            drop = Path(place)
            drawn = _put(drop, "set", ph.structure_set_object([PTV]))
            given = _put(drop, "dose", dose(**how)(), cut)
            plan = PlanFiles(PlanOfDose(PLAN, (PlannedGroup("1", 25, frozenset({"1"})),), 25), (given,))
            work = Work(drawn, (plan,), (50.0,))
            why = {} if refused is None else {0: refused}
            found = dose_work.compute([work], drop, DoseSettings(), (), lambda _: None, why)
        assert found.result is not None
        return {one["id"] for one in found.result["doubts"]}

    return broken


def _put(drop: Path, name: str, data: Dataset, cut: bool = False) -> ObjectAt:
    path = drop / f"{name}.dcm"
    data.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    if cut:
        path.write_bytes(content := content[: len(content) // 2])
    return ObjectAt(path.name, "file", hashlib.blake2b(content, digest_size=16).hexdigest(), len(content))


READ: dict[str, Four[Broken]] = {
    "dose.file-unreadable": Four(
        files(cut=True), files(), files(DoseGridScaling=None),
        files(refused="needs too much time"),
        null_fires=True,
    ),
}  # fmt: skip

DOSES = GRIDS | KINDS | SUMS | HISTOGRAMS | READ
