"""Define sections of ``study.toml`` that go beyond the models: imputation of missing covariates, weights."""

from __future__ import annotations

from typing import Annotated

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
