"""Decode values of ordinary DICOM files, and remember the text of those that were met before.

A value that pydicom might change when it parses it is not ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from sarcoma_pipeline.sources.dicom_dictionary import representation, tag
from sarcoma_pipeline.sources.dicom_node import TEXT_BYTES

_ESCAPE = 0x1B
_REMEMBERED = 4_000
"""Maximum number of values whose text is remembered, per value representation."""
_REMEMBERED_BYTES = 64
"""Maximum length of such a value: longer ones are lists of numbers, which do not repeat."""


class Unordinary(Exception):
    """The file is not ordinary, which does not mean that it is wrong."""


Decode: TypeAlias = "Callable[[bytes, bool, str], str | None]"
"""Function of a value, whether its file is implicit, and the encoding of texts."""


class Decoder(dict[bytes, "str | None"]):
    """Maps values to text: several values are joined by the backslash of DICOM."""

    __slots__ = ("_decode", "_encoding", "_implicit")

    def __init__(self, decode: Decode, implicit: bool, encoding: str) -> None:
        super().__init__()
        self._decode, self._implicit, self._encoding = decode, implicit, encoding

    def __missing__(self, value: bytes) -> str | None:
        """Decode a value that was not met before.

        Raises:
            Unordinary: pydicom might read another text.
        """
        if len(value) > TEXT_BYTES:
            raise Unordinary
        text = self._decode(value, self._implicit, self._encoding)
        if len(value) <= _REMEMBERED_BYTES:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = text
        return text


class Refusing:
    """Refuses each value: it has no text, or another value representation than in the dictionary."""

    def __getitem__(self, _: object) -> str | None:
        raise Unordinary


def _ascii(value: bytes, _implicit: bool = False, _encoding: str = "") -> str:
    if not value.isascii():
        raise Unordinary
    return value.decode("ascii").rstrip(" \0")


_NUMBER = re.compile(r" *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *", re.ASCII)
_WHOLE_NUMBER = re.compile(r" *[+-]?\d+ *", re.ASCII)
_UID = re.compile(r"[0-9.]+(\\[0-9.]+)*", re.ASCII)


def _numbers(spelled: re.Pattern[str]) -> Decode:
    def decode(value: bytes, implicit: bool, _encoding: str) -> str | None:
        if not value:
            return None
        text = _ascii(value)
        if "\\" not in text and not implicit:
            return text.strip()
        parts = text.split("\\")
        # pydicom parses the numbers of an implicit file and may refuse them.
        if implicit and not all(map(spelled.fullmatch, parts)):
            raise Unordinary
        return "\\".join(map(str.strip, parts))

    return decode


def _identifier(value: bytes, implicit: bool, _encoding: str) -> str:
    text = _ascii(value)
    if implicit and text and not _UID.fullmatch(text):
        raise Unordinary
    return text


def _decoded(value: bytes, encoding: str) -> str:
    if _ESCAPE in value:
        raise Unordinary
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        raise Unordinary from None


def _texts(value: bytes, _implicit: bool, encoding: str) -> str:
    text = _decoded(value, encoding)
    if "\\" not in text:
        return text.rstrip("\0 ")
    return "\\".join(one.rstrip("\0 ") for one in text.split("\\"))


def _name(value: bytes, _implicit: bool, encoding: str) -> str:
    text = _decoded(value.rstrip(b"\0 "), encoding)
    if "=" in text or "\\" in text:
        raise Unordinary
    return text


_DECODE: dict[bytes, Decode] = {
    b"CS": _ascii, b"DA": _ascii, b"TM": _ascii, b"UI": _identifier, b"DS": _numbers(_NUMBER),
    b"IS": _numbers(_WHOLE_NUMBER), b"LO": _texts, b"SH": _texts, b"PN": _name,
}  # fmt: skip


@cache
def decoder(vr: bytes, implicit: bool, encoding: str) -> Decoder | Refusing:
    """Return the decoder of a value representation in one kind of file.

    Args:
        vr: the value representation.
        implicit: whether the elements of the file lack theirs.
        encoding: encoding of texts.
    """
    return Decoder(_DECODE[vr], implicit, encoding) if vr in _DECODE else Refusing()


@cache
def way(keyword: str) -> tuple[int, bytes]:
    """Return the tag of an attribute, and its value representation in the dictionary."""
    number = tag(keyword)
    return number, (representation(number) or "").encode()
