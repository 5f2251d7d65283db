"""Define ``[statistics]`` of ``study.toml``: models, and the printing of p values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Ties = Literal["efron", "breslow"]
"""Treatment of events on the same day in a partial likelihood."""

ENOUGH, FEW, TOO_FEW = "enough", "few", "too few"
"""Whether a model has enough events for its coefficients."""


class Statistics(BaseModel):
    """Choices of a study for its models, where the literature has several ways."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ties: Ties = "efron"
    """Treatment of events on the same day in the Cox models."""
    p_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    """Printed decimals of a p value; a smaller value is printed as below the last decimal, e.g. `<0.0001`."""
    p_adjustment: Literal["none", "holm", "false discovery rate"] = "none"
    """Adjustment of the joint tests of one model for multiple testing: `holm`, or Benjamini and
    Hochberg's."""
    significance: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """p value below which the report states a difference."""
    few_events_per_coefficient: Annotated[float, Field(ge=1)] = 10
    """Events per coefficient below which a model is called unstable (Peduzzi 1995)."""
    too_few_events_per_coefficient: Annotated[float, Field(ge=0)] = 5
    """Events per coefficient below which the report calls a model meaningless (Vittinghoff 2007)."""
    univariable: Literal["same patients", "every patient"] = "same patients"
    """Patients of univariable models: those of the multivariable model, or all with the covariate."""

    bootstrap_resamples: Annotated[int, Field(ge=0, le=2000)] = 0
    """Resamples of the internal validation of each model; 0 for none: they take time in every refresh."""
    bootstrap_seed: Annotated[int, Field(ge=0)] = 20260101
    """Seed of the resamples: the same seed and patients give the same numbers."""
    first_failure_days: Annotated[int, Field(ge=0, le=365)] = 30
    """Relapses within these days of the first one are one pattern of first failure."""
    least_at_risk: Annotated[int, Field(ge=0)] = 5
    """Curves of survival and cumulative incidence are drawn only while as many patients are at risk; 0: to
    the end."""

    def verdict(self, events: int, coefficients: int) -> str:
        """Return whether the events are enough, few or too few for the coefficients."""
        if events < self.too_few_events_per_coefficient * coefficients:
            return TOO_FEW
        return FEW if events < self.few_events_per_coefficient * coefficients else ENOUGH

    def complaints(self) -> Iterator[tuple[str, str]]:
        """Yield each key whose value contradicts another, and why."""
        few, too_few = self.few_events_per_coefficient, self.too_few_events_per_coefficient
        if too_few > few:
            yield (
                "too_few_events_per_coefficient",
                f"{too_few:g} is above few_events_per_coefficient ({few:g})",
            )


DEFAULT = Statistics()
"""What holds for a study that declares nothing."""
