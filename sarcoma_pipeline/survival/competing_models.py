"""Models of each cause among competing ones: cause-specific Cox models beside Fine and Gray's.

The cause-specific hazard is that of patients without any event yet: what a covariate does. The
subdistribution hazard follows the cumulative incidence: what becomes of the patients. Both are given, because
either alone misleads (Latouche 2013).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.chi_square_tail import tail
from sarcoma_pipeline.survival.competing_risks import causes_of
from sarcoma_pipeline.survival.cox import beyond, wald_estimates
from sarcoma_pipeline.survival.design import COMPETING, Contrast, Design, ModelData, entries, model_data
from sarcoma_pipeline.survival.model_tests import wald
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.partial_likelihood import Floats, NoEstimate
from sarcoma_pipeline.survival.subdistribution import Censoring, Subdistribution
from schemas.analysis_models import CAUSE_SPECIFIC, SUBDISTRIBUTION, CompetingHazardRatio
from schemas.configuration import CompetingRisks, Covariate, Model
from schemas.statistics import DEFAULT, Statistics

_Fit = tuple[tuple[str, ...], Floats, Floats]
"""Names of the coefficients, the coefficients, their covariance."""

NO_ENTRY = "no subdistribution hazard where patients enter late: its weights are defined from time zero on"


def competing_models(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    analyses: Sequence[CompetingRisks],
    covariates: Sequence[Covariate],
    statistics: Statistics = DEFAULT,
) -> pl.DataFrame:
    """Fit both models of every cause of every analysis that names covariates.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        analyses: causes and covariates per endpoint.
        covariates: the covariates of the study.
        statistics: what the study declares.

    Returns:
        `schemas.analysis_models.CompetingHazardRatio`.

    Raises:
        ValueError: no cause contains the kind of an event, or a factor has no reference level.
    """
    lines: list[dict[str, Any]] = []
    for analysis in analyses:
        mine = endpoints.filter(pl.col("endpoint") == analysis.endpoint)
        if not analysis.covariates or mine.is_empty():
            continue
        of = causes_of(mine, analysis.causes)["cause"]
        for cause in analysis.causes:
            own = (of == cause).fill_null(False)
            marked = mine.with_columns(own.alias("event"), (of.is_not_null() & ~own).alias(COMPETING))
            model = Model(
                name=analysis.name, endpoint=analysis.endpoint, title=cause, covariates=analysis.covariates
            )
            for data in model_data(patients, marked, [model], covariates, ties=statistics.ties):
                for hazard in (CAUSE_SPECIFIC, SUBDISTRIBUTION):
                    lines += _lines(data, cause, hazard, statistics)
    return numbered(CompetingHazardRatio, lines)


def _lines(data: ModelData, cause: str, hazard: str, statistics: Statistics) -> Iterator[dict[str, Any]]:
    used = data.estimable()
    matrix, aliased = data.design(used) if data.events else Design(pl.DataFrame(), {})
    fit: _Fit | None = None
    reason = None
    if matrix.width:
        try:
            fit = _cause_specific(data) if hazard == CAUSE_SPECIFIC else _subdistribution(data)
        except NoEstimate as why:
            reason = f"no estimate: {why}"
    numbers = wald_estimates(fit[0], fit[1], np.sqrt(np.diag(fit[2]))) if fit else {}
    lost = aliased | beyond(numbers)
    common: dict[str, Any] = {
        "analysis": data.model.name,
        "endpoint": data.model.endpoint,
        "cause": cause,
        "hazard": hazard,
        "n": data.complete.height,
        "missing": data.missing,
        "events": data.events,
        "competing_events": int(data.complete[COMPETING].sum()),
    }
    if matrix.width:
        common["events_per_variable"] = data.events / matrix.width
        common["verdict"] = statistics.verdict(data.events, matrix.width)
    for contrast in data.contrasts:
        n, events = data.counts.get(contrast.covariate.name, {}).get(contrast.level or "", (None, None))
        yield {
            **common,
            "term": contrast.covariate.name,
            "level": contrast.level,
            "contrast": contrast.label,
            "reference": contrast.covariate.reference,
            "level_n": 0 if n is None and contrast.covariate.kind == "factor" else n,
            "level_events": 0 if events is None and contrast.covariate.kind == "factor" else events,
            "note": data.obstacles.get(contrast.name) or reason or lost.get(contrast.name),
            **({} if contrast.name in data.obstacles else numbers.get(contrast.name, {})),
            **_joint(fit, contrast, data),
        }


def _cause_specific(data: ModelData) -> _Fit:
    used = data.estimable()
    matrix = data.matrix(used)
    found = data.likelihood(used, matrix).maximum()
    return tuple(matrix.columns), found.coefficients, found.covariance


def _subdistribution(data: ModelData) -> _Fit:
    if entries(data.complete) is not None:
        raise NoEstimate(NO_ENTRY)
    used, everybody = data.estimable(), data.complete
    matrix = data.matrix(used)
    ended = pl.col("event") | pl.col(COMPETING)
    censoring = Censoring(
        everybody["time_days"], everybody.select(ended).to_series(), events_first=data.ties == "efron"
    )
    # Patients at a level without events have no weight in the limit, but they count for the censoring.
    others = _left_out(data)
    likelihood = Subdistribution(
        used["time_days"],
        used["event"],
        used[COMPETING],
        matrix.to_numpy(),
        censoring,
        data.ties,
        (others["time_days"], others.select(~ended).to_series()),
    )
    found = likelihood.maximum()
    return tuple(matrix.columns), found.coefficients, likelihood.covariance(found)


def _left_out(data: ModelData) -> pl.DataFrame:
    """Return the complete cases that `ModelData.estimable` leaves out."""
    numbered = data.complete.with_row_index("row")
    kept = replace(data, complete=numbered).estimable()["row"]
    return numbered.filter(~pl.col("row").is_in(kept.implode())).drop("row")


def _joint(fit: _Fit | None, contrast: Contrast, data: ModelData) -> dict[str, Any]:
    """Test all coefficients of a covariate together; nothing where a level has no event to compare."""
    of = [x.name for x in data.contrasts if x.covariate is contrast.covariate]
    if fit is None or any(name in data.obstacles for name in of):
        return {}
    names, coefficients, covariance = fit
    at = [i for i, name in enumerate(names) if name.split("\x1f")[0] == contrast.covariate.name]
    if not at or (chi_square := wald(coefficients[at], covariance[np.ix_(at, at)])) is None:
        return {}
    return {
        "joint_wald": chi_square,
        "joint_degrees_of_freedom": len(at),
        "joint_p_value": float(tail(len(at), chi_square)),
    }
