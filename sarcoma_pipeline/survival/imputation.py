"""Cox models after multiple imputation of missing covariates, beside those of the complete cases.

The imputation model has the covariates and strata of the Cox model, the event, the cumulative hazard (White
and Royston 2009) and the auxiliary covariates that the study names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival import rubin
from sarcoma_pipeline.survival.chained_equations import Variable, impute, nelson_aalen
from sarcoma_pipeline.survival.cox import plain_lines
from sarcoma_pipeline.survival.design import (
    ModelData,
    complete_cases,
    entries,
    model_patients,
    of_values,
    values,
)
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate
from sarcoma_pipeline.survival.ratio import ratio
from schemas.analysis_imputation import ImputedCovariate, ImputedHazardRatio
from schemas.configuration import Covariate, Imputation, Model
from schemas.statistics import DEFAULT, Statistics
from schemas.vocabularies import NOT_KNOWN

METHODS = {True: "multinomial logistic regression", False: "predictive mean matching"}
"""Whether a covariate is a factor, and how it is imputed."""


@dataclass(frozen=True)
class Imputed:
    """The results of all models.

    Attributes:
        ratios: `schemas.analysis_imputation.ImputedHazardRatio`.
        covariates: `schemas.analysis_imputation.ImputedCovariate`.
    """

    ratios: pl.DataFrame
    covariates: pl.DataFrame


def imputed_models(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> Imputed:
    """Impute the missing covariates of every model that asks for it, fit it to each data set, and pool.

    A value is missing if it is null or documented as not known (`schemas.vocabularies.NOT_KNOWN`). A patient
    with another level that the study does not list stays left out: the value is known.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models, and auxiliary ones.
        statistics: what the study declares.

    Raises:
        ValueError: a factor has no reference level.
    """
    known = {c.name: c for c in covariates}
    ratios: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    wanted = [model for model in models if model.missing == "impute"]
    for model, of, strata, everybody in model_patients(patients, endpoints, wanted, covariates):
        auxiliary = tuple(known[name] for name in model.imputation.auxiliary)
        used = (*of, *strata, *auxiliary)
        rows = _rows(everybody, (*of, *strata), auxiliary)
        told += _told(model, rows, of, strata, auxiliary)
        data = replace(complete_cases(everybody, model, of, strata), ties=statistics.ties)
        empty = [c.name for c in used if rows.height and rows[c.name].null_count() == rows.height]
        sets = [] if empty else imputed_rows(rows, used, model.imputation)
        fits = [replace(of_values(made, model, of, strata), ties=statistics.ties) for made in sets]
        why = f"no value of {', '.join(empty)} is known" if empty else None
        ratios += _lines(data, fits, rows, everybody.height - rows.height, why)
    return Imputed(numbered(ImputedHazardRatio, ratios), numbered(ImputedCovariate, told))


def _rows(
    everybody: pl.DataFrame, of: tuple[Covariate, ...], auxiliary: tuple[Covariate, ...]
) -> pl.DataFrame:
    """Return times and covariates of the patients whose missing values are imputed, in a total order."""
    listed = [
        values(c).is_not_null()
        | pl.col(c.column).is_null()
        | pl.col(c.column).cast(pl.String).is_in(NOT_KNOWN)
        for c in of
        if c.kind == "factor"
    ]
    read = [values(c) for c in (*of, *auxiliary)]
    rows = (
        everybody.filter(listed)
        .select("time_days", "event", "entry_days", *read)
        .drop_nulls(["time_days", "event"])
    )
    return rows.sort(pl.all())


def imputed_rows(rows: pl.DataFrame, covariates: Sequence[Covariate], how: Imputation) -> list[pl.DataFrame]:
    """Return the imputed data sets; the rows as they are, once, if nothing is missing.

    Args:
        rows: ``time_days, event, entry_days`` and a column per covariate, in a total order.
        covariates: the covariates, each with at least one known value.
        how: number of data sets, rounds and seed.
    """
    names = [c.name for c in covariates]
    if not rows.height or not sum(rows.select(names).null_count().row(0)):
        return [rows]
    told = {c.name: sorted(rows[c.name].drop_nulls().unique()) for c in covariates if c.kind == "factor"}
    variables = {}
    for name in names:
        column = rows[name]
        if name in told:
            column = column.replace_strict(
                told[name], list(range(len(told[name]))), default=None, return_dtype=pl.Float64
            )
        missing = column.is_null().to_numpy()
        variables[name] = Variable(
            column.fill_null(0).cast(pl.Float64).to_numpy().copy(), missing, len(told.get(name, ()))
        )
    event, entry = rows["event"].to_numpy(), entries(rows)
    hazard = nelson_aalen(rows["time_days"].cast(pl.Float64).to_numpy(), event, entry)
    predictors = np.column_stack([event.astype(np.float64), hazard])
    made = impute(
        variables, predictors, imputations=how.imputations, iterations=how.iterations, seed=how.seed
    )
    sets = []
    for state in made:
        columns = [
            pl.Series(name, [told[name][int(i)] for i in state[name]], pl.String)
            if name in told
            else pl.Series(name, state[name])
            for name in names
        ]
        sets.append(rows.with_columns(columns))
    return sets


def _told(
    model: Model,
    rows: pl.DataFrame,
    of: tuple[Covariate, ...],
    strata: tuple[Covariate, ...],
    auxiliary: tuple[Covariate, ...],
) -> list[dict[str, Any]]:
    roles = (("covariate", of), ("stratum", strata), ("auxiliary", auxiliary))
    lines = []
    for role, covariate in ((role, c) for role, part in roles for c in part):
        missing = rows[covariate.name].null_count()
        lines.append({
            "model": model.name, "covariate": covariate.name, "role": role, "n": rows.height,
            "method": METHODS[covariate.kind == "factor"] if missing else "none",
            "missing": missing, "share": missing / rows.height if rows.height else None,
        })  # fmt: skip
    return lines


@dataclass(frozen=True)
class Fit:
    """The estimate in one imputed data set: coefficients by name, and their covariance."""

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats

    def part(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Return coefficients and covariance of some names."""
        at = [self.names.index(name) for name in names]
        return self.coefficients[at], self.covariance[np.ix_(at, at)]


def fitted(data: ModelData) -> Fit:
    """Fit a model to one data set.

    Raises:
        NoEstimate: it has no event, no contrast, or no maximum.
    """
    used = data.estimable()
    matrix = data.matrix(used)
    if not data.events or not matrix.width:
        raise NoEstimate("no event or no contrast in the data set")
    found = data.likelihood(used, matrix).maximum()
    return Fit(tuple(matrix.columns), found.coefficients, found.covariance)


def pooled(
    fits: Sequence[Fit], events: int, names: Sequence[str]
) -> tuple[dict[str, rubin.Pooled], rubin.JointlyPooled | None]:
    """Pool the coefficients of one covariate: each alone, and all together.

    Args:
        fits: of each imputed data set; they have all the names.
        events: of the model.
        names: names of the coefficients.
    """
    # As in mice: of the first data set. Levels without events can give the others other numbers.
    complete = float(max(events - len(fits[0].names), 1))
    parts = [fit.part(names) for fit in fits]
    # Without missing values there is one data set, and nothing differs between imputations.
    parts = parts if len(parts) > 1 else parts * 2
    single = {
        name: rubin.pool([q[i] for q, _ in parts], [u[i, i] for _, u in parts], complete)
        for i, name in enumerate(names)
    }
    return single, rubin.pool_jointly([q for q, _ in parts], [u for _, u in parts], complete)


def _lines(
    data: ModelData, sets: Sequence[ModelData], rows: pl.DataFrame, left_out: int, why: str | None
) -> list[dict[str, Any]]:
    fits, failed = [], 0
    for made in sets:
        try:
            fits.append(fitted(made))
        except NoEstimate:
            failed += 1
    if failed:
        why = f"no estimate in {failed} of {len(sets)} imputed data sets"
    events = int(rows["event"].sum())
    common = {
        "model": data.model.name, "endpoint": data.model.endpoint, "n": rows.height, "events": events,
        "left_out": left_out, "imputations": data.model.imputation.imputations,
        "complete_n": data.complete.height, "complete_events": data.events,
    }  # fmt: skip
    # Levels that only imputed data sets have cannot occur: an imputed level is that of a known patient. But
    # the complete cases may lack one.
    contrasts = {x.name: x for made in (data, *sets) for x in made.contrasts}
    complete = {(line["term"], line["level"]): line for line in plain_lines(data)}
    lines = []
    for covariate in data.covariates:
        of = [x for x in contrasts.values() if x.covariate.name == covariate.name]
        there = [x.name for x in of if fits and not failed and all(x.name in fit.names for fit in fits)]
        single, joint = pooled(fits, events, there) if there else ({}, None)
        for contrast in of:
            main = complete.get((covariate.name, contrast.level), {})
            found = single.get(contrast.name)
            line = {
                **common, "term": covariate.name, "level": contrast.level, "contrast": contrast.label,
                "reference": covariate.reference,
                **{f"complete_{c}": main.get(c) for c in ("hazard_ratio", "ci_low", "ci_high", "p_value")},
                "note": None if found else why or _absent(contrast.name, sets),
            }  # fmt: skip
            if found:
                line |= {
                    "hazard_ratio": ratio(found.coefficient), "ci_low": ratio(found.low),
                    "ci_high": ratio(found.high), "p_value": found.p_value, "coefficient": found.coefficient,
                    "standard_error": found.standard_error, "degrees_of_freedom": found.degrees_of_freedom,
                    "missing_information": found.missing_information,
                }  # fmt: skip
            if joint:
                line |= {
                    "joint_f": joint.f, "joint_degrees_of_freedom": joint.degrees_of_freedom,
                    "joint_denominator": joint.denominator if math.isfinite(joint.denominator) else None,
                    "joint_p_value": joint.p_value,
                }  # fmt: skip
            lines.append(line)
    return lines


def _absent(name: str, sets: Sequence[ModelData]) -> str:
    told = [why for made in sets if (why := made.obstacles.get(name))]
    return (
        f"in {len(told)} of {len(sets)} imputed data sets: {min(told)}" if told else "no estimate (collinear)"
    )
