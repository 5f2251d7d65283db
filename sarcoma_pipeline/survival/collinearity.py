"""Find columns of a design matrix that are linear combinations of others."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

_COLLINEAR = 1e-12
"""Minimum share of a column's variance not explained by earlier columns; below are only rounding errors."""


def independent(design: pl.DataFrame) -> list[str]:
    """Return the columns that are no linear combination of those before them.

    Args:
        design: columns that are not constant.
    """
    kept: list[str] = []
    basis: list[NDArray[np.floating]] = []
    for name in design.columns:
        column = design[name].to_numpy()
        spread = column - column.mean()
        left = spread = spread / max(np.abs(spread).max(), np.finfo(float).tiny)
        # Twice, because the first pass leaves rounding errors of the size of the share that is tested.
        for _ in range(2):
            for direction in basis:
                left = left - (left @ direction) * direction
        if left @ left > _COLLINEAR * (spread @ spread):
            kept.append(name)
            basis.append(left / np.sqrt(left @ left))
    return kept
