"""What a step of curation sees in a record: the one form of it, for every rule."""

from __future__ import annotations

import polars as pl

from schemas.quality import Observation
from schemas.rule import Rule


def observation(
    frame: pl.DataFrame,
    rule: Rule,
    table: str | pl.Expr,
    column: str | pl.Expr | None = None,
    value: pl.Expr | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """Return every row of a frame with ``record_id`` as an observation of one rule.

    Args:
        frame: the rows.
        rule: what they break.
        table: the table that they stand in, or the column that names it.
        column: the column at fault, or the expression that names it.
        value: what it holds.
        note: what else the steward needs.

    Returns:
        Rows of ``schemas.quality.Observation``, in the order of the frame.
    """
    if frame.is_empty():
        # Most rules of most nights.
        return Observation.empty()
    nothing = pl.lit(None, dtype=pl.String)
    return frame.select(
        rule_id=pl.lit(rule.id),
        severity=pl.lit(rule.severity),
        record_id="record_id",
        table_name=pl.lit(table) if isinstance(table, str) else table,
        column_name=column if isinstance(column, pl.Expr) else pl.lit(column, dtype=pl.String),
        value=nothing if value is None else value.cast(pl.String),
        note=nothing if note is None else note.cast(pl.String),
    )
