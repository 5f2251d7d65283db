"""Divide patients into the groups whose toxicity is compared: levels of a factor, or a number in two."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.survival.design import values
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint


def grouped(
    patients: pl.DataFrame, endpoint: ToxicityEndpoint, covariates: Sequence[Covariate]
) -> tuple[pl.DataFrame, list[str]]:
    """Return ``pseudonym`` and ``level`` of every patient, and the levels in order.

    A number is divided at the declared cut, else at the median of the patients who have one.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoint: names the covariate, and the cut of a number.
        covariates: the covariates of study.toml.
    """
    covariate = next(c for c in covariates if c.name == endpoint.by)
    if covariate.kind == "factor":
        frame = patients.select("pseudonym", level=values(covariate))
        order = dict.fromkeys(filter(None, [covariate.reference, *covariate.levels]))
        known = set(frame["level"].drop_nulls())
        levels = [level for level in order if level in known]
        return frame, levels + sorted(known - set(levels))
    number = patients[covariate.column].cast(pl.Float64)
    cut = endpoint.cut if endpoint.cut is not None else number.median()
    if cut is None:
        # No patient has a value, as in the night before the first doses are computed.
        return patients.select("pseudonym", level=pl.lit(None, pl.String)), []
    below, above = f"< {cut:.4g}", f"≥ {cut:.4g}"
    level = pl.when(number < cut).then(pl.lit(below)).when(number >= cut).then(pl.lit(above))
    frame = patients.select("pseudonym", level=level)
    return frame, [x for x in (below, above) if (frame["level"] == x).any()]
