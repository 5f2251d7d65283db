"""External validation of published prognostic models: discrimination, calibration, net benefit.

Measures follow Royston and Altman (BMC Med Res Methodol 2013; 13: 33) and Vickers and others (BMC Med Inform
Decis Mak 2008; 8: 53). Results equal those computed with R's ``survival`` (`tests/golden/external.R`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival.calibration import curve_of, groups, observed, of_groups
from sarcoma_pipeline.survival.concordance import Concordance, harrell_with_error
from sarcoma_pipeline.survival.design import entries, with_entry
from sarcoma_pipeline.survival.kaplan_meier import Z
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import NoEstimate, PartialLikelihood
from schemas.analysis_validation import ExternalCalibration, ExternalValidation, NetBenefit
from schemas.configuration import PredictorTerm, Validation
from schemas.statistics import DEFAULT, Statistics

Floats = NDArray[np.floating]

HARRELL, UNO, SLOPE, RATIO = "Harrell's C", "Uno's C", "calibration slope", "observed / expected"


@dataclass(frozen=True)
class Validated:
    """The results of all validations, one frame a contract of `schemas.analysis_validation`."""

    measures: pl.DataFrame
    calibration: pl.DataFrame
    net_benefit: pl.DataFrame


def external_validation(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    validations: Sequence[Validation],
    statistics: Statistics = DEFAULT,
) -> Validated:
    """Judge every published model in the patients with all its predictors.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        validations: the published models, in order.
        statistics: what the study declares.
    """
    measures: list[dict[str, Any]] = []
    calibrated: list[dict[str, Any]] = []
    benefits: list[dict[str, Any]] = []
    for validation in validations:
        times = with_entry(endpoints.filter(pl.col("endpoint") == validation.endpoint))
        joined = times.join(patients, on="pseudonym", maintain_order="left")
        if not joined.height:
            continue
        score = pl.sum_horizontal(_points(term) for term in validation.terms)
        known = pl.all_horizontal(_points(term).is_not_null() for term in validation.terms)
        rows = joined.select("time_days", "event", "entry_days", _score=pl.when(known).then(score))
        rows = rows.drop_nulls(["time_days", "event", "_score"]).sort(pl.all())
        common = {"validation": validation.name, "endpoint": validation.endpoint}
        if not rows.height:
            continue
        counted = {
            "n": rows.height, "missing": joined.height - rows.height, "events": int(rows["event"].sum()),
        }  # fmt: skip
        baseline = sorted((float(months), s) for months, s in validation.baseline.items())
        curve = curve_of(rows)
        measures += [{**common, **counted, **line} for line in _measures(rows, curve, baseline, statistics)]
        calibrated += [{**common, **line} for line in _calibration(rows, curve, baseline)]
        benefits += [{**common, **line} for line in _benefits(rows, curve, baseline, validation.thresholds)]
    return Validated(
        numbered(ExternalValidation, measures), numbered(ExternalCalibration, calibrated),
        numbered(NetBenefit, benefits),
    )  # fmt: skip


def _points(term: PredictorTerm) -> pl.Expr:
    """Return the term's part of the linear predictor; null for a missing value or another level."""
    column = pl.col(term.column)
    if term.coefficient is None:
        levels = list(term.levels)
        points = list(term.levels.values())
        return column.cast(pl.String).replace_strict(levels, points, default=None, return_dtype=pl.Float64)
    number = column.cast(pl.Float64)
    made = {
        "none": number, "log": number.log(), "square root": number.sqrt(), "square": number**2,
    }[term.transformation]  # fmt: skip
    points = term.coefficient * (made - term.centre)
    return pl.when(points.is_finite()).then(points)


def uno(time: Floats, event: NDArray[np.bool_], risk: Floats, entry: Floats | None = None) -> Concordance:
    """Compute Uno's C: as Harrell's, each pair weighted by 1/G², the probability to be uncensored until then.

    The standard error is the infinitesimal jackknife's with G taken as known, as in R's
    ``concordance(timewt = "n/G2")``.

    Args:
        time: ``n``.
        event: whether the time ended with an event, ``n``.
        risk: higher values mean an earlier expected event, ``n``.
        entry: time only after which a patient can be compared, ``n``; NaN means from the beginning.
    """
    began = np.full(len(time), -np.inf) if entry is None else np.where(np.isnan(entry), -np.inf, entry)
    wins, pairs = np.zeros(len(time)), np.zeros(len(time))
    uncensored = 1.0
    for now in np.unique(time):
        here = time == now
        dying = here & event
        at_risk = (began < now) & (time >= now)
        longer = (began < now) & ((time > now) | (here & ~event))
        for i in np.flatnonzero(dying):
            weight = 1 / uncensored**2
            won = longer * (np.where(risk < risk[i], 1.0, 0.0) + np.where(risk == risk[i], 0.5, 0.0)) * weight
            wins[i] += won.sum()
            pairs[i] += longer.sum() * weight
            wins += won
            pairs += longer * weight
        # Those who die at a time were not at risk to be censored at it.
        left = int(at_risk.sum()) - int(dying.sum())
        censored = int((here & ~event).sum())
        if left and censored < left:
            uncensored *= 1 - censored / left
    total = pairs.sum() / 2
    if not total:
        return Concordance()
    c = float(wins.sum() / 2 / total)
    return Concordance(c, float(np.sqrt(((wins - c * pairs) ** 2).sum()) / total))


def _measures(
    rows: pl.DataFrame, curve: pl.DataFrame, baseline: Sequence[tuple[float, float]], statistics: Statistics
) -> Iterator[dict[str, Any]]:
    time, event = rows["time_days"].cast(pl.Float64).to_numpy(), rows["event"].to_numpy()
    score, entry = rows["_score"].to_numpy(), entries(rows)
    # Rounded, because equal predictors may give sums that differ in the last digit.
    rounded = np.round(score, 10)
    for name, c in (
        (HARRELL, harrell_with_error(time, event, rounded, entry)),
        (UNO, uno(time, event, rounded, entry)),
    ):
        yield {"quantity": name, **_interval(c.value, c.standard_error, (0.0, 1.0))}
    slope = error = None
    if event.any() and np.ptp(rounded) > 0:
        try:
            found = PartialLikelihood(time, event, score[:, None], entry, statistics.ties).maximum()
            slope, error = float(found.coefficients[0]), float(np.sqrt(found.covariance[0, 0]))
        except NoEstimate:
            pass
    yield {"quantity": SLOPE, **_interval(slope, error)}
    for months, survival in baseline:
        expected = float((1 - survival ** np.exp(score)).mean())
        seen = observed(curve, months)
        parts = {"value": seen["observed"], "ci_low": seen["ci_high"], "ci_high": seen["ci_low"]}
        ratios = {name: None if s is None else (1 - s) / expected for name, s in parts.items()}
        yield {"quantity": RATIO, "horizon_months": months, **ratios}


def _interval(
    value: float | None, error: float | None, limits: tuple[float, float] = (-np.inf, np.inf)
) -> dict[str, float | None]:
    if value is None or error is None:
        return {"value": value}
    low, high = max(value - Z * error, limits[0]), min(value + Z * error, limits[1])
    return {"value": value, "standard_error": error, "ci_low": low, "ci_high": high}


def _calibration(
    rows: pl.DataFrame, curve: pl.DataFrame, baseline: Sequence[tuple[float, float]]
) -> Iterator[dict[str, Any]]:
    score = rows["_score"].to_numpy()
    parts = of_groups(groups(score, int(rows["event"].sum())))
    members = [np.ones(len(score), dtype=bool), *parts]
    curves = [curve, *(curve_of(rows.filter(mine)) for mine in parts)]
    for months, survival in baseline:
        predicted = survival ** np.exp(score)
        for number, mine in enumerate(members):
            yield {
                "horizon_months": months, "risk_group": number, "n": int(mine.sum()),
                "predicted": float(predicted[mine].mean()), **observed(curves[number], months),
            }  # fmt: skip


def _benefits(
    rows: pl.DataFrame,
    curve: pl.DataFrame,
    baseline: Sequence[tuple[float, float]],
    thresholds: Sequence[float],
) -> Iterator[dict[str, Any]]:
    score = rows["_score"].to_numpy()
    for months, survival in baseline:
        risk = 1 - survival ** np.exp(score)
        for threshold in thresholds:
            flagged = risk >= threshold
            chosen = curve_of(rows.filter(flagged)) if flagged.any() else None
            yield {
                "horizon_months": months, "threshold": threshold, "n": rows.height,
                "flagged": int(flagged.sum()),
                "model": _benefit(chosen, float(flagged.mean()), months, threshold),
                "everybody": _benefit(curve, 1.0, months, threshold),
            }  # fmt: skip


def _benefit(flagged: pl.DataFrame | None, share: float, months: float, threshold: float) -> float | None:
    """Return events found less false alarms, weighted by the odds of the threshold, per patient.

    Args:
        flagged: curve of the patients whom the model flags; None if there is none.
        share: of all patients.
        months: the horizon.
        threshold: of the risk.
    """
    if flagged is None:
        return 0.0
    alive = observed(flagged, months)["observed"]
    if alive is None:
        return None
    return share * ((1 - alive) - alive * threshold / (1 - threshold))
