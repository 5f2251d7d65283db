"""Compare the counts of a public version with those of earlier ones, which could be subtracted.

1. Versions whose cohorts differ in few patients are refused entirely: medians, curves and ratios would
also differ by these patients. 2. Otherwise a count is suppressed if it differs from the earlier one by
few. 3. Nested groups grow by equal or sufficiently different numbers, so that the growth of their
difference is never small. 4. A count that the earlier version does not have is compared with all its
counts of this family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.disclosure import Disclosure

Counts = Mapping[str, Mapping[str, tuple[int, bool]]]
"""For each family of nested groups and each cell: its count, and whether it was published."""

COHORT = "cohort"
"""Family of the whole cohort and its parts; its cell of the same name is the size of the cohort."""


class TooAlike(Exception):
    """The cohort differs from that of an earlier public version by few patients."""


@dataclass
class Comparison:
    """The counts of a new public version and of the earlier ones.

    Attributes:
        policy: the policy of the new version.
        earlier: counts and threshold of each earlier version.
        counts: the counts of the new version decided so far.
    """

    policy: Disclosure
    earlier: Sequence[tuple[Counts, int]] = ()
    counts: dict[str, dict[str, tuple[int, bool]]] = field(default_factory=lambda: defaultdict(dict))

    def start(self, patients: int) -> None:
        """Compare the sizes of the cohorts, which are always published.

        Raises:
            TooAlike: a size differs by few patients.
        """
        for counts, threshold in self._earlier():
            before = counts[COHORT][COHORT][0]
            if 0 < abs(patients - before) < threshold:
                raise TooAlike(f"the cohort differs by fewer than {threshold} patients")
        self.note(COHORT, COHORT, patients, shown=True)

    def admits(self, family: str, cell: str, count: int) -> bool:
        """Return whether a count may be published given those of the earlier versions."""
        return all(self._apart(family, cell, count, *one) for one in self._earlier())

    def note(self, family: str, cell: str, count: int, *, shown: bool) -> None:
        """Store a count, for later versions and later counts of the family."""
        self.counts[family][cell] = (count, shown)

    def _earlier(self) -> list[tuple[Counts, int]]:
        return [(counts, max(threshold, self.policy.threshold)) for counts, threshold in self.earlier]

    def _apart(self, family: str, cell: str, count: int, earlier: Counts, threshold: int) -> bool:
        of_family = earlier.get(family, {})
        before, was_shown = of_family.get(cell, (0, False))
        if not was_shown:
            return all(_far(count, n, threshold) for n, shown in of_family.values() if shown)
        gaps = [0, *self._growth(family, earlier), *self._growth(COHORT, earlier, only=COHORT)]
        return all(_far(count - before, gap, threshold) for gap in gaps)

    def _growth(self, family: str, earlier: Counts, only: str = "") -> list[int]:
        before = earlier.get(family, {})
        return [
            count - before[cell][0]
            for cell, (count, shown) in self.counts.get(family, {}).items()
            if shown and before.get(cell, (0, False))[1] and only in ("", cell)
        ]

    def must_hide(self, block: str, levels: Mapping[str, int], hidden: set[str]) -> set[str]:
        """Return the levels of a partition that must be suppressed.

        Args:
            block: title of the variable.
            levels: count of each level.
            hidden: levels already suppressed.

        Returns:
            The suppressed levels and further ones that protect small growths; all levels if the earlier
            version has the same variable with other levels.
        """
        must = set(hidden)
        for counts, threshold in self._earlier():
            before = counts.get(_partition(block))
            if before is None:
                continue
            if not (before.keys() <= levels.keys() or levels.keys() <= before.keys()):
                return set(levels)
            # A level without patients is no row of the table.
            growth = {v: levels.get(v, 0) - before.get(v, (0, True))[0] for v in {*levels, *before}}
            # A level suppressed before whose count hardly changed would be revealed now.
            must |= {
                level for level, (_, shown) in before.items() if not shown and abs(growth[level]) < threshold
            }
            must |= {level for level, n in growth.items() if 0 < abs(n) < threshold}
            must |= _protecting(
                growth, must | {v for v, (_, shown) in before.items() if not shown}, threshold
            )
        return must & set(levels)

    def note_block(self, block: str, levels: Mapping[str, int], hidden: set[str]) -> None:
        """Store the counts of a partition."""
        for level, n in levels.items():
            self.note(_partition(block), level, n, shown=level not in hidden)


def _partition(block: str) -> str:
    return f"levels of {block}"


def _far(one: int, other: int, threshold: int) -> bool:
    return one == other or abs(one - other) >= threshold


def _protecting(growth: Mapping[str, int], unknown: set[str], threshold: int) -> set[str]:
    """Return further levels to suppress so that small growths stay hidden.

    The total growth of the unknown levels can be computed from the others and the cohort, so it must not be
    small either. Levels with equal growth are added together, so that the choice reveals nothing.
    """
    chosen = set(unknown)
    while _is_told([growth[v] for v in chosen], threshold):
        spare = [abs(n) for v, n in growth.items() if n and v not in chosen]
        if not spare:
            return set(growth)
        chosen |= {v for v, n in growth.items() if abs(n) == min(spare)}
    return chosen - unknown


def _is_told(growths: Sequence[int], threshold: int) -> bool:
    if 0 < abs(sum(growths)) < threshold:
        return True
    sizes = [abs(n) for n in growths]
    small = any(0 < n < threshold for n in sizes)
    return small and (max(sizes) < threshold or sum(sizes) < 2 * threshold)
