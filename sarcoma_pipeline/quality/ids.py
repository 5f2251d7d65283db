"""Accept the beginning of an id in place of the whole id, in commands and decisions."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 4
"""Minimum length of the beginning of an id that stands for the whole id."""


def beginning(given: str, known: Iterable[str]) -> list[str]:
    """Return the ids that a given one may mean, sorted: itself, or those that begin with it."""
    ids = {str(one) for one in known}
    if given in ids:
        return [given]
    return sorted(one for one in ids if one.startswith(given)) if len(given) >= SHORTEST else []
