"""Choose the counts of nested groups and of partitions to suppress, so that no difference is small."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


class Nested:
    """Counts of nested groups of patients, admitted for publication one by one.

    Args:
        threshold: minimum difference of two published counts.
        published: counts that are always published.
        hidden: counts suppressed elsewhere, which must not appear here.
    """

    def __init__(self, threshold: int, published: Iterable[int], hidden: Collection[int] = ()) -> None:
        self.threshold = threshold
        self._published = set(published)
        self._hidden = hidden

    def admits(self, count: int) -> bool:
        """Return whether the count may be published."""
        apart = all(gap == 0 or gap >= self.threshold for gap in (abs(count - n) for n in self._published))
        return apart and (count in self._published or count not in self._hidden)

    def admit(self, count: int) -> bool:
        """Return whether the count may be published; if so, later counts are compared with it too."""
        admitted = self.admits(count)
        if admitted:
            self._published.add(count)
        return admitted


def withheld(
    blocks: Sequence[Sequence[int]],
    total: int,
    threshold: int,
    given: Sequence[Collection[int]] = (),
) -> list[set[int]]:
    """Choose the counts of partitions of the same patients that must be suppressed.

    A count suppressed in one block may describe the same patients, or their complement, as a count printed in
    another block. Therefore equal counts are suppressed too.

    Args:
        blocks: counts of each partition.
        total: the published sum of each partition.
        threshold: counts from 1 to below it are suppressed.
        given: positions in each block that are always suppressed.

    Returns:
        Positions in each block: none; or the small counts together with at least one other, adding up to
        twice the threshold or more; or all positions, zeros included, if there are no such others.
    """
    chosen: list[set[int]] = [set(g) for g in given] if given else [set() for _ in blocks]
    before: list[set[int]] | None = None
    while chosen != before:
        before = list(chosen)
        for b, counts in enumerate(blocks):
            others = [o for o in range(len(blocks)) if o != b]
            printed = _with_complements([n for o in others for n in blocks[o]], total)
            masked = _with_complements([blocks[o][i] for o in others for i in chosen[o]], total) - {0, total}
            must = chosen[b] | {i for i, n in enumerate(counts) if 0 < n < threshold or n in masked}
            chosen[b] = _add_secondary(must, counts, threshold, printed)
    return chosen


def _with_complements(counts: Iterable[int], total: int) -> set[int]:
    return {x for n in counts for x in (n, total - n)}


def _add_secondary(
    chosen: set[int], counts: Sequence[int], threshold: int, printed: Collection[int]
) -> set[int]:
    """Add positions until the small counts are protected; counts printed in another block are used last.

    Equal counts are added together. The result therefore depends on the counts and not on their order, and
    the published page does not reveal which of the suppressed counts is the small one.
    """
    while chosen and (
        max(counts[i] for i in chosen) < threshold or sum(counts[i] for i in chosen) < 2 * threshold
    ):
        spare = [(n in printed, n) for i, n in enumerate(counts) if n and i not in chosen]
        if not spare:
            return set(range(len(counts)))
        chosen = chosen | {i for i, n in enumerate(counts) if n == min(spare)[1]}
    return chosen
