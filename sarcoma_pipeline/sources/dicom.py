"""DICOM RT files to received frames: the header of one object a file, nothing judged, no pixel read.

What an object is, its SOP class tells, and ``Modality`` where the class is missing or a vendor's own. A file
that breaks off gives a record only if what curation calculates with stands whole before the break: half a
list of prescriptions would be a wrong dose, not a missing one.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import BinaryIO

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from sarcoma_pipeline.sources.dicom_walk import MODALITY, Walk
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from schemas import received as r
from schemas.configuration import DEFAULT_LIMITS, DicomSource, Limits

_FIRST_GROUPS = frozenset(g.to_bytes(2, order) for g in (0x0002, 0x0008) for order in ("little", "big"))
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_ITEM_GROUP = 0xFFFE
_UNDEFINED = 0xFFFFFFFF
_NUMERIC = frozenset({"DS", "IS"})
_ASCII = _NUMERIC | {"CS", "DA", "TM", "UI"}
"""Value representations of the default repertoire (PS3.5 6.2): their bytes are their text."""
_TEXT_BYTES = 65_536
"""No value representation that the study reads may be longer (PS3.5 6.2: 64 values of 1 kB)."""
_NOT_TREATING = frozenset({"SETUP", "OPEN_PORTFILM"})
"""Beams that only take an image (TreatmentDeliveryType, DICOM PS3.3 C.8.8.14)."""


def read(file: SourceFile, _: DicomSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one DICOM file.

    Args:
        file: the file.
        _: its source; every file is read alike.
        refresh: id of the refresh that reads it.
        limits: what the file may ask for.

    Returns:
        At most one record of ``received.dicom_*`` and, for what could not be read, ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    with _silence(), batch.guarded(), open_file(file.path) as stream:
        _read(batch, stream)
    return batch


@contextmanager
def _silence() -> Iterator[None]:
    """Mute pydicom: its warnings quote the values that they complain of, a patient's among them."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _read(batch: Batch, stream: BinaryIO) -> None:
    head = stream.read(132)
    size = stream.seek(0, io.SEEK_END)
    if size == 0:
        batch.unread("file", "file.empty", "no content")
        return
    prefixed = head[128:] == b"DICM"
    if not prefixed and head[:2] not in _FIRST_GROUPS:
        batch.unread("file", "file.wrong-format", "the content is not DICOM")
        return
    walk = Walk(stream, size, _WANTED, batch.limits)
    try:
        dataset = walk.read()
    except Stopped:
        raise
    except Exception as broken:  # pydicom documents no exceptions of its own for damaged content
        if prefixed:
            batch.unread("file", "file.unreadable", f"pydicom gives up: {type(broken).__name__}")
        else:
            batch.unread("file", "file.wrong-format", "the content is not DICOM")
        return
    if not prefixed and not walk.looks_like_dicom():
        batch.unread("file", "file.wrong-format", "the content is not DICOM")
        return
    _take(batch, dataset, walk)


@cache
def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return BaseTag(tag)


class _Node:
    """A data set of which any attribute may be missing or damaged."""

    def __init__(self, dataset: Dataset, faults: set[str], limits: Limits) -> None:
        self.dataset = dataset
        self.faults = faults
        self.limits = limits

    def _raw(self, keyword: str) -> object:
        """The element's value, not yet parsed if pydicom can hand it over so."""
        try:
            return self.dataset.get_item(_tag(keyword)).value
        except Exception:
            self.faults.add(keyword)
            return None

    def _plain(self, keyword: str) -> str | None:
        """The text of an element that needs no parsing; None if it does, or is not there."""
        try:
            element = self.dataset.get_item(_tag(keyword))
        except Exception:
            return None
        if not isinstance(element, RawDataElement) or element.VR not in _ASCII:
            return None
        raw = element.value
        if not isinstance(raw, bytes) or len(raw) > _TEXT_BYTES or not raw.isascii():
            return None
        text = raw.decode("ascii").rstrip(" \0")
        return "\\".join(map(str.strip, text.split("\\"))) if element.VR in _NUMERIC else text

    def _claims(self, keyword: str) -> bytes:
        """The element's bytes while they are bytes: parsing multiplies them by a hundred."""
        raw = self._raw(keyword)
        return raw if isinstance(raw, bytes) else b""

    def text(self, keyword: str) -> str | None:
        """The value as it was delivered; several values are joined by the backslash of DICOM."""
        if (plain := self._plain(keyword)) is not None:
            return plain
        if _tag(keyword) not in self.dataset:
            return None
        if len(self._claims(keyword)) > _TEXT_BYTES:
            self.faults.add(keyword)
            return None
        try:
            value = self.dataset[keyword].value
        except Exception:
            # "1.5" where a whole number belongs: curation judges it, so it is handed on as it stands.
            value = self._raw(keyword)
        if isinstance(value, Sequence):
            self.faults.add(keyword)
            return None
        if isinstance(value, bytes):
            return value.decode("latin-1").strip(" \0")
        if isinstance(value, MultiValue):
            return "\\".join(map(str, value))
        return None if value is None else str(value)

    def values(self, keyword: str) -> list[str]:
        """The single values of an attribute."""
        text = self.text(keyword)
        return text.split("\\") if text else []

    def items(self, keyword: str) -> list[_Node]:
        """Items of a sequence; one that cannot be parsed is noted among the faults."""
        if _tag(keyword) not in self.dataset:
            return []
        claims = self._claims(keyword)
        items = max(claims.count(mark) for mark in _ITEMS)
        if len(claims) > self.limits.record_bytes or items > self.limits.items:
            raise Stopped(f"file {keyword}", "file.too-large", f"{len(claims):,} bytes, {items:,} items")
        try:
            value = self.dataset[keyword].value
        except Exception:
            value = None
        # An item that is longer than it says takes the next one's place: two doses would become one.
        if not isinstance(value, Sequence) or not _are_whole(claims) or any(map(_swallowed, value)):
            self.faults.add(keyword)
            return []
        return [_Node(item, self.faults, self.limits) for item in value]

    def referenced(self, keyword: str) -> str | None:
        """ReferencedSOPInstanceUID of the first item of a sequence."""
        return next((item.text("ReferencedSOPInstanceUID") for item in self.items(keyword)), None)


def _are_whole(claims: bytes) -> bool:
    """Whether the items of a sequence end where they say; what has no length yet is for the parser to see."""
    start = 0
    while start < len(claims):
        if (mark := claims[start : start + 4]) not in _ITEMS:
            return False
        length = int.from_bytes(claims[start + 4 : start + 8], "little" if mark == _ITEMS[0] else "big")
        if length == _UNDEFINED:
            return True
        start += 8 + length
    return start == len(claims)


def _swallowed(dataset: Dataset) -> bool:
    """Whether an item holds the mark of another: it was read past its end."""
    return max(dataset.keys(), default=0) >> 16 >= _ITEM_GROUP


def _take(batch: Batch, dataset: FileDataset, walk: Walk) -> None:
    meta = dataset.file_meta
    node = _Node(dataset, set(), batch.limits)
    about = _Node(meta, set(), batch.limits)
    sop_class = node.text("SOPClassUID") or about.text("MediaStorageSOPClassUID")
    contract, needed, columns = _kind(sop_class, node.text("Modality"))
    if walk.broken:
        batch.unread("file", "file.truncated", "the file is shorter than its elements say")
        if walk.last <= needed:
            return
    elif not walk.seen or (walk.last < needed and contract is not r.DicomOther):
        batch.unread("file", "file.truncated", "the file ends before the attributes of its kind")
        return
    instance = node.text("SOPInstanceUID") or about.text("MediaStorageSOPInstanceUID")
    values = {name: node.text(name) for name in _COMMON} | {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": instance,
        "file_meta": "yes" if dataset.preamble is not None and len(meta) else "no",
    }
    batch.add(contract, "file", (instance,), values | columns(node), frozenset({"file_meta"}))
    if not walk.broken:
        for keyword in sorted(node.faults):
            batch.unread(f"file {keyword}", "file.unreadable", f"{keyword} cannot be parsed")


# --- kinds of objects ---------------------------------------------------------------------------------

Columns = dict[str, str | None]


def _json(values: Iterable[object]) -> str | None:
    listed = list(values)
    return json.dumps(listed, ensure_ascii=False) if listed else None


def _plain(node: _Node, *keywords: str) -> Columns:
    return {keyword: node.text(keyword) for keyword in keywords}


def _group_dose(group: _Node) -> str | None:
    """BeamDose summed over the beams of a fraction group, in decimals as DICOM writes them."""
    doses = [beam.text("BeamDose") for beam in group.items("ReferencedBeamSequence")]
    try:
        known = [Decimal(dose.strip()) for dose in doses if dose]
    except InvalidOperation:
        return None
    return str(sum(known)) if known else None


def _beam(beam: _Node) -> dict[str, object]:
    points = beam.items("ControlPointSequence")
    energies = (point.text("NominalBeamEnergy") for point in points)
    turns = (point.text("GantryRotationDirection") for point in points)
    return {
        **_plain(beam, "BeamType", "RadiationType", "TreatmentMachineName"),
        "NominalBeamEnergy": next((energy for energy in energies if energy), None),
        "GantryRotationDirection": list(dict.fromkeys(turn for turn in turns if turn)),
        **_plain(beam, "ManufacturerModelName", "TreatmentDeliveryType"),
    }


def _plan(node: _Node) -> Columns:
    groups = node.items("FractionGroupSequence")
    names = (
        "DoseReferenceType",
        "DoseReferenceStructureType",
        "DoseReferenceDescription",
        "TargetPrescriptionDose",
    )
    return {
        **_plain(node, "RTPlanLabel", "RTPlanDate", "PlanIntent", "ApprovalStatus"),
        "ReferencedStructureSet": node.referenced("ReferencedStructureSetSequence"),
        "NumberOfFractionsPlanned": _json([g.text("NumberOfFractionsPlanned") for g in groups]),
        "TargetPrescriptionDose": _json([_plain(d, *names) for d in node.items("DoseReferenceSequence")]),
        "BeamDose": _json([_group_dose(group) for group in groups]),
        "Beams": _json(
            [
                _beam(beam)
                for beam in node.items("BeamSequence")
                if beam.text("TreatmentDeliveryType") not in _NOT_TREATING
            ]
        ),
    }


def _structure_set(node: _Node) -> Columns:
    frames = node.items("ReferencedFrameOfReferenceSequence")
    regions = node.items("StructureSetROISequence")
    kinds = {
        observed.text("ReferencedROINumber"): observed.text("RTROIInterpretedType")
        for observed in node.items("RTROIObservationsSequence")
    }
    series = [
        one.text("SeriesInstanceUID")
        for frame in frames
        for study in frame.items("RTReferencedStudySequence")
        for one in study.items("RTReferencedSeriesSequence")
    ]
    # The frame of reference module is not part of a structure set: its own sequence names it.
    of_sequence = next((frame.text("FrameOfReferenceUID") for frame in frames), None)
    return {
        **_plain(node, "StructureSetLabel", "StructureSetDate"),
        "FrameOfReferenceUID": node.text("FrameOfReferenceUID") or of_sequence,
        "ROIName": _json([region.text("ROIName") for region in regions]),
        "RTROIInterpretedType": _json([kinds.get(region.text("ROINumber")) for region in regions]),
        "ReferencedSeries": _json([one for one in series if one]),
    }


def _dose(node: _Node) -> Columns:
    return {
        **_plain(node, "DoseUnits", "DoseType", "DoseSummationType", "DoseGridScaling"),
        "ReferencedRTPlan": node.referenced("ReferencedRTPlanSequence"),
    }


def _image(node: _Node) -> Columns:
    return {
        **_plain(node, "SliceThickness", "KVP"),
        "PixelSpacing": _json(node.values("PixelSpacing")),
        "ImagePositionPatient": _json(node.values("ImagePositionPatient")),
    }


def _treatment(node: _Node) -> Columns:
    beams = node.items("TreatmentSessionBeamSequence")
    return {
        **_plain(node, "TreatmentDate", "NumberOfFractionsPlanned"),
        "CurrentFractionNumber": next((b.text("CurrentFractionNumber") for b in beams), None),
        "ReferencedRTPlan": node.referenced("ReferencedRTPlanSequence"),
    }


def _other(node: _Node) -> Columns:
    return {}


Kind = tuple[type[r.DicomRecord], int, Callable[[_Node], Columns]]

_KINDS: dict[str, Kind] = {
    "RTPLAN": (r.DicomPlan, 0x300A0070, _plan),
    "RTSTRUCT": (r.DicomStructureSet, 0x30060020, _structure_set),
    "RTDOSE": (r.DicomDose, 0x300C0002, _dose),
    "CT": (r.DicomImage, 0x00280030, _image),
    "RTRECORD": (r.DicomTreatment, 0x300C0002, _treatment),
}
"""Modality to received table, the tag that must stand whole before a break for the record to be of use, and
how its columns are had. An object that ends before that tag has no content of its kind."""

_OTHER: Kind = (r.DicomOther, MODALITY, _other)

_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.481.5": "RTPLAN",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT",
    "1.2.840.10008.5.1.4.1.1.481.2": "RTDOSE",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.481.4": "RTRECORD",
}
"""SOP classes that the study uses (DICOM PS3.4 B.5) to the modality of their objects."""


def _kind(sop_class: str | None, modality: str | None) -> Kind:
    if sop_class in _CLASSES:
        return _KINDS[_CLASSES[sop_class]]
    # An ion plan or an enhanced CT keeps its attributes elsewhere: only a class that the standard does not
    # know is settled by the modality.
    known = sop_class is not None and UID(sop_class).name != sop_class
    return _OTHER if known else _KINDS.get((modality or "").strip(), _OTHER)


_COMMON = tuple(name for name in r.DicomRecord.polars_schema() if name not in (*r.PROVENANCE, "file_meta"))

_SEQUENCES = (
    "ReferencedStructureSetSequence",
    "FractionGroupSequence",
    "DoseReferenceSequence",
    "BeamSequence",
    "ReferencedFrameOfReferenceSequence",
    "StructureSetROISequence",
    "RTROIObservationsSequence",
    "ReferencedRTPlanSequence",
    "TreatmentSessionBeamSequence",
)
_WANTED = sorted(
    BaseTag(tag)
    for kind in (r.DicomPlan, r.DicomStructureSet, r.DicomDose, r.DicomImage, r.DicomTreatment)
    for keyword in (*kind.polars_schema(), *_SEQUENCES)
    if (tag := tag_for_keyword(keyword)) is not None
)
"""Contours, overlays and private attributes are passed over on the disk instead of being loaded."""
