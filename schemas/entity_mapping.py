"""Define how the rows of a table are mapped to entities: columns, codes, formats and conditions."""

from __future__ import annotations

import unicodedata
from typing import Any, Literal

from pydantic import (
    model_validator,
)

from schemas.toml_section import Section


def folded(header: str) -> str:
    """Return what of a header counts: not its case, blanks, line breaks or normal form."""
    return " ".join(unicodedata.normalize("NFC", header).casefold().split())


Entity = Literal[
    "person", "diagnosis", "surgery", "radiotherapy", "systemic_therapy", "assessment", "vital_status",
    "toxicity",
]  # fmt: skip


class ColumnMapping(Section):
    """Origin and notation of a typed column's value in a table."""

    column: str | None = None
    """Delivered header of the column."""
    constant: str | None = None
    """One value for every row, instead of a column."""
    codes: dict[str, str] = {}
    """Delivered code (compared without case and outer blanks) to the code of the vocabulary."""
    date_format: str | tuple[str, ...] | None = None
    """One strptime format or several, tried in order, if they differ from those of the table."""
    precision: Literal["day", "month", "year"] = "day"
    """Precision of the dates in this column."""
    scale: float = 1.0
    """Factor from the delivered unit to the unit of the contract."""
    first_of: str | None = None
    """Separator of several values in a cell: the first value is used, and a finding reports it."""

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMapping:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either 'column' or 'constant'")
        return self


class When(Section):
    """A condition on a row: only rows that fulfil it yield the entity."""

    column: str
    """Header of the column to check."""
    filled: bool | None = None
    """Whether the cell must be filled (true) or empty (false)."""
    equals: tuple[str, ...] = ()
    """Allowed words of the cell, compared without case and outer blanks."""


class EntityMapping(Section):
    """One typed record per row of a table."""

    entity: Entity
    """Kind of record."""
    when: tuple[When, ...] = ()
    """Conditions for a row to give a record; all must hold."""
    columns: dict[str, ColumnMapping]
    """Column of the entity to a header, or to a table with the keys of a column mapping."""

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, data: Any) -> Any:
        """``age = "Alter"`` is short for ``age = {column = "Alter"}``."""
        if not isinstance(data, dict) or not isinstance(data.get("columns"), dict):
            return data
        columns = {
            name: {"column": value} if isinstance(value, str) else value
            for name, value in data["columns"].items()
        }
        return {**data, "columns": columns}
