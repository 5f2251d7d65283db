"""Learn which headers may follow each other in ordinary DICOM data sets.

The files of an export share their layout: the same attributes with the same value representations, of
different lengths. A :class:`Layout` stands for the attributes of a data set up to a position. It maps the
header of the next attribute to a step: how far the attribute reaches, whether its value is kept, and the
layout after it. A step is looked up by all eight bytes of the header, so each header of each file is
compared. A header that was not met before is judged here, once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from sarcoma_pipeline.sources import dicom_layout_runs
from sarcoma_pipeline.sources.dicom_decode import Decoder, Refusing, Unordinary, decoder, way
from sarcoma_pipeline.sources.dicom_dictionary import representation
from sarcoma_pipeline.sources.dicom_layout_runs import Run
from sarcoma_pipeline.sources.dicom_node import TEXT_BYTES
from sarcoma_pipeline.sources.dicom_tag_tree import Tree

SKIPPED, KEPT, SEQUENCE, LONG, PIXELS, ENCODING, END = range(7)
"""What a header begins: a value that is skipped or kept, a sequence, a value whose length stands behind the
header, the pixels, the character set; or it ends an item that has no length."""

_KNOWN = 50_000
"""Maximum number of steps and layouts that are known at a time (some 30 MB)."""
_LENGTHS = 4_000
"""Maximum number of headers known at one position: nearly every contour has another length."""

_ITEM_LENGTHS = 500
"""Maximum number of lengths of items known at one position."""

_FIRST_SEARCH = 16
"""Minimum number of files between two searches for runs. They are more if more is known, because a search
looks at all of it."""

_CHARACTER_SET = 0x00080005
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_META: Tree = {0x00020002: None, 0x00020003: None, 0x00020010: None}
"""MediaStorageSOPClassUID, MediaStorageSOPInstanceUID, TransferSyntaxUID."""
_BEFORE_META = 0x00020000
_BEFORE_DATA = 0x0007FFFF
"""Tags up to here belong to commands and file meta information, not to a data set."""
_DELIMITERS = 0xFFFE
_ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"

_SHORT_FORM = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_LONG_FORM = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
_HEAD = {vr.encode(): 8 for vr in _SHORT_FORM.split()} | {vr.encode(): 12 for vr in _LONG_FORM.split()}
"""Value representation to the number of bytes before the value (PS3.5 7.1.2)."""

_ENCODINGS = {b"": "latin-1", b"ISO_IR 6": "latin-1", b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}
"""Specific Character Set (PS3.3 C.12.1.1.2) to encoding; without one, pydicom decodes Latin-1."""

_explicit_head = struct.Struct("<HH2sH").unpack
_implicit_head = struct.Struct("<HHL").unpack

Step: TypeAlias = "tuple[int, int, Any]"
"""Kind of the attribute, bytes to skip, and what follows.

The bytes to skip are header and value of ``SKIPPED`` and ``KEPT``, otherwise the header alone. What follows
is a layout; for ``SEQUENCE`` the layouts if it has and if it lacks content, the first layout of its items,
and whether it is kept; for ``LONG`` the same without the items; for ``PIXELS`` the two layouts, and the
length, which is None if it stands behind the header.
"""

Way: TypeAlias = "tuple[int, Decoder | Refusing]"
"""Place among the kept values, and decoder."""

Plan: TypeAlias = "tuple[dict[str, str | None], list[tuple[str, int, Decoder | Refusing]]]"


@dataclass(eq=False)
class _Level:
    """The data sets that layouts belong to.

    Attributes:
        tree: attributes that are kept; None: none, because they are the items of a sequence that is not kept.
        implicit: whether elements lack their value representation.
        encoding: encoding of texts.
        name: ``meta``, ``top`` or ``item``.
    """

    tree: Tree | None
    implicit: bool
    encoding: str
    name: str


@dataclass(eq=False)
class Layouts:
    """All layouts that are known.

    Attributes:
        tree: the attributes that are read.
    """

    tree: Tree
    _known: int = 0
    _first: dict[tuple[int, bool, str, str], Layout] = field(default_factory=dict)
    _files: int = 0
    _next_search: int = _FIRST_SEARCH
    _searched: int = 0

    def first(self, tree: Tree | None, implicit: bool, encoding: str, name: str) -> Layout:
        """Return the layout before the first attribute of a data set."""
        key = (id(tree), implicit, encoding, name)
        if (found := self._first.get(key)) is None:
            last = _BEFORE_META if name == "meta" else _BEFORE_DATA
            found = self._first[key] = Layout(
                self, _Level(tree, implicit, encoding, name), None, (last, b"", False), False
            )
        return found

    def begin(self) -> Layout:
        """Return the first layout of the file meta information; forget what is known if it is much."""
        if self._known > _KNOWN // 2:
            self._known = self._searched = self._files = 0
            self._next_search = _FIRST_SEARCH
            self._first = {}
        self._files += 1
        if self._files >= self._next_search and self._known != self._searched:
            self.find_runs()
        return self.first(_META, False, "latin-1", "meta")

    def find_runs(self) -> None:
        """Find the attributes that can be read at once."""
        dicom_layout_runs.find(self._first.values())
        self._searched = self._known
        self._next_search = self._files + max(_FIRST_SEARCH, self._known // 2)

    def count(self) -> None:
        """Count a step or a layout.

        Raises:
            Unordinary: one file has more of them than are kept.
        """
        if self._known >= _KNOWN:
            raise Unordinary
        self._known += 1


class Layout(dict[bytes, Step]):
    """The attributes of a data set up to a position.

    Attributes:
        keeps: whether the data set is one of those whose values are read.
        last: tag of the last attribute.
        depth: number of attributes.
        ways: keyword to the way to its value; None if the data set lacks it.
        run: attributes from here on that are read at once; None if there are none.
        wholes: length of an item that begins here to all its attributes, which are read at once; None if they
            are not.
        plans: keywords to the ways to those of them that the data set has.
        held: keyword to the tag of a kept value, its place among them, whether it has content, and whether it
            has the value representation of the dictionary; None if the data set lacks it.
    """

    def __init__(
        self,
        layouts: Layouts,
        level: _Level,
        above: Layout | None,
        element: tuple[int, bytes, bool],
        kept: bool,
    ) -> None:
        super().__init__()
        self._layouts, self._level, self._above, self._element, self._kept = (
            layouts,
            level,
            above,
            element,
            kept,
        )
        self._next: dict[tuple[int, bytes, bool, str], Layout] = {}
        self.keeps = level.tree is not None
        self.run: Run | None = None
        self.wholes: dict[int, Run | None] = {}
        self._met: set[int] = set()
        self.last = element[0]
        self.depth = 0 if above is None else above.depth + 1
        self.ways = _Ways(self)
        self.plans = _Plans(self)
        self.held = _Held(self)

    @property
    def known(self) -> Iterable[Layout]:
        """All layouts that are known to follow this one."""
        return self._next.values()

    @cached_property
    def filled(self) -> tuple[int, ...]:
        """Tags that have a value, in their order."""
        return tuple(number for number, _, filled in self._elements(kept=False) if filled)

    @cached_property
    def places(self) -> dict[int, tuple[int, bytes, bool]]:
        """Tag of a kept value to its place, its value representation, and whether it has content."""
        kept = enumerate(self._elements(kept=True))
        return {number: (place, vr, filled) for place, (number, vr, filled) in kept}

    def _elements(self, *, kept: bool) -> list[tuple[int, bytes, bool]]:
        found = []
        layout = self
        while layout._above is not None:
            if layout._kept or not kept:
                found.append(layout._element)
            layout = layout._above
        return found[::-1]

    @property
    def encoding(self) -> str:
        """Encoding of texts."""
        return self._level.encoding

    @property
    def implicit(self) -> bool:
        """Whether the elements lack their value representation."""
        return self._level.implicit

    def __missing__(self, header: bytes) -> Step:
        """Judge a header that was not met here before.

        Raises:
            Unordinary: no ordinary file has it here.
        """
        if len(header) < 8:
            raise Unordinary
        step = (self._implicit if self._level.implicit else self._explicit)(header)
        if len(self) < _LENGTHS:
            self._layouts.count()
            self[header] = step
        return step

    def learn(self, data: bytes, at: int, length: int) -> None:
        """Remember the second item of a length whose attributes begin with this layout.

        Args:
            data: the bytes that hold it; it was parsed.
            at: position of its first attribute.
            length: its length.
        """
        if length in self._met:
            self.wholes[length] = dicom_layout_runs.of_item(data, at, at + length, self)
        elif len(self._met) < _ITEM_LENGTHS:
            self._layouts.count()
            self._met.add(length)

    def _explicit(self, header: bytes) -> Step:
        level = self._level
        group, element, vr, length = _explicit_head(header)
        head = _HEAD.get(vr)
        if head is None:
            if header == _ITEM_END and level.name == "item":
                return END, 8, self
            raise Unordinary
        number = self._ascending(group << 16 | element)
        if level.name == "meta" and group != 2:
            raise Unordinary
        if vr == b"SQ" and level.name != "meta":
            if level.name == "top" and number in _PIXELS:
                raise Unordinary
            return self._sequence(number, head)
        if head == 8:
            return self._value(number, vr, head, length)
        if level.name == "top" and number == _CHARACTER_SET:
            raise Unordinary
        if level.name == "top" and number in _PIXELS:
            return PIXELS, head, (*self._both(number, vr), None)
        return LONG, head, (*self._both(number, vr), self._is_kept(number))

    def _implicit(self, header: bytes) -> Step:
        level = self._level
        group, element, length = _implicit_head(header)
        if header == _ITEM_END and level.name == "item":
            return END, 8, self
        # pydicom takes a first length of two letters for a value representation.
        if level.name == "top" and self._above is None and header[4:6].isalpha():
            raise Unordinary
        number = self._ascending(group << 16 | element)
        vr = implicit_representation(number)
        if vr == b"SQ":
            return self._sequence(number, 8)
        return self._value(number, vr, 8, length)

    def _ascending(self, number: int) -> int:
        """Return a tag that may follow here."""
        if number <= self.last or number >> 16 >= _DELIMITERS:
            raise Unordinary
        if number == _CHARACTER_SET and self._level.name == "item":
            raise Unordinary
        return number

    def _sequence(self, number: int, head: int) -> Step:
        level, kept = self._level, self._is_kept(number)
        below = level.tree.get(number) if level.tree is not None else None
        items = self._layouts.first(below, level.implicit, level.encoding, "item")
        return SEQUENCE, head, (*self._both(number, b"SQ"), items, kept)

    def _value(self, number: int, vr: bytes, head: int, length: int) -> Step:
        level = self._level
        if level.name == "top":
            if number in _PIXELS:
                return PIXELS, head, (*self._both(number, vr), length)
            if self._is_kept(number) and length > TEXT_BYTES:
                raise Unordinary
            if number == _CHARACTER_SET:
                if vr != b"CS":
                    raise Unordinary
                return ENCODING, head + length, self
        after = self._after(number, vr, length > 0)
        return KEPT if self._is_kept(number) else SKIPPED, head + length, after

    def _is_kept(self, number: int) -> bool:
        level = self._level
        if level.name == "top" and (number == _CHARACTER_SET or number in _PIXELS):
            return number == _CHARACTER_SET
        return level.tree is not None and number in level.tree

    def _both(self, number: int, vr: bytes) -> tuple[Layout, Layout]:
        """Return the layouts after an attribute with and without content."""
        return self._after(number, vr, True), self._after(number, vr, False)

    def encoded(self, value: bytes) -> Layout:
        """Return the layout after a character set.

        Raises:
            Unordinary: texts in it are left to pydicom.
        """
        encoding = _ENCODINGS.get(value.rstrip(b" \0"))
        if encoding is None:
            raise Unordinary
        return self._after(_CHARACTER_SET, b"CS", bool(value), encoding)

    def _after(self, number: int, vr: bytes, filled: bool, encoding: str = "") -> Layout:
        """Return the layout after an attribute."""
        key = (number, vr, filled, encoding)
        if key not in self._next:
            self._layouts.count()
            level = self._level
            if encoding and encoding != level.encoding:
                level = _Level(level.tree, level.implicit, encoding, level.name)
            self._next[key] = Layout(self._layouts, level, self, (number, vr, filled), self._is_kept(number))
        return self._next[key]


class _Ways(dict[str, "Way | None"]):
    __slots__ = ("_layout",)

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._layout = layout

    def __missing__(self, keyword: str) -> Way | None:
        layout = self._layout
        number, ordinary = way(keyword)
        found = layout.places.get(number)
        self[keyword] = one = found and (
            found[0],
            decoder(ordinary if found[1] == ordinary else b"", layout.implicit, layout.encoding),
        )
        return one


class _Held(dict[str, "tuple[int, int, bool, bool] | None"]):
    __slots__ = ("_layout",)

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._layout = layout

    def __missing__(self, keyword: str) -> tuple[int, int, bool, bool] | None:
        number, ordinary = way(keyword)
        found = self._layout.places.get(number)
        self[keyword] = one = found and (number, found[0], found[2], found[1] == ordinary)
        return one


class _Plans(dict[tuple[str, ...], Plan]):
    __slots__ = ("_layout",)

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._layout = layout

    def __missing__(self, keywords: tuple[str, ...]) -> Plan:
        ways = self._layout.ways
        held = [(keyword, *found) for keyword in keywords if (found := ways[keyword]) is not None]
        self[keywords] = plan = dict.fromkeys(keywords), held
        return plan


@lru_cache(10_000)
def implicit_representation(number: int) -> bytes:
    """Return the value representation of an attribute in an implicit file; empty if DICOM knows none."""
    return (representation(number) or "").encode()
