"""Parse ordinary DICOM files without a library; all other files are left to pydicom.

A file is ordinary if it has a preamble, is little endian, its tags ascend at every level, its lengths add up
to the last byte, its attributes have the value representation of the dictionary, and its text is ASCII,
Latin-1 or UTF-8. From such a file exactly the same is read as by :mod:`.dicom_walk`; a test compares both on
thousands of damaged files. A file that is not ordinary raises :class:`Unordinary`; it is not judged here.

Values that are not read, such as pixels and contours, are skipped by their length. What each header means is
judged once and remembered (:mod:`.dicom_layout`).
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from sarcoma_pipeline.sources import dicom_layout_runs
from sarcoma_pipeline.sources.dicom_decode import Unordinary
from sarcoma_pipeline.sources.dicom_layout import (
    ENCODING,
    KEPT,
    LONG,
    SEQUENCE,
    SKIPPED,
    Layout,
    Layouts,
)
from sarcoma_pipeline.sources.dicom_node import TEXT_BYTES, Opened
from sarcoma_pipeline.sources.dicom_ordinary_node import Item, OrdinaryNode, Values
from schemas.configuration import Limits

_UNDEFINED = 0xFFFFFFFF
_UNKNOWN = ()
"""The place of a run that was not looked for yet."""
_TRANSFER_SYNTAX = 0x00020010
_ITEM, _ITEM_BIG_ENDIAN = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"
_ITEM_NUMBER, _SEQUENCE_END_NUMBER = 0xE000FFFE, 0xE0DDFFFE
"""Tags of item and sequence delimitation item, read as one little-endian number."""
_OPEN = sys.maxsize
"""Position of an end that has no length: a delimitation item marks it."""
_MOST_NESTED = 16
_SHALLOW = _MOST_NESTED - dicom_layout_runs.MOST_NESTED
"""Items that are nested deeper are not read at once: they could hide others that are nested too deep."""
FIRST_PIECE = 1 << 16
_READS_PER_ELEMENT = 5
"""Maximum number of read calls of pydicom per element, as ``Limits.elements`` counts them."""

_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"
_ENCAPSULATED = b"1.2.840.10008.1.2.4."
"""JPEG and its kin (PS3.5 A.4): packed pixels under headers of explicit little endian."""

_long = struct.Struct("<L").unpack_from
_two_longs = struct.Struct("<LL").unpack_from


@dataclass
class Ordinary:
    """One ordinary object; see :class:`sarcoma_pipeline.sources.dicom_node.Content`."""

    node: OrdinaryNode
    last: int
    meta: Item
    has_meta: bool = True
    broken: bool = False
    begun: bool = True

    @property
    def about(self) -> OrdinaryNode:
        """Its file meta information, which is seldom asked for."""
        return OrdinaryNode(*self.meta, set(), Opened())

    @property
    def filled(self) -> tuple[int, ...]:
        """Tags of the top level that have a value."""
        return self.node.filled

    def items_outside(self) -> bool:
        """Return False: a file with items outside a sequence is not ordinary."""
        return False

    def sequences(self) -> tuple[set[int], set[int]]:
        """Return nothing: a file with torn sequences or tags out of order is not ordinary."""
        return set(), set()


def read(stream: BinaryIO, data: bytes, size: int, layouts: Layouts, limits: Limits) -> Ordinary:
    """Parse one object.

    Args:
        stream: its file.
        data: the first piece of it.
        size: size of the file.
        layouts: the layouts that are known, of the attributes to read.
        limits: limits of size and number; a file that comes near them is not ordinary.

    Raises:
        Unordinary: the file is not ordinary.
    """
    # The file meta information begins with its length (PS3.10 7.1).
    if data[128:140] != b"DICM\x02\0\0\0UL\x04\0" or len(data) < min(size, FIRST_PIECE):
        raise Unordinary
    try:
        end = 144 + _long(data, 140)[0]
        meta, about, _ = _item(data, 144, end - 144, layouts.begin(), 0)
        # pydicom ends the file meta information at the first other group, not at its stated length.
        if end > len(data) or data[end : end + 2] in (b"\x02\0", b"\0\0"):
            raise Unordinary
        first = layouts.first(layouts.tree, _is_implicit(meta, about), "latin-1", "top")
        layout, values = _Top(stream, data, size, limits).read(first, end)
    except struct.error:
        raise Unordinary from None
    return Ordinary(OrdinaryNode(layout, values, set(), Opened()), layout.last, (meta, about))


def _is_implicit(meta: Layout, about: Values) -> bool:
    place, vr, _ = meta.places.get(_TRANSFER_SYNTAX, (-1, b"", False))
    if vr != b"UI":
        raise Unordinary
    name = about[place].rstrip(b"\0 ")
    if name != _IMPLICIT and name != _EXPLICIT and not name.startswith(_ENCAPSULATED):
        raise Unordinary
    return name == _IMPLICIT


class _Top:
    """Parses the top level of a file and holds one piece of it at a time."""

    def __init__(self, stream: BinaryIO, data: bytes, size: int, limits: Limits) -> None:
        self.stream, self.size, self.limits = stream, size, limits
        self.open_ended = 0
        """Number of bytes of sequences without a length, which pydicom reads element by element."""
        self.held = 0
        """Number of bytes of values and sequences that pydicom would read."""
        self._hold(data, 0)

    def _hold(self, data: bytes, base: int) -> None:
        self.data, self.base = data, base
        # A header has up to 12 bytes; one at the end of a piece is read with the next piece.
        self.most = len(data) if base + len(data) >= self.size else len(data) - 11

    def read(self, layout: Layout, at: int) -> tuple[Layout, Values]:
        """Parse all elements from a position on; return the layout and the kept values."""
        values: list[Any] = []
        keep = values.append
        data, most, meta, left = self.data, self.most, at, 0
        while True:
            if at >= most:
                left = self.size - self.base - at
                if left <= 0:
                    break
                at = self._have(at, min(12, left))
                data, most = self.data, self.most
            if layout.run is not None:
                heads, expected, cut, length, after = layout.run
                if at + length <= len(data) and heads(data, at) == expected:
                    if cut is not None:
                        values += cut(data, at)
                    at += length
                    layout = after
                    continue
            kind, jump, after = layout[data[at : at + 8]]
            if kind == SKIPPED:
                at += jump
                layout = after
            elif kind in (KEPT, ENCODING):
                if at + jump > len(data):
                    at = self._have(at, jump)
                    data, most = self.data, self.most
                value = data[at + 8 : at + jump]
                keep(value)
                at += jump
                layout = after if kind == KEPT else layout.encoded(value)
            elif kind == SEQUENCE:
                with_content, without, items, kept = after
                (length,) = _long(data, at + jump - 4)
                layout = with_content if length else without
                value, at = self._sequence(at + jump, length, items)
                data, most = self.data, self.most
                if kept:
                    keep(value)
            elif kind == LONG:
                with_content, without, kept = after
                (length,) = _long(data, at + 8)
                layout = with_content if length else without
                if length == _UNDEFINED or (kept and length > TEXT_BYTES):
                    raise Unordinary
                at += 12
                if kept:
                    at = self._have(at, length)
                    data, most = self.data, self.most
                    keep(data[at : at + length])
                at += length
            else:
                layout = self._pixels(data, at, after)
                break
        # Of kept sequences only their items are counted here; `_sequence` counts their bytes.
        self.held += sum(map(len, values))
        if left < 0 or not layout.depth or not self._within_limits(meta, layout.depth):
            raise Unordinary
        return layout, values

    def _pixels(self, data: bytes, at: int, after: tuple[Layout, Layout, int | None]) -> Layout:
        """Return the layout with the pixels; the file must hold them, what follows them is not read."""
        with_content, without, length = after
        at += 8
        if length is None:
            (length,) = _long(data, at)
            at += 4
        left = 0 if length == _UNDEFINED else self.size - self.base - at - length
        if left < 0 or 0 < left < 8:
            raise Unordinary
        return with_content if length else without

    def _sequence(self, at: int, length: int, first: Layout) -> tuple[list[Item], int]:
        """Parse a sequence; return its items and the position behind it."""
        open_ended = length == _UNDEFINED
        left = self.size - self.base - at
        span = left if open_ended else length
        if span > left or span > self.limits.record_bytes:
            raise Unordinary
        at = self._have(at, span)
        items, end = _sequence(self.data, at, _OPEN if open_ended else at + length, first, 0)
        read = end - at
        if read // 4 > self.limits.items and any(
            self.data.count(mark, at, end) > self.limits.items for mark in (_ITEM, _ITEM_BIG_ENDIAN)
        ):
            raise Unordinary
        if open_ended:
            self.open_ended += read
        self.held += read
        return items, end

    def _have(self, at: int, count: int) -> int:
        """Load the piece of the file that holds a span of bytes; return the position of the span in it."""
        if at + count <= len(self.data):
            return at
        place = self.base + at
        if place + count > self.size:
            raise Unordinary
        self.stream.seek(place)
        self._hold(self.stream.read(max(count, FIRST_PIECE)), place)
        if len(self.data) < count:
            raise Unordinary
        return 0

    def _within_limits(self, meta: int, elements: int) -> bool:
        """Return whether pydicom would read the file within the limits, too."""
        reads = _READS_PER_ELEMENT * (elements + (self.open_ended + meta) // 8 + 1)
        held = self.held + self.open_ended + meta
        return reads <= self.limits.elements and 2 * held + 12 * reads <= self.limits.held_bytes


def _sequence(data: bytes, at: int, end: int, first: Layout, depth: int) -> tuple[list[Item], int]:
    """Parse the items of a sequence from a position on.

    Args:
        data: the bytes that hold it.
        at: position of its first item.
        end: position of its end.
        first: first layout of its items.
        depth: level of nesting.

    Returns:
        The items (none if none is read) and the position after the sequence.
    """
    if depth > _MOST_NESTED:
        raise Unordinary
    items: list[Item] = []
    while at < end:
        mark, length = _two_longs(data, at)
        at += 8
        if mark == _ITEM_NUMBER:
            layout, values, at = _item(data, at, length, first, depth)
            if first.keeps:
                items.append((layout, values))
        elif mark == _SEQUENCE_END_NUMBER and end == _OPEN and not length:
            return items, at
        else:
            raise Unordinary
    if at != end:
        raise Unordinary
    return items, at


def _item(data: bytes, at: int, length: int, first: Layout, depth: int) -> tuple[Layout, Values, int]:
    """Parse an item, or the file meta information, at once if another one had the same headers.

    Args:
        data: the bytes that hold it.
        at: position of its first element.
        length: its length as stated.
        first: its first layout.
        depth: level of nesting.

    Returns:
        The layout, the kept values, and the position after the data set.
    """
    whole = first.wholes.get(length, _UNKNOWN) if depth <= _SHALLOW else None
    if whole:
        heads, expected, cut, _, layout = whole
        if heads(data, at) == expected:
            return layout, () if cut is None else cut(data, at), at + length
    open_ended = length == _UNDEFINED
    layout, values, end = _data_set(data, at, _OPEN if open_ended else at + length, first, depth)
    if whole is _UNKNOWN and not open_ended:
        first.learn(data, at, length)
    return layout, values, end


def _data_set(data: bytes, at: int, end: int, layout: Layout, depth: int) -> tuple[Layout, Values, int]:
    """Parse the elements of a data set one by one, or those of a run."""
    values: list[Any] = []
    # In a damaged file, an item may be longer than the data.
    whole = end if end < len(data) else len(data)
    while at < end:
        if layout.run is not None:
            heads, expected, cut, length, after = layout.run
            if at + length <= whole and heads(data, at) == expected:
                if cut is not None:
                    values += cut(data, at)
                at += length
                layout = after
                continue
        kind, jump, after = layout[data[at : at + 8]]
        if kind == SKIPPED:
            at += jump
            layout = after
        elif kind == KEPT:
            stop = at + jump
            values.append(data[at + 8 : stop])
            at = stop
            layout = after
        elif kind == SEQUENCE:
            with_content, without, items, kept = after
            (length,) = _long(data, at + jump - 4)
            at += jump
            layout = with_content if length else without
            value, at = _sequence(data, at, _OPEN if length == _UNDEFINED else at + length, items, depth + 1)
            if kept:
                values.append(value)
        elif kind == LONG:
            with_content, without, kept = after
            (length,) = _long(data, at + 8)
            at += 12
            layout = with_content if length else without
            if kept:
                values.append(data[at : at + length])
            at += length
        elif end == _OPEN:
            return layout, values, at + 8
        else:
            raise Unordinary
    if at != end:
        raise Unordinary
    return layout, values, at
