"""Defines in which order steps read tables whose rows are amended: one that does not depend on their history.

An amended table has its rows in another order than a table that was written at once. Its readers get the rows
sorted by the columns named here. Rows that are equal in these columns keep the order in which they were
written: they are always written together.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.warehouse.centres import CENTRE

_BY_LAYER = {"typed": ("place",)}
_BY_TABLE = {
    "meta.lineage": ("pseudonym",),
    "quality.observed": ("record_id", "step"),
    "quality.set_aside": ("record_id", "step"),
}


def columns(table: str) -> tuple[str, ...]:
    """Return the columns by which a table is sorted when it is read; empty if it is read as written."""
    return _BY_TABLE.get(table) or _BY_LAYER.get(table.partition(".")[0], ())


def ordered(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows, given in the order in which they were written, in the order in which they are read."""
    by = columns(table)
    if CENTRE in frame.columns and by and frame.height:
        parts = frame.partition_by(CENTRE, maintain_order=True)
        return pl.concat([part.sort(by, maintain_order=True) for part in parts])
    if not by or (len(by) == 1 and frame[by[0]].is_sorted()):
        return frame
    return frame.sort(by, maintain_order=True)
