"""Read runs of attributes at once whose headers have been the same in every file so far.

Dates, codes and numbers often have the same length in all files of an export. Where a layout knows one header
only, and so do the layouts after it, their headers are cut out of the file and compared together, and so are
their values. If a header differs, the attributes are read one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sarcoma_pipeline.sources.dicom_layout import Layout

_FEWEST = 3
"""Minimum number of attributes: fewer are read faster one by one."""
_MOST = 60
_LONGEST = 1_000
"""Maximum length of an attribute in a run, in bytes; longer ones seldom have the same length twice."""

_Cut: TypeAlias = "Callable[[bytes, int], tuple[bytes, ...]]"
Run: TypeAlias = "tuple[_Cut, tuple[bytes, ...], _Cut | None, int, Layout]"
"""Function that cuts out headers, the headers expected, function that cuts out the kept values (None: none
is kept), length in bytes, and the layout after the run."""


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


def _only(layout: Layout) -> tuple[bytes, bool, int, Layout] | None:
    """Return header, whether the value is kept, length and next layout, if only one header is known here."""
    if len(layout) != 1:
        return None
    ((header, (kind, jump, after)),) = layout.items()
    # SKIPPED is 0, KEPT is 1: the module of layouts imports this one.
    return (header, bool(kind), jump, after) if kind in (0, 1) and jump <= _LONGEST else None


def _chain(layout: Layout) -> Iterator[tuple[bytes, bool, int, Layout]]:
    for _n in range(_MOST):
        if (one := _only(layout)) is None:
            return
        yield one
        layout = one[3]


def _run(layout: Layout) -> Run | None:
    chain = list(_chain(layout))
    if len(chain) < _FEWEST:
        return None
    heads = struct.Struct("".join(f"8s{jump - 8}x" for _, _, jump, _ in chain)).unpack_from
    kept = any(keeps for _, keeps, _, _ in chain)
    values = "".join(f"8x{jump - 8}s" if keeps else f"{jump}x" for _, keeps, jump, _ in chain)
    return (
        heads,
        tuple(header for header, _, _, _ in chain),
        struct.Struct(values).unpack_from if kept else None,
        sum(jump for _, _, jump, _ in chain),
        chain[-1][3],
    )
