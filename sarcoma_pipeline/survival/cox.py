"""Multivariable Cox models as ``study.toml`` declares them: Efron ties, Wald intervals, no penalty or strata.

The fit is lifelines', its precision raised until it equals R's ``coxph`` (`tests/golden/demo_survival.R`).
What a model cannot estimate is taken out beforehand and said in the ``note``: nothing diverges, nothing is
hidden.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import polars as pl

from schemas.analysis import HazardRatio
from schemas.configuration import Covariate, Model

METHOD = "Cox, Efron"

_Z = NormalDist().inv_cdf(0.975)
_PRECISION = {"precision": 1e-20, "r_precision": 0.0, "max_steps": 100}


@dataclass(frozen=True)
class _Contrast:
    """A line of the table: a number, or a level against the reference."""

    covariate: Covariate
    level: str | None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        name = self.covariate.name if self.level is None else f"{self.covariate.name}\x1f{self.level}"
        object.__setattr__(self, "name", name)

    @property
    def label(self) -> str:
        covariate, level = self.covariate, self.level
        if level is None:
            return covariate.labels.get(covariate.name, covariate.name.capitalize())
        default = f"{level[:1].upper()}{level[1:]} vs. {covariate.reference}"
        return covariate.labels.get(level, default)


@dataclass(frozen=True)
class _Fit:
    coefficients: dict[str, tuple[float, float]]
    concordance: float | None
    note: str | None


def hazard_ratios(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
) -> pl.DataFrame:
    """Fit every model whose endpoint there is.

    Patients without a covariate (or with a level that the configuration does not name) are left out of that
    model and counted in ``missing``.

    Where a level has patients but no event, its hazard ratio tends to 0 and does not exist as an estimate;
    the other coefficients are then those of the fit without its patients, which is the limit of the partial
    likelihood (their weight in every risk set tends to 0).

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: which models, in order.
        covariates: what the models name.

    Returns:
        `schemas.analysis.HazardRatio`, a line per number and per level other than the reference.

    Raises:
        ValueError: a factor has no reference level.
    """
    known = {c.name: c for c in covariates}
    lines: list[dict[str, Any]] = []
    for model in models:
        times = endpoints.filter(pl.col("endpoint") == model.endpoint)
        if times.height:
            data = times.select("pseudonym", "time_days", "event").join(patients, on="pseudonym")
            lines += _model(data, model, [known[name] for name in model.covariates])
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else HazardRatio.empty().drop("position")
    return HazardRatio.enforce(HazardRatio.conform(frame.with_row_index("position", offset=1)))


def _model(everybody: pl.DataFrame, model: Model, covariates: Sequence[Covariate]) -> list[dict[str, Any]]:
    data = everybody.select("time_days", "event", *(_values(c) for c in covariates)).drop_nulls()
    events = int(data["event"].sum())
    counts = {c.name: _counts(data, c) for c in covariates if c.kind == "factor"}
    contrasts = [
        _Contrast(c, level)
        for c in covariates
        for level in ([None] if c.kind == "continuous" else _levels(c, counts[c.name]))
    ]
    notes = {x.name: note for x in contrasts if (note := _obstacle(x, data, counts))}
    eventless = [
        pl.col(name) == level for name, levels in counts.items() for level, (_, e) in levels.items() if e == 0
    ]
    used = data.filter(~pl.any_horizontal(eventless)) if eventless and events else data
    design = _design(used, covariates) if events else pl.DataFrame()
    fit = _fitted(used, design)
    parameters = len(fit.coefficients)
    common = {
        "model": model.name,
        "endpoint": model.endpoint,
        "method": METHOD,
        "n": data.height,
        "missing": everybody.height - data.height,
        "events": events,
        "events_per_variable": events / parameters if parameters else None,
        "concordance": fit.concordance,
    }
    lines = []
    for contrast in contrasts:
        level_n, level_events = counts.get(contrast.covariate.name, {}).get(
            contrast.level or "", (None, None)
        )
        note = notes.get(contrast.name) or fit.note
        lines.append(
            {
                **common,
                "term": contrast.covariate.name,
                "level": contrast.level,
                "contrast": contrast.label,
                "reference": contrast.covariate.reference,
                "level_n": level_n if contrast.level is None or level_n is not None else 0,
                "level_events": level_events if contrast.level is None or level_events is not None else 0,
                "note": note,
                **(_wald(fit, contrast.name) if contrast.name not in notes else {}),
            }
        )
    return lines


def _values(covariate: Covariate) -> pl.Expr:
    """The covariate as the model takes it; null where a patient cannot be in it."""
    if covariate.kind == "continuous":
        return pl.col(covariate.column).cast(pl.Float64).alias(covariate.name)
    if covariate.reference is None:
        raise ValueError(f"factor {covariate.name} has no reference level")
    merged = pl.col(covariate.column).cast(pl.String).replace(covariate.merge)
    if covariate.levels:
        merged = pl.when(merged.is_in({*covariate.levels, covariate.reference})).then(merged)
    return merged.alias(covariate.name)


def _counts(data: pl.DataFrame, covariate: Covariate) -> dict[str, tuple[int, int]]:
    """Patients and events by level."""
    grouped = data.group_by(covariate.name).agg(n=pl.len(), events=pl.col("event").sum())
    return {level: (n, events) for level, n, events in grouped.iter_rows()}


def _levels(covariate: Covariate, counts: dict[str, tuple[int, int]]) -> list[str]:
    named = covariate.levels or tuple(sorted(counts))
    return [level for level in named if level != covariate.reference]


def _obstacle(
    contrast: _Contrast, data: pl.DataFrame, counts: dict[str, dict[str, tuple[int, int]]]
) -> str | None:
    """Why this contrast has no estimate, if it has none."""
    covariate, level = contrast.covariate, contrast.level
    if not data["event"].any():
        return "no event in the model"
    if level is None:
        return "no variance: the same value in all patients" if data[covariate.name].n_unique() < 2 else None
    of = counts[covariate.name]
    for role, name in (("the level", level), ("the reference level", covariate.reference or "")):
        n, events = of.get(name, (0, 0))
        if n == 0:
            return f"no variance: no patient at {role}"
        if events == 0:
            limit = "0" if role == "the level" else "infinity"
            return f"no event at {role}: the hazard ratio tends to {limit}"
    return None


def _design(used: pl.DataFrame, covariates: Sequence[Covariate]) -> pl.DataFrame:
    """Numbers as they are, factors as indicators of every level but the reference; constants left out."""
    columns: list[pl.Expr] = []
    for covariate in covariates:
        if covariate.kind == "continuous":
            columns.append(pl.col(covariate.name))
            continue
        present = sorted(used[covariate.name].unique())
        # Without the reference another level takes its place, so that the factor still adjusts the others.
        base = covariate.reference if covariate.reference in present else present[0]
        columns += [
            (pl.col(covariate.name) == level).cast(pl.Float64).alias(_Contrast(covariate, level).name)
            for level in present
            if level != base
        ]
    design = used.select(columns)
    return design.select(name for name in design.columns if design[name].n_unique() > 1)


def _fitted(used: pl.DataFrame, design: pl.DataFrame) -> _Fit:
    if not design.width:
        return _Fit({}, None, None)
    # Imported here: lifelines brings matplotlib and costs seconds that no other command should pay.
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning
    from lifelines.fitters.coxph_fitter import CoxPHFitter

    frame = design.rename({name: f"x{i}" for i, name in enumerate(design.columns)}).to_pandas()
    frame["time"] = used["time_days"].to_numpy()
    frame["event"] = used["event"].to_numpy()
    fitter = CoxPHFitter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitter.fit(frame, "time", "event", fit_options=_PRECISION)
        except ConvergenceError:
            return _Fit({}, None, "no estimate: the covariates are collinear or separate the events")
    doubtful = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    note = "convergence is doubtful: a covariate nearly separates the events" if doubtful else None
    found = {
        name: (float(fitter.params_[f"x{i}"]), float(fitter.standard_errors_[f"x{i}"]))
        for i, name in enumerate(design.columns)
    }
    return _Fit(found, float(fitter.concordance_index_), note)


def _wald(fit: _Fit, name: str) -> dict[str, float]:
    if name not in fit.coefficients:
        return {}
    coefficient, error = fit.coefficients[name]
    if not (math.isfinite(coefficient) and math.isfinite(error) and error > 0):
        return {}
    return {
        "coefficient": coefficient,
        "standard_error": error,
        "hazard_ratio": _exp(coefficient),
        "ci_low": _exp(coefficient - _Z * error),
        "ci_high": _exp(coefficient + _Z * error),
        "p_value": math.erfc(abs(coefficient / error) / math.sqrt(2)),
    }


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf
