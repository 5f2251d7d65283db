"""Internal validation of Cox models: how much better a model seems in its own patients than it is in others.

The whole model is fitted anew to samples drawn with replacement, and each fit is judged in its sample and in
all patients. The mean difference is the optimism (Harrell 2015, section 5.3; R's ``rms::validate``). The
calibration slope is the coefficient of the linear predictor in all patients: below 1, the predictions are too
extreme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival.concordance import harrell, linear_predictor
from sarcoma_pipeline.survival.design import ModelData, at_risk, model_data
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate, PartialLikelihood
from schemas.analysis_models import InternalValidation
from schemas.configuration import Covariate, Model
from schemas.statistics import DEFAULT, Statistics, Ties

CONCORDANCE, SLOPE = "concordance", "calibration slope"

_LOWEST = 1e6
"""Linear predictor that stands for the limit of a level without events: below all others."""


def internal_validation(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> pl.DataFrame:
    """Validate every model whose endpoint exists, if the study declares resamples.

    The resamples of a model depend on the declared seed and on the patients' values, not on their order.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models.
        statistics: what the study declares.

    Returns:
        `schemas.analysis_models.InternalValidation`.

    Raises:
        ValueError: a factor has no reference level.
    """
    lines: list[dict[str, Any]] = []
    if statistics.bootstrap_resamples:
        for data in model_data(patients, endpoints, models, covariates, ties=statistics.ties):
            rng = np.random.default_rng(statistics.bootstrap_seed)
            size = (statistics.bootstrap_resamples, data.complete.height)
            rows = rng.integers(0, max(size[1], 1), size)
            common = {"model": data.model.name, "endpoint": data.model.endpoint, "resamples": size[0]}
            lines += [{**common, **line} for line in validate(data, rows)]
    return numbered(InternalValidation, lines)


def validate(data: ModelData, resamples: NDArray[np.int64], *, ordered: bool = True) -> list[dict[str, Any]]:
    """Return apparent value, optimism and corrected value of concordance and calibration slope.

    Args:
        data: the model's data.
        resamples: rows of each sample, ``samples × n``.
        ordered: whether to put the patients in an order that depends on their values only.
    """
    rows = data.complete.sort(pl.all()) if ordered else data.complete
    design = data.matrix(rows)
    if not data.events or not design.width:
        return []
    time, entry = at_risk(rows)
    sample = _Sample(
        np.asarray(time, dtype=np.float64), rows["event"].to_numpy(), design.to_numpy(), entry, data.ties
    )
    levels = np.array([name in _levels(data) for name in design.columns])
    try:
        apparent = sample.concordance(*sample.fit(levels))
    except NoEstimate as reason:
        return [
            {"quantity": name, "fitted": 0, "note": f"no estimate: {reason}"} for name in (CONCORDANCE, SLOPE)
        ]
    gains, slopes = [], []
    for chosen in resamples:
        train = sample.rows(chosen)
        try:
            fit = train.fit(levels)
        except NoEstimate:
            continue
        own, others = train.concordance(*fit), sample.concordance(*fit)
        if own is None or others is None:
            continue
        gains.append(own - others)
        if (slope := sample.slope(*fit)) is not None:
            slopes.append(slope)
    return [
        _line(CONCORDANCE, apparent, np.array(gains), _left_out(len(resamples), len(gains), "estimate")),
        _line(SLOPE, 1.0, 1 - np.array(slopes), _left_out(len(resamples), len(slopes), "finite predictor")),
    ]


def _left_out(resamples: int, fitted: int, lacking: str) -> str | None:
    lost = resamples - fitted
    return f"{lost} of {resamples} resamples had no {lacking} and are left out" if lost else None


def _line(quantity: str, apparent: float | None, gains: Floats, note: str | None) -> dict[str, Any]:
    line: dict[str, Any] = {"quantity": quantity, "apparent": apparent, "fitted": len(gains), "note": note}
    if apparent is not None and len(gains):
        optimism = float(gains.mean())
        line |= {"optimism": optimism, "corrected": apparent - optimism}
    return line


def _levels(data: ModelData) -> set[str]:
    """Return the columns that are indicators of a level."""
    return {x.name for x in data.contrasts if x.covariate.kind == "factor"}


@dataclass(frozen=True)
class _Sample:
    """Patients of a sample, as arrays."""

    time: Floats
    event: NDArray[np.bool_]
    design: Floats
    entry: Floats | None
    ties: Ties

    def rows(self, chosen: NDArray[np.int64]) -> _Sample:
        entry = None if self.entry is None else self.entry[chosen]
        return _Sample(self.time[chosen], self.event[chosen], self.design[chosen], entry, self.ties)

    def fit(self, levels: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the coefficients, and which columns are levels without events (minus infinity in the limit).

        Raises:
            NoEstimate: there is no maximum, or nobody has one of the levels.
        """
        if not self.event.any():
            raise NoEstimate("no event in the sample")
        dead = levels & ~self.design[self.event].any(axis=0) & self.design.any(axis=0)
        left = ~self.design[:, dead].any(axis=1)
        x = self.design[left][:, ~dead]
        if (np.ptp(x, axis=0) == 0).any():
            raise NoEstimate("a covariate has the same value in all patients of the sample")
        coefficients = np.zeros(self.design.shape[1])
        if x.shape[1]:
            entry = None if self.entry is None else self.entry[left]
            found = PartialLikelihood(self.time[left], self.event[left], x, entry, self.ties).maximum()
            coefficients[~dead] = found.coefficients
        return coefficients, dead

    def concordance(self, coefficients: Floats, dead: NDArray[np.bool_]) -> float | None:
        score = linear_predictor(self.design, coefficients) - _LOWEST * self.design[:, dead].sum(axis=1)
        return harrell(self.time, self.event, score, self.entry)

    def slope(self, coefficients: Floats, dead: NDArray[np.bool_]) -> float | None:
        """Return the calibration slope; None where the predictor is infinite, or there is no maximum."""
        if self.design[:, dead].any():
            return None
        score = linear_predictor(self.design, coefficients)[:, None]
        try:
            return float(
                PartialLikelihood(self.time, self.event, score, self.entry, self.ties)
                .maximum()
                .coefficients[0]
            )
        except NoEstimate:
            return None
