"""Polars as it may be: every order that an expression does not declare is drawn by lot.

Polars promises the order of rows only where it is asked for (``maintain_order``), and of equal rows
``unique`` keeps any. Today that is mostly the order of the input. A result that rests on it can change with
an upgrade or with the number of threads, in silence. Orders inside an expression (``pl.col(…).sort``) are not
drawn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import polars as pl
from polars.dataframe.group_by import GroupBy


@contextmanager
def drawn_by_lot(seed: int) -> Iterator[dict[str, int]]:
    """Draw the order of eager sorts with ties, joins, groups and kept rows; yields how often each was met."""
    draw = random.Random(seed)
    met = {"sort": 0, "unique": 0, "join": 0, "group_by": 0}
    sort, unique, join = pl.DataFrame.sort, pl.DataFrame.unique, pl.DataFrame.join
    agg = GroupBy.agg

    def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
        rows = list(range(frame.height))
        draw.shuffle(rows)
        return frame[rows]

    def any_sort(self: pl.DataFrame, *by: Any, maintain_order: bool = False, **how: Any) -> pl.DataFrame:
        met["sort"] += not maintain_order
        frame = self if maintain_order else shuffled(self)
        return sort(frame, *by, maintain_order=True, **how)

    def any_unique(
        self: pl.DataFrame, subset: Any = None, *, keep: Any = "any", maintain_order: bool = False
    ) -> pl.DataFrame:
        free = keep == "any" and subset is not None
        met["unique"] += free or not maintain_order
        if not free:
            kept = unique(self, subset, keep=keep, maintain_order=True)
            return kept if maintain_order else shuffled(kept)
        numbered = shuffled(self.with_row_index("_was"))
        kept = unique(numbered, subset, keep="first", maintain_order=True)
        return (sort(kept, "_was") if maintain_order else kept).drop("_was")

    def any_join(self: pl.DataFrame, *args: Any, maintain_order: Any = None, **how: Any) -> pl.DataFrame:
        joined = join(self, *args, maintain_order=maintain_order, **how)
        if maintain_order not in (None, "none"):
            return joined
        met["join"] += 1
        return shuffled(joined)

    def any_agg(self: GroupBy, *what: Any, **named: Any) -> pl.DataFrame:
        made = agg(self, *what, **named)
        if self.maintain_order:
            return made
        met["group_by"] += 1
        return shuffled(made)

    with (
        patch.object(pl.DataFrame, "sort", any_sort),
        patch.object(pl.DataFrame, "unique", any_unique),
        patch.object(pl.DataFrame, "join", any_join),
        patch.object(GroupBy, "agg", any_agg),
    ):
        yield met
