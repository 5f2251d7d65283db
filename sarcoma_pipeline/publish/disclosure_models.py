"""Apply disclosure control to results of whole Cox models: joint tests, concordance, univariable ratios.

They follow the model's hazard ratios: counts that are withheld there are withheld here, and a covariate with
a withheld contrast has neither a joint test nor univariable ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import polars as pl

from schemas.analysis import PENALISED
from schemas.disclosure import WITHHELD
from schemas.rounding import half_up

_COUNTS = ("n", "missing", "events")
_TO_THREE = ("hazard_ratio", "ci_low", "ci_high", "coefficient", "standard_error")
_DECIMALS = {"p_value": 4, "likelihood_ratio": 2, "wald": 2}
"""Ending of a column's name to its printed decimals."""

Row = dict[str, Any]


def public(tables: Mapping[str, pl.DataFrame], ratios: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables that may be published, of those that there are.

    Args:
        tables: tables of a release by their contracts' names.
        ratios: the public `schemas.analysis.HazardRatio`.
    """
    plain = ratios.filter(~PENALISED).rows(named=True)
    counted = {row["model"]: {c: row[c] for c in _COUNTS} for row in plain}
    withheld = {(row["model"], row["term"]) for row in plain if WITHHELD in (row["note"] or "")}
    made = {}
    for name, suppress in (
        ("analysis.model_fit", _fit),
        ("analysis.joint_test", _joint),
        ("analysis.univariable_hazard_ratio", _univariable),
    ):
        if name in tables:
            rows = [
                suppress(
                    row | {c: n for c, n in counted.get(row["model"], _NOTHING).items() if c in row},
                    (row["model"], row.get("term")) in withheld,
                )
                for row in tables[name].sort("position").rows(named=True)
            ]
            made[name] = pl.DataFrame(rows, schema=tables[name].schema)
    return made


_NOTHING = dict.fromkeys(_COUNTS)


def _fit(row: Row, _: bool) -> Row:
    made = {**_rounded(row, hidden=False), "log_likelihood": None}
    made |= {name: _printed(row[name], 3) for name in row if name.startswith("concordance")}
    # The verdict stays: the notes of the hazard ratios also say that a model has few events.
    return made | ({"events_per_variable": None} if made["events"] is None else {})


def _joint(row: Row, hidden: bool) -> Row:
    made = _rounded(row, hidden)
    return made | ({"note": f"The joint test of {row['term']} is {WITHHELD}."} if hidden else {})


def _univariable(row: Row, hidden: bool) -> Row:
    # Univariable models of all patients with the covariate have other counts than the model.
    made = {**_rounded(row, hidden), **dict.fromkeys((*_COUNTS, "level_n", "level_events"))}
    made |= {name: None if hidden else _printed(row[name], 3) for name in _TO_THREE}
    return made | ({"note": f"{row['contrast']}: {WITHHELD}."} if hidden else {})


def _rounded(row: Row, hidden: bool) -> Row:
    rounded = {
        name: None if hidden else _printed(value, decimals)
        for name, value in row.items()
        for end, decimals in _DECIMALS.items()
        if name.endswith(end)
    }
    return row | rounded


def _printed(value: float | None, decimals: int) -> float | None:
    return None if value is None or not isfinite(value) else float(half_up(value, decimals))
