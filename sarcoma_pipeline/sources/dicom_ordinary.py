"""Parse ordinary DICOM files without a library; all other files are left to pydicom.

A file is ordinary if it has a preamble, is little endian, its tags ascend at every level, its lengths add up
to the last byte, its attributes have the value representation of the dictionary, and its text is ASCII,
Latin-1 or UTF-8. From such a file exactly the same is read as by :mod:`.dicom_walk`; a test compares both on
thousands of damaged files. A file that is not ordinary raises :class:`Unordinary`; it is not judged here.

Values that are not read, such as pixels and contours, are skipped by their length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, TypeAlias

from sarcoma_pipeline.sources.dicom_dictionary import representation
from sarcoma_pipeline.sources.dicom_node import TEXT_BYTES
from sarcoma_pipeline.sources.dicom_ordinary_node import OrdinaryNode, Shared, Unordinary
from sarcoma_pipeline.sources.dicom_tag_tree import Tree
from schemas.configuration import Limits

_UNDEFINED = 0xFFFFFFFF
_TRANSFER_SYNTAX = 0x00020010
_CHARACTER_SET = 0x00080005
_FIRST_PIXELS = 0x7FE00008
_PIXELS = frozenset({_FIRST_PIXELS, 0x7FE00009, 0x7FE00010})
_BEFORE_DATA = 0x0007FFFF
"""Tags up to here belong to commands and file meta information, not to a data set."""
_ITEM, _ITEM_BIG_ENDIAN = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"
_ITEM_END, _SEQUENCE_END = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_MOST_NESTED = 16
FIRST_PIECE = 1 << 16
_READS_PER_ELEMENT = 5
"""Maximum number of read calls of pydicom per element, as ``Limits.elements`` counts them."""

_SHORT_FORM = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_LONG_FORM = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
_HEAD = {vr.encode(): 8 for vr in _SHORT_FORM.split()} | {vr.encode(): 12 for vr in _LONG_FORM.split()}
"""Value representation to the number of bytes before the value (PS3.5 7.1.2)."""

_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"
_ENCAPSULATED = b"1.2.840.10008.1.2.4."
"""JPEG and its kin (PS3.5 A.4): packed pixels under headers of explicit little endian."""
_ENCODINGS = {b"": "latin-1", b"ISO_IR 6": "latin-1", b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}
"""Specific Character Set (PS3.3 C.12.1.1.2) to encoding; without one, pydicom decodes Latin-1."""

_explicit_head = struct.Struct("<HH2sH").unpack_from
_implicit_head = struct.Struct("<HHL").unpack_from
_long = struct.Struct("<L").unpack_from


@dataclass
class Ordinary:
    """One ordinary object; see :class:`sarcoma_pipeline.sources.dicom_node.Content`."""

    node: OrdinaryNode
    about: OrdinaryNode
    last: int
    has_meta: bool = True
    broken: bool = False
    begun: bool = True

    @property
    def filled(self) -> list[int]:
        """Tags of the top level that have a value."""
        return self.node.filled

    def items_outside(self) -> bool:
        """Return False: a file with items outside a sequence is not ordinary."""
        return False

    def sequences(self) -> tuple[set[int], set[int]]:
        """Return nothing: a file with torn sequences or tags out of order is not ordinary."""
        return set(), set()


def read(stream: BinaryIO, data: bytes, size: int, tree: Tree, limits: Limits) -> Ordinary:
    """Parse one object.

    Args:
        stream: its file.
        data: the first piece of it.
        size: size of the file.
        tree: the attributes to read.
        limits: limits of size and number; a file that comes near them is not ordinary.

    Raises:
        Unordinary: the file is not ordinary.
    """
    if data[128:132] != b"DICM" or len(data) < min(size, FIRST_PIECE):
        raise Unordinary
    try:
        about, at = _about(data)
        shared = Shared(_is_implicit(about))
        return _Top(stream, data, size, shared, limits).read(about, at, tree)
    except (struct.error, UnicodeDecodeError):
        raise Unordinary from None


def _about(data: bytes) -> tuple[OrdinaryNode, int]:
    """Return the file meta information and where it ends (PS3.10 7.1)."""
    node = OrdinaryNode(Shared())
    if data[132:140] != b"\x02\0\0\0UL\x04\0":
        raise Unordinary
    end = 144 + _long(data, 140)[0]
    at, last = 144, 0x00020000
    while at < end:
        group, element, vr, length = _explicit_head(data, at)
        number = group << 16 | element
        head = _HEAD.get(vr)
        if group != 2 or number <= last or head is None:
            raise Unordinary
        if head == 12:
            (length,) = _long(data, at + 8)
        last = number
        at += head
        node.dataset[number] = (vr, data[at : at + length], True)
        at += length
    # pydicom ends the file meta information at the first other group, not at its stated length.
    if at != end or end > len(data) or data[end : end + 2] in (b"\x02\0", b"\0\0"):
        raise Unordinary
    return node, end


def _is_implicit(about: OrdinaryNode) -> bool:
    vr, syntax, _ = about.dataset.get(_TRANSFER_SYNTAX, (b"", b"", False))
    if vr != b"UI" or isinstance(syntax, list):
        raise Unordinary
    name = syntax.rstrip(b"\0 ")
    if name != _IMPLICIT and name != _EXPLICIT and not name.startswith(_ENCAPSULATED):
        raise Unordinary
    return name == _IMPLICIT


class _Top:
    """Parses the top level of a file and holds one piece of it at a time."""

    def __init__(self, stream: BinaryIO, data: bytes, size: int, shared: Shared, limits: Limits) -> None:
        self.stream, self.data, self.size, self.limits = stream, data, size, limits
        self.base = 0
        self.shared = shared
        self.item = _implicit_item if shared.implicit else _explicit_item
        self.asked = 0
        """Number of elements that pydicom would read one by one."""
        self.held = 0
        """Number of bytes that pydicom would read."""

    def read(self, about: OrdinaryNode, at: int, tree: Tree) -> Ordinary:
        """Parse all elements from a position on."""
        node, size = OrdinaryNode(self.shared), self.size
        filled, asked = node.filled.append, tree.keys() | {_CHARACTER_SET}
        last, implicit, first = _BEFORE_DATA, self.shared.implicit, at
        data, base = self.data, self.base
        most = len(data) - 12
        while at < size:
            here = at - base
            if here > most and base + len(data) < size:
                self._have(at, min(12, size - at))
                data, base = self.data, self.base
                here, most = at - base, len(data) - 12
            if implicit:
                group, element, length = _implicit_head(data, here)
                # pydicom takes a first length of two letters for a value representation.
                if at == first and data[here + 4 : here + 6].isalpha():
                    raise Unordinary
                number = group << 16 | element
                vr = _representation(number)
                at += 8
            else:
                group, element, vr, length = _explicit_head(data, here)
                number = group << 16 | element
                head = _HEAD.get(vr)
                if head == 12:
                    (length,) = _long(data, here + 8)
                elif head is None:
                    raise Unordinary
                at += head
            if number <= last or group >= 0xFFFE:
                raise Unordinary
            last = number
            self.asked += 1
            if length:
                filled(number)
            if number >= _FIRST_PIXELS and number in _PIXELS:
                # Nothing after the pixels is read, but the file must not be shorter.
                left = 0 if length == _UNDEFINED else size - at - length
                if vr == b"SQ" or left < 0 or 0 < left < 8:
                    raise Unordinary
                break
            if vr == b"SQ":
                at = self._sequence(node, number, at, length, tree)
                data, base = self.data, self.base
                most = len(data) - 12
                continue
            stop = at + length
            if stop > size or length == _UNDEFINED:
                raise Unordinary
            if number in asked:
                if length > TEXT_BYTES:
                    raise Unordinary
                if stop - base > len(data):
                    self._have(at, length)
                    data, base = self.data, self.base
                    most = len(data) - 12
                value = data[at - base : stop - base]
                self.held += length
                if number == _CHARACTER_SET:
                    self._encoding(vr, value)
                if number in tree:
                    node.dataset[number] = (vr, value, length > 0)
            at = stop
        if last == _BEFORE_DATA or not self._within_limits(first):
            raise Unordinary
        return Ordinary(node, about, last)

    def _sequence(self, node: OrdinaryNode, number: int, at: int, length: int, tree: Tree) -> int:
        open_ended = length == _UNDEFINED
        most = self.limits.record_bytes
        span = self.size - at if open_ended else length
        if span > self.size - at or span > most:
            raise Unordinary
        self._have(at, span)
        here = at - self.base
        stop = None if open_ended else here + length
        items, end = _sequence(self.data, here, stop, tree.get(number), self.item, self.shared, 0)
        read = end - here
        if read // 4 > self.limits.items and any(
            self.data.count(mark, here, end) > self.limits.items for mark in (_ITEM, _ITEM_BIG_ENDIAN)
        ):
            raise Unordinary
        if open_ended:
            self.asked += read // 8
            self.held += read
        self.held += read
        if number in tree:
            node.dataset[number] = (b"SQ", items, length > 0)
        return at + read

    def _encoding(self, vr: bytes, value: bytes) -> None:
        encoding = _ENCODINGS.get(value.rstrip(b" \0"))
        if vr != b"CS" or encoding is None:
            raise Unordinary
        self.shared.encoding = encoding

    def _have(self, at: int, count: int) -> None:
        """Load the piece of the file that holds a span of bytes."""
        start = at - self.base
        if start >= 0 and start + count <= len(self.data):
            return
        if at + count > self.size:
            raise Unordinary
        self.stream.seek(at)
        self.data = self.stream.read(max(count, FIRST_PIECE))
        self.base = at
        if len(self.data) < count:
            raise Unordinary

    def _within_limits(self, meta: int) -> bool:
        """Return whether pydicom would read the file within the limits, too."""
        reads = _READS_PER_ELEMENT * (self.asked + meta // 8)
        return reads <= self.limits.elements and 2 * (self.held + meta) + 12 * reads <= self.limits.held_bytes


_Item: TypeAlias = (
    "Callable[[bytes, int, int | None, Tree | None, Shared, int], tuple[OrdinaryNode | None, int]]"
)


def _sequence(
    data: bytes, at: int, end: int | None, tree: Tree | None, item: _Item, shared: Shared, depth: int
) -> tuple[list[OrdinaryNode], int]:
    """Parse the items of a sequence from a position on.

    Args:
        data: the bytes that hold it.
        at: position of its first item.
        end: position of its end; None: it ends with a delimitation item.
        tree: attributes to read of its items; None: none, but the items must be whole.
        item: function that parses an item.
        shared: data shared by all data sets of the object.
        depth: level of nesting.

    Returns:
        The items (none without a tree) and the position after the sequence.
    """
    if depth > _MOST_NESTED:
        raise Unordinary
    items: list[OrdinaryNode] = []
    while at != end:
        if data[at : at + 4] == _ITEM:
            (length,) = _long(data, at + 4)
            at += 8
            stop = None if length == _UNDEFINED else at + length
            one, at = item(data, at, stop, tree, shared, depth)
            if one is not None:
                items.append(one)
        elif end is None and data[at : at + 8] == _SEQUENCE_END:
            return items, at + 8
        else:
            raise Unordinary
        if end is not None and at > end:
            raise Unordinary
    return items, at


def _explicit_item(
    data: bytes, at: int, end: int | None, tree: Tree | None, shared: Shared, depth: int
) -> tuple[OrdinaryNode | None, int]:
    node = None if tree is None else OrdinaryNode(shared)
    last = _BEFORE_DATA
    while at != end:
        group, element, vr, length = _explicit_head(data, at)
        head = _HEAD.get(vr)
        number = group << 16 | element
        if head is None:
            if end is None and data[at : at + 8] == _ITEM_END:
                return node, at + 8
            raise Unordinary
        if number <= last or number == _CHARACTER_SET or group >= 0xFFFE:
            raise Unordinary
        last = number
        if head == 12:
            (length,) = _long(data, at + 8)
        at += head
        if vr == b"SQ":
            below = None if tree is None else tree.get(number)
            stop = None if length == _UNDEFINED else at + length
            value, at = _sequence(data, at, stop, below, _explicit_item, shared, depth + 1)
        else:
            stop = at + length
            value = data[at:stop] if tree is not None and number in tree else b""
            at = stop
        if node is not None:
            if number in tree:
                node.dataset[number] = (vr, value, length > 0)
            if length:
                node.filled.append(number)
        if end is not None and at > end:
            raise Unordinary
    return node, at


def _implicit_item(
    data: bytes, at: int, end: int | None, tree: Tree | None, shared: Shared, depth: int
) -> tuple[OrdinaryNode | None, int]:
    node = None if tree is None else OrdinaryNode(shared)
    last = _BEFORE_DATA
    while at != end:
        group, element, length = _implicit_head(data, at)
        number = group << 16 | element
        if group >= 0xFFFE:
            if end is None and data[at : at + 8] == _ITEM_END:
                return node, at + 8
            raise Unordinary
        if number <= last or number == _CHARACTER_SET:
            raise Unordinary
        last = number
        at += 8
        vr = _representation(number)
        if vr == b"SQ":
            below = None if tree is None else tree.get(number)
            stop = None if length == _UNDEFINED else at + length
            value, at = _sequence(data, at, stop, below, _implicit_item, shared, depth + 1)
        else:
            stop = at + length
            value = data[at:stop] if tree is not None and number in tree else b""
            at = stop
        if node is not None:
            if number in tree:
                node.dataset[number] = (vr, value, length > 0)
            if length:
                node.filled.append(number)
        if end is not None and at > end:
            raise Unordinary
    return node, at


@lru_cache(10_000)
def _representation(number: int) -> bytes:
    return (representation(number) or "").encode()
