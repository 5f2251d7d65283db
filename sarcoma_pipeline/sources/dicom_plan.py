"""Convert RT plans and RT ion plans to columns of ``received.dicom_plan``.

Control points are many and large. Of each beam, only the values that decide the technique are kept, and a
digest. It is the same for the same control points in any transfer syntax and any spelling of the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sarcoma_pipeline.sources.dicom_node import Node
from sarcoma_pipeline.sources.received_record import digest

_GEOMETRY = (
    "CumulativeMetersetWeight", "NominalBeamEnergy", "GantryAngle", "GantryRotationDirection",
    "BeamLimitingDeviceAngle", "PatientSupportAngle", "IsocenterPosition",
)  # fmt: skip
_SPOTS = ("ScanSpotPositionMap", "ScanSpotMetersetWeights")
_REFERENCE = (
    "DoseReferenceNumber", "DoseReferenceType", "DoseReferenceStructureType", "DoseReferenceDescription",
    "TargetPrescriptionDose",
)  # fmt: skip


_encode = json.JSONEncoder(ensure_ascii=False).encode


def columns(node: Node) -> dict[str, str | None]:
    """Return the columns of a plan, as JSON where there are several values."""
    beams = [*node.items("BeamSequence"), *node.items("IonBeamSequence")]
    return {
        **node.plain(
            "RTPlanLabel", "RTPlanDate", "PlanIntent", "RTPlanGeometry", "ApprovalStatus", "ReviewDate",
            "BrachyTreatmentType", "InstanceCreationDate",
        ),
        "ReferencedStructureSet": node.referenced("ReferencedStructureSetSequence"),
        "ReferencedPlans": as_json(
            item.plain("ReferencedSOPInstanceUID", "RTPlanRelationship")
            for item in node.items("ReferencedRTPlanSequence")
        ),
        "TargetPrescriptionDose": as_json(d.plain(*_REFERENCE) for d in node.items("DoseReferenceSequence")),
        "FractionGroups": as_json(map(_group, node.items("FractionGroupSequence"))),
        "Beams": as_json(map(_beam, beams)),
        "Applications": as_json(map(_application, node.items("ApplicationSetupSequence"))),
    }  # fmt: skip


def as_json(values: Iterable[object]) -> str | None:
    """Return a JSON array; None if there are no values."""
    listed = list(values)
    return _encode(listed) if listed else None


def _group(group: Node) -> dict[str, object]:
    return {
        **group.plain(
            "FractionGroupNumber",
            "NumberOfFractionsPlanned",
            "NumberOfBeams",
            "NumberOfBrachyApplicationSetups",
        ),
        "DoseReferences": [
            item.text("ReferencedDoseReferenceNumber")
            for item in group.items("ReferencedDoseReferenceSequence")
        ],
        "Beams": [
            item.plain("ReferencedBeamNumber", "BeamDose", "BeamMeterset")
            for item in group.items("ReferencedBeamSequence")
        ],
        "Applications": [
            item.plain("ReferencedBrachyApplicationSetupNumber", "BrachyApplicationSetupDose")
            for item in group.items("ReferencedBrachyApplicationSetupSequence")
        ],
    }


def _beam(beam: Node) -> dict[str, object]:
    points = [*beam.items("ControlPointSequence"), *beam.items("IonControlPointSequence")]
    devices = [
        {d.text("RTBeamLimitingDeviceType"): _numbers(d.text("LeafJawPositions")) for d in _devices(point)}
        for point in points
    ]
    leaves: dict[str, set[str]] = {}
    for at in devices:
        for kind, positions in at.items():
            if kind and kind.startswith("MLC"):
                leaves.setdefault(kind, set()).add(positions)
    return {
        **beam.plain(
            "BeamNumber", "BeamType", "RadiationType", "TreatmentMachineName", "Manufacturer",
            "ManufacturerModelName", "TreatmentDeliveryType", "SourceAxisDistance", "RadiationMassNumber",
            "RadiationAtomicNumber",
        ),
        "NominalBeamEnergy": _first(points, "NominalBeamEnergy"),
        "IsocenterPosition": _first(points, "IsocenterPosition"),
        "GantryRotationDirection": _distinct(point.text("GantryRotationDirection") for point in points),
        "WedgeType": _distinct(w.text("WedgeType") for w in [
            *beam.items("WedgeSequence"), *beam.items("IonWedgeSequence")
        ]),
        "ControlPoints": len(points),
        "LeafPositions": max(map(len, leaves.values()), default=0),
        "Digest": digest(*(_point(p, at) for p, at in zip(points, devices, strict=True))),
    }  # fmt: skip


def _devices(point: Node) -> list[Node]:
    return point.items("BeamLimitingDevicePositionSequence")


def _point(point: Node, devices: dict[str | None, str]) -> str:
    """Return one control point as text; the spelling of its numbers makes no difference."""
    values = {keyword: _numbers(text) for keyword in _GEOMETRY if (text := point.text(keyword))}
    spots = [digest(point.content(keyword).hex()) for keyword in _SPOTS]
    return json.dumps([values, sorted(devices.items(), key=str), spots])


def _application(setup: Node) -> dict[str, object]:
    channels = setup.items("ChannelSequence")
    dwells = [
        json.dumps(
            [_numbers(channel.text("ChannelTotalTime"))]
            + [
                [_numbers(at.text("ControlPoint3DPosition")), _numbers(at.text("CumulativeTimeWeight"))]
                for at in channel.items("BrachyControlPointSequence")
            ]
        )
        for channel in channels
    ]
    return {
        **setup.plain("ApplicationSetupNumber", "ApplicationSetupType", "TotalReferenceAirKerma"),
        "Digest": digest(*dwells),
    }


def _first(points: list[Node], keyword: str) -> str | None:
    return next((text for point in points if (text := point.text(keyword))), None)


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _numbers(text: str | None) -> str:
    """Return numbers in one spelling: "300", "300.0" and "3e2" give the same text."""
    return "\\".join(map(_number, (text or "").split("\\")))


def _number(text: str) -> str:
    try:
        return repr(float(text) + 0.0)
    except ValueError:
        return text.strip()
