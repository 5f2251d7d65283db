"""Test the proportional hazards assumption by Schoenfeld residuals.

Give events per parameter and concordance.

The test is the exact score test of a coefficient that changes with ``g(t) = 1 − S(t−)``, the Kaplan–Meier
transform, as ``cox.zph`` of R's survival computes it since version 3.0 (Grambsch and Therneau 1994;
Therneau's vignette "approximate tests"). lifelines' ``proportional_hazard_test`` is the approximation of
older versions: it assumes the same variance at every event time, tests single columns only, and has no global
test. For age in R's ``gbsg`` it gives 3.4 instead of 9.1 (`tests/survival/test_golden_cox.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.chi_square_tail import tail
from sarcoma_pipeline.survival.design import ModelData, model_data
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, estimator
from sarcoma_pipeline.survival.model_concordance import concordance
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, Maximum, NoEstimate, PartialLikelihood, solve
from schemas.analysis import ProportionalHazards
from schemas.configuration import Covariate, Model
from schemas.statistics import DEFAULT, Statistics

GLOBAL = "GLOBAL"
"""R's name for the global test of all terms."""


def proportional_hazards(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> pl.DataFrame:
    """Test every term of every model whose endpoint exists, and all terms together.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models.
        statistics: handling of ties, and from how many events on a model is stable.

    Returns:
        `schemas.analysis.ProportionalHazards`: a row per term with an estimate, then the global test. A model
        without estimates has only its global row, with the reason.

    Raises:
        ValueError: a factor has no reference level.
    """
    of = model_data(patients, endpoints, models, covariates, ties=statistics.ties)
    few = statistics.few_events_per_coefficient
    lines = [line for data in of for line in _tests(data, few)]
    return numbered(ProportionalHazards, lines)


def schoenfeld(
    likelihood: PartialLikelihood, found: Maximum, transformed: Floats, columns: Sequence[int]
) -> float:
    """Compute the score test of time-dependent coefficients; chi-squared with one degree of freedom for each.

    Args:
        likelihood: likelihood of the model.
        found: its maximum.
        transformed: ``g(t)`` of every death, in the order of ``likelihood.dying``.
        columns: positions of the tested coefficients.

    Raises:
        NoEstimate: there are too few different event times.
    """
    if np.ptp(transformed) == 0:
        raise NoEstimate("too few different event times for the test")
    g = transformed - transformed.mean()
    linear = likelihood.at(found.coefficients, g)
    square = likelihood.at(found.coefficients, g**2)
    some = list(columns)
    constant, mixed = found.at.information, linear.information[:, some]
    # Schur complement: the information on the change, given that the constant part is estimated.
    left = square.information[np.ix_(some, some)] - mixed.T @ np.linalg.solve(constant, mixed)
    score = linear.score[some]
    return float(score @ solve(left, score, np.sqrt(np.diag(square.information)[some])))


def _tests(data: ModelData, few: float) -> Iterator[dict[str, Any]]:
    used = data.estimable()
    matrix = data.matrix(used)
    common: dict[str, Any] = {
        "model": data.model.name,
        "endpoint": data.model.endpoint,
        "n": data.complete.height,
        "events": data.events,
    }
    if not data.events or not matrix.width:
        yield {**common, "term": GLOBAL, "parameters": 0, "warning": "nothing to estimate"}
        return
    likelihood = data.likelihood(used, matrix)
    common["parameters"] = matrix.width
    common["events_per_variable"] = data.events / matrix.width
    common["warning"] = few_events(data.events, matrix.width, few)
    try:
        found = likelihood.maximum()
    except NoEstimate as reason:
        yield {**common, "term": GLOBAL, "warning": f"no estimate: {reason}"}
        return
    coefficients = dict(zip(matrix.columns, found.coefficients.tolist(), strict=True))
    common["concordance"] = concordance(data, coefficients).value
    g = _kaplan_meier(data.complete, used).to_numpy()[likelihood.order][likelihood.dying]
    owners = [name.split("\x1f")[0] for name in matrix.columns]
    terms = {c.name: [i for i, owner in enumerate(owners) if owner == c.name] for c in data.covariates}
    for term, columns in {**terms, GLOBAL: list(range(matrix.width))}.items():
        if not columns:
            continue
        try:
            chi_square = schoenfeld(likelihood, found, g, columns)
        except NoEstimate as reason:
            yield {**common, "term": term, "warning": f"no test: {reason}"}
            continue
        yield {
            **common,
            "term": term,
            "chi_square": chi_square,
            "degrees_of_freedom": len(columns),
            "p_value": float(tail(len(columns), chi_square)),
        }


def few_events(events: int, parameters: int, few: float = DEFAULT.few_events_per_coefficient) -> str | None:
    """Return a warning if there are too few events per coefficient for stable estimates, else None."""
    if events >= few * parameters:
        return None
    return f"{events} events for {parameters} coefficients: fewer than {few:g} each, estimates are unstable"


def _kaplan_meier(everybody: pl.DataFrame, used: pl.DataFrame) -> pl.Series:
    """Return ``1 − S(t−)`` of every used row: the survival of all complete cases just before its time."""
    by_time = (
        estimator(everybody.with_columns(all=pl.lit(0)), ["all"])
        # The curve's first row is time 0, when all patients are at risk.
        .slice(1)
        .with_columns(g=1 - pl.col("survival").shift(1, fill_value=1.0))
        .filter(pl.col("events") + pl.col("censored") > 0)
        .select(time_days=(pl.col("time_months") * DAYS_PER_MONTH).round().cast(pl.Int64), g="g")
    )
    return used.select(pl.col("time_days").cast(pl.Int64)).join(
        by_time, on="time_days", how="left", maintain_order="left"
    )["g"]
