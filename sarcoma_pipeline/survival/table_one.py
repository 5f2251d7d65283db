"""Table 1: patient, tumour and treatment characteristics, in the order of ``study.toml``.

Percentages refer to all patients of the block, including those with a missing value, and are rounded half up.
Medians and quartiles are Hyndman and Fan's type 7 (R's default). Missing values, and values that the
configuration does not list, get rows of their own, so that every patient is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.survival.numbered_lines import numbered
from schemas.analysis import TableOne
from schemas.configuration import TableRow
from schemas.rounding import half_up, percent_half_up


def table_one(patients: pl.DataFrame, rows: Sequence[TableRow]) -> pl.DataFrame:
    """Describe the cohort.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        rows: the blocks, in order.

    Returns:
        `schemas.analysis.TableOne`: a row per level of a factor, two rows (median, quartiles) per number.

    Raises:
        polars.exceptions.ColumnNotFoundError: a block names a column that is missing in the cohort.
    """
    lines: list[dict[str, Any]] = []
    for row in rows:
        lines += lines_of(patients, row)
    return numbered(TableOne, lines)


def lines_of(patients: pl.DataFrame, row: TableRow) -> list[dict[str, Any]]:
    """Return the lines of one block."""
    values = chosen(patients, row)[row.column]
    return list(_factor(values, row) if row.kind == "factor" else _number(values, row))


def chosen(patients: pl.DataFrame, row: TableRow) -> pl.DataFrame:
    """Return the patients that a block is about."""
    return patients.filter(pl.lit(True), *(pl.col(name).is_in(values) for name, values in row.where.items()))


def _factor(values: pl.Series, row: TableRow) -> Iterator[dict[str, Any]]:
    counted = values.cast(pl.String).value_counts()
    counts: dict[str | None, int] = dict(zip(counted[values.name], counted["count"], strict=True))
    missing = counts.pop(None, 0)
    unnamed = sorted(level for level in counts if level is not None and level not in row.levels)
    for level in (*row.levels, *unnamed):
        yield _count(row, row.labels.get(level, level), counts.get(level, 0), len(values))
    if missing:
        yield _count(row, "Missing", missing, len(values))


def _count(row: TableRow, level: str, n: int, denominator: int) -> dict[str, Any]:
    printed = percent_half_up(n, denominator) if denominator else None
    return {
        "block": row.title,
        "level": level,
        "statistic": "n (%)",
        "n": n,
        "denominator": denominator,
        "percent": 100 * n / denominator if denominator else None,
        "percent_printed": printed,
        "text": f"{n} ({printed})" if printed else "0",
    }


def _number(values: pl.Series, row: TableRow) -> Iterator[dict[str, Any]]:
    known = values.drop_nulls().cast(pl.Float64)
    q1, median, q3 = (known.quantile(p, interpolation="linear") for p in (0.25, 0.5, 0.75))
    common = {"block": row.title, "n": len(known), "denominator": len(values)}
    if q1 is None or median is None or q3 is None:
        yield {**common, "statistic": "median", "text": "–"}
        return
    yield {**common, "statistic": "median", "value": median, "text": half_up(median, row.decimals)}
    low, high = half_up(q1, row.decimals), half_up(q3, row.decimals)
    yield {**common, "statistic": "Q1–Q3", "low": q1, "high": q3, "text": f"{low}–{high}"}
