"""How rules over several records are registered, and the frames that many of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from schemas.contract import Rule

Frames = Mapping[str, pl.DataFrame]
"""Typed table (without ``typed.``) to its sound records with ``patient_id``; under ``every …`` with those in
quarantine, for rules on what is missing: a record held back is not missing."""

Judge = Callable[[Frames], pl.DataFrame]
"""Gives ``record_id``, ``column_name`` and ``value`` of the records at fault."""

RULES: list[tuple[Rule, str, Judge]] = []
"""Rule, typed table that holds the record at fault, and the function that finds it."""


def judges(rule: Rule, table: str) -> Callable[[Judge], Judge]:
    """Register a function as the one that judges this rule."""

    def register(function: Judge) -> Judge:
        RULES.append((rule, table, function))
        return function

    return register


def at(column: str) -> list[pl.Expr]:
    """``column_name`` and ``value`` of a finding: the column at fault and what stands in it."""
    return [pl.lit(column).alias("column_name"), pl.col(column).cast(pl.String).alias("value")]


def diagnoses(frames: Frames) -> pl.DataFrame:
    """Diagnoses proper (no additions to one), of linked patients, with their date."""
    return frames["diagnosis"].filter(
        "complete", pl.col("patient_id").is_not_null(), pl.col("diagnosis_date").is_not_null()
    )


def sarcomas(frames: Frames) -> pl.DataFrame:
    """Date and tumour of each patient's first diagnosis that is not a second malignancy."""
    return (
        diagnoses(frames)
        .sort("diagnosis_date", "record_id")
        .group_by("patient_id", maintain_order=True)
        .agg(zero=pl.col("diagnosis_date").first(), zero_precision=pl.col("diagnosis_date_precision").first())
    )


def deaths(frames: Frames) -> pl.DataFrame:
    """Last day a patient may have lived: the end of the interval of a partial date.

    A death before the diagnosis is a fault of its own and must not make the whole course look wrong.
    """
    date = pl.col("status_date")
    last = (
        pl.when(pl.col("status_date_precision") == "month")
        .then(date.dt.month_end())
        .when(pl.col("status_date_precision") == "year")
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
        .otherwise(date)
    )
    return (
        frames["vital_status"]
        .filter(pl.col("status") == "deceased", pl.col("patient_id").is_not_null())
        .join(sarcomas(frames), on="patient_id", how="left")
        .filter((last >= pl.col("zero")).fill_null(True), (pl.col("status_day") >= 0).fill_null(True))
        .group_by("patient_id")
        .agg(died=last.max(), death_day=pl.col("status_day").max(), death_records=pl.col("record_id"))
    )
