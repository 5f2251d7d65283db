"""Read values from a data set of an ordinary DICOM file.

A value that pydicom might change when it parses it is not ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sarcoma_pipeline.sources.dicom_dictionary import representation, tag
from sarcoma_pipeline.sources.dicom_node import TEXT_BYTES, Node, Opened

_ESCAPE = 0x1B


class Unordinary(Exception):
    """The file is not ordinary, which does not mean that it is wrong."""


@dataclass
class Shared:
    """Data shared by all data sets of one object.

    Attributes:
        implicit: whether its elements lack their value representation.
        encoding: encoding of its texts.
        faults: always empty, because a file with faults is not ordinary.
        opened: the sequences that were opened.
    """

    implicit: bool = False
    encoding: str = "latin-1"
    faults: set[str] = field(default_factory=set)
    opened: Opened = field(default_factory=Opened)


class OrdinaryNode(Node):
    """A data set: tag to value representation and bytes, or to the items of a sequence.

    Attributes:
        filled: tags that have a value, in the order of the file.
    """

    __slots__ = ("_shared", "filled")

    dataset: dict[int, tuple[bytes, Any, bool]]

    def __init__(self, shared: Shared) -> None:
        super().__init__({}, shared.faults, shared.opened)
        self.filled: list[int] = []
        self._shared = shared

    def text(self, keyword: str) -> str | None:
        """Return the value as it was delivered; several values are joined by the backslash of DICOM."""
        number, ordinary, decode = _ways[keyword]
        element = self.dataset.get(number)
        if element is None:
            return None
        vr, value, _ = element
        if vr != ordinary or decode is None or len(value) > TEXT_BYTES:
            raise Unordinary
        return decode(value, self._shared)

    def plain(self, *keywords: str) -> dict[str, str | None]:
        """Return attributes by keyword, as text."""
        # Same as `text`, but without a call per keyword: most attributes are missing.
        dataset, shared = self.dataset, self._shared
        found: dict[str, str | None] = dict.fromkeys(keywords)
        for keyword in keywords:
            number, ordinary, decode = _ways[keyword]
            if number in dataset:
                vr, value, _ = dataset[number]
                if vr != ordinary or decode is None or len(value) > TEXT_BYTES:
                    raise Unordinary
                found[keyword] = decode(value, shared)
        return found

    def content(self, keyword: str) -> bytes:
        """Return the element's bytes; empty without the element."""
        number, ordinary, _ = _ways[keyword]
        element = self.dataset.get(number)
        if element is None:
            return b""
        vr, value, _ = element
        if vr != ordinary or isinstance(value, list):
            raise Unordinary
        return value

    def items(self, keyword: str) -> list[Node]:
        """Return items of a sequence."""
        number = tag(keyword)
        element = self.dataset.get(number)
        if element is None:
            return []
        _, items, counted = element
        if not isinstance(items, list):
            raise Unordinary
        if (id(self.dataset), number) not in self.opened.items:
            self.opened.items[id(self.dataset), number] = [(item, item.filled) for item in items]
            self.opened.delivered += sum(len(item.filled) for item in items) - counted
        return list(items)


_Decode: TypeAlias = "Callable[[bytes, Shared], str | None]"


def _ascii(value: bytes, _: Shared) -> str:
    if not value.isascii():
        raise Unordinary
    return value.decode("ascii").rstrip(" \0")


_NUMBER = re.compile(r" *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *", re.ASCII)
_WHOLE_NUMBER = re.compile(r" *[+-]?\d+ *", re.ASCII)
_UID = re.compile(r"[0-9.]+(\\[0-9.]+)*", re.ASCII)


def _numbers(spelled: re.Pattern[str]) -> _Decode:
    def decode(value: bytes, shared: Shared) -> str | None:
        if not value:
            return None
        text = _ascii(value, shared)
        if "\\" not in text and not shared.implicit:
            return text.strip()
        parts = text.split("\\")
        # pydicom parses the numbers of an implicit file and may refuse them.
        if shared.implicit and not all(map(spelled.fullmatch, parts)):
            raise Unordinary
        return "\\".join(map(str.strip, parts))

    return decode


def _identifier(value: bytes, shared: Shared) -> str:
    text = _ascii(value, shared)
    if shared.implicit and text and not _UID.fullmatch(text):
        raise Unordinary
    return text


def _decoded(value: bytes, shared: Shared) -> str:
    if _ESCAPE in value:
        raise Unordinary
    try:
        return value.decode(shared.encoding)
    except UnicodeDecodeError:
        raise Unordinary from None


def _texts(value: bytes, shared: Shared) -> str:
    text = _decoded(value, shared)
    if "\\" not in text:
        return text.rstrip("\0 ")
    return "\\".join(one.rstrip("\0 ") for one in text.split("\\"))


def _name(value: bytes, shared: Shared) -> str:
    text = _decoded(value.rstrip(b"\0 "), shared)
    if "=" in text or "\\" in text:
        raise Unordinary
    return text


_DECODE: dict[str, _Decode] = {
    "CS": _ascii, "DA": _ascii, "TM": _ascii, "UI": _identifier, "DS": _numbers(_NUMBER),
    "IS": _numbers(_WHOLE_NUMBER), "LO": _texts, "SH": _texts, "PN": _name,
}  # fmt: skip


class _Ways(dict[str, tuple[int, bytes, "_Decode | None"]]):
    """Keyword to tag, ordinary value representation and decoder of its text; None: it has no text."""

    def __missing__(self, keyword: str) -> tuple[int, bytes, _Decode | None]:
        number = tag(keyword)
        vr = representation(number) or ""
        way = self[keyword] = (number, vr.encode(), _DECODE.get(vr))
        return way


_ways = _Ways()
