"""Read DICOM RT files into received frames: the header of one object per file; pixels are not read.

An archive (ZIP) is read like a folder: its entries are files.

The SOP class determines the kind of an object; ``Modality`` is used if the class is missing or a vendor's
own. A truncated file gives a record only if all attributes that curation calculates with are complete:
half a list of prescriptions would be a wrong dose, not a missing one.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import BinaryIO

from sarcoma_pipeline.sources import (
    dicom_account,
    dicom_archive,
    dicom_objects,
    dicom_ordinary,
    dicom_plan,
    dicom_tag_tree,
)
from sarcoma_pipeline.sources.dicom_decode import Unordinary
from sarcoma_pipeline.sources.dicom_layout import Layouts
from sarcoma_pipeline.sources.dicom_node import MODALITY, Content, Node
from sarcoma_pipeline.sources.drop_folder import Whole, content_or_stream
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from schemas import received as r
from schemas.configuration import DEFAULT_LIMITS, DicomSource, Limits

_FIRST_GROUPS = frozenset(g.to_bytes(2, order) for g in (0x0002, 0x0008) for order in ("little", "big"))


def read(file: SourceFile, _: DicomSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one DICOM file, or the files of an archive.

    Args:
        file: the file.
        _: its source; not used, because every file is read the same way.
        refresh: id of the refresh that reads it.
        limits: limits of size and number.

    Returns:
        At most one record of ``received.dicom_*`` per object, and ``received.unread`` for unreadable parts.
    """
    batch = Batch(file, refresh, limits)
    with batch.guarded():
        found = content_or_stream(file.path, dicom_ordinary.FIRST_PIECE)
        if isinstance(found, Whole):
            data, batch.seen = found
            _read(batch, io.BytesIO(data), data, len(data))
        else:
            with found as stream:
                head = stream.read(dicom_ordinary.FIRST_PIECE)
                _read(batch, stream, head, stream.seek(0, io.SEEK_END))
    return batch


@contextmanager
def _silence() -> Iterator[None]:
    """Mute pydicom, because its warnings quote values, which may identify a patient."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _read(batch: Batch, stream: BinaryIO, head: bytes, size: int) -> None:
    if not head.startswith(dicom_archive.MARKS):
        _read_object(batch, stream, head, size)
        return
    for position, entry in dicom_archive.entries(stream, size, batch.limits):
        try:
            if isinstance(entry, Stopped):
                raise entry
            start = entry.read(dicom_ordinary.FIRST_PIECE)
            _read_object(batch, entry, start, entry.seek(0, io.SEEK_END), position)
        except Stopped as stopped:
            if batch.count >= batch.limits.records:
                raise
            # An entry that exceeds a limit does not stop the others.
            batch.unread(position, stopped.rule_id, stopped.detail)
    rows = batch.rows
    if set(rows) == {r.Unread} and {row["rule_id"] for row in rows[r.Unread]} == {_NOT_DICOM[0]}:
        batch.discard()
        batch.unread("file", "file.wrong-format", "an archive without a DICOM file")


_NOT_DICOM = ("file.wrong-format", "the content is not DICOM")


def _read_object(batch: Batch, stream: BinaryIO, head: bytes, size: int, position: str = "file") -> None:
    """Read one object.

    Args:
        batch: collects its record.
        stream: the file.
        head: its first piece.
        size: size of the file.
        position: position of the file in an archive.
    """
    if size == 0:
        batch.unread(position, "file.empty", "no content")
        return
    prefixed = head[128:132] == b"DICM"
    if not prefixed and head[:2] not in _FIRST_GROUPS:
        batch.unread(position, *_NOT_DICOM)
        return
    try:
        ordinary = dicom_ordinary.read(stream, head, size, _LAYOUTS, batch.limits)
        _take(batch, ordinary, position)
    except Unordinary:
        batch.by_library += 1
        with _silence():
            _read_with_pydicom(batch, stream, size, position, prefixed=prefixed)


def _read_with_pydicom(batch: Batch, stream: BinaryIO, size: int, position: str, *, prefixed: bool) -> None:
    """Read an object that is not ordinary with pydicom, and check what pydicom accepted."""
    # Imported on demand: the import takes as long as reading a thousand ordinary files.
    from sarcoma_pipeline.sources.dicom_walk import Walk

    walk = Walk(stream, size, _TREE, batch.limits)
    try:
        walk.read()
    except Stopped:
        raise
    except Exception as broken:  # pydicom documents no exceptions for damaged content
        if prefixed:
            batch.unread(position, "file.unreadable", f"pydicom gives up: {type(broken).__name__}")
        else:
            batch.unread(position, *_NOT_DICOM)
        return
    if not prefixed and not walk.looks_like_dicom():
        batch.unread(position, *_NOT_DICOM)
        return
    _take(batch, walk, position)


def _take(batch: Batch, content: Content, position: str) -> None:
    """Add the record of an object; the values read do not depend on the parser."""
    node = content.node
    sop_class = node.text("SOPClassUID") or content.about.text("MediaStorageSOPClassUID")
    kind = _kind(sop_class, node.text("Modality"))
    if content.broken:
        batch.unread(position, "file.truncated", "the file is shorter than its elements say")
        if content.last <= kind.needed:
            return
    elif not content.begun or (content.last < (kind.begins or kind.needed) and kind is not _OTHER):
        batch.unread(position, "file.truncated", "the file ends before the attributes of its kind")
        return
    if not content.broken and content.items_outside():
        batch.unread(position, "file.unreadable", "an item stands outside its sequence: a length is wrong")
        return
    torn, mixed_up = content.sequences()
    node.faults.update(map(dicom_account.name, torn))
    instance = node.text("SOPInstanceUID") or content.about.text("MediaStorageSOPInstanceUID")
    values = kind.columns(node)
    values["SOPClassUID"], values["SOPInstanceUID"] = sop_class, instance
    values["file_meta"] = "yes" if content.has_meta else "no"
    batch.add(kind.contract, position, (instance,), values, _OF_THE_FILE)
    dicom_account.take(batch.account, kind.declared, content.filled, node, used=kind is not _OTHER)
    if not content.broken and (node.faults or mixed_up or node.opened.several):
        _note_faults(batch, node, mixed_up, position)


def _note_faults(batch: Batch, node: Node, mixed_up: set[int], position: str) -> None:
    """Note attributes that cannot be parsed, and those of which only one of several values was read."""
    for keyword in sorted(node.faults):
        batch.unread(f"{position} {keyword}", "file.unreadable", f"{keyword} cannot be parsed")
    again = {dicom_account.name(number) for number in mixed_up} | node.opened.several
    for keyword in sorted(again):
        batch.unread(
            f"{position} {keyword}",
            "file.attribute-repeated",
            f"{keyword} has several items, stands twice or out of the order of tags",
        )


_OF_THE_FILE = frozenset({"file_meta", "InstanceCreationDate"})
"""Columns that describe the file: the same object exported on another day has the same content."""

# --- kinds of objects ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """The reading of one kind of object.

    Attributes:
        contract: its received table.
        needed: the last tag that must be complete for a truncated file to give a record.
        own: function that reads the columns of this kind only.
    """

    contract: type[r.DicomRecord]
    needed: int
    own: Callable[[Node], dict[str, str | None]]
    begins: int | None = None
    """An object that ends before this tag has no content of its kind; None: ``needed`` is used."""

    def columns(self, node: Node) -> dict[str, str | None]:
        """Return all columns."""
        columns = node.plain(*_COMMON)
        columns.update(self.own(node))
        return columns

    @cached_property
    def declared(self) -> dicom_account.Kind:
        """The attributes read from an object of this kind."""
        return dicom_account.declared(self.columns)


_COMMON = tuple(name for name in r.DicomRecord.polars_schema() if name not in (*r.PROVENANCE, "file_meta"))

_PLAN = Kind(r.DicomPlan, 0x300A0070, dicom_plan.columns)
_IMAGE = Kind(r.DicomImage, 0x00280030, dicom_objects.image)
_ENHANCED = Kind(r.DicomImage, 0x52009229, dicom_objects.enhanced_image)
_STRUCTURES = Kind(r.DicomStructureSet, 0x30060020, dicom_objects.structure_set)
_DOSE = Kind(r.DicomDose, 0x300C0002, dicom_objects.dose)
_TREATMENT = Kind(r.DicomTreatment, 0x300C0002, dicom_objects.treatment, begins=0x30080020)
_OTHER = Kind(r.DicomOther, MODALITY, dicom_objects.other)

_MODALITIES = {
    "RTPLAN": _PLAN, "RTSTRUCT": _STRUCTURES, "RTDOSE": _DOSE, "CT": _IMAGE, "RTRECORD": _TREATMENT,
}  # fmt: skip

_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": _IMAGE,
    "1.2.840.10008.5.1.4.1.1.2.1": _ENHANCED,
    "1.2.840.10008.5.1.4.1.1.481.2": _DOSE,
    "1.2.840.10008.5.1.4.1.1.481.3": _STRUCTURES,
    "1.2.840.10008.5.1.4.1.1.481.4": _TREATMENT,
    "1.2.840.10008.5.1.4.1.1.481.5": _PLAN,
    "1.2.840.10008.5.1.4.1.1.481.6": _TREATMENT,
    "1.2.840.10008.5.1.4.1.1.481.7": _TREATMENT,
    r.ION_PLAN: _PLAN,
    "1.2.840.10008.5.1.4.1.1.481.9": _TREATMENT,
}
"""SOP classes that the study uses (DICOM PS3.4 B.5): images, doses, structure sets, plans of photons,
electrons, brachytherapy (481.5) and ions (481.8), and their treatment records (481.4, 6, 7 and 9)."""


def _kind(sop_class: str | None, modality: str | None) -> Kind:
    if sop_class in _CLASSES:
        return _CLASSES[sop_class]
    told = _MODALITIES.get((modality or "").strip(), _OTHER)
    # The modality decides only for a class that the standard does not define: a vendor's own.
    return _OTHER if told is _OTHER or _is_standard(sop_class) else told


@cache
def _is_standard(sop_class: str | None) -> bool:
    from pydicom.uid import UID

    return sop_class is not None and UID(sop_class).name != sop_class


_TREE = dicom_tag_tree.joined(
    kind.declared.tree for kind in (_PLAN, _IMAGE, _ENHANCED, _STRUCTURES, _DOSE, _TREATMENT, _OTHER)
)
"""Attributes to load; contours, overlays and private attributes are skipped on disk."""
_LAYOUTS = Layouts(_TREE)
