"""Contract of the wide table of a release: one row a patient, with the time and event of every endpoint.

A study names its own endpoints, so the contract is made for them; no table of the warehouse has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import new_class
from typing import Any

import polars as pl

from schemas.cohort import CohortPatient
from schemas.contract import ColumnSpec, Contract, column

WIDE = "cohort.wide"
"""Name of the table."""

_LEFT_OUT = ("record_ids",)
"""Columns of the patients that hold lists, which statistics programs and spreadsheets have no type for."""

_DTYPES: dict[str, Any] = {
    "String": pl.String,
    "Int32": pl.Int32,
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Boolean": pl.Boolean,
}

_OF_AN_ENDPOINT: Mapping[str, tuple[str, Any, dict[str, Any]]] = {
    "days": ("time_days", pl.Int32, {"unit": "d"}),
    "months": ("time_months", pl.Float64, {"unit": "months"}),
    "event": ("event", pl.Boolean, {}),
    "kind": ("event_kind", pl.String, {"vocabulary": "event_kind"}),
    "entry_months": ("entry_months", pl.Float64, {"unit": "months"}),
}
"""Ending of a column: the column of `cohort.endpoints`, its dtype, and what its declaration adds."""

_WORDS = {
    "days": ("time in days", "Time to the first event, or to censoring"),
    "months": ("time in months", "Time to the first event, or to censoring"),
    "event": ("event", "True for an event, false for censored"),
    "kind": ("kind of event", "What ended the time"),
    "entry_months": ("entry", "Only after this time is the patient at risk; missing for at once"),
}


def prefixes(endpoints: Iterable[str]) -> dict[str, str]:
    """Return the beginning of each endpoint's columns: its name in lower case.

    Of two endpoints that differ in case or hyphens only, and of a name that would repeat a column of the
    patients, the second gets a number.
    """
    taken = {c.name for c in _of_patients()}
    chosen = {}
    for endpoint in sorted(set(endpoints)):
        name = endpoint.lower().replace("-", "_")
        candidates = (name, *(f"{name}_{number}" for number in range(2, len(taken) + 2)))
        prefix = next(p for p in candidates if taken.isdisjoint(_columns(p)))
        taken |= set(_columns(prefix))
        chosen[endpoint] = prefix
    return chosen


def endpoint_columns(prefix: str) -> dict[str, str]:
    """Return column of `cohort.endpoints` to column of the wide table, for one endpoint."""
    return {_OF_AN_ENDPOINT[ending][0]: f"{prefix}_{ending}" for ending in _OF_AN_ENDPOINT}


def contract(endpoints: Iterable[str]) -> type[Contract]:
    """Return the contract for a study with these endpoints."""
    types: dict[str, Any] = {c.name: _DTYPES[c.dtype] for c in _of_patients()}
    fields = {c.name: _declared(c) for c in _of_patients()}
    for endpoint, prefix in prefixes(endpoints).items():
        for ending, (_, dtype, more) in _OF_AN_ENDPOINT.items():
            title, description = _WORDS[ending]
            name = f"{prefix}_{ending}"
            types[name] = dtype
            fields[name] = column(
                f"{endpoint}: {title}",
                f"{description}. Missing: the patient is not at risk of {endpoint}; see cohort.not_at_risk.",
                **more,
            )
    doc = "One eligible patient of the study, with the time and event of every endpoint."
    body = {"__annotations__": types, "__doc__": doc, "__module__": __name__, **fields}
    made: type[Contract] = new_class("CohortWide", (Contract,), {}, lambda namespace: namespace.update(body))
    # Named without being registered: the registry has the contracts that are the same for every study.
    made._table = WIDE
    return made


def _of_patients() -> Iterator[ColumnSpec]:
    return (c for c in CohortPatient.columns() if c.name not in _LEFT_OUT)


def _columns(prefix: str) -> list[str]:
    return list(endpoint_columns(prefix).values())


def _declared(spec: ColumnSpec) -> Any:
    return column(
        spec.title,
        spec.description,
        nullable=spec.nullable,
        unit=spec.unit,
        identifying=spec.identifying,
        vocabulary=spec.vocabulary,
        unique=spec.name == "pseudonym",
    )
