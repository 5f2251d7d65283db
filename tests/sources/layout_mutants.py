"""Mutations that could deceive a reader who remembers layouts: nearly the same headers as in a sound file."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from pydicom.filereader import read_partial

_SHORT = (b"AE", b"CS", b"DA", b"DS", b"IS", b"LO", b"PN", b"SH", b"TM", b"UI", b"US", b"FL", b"AT")
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"OF", b"OD", b"OL", b"OV", b"UR", b"SV", b"UV")
_UNDEFINED = 0xFFFFFFFF
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True)
class Element:
    """An element of the top level as its bytes stand in the file; ``vr`` is empty in an implicit file."""

    tag: bytes
    vr: bytes
    reserved: bytes
    length: int
    value: bytes

    def written(self) -> bytes:
        long = struct.pack("<L", self.length & _UNDEFINED)
        if not self.vr:
            return self.tag + long + self.value
        if self.vr in _LONG:
            return self.tag + self.vr + self.reserved + long + self.value
        return self.tag + self.vr + struct.pack("<H", self.length % 0x10000) + self.value

    def changed(self, **changes) -> Element:
        return Element(**{**vars(self), **changes})

    def holding(self, value: bytes) -> Element:
        return self.changed(value=value, length=len(value))


def elements(data: bytes) -> tuple[bytes, list[Element]]:
    """What precedes the elements of the top level, and these; of a sound file in little endian.

    Raises:
        ValueError: the file has no preamble, or cannot be cut into elements.
        Exception: any of pydicom.
    """
    stream = io.BytesIO(data)
    places: list[tuple[int, int]] = []

    def note(_tag: object, _vr: str | None, length: int) -> bool:
        places.append((stream.tell(), length))
        return False

    implicit = read_partial(stream, stop_when=note).is_implicit_VR
    heads = []
    for at, _ in places:
        long = not implicit and data[at - 8 : at - 6] in _LONG and data[at - 6 : at - 4] == b"\0\0"
        heads.append(at - (12 if long else 8))
    found = []
    for (at, length), (start, stop) in zip(places, pairwise([*heads, len(data)]), strict=True):
        vr = b"" if implicit else data[start + 4 : start + 6]
        reserved, value = data[start + 6 : start + 8], data[at:stop]
        length = _UNDEFINED if length == _UNDEFINED else len(value)
        found.append(Element(data[start : start + 4], vr, reserved, length, value))
    before = data[: heads[0]]
    if data[128:132] != b"DICM" or before + b"".join(one.written() for one in found) != data:
        raise ValueError("the file cannot be cut into elements")
    return before, found


Change = Callable[[list[Element], int, random.Random], None]


def _another_tag(all_: list[Element], at: int, draw: random.Random) -> None:
    tag = bytearray(all_[at].tag)
    tag[draw.randrange(4)] ^= 1 << draw.randrange(8)
    all_[at] = all_[at].changed(tag=bytes(tag))


def _the_next_tag(all_: list[Element], at: int, draw: random.Random) -> None:
    group, element = struct.unpack("<HH", all_[at].tag)
    tag = struct.pack("<HH", group, (element + draw.choice((1, 2, -1))) % 0x10000)
    all_[at] = all_[at].changed(tag=tag)


def _private_tag(all_: list[Element], at: int, draw: random.Random) -> None:
    group, element = struct.unpack("<HH", all_[at].tag)
    private = all_[at].changed(tag=struct.pack("<HH", group | 1, draw.choice((element, 0x10, 0x1001))))
    all_[at : at + draw.choice((0, 1))] = [private]


def _another_vr(all_: list[Element], at: int, draw: random.Random) -> None:
    if all_[at].vr:
        all_[at] = all_[at].changed(vr=draw.choice(_SHORT + _LONG))


def _another_length(all_: list[Element], at: int, draw: random.Random) -> None:
    length = draw.choice((0, 1, 2, 8, all_[at].length + 1, all_[at].length + 2, 0xFFFF, _UNDEFINED))
    all_[at] = all_[at].changed(length=length)


def _two_lengths(all_: list[Element], at: int, draw: random.Random) -> None:
    """One element is longer and the next one shorter, so that the file ends as before."""
    if at + 1 < len(all_) and all_[at + 1].length > 1:
        by = draw.choice((1, 2))
        all_[at] = all_[at].changed(length=all_[at].length + by)
        all_[at + 1] = all_[at + 1].changed(length=max(0, all_[at + 1].length - by))


def _exchanged(all_: list[Element], at: int, draw: random.Random) -> None:
    other = min(len(all_) - 1, at + draw.choice((1, 1, 2, 5)))
    all_[at], all_[other] = all_[other], all_[at]


def _missing(all_: list[Element], at: int, _draw: random.Random) -> None:
    del all_[at]


def _one_more(all_: list[Element], at: int, draw: random.Random) -> None:
    group, element = struct.unpack("<HH", all_[at].tag)
    value = draw.choice((b"", b"1", b"12", b"\xe4b", b"1.2.3\0", b" ", b"\xfe\xff\0\xe0\0\0\0\0"))
    vr = draw.choice(_SHORT + _LONG) if all_[at].vr else b""
    new = Element(struct.pack("<HH", group, (element + 1) % 0x10000), vr, b"\0\0", len(value), value)
    all_.insert(at + draw.choice((0, 1)), new)


def _another_parity(all_: list[Element], at: int, draw: random.Random) -> None:
    value = all_[at].value
    if all_[at].vr != b"SQ" and all_[at].length != _UNDEFINED:
        all_[at] = all_[at].holding(draw.choice((value + b" ", value + b"\0", value[:-1], value + b"0")))


def _empty(all_: list[Element], at: int, draw: random.Random) -> None:
    all_[at] = all_[at].holding(draw.choice((b"", b"", b" ", b"\0", b"  ", b"\\")))


def _no_ascii(all_: list[Element], at: int, draw: random.Random) -> None:
    value = bytearray(all_[at].value)
    if value:
        value[draw.randrange(len(value))] = draw.choice((0x80, 0xE4, 0xFF, 0x1B, 0x5C, 0x00, 0x3D))
        all_[at] = all_[at].changed(value=bytes(value))


def _left_open(all_: list[Element], at: int, draw: random.Random) -> None:
    """An undefined length, with and without the delimitation item that it needs."""
    sequences = [n for n, one in enumerate(all_) if one.value[:4] == b"\xfe\xff\0\xe0"]
    at = draw.choice(sequences or [at])
    end = draw.choice((_SEQUENCE_END, _SEQUENCE_END, b""))
    all_[at] = all_[at].changed(length=_UNDEFINED, value=all_[at].value + end)


def _reserved(all_: list[Element], at: int, draw: random.Random) -> None:
    long = [n for n, one in enumerate(all_) if one.vr in _LONG]
    if long:
        at = draw.choice(long)
        all_[at] = all_[at].changed(reserved=draw.choice((b"\1\0", b"\0\1", b"  ", b"\xff\xff")))


def _items(all_: list[Element], at: int, draw: random.Random) -> None:
    """An item more, one less, an empty one, or one whose own elements are changed."""
    sequences = [n for n, one in enumerate(all_) if one.value[:4] == b"\xfe\xff\0\xe0"]
    if not sequences:
        return
    at = draw.choice(sequences)
    value = all_[at].value
    length = int.from_bytes(value[4:8], "little")
    whole = value[: 8 + length] if length != _UNDEFINED else b"\xfe\xff\0\xe0\0\0\0\0"
    kind = draw.random()
    if kind < 0.3:
        value = whole + value
    elif kind < 0.5:
        value = value[len(whole) :]
    elif kind < 0.6:
        value = b"\xfe\xff\0\xe0\0\0\0\0" + value
    elif len(value) > 8:
        changed = bytearray(value)
        for _n in range(draw.choice((1, 2))):
            changed[draw.randrange(8, len(changed))] = draw.choice((0, 1, 2, 0x20, 0x30, 0x41, 0x53, 0xFF))
        value = bytes(changed)
    open_ended = all_[at].length == _UNDEFINED
    all_[at] = all_[at].changed(value=value, length=_UNDEFINED if open_ended else len(value))


def _cut(data: bytes, implicit: bool) -> list[Element] | None:
    """The elements of an item; None if one of them has no length."""
    found, at = [], 0
    while at < len(data):
        vr, reserved, head = b"" if implicit else data[at + 4 : at + 6], b"", 8
        length = int.from_bytes(data[at + 4 : at + 8] if implicit else data[at + 6 : at + 8], "little")
        if vr in _LONG:
            reserved, head = data[at + 6 : at + 8], 12
            length = int.from_bytes(data[at + 8 : at + 12], "little")
        if length == _UNDEFINED:
            return None
        found.append(Element(data[at : at + 4], vr, reserved, length, data[at + head : at + head + length]))
        at += head + length
    return found


def _contents(value: bytes) -> list[bytes] | None:
    """The items of a sequence; None if one of them has no length."""
    found, at = [], 0
    while value[at : at + 4] == b"\xfe\xff\0\xe0":
        length = int.from_bytes(value[at + 4 : at + 8], "little")
        if length == _UNDEFINED:
            return None
        found.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    return found


def _inside(all_: list[Element], at: int, draw: random.Random) -> None:
    """An item, or one in it, of which an element is changed; all lengths around it are right."""
    sequences = [n for n, one in enumerate(all_) if one.length != _UNDEFINED and _contents(one.value)]
    if not sequences:
        return
    at = draw.choice(sequences)
    items = _contents(all_[at].value) or []
    place = draw.randrange(len(items))
    inner = _cut(items[place], not all_[at].vr)
    if inner:
        deeper = draw.random() < 0.5 and any(_contents(one.value) for one in inner)
        (_inside if deeper else draw.choice(_OF_ELEMENTS))(inner, draw.randrange(len(inner)), draw)
        items[place] = b"".join(one.written() for one in inner)
        value = b"".join(b"\xfe\xff\0\xe0" + struct.pack("<L", len(one)) + one for one in items)
        all_[at] = all_[at].holding(value)


_OF_ELEMENTS: tuple[Change, ...] = (
    _another_tag, _the_next_tag, _private_tag, _another_vr, _another_length, _two_lengths, _exchanged,
    _missing, _one_more, _another_parity, _empty, _no_ascii, _left_open, _reserved, _items,
)  # fmt: skip
CHANGES: tuple[Change, ...] = (*_OF_ELEMENTS, _inside)


def mutant(data: bytes, draw: random.Random, changes: tuple[Change, ...] = CHANGES) -> bytes:
    """A sound file of which one element differs, seldom two.

    Raises:
        Exception: as :func:`elements`.
    """
    before, all_ = elements(data)
    for _n in range(draw.choice((1, 1, 1, 2))):
        draw.choice(changes)(all_, draw.randrange(len(all_)), draw)
        if not all_:
            break
    return before + b"".join(one.written() for one in all_)
