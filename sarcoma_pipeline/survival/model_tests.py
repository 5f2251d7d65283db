"""Tests of Cox models as a whole: joint tests of covariates, concordance with its error, univariable models.

A factor with several levels is judged by one test of all its coefficients, not by the smallest p value of its
contrasts. The likelihood ratio test is that of R's ``drop1(test = "Chisq")``, Wald's that of ``anova`` in the
package ``rms``. Events per coefficient are compared with the thresholds that the study declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.chi_square_tail import tail
from sarcoma_pipeline.survival.cox import plain_lines
from sarcoma_pipeline.survival.design import ModelData, model_data
from sarcoma_pipeline.survival.model_concordance import concordance
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, Maximum, NoEstimate, solve
from schemas.analysis_models import JointTest, ModelFit, UnivariableHazardRatio
from schemas.configuration import Covariate, Model
from schemas.statistics import DEFAULT, Statistics

_Z = NormalDist().inv_cdf(0.975)

_ROUNDING = 1e-9
"""Difference of log likelihoods by which rounding can make a smaller model seem better."""


@dataclass(frozen=True)
class ModelTests:
    """The results of all models.

    Attributes:
        fits: `schemas.analysis_models.ModelFit`.
        joint: `schemas.analysis_models.JointTest`.
        univariable: `schemas.analysis_models.UnivariableHazardRatio`.
    """

    fits: pl.DataFrame
    joint: pl.DataFrame
    univariable: pl.DataFrame


@dataclass(frozen=True)
class _Fitted:
    """A model at its maximum: coefficients by name, or why there is none."""

    names: tuple[str, ...] = ()
    found: Maximum | None = None
    log_likelihood: float | None = None
    reason: str | None = None


def model_tests(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> ModelTests:
    """Test every model whose endpoint exists, and every covariate of it.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models.
        statistics: what the study declares.

    Raises:
        ValueError: a factor has no reference level.
    """
    fits: list[dict[str, Any]] = []
    joint: list[dict[str, Any]] = []
    univariable: list[dict[str, Any]] = []
    for data in model_data(patients, endpoints, models, covariates, ties=statistics.ties):
        alone = {c.name: data.of([c.name]) for c in data.covariates}
        if statistics.univariable == "every patient":
            single = [Model(**{**dict(data.model), "covariates": (name,)}) for name in alone]
            of = model_data(patients, endpoints, single, covariates, ties=statistics.ties)
            alone = dict(zip(alone, of, strict=True))
        full = _fitted(data)
        fits.append(_fit_line(data, full, statistics))
        joint += _adjusted(
            [_joint_line(data, full, c.name, alone[c.name]) for c in data.covariates], statistics
        )
        for name in alone:
            univariable += plain_lines(alone[name])
    return ModelTests(
        numbered(ModelFit, fits), numbered(JointTest, joint), numbered(UnivariableHazardRatio, univariable)
    )


def adjusted(p_values: Sequence[float | None], method: str) -> list[float | None]:
    """Adjust p values for their number, as R's ``p.adjust``.

    Args:
        p_values: None for: no test.
        method: ``holm`` or ``false discovery rate`` (Benjamini and Hochberg).
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    made: list[float | None] = [None] * len(p_values)
    steps = list(enumerate(known))
    reached = 0.0 if method == "holm" else 1.0
    for rank, (p, i) in steps if method == "holm" else reversed(steps):
        if method == "holm":
            reached = max(reached, min(1.0, p * (len(known) - rank)))
        else:
            reached = min(reached, p * len(known) / (rank + 1))
        made[i] = reached
    return made


def _fitted(data: ModelData) -> _Fitted:
    if not data.events:
        return _Fitted(reason="no event in the model")
    used = data.estimable()
    matrix = data.matrix(used)
    likelihood = data.likelihood(used, matrix)
    if not matrix.width:
        # Without a coefficient, the column of zeros has no maximum, but its likelihood is that of the empty
        # model.
        return _Fitted(log_likelihood=likelihood.at(np.zeros(likelihood.p)).log_likelihood)
    try:
        found = likelihood.maximum()
    except NoEstimate as reason:
        return _Fitted(tuple(matrix.columns), reason=f"no estimate: {reason}")
    return _Fitted(tuple(matrix.columns), found, found.at.log_likelihood)


def _fit_line(data: ModelData, full: _Fitted, statistics: Statistics) -> dict[str, Any]:
    coefficients = len(full.names)
    line: dict[str, Any] = {
        "model": data.model.name,
        "endpoint": data.model.endpoint,
        "ties": data.ties,
        "strata": ", ".join(c.name for c in data.strata) or None,
        "n": data.complete.height,
        "missing": data.missing,
        "events": data.events,
        "coefficients": coefficients,
        "note": full.reason,
    }
    if coefficients:
        line["events_per_variable"] = data.events / coefficients
        line["verdict"] = statistics.verdict(data.events, coefficients)
    if full.found is None:
        return line
    c = concordance(data, dict(zip(full.names, full.found.coefficients.tolist(), strict=True)))
    if c.value is not None and c.standard_error is not None:
        line |= {
            "concordance": c.value,
            "concordance_standard_error": c.standard_error,
            "concordance_low": max(c.value - _Z * c.standard_error, 0.0),
            "concordance_high": min(c.value + _Z * c.standard_error, 1.0),
        }
    line["log_likelihood"] = full.log_likelihood
    return line | _ratio(data, full, data.of([])) | _wald(full, full.names)


def _joint_line(data: ModelData, full: _Fitted, term: str, alone: ModelData) -> dict[str, Any]:
    tested = tuple(name for name in full.names if name.split("\x1f")[0] == term)
    others = data.of([c.name for c in data.covariates if c.name != term])
    line = {
        "model": data.model.name,
        "endpoint": data.model.endpoint,
        "term": term,
        "n": data.complete.height,
        "events": data.events,
        "note": full.reason or _left_out(data, term),
        **_ratio(data, full, others),
        **_wald(full, tested),
    }
    single = _ratio(alone, _fitted(alone), alone.of([]))
    if next(c for c in data.covariates if c.name == term).kind == "spline":
        bent = _ratio(data, full, data.straight(term))
        line["nonlinearity_likelihood_ratio"] = bent.get("likelihood_ratio")
        line["nonlinearity_p_value"] = bent.get("p_value")
    wald = {"wald_degrees_of_freedom": len(tested)} if "wald" in line else {}
    return {
        **line,
        **wald,
        "univariable_likelihood_ratio": single.get("likelihood_ratio"),
        "univariable_p_value": single.get("p_value"),
    }


def _left_out(data: ModelData, term: str) -> str | None:
    levels = [level for level, (n, events) in sorted(data.counts.get(term, {}).items()) if n and not events]
    if not levels:
        return None
    return f"Wald's test leaves out levels without events: {', '.join(levels)}"


def _ratio(data: ModelData, full: _Fitted, smaller: ModelData) -> dict[str, Any]:
    """Compare a model with a smaller one by their likelihoods.

    The hazard ratio of a level without events tends to 0, and the likelihood to a limit: that of the other
    patients. Its coefficient counts as a degree of freedom, as in R.
    """
    if full.log_likelihood is None:
        return {}
    degrees = data.matrix(data.complete).width - smaller.matrix(smaller.complete).width
    base = _fitted(smaller)
    if base.log_likelihood is None or not degrees:
        return {}
    gain = full.log_likelihood - base.log_likelihood
    # The smaller model cannot be better; only rounding makes it seem so.
    chi_square = 0.0 if -_ROUNDING * abs(base.log_likelihood) - _ROUNDING < gain < 0 else 2 * gain
    return {
        "degrees_of_freedom": degrees,
        "likelihood_ratio": chi_square,
        "p_value": float(tail(degrees, chi_square)),
    }


def _wald(full: _Fitted, names: Sequence[str]) -> dict[str, Any]:
    if full.found is None or not names:
        return {}
    at = [full.names.index(name) for name in names]
    chi_square = wald(full.found.coefficients[at], full.found.covariance[np.ix_(at, at)])
    if chi_square is None:
        return {}
    return {"wald": chi_square, "wald_p_value": float(tail(len(at), chi_square))}


def wald(coefficients: Floats, covariance: Floats) -> float | None:
    """Compute Wald's test that all coefficients are 0; None if their covariance is singular."""
    try:
        return float(coefficients @ solve(covariance, coefficients, np.sqrt(np.diag(covariance))))
    except NoEstimate:
        return None


def _adjusted(lines: list[dict[str, Any]], statistics: Statistics) -> Iterator[dict[str, Any]]:
    if statistics.p_adjustment == "none":
        yield from lines
        return
    values = adjusted([line.get("p_value") for line in lines], statistics.p_adjustment)
    for line, p in zip(lines, values, strict=True):
        yield {**line, "adjusted_p_value": p}
