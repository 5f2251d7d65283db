"""Fit the probability of a toxicity by a dose: logistic regression with Wald's interval on the log odds.

Estimates and intervals equal R's ``glm`` and ``predict(…, type = "link", se.fit = TRUE)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.chi_square_tail import tail
from sarcoma_pipeline.survival.kaplan_meier import Z
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.propensity import MAXIMUM_LIKELIHOOD, propensity
from sarcoma_pipeline.survival.ratio import probability, ratio
from schemas.analysis_toxicity import DoseResponseCurve
from schemas.dose_response_toml import DoseResponse
from schemas.language import marked

LEAST_EVENTS = 5
"""Fewer patients with the toxicity, or without it, give no curve: one coefficient takes five to ten events
(Vittinghoff and McCulloch 2007)."""
TOO_FEW = marked("fewer than 5 patients with the toxicity, or fewer than 5 without it")
SAME = marked("all patients have the same value")
SEPARATED = marked("the value separates the patients with the toxicity from the others")
"""Why there is no curve."""
POINTS = 21
"""Points of a curve."""
_ENDS = (0.05, 0.95)
"""Quantiles of the patients' values at which a curve begins and ends: the extremes are single patients."""


def dose_response(
    patients: pl.DataFrame, states: pl.DataFrame, declared: Sequence[DoseResponse]
) -> pl.DataFrame:
    """Return the points of each curve; one row with the reason if there is no curve.

    Patients who do not count for the toxicity, or have no value, are left out and counted.

    Args:
        patients: `schemas.cohort.CohortPatient` with the declared volumes and doses.
        states: `schemas.cohort_toxicity_endpoints.CohortToxicityEndpoint`.
        declared: ``[[dose_response]]`` of the study.

    Returns:
        `schemas.analysis_toxicity.DoseResponseCurve`.
    """
    lines = [line for one in declared for line in _lines(patients, states, one)]
    return numbered(DoseResponseCurve, lines)


def _lines(patients: pl.DataFrame, states: pl.DataFrame, one: DoseResponse) -> Iterator[dict[str, Any]]:
    counted = states.filter("counted", endpoint=one.toxicity)
    known = (
        patients.select("pseudonym", value=pl.col(one.column).cast(pl.Float64))
        .join(counted.select("pseudonym", pl.col("event").fill_null(False)), on="pseudonym")
        .filter(pl.col("value").is_finite())
        .sort("pseudonym")
    )
    events = int(known["event"].sum())
    about = {
        "name": one.name, "endpoint": one.toxicity, "column_name": one.column, "patients": known.height,
        "events": events, "left_out": patients.height - known.height,
    }  # fmt: skip
    values, happened = known["value"].to_numpy(), known["event"].to_numpy()
    obstacle = _obstacle(values, events)
    fit = None if obstacle else propensity(values[:, None], happened)
    if fit is None or fit.method != MAXIMUM_LIKELIHOOD:
        yield about | {"warning": obstacle or SEPARATED}
        return
    x = np.column_stack([np.ones(len(values)), values - values.mean()])
    weight = fit.scores * (1 - fit.scores)
    covariance = np.linalg.inv(x.T @ (weight[:, None] * x))
    slope, error = float(fit.coefficients[1]), math.sqrt(covariance[1, 1])
    about |= {
        "odds_ratio": ratio(slope),
        "odds_ratio_low": ratio(slope - Z * error),
        "odds_ratio_high": ratio(slope + Z * error),
        "p_value": float(tail(1, (slope / error) ** 2)),
    }
    first, last = (float(known["value"].quantile(q, "linear") or 0.0) for q in _ENDS)
    for at in np.linspace(first, last, POINTS):
        row = np.array([1.0, at - values.mean()])
        log_odds = float(fit.coefficients[0] + slope * at)
        wide = Z * math.sqrt(row @ covariance @ row)
        middle, low, high = probability(np.array([log_odds, log_odds - wide, log_odds + wide])).tolist()
        yield about | {"value": float(at), "probability": middle, "ci_low": low, "ci_high": high}


def _obstacle(values: np.ndarray, events: int) -> str | None:
    """Return why no curve is fitted; None if it can be."""
    if min(events, len(values) - events) < LEAST_EVENTS:
        return TOO_FEW
    return SAME if np.ptp(values) == 0 else None
