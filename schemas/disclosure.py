"""What a public report or export may tell: the optional ``[disclosure]`` of ``study.toml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

WITHHELD = "withheld"
"""What stands in a text where a number is withheld; the number itself is null."""


class Disclosure(BaseModel):
    """The numbers of the policy that `sarcoma_pipeline.publish.disclosure` carries out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: Annotated[int, Field(ge=3)] = 5
    """Counts from 1 to below it are withheld. From 3: below 2 a withheld count could only be 1."""
    rounding: Annotated[int, Field(ge=2)] = 5
    """Patients at risk are rounded to multiples of it."""
    grid_months: Annotated[int, Field(ge=1)] = 6
    """Survival curves are read at multiples of it only: the time of an event is a patient's own."""

    @model_validator(mode="after")
    def _rounding_leaves_patients(self) -> Disclosure:
        if self.rounding > 2 * self.threshold:
            raise ValueError("rounding above twice the threshold would print 0 for patients who are there")
        return self
