"""Describes the groups that a study compares side by side, with standardised differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.survival import balance
from sarcoma_pipeline.survival.design import levels_of, values
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.table_one import chosen, lines_of
from schemas.analysis_groups import TableOneByGroup
from schemas.configuration import Covariate, TableRow


def table_one_by_group(
    patients: pl.DataFrame, rows: Sequence[TableRow], factor: Covariate | None
) -> pl.DataFrame:
    """Describe each group as Table 1 describes the cohort.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        rows: the blocks of Table 1, in order; one about the factor's own column is left out.
        factor: the factor whose levels are the groups; None for no such table. Patients without one of its
            levels are in no group.

    Returns:
        `schemas.analysis_groups.TableOneByGroup`, the groups of one line after each other.
    """
    if factor is None:
        return TableOneByGroup.empty()
    grouped = patients.with_columns(values(factor).alias("_group")).drop_nulls("_group")
    present = set(grouped["_group"])
    names = [g for g in levels_of(factor, list(present)) if g in present]
    parts = {name: grouped.filter(pl.col("_group") == name) for name in names}
    lines: list[dict[str, Any]] = []
    for row in rows:
        if row.column == factor.column:
            continue
        # The lines of everybody: a level that only one group has is a line of every group.
        everybody = lines_of(grouped, row)
        mine = {name: {_key(line): line for line in lines_of(part, row)} for name, part in parts.items()}
        known = {name: chosen(part, row)[row.column] for name, part in parts.items()}
        apart = balance.largest(known, factor=row.kind == "factor")
        for line in everybody:
            for name, part in parts.items():
                own = mine[name].get(_key(line)) or _nobody(line, len(known[name]))
                lines.append(
                    {
                        **own, "covariate": factor.name, "group": name, "group_n": part.height,
                        "standardised_difference": apart and apart[0], "compared": apart and apart[1],
                    }
                )  # fmt: skip
    return numbered(TableOneByGroup, lines)


def _key(line: dict[str, Any]) -> tuple[str | None, str]:
    return line.get("level"), line["statistic"]


def _nobody(line: dict[str, Any], denominator: int) -> dict[str, Any]:
    """Return the line of a group in which nobody has the level, or nobody has a number."""
    text = "0 (0)" if line["statistic"] == "n (%)" and denominator else "–"
    share = 0.0 if line["statistic"] == "n (%)" and denominator else None
    return {
        "block": line["block"], "level": line.get("level"), "statistic": line["statistic"], "n": 0,
        "denominator": denominator, "percent": share, "text": text,
    }  # fmt: skip
