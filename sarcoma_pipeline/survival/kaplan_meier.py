"""Kaplan–Meier curves, what is read off them, and the length of follow-up.

Equal to R's ``survfit(conf.type = "log-log")`` and its ``quantile``, edges included
(`tests/golden/demo_survival.R`): limits do not exist where the survival is 0 or 1; a quantile that falls on a
horizontal step is the middle of the step. Written as polars expressions: the estimator is three cumulative
sums, and lifelines reads medians otherwise at those edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import polars as pl

from schemas.analysis import SurvivalCurve, SurvivalEstimate, SurvivalSensitivity

DAYS_PER_MONTH = 30.4375
"""365.25 / 12 (design section 5)."""

MAIN = "main"
"""The variant of the sensitivity runs that is the main analysis."""

DATINGS = {"middle": "time_days", "earliest": "time_days_earliest", "latest": "time_days_latest"}
"""Where partial dates stand in their interval, and the column of the time."""

_USUAL = ("OS", "DFS", "DMFS", "LRFS")
_Z = NormalDist().inv_cdf(0.975)
TOLERANCE = 2.0**-26
"""R's: the square root of the machine's precision."""


def curves(endpoints: pl.DataFrame, *, time: str = "time_days", reverse: bool = False) -> pl.DataFrame:
    """Kaplan–Meier curve of every endpoint.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`, or any frame with ``endpoint, event`` and the time.
        time: which time in days: ``time_days``, ``time_days_earliest`` or ``time_days_latest``.
        reverse: let censoring be the event, for the length of follow-up (Schemper and Smith 1996).

    Returns:
        `schemas.analysis.SurvivalCurve`: OS, DFS, DMFS and LRFS first, the others by name; times ascending
        from 0.
    """
    frame = estimator(endpoints, ["endpoint"], time=time, reverse=reverse)
    usual = pl.col("endpoint").replace_strict(
        {name: i for i, name in enumerate(_USUAL)}, default=len(_USUAL), return_dtype=pl.Int32
    )
    frame = frame.sort(usual, "endpoint", maintain_order=True)
    return SurvivalCurve.enforce(SurvivalCurve.conform(frame))


def estimator(
    frame: pl.DataFrame, by: Sequence[str], *, time: str = "time_days", reverse: bool = False
) -> pl.DataFrame:
    """The estimator in every group.

    Args:
        frame: ``event``, the time in days, and what to group by.
        by: columns.
        time: which time in days.
        reverse: let censoring be the event.

    Returns:
        The groups' columns and those of `schemas.analysis.SurvivalCurve`, groups in order of appearance.
    """
    event = ~pl.col("event") if reverse else pl.col("event")
    steps = (
        frame.group_by(*by, days=pl.col(time).cast(pl.Int64))
        .agg(events=event.sum().cast(pl.Int64), left=pl.len().cast(pl.Int64))
        .sort(*by, "days")
    )
    start = (
        steps.group_by(by)
        .agg(at_risk=pl.col("left").sum())
        .with_columns(time_months=0.0, events=pl.lit(0, pl.Int64), censored=pl.lit(0, pl.Int64), survival=1.0)
    )
    at_risk = pl.col("left").cum_sum(reverse=True).over(by)
    hazard = pl.col("events") / pl.col("at_risk")
    greenwood = pl.col("events") / (pl.col("at_risk") * (pl.col("at_risk") - pl.col("events")))
    inside = pl.col("survival").is_between(0, 1, closed="none")
    widening = (_Z * pl.col("variance").sqrt() / -pl.col("survival").log()).exp()
    rows = (
        steps.with_columns(at_risk=at_risk, censored=pl.col("left") - pl.col("events"))
        .with_columns(
            time_months=pl.col("days") / DAYS_PER_MONTH,
            survival=(1 - hazard).cum_prod().over(by),
            variance=greenwood.cum_sum().over(by),
        )
        .with_columns(
            ci_low=pl.when(inside).then(pl.col("survival").pow(widening)),
            ci_high=pl.when(inside).then(pl.col("survival").pow(1 / widening)),
        )
    )
    appearance = frame.select(by).unique(maintain_order=True).with_row_index("group")
    # Nobody leaves at the added time 0; an event on the day of diagnosis has a line of its own after it.
    both = pl.concat([start, rows], how="diagonal_relaxed").join(appearance, on=by, maintain_order="left")
    columns = [name for name in SurvivalCurve.polars_schema() if name != "endpoint"]
    return both.sort("group", "time_months", maintain_order=True).select(
        *by, *(c for c in columns if c not in by)
    )


def estimates(endpoints: pl.DataFrame, horizons_months: Sequence[float]) -> pl.DataFrame:
    """Events, survival at the horizons, medians, and the length of follow-up.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: at which times.

    Returns:
        `schemas.analysis.SurvivalEstimate`. Survival at a horizon beyond the last time is null, unless it has
        fallen to 0. The observed follow-up is of OS only: the other times end at a relapse.
    """
    forward, backward = curves(endpoints), curves(endpoints, reverse=True)
    lines: list[dict[str, Any]] = []
    for name in forward["endpoint"].unique(maintain_order=True):
        mine = endpoints.filter(pl.col("endpoint") == name)
        n, events = mine.height, int(mine["event"].sum())
        total = {"endpoint": name, "n": n, "events": events}
        curve = forward.filter(pl.col("endpoint") == name)
        lines.append({**total, "quantity": "events", "value": float(events)})
        lines += [{**total, **at} for at in at_horizons(curve, horizons_months)]
        lines.append({**total, "quantity": "median", **quartiles(curve)})
        if name == "OS":
            q1, median, q3 = (
                mine["time_months"].quantile(p, interpolation="linear") for p in (0.25, 0.5, 0.75)
            )
            lines.append({**total, "quantity": "follow-up observed", "value": median, "q1": q1, "q3": q3})
        reverse = backward.filter(pl.col("endpoint") == name)
        lines.append({**total, "quantity": "follow-up reverse Kaplan–Meier", **quartiles(reverse)})
    return SurvivalEstimate.enforce(SurvivalEstimate.conform(pl.DataFrame(lines, infer_schema_length=None)))


def sensitivity(
    endpoints: pl.DataFrame, horizons_months: Sequence[float], *, variant: str = MAIN
) -> pl.DataFrame:
    """Survival and medians with partial dates at both ends of their intervals (design section 5).

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: at which times.
        variant: what the rows are called.

    Returns:
        `schemas.analysis.SurvivalSensitivity` without the main analysis beside it.
    """
    lines: dict[tuple[str, str, float | None], dict[str, Any]] = {}
    for dating, time in DATINGS.items():
        for (name,), curve in curves(endpoints, time=time).group_by("endpoint", maintain_order=True):
            total = {"n": curve["at_risk"][0], "events": curve["events"].sum()}
            for at in (*at_horizons(curve, horizons_months), {"quantity": "median", **quartiles(curve)}):
                key = (str(name), at["quantity"], at.get("horizon_months"))
                # The main dating comes first, so that limits are its own.
                line = lines.setdefault(key, {**at, "endpoint": name, "variant": variant, **total})
                line[dating] = at["value"]
    frame = pl.DataFrame(list(lines.values()), infer_schema_length=None)
    return SurvivalSensitivity.enforce(SurvivalSensitivity.conform(frame))


def at_horizons(curve: pl.DataFrame, horizons: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Survival, limits, events so far and patients at risk, read off one curve at every horizon."""
    last = curve.row(-1, named=True)
    for horizon in horizons:
        before = curve.filter(pl.col("time_months") <= horizon + TOLERANCE)
        after = curve.filter(pl.col("time_months") >= horizon - TOLERANCE)
        now = before.row(-1, named=True)
        known = after.height > 0 or last["survival"] == 0
        yield {
            "quantity": "survival",
            "horizon_months": float(horizon),
            "value": now["survival"] if known else None,
            "ci_low": now["ci_low"] if known else None,
            "ci_high": now["ci_high"] if known else None,
            "events": int(before["events"].sum()),
            "at_risk": int(after["at_risk"].max() or 0),  # pyright: ignore[reportArgumentType]
        }


def quartiles(curve: pl.DataFrame) -> dict[str, float | None]:
    """Median with limits and quartiles, read off one curve; null where it does not fall so far."""
    return {
        "value": _falls_to(curve, "survival", 0.5),
        "ci_low": _falls_to(curve, "ci_low", 0.5),
        "ci_high": _falls_to(curve, "ci_high", 0.5),
        "q1": _falls_to(curve, "survival", 0.75),
        "q3": _falls_to(curve, "survival", 0.25),
    }


def _falls_to(curve: pl.DataFrame, column: str, level: float) -> float | None:
    """First time at which the column is at or below the level; the middle of a step that lies on it."""
    reached = curve.filter(pl.col(column) <= level + TOLERANCE)
    if reached.is_empty():
        return None
    first = reached["time_months"][0]
    if reached[column][0] < level - TOLERANCE:
        return first
    below = reached.filter(pl.col(column) < level - TOLERANCE)
    # R lets a curve that ends on the level end there: the step reaches to the last time.
    end = below["time_months"][0] if below.height else curve["time_months"][-1]
    return (first + end) / 2
