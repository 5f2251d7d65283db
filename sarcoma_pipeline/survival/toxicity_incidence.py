"""Estimate the cumulative incidence of toxicity, with death and amputation competing, by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sarcoma_pipeline.survival import gray
from sarcoma_pipeline.survival.competing_risks import aalen_johansen
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, TOLERANCE
from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.toxicity_groups import grouped
from schemas.analysis_toxicity import ToxicityCurve, ToxicityIncidence
from schemas.configuration import Covariate
from schemas.toxicity_codes import WOUND_DAYS
from schemas.toxicity_toml import ToxicityEndpoint
from schemas.vocabularies import TOXICITY_OUTCOME

TOXICITY, DEATH, AMPUTATION, CENSORED = TOXICITY_OUTCOME


@dataclass(frozen=True)
class Incidence:
    """The tables ``analysis.toxicity_incidence`` and ``analysis.toxicity_curve``."""

    estimates: pl.DataFrame
    curves: pl.DataFrame


def toxicity_incidence(
    patients: pl.DataFrame,
    states: pl.DataFrame,
    endpoints: Sequence[ToxicityEndpoint],
    covariates: Sequence[Covariate],
    horizons_months: Sequence[float],
) -> Incidence:
    """Return curves and estimates of every endpoint that has times, for all patients and for each group.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        states: `schemas.cohort_toxicity_endpoints.CohortToxicityEndpoint`.
        endpoints: as study.toml declares them.
        covariates: the covariates of study.toml.
        horizons_months: times since the therapy at which the curves are read.
    """
    lines: list[dict[str, Any]] = []
    curves = [ToxicityCurve.empty()]
    for endpoint in (e for e in endpoints if e.followed):
        groups, levels = grouped(patients, endpoint, covariates)
        mine = states.filter(pl.col("time_days").is_not_null(), endpoint=endpoint.name)
        frame = mine.join(groups, on="pseudonym").select(
            "level", "outcome", "time_basis", days=pl.col("time_days").cast(pl.Int64),
            cause=pl.when(pl.col("outcome") != CENSORED).then("outcome"), entry=pl.lit(None, pl.Int64),
        )  # fmt: skip
        test = gray.test(frame.drop_nulls("level"), TOXICITY)
        of_test = {
            "gray_statistic": test and test.statistic,
            "gray_degrees": test and test.degrees,
            "p_value": test and test.p_value,
        }
        for level in [None, *levels]:
            of = frame if level is None else frame.filter(level=level)
            if not of.height:
                continue
            curve = _curve(of)
            named = {"endpoint": endpoint.name, "covariate": endpoint.by, "level": level}
            curves.append(
                ToxicityCurve.conform(
                    curve.with_columns(pl.lit(v, pl.String).alias(k) for k, v in named.items())
                )
            )
            lines += [
                {**named, **of_test, **line} for line in _read(of, curve, horizons_months, _closes(endpoint))
            ]
    return Incidence(numbered(ToxicityIncidence, lines), ToxicityCurve.enforce(pl.concat(curves)))


def _curve(times: pl.DataFrame) -> pl.DataFrame:
    """Return the curve of the toxicity, with what is left of the patients (``free``)."""
    causes = [TOXICITY, *sorted(set(times["cause"].drop_nulls()) - {TOXICITY})]
    curves = aalen_johansen(times, causes)
    free = curves.group_by("time_months").agg(free=1 - pl.col("incidence").sum())
    return (
        curves.filter(cause=TOXICITY)
        .join(free, on="time_months", maintain_order="left")
        .with_columns(pl.col("at_risk", "events").round().cast(pl.Int64))
    )


def _closes(endpoint: ToxicityEndpoint) -> float | None:
    """Return the months after which the endpoint cannot occur: the incidence stays as it is."""
    return WOUND_DAYS / DAYS_PER_MONTH if endpoint.measure != "grade" else None


def _read(
    times: pl.DataFrame, curve: pl.DataFrame, horizons_months: Sequence[float], closes: float | None
) -> Iterator[dict[str, Any]]:
    outcomes = dict(times.group_by("outcome").len().iter_rows())
    ended = curve["free"][-1] < TOLERANCE
    for horizon in horizons_months:
        now = curve.filter(pl.col("time_months") <= horizon + TOLERANCE).row(-1, named=True)
        after = curve.filter(pl.col("time_months") >= horizon - TOLERANCE)
        known = after.height > 0 or ended or (closes is not None and horizon >= closes)
        read = {c: now[c] if known else None for c in ("standard_error", "ci_low", "ci_high")}
        yield {
            "horizon_months": float(horizon),
            "at_start": times.height,
            "events": outcomes.get(TOXICITY, 0),
            "deaths": outcomes.get(DEATH, 0),
            "amputations": outcomes.get(AMPUTATION, 0),
            "undated": times.filter(time_basis="middle").height,
            "at_risk": int(after["at_risk"][0]) if after.height else 0,
            "value": now["incidence"] if known else None,
            **read,
        }
