"""Define what can be wrong with contours and dose grids; it is returned as data and never raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.rule import Severity

_DRAW = "In the treatment planning system, open the structure set, "
_EXPORT = "In the treatment planning system, "


@dataclass(frozen=True)
class Meaning:
    """What a doubt says to the data steward.

    Attributes:
        severity: how bad it is; no doubt quarantines a record.
        what: what is wrong, and what is done without it.
        remedy: what the steward can do.
    """

    severity: Severity
    what: str
    remedy: str


DoubtId = Literal[
    "contours.absent",
    "contours.coarse",
    "contours.points-only",
    "contours.few-planes",
    "contours.gap",
    "contours.not-parallel",
    "contours.not-planar",
    "contours.open",
    "contours.overlap",
    "contours.part-missing",
    "contours.repeated",
    "contours.self-crossing",
    "contours.unreadable",
    "dose.course-not-added",
    "dose.far-from-prescription",
    "dose.file-unreadable",
    "dose.frame-differs",
    "dose.frame-unknown",
    "dose.frames-missing",
    "dose.grid-too-small",
    "dose.isodose-cut",
    "dose.in-water",
    "dose.not-a-dose",
    "dose.not-physical",
    "dose.units",
    "dose.sum-ambiguous",
    "dose.sum-incomplete",
    "dose.transformed",
    "dose.type-differs",
    "dvh.differs",
    "dvh.not-comparable",
    "margin.frame-differs",
    "margin.not-within",
    "margin.planes-differ",
    "target.order",
    "structure.name-repeated",
    "structure.number-repeated",
    "structure.volume-implausible",
]

MEANINGS: dict[DoubtId, Meaning] = {
    "contours.absent": Meaning(
        "notice",
        "The structure has no contour. It has no volume.",
        f"{_DRAW}draw the structure or delete its empty entry, and export the set again.",
    ),
    "contours.coarse": Meaning(
        "notice",
        "The structure has contours in three to six planes. Where it ends between two planes is not known: "
        "its volume may be wrong by more than 3 %.",
        "Nothing needs to be done. For an exact volume, draw small structures on thinner slices.",
    ),
    "contours.points-only": Meaning(
        "notice",
        "The structure has points or open lines and no closed contour. It has no volume.",
        "Nothing needs to be done for a marker. " + f"{_DRAW}draw closed contours if it is a volume.",
    ),
    "contours.few-planes": Meaning(
        "warning",
        "The structure has contours in fewer than three planes. Its volume is inexact; in one plane of "
        "unknown thickness it has none.",
        f"{_DRAW}look whether planes are missing. Draw small structures on thinner slices.",
    ),
    "contours.gap": Meaning(
        "warning",
        "Neighbouring planes are more than 1.5 usual distances apart. One missing plane is bridged; a wider "
        "gap is not part of the structure.",
        f"{_DRAW}look at the slices of the gap. Draw the contours that are missing.",
    ),
    "contours.not-parallel": Meaning(
        "warning",
        "The contours lie in planes that are not parallel. No volume is computed.",
        f"{_DRAW}redraw the structure on the slices of one series.",
    ),
    "contours.not-planar": Meaning(
        "warning",
        "The points of a contour do not lie in one plane. The mean position is used.",
        f"{_DRAW}redraw the contour on its slice.",
    ),
    "contours.open": Meaning(
        "warning",
        "Besides closed contours, the structure has open lines or points. They are left out: the volume may "
        "be too small.",
        f"{_DRAW}look whether the open contours should be closed.",
    ),
    "contours.part-missing": Meaning(
        "warning",
        "A part of the structure has contours in the planes before and after a plane, and none in it, "
        "although other parts have one there. The volume is too small: a slice was forgotten, or the parts "
        "were drawn on slices of different series.",
        f"{_DRAW}look at the planes. Draw the contours that are missing, or all parts on one series.",
    ),
    "contours.overlap": Meaning(
        "warning",
        "Two contours of one plane overlap in part. The area that both enclose counts as outside.",
        f"{_DRAW}join the two contours, or draw the inner one as a hole.",
    ),
    "contours.repeated": Meaning(
        "notice",
        "A contour stands twice in the structure. It is counted once.",
        f"{_DRAW}delete the second contour, and export the set again.",
    ),
    "contours.self-crossing": Meaning(
        "warning",
        "A contour crosses itself. What it encloses twice counts as outside.",
        f"{_DRAW}redraw the contour on its slice.",
    ),
    "contours.unreadable": Meaning(
        "warning",
        "Contours have coordinates that cannot be read, or fewer than three points. They are left out.",
        f"{_EXPORT}export the structure set again. Report it to the vendor if it comes again.",
    ),
    "dose.course-not-added": Meaning(
        "warning",
        "The rules of courses do not say with which weights the doses of the plans of this course are added. "
        "The course has no volumes and doses of its own; its plans have.",
        f"{_EXPORT}export the treatment records of all plans of the course, or the relation of the plans "
        "(RTPlanRelationship).",
    ),
    "dose.file-unreadable": Meaning(
        "warning",
        "The structure set or a dose of the plan cannot be read, or its reading needs more memory or time "
        "than allowed. Nothing is computed from it.",
        f"{_EXPORT}export structure set and dose again; a dose grid of more than 50 million voxels with "
        "larger voxels.",
    ),
    "dose.far-from-prescription": Meaning(
        "warning",
        "Neither D50 nor D95 of the target is within 5 % of its prescribed dose.",
        f"{_EXPORT}look whether the dose is that of the whole plan, whether the target belongs to this "
        "prescription, and whether the plan is the one that was treated.",
    ),
    "dose.frame-differs": Meaning(
        "warning",
        "Structure and dose have different frames of reference. No dose is computed.",
        f"{_EXPORT}export the structure set that the plan was computed on.",
    ),
    "dose.frame-unknown": Meaning(
        "warning",
        "Structure or dose does not state its frame of reference. The doses assume that it is the same.",
        f"{_EXPORT}export structure set and dose again with FrameOfReferenceUID.",
    ),
    "dose.frames-missing": Meaning(
        "warning",
        "Neighbouring frames of the dose grid are more than 1.5 usual distances apart. The dose between them "
        "is interpolated.",
        f"{_EXPORT}export the dose again. Report it to the vendor if it comes again.",
    ),
    "dose.in-water": Meaning(
        "notice",
        "TissueHeterogeneityCorrection is WATER: the dose was computed as if the patient were of water. Near "
        "bone and lung it may be wrong.",
        f"{_EXPORT}compute the dose on the densities of the planning CT, if that is still possible.",
    ),
    "dose.grid-too-small": Meaning(
        "warning",
        "The dose grid covers less than 99 % of the structure. No dose of the structure is computed.",
        f"{_EXPORT}enlarge the dose grid, compute the dose and export it again.",
    ),
    "dose.isodose-cut": Meaning(
        "warning",
        "The reference isodose reaches the border of the dose grid. No conformity index is computed.",
        f"{_EXPORT}enlarge the dose grid, compute the dose and export it again.",
    ),
    "dose.not-a-dose": Meaning(
        "warning",
        "DoseType is ERROR: the grid holds the error of a dose. No dose is computed.",
        f"{_EXPORT}export the dose itself (DoseType PHYSICAL or EFFECTIVE).",
    ),
    "dose.not-physical": Meaning(
        "notice",
        "DoseType is not PHYSICAL: the dose is weighted by its biological effect, usual for protons and "
        "ions. It is used as it is, and the EQD2 is computed from it.",
        "Nothing needs to be done for protons and ions. " + f"{_EXPORT}export the physical dose of photons.",
    ),
    "dose.units": Meaning(
        "warning",
        "DoseUnits is not GY. No dose is computed.",
        f"{_EXPORT}export the dose with DoseUnits GY.",
    ),
    "dose.sum-ambiguous": Meaning(
        "warning",
        "Several different dose distributions stand for the same part of the plan. They are not added.",
        f"{_EXPORT}export the dose of the plan (DoseSummationType PLAN) once.",
    ),
    "dose.sum-incomplete": Meaning(
        "warning",
        "The dose distributions are not the whole plan: fraction groups, beams or numbers of fractions are "
        "missing. They are not added.",
        f"{_EXPORT}export the dose of the plan (DoseSummationType PLAN).",
    ),
    "dose.transformed": Meaning(
        "warning",
        "The dose was moved or deformed to another image (SpatialTransformOfDose). It is not the planned "
        "one.",
        f"{_EXPORT}export the dose as it was planned.",
    ),
    "dose.type-differs": Meaning(
        "warning",
        "Physical doses and doses weighted by their biological effect (DoseType) stand for parts of one plan "
        "or course. They are not added.",
        f"{_EXPORT}export all doses with the same DoseType.",
    ),
    "dvh.differs": Meaning(
        "warning",
        "The computed volume or dose differs by more than 2 % from the dose-volume histogram that the "
        "planning system exported. The computed value is used.",
        f"{_EXPORT}look whether structures and dose are of the same version of the plan; export both again.",
    ),
    "dvh.not-comparable": Meaning(
        "notice",
        "The dose-volume histogram that the planning system exported cannot be compared.",
        "Nothing needs to be done. " + f"{_EXPORT}export cumulative histograms in Gy to have them compared.",
    ),
    "margin.frame-differs": Meaning(
        "warning",
        "The two targets have different frames of reference. No margin is computed.",
        f"{_EXPORT}export the structure set that holds both targets.",
    ),
    "margin.not-within": Meaning(
        "warning",
        "The inner target reaches beyond the outer one.",
        f"{_DRAW}compare the two targets. One of them may have another name, or be of another phase.",
    ),
    "margin.planes-differ": Meaning(
        "warning",
        "The two targets are not drawn on parallel planes across the limb. No margin is computed.",
        f"{_DRAW}redraw both targets on the slices of one series.",
    ),
    "target.order": Meaning(
        "warning",
        "A target is larger than the one that should enclose it: GTV, CTV and PTV must grow in this order.",
        f"{_DRAW}compare volumes and names of the targets. One of them may be of another phase.",
    ),
    "structure.number-repeated": Meaning(
        "warning",
        "Several structures have the same ROINumber, or none. Which contours belong to which is not known: "
        "none of them has volumes and doses.",
        f"{_EXPORT}export the structure set again. Report it to the vendor if it comes again.",
    ),
    "structure.name-repeated": Meaning(
        "warning",
        "Several structures of the set have the same name, or names with the same meaning. Each has volume "
        "and doses; analyses use those of the largest one. Targets of one name have no margins.",
        f"{_DRAW}delete the structure that was not used, or give each a name of its own. Names with the same "
        "meaning can be told apart in [[structures]] of study.toml.",
    ),
    "structure.volume-implausible": Meaning(
        "warning",
        "The volume is outside the plausible limits of the structure in study.toml: least_cc and most_cc of "
        "[[structures]], for a PTV target_least_cc and target_most_cc of [dose_volume].",
        f"{_DRAW}look whether the contours are complete, and whether the name is right.",
    ),
}
"""Id of a doubt to its meaning."""


@dataclass(frozen=True, order=True)
class Doubt:
    """One doubt about one structure or one dose.

    Attributes:
        id: key of ``MEANINGS``.
        value: the value that shows it, as text.
    """

    id: DoubtId
    value: str
