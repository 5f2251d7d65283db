"""Calibration of Cox models: predicted beside observed survival at the study's horizons, by groups of risk.

The prediction is the Cox model's, with the baseline hazard that its ties imply (Breslow or Efron; R's
``survival::survfit.coxph``). It is judged in the patients to whom the model was fitted, so that agreement is
expected: what the figures can show is that the model fails even there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival.concordance import linear_predictor
from sarcoma_pipeline.survival.design import ModelData, at_risk, model_data
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, TOLERANCE, at_horizons, estimator
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate, PartialLikelihood
from schemas.analysis_groups import Calibration
from schemas.configuration import Covariate, Model
from schemas.statistics import DEFAULT, Statistics

MOST_GROUPS, FEWEST_GROUPS, EVENTS_PER_GROUP = 5, 2, 10
"""Groups of risk: fifths where the events allow it, so that each has about ten of them."""


def calibration(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    horizons_months: Sequence[float],
    statistics: Statistics = DEFAULT,
) -> pl.DataFrame:
    """Compare predicted and observed survival of every model.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order; those with strata, of which each has its own baseline, are left out.
        covariates: the covariates of the models.
        horizons_months: times of the prediction.
        statistics: what the study declares.

    Returns:
        `schemas.analysis_groups.Calibration`: all patients (group 0), then the groups by falling survival.
    """
    lines: list[dict[str, Any]] = []
    for data in model_data(patients, endpoints, models, covariates, ties=statistics.ties):
        common = {"model": data.model.name, "endpoint": data.model.endpoint}
        lines += [{**common, **line} for line in calibrate(data, horizons_months)]
    return numbered(Calibration, lines)


def calibrate(data: ModelData, horizons_months: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield the lines of one model; none if it has strata or no estimate."""
    rows = data.complete.sort(pl.all())
    design = data.matrix(rows).to_numpy()
    if data.strata or not design.shape[1] or not rows["event"].any():
        return
    time, entry = at_risk(rows)
    days, event = np.asarray(time, dtype=np.float64), rows["event"].to_numpy()
    try:
        likelihood = PartialLikelihood(days, event, design, entry, data.ties)
        coefficients = likelihood.maximum().coefficients
    except NoEstimate:
        return
    risk = linear_predictor(design, coefficients)
    members = [np.ones(len(risk), dtype=bool), *of_groups(groups(risk, int(event.sum())))]
    curves = [curve_of(rows.filter(mine)) for mine in members]
    for horizon in horizons_months:
        cumulative = baseline(likelihood, coefficients, days, (horizon + TOLERANCE) * DAYS_PER_MONTH)
        relative = risk - float(design.mean(axis=0) @ coefficients)
        predicted = np.exp(-cumulative * np.exp(relative))
        for number, mine in enumerate(members):
            yield {
                "horizon_months": float(horizon), "risk_group": number, "n": int(mine.sum()),
                "predicted": float(predicted[mine].mean()), **observed(curves[number], horizon),
            }  # fmt: skip


def groups(risk: Floats, events: int) -> NDArray[np.int64]:
    """Return each patient's group from 1, by rising risk; patients with equal risk are in one group."""
    wanted = int(np.clip(events // EVENTS_PER_GROUP, FEWEST_GROUPS, MOST_GROUPS))
    # Rounded, because equal covariates may give sums that differ in the last digit.
    shown = np.round(risk, 10)
    below = np.searchsorted(np.sort(shown), shown, side="left")
    # Groups without a patient, for many with equal risk, are not counted.
    _, number = np.unique(below * wanted // len(risk), return_inverse=True)
    return number.astype(np.int64) + 1


def of_groups(numbers: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """Return who is in each group, from group 1 on."""
    return [numbers == number for number in range(1, numbers.max() + 1)]


def baseline(likelihood: PartialLikelihood, coefficients: Floats, days: Floats, until: float) -> float:
    """Return the cumulative hazard, up to a day, of a patient with the mean of every covariate."""
    hazard, shift = likelihood.hazards(coefficients)
    increments = 1 / likelihood.over_risk_sets(hazard)[:, 0]
    when = days[likelihood.order][likelihood.dying]
    return float(increments[when <= until].sum() * np.exp(-shift))


def curve_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Estimate the Kaplan–Meier curve of all rows."""
    return estimator(rows.select("time_days", "event", "entry_days", one=pl.lit(1)), ["one"])


def observed(curve: pl.DataFrame, horizon: float) -> dict[str, Any]:
    """Return observed survival of a curve at a horizon, with limits, events so far and patients at risk."""
    (at,) = at_horizons(curve, [horizon])
    return {
        "observed": at["value"],
        **{name: at[name] for name in ("ci_low", "ci_high", "events", "at_risk")},
    }
