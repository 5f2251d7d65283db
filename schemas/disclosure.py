"""Define ``[disclosure]`` of ``study.toml``: disclosure control for public reports and exports."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

WITHHELD = "withheld"
"""Text printed for suppressed values; suppressed numbers are null."""


class Disclosure(BaseModel):
    """Parameters of the policy in `sarcoma_pipeline.publish.disclosure`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: Annotated[int, Field(ge=3)] = 5
    """Counts from 1 to below this number are suppressed. At least 3: with 2, a suppressed count could only
    be 1."""
    rounding: Annotated[int, Field(ge=2)] = 5
    """Numbers at risk are rounded to multiples of this number."""
    grid_months: Annotated[int, Field(ge=1)] = 6
    """Survival curves are published at multiples of it, because the time of an event identifies a patient."""

    @model_validator(mode="after")
    def _rounding_leaves_patients(self) -> Disclosure:
        if self.rounding > 2 * self.threshold:
            raise ValueError("rounding above twice the threshold would print 0 for existing patients")
        return self
