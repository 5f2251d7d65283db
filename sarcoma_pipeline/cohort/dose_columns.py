"""Add the volumes and doses that a study declares to its patients, as columns that analyses use.

A patient whose dose is not computed, or who has no such structure, has no value: never zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.cohort.derived_once import Derive, every_time
from schemas.dose_columns import THIRDS, DoseColumn

_PLAIN = {
    "volume": "volume_cc", "mean": "mean_gy", "max": "max_gy", "D98": "d98_gy", "D95": "d95_gy",
    "D50": "d50_gy", "D2": "d2_gy", "V95%": "v95_percent", "HI": "homogeneity", "CI": "conformity",
    "EQD2 mean": "eqd2_mean_gy", "EQD2 D50": "eqd2_d50_gy", "EQD2 D2": "eqd2_d2_gy",
}  # fmt: skip
"""Metric to the column of ``cohort.dose_volume``."""


def with_doses(
    patients: pl.DataFrame, doses: pl.DataFrame, declared: Sequence[DoseColumn], derive: Derive = every_time
) -> pl.DataFrame:
    """Return the patients with a column for each declared quantity, and one with its third.

    The limits of thirds are quantiles of the patients given (type 7 of Hyndman and Fan); a value on a limit
    belongs to the lower third.

    Args:
        patients: ``cohort.patients``.
        doses: ``cohort.dose_volume``.
        declared: ``[[dose_columns]]`` of the study.
        derive: calls the function of each part.
    """
    for one in declared:
        patients = derive(_with_dose, patients, derive(_values, doses, one), one)
    return patients


def _with_dose(patients: pl.DataFrame, values: pl.DataFrame, one: DoseColumn) -> pl.DataFrame:
    patients = patients.join(values, on="pseudonym", how="left", maintain_order="left")
    return patients.with_columns(_third(patients[one.name]).alias(one.third))


def _values(doses: pl.DataFrame, one: DoseColumn) -> pl.DataFrame:
    """Return ``pseudonym`` and the quantity; of several structures that with the highest mean dose."""
    named = pl.col("structure").is_in([one.structure, f"{one.structure}_L", f"{one.structure}_R"])
    rows = doses.filter(named | (pl.col("role") == one.structure))
    return (
        rows.sort("pseudonym", pl.col("mean_gy").neg(), "structure", nulls_last=True)
        .unique("pseudonym", keep="first", maintain_order=True)
        .select("pseudonym", _metric(one).alias(one.name))
    )


def _metric(one: DoseColumn) -> pl.Expr:
    x = one.volume_at_gy
    if x is None:
        return pl.col(_PLAIN[one.metric])
    at = pl.col("vx_gy").list.eval((pl.element() - x).abs().lt(1e-9).arg_true()).list.first()
    return pl.col("vx_percent").list.get(at, null_on_oob=True)


def _third(values: pl.Series) -> pl.Series:
    low, middle, high = THIRDS
    first, second = (values.quantile(share, "linear") for share in (1 / 3, 2 / 3))
    if first is None or second is None:
        return pl.Series([None] * values.len(), dtype=pl.String)
    value = pl.col("value")
    third = pl.when(value <= first).then(pl.lit(low)).when(value <= second).then(pl.lit(middle))
    known = third.when(value.is_not_null()).then(pl.lit(high))
    return pl.DataFrame({"value": values}).select(known).to_series()
