"""Define ``[gate]`` of ``study.toml``: the thresholds of the release gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from schemas.contract import Contract

_BOUNDS = {
    "a": (0.0, 120.0),
    "d": (0.0, 18262.0),
    "months": (0.0, 600.0),
    "%": (0.0, 100.0),
    "Gy": (0.0, 100.0),
    "cm": (0.0, 100.0),
    "mm": (0.0, 20.0),
    "MV": (0.0, 25.0),
}
"""Unit of a column to its plausible range, e.g. 120 years of age, 50 years of follow-up in days."""


class Gate(BaseModel):
    """Thresholds of the release gate; the defaults suit nightly changes of a few hundred patients."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_drop_percent: Annotated[float, Field(ge=0, le=100)] = 10
    """Maximum loss of rows of a table compared with the last release, in percent."""
    max_share_points: Annotated[float, Field(gt=0, le=100)] = 15
    """Maximum change of a level's share compared with the last release, in percentage points."""
    max_median_sd: Annotated[float, Field(gt=0)] = 0.5
    """Maximum change of a median, in standard deviations of the last release."""
    drift_from: Annotated[int, Field(ge=1)] = 30
    """Minimum number of patients of the last release for comparing shares and medians."""
    max_unreadable_percent: Annotated[float, Field(ge=0, le=100)] = 50
    """Maximum share of a mapped column's filled cells that may be unreadable, in percent."""
    unreadable_from: Annotated[int, Field(ge=1)] = 3
    """Minimum number of unreadable cells for holding a release back; cells of a single person never do."""
    may_lack_events: tuple[str, ...] = ()
    """Endpoints that may have no event although deaths or relapses of two or more persons were read."""
    bounds: dict[str, tuple[float, float]] = {}
    """Unit to its least and greatest plausible value; replaces the default for that unit."""

    @model_validator(mode="after")
    def _bounds_are_ranges(self) -> Gate:
        for unit, (low, high) in self.bounds.items():
            if unit not in _BOUNDS:
                raise ValueError(f"bounds: unknown unit {unit!r}; known are {', '.join(_BOUNDS)}")
            if low > high:
                raise ValueError(f"bounds.{unit}: {low} is above {high}")
        return self

    def plausible(self, unit: str | None) -> tuple[float, float] | None:
        """Return the least and greatest plausible value of a unit; None if it has no bounds."""
        return {**_BOUNDS, **self.bounds}.get(unit or "")

    def bounded(self, contract: type[Contract]) -> dict[str, tuple[float, float]]:
        """Return the numeric columns of a table that have bounds, with their least and greatest value."""
        numbers = (c for c in contract.columns() if c.dtype.startswith(("Int", "Float")))
        return {c.name: bounds for c in numbers if (bounds := self.plausible(c.unit))}
