"""Read the top level of a DICOM file with pydicom and check that its elements end where they say.

Lengths in the file are not trusted. pydicom allocates and inflates as much as the file states. It is
therefore given a stream that is no longer than the file and that stops when a limit is exceeded.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from typing import BinaryIO, cast

from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filereader import read_dataset, read_partial, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from sarcoma_pipeline.sources.dicom_node import MODALITY, Opened
from sarcoma_pipeline.sources.dicom_pydicom_node import PydicomNode
from sarcoma_pipeline.sources.dicom_structure import ITEM, Broken, Structure, is_sequence
from sarcoma_pipeline.sources.received_record import Stopped
from schemas.configuration import Limits

_UNDEFINED = 0xFFFFFFFF
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_COMMAND_SET, _FILE_META = 0x0000, 0x0002
_SOP_CLASS = 0x00080016
_KNOWN_TAGS_WANTED = 4
_PIECE = 1024**2
_DEFLATED = DeflatedExplicitVRLittleEndian.encode("ascii")
_END_MARKS = (b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd")
"""Sequence delimitation items (PS3.5 7.5.1), little and big endian; their length is zero."""


class _Bounded:
    """The first bytes of a stream; counts the bytes that are read."""

    def __init__(self, stream: BinaryIO, size: int, limits: Limits) -> None:
        self.stream = stream
        self.size = size
        self.limits = limits
        self.held = 0
        self.reads = 0

    def read(self, count: int = -1) -> bytes:
        left = max(0, self.size - self.stream.tell())
        count = left if count < 0 else min(count, left)
        self.held += count
        self.reads += 1
        if self.held > self.limits.held_bytes or self.reads > self.limits.elements:
            raise Stopped("file", "file.too-large", "its header asks for more than a header may")
        return self.stream.read(count)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return self.stream.seek(self.size + offset)
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()


class Walk:
    """Reads the top level of a file and checks whether its elements end where they say.

    Attributes:
        seen: tags of the top level in the order of the file.
        node: the data set.
        about: the file meta information.
    """

    def __init__(self, stream: BinaryIO, size: int, wanted: Iterable[int], limits: Limits) -> None:
        self.stream = stream
        self.size = size
        self.wanted = [BaseTag(number) for number in sorted(wanted)]
        self.limits = limits
        self.seen: list[int] = []
        self._values: list[tuple[int, str | None, int, int]] = []
        self._filled: list[int] = []
        self._plain: io.BytesIO | None = None
        self._left = 0
        self.start = 0
        self.end: int | None = 0
        self.broken = False

    @property
    def begun(self) -> bool:
        """Whether there is an element of the top level."""
        return bool(self.seen)

    @property
    def last(self) -> int:
        """The tag at which the file breaks, if it breaks."""
        return self.seen[-1] if self.seen else 0

    def looks_like_dicom(self) -> bool:
        """Return whether content without a preamble has attributes that random bytes would not have."""
        known = sum(tag >> 16 == 0x0008 and dictionary_has_tag(tag) for tag in set(self.seen))
        return bool({_SOP_CLASS, MODALITY} & set(self.seen)) or known >= _KNOWN_TAGS_WANTED

    @property
    def filled(self) -> tuple[int, ...]:
        """Tags of the top level that have a value, without the one at which the file breaks."""
        filled = self._filled
        return tuple(filled[:-1] if self.broken and filled[-1:] == [self.last] else filled)

    @property
    def has_meta(self) -> bool:
        """Whether the file has a preamble and file meta information."""
        return self._dataset.preamble is not None and len(self._dataset.file_meta) > 0

    def read(self) -> None:
        """Read the wanted elements; if the file breaks off, those before the break.

        Raises:
            Stopped: the file exceeds a limit.
            Exception: any exception of pydicom on damaged content.
        """
        inflated = self._inflated()
        self._dataset = self._ordinary() if inflated is None else inflated
        self.node = PydicomNode(self._dataset, set(), self.limits, Opened())
        self.about = PydicomNode(self._dataset.file_meta, set(), self.limits, Opened())

    def _ordinary(self) -> FileDataset:
        try:
            dataset = self._pass(self.size)
        except Stopped:
            raise
        except Exception:
            dataset = None
        if dataset is None or not self._ended():
            # Inside an element without a length, a break raises an exception or gives an empty data set. Read
            # the whole part again; a second failure means damage.
            seen = list(self.seen)
            whole = self.end if self.end is not None and self.end <= self.size else self.start
            dataset = self._pass(whole)
            self.seen = seen
            self.broken = True
        elif self.end is not None:
            left = self.size - self.end
            # Fewer bytes than a tag and a length need; zeros are padding.
            self.broken = left < 0 or (0 < left < 8 and any(self._tail(left)))
        return dataset

    def items_outside(self) -> bool:
        """Return whether items or item ends stand outside a sequence: the sequence is longer than stated.

        At the end of an item pydicom stops and reads nothing after it.
        """
        return ITEM in self.seen or (self.last not in _PIXELS and self._left > 0)

    def sequences(self) -> tuple[set[int], set[int]]:
        """Check whether the sequences are whole, and remove those that are not from the data set.

        Returns:
            Tags of sequences that are not whole, and tags of any level that come twice or out of order.
        """
        if self._plain is not None:
            self.stream, self.size = self._plain, self._plain.seek(0, io.SEEK_END)
        torn, mixed_up = set(), set()
        starts = [at - (12 if vr in EXPLICIT_VR_LENGTH_32 else 8) for _, vr, _, at in self._values]
        last = -1
        for (tag, vr, length, at), following in zip(self._values, [*starts[1:], self.size], strict=True):
            if tag <= last:
                mixed_up.add(tag)
            last = tag
            open_ended = length == _UNDEFINED
            span = following - at if open_ended else length
            sequence = vr == "SQ" or (vr is None and is_sequence(tag))
            # A sequence that is not opened may be longer than allowed; a reader that opens it refuses it.
            if not sequence or span > self.limits.record_bytes:
                continue
            self.stream.seek(at)
            structure = Structure(self.stream.read(span), vr is None, bool(self._dataset.is_little_endian))
            try:
                structure.check(has_length=not open_ended)
            except Broken:
                torn.add(tag)
            mixed_up |= structure.out_of_order
        for number in torn & set(self._dataset.keys()):
            del self._dataset[number]
        return torn, mixed_up

    def _ended(self) -> bool:
        """Return whether the last element, if it has no length, ends with a delimitation item."""
        if self.end is not None or self.last in _PIXELS:
            return True
        return self._tail(min(16, self.size)).rstrip(b"\0").endswith(_END_MARKS)

    def _pass(self, size: int) -> FileDataset:
        stream = self._bounded(size)
        read = read_partial(stream, stop_when=self._note(stream), force=True, specific_tags=list(self.wanted))
        self._left = size - stream.tell()
        return read

    def _bounded(self, size: int) -> BinaryIO:
        self.stream.seek(0)
        return cast(BinaryIO, _Bounded(self.stream, size, self.limits))

    def _note(self, stream: BinaryIO):
        self.seen.clear()
        self._filled.clear()
        self._values.clear()

        def note(tag: BaseTag, vr: str | None, length: int) -> bool:
            position = stream.tell()
            self.seen.append(int(tag))
            self._values.append((int(tag), vr, length, position))
            if length:
                self._filled.append(int(tag))
            self.start = position - (12 if vr in EXPLICIT_VR_LENGTH_32 else 8)
            self.end = None if length == _UNDEFINED else position + length
            return int(tag) in _PIXELS

        return note

    def _tail(self, count: int) -> bytes:
        self.stream.seek(self.size - count)
        return self.stream.read(count)

    def _inflated(self) -> FileDataset | None:
        """Return the data set of a deflated transfer syntax (PS3.5 A.5); None for any other.

        pydicom inflates without a limit, and deflated data can grow a thousandfold.
        """
        if self.size <= _PIECE:
            # Almost no file is deflated; searching for the name is faster than parsing the file meta
            # information.
            self.stream.seek(0)
            if _DEFLATED not in self.stream.read():
                return None
        packed = self._bounded(self.size)
        try:
            preamble = read_preamble(packed, force=True)
            meta = FileMetaDataset(_group(packed, _FILE_META, implicit=False))
            if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
                return None
            _group(packed, _COMMAND_SET, implicit=True)
        except Stopped:
            raise
        except Exception:
            return None  # the ordinary pass meets the same error and finds out how much of the file is whole
        most = self.limits.held_bytes
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        plain = bytearray()
        while not inflate.eof and (piece := inflate.unconsumed_tail or packed.read(_PIECE)):
            plain += inflate.decompress(piece, _PIECE)
            if len(plain) > most:
                raise Stopped("file", "file.too-large", f"more than {most:,} bytes when inflated")
        if not inflate.eof:
            self.broken = True
            return FileDataset(io.BytesIO(), Dataset())
        self._plain = io.BytesIO(plain)
        stream = cast(BinaryIO, _Bounded(self._plain, len(plain), self.limits))
        dataset = read_dataset(
            stream,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=self._note(stream),
            specific_tags=list(self.wanted),
        )
        self._left = len(plain) - stream.tell()
        return FileDataset(io.BytesIO(), dataset, preamble, meta, False, True)


def _group(stream: BinaryIO, group: int, *, implicit: bool) -> Dataset:
    """Read a group that precedes the data set, in the encoding of PS3.10 7.1 or PS3.7 6.3."""
    return read_dataset(
        stream,
        is_implicit_VR=implicit,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: tag >> 16 != group,
    )
