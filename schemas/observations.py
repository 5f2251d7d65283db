"""Build observations: the one format in which rules report a record."""

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
        frame: the rows at fault.
        rule: the rule that they break.
        table: the name of their table, or an expression for it.
        column: the name of the column at fault, or an expression for it.
        value: its value.
        note: further information for the steward.

    Returns:
        Rows of ``schemas.quality.Observation``, in the order of the frame.
    """
    if frame.is_empty():
        # In most refreshes most rules find nothing.
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
