"""Read values from a data set of an ordinary DICOM file."""

from __future__ import annotations

from typing import Any, TypeAlias

from sarcoma_pipeline.sources.dicom_decode import Unordinary, way
from sarcoma_pipeline.sources.dicom_layout import Layout
from sarcoma_pipeline.sources.dicom_node import Node, Opened

Item: TypeAlias = "tuple[Layout, Values]"
Values: TypeAlias = "list[Any]"
"""Kept values: the bytes of an element, or the items of a sequence, each with its layout."""


class OrdinaryNode(Node):
    """A data set: its layout, and the values that the layout keeps."""

    __slots__ = ("_layout",)

    dataset: Values

    def __init__(self, layout: Layout, values: Values, faults: set[str], opened: Opened) -> None:
        self._layout, self.dataset = layout, values
        self.faults, self.opened = faults, opened

    @property
    def filled(self) -> tuple[int, ...]:
        """Tags that have a value, in the order of the file."""
        return self._layout.filled

    def text(self, keyword: str) -> str | None:
        """Return the value as it was delivered; several values are joined by the backslash of DICOM."""
        found = self._layout.ways[keyword]
        return None if found is None else found[1][self.dataset[found[0]]]

    def plain(self, *keywords: str) -> dict[str, str | None]:
        """Return attributes by keyword, as text."""
        missing, held = self._layout.plans[keywords]
        found, values = missing.copy(), self.dataset
        for keyword, place, decoder in held:
            found[keyword] = decoder[values[place]]
        return found

    def content(self, keyword: str) -> bytes:
        """Return the element's bytes; empty without the element."""
        number, ordinary = way(keyword)
        found = self._layout.places.get(number)
        if found is None:
            return b""
        place, vr, _ = found
        value = self.dataset[place]
        if vr != ordinary or isinstance(value, list):
            raise Unordinary
        return value

    def items(self, keyword: str) -> list[Node]:
        """Return items of a sequence."""
        number, _ = way(keyword)
        found = self._layout.places.get(number)
        if found is None:
            return []
        opened = self.opened
        if (known := opened.items.get((id(self.dataset), number))) is not None:
            return [item for item, _ in known]
        place, _, counted = found
        held = self.dataset[place]
        if not isinstance(held, list):
            raise Unordinary
        faults = self.faults
        items: list[Node] = [OrdinaryNode(layout, values, faults, opened) for layout, values in held]
        opened.items[id(self.dataset), number] = [
            (item, layout.filled) for item, (layout, _) in zip(items, held, strict=True)
        ]
        opened.delivered += sum(len(layout.filled) for layout, _ in held) - counted
        return items
