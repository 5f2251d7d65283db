"""Build the RT plan of a course: dose references, fraction group, arcs (DICOM PS3.3 A.20, C.8.8.9–16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sarcoma_pipeline.synthetic.dicom_course import (
    RT_PLAN,
    RT_STRUCT,
    Course,
    Uids,
    approve,
    decimal,
    item,
    reference,
    rt_object,
)

_LOWER_LEVEL = Decimal("0.9")
"""Ratio of the single doses outside and inside an integrated boost: 1.8 Gy and 2.0 Gy."""


@dataclass(frozen=True)
class _Machine:
    name: str
    manufacturer: str
    model: str
    turns: tuple[str, ...]
    """Gantry rotation direction of each beam."""


MACHINES = {
    "VMAT": _Machine("LINAC1", "Varian Medical Systems", "TrueBeam", ("CW", "CC")),
    "helical tomotherapy": _Machine("Tomo1", "Accuray", "TomoTherapy", ("CW",)),
}


def _single_dose(course: Course) -> Decimal:
    """Return the dose per fraction as an exact decimal: 64.8 / 36 is 1.8."""
    return round(Decimal(repr(course.prescribed_dose_gy)) / course.fractions, 12)


def levels(course: Course) -> list[tuple[str, Decimal]]:
    """Return target volume and total dose in Gy, the highest last as planning systems list it."""
    highest = Decimal(repr(course.prescribed_dose_gy))
    if not course.simultaneous_integrated_boost:
        return [("PTV", highest)]
    lower = round(_single_dose(course) * _LOWER_LEVEL, 2) * course.fractions
    return [("PTV", lower), ("PTV boost", highest)]


def plan_object(course: Course, uids: Uids) -> Dataset:
    """Build the RTPLAN of a course."""
    machine = MACHINES[course.technique]
    plan = rt_object(course, uids, "RTPLAN", RT_PLAN, uids(course.plan))
    plan.RTPlanLabel = course.label
    plan.RTPlanDate = f"{course.plan_date:%Y%m%d}"
    plan.RTPlanTime = ""
    plan.PlanIntent = course.intent
    plan.PrescriptionDescription = f"{course.fractions} x {course.single_dose_gy:g} Gy"
    plan.RTPlanGeometry = "PATIENT"
    plan.DoseReferenceSequence = Sequence(_dose_references(course, uids))
    whole = _single_dose(course)
    shares = [round(whole / len(machine.turns), 4)] * (len(machine.turns) - 1)
    shares.append(whole - sum(shares))
    plan.FractionGroupSequence = Sequence(
        [
            item(
                FractionGroupNumber="1",
                NumberOfFractionsPlanned=str(course.fractions),
                NumberOfBeams=str(len(shares)),
                NumberOfBrachyApplicationSetups="0",
                ReferencedBeamSequence=[
                    _referenced_beam(course, number, dose) for number, dose in enumerate(shares, 1)
                ],
            )
        ]
    )
    plan.BeamSequence = Sequence(
        [_beam(course, machine, number, turn) for number, turn in enumerate(machine.turns, 1)]
    )
    plan.PatientSetupSequence = Sequence([item(PatientSetupNumber="1", PatientPosition="HFS")])
    plan.ReferencedStructureSetSequence = Sequence([reference(RT_STRUCT, uids("structure set"))])
    approve(plan, course)
    return plan


def _referenced_beam(course: Course, number: int, dose: Decimal) -> Dataset:
    beam = item(BeamDose=decimal(dose * Decimal(course.beam_dose_share)), ReferencedBeamNumber=str(number))
    if course.meterset is not None:
        beam.BeamMeterset = course.meterset
    return beam


def _dose_references(course: Course, uids: Uids) -> Iterator[Dataset]:
    for number, (volume, dose) in enumerate(levels(course), 1):
        reference = item(
            DoseReferenceNumber=str(number),
            DoseReferenceUID=uids(f"dose reference {number}"),
            DoseReferenceStructureType="SITE",
            DoseReferenceDescription=volume,
            DoseReferenceType="TARGET",
        )
        if course.prescription:
            written = course.written_dose_gy
            reference.TargetPrescriptionDose = decimal(dose if written is None else written)
        yield reference
    yield item(
        DoseReferenceNumber=str(len(levels(course)) + 1),
        DoseReferenceStructureType="SITE",
        DoseReferenceDescription="Bone",
        DoseReferenceType="ORGAN_AT_RISK",
        OrganAtRiskMaximumDose="50",
    )


def _beam(course: Course, machine: _Machine, number: int, turn: str) -> Dataset:
    start, stop = ("181", "179") if turn == "CW" else ("179", "181")
    first = item(
        ControlPointIndex="0",
        NominalBeamEnergy=decimal(course.beam_energy_mv),
        DoseRateSet="600",
        BeamLimitingDevicePositionSequence=[
            item(RTBeamLimitingDeviceType=kind, LeafJawPositions=["-50", "50"]) for kind in ("X", "Y")
        ],
        GantryAngle=start,
        GantryRotationDirection=turn,
        BeamLimitingDeviceAngle="10",
        BeamLimitingDeviceRotationDirection="NONE",
        PatientSupportAngle="0",
        PatientSupportRotationDirection="NONE",
        TableTopEccentricAngle="0",
        TableTopEccentricRotationDirection="NONE",
        IsocenterPosition=["0", "0", "0"],
        CumulativeMetersetWeight="0",
    )
    last = item(
        ControlPointIndex="1",
        GantryAngle=stop,
        GantryRotationDirection="NONE",
        CumulativeMetersetWeight="1",
    )
    return item(
        Manufacturer=machine.manufacturer,
        ManufacturerModelName=machine.model,
        TreatmentMachineName=machine.name,
        PrimaryDosimeterUnit="MU",
        SourceAxisDistance="1000" if course.technique == "VMAT" else "850",
        BeamLimitingDeviceSequence=[
            item(RTBeamLimitingDeviceType=kind, NumberOfLeafJawPairs="1") for kind in ("X", "Y")
        ],
        BeamNumber=str(number),
        BeamName=f"Arc {number}" if course.technique == "VMAT" else "Helical",
        BeamType="DYNAMIC",
        RadiationType="PHOTON",
        TreatmentDeliveryType="TREATMENT",
        NumberOfWedges="0",
        NumberOfCompensators="0",
        NumberOfBoli="0",
        NumberOfBlocks="0",
        FinalCumulativeMetersetWeight="1",
        NumberOfControlPoints="2",
        ControlPointSequence=[first, last],
        ReferencedPatientSetupNumber="1",
    )
