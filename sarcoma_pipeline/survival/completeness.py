"""Describe completeness of follow-up, time before treatment, and covariates known only later.

Completeness of follow-up is the observed person-time divided by the possible person-time (Clark, Altman and
De Stavola, Lancet 2002; 359: 1309). A patient with an event was followed completely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.survival.design import values, with_entry
from sarcoma_pipeline.survival.subgroups import log_rank
from schemas.analysis_follow_up import KNOWN_FROM, CovariateTiming, FollowUpCompleteness, ImmortalTime
from schemas.configuration import Covariate, Model
from schemas.rounding import equals, p_value
from schemas.statistics import DEFAULT

LOST_DAYS = 365
"""Days between end and possible end from which a patient is lost: twice the interval of late visits."""

DIFFERS = 0.05
"""p value of the log-rank test of the losses below which there is a warning."""

_YEAR = 365.25
_END = "end of the time"
_TREATMENTS = ("radiotherapy start", "definitive resection")


def completeness(
    endpoints: pl.DataFrame,
    observed: pl.DataFrame,
    patients: pl.DataFrame,
    factors: Sequence[Covariate],
    late_death_days: int,
    p_decimals: int = DEFAULT.p_decimals,
) -> pl.DataFrame:
    """Compute the completeness of follow-up by endpoint and subgroup.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        observed: ``pseudonym, endpoint, possible_days, looked_days, needs_examinations``.
        patients: `schemas.cohort.CohortPatient`.
        factors: the factors of the subgroups.
        late_death_days: a death later than this after the last examination is a late one.
        p_decimals: declared decimals of a p value in a warning.

    Returns:
        `schemas.analysis_follow_up.FollowUpCompleteness`: for every endpoint all patients, then the levels.
    """
    lines: list[dict[str, Any]] = []
    for name, frame in _by_endpoint(endpoints, observed):
        # An entry before the origin is one at it.
        start = pl.col("entry_days").fill_null(0).clip(0)
        # A time longer than possible (because of a partial date) was complete.
        possible = pl.max_horizontal("possible_days", "time_days")
        possible = pl.when("event").then("time_days").otherwise(possible)
        frame = frame.with_columns(
            _observed=pl.col("time_days") - start,
            _possible=possible - start,
            lost=~pl.col("event") & (possible - pl.col("time_days") > LOST_DAYS),
        ).join(patients, on="pseudonym", maintain_order="left")
        lines.append({"endpoint": name, **_counted(frame, late_death_days)})
        for factor in factors:
            known = frame.with_columns(level=values(factor)).drop_nulls("level").sort("level")
            losses = known.select("time_days", "entry_days", "level", event="lost")
            p = log_rank(losses)[0]["p_value"] if known.height else None
            for (level,), mine in known.group_by("level", maintain_order=True):
                row = {**_counted(mine, late_death_days), "p_value": p, "warning": _of_losses(p, p_decimals)}
                lines.append({"endpoint": name, "covariate": factor.name, "level": level, **row})
    return _frame(FollowUpCompleteness, lines)


def _counted(frame: pl.DataFrame, late_death_days: int) -> dict[str, Any]:
    possible = float(frame["_possible"].sum()) / _YEAR
    observed = float(frame["_observed"].sum()) / _YEAR
    made: dict[str, Any] = {
        "n": frame.height,
        "events": int(frame["event"].sum()),
        "observed_years": observed,
        "possible_years": possible,
        "completeness": observed / possible if possible else None,
        "lost": int(frame["lost"].sum()),
    }
    if not frame["needs_examinations"].any():
        return made
    died = frame.filter(pl.col("event"), pl.col("event_kind").str.ends_with("death"))
    late = died.filter((pl.col("time_days") - pl.col("looked_days") > late_death_days).fill_null(True)).height
    told = f"{late} of {died.height} deaths that count as an event came more than {late_death_days} days"
    return made | {
        "never_examined": frame["looked_days"].null_count(),
        "late_deaths": late,
        "warning": f"{told} after the last examination, or without any" if late else None,
    }


def _of_losses(p: float | None, p_decimals: int) -> str | None:
    if p is None or p >= DIFFERS:
        return None
    shown = equals(p_value(p, p_decimals))
    return f"the loss to follow-up differs by group (log-rank test p {shown}): censoring may be informative"


def immortal_time(endpoints: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """Describe the time from an endpoint's origin to the treatments.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        observed: ``pseudonym``, ``endpoint`` and the days of the treatments since the endpoint's origin.

    Returns:
        `schemas.analysis_follow_up.ImmortalTime`.
    """
    lines = []
    for name, frame in _by_endpoint(endpoints, observed):
        for milestone in _TREATMENTS:
            start, day = pl.col("entry_days").fill_null(0).clip(0), pl.col(milestone)
            # A treatment before the origin has no waiting time.
            there = frame.filter(day.is_not_null()).with_columns(day.clip(0))
            if there.is_empty():
                continue
            q1, middle, q3 = (there[milestone].quantile(q, "linear") for q in (0.25, 0.5, 0.75))
            before = there.filter(pl.col("event"), pl.col("time_days") <= day).height
            spent = (pl.min_horizontal("time_days", day) - start).clip(0).sum()
            whole = (pl.col("time_days") - start).sum()
            shares = there.select(spent=spent, whole=whole).row(0)
            lines.append(
                {"endpoint": name, "milestone": milestone, "n": there.height, "median_days": middle,
                 "q1_days": q1, "q3_days": q3, "longest_days": there[milestone].max(),
                 "events_before": before, "percent": 100 * shares[0] / shares[1] if shares[1] else None}
            )  # fmt: skip
    return _frame(ImmortalTime, lines)


def covariate_timing(
    endpoints: pl.DataFrame,
    observed: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
) -> pl.DataFrame:
    """Find the covariates of the models that are known only after patients are at risk.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        observed: ``pseudonym``, ``endpoint`` and the days of the treatments since the endpoint's origin.
        models: the Cox models.
        covariates: the covariates of the models.

    Returns:
        `schemas.analysis_follow_up.CovariateTiming`: a row per such covariate of a model.
    """
    of = {c.name: c for c in covariates}
    frames = dict(_by_endpoint(endpoints, observed))
    lines = []
    for model in models:
        for covariate in (of[name] for name in (*model.covariates, *model.strata)):
            known_from = KNOWN_FROM.get(covariate.column)
            if known_from is None or model.endpoint not in frames:
                continue
            days = [pl.col("time_days") if m == _END else pl.col(m) for m in known_from]
            waited = pl.max_horizontal(days) - pl.col("entry_days").fill_null(0).clip(0)
            early = frames[model.endpoint].filter((waited > 0).fill_null(False))
            if early.is_empty():
                continue
            waits = early.select(waited).to_series()
            before = early.filter(pl.col("event"), pl.col("time_days") <= pl.max_horizontal(days)).height
            lines.append(
                {"model": model.name, "endpoint": model.endpoint, "covariate": covariate.name,
                 "known_from": " and ".join(known_from), "n": early.height, "median_days": waits.median(),
                 "events_before": before, "warning": _of_timing(known_from)}
            )  # fmt: skip
    return _frame(CovariateTiming, lines)


def _of_timing(known_from: tuple[str, ...]) -> str:
    if _END in known_from:
        return "known only when the time has ended: it cannot explain the time"
    return (
        f"known only from {' and '.join(known_from)} on, while patients are at risk before: declare that day "
        "as the entry of the endpoint, or a landmark"
    )


def _by_endpoint(endpoints: pl.DataFrame, observed: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    frame = with_entry(endpoints).join(
        observed, on=["pseudonym", "endpoint"], how="left", maintain_order="left"
    )
    for (name,), mine in frame.group_by("endpoint", maintain_order=True):
        yield str(name), mine


def _frame(contract: type[Any], lines: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(lines, infer_schema_length=None) if lines else contract.empty()
    return contract.enforce(contract.conform(frame))
