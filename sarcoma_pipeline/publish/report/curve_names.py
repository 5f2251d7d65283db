"""Places the names of curves beside their ends, so that no reader has to look for them in a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

HEIGHT = 13.0
"""Height of a line of a name, and so the least distance of two names."""
_LETTER, _GAP = 6.2, 6.0
"""Width of a letter of 11 pixels on average, and the distance of a name from its curve."""


@dataclass(frozen=True)
class Name:
    """Where a name stands.

    Attributes:
        level: whose curve it names.
        lines: the name, broken into lines.
        x: left end.
        y: baseline of the first line.
        leader: the thin line from the end of the curve to the name; empty if they are side by side.
    """

    level: str
    lines: tuple[str, ...]
    x: float
    y: float
    leader: tuple[Point, ...] = ()


def placed(
    curves: Mapping[str, Sequence[Point]],
    names: Mapping[str, Sequence[str]],
    top: float,
    bottom: float,
    margin: float,
) -> list[Name]:
    """Place each name beside the end of its curve, or in the margin where it would cover another curve.

    Args:
        curves: level to the corners of its curve in pixels.
        names: level to its name, broken into lines.
        top: highest baseline.
        bottom: lowest baseline.
        margin: left end of the names in the margin.
    """
    ends = [(*points[-1], level) for level, points in curves.items()]
    found = []
    for x, y, level in apart(ends, top, bottom, {level: len(lines) for level, lines in names.items()}):
        lines = tuple(names[level])
        others = [points for other, points in curves.items() if other != level]
        left, right = x + _GAP, x + _GAP + _LETTER * max(map(len, lines))
        low = y + HEIGHT * (len(lines) - 1) + 3
        if any(_meets(points, x + 1, right, y - 9, low) for points in others):
            end = curves[level][-1]
            found.append(Name(level, lines, margin, y, (end, (margin - 3, y - 4))))
        else:
            found.append(Name(level, lines, left, y))
    return found


def apart(
    ends: Sequence[tuple[float, float, str]], top: float, bottom: float, lines: Mapping[str, int]
) -> list[tuple[float, float, str]]:
    """Return x, baseline and level of each name, moved apart so that none covers another.

    Args:
        ends: x and y of the end of each curve, and its level.
        top: highest baseline.
        bottom: lowest baseline of a last line.
        lines: level to the number of lines of its name.
    """
    placed: list[tuple[float, float, str]] = []
    lowest = top
    for x, y, level in sorted(ends, key=lambda end: (end[1], end[2])):
        height = HEIGHT * lines.get(level, 1)
        placed.append((x, max(y + 4 - (height - HEIGHT) / 2, lowest), level))
        lowest = placed[-1][1] + height
    over = max(0.0, lowest - HEIGHT - bottom) if placed else 0.0
    return [(x, y - over, level) for x, y, level in placed]


def _meets(points: Sequence[Point], left: float, right: float, top: float, bottom: float) -> bool:
    """Return whether a step curve runs through a box."""
    return any(
        max(a[0], b[0]) >= left
        and min(a[0], b[0]) <= right
        and max(a[1], b[1]) >= top
        and min(a[1], b[1]) <= bottom
        for a, b in pairwise(points)
    )
