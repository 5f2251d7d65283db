"""Convert RT plans and RT ion plans to columns of ``received.dicom_plan``.

Control points are many and large. Of each beam, only the values that decide the technique are kept, and a
digest. It is the same for the same control points in any transfer syntax and any spelling of the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

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


# What is encoded was built here and does not contain itself.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_plainly_quoted = json.encoder.encode_basestring
_quoted = json.encoder.encode_basestring_ascii
_NUMBERS_KEPT = 64
"""Maximum length of a text of numbers whose one spelling is remembered; leaf positions are longer."""


def columns(node: Node) -> dict[str, str | None]:
    """Return the columns of a plan, as JSON where there are several values."""
    beams = node.items("BeamSequence") + node.items("IonBeamSequence")
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


def texts_as_json(texts: Iterable[str | None]) -> str | None:
    """Return the same as :func:`as_json` of texts, in less time."""
    listed = ["null" if text is None else _plainly_quoted(text) for text in texts]
    return f"[{', '.join(listed)}]" if listed else None


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
    points = beam.items("ControlPointSequence") + beam.items("IonControlPointSequence")
    devices = [
        {
            device.text("RTBeamLimitingDeviceType"): _numbers(device.text("LeafJawPositions"))
            for device in point.items("BeamLimitingDevicePositionSequence")
        }
        for point in points
    ]
    leaves: dict[str, set[str]] = {}
    for at in devices:
        for kind, positions in at.items():
            if kind and kind.startswith("MLC"):
                leaves.setdefault(kind, set()).add(positions)
    geometry = [point.plain(*_GEOMETRY) for point in points]
    wedges = beam.items("WedgeSequence") + beam.items("IonWedgeSequence")
    return {
        **beam.plain(
            "BeamNumber", "BeamType", "RadiationType", "TreatmentMachineName", "Manufacturer",
            "ManufacturerModelName", "TreatmentDeliveryType", "SourceAxisDistance", "RadiationMassNumber",
            "RadiationAtomicNumber",
        ),
        "NominalBeamEnergy": _first(geometry, "NominalBeamEnergy"),
        "IsocenterPosition": _first(geometry, "IsocenterPosition"),
        "GantryRotationDirection": _distinct(at["GantryRotationDirection"] for at in geometry),
        "WedgeType": _distinct(wedge.text("WedgeType") for wedge in wedges),
        "ControlPoints": len(points),
        "LeafPositions": max(map(len, leaves.values()), default=0),
        "Digest": digest(*map(_point, points, geometry, devices)),
    }  # fmt: skip


def _point(point: Node, geometry: dict[str, str | None], devices: dict[str | None, str]) -> str:
    """Return one control point as JSON; the spelling of its numbers makes no difference."""
    # Written here, because there are many: `json.dumps` takes three times as long.
    values = ", ".join(
        [f'"{keyword}": {_quoted_numbers(text)}' for keyword, text in geometry.items() if text]
    )
    sorted_ = sorted(devices.items(), key=str) if len(devices) > 1 else devices.items()
    at = ", ".join(
        [
            f"[{'null' if kind is None else _quoted(kind)}, {_quoted(positions)}]"
            for kind, positions in sorted_
        ]
    )
    return f"[{{{values}}}, [{at}], [{_spots([point.content(keyword) for keyword in _SPOTS])}]]"


def _spots(contents: Sequence[bytes]) -> str:
    return _digests(contents) if any(contents) else _NO_SPOTS


def _digests(contents: Sequence[bytes]) -> str:
    return ", ".join(f'"{digest(content.hex())}"' for content in contents)


_NO_SPOTS = _digests([b"" for _ in _SPOTS])


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


def _first(points: Iterable[dict[str, str | None]], keyword: str) -> str | None:
    return next((text for point in points if (text := point[keyword])), None)


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _numbers(text: str | None) -> str:
    """Return numbers in one spelling: "300", "300.0" and "3e2" give the same text."""
    if not text:
        return ""
    return _short_numbers(text) if len(text) <= _NUMBERS_KEPT else _spelled(text)


def _quoted_numbers(text: str) -> str:
    """Return numbers in one spelling as a JSON text."""
    return _short_quoted(text) if len(text) <= _NUMBERS_KEPT else _quoted(_spelled(text))


def _spelled(text: str) -> str:
    return "\\".join(map(_number, text.split("\\")))


_short_numbers = lru_cache(4_000)(_spelled)
_short_quoted = lru_cache(4_000)(lambda text: _quoted(_spelled(text)))


def _number(text: str) -> str:
    try:
        return repr(float(text) + 0.0)
    except ValueError:
        return text.strip()
