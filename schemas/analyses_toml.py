"""Define sections of ``study.toml`` beyond the models: imputation, weights, external validation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.sources_toml import Section


class Imputation(Section):
    """Multiple imputation of a model's missing covariates by chained equations."""

    imputations: Annotated[int, Field(ge=2, le=200)] = 20
    """Number of imputed data sets; about the percentage of patients with a missing value (White 2011)."""
    iterations: Annotated[int, Field(ge=1, le=50)] = 10
    """Rounds of the chained equations before a data set is kept."""
    seed: Annotated[int, Field(ge=0)] = 20260101
    """Seed of the draws: the same seed and patients give the same numbers."""
    auxiliary: tuple[str, ...] = ()
    """Covariates of this file that help to impute, but are not in the model. The event indicator and the
    cumulative hazard are always used."""


class Weighting(Section):
    """Two treatments compared with weights, the inverse of the probability of each patient's treatment."""

    name: str
    """Name, unique in the file."""
    title: str
    """Title in the report."""
    treatment: str
    """A factor among the covariates of this file, with two levels."""
    covariates: tuple[str, ...]
    """Covariates known before the treatment, from which its probability is estimated."""
    endpoints: tuple[str, ...]
    """Endpoints of this file for which the treatments are compared."""
    stabilised: bool = True
    """Whether each weight is multiplied by the share of the treatment, so that weights are about 1."""


class PredictorTerm(Section):
    """One part of a linear predictor: a coefficient of a number, or the points of levels."""

    column: str
    """Column of ``cohort.patients``."""
    coefficient: float | None = None
    """For a number: log hazard ratio per unit of the transformed value."""
    transformation: Literal["none", "log", "square root", "square"] = "none"
    """For a number: applied before the coefficient."""
    centre: float = 0.0
    """For a number: subtracted after the transformation."""
    levels: dict[str, float] = Field(default_factory=dict)
    """For levels: log hazard ratio of each; patients with another level are left out."""


class Validation(Section):
    """External validation of a published prognostic model in this study's patients."""

    name: str
    """Name, unique in the file."""
    title: str
    """Title in the report."""
    endpoint: str
    """Endpoint of this file that the model predicts."""
    source: str
    """Where the coefficients are printed, or that they are invented."""
    terms: tuple[PredictorTerm, ...]
    """Parts of the linear predictor, which are added."""
    baseline: dict[str, Annotated[float, Field(gt=0, lt=1)]]
    """Months to the survival of a patient with a linear predictor of 0: `{ "24" = 0.9 }`."""
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.2, 0.3, 0.4, 0.5)
    """Predicted risks of an event above which one would act, for the net benefit."""
