"""Multivariable Cox models declared in ``study.toml``: Efron or Breslow ties, Wald intervals, strata.

Results equal R's ``coxph`` (`tests/golden/cox.R`). Contrasts that a model cannot estimate are removed
beforehand and explained in the ``note``. If a model loses a level without events in this way, or has no
maximum, the same model with Firth's penalty is added as further rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.concordance import harrell, linear_predictor
from sarcoma_pipeline.survival.design import Contrast, ModelData, at_risk, model_data
from sarcoma_pipeline.survival.firth import penalised
from sarcoma_pipeline.survival.model_concordance import concordance
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate
from schemas.analysis import PENALTY, HazardRatio
from schemas.configuration import Covariate, Model
from schemas.statistics import Ties

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class _Fit:
    """Estimates by contrast, the model's concordance, and the reasons for missing estimates."""

    numbers: dict[str, dict[str, float | None]]
    concordance: float | None = None
    note: str | None = None
    lost: dict[str, str] = field(default_factory=dict)


def hazard_ratios(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    *,
    ties: Ties = "efron",
) -> pl.DataFrame:
    """Fit every model whose endpoint exists.

    Patients with a missing covariate (or a level that the configuration does not list) are left out of that
    model and counted in ``missing``.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models.
        ties: treatment of events on the same day.

    Returns:
        `schemas.analysis.HazardRatio`: a row per continuous covariate and per level other than the reference;
        repeated with Firth's penalty for a model that needs it.

    Raises:
        ValueError: a factor has no reference level.
    """
    lines: list[dict[str, Any]] = []
    for data in model_data(patients, endpoints, models, covariates, ties=ties):
        fit, method = _maximum(data), f"Cox, {ties.capitalize()}"
        lines += _lines(data, _with_concordance(data, fit), method, data.obstacles)
        if data.events and (data.eventless or fit.note):
            empty = {
                x.name: why for x in data.contrasts if (why := data.obstacles.get(x.name)) and _hopeless(why)
            }
            firth = _firth(data)
            lines += _lines(data, firth, f"{method}, {PENALTY}", empty) if firth.numbers else []
    return numbered(HazardRatio, lines)


def _hopeless(obstacle: str) -> bool:
    """Return whether not even a penalised estimate exists, because there are no patients to compare."""
    return obstacle.startswith("no variance")


def plain_lines(data: ModelData) -> list[dict[str, Any]]:
    """Return the rows of `schemas.analysis.HazardRatio` of a model without a penalty.

    They have neither a position nor the model's concordance.
    """
    return _lines(data, _maximum(data), f"Cox, {data.ties.capitalize()}", data.obstacles)


def _lines(data: ModelData, fit: _Fit, method: str, obstacles: dict[str, str]) -> list[dict[str, Any]]:
    parameters = len(fit.numbers)
    common = {
        "model": data.model.name,
        "endpoint": data.model.endpoint,
        "method": method,
        "n": data.complete.height,
        "missing": data.missing,
        "events": data.events,
        "events_per_variable": data.events / parameters if parameters else None,
        "concordance": fit.concordance,
    }
    return [
        {
            **common,
            "term": contrast.covariate.name,
            "level": contrast.level,
            "contrast": contrast.label,
            "reference": contrast.covariate.reference,
            **_level(data, contrast),
            "note": obstacles.get(contrast.name) or fit.note or fit.lost.get(contrast.name),
            **({} if contrast.name in obstacles else fit.numbers.get(contrast.name, {})),
        }
        for contrast in data.contrasts
    ]


def _level(data: ModelData, contrast: Contrast) -> dict[str, int | None]:
    if contrast.level is None or contrast.covariate.kind == "spline":
        return {"level_n": None, "level_events": None}
    n, events = data.counts[contrast.covariate.name].get(contrast.level, (0, 0))
    return {"level_n": n, "level_events": events}


def _maximum(data: ModelData) -> _Fit:
    used = data.estimable()
    matrix, aliased = data.design(used)
    if not matrix.width or not data.events:
        return _Fit({})
    try:
        found = data.likelihood(used, matrix).maximum()
        errors = np.sqrt(np.diag(found.covariance))
    except NoEstimate as reason:
        return _Fit({}, note=f"no estimate: {reason}")
    numbers = wald_estimates(matrix.columns, found.coefficients, errors)
    return _Fit(numbers, lost=aliased | beyond(numbers))


def _with_concordance(data: ModelData, fit: _Fit) -> _Fit:
    coefficients = {name: float(of["coefficient"] or 0.0) for name, of in fit.numbers.items()}
    return replace(fit, concordance=concordance(data, coefficients).value) if coefficients else fit


def wald_estimates(
    names: Sequence[str], coefficients: Floats, errors: Floats
) -> dict[str, dict[str, float | None]]:
    """Return hazard ratio, interval and p value of each coefficient by its name."""
    return {
        name: {
            "coefficient": b,
            "standard_error": error,
            "hazard_ratio": _exp(b),
            "ci_low": _exp(b - _Z * error),
            "ci_high": _exp(b + _Z * error),
            "p_value": math.erfc(abs(b / error) / math.sqrt(2)),
        }
        for name, b, error in zip(names, coefficients.tolist(), errors.tolist(), strict=True)
    }


def _firth(data: ModelData) -> _Fit:
    matrix, aliased = data.design(data.complete)
    if not matrix.width:
        return _Fit({})
    if matrix.width > data.events:
        # The penalty alone would decide, and the search would not end.
        return _Fit({}, note=f"no estimate: {matrix.width} coefficients, but only {data.events} events")
    x, event = matrix.to_numpy(), data.complete["event"]
    time, entry = at_risk(data.complete)
    try:
        found = penalised(data.likelihood(data.complete, matrix))
    except NoEstimate as reason:
        return _Fit({}, note=f"no estimate: {reason}")
    columns = (found.coefficients, found.standard_errors, found.low, found.high, found.p_values)
    numbers = {
        name: {
            "coefficient": b,
            "standard_error": error,
            "hazard_ratio": _exp(b),
            "ci_low": _known(_exp(low)),
            "ci_high": _known(_exp(high)),
            "p_value": _known(p),
        }
        for name, (b, error, low, high, p) in zip(
            matrix.columns, np.column_stack(columns).tolist(), strict=True
        )
    }
    # A limit that was not found is missing, and the row says so; it is never shown as infinite.
    lost = {
        name: f"no {' and no '.join(parts)}: the profile of the likelihood could not be followed"
        for name, of in numbers.items()
        if (parts := [word for part, word in _PARTS.items() if of[part] is None])
    }
    lost |= aliased | beyond(numbers)
    return _Fit(numbers, harrell(time, event, linear_predictor(x, found.coefficients), entry), lost=lost)


_PARTS = {"ci_low": "lower limit", "ci_high": "upper limit", "p_value": "p value"}


def beyond(numbers: dict[str, dict[str, float | None]]) -> dict[str, str]:
    """Remove hazard ratios and limits that exceed the range of a float, and say why.

    The coefficient stays.
    """
    why = "the hazard ratio of one unit is beyond what a number holds: give the covariate in other units"
    lost = {}
    for name, of in numbers.items():
        parts = {part: of[part] for part in ("hazard_ratio", "ci_low", "ci_high")}
        if any(x is not None and (x == math.inf or x == 0) for x in parts.values()):
            of.update(dict.fromkeys(parts))
            lost[name] = why
    return lost


def _known(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf
