"""The place of a value in an order that is declared: of sources, origins, precisions, endpoints."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def place_in(order: Sequence[str], column: str) -> pl.Expr:
    """Return the place of a column's value in an order, from 0; values that are not in it come last."""
    places = {value: place for place, value in enumerate(order)}
    return pl.col(column).replace_strict(places, default=len(places), return_dtype=pl.Int32)
