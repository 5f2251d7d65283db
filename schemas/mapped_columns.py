"""Find the headers that a source maps to a date, or to a number with a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas import typed  # noqa: F401  it registers the typed contracts
from schemas.contract import CONTRACTS, ColumnSpec
from schemas.entity_mapping import ColumnMapping, EntityMapping


def columns_of(entity: EntityMapping) -> dict[str, ColumnSpec]:
    """Return name to column of the typed table that a mapping fills."""
    return {c.name: c for c in CONTRACTS[f"typed.{entity.entity}"].columns()}


def dates_of(entities: Iterable[EntityMapping], exported_on: object) -> list[str]:
    """Return the headers that are mapped to a date, in alphabetical order.

    Args:
        entities: the mapping.
        exported_on: header of the column with the day of the export; ignored if it is no text.
    """
    dated = {exported_on} if isinstance(exported_on, str) else set[str]()
    dated |= {header for header, spec, _ in _mapped(entities) if spec.dtype == "Date"}
    return sorted(dated)


def units_of(entities: Iterable[EntityMapping]) -> dict[str, str]:
    """Return header to the unit of its numbers, for columns without a declared scale."""
    return {
        header: spec.unit
        for header, spec, mapping in _mapped(entities)
        if spec.unit and "scale" not in mapping.model_fields_set
    }


def _mapped(entities: Iterable[EntityMapping]) -> Iterator[tuple[str, ColumnSpec, ColumnMapping]]:
    """Yield the headers with the typed columns to which they are mapped."""
    for entity in entities:
        specs = columns_of(entity)
        for name, mapping in entity.columns.items():
            if mapping.column is not None and name in specs:
                yield mapping.column, specs[name], mapping
