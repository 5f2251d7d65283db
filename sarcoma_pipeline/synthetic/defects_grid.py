"""Seed faults of dose distributions in patients outside the cohort: one per patient."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from sarcoma_pipeline.synthetic.dicom_course import RT_PLAN, item, reference

_OF_NOBODY = UID("1.2.826.0.1.3680043.8.498.3")
_LEFT_OUT = slice(4, 6)
"""Frames that are left out, between the end of the grid and the targets."""

FAULTS = {
    "dose without a frame of reference": "dose.frame-unknown",
    "frames of the dose left out": "dose.frames-missing",
    "dose grid that cuts the isodose": "dose.isodose-cut",
    "dose computed in water": "dose.in-water",
    "error of a dose": "dose.not-a-dose",
    "effective dose of photons": "dose.not-physical",
    "relative dose": "dose.relative",
    "dose of two plans": "dose.sum-ambiguous",
    "dose of a beam": "dose.sum-incomplete",
    "dose moved to another CT": "dose.transformed",
    "histogram of the rest of the body": "dvh.not-comparable",
    "dose without its plan": "dose.without-plan",
    "doses of two types": "dose.type-differs",
}
"""Fault to the rule that finds it."""
TWO_TYPES = "doses of two types"
"""Fault of a plan of two beams: each has a dose distribution, one physical and one effective."""
ON_ARRIVAL = ("dose.relative", "dose.without-plan")
"""Rules on the headers, which need no computation."""
_ATTRIBUTES: dict[str, dict[str, str]] = {
    "dose computed in water": {"TissueHeterogeneityCorrection": "WATER"},
    "error of a dose": {"DoseType": "ERROR"},
    "effective dose of photons": {"DoseType": "EFFECTIVE"},
    "relative dose": {"DoseUnits": "RELATIVE"},
    "dose of a beam": {"DoseSummationType": "BEAM"},
    "dose moved to another CT": {"SpatialTransformOfDose": "RIGID"},
}


def faulty(fault: str, values: np.ndarray, edge_mm: float, first_mm: float, step_mm: float) -> np.ndarray:
    """Return the grid with a fault.

    Args:
        fault: the fault.
        values: dose by frame, row and column.
        edge_mm: greatest x of the PTV.
        first_mm: x of the first column.
        step_mm: distance of columns.
    """
    if fault != "dose grid that cuts the isodose":
        return values
    # The PTV is covered, but the dose at its edge reaches the last column.
    return values[:, :, : int(np.ceil((edge_mm - first_mm) / step_mm)) + 1]


def of_beam(dose: Dataset, beam: int, kind: str) -> Dataset:
    """Return the dose of one of two beams that give the same.

    Args:
        dose: RTDOSE of the plan; it is changed.
        beam: number of the beam.
        kind: DoseType.
    """
    dose.DoseType, dose.DoseSummationType = kind, "BEAM"
    beams = item(ReferencedBeamSequence=Sequence([item(ReferencedBeamNumber=str(beam))]))
    beams.ReferencedFractionGroupNumber = "1"
    dose.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = Sequence([beams])
    # Half of the dose in each point.
    dose.DoseGridScaling = f"{float(dose.DoseGridScaling) / 2:.10g}"
    return dose


def spoil(fault: str, dose: Dataset, number_of_ptv: int) -> None:
    """Change the finished RTDOSE.

    Args:
        fault: the fault.
        dose: the object.
        number_of_ptv: ROINumber of the PTV.
    """
    for keyword, value in _ATTRIBUTES.get(fault, {}).items():
        setattr(dose, keyword, value)
    if fault == "dose without a frame of reference":
        del dose.FrameOfReferenceUID
    if fault == "frames of the dose left out":
        frames = int(dose.NumberOfFrames)
        kept = [n for n in range(frames) if n not in range(frames)[_LEFT_OUT]]
        size = int(dose.Rows) * int(dose.Columns) * 2
        dose.GridFrameOffsetVector = [dose.GridFrameOffsetVector[n] for n in kept]
        dose.NumberOfFrames = str(len(kept))
        stored = b"".join(dose.PixelData[n * size : (n + 1) * size] for n in kept)
        dose.PixelData = stored + b"\0" * (len(stored) % 2)
    if fault == "dose of two plans":
        dose.ReferencedRTPlanSequence.append(reference(RT_PLAN, _OF_NOBODY))
    if fault == "dose without its plan":
        dose.ReferencedRTPlanSequence = Sequence([reference(RT_PLAN, _OF_NOBODY)])
    if fault == "histogram of the rest of the body":
        dose.DVHSequence = [
            item(
                DVHType="CUMULATIVE", DoseUnits="GY", DoseType="PHYSICAL", DVHDoseScaling="1",
                DVHVolumeUnits="CM3", DVHNumberOfBins="2", DVHData=["1", "900", "0.5", "0"],
                DVHReferencedROISequence=[
                    item(ReferencedROINumber=str(number_of_ptv), DVHROIContributionType="EXCLUDED")
                ],
            )
        ]  # fmt: skip
