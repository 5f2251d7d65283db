"""Check whether the sequences of a DICOM file are whole: items and elements end where their lengths say.

pydicom accepts a wrong length without an error: it loses the rest of a sequence, or reads what follows as a
part of it. Only headers are read here, no values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from sarcoma_pipeline.sources.dicom_dictionary import representation

ITEM = 0xFFFEE000
_ITEM_END, _SEQUENCE_END = 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_MOST_NESTED = 64
_LONG = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)


class Broken(Exception):
    """A sequence does not end where its lengths say."""


def is_sequence(tag: int) -> bool:
    """Return whether an attribute is a sequence, if the encoding does not say so."""
    return representation(tag) == "SQ"


@dataclass
class Structure:
    """Walk through the headers of one sequence.

    Attributes:
        data: the sequence's value, with its delimitation item if it has no length.
        implicit: whether the elements lack their value representation.
        little: whether numbers are little endian.
        out_of_order: tags of any item that come twice or after a greater one (PS3.5 7.1).
    """

    data: bytes
    implicit: bool
    little: bool
    out_of_order: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        sign = "<" if self.little else ">"
        self._head = struct.Struct(f"{sign}HHL").unpack_from
        self._short = struct.Struct(f"{sign}H").unpack_from
        self._long = struct.Struct(f"{sign}L").unpack_from

    def check(self, *, has_length: bool) -> None:
        """Walk through the sequence.

        Raises:
            Broken: an item or an element does not end where its length says, or is followed by something
                else.
        """
        try:
            self._sequence(0, len(self.data) if has_length else None, self.implicit, 0)
        except struct.error:
            raise Broken from None

    def _sequence(self, at: int, end: int | None, implicit: bool, depth: int) -> int:
        if depth > _MOST_NESTED:
            raise Broken
        while end is None or at < end:
            group, element, length = self._head(self.data, at)
            tag = group << 16 | element
            at += 8
            if tag == _SEQUENCE_END and end is None:
                return at
            if tag != ITEM:
                raise Broken
            at = self._item(at, None if length == _UNDEFINED else at + length, implicit, depth)
        if at != end:
            raise Broken
        return at

    def _item(self, at: int, end: int | None, implicit: bool, depth: int) -> int:
        data, last = self.data, -1
        if end is not None and end > len(data):
            raise Broken
        while end is None or at < end:
            group, element, length = self._head(data, at)
            tag = group << 16 | element
            if group == ITEM >> 16:
                if tag == _ITEM_END and end is None:
                    return at + 8
                raise Broken
            if tag <= last:
                self.out_of_order.add(tag)
            last = tag
            representation = b""
            if implicit:
                at += 8
            else:
                representation = data[at + 4 : at + 6]
                if not representation.isalpha() or not representation.isupper():
                    raise Broken
                if representation in _LONG:
                    (length,) = self._long(data, at + 8)
                    at += 12
                else:
                    (length,) = self._short(data, at + 6)
                    at += 8
            if length == _UNDEFINED:
                # An element of unknown representation without a length is an implicit sequence (PS3.5 6.2.2).
                at = self._sequence(at, None, implicit or representation == b"UN", depth + 1)
            elif representation == b"SQ" or (implicit and is_sequence(tag)):
                at = self._sequence(at, at + length, implicit, depth + 1)
            else:
                at += length
            if at > len(data):
                raise Broken
        if at != end:
            raise Broken
        return at
