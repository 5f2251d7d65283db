"""Hashes of everything that a patient's rows are derived from, to find the patients whose records changed."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

INPUTS = {"patient_id": pl.String, "inputs": pl.String}
"""Columns of :func:`by_patient`."""

_SEEDS = (0, 1)


def hashed(table: str, facts: pl.DataFrame) -> pl.DataFrame:
    """Return two hashes of each row, with the patient.

    Args:
        table: where the rows stand; equal rows of two tables have different hashes.
        facts: rows with ``patient_id``; no two rows of a patient are equal, or their hashes cancel out.
    """
    named = facts.with_columns(_table=pl.lit(table))
    return facts.select("patient_id", *(named.hash_rows(seed).alias(f"_{seed}") for seed in _SEEDS))


def by_patient(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the hash of all rows of each patient: ``patient_id``, ``inputs``.

    Args:
        parts: from :func:`hashed`.
    """
    return (
        pl.concat(parts)
        .group_by("patient_id")
        .agg(pl.col(f"_{seed}").bitwise_xor() for seed in _SEEDS)
        .select("patient_id", inputs=pl.concat_str([f"_{seed}" for seed in _SEEDS], separator=" "))
        .sort("patient_id")
    )
