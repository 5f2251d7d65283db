"""Read a DICOM data set that pydicom parsed, in which any attribute may be missing or damaged."""

from __future__ import annotations

from functools import cache

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from sarcoma_pipeline.sources import dicom_dictionary
from sarcoma_pipeline.sources.dicom_node import NUMERIC, PLAIN, TEXT_BYTES, Node, Opened
from sarcoma_pipeline.sources.received_record import Stopped
from schemas.configuration import Limits

_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_ITEM_GROUP = 0xFFFE
_UNDEFINED = 0xFFFFFFFF


@cache
def _tag(keyword: str) -> BaseTag:
    return BaseTag(dicom_dictionary.tag(keyword))


class PydicomNode(Node):
    """A data set, and its attributes that could not be parsed.

    Attributes:
        limits: limits for one sequence.
    """

    __slots__ = ("limits",)

    dataset: Dataset

    def __init__(
        self, dataset: Dataset, faults: set[str], limits: Limits, opened: Opened, filled: tuple[int, ...] = ()
    ) -> None:
        super().__init__(dataset, filled, faults, opened)
        self.limits = limits

    def _element(self, keyword: str) -> DataElement | RawDataElement | None:
        """Return the element, unparsed if pydicom has not parsed it yet."""
        try:
            return self.dataset.get_item(_tag(keyword))
        except Exception:
            self.faults.add(keyword)
            return None

    def content(self, keyword: str) -> bytes:
        """Return the element's bytes, as long as pydicom has not parsed them.

        Return empty bytes after parsing, or if the element does not exist.
        """
        if _tag(keyword) not in self.dataset:
            return b""
        return _content(self._element(keyword))

    def text(self, keyword: str) -> str | None:
        """Return the value as it was delivered; several values are joined by the backslash of DICOM."""
        if _tag(keyword) not in self.dataset:
            return None
        element = self._element(keyword)
        if (plain := _plain(element)) is not None:
            return plain
        if len(_content(element)) > TEXT_BYTES:
            self.faults.add(keyword)
            return None
        try:
            value = self.dataset[_tag(keyword)].value
        except Exception:
            # "1.5" where DICOM requires a whole number: keep it as delivered, curation decides.
            element = self._element(keyword)
            value = None if element is None else element.value
        if isinstance(value, Sequence):
            self.faults.add(keyword)
            return None
        if isinstance(value, bytes):
            return value.decode("latin-1").strip(" \0")
        if isinstance(value, MultiValue):
            return "\\".join(map(str, value))
        return None if value is None else str(value)

    def items(self, keyword: str) -> list[Node]:
        """Return items of a sequence; one that cannot be parsed is noted among the faults."""
        if _tag(keyword) not in self.dataset:
            return []
        if (known := self.inside.get(int(_tag(keyword)))) is not None:
            return known
        counted = _has_value(self.dataset.get_item(_tag(keyword)))
        # Measure it before pydicom parses it: parsing needs a hundred times the memory.
        claims = self.content(keyword)
        items = max(claims.count(mark) for mark in _ITEMS)
        if len(claims) > self.limits.record_bytes or items > self.limits.items:
            raise Stopped(f"file {keyword}", "file.too-large", f"{len(claims):,} bytes, {items:,} items")
        try:
            value = self.dataset[_tag(keyword)].value
        except Exception:
            value = None
        # An item that is longer than its length says replaces the next one: two doses would become one.
        if not isinstance(value, Sequence) or not _are_whole(claims) or any(map(_swallowed, value)):
            self.faults.add(keyword)
            return []
        found: list[Node] = [
            PydicomNode(item, self.faults, self.limits, self.opened, _filled(item)) for item in value
        ]
        self.inside[int(_tag(keyword))] = found
        self.opened.delivered += sum(len(item.filled) for item in found) - counted
        return found


def _content(element: DataElement | RawDataElement | None) -> bytes:
    raw = None if element is None else element.value
    return raw if isinstance(raw, bytes) else b""


def _plain(element: DataElement | RawDataElement | None) -> str | None:
    """Return the text of an element that needs no parsing; None if it needs parsing or does not exist."""
    if not isinstance(element, RawDataElement) or element.VR not in PLAIN:
        return None
    raw = element.value
    if not isinstance(raw, bytes) or len(raw) > TEXT_BYTES or not raw.isascii():
        return None
    text = raw.decode("ascii").rstrip(" \0")
    return "\\".join(map(str.strip, text.split("\\"))) if element.VR in NUMERIC else text


def _filled(dataset: Dataset) -> tuple[int, ...]:
    """Return the tags of the attributes that have a value, without parsing."""
    # Plain integers: pydicom compares its tags in Python code, and there are a hundred thousand of them.
    return tuple(int(element.tag) for element in dataset.values() if _has_value(element))


def _has_value(element: DataElement | RawDataElement | None) -> bool:
    if isinstance(element, RawDataElement):
        return element.length != 0
    if element is None or element.VR != "SQ":
        return element is not None and not element.is_empty
    # A sequence without a length may be empty; its header does not show it.
    return element.is_undefined_length or len(element.value) > 0


def _are_whole(claims: bytes) -> bool:
    """Return whether the items of a sequence end where their lengths say.

    An item without a length is left to the parser.
    """
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
    """Return whether an item contains the mark of another item: it was read past its end."""
    return max(dataset.keys(), default=0) >> 16 >= _ITEM_GROUP
