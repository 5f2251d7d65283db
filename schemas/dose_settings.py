"""Define ``[dose_volume]`` of ``study.toml``: what is computed from contours and doses, and its limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, model_validator

from schemas.structure_names import Role
from schemas.toml_section import Section

OF_TARGETS: tuple[Role, ...] = ("target", "target boost", "target source")


class DoseSettings(Section):
    """``[dose_volume]``: volumes and doses of structures."""

    volumes_at_gy: tuple[PositiveFloat, ...] = (20.0, 40.0, 50.0)
    """Doses x of Vx, computed for every structure besides the metrics of its role."""
    alpha_beta_target_gy: PositiveFloat = 4.0
    """Alpha/beta of soft tissue sarcoma, for the EQD2 of targets."""
    alpha_beta_organ_gy: PositiveFloat = 3.0
    """Alpha/beta of late effects, for the EQD2 of all other structures; [[structures]] may say another."""
    target_least_cc: Annotated[float, Field(ge=0)] = 1.0
    """A planning target volume (PTV) below it is implausible."""
    target_most_cc: PositiveFloat = 8000.0
    """A planning target volume (PTV) above it is implausible."""

    @model_validator(mode="after")
    def _in_order(self) -> DoseSettings:
        if self.target_least_cc >= self.target_most_cc:
            raise ValueError("target_least_cc must be below target_most_cc")
        return self

    def alpha_beta_of(self, role: Role | None) -> float:
        """Return alpha/beta of a role."""
        return self.alpha_beta_target_gy if role in OF_TARGETS else self.alpha_beta_organ_gy
