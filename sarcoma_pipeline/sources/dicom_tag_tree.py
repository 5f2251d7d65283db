"""Tags of the attributes that are read, as a tree with the attributes of sequence items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Tree: TypeAlias = "dict[int, Tree | None]"
"""Tags that are read; for sequences, with the tags of their items."""


def joined(trees: Iterable[Mapping[int, object]]) -> Tree:
    """Return one tree with the attributes of several kinds of objects."""
    whole: Tree = {}
    for tree in trees:
        for number, declared in tree.items():
            kids = getattr(declared, "kids", None)
            below = joined([kids]) if kids is not None else None
            known = whole.get(number)
            whole[number] = below if known is None else _merged(known, below or {})
    return whole


def _merged(one: Tree, other: Tree) -> Tree:
    for number, below in other.items():
        known = one.get(number)
        one[number] = below if known is None else _merged(known, below or {})
    return one
