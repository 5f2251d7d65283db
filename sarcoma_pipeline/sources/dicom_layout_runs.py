"""Read attributes at once whose headers were the same in other files.

Dates, codes and numbers often have the same length in all files of an export. Where a layout knows one header
only, and so do the layouts after it, their headers are cut out of the file and compared together, and so are
their values. If a header differs, the attributes are read one by one.

An item of a sequence, or the file meta information, is likewise compared as a whole with one that began with
the same layout and had the same length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sarcoma_pipeline.sources.dicom_layout import Layout

_SKIPPED, _KEPT, _SEQUENCE, _LONG = range(4)
"""As in the module of layouts, which imports this one."""
_FEWEST = 3
"""Minimum number of attributes: fewer are read faster one by one."""
_MOST = 60
_LONGEST = 1_000
"""Maximum length of an attribute in a run, in bytes; longer ones seldom have the same length twice."""
MOST_NESTED = 4
"""How many levels of sequences a whole item has at most."""
_UNDEFINED = 0xFFFFFFFF

_Cut: TypeAlias = "Callable[[bytes, int], tuple[bytes, ...]]"
Run: TypeAlias = "tuple[_Cut, tuple[bytes, ...], _Cut | None, int, Layout]"
"""Function that cuts out headers, the headers expected, function that cuts out the kept values (None: none
is kept), length in bytes, and the layout after the run."""

_Part: TypeAlias = "tuple[bytes, int, bool]"
"""A header, the number of bytes up to the next one, and whether they are a value that is kept."""


def find(firsts: Iterable[Layout]) -> None:
    """Find the runs in all layouts.

    Args:
        firsts: the layouts from which all others are reached.
    """
    waiting = [(first, True) for first in firsts]
    while waiting:
        layout, begins = waiting.pop()
        layout.run = _run(layout) if begins else None
        inside = _only(layout) is not None
        waiting += ((after, not inside) for after in layout.known)


def of_item(data: bytes, at: int, end: int, first: Layout) -> Run | None:
    """Return the run of a whole item.

    Args:
        data: the bytes that hold it; it was parsed.
        at: position of its first attribute.
        end: position of its end.
        first: its first layout.

    Returns:
        None if it is empty, has long values or many, or a sequence that is read or has no length.
    """
    parts: list[_Part] = []
    last = _follow(data, at, end, first, parts, MOST_NESTED)
    return _joined(parts, last) if parts and last is not None else None


def _follow(data: bytes, at: int, end: int, layout: Layout, parts: list[_Part], levels: int) -> Layout | None:
    """Add the parts of a data set, with those of its sequences; return its last layout."""
    while at < end:
        kind, jump, after = layout[data[at : at + 8]]
        if kind in (_SKIPPED, _KEPT):
            kept, layout = kind == _KEPT, after
            header, length = data[at : at + 8], jump - 8
        elif kind in (_SEQUENCE, _LONG):
            header = data[at : at + jump]
            length = int.from_bytes(header[-4:], "little")
            kept, layout = after[-1], after[0 if length else 1]
        else:
            return None
        at += len(header)
        if kind == _SEQUENCE:
            parts.append((header, 0, False))
            if kept or length == _UNDEFINED or not levels:
                return None
            stop = at + length
            while at < stop:
                parts.append((data[at : at + 8], 0, False))
                start, at = at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
                if _follow(data, start, at, after[2], parts, levels - 1) is None:
                    return None
        else:
            parts.append((header, length, kept))
            at += length
        if length > _LONGEST or len(parts) > _MOST:
            return None
    return layout


def _only(layout: Layout) -> tuple[_Part, Layout] | None:
    """Return the part and the layout after it, if only one header is known here."""
    if len(layout) != 1:
        return None
    ((header, (kind, jump, after)),) = layout.items()
    if kind not in (_SKIPPED, _KEPT) or jump > _LONGEST:
        return None
    return (header, jump - 8, kind == _KEPT), after


def _chain(layout: Layout) -> Iterator[tuple[_Part, Layout]]:
    for _n in range(_MOST):
        if (one := _only(layout)) is None:
            return
        yield one
        layout = one[1]


def _run(layout: Layout) -> Run | None:
    chain = list(_chain(layout))
    return None if len(chain) < _FEWEST else _joined([part for part, _ in chain], chain[-1][1])


def _joined(parts: Sequence[_Part], last: Layout) -> Run:
    heads = "".join(f"{len(header)}s{length}x" for header, length, _ in parts)
    values = "".join(f"{len(header)}x{length}{'s' if kept else 'x'}" for header, length, kept in parts)
    return (
        struct.Struct(heads).unpack_from,
        tuple(header for header, _, _ in parts),
        struct.Struct(values).unpack_from if any(kept for _, _, kept in parts) else None,
        struct.calcsize(heads),
        last,
    )
