"""Interface of a DICOM data set in which any attribute may be missing, for both parsers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

NUMERIC = frozenset({"DS", "IS"})
PLAIN = NUMERIC | {"CS", "DA", "TM", "UI"}
"""Value representations in the default character repertoire (PS3.5 6.2): their bytes are ASCII text."""
TEXT_BYTES = 65_536
"""Maximum length of a value that is read, in bytes (PS3.5 6.2: 64 values of 1 kB)."""


MODALITY = 0x00080060


@dataclass
class Opened:
    """What is noted while the sequences of an object are opened.

    Attributes:
        delivered: number of attributes with a value in them, without the sequences themselves.
        several: keywords of sequences that should hold one item but hold several.
    """

    delivered: int = 0
    several: set[str] = field(default_factory=set)


class Node:
    """A data set; the values read from it do not depend on the parser.

    Attributes:
        dataset: the parsed elements.
        filled: tags of its attributes that have a value, in the order of the file.
        faults: keywords of the attributes that could not be parsed, shared with the nested items.
        opened: what is noted of opened sequences, shared with the nested items.
        inside: tags of its sequences that were opened, with their items.
    """

    __slots__ = ("dataset", "faults", "filled", "inside", "opened")

    def __init__(self, dataset: object, filled: tuple[int, ...], faults: set[str], opened: Opened) -> None:
        self.dataset = dataset
        self.filled = filled
        self.faults = faults
        self.opened = opened
        self.inside: dict[int, list[Node]] = {}

    def content(self, keyword: str) -> bytes:
        """Return the element's bytes; empty without the element."""
        raise NotImplementedError

    def text(self, keyword: str) -> str | None:
        """Return the value as delivered; several values are joined by the backslash of DICOM."""
        raise NotImplementedError

    def items(self, keyword: str) -> list[Node]:
        """Return the items of a sequence; one that cannot be parsed is added to ``faults``."""
        raise NotImplementedError

    def values(self, keyword: str) -> list[str]:
        """Return the single values of an attribute."""
        text = self.text(keyword)
        return text.split("\\") if text else []

    def single(self, keyword: str) -> Node | None:
        """Return the first item of a sequence that should hold one; a sequence with several is noted."""
        items = self.items(keyword)
        if len(items) > 1:
            self.opened.several.add(keyword)
        return items[0] if items else None

    def referenced(self, keyword: str) -> str | None:
        """Return ReferencedSOPInstanceUID of a sequence that holds one item."""
        item = self.single(keyword)
        return None if item is None else item.text("ReferencedSOPInstanceUID")

    def plain(self, *keywords: str) -> dict[str, str | None]:
        """Return attributes as text, by keyword."""
        return {keyword: self.text(keyword) for keyword in keywords}


class Content(Protocol):
    """One parsed object."""

    @property
    def node(self) -> Node:
        """Its data set."""
        ...

    @property
    def about(self) -> Node:
        """Its file meta information."""
        ...

    @property
    def has_meta(self) -> bool:
        """Whether it has a preamble and file meta information."""
        ...

    @property
    def broken(self) -> bool:
        """Whether the file ends before its elements do."""
        ...

    @property
    def begun(self) -> bool:
        """Whether there is an element of the top level."""
        ...

    @property
    def last(self) -> int:
        """The last tag of the top level, the one at which the file breaks included."""
        ...

    @property
    def filled(self) -> tuple[int, ...]:
        """Tags of the top level that have a value, without the one at which the file breaks."""
        ...

    def items_outside(self) -> bool:
        """Return whether items or their ends stand outside a sequence: the one before them is longer."""
        ...

    def sequences(self) -> tuple[set[int], set[int]]:
        """Return tags of sequences that are not whole, and tags of any level twice or out of order."""
        ...
