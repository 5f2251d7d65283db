"""What a release must keep to go out: thresholds of its gate, the optional ``[gate]`` of ``study.toml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
"""Unit of a contract's column to what is plausible: 120 years of age, 50 years of follow-up."""


class Gate(BaseModel):
    """Thresholds of the release gate. The defaults suit one night's change of a cohort of some hundred."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_drop_percent: Annotated[float, Field(ge=0, le=100)] = 10
    """Rows that a table may lose against the last release, in percent of them."""
    max_share_points: Annotated[float, Field(gt=0, le=100)] = 15
    """Percentage points by which a level's share may move against the last release."""
    max_median_sd: Annotated[float, Field(gt=0)] = 0.5
    """Standard deviations of the last release by which a number's median may move."""
    drift_from: Annotated[int, Field(ge=1)] = 30
    """Patients of the last release below which shares and medians are not compared: one moves them."""
    bounds: dict[str, tuple[float, float]] = {}
    """Unit to least and greatest plausible value; replaces the default of that unit."""

    @model_validator(mode="after")
    def _bounds_are_ranges(self) -> Gate:
        for unit, (low, high) in self.bounds.items():
            if unit not in _BOUNDS:
                raise ValueError(f"bounds: unknown unit {unit!r}; known are {', '.join(_BOUNDS)}")
            if low > high:
                raise ValueError(f"bounds.{unit}: {low} is above {high}")
        return self

    def plausible(self, unit: str | None) -> tuple[float, float] | None:
        """Least and greatest plausible value of a unit; None for one without bounds."""
        return {**_BOUNDS, **self.bounds}.get(unit or "")
