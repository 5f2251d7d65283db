"""Harrell's C of a fitted Cox model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sarcoma_pipeline.survival import spline
from sarcoma_pipeline.survival.concordance import Concordance, harrell_with_error
from sarcoma_pipeline.survival.design import Contrast, ModelData, at_risk

_LOWEST = 1e6
"""Log hazard ratio that replaces the limit of a level without events: below all others."""


def concordance(data: ModelData, coefficients: Mapping[str, float]) -> Concordance:
    """Compute Harrell's C of a fit in all complete cases, and its standard error.

    The coefficient of a level without events tends to minus infinity: its patients rank below all others.

    Args:
        data: the model's data.
        coefficients: column of the design to its coefficient.
    """
    rows = data.complete
    risk = np.zeros(rows.height)
    for covariate in data.covariates:
        column = rows[covariate.name]
        if covariate.kind == "continuous":
            risk += coefficients.get(covariate.name, 0.0) * column.to_numpy()
            continue
        if covariate.kind == "spline":
            for knot, values in spline.columns(covariate, column.to_numpy()).items():
                risk += coefficients.get(Contrast(covariate, knot).name, 0.0) * values
            continue
        for level, (_, events) in sorted(data.counts[covariate.name].items()):
            of_level = coefficients.get(Contrast(covariate, level).name, 0.0)
            weight = -_LOWEST if data.eventless and events == 0 else of_level
            risk += weight * (column == level).to_numpy()
    time, entry = at_risk(rows)
    return harrell_with_error(time, rows["event"], risk, entry)
