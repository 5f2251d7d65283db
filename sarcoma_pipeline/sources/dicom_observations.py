"""Combine the observations of the regions of interest of a structure set (PS3.3 C.8.8.8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from schemas.structure_names import TYPES_DIFFER

_Number = TypeVar("_Number", int, str | None)


def interpreted_types(observed: Iterable[tuple[_Number, str | None]]) -> dict[_Number, str]:
    """Return the RTROIInterpretedType of each region.

    A region may be observed several times. Different types are kept, sorted and joined by a backslash, which
    no type has: the name of the structure decides then. An empty type says nothing.

    Args:
        observed: ReferencedROINumber and RTROIInterpretedType of each observation, in any order.
    """
    types: dict[_Number, set[str]] = {}
    for number, type_ in observed:
        if type_ and type_.strip():
            types.setdefault(number, set()).add(type_.strip())
    return {number: TYPES_DIFFER.join(sorted(found)) for number, found in types.items()}
