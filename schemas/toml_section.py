"""The base of every part of a configuration file."""

from __future__ import annotations

from pydantic import (
    BaseModel,
    ConfigDict,
)


class Section(BaseModel):
    """A part of a configuration file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
