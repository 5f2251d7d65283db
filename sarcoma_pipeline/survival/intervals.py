"""Sums over intervals: of the intervals that contain each point, and of the points in each interval.

Differences of cumulative sums would lose small values beside large ones. Here nothing is subtracted: a
binary tree stands on the points, and each interval consists of at most two nodes a level (a segment tree,
Bentley 1977).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Positions = NDArray[np.int64]


class Intervals:
    """Intervals of the points 0 to ``points - 1``.

    Node ``k`` of the tree has the children ``2k`` and ``2k + 1``; node 1 holds all points.

    Attributes:
        points: number of points.
        n: number of intervals.
    """

    def __init__(self, first: Positions, past: Positions, points: int) -> None:
        """Divide the intervals into nodes.

        Args:
            first: first point of each interval, ``n``.
            past: the point after its last one, ``n``; not after ``first``: the interval is empty.
            points: number of points.
        """
        self.n, self.points = len(first), points
        self._leaves = 1 << max(points - 1, 0).bit_length()
        low, high = first + self._leaves, past + self._leaves
        owners, nodes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        while (low < high).any():
            left = np.flatnonzero((low < high) & (low % 2 == 1))
            owners.append(left)
            nodes.append(low[left])
            low[left] += 1
            right = np.flatnonzero((low < high) & (high % 2 == 1))
            high[right] -= 1
            owners.append(right)
            nodes.append(high[right])
            low, high = low // 2, high // 2
        self._owner, self._node = np.concatenate(owners), np.concatenate(nodes)

    def over_intervals(self, values: Floats) -> Floats:
        """Sum over the intervals that contain each point: ``n × c`` to ``points × c``."""
        tree = _sums(self._node, values[self._owner], 2 * self._leaves)
        level = 1
        while level < self._leaves:
            tree[2 * level : 4 * level] += np.repeat(tree[level : 2 * level], 2, axis=0)
            level *= 2
        return tree[self._leaves : self._leaves + self.points]

    def over_points(self, values: Floats) -> Floats:
        """Sum over the points of each interval: ``points × c`` to ``n × c``."""
        tree = np.zeros((2 * self._leaves, values.shape[1]))
        tree[self._leaves : self._leaves + self.points] = values
        level = self._leaves // 2
        while level:
            children = tree[2 * level : 4 * level]
            tree[level : 2 * level] = children[::2] + children[1::2]
            level //= 2
        return _sums(self._owner, tree[self._node], self.n)


def _sums(place: Positions, values: Floats, places: int) -> Floats:
    """Sum the rows of each place: ``k × c`` to ``places × c``."""
    total = np.zeros((places, values.shape[1]))
    for column, of in enumerate(values.T):
        total[:, column] = np.bincount(place, weights=of, minlength=places)
    return total
