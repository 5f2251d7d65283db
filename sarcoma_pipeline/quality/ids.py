"""Accept the beginning of an id in place of the whole id, in commands and decisions."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable

SHORTEST = 4
"""Minimum length of the beginning of an id that stands for the whole id."""
_LAST = chr(sys.maxunicode)
"""Sorts after every other character."""


class Ids:
    """The ids that there are, sorted once: a decision on hundreds of findings asks for each of them."""

    def __init__(self, known: Iterable[str]) -> None:
        self._sorted = sorted({str(one) for one in known})

    def beginning_with(self, given: str) -> list[str]:
        """Return the ids that a given one may mean, sorted: itself, or those that begin with it."""
        place = bisect_left(self._sorted, given)
        if self._sorted[place : place + 1] == [given]:
            return [given]
        if len(given) < SHORTEST:
            return []
        return self._sorted[place : bisect_left(self._sorted, given + _LAST)]
