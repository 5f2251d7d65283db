"""Convert structure sets, doses, images and treatment records to columns of their received tables."""

from __future__ import annotations

from collections import Counter

from sarcoma_pipeline.sources.dicom_node import Node
from sarcoma_pipeline.sources.dicom_observations import interpreted_types
from sarcoma_pipeline.sources.dicom_plan import as_json, texts_as_json

Columns = dict[str, str | None]


def structure_set(node: Node) -> Columns:
    """Return the columns of an RTSTRUCT."""
    frames = node.items("ReferencedFrameOfReferenceSequence")
    regions = node.items("StructureSetROISequence")
    kinds = interpreted_types(
        (observed.text("ReferencedROINumber"), observed.text("RTROIInterpretedType"))
        for observed in node.items("RTROIObservationsSequence")
    )
    series = [
        one.text("SeriesInstanceUID")
        for frame in frames
        for study in frame.items("RTReferencedStudySequence")
        for one in study.items("RTReferencedSeriesSequence")
    ]
    # A structure set has no frame of reference module: its own sequence names the frame of reference.
    of_sequence = next((frame.text("FrameOfReferenceUID") for frame in frames), None)
    return {
        **node.plain("StructureSetLabel", "StructureSetDate"),
        "FrameOfReferenceUID": node.text("FrameOfReferenceUID") or of_sequence,
        "ROIName": texts_as_json(region.text("ROIName") for region in regions),
        "RTROIInterpretedType": texts_as_json(kinds.get(region.text("ROINumber")) for region in regions),
        "ReferencedSeries": texts_as_json(one for one in series if one),
    }


def dose(node: Node) -> Columns:
    """Return the columns of the header of an RTDOSE."""
    columns = {
        **node.plain("DoseUnits", "DoseType", "DoseSummationType", "DoseGridScaling"),
        "ReferencedRTPlan": node.referenced("ReferencedRTPlanSequence"),
    }
    if columns["DoseSummationType"] in _OF_SEVERAL_PLANS:
        node.opened.several.discard("ReferencedRTPlanSequence")
    return columns


_OF_SEVERAL_PLANS = ("MULTI_PLAN", "PLAN_OVERVIEW")
"""Kinds of dose distributions that may refer to several plans (PS3.3 C.8.8.3)."""


def image(node: Node) -> Columns:
    """Return the columns of the header of a CT slice."""
    return {
        **node.plain("SliceThickness", "KVP"),
        "PixelSpacing": texts_as_json(node.values("PixelSpacing")),
        "ImagePositionPatient": texts_as_json(node.values("ImagePositionPatient")),
    }


def enhanced_image(node: Node) -> Columns:
    """Return the columns of an Enhanced CT.

    One file holds the whole series; its functional groups hold the attributes of a slice. If the frames
    differ in thickness, the most frequent thickness is used.
    """
    group = node.single("SharedFunctionalGroupsSequence")
    one = None if group is None else group.single("PixelMeasuresSequence")
    measures = [] if one is None else [one]
    if not any(m.text("SliceThickness") for m in measures):
        frames = node.items("PerFrameFunctionalGroupsSequence")
        measures = [m for frame in frames for m in frame.items("PixelMeasuresSequence")]
    thickness = Counter(text for m in measures if (text := m.text("SliceThickness")))
    rays = [] if group is None else group.items("CTXRayDetailsSequence")
    usual = min(thickness, key=lambda text: (-thickness[text], text), default=None)
    return {
        "SliceThickness": usual,
        "KVP": next((text for x in rays if (text := x.text("KVP"))), None) or node.text("KVP"),
        "PixelSpacing": texts_as_json(measures[0].values("PixelSpacing")) if measures else None,
        "ImagePositionPatient": None,
    }


_SESSIONS = (
    "TreatmentSessionBeamSequence",
    "TreatmentSessionIonBeamSequence",
    "TreatmentSessionApplicationSetupSequence",
)


def treatment(node: Node) -> Columns:
    """Return the columns of a treatment record: beams, ion beams, brachytherapy or a treatment summary."""
    sessions = [_session(item) for keyword in _SESSIONS for item in node.items(keyword)]
    numbers = (session["CurrentFractionNumber"] for session in sessions)
    return {
        **node.plain(
            "TreatmentDate", "TreatmentTime", "NumberOfFractionsPlanned", "ReferencedFractionGroupNumber",
            "FirstTreatmentDate", "MostRecentTreatmentDate", "CurrentTreatmentStatus",
        ),
        "ContentOrigin": node.text("TreatmentRecordContentOrigin"),
        "CurrentFractionNumber": next((number for number in numbers if number), None),
        "ReferencedRTPlan": node.referenced("ReferencedRTPlanSequence"),
        "Sessions": as_json(sessions),
        "FractionGroupSummaries": as_json(map(_summary, node.items("FractionGroupSummarySequence"))),
        "NumberOfFractionsDelivered": node.text("NumberOfFractionsDelivered"),
    }  # fmt: skip


def _session(item: Node) -> dict[str, str | None]:
    number = item.text("ReferencedBeamNumber") or item.text("ReferencedBrachyApplicationSetupNumber")
    return {
        "ReferencedBeamNumber": number,
        **item.plain("CurrentFractionNumber", "TreatmentDeliveryType", "TreatmentTerminationStatus"),
        "SpecifiedMeterset": _meterset(item, "Specified"),
        "DeliveredMeterset": _meterset(item, "Delivered"),
    }


def _meterset(item: Node, which: str) -> str | None:
    """Return the meterset of a beam, else that of its last control point (control points are cumulative)."""
    if own := item.text(f"{which}PrimaryMeterset") or item.text(f"{which}Meterset"):
        return own
    points = [*item.items("ControlPointDeliverySequence"), *item.items("IonControlPointDeliverySequence")]
    return next((text for point in reversed(points) if (text := point.text(f"{which}Meterset"))), None)


def _summary(group: Node) -> dict[str, object]:
    return {
        **group.plain(
            "ReferencedFractionGroupNumber", "NumberOfFractionsPlanned", "NumberOfFractionsDelivered"
        ),
        "Fractions": [
            one.plain("ReferencedFractionNumber", "TreatmentDate", "TreatmentTerminationStatus")
            for one in group.items("FractionStatusSummarySequence")
        ],
    }


def other(node: Node) -> Columns:
    """Return no columns: no study uses objects of this kind."""
    return {}
