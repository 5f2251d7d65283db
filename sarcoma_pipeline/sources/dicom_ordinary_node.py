"""Read values from a data set of an ordinary DICOM file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from sarcoma_pipeline.sources.dicom_decode import Unordinary
from sarcoma_pipeline.sources.dicom_layout import Layout
from sarcoma_pipeline.sources.dicom_node import Node, Opened

Item: TypeAlias = "tuple[Layout, Values]"
Values: TypeAlias = "Sequence[Any]"
"""Kept values: the bytes of an element, or the items of a sequence, each with its layout."""


class OrdinaryNode(Node):
    """A data set: its layout, and the values that the layout keeps."""

    __slots__ = ("_layout",)

    dataset: Values

    def __init__(self, layout: Layout, values: Values, faults: set[str], opened: Opened) -> None:
        # Not by `super().__init__`: a plan has a node for each control point.
        self._layout = layout
        self.dataset = values
        self.filled = layout.filled
        self.faults = faults
        self.opened = opened
        self.inside = {}

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
        found = self._layout.held[keyword]
        if found is None:
            return b""
        _, place, _, ordinary = found
        value = self.dataset[place]
        if not ordinary or isinstance(value, list):
            raise Unordinary
        return value

    def items(self, keyword: str) -> list[Node]:
        """Return items of a sequence."""
        found = self._layout.held[keyword]
        if found is None:
            return []
        number, place, counted, _ = found
        if (known := self.inside.get(number)) is not None:
            return known
        held = self.dataset[place]
        if not isinstance(held, list):
            raise Unordinary
        faults, opened = self.faults, self.opened
        items: list[Node] = [OrdinaryNode(layout, values, faults, opened) for layout, values in held]
        self.inside[number] = items
        opened.delivered += sum([len(item.filled) for item in items]) - counted
        return items
