"""Estimate Kaplan–Meier curves, survival, medians, and the length of follow-up.

Results equal R's ``survfit(conf.type = "log-log")`` and its ``quantile`` in all edge cases
(`tests/golden/demo_survival.R`): there are no limits where survival is 0 or 1, and a quantile on a horizontal
step is the middle of the step. Implemented with polars expressions, because lifelines gives other medians in
those cases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from schemas.analysis import SurvivalCurve, SurvivalEstimate, SurvivalSensitivity
from schemas.ranks import place_in

DAYS_PER_MONTH = 30.4375
"""Days per month, 365.25 / 12."""

MAIN = "main"
"""Name of the main analysis among the sensitivity variants."""

DATINGS = {"middle": "time_days", "earliest": "time_days_earliest", "latest": "time_days_latest"}
"""Positions of a partial date within its interval, and the column with the resulting time."""

_USUAL = ("OS", "DFS", "DMFS", "LRFS")
Z = NormalDist().inv_cdf(0.975)
"""Quantile of the normal distribution that makes 95 % limits."""

TOLERANCE = 2.0**-26
"""Tolerance of comparisons, as in R: the square root of the machine precision."""


def curves(endpoints: pl.DataFrame, *, time: str = "time_days", reverse: bool = False) -> pl.DataFrame:
    """Estimate the Kaplan–Meier curve of every endpoint.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`, or any frame with ``endpoint, event`` and the time.
        time: column with the time in days: ``time_days``, ``time_days_earliest`` or ``time_days_latest``.
        reverse: treat censoring as the event, for the length of follow-up (Schemper and Smith 1996).

    Returns:
        `schemas.analysis.SurvivalCurve`: OS, DFS, DMFS and LRFS first, then the others by name; times
        ascending from 0.
    """
    frame = estimator(endpoints, ["endpoint"], time=time, reverse=reverse)
    frame = frame.sort(place_in(_USUAL, "endpoint"), "endpoint", maintain_order=True)
    return SurvivalCurve.enforce(SurvivalCurve.conform(frame))


def estimator(
    frame: pl.DataFrame, by: Sequence[str], *, time: str = "time_days", reverse: bool = False
) -> pl.DataFrame:
    """Estimate the curve of every group.

    Args:
        frame: ``event``, the time in days, and the grouping columns; with ``entry_days`` a patient is at
            risk only after that day, and the curve has a row for every entry.
        by: grouping columns.
        time: column with the time in days.
        reverse: treat censoring as the event.

    Returns:
        The grouping columns and those of `schemas.analysis.SurvivalCurve`, groups in order of appearance.
    """
    event = ~pl.col("event") if reverse else pl.col("event")
    entry = entry_at(time, frame.columns)
    frame = frame.with_columns(_days=pl.col(time).cast(pl.Int64), _entry=entry.cast(pl.Int64))
    # With the early end of a partial date, a time may end before the entry: the patient was never at risk.
    there = frame.filter((pl.col("_days") > pl.col("_entry")).fill_null(True))
    late = (
        there.filter(pl.col("_entry") >= 0).group_by(*by, days="_entry").agg(entering=pl.len().cast(pl.Int64))
    )
    steps = (
        there.group_by(*by, days="_days")
        .agg(events=event.sum().cast(pl.Int64), left=pl.len().cast(pl.Int64))
        .join(late, on=[*by, "days"], how="full", coalesce=True)
        .with_columns(pl.col("events", "left", "entering").fill_null(0))
        # Patients who enter at 0 count in the row of the start, but are not at risk of events on day 0.
        .filter((pl.col("days") > 0) | (pl.col("left") > 0))
        .sort(*by, "days")
    )
    start = (
        steps.group_by(by)
        .agg(at_risk=pl.col("left").sum() - pl.col("entering").filter(pl.col("days") > 0).sum())
        .with_columns(time_months=0.0, events=pl.lit(0, pl.Int64), censored=pl.lit(0, pl.Int64), survival=1.0)
    )
    at_risk = (pl.col("left") - pl.col("entering")).cum_sum(reverse=True).over(by)
    some = pl.col("events") > 0
    hazard = pl.when(some).then(pl.col("events") / pl.col("at_risk")).otherwise(0.0)
    rest = pl.col("at_risk") - pl.col("events")
    greenwood = pl.when(some).then(pl.col("events") / (pl.col("at_risk") * rest)).otherwise(0.0)
    inside = pl.col("survival").is_between(0, 1, closed="none")
    widening = (Z * pl.col("variance").sqrt() / -pl.col("survival").log()).exp()
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
    # The added row at time 0 has no events; events on the day of diagnosis have a row of their own after it.
    both = pl.concat([start, rows], how="diagonal_relaxed").join(appearance, on=by, maintain_order="left")
    columns = [name for name in SurvivalCurve.polars_schema() if name != "endpoint"]
    return both.sort("group", "time_months", maintain_order=True).select(
        *by, *(c for c in columns if c not in by)
    )


def estimates(endpoints: pl.DataFrame, horizons_months: Sequence[float]) -> pl.DataFrame:
    """Estimate events, survival at the horizons, medians, and the length of follow-up.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: times of the survival estimates.

    Returns:
        `schemas.analysis.SurvivalEstimate`. Survival at a horizon beyond the last time is null unless the
        curve has fallen to 0. The observed follow-up is given for OS only, because the times of other
        endpoints end at a relapse.
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


def entry_at(time: str, columns: Collection[str]) -> pl.Expr:
    """Return the day of entry that goes with a time: of the middle, early or late end of partial dates.

    Args:
        time: a value of :data:`DATINGS`.
        columns: those of the endpoints; without entries everybody is at risk from the beginning.
    """
    column = _entry_column(time, columns)
    return pl.col(column) if column else pl.lit(None, dtype=pl.Int32)


def _entry_column(time: str, columns: Collection[str]) -> str | None:
    dated = f"entry_days{time.removeprefix(DATINGS['middle'])}"
    return next((c for c in (dated, "entry_days") if c in columns), None)


def is_exact(endpoints: pl.DataFrame, time: str) -> bool:
    """Return whether the times and entries at one end of the partial dates are those of the middle.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        time: a value of :data:`DATINGS`.
    """
    entry, own = (_entry_column(t, endpoints.columns) for t in (time, DATINGS["middle"]))
    same_entry = entry == own or bool(entry and own and endpoints[entry].equals(endpoints[own]))
    return same_entry and endpoints[time].equals(endpoints[DATINGS["middle"]])


def sensitivity(
    endpoints: pl.DataFrame, horizons_months: Sequence[float], *, variant: str = MAIN
) -> pl.DataFrame:
    """Estimate survival and medians with partial dates at both ends of their intervals.

    Args:
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: times of the survival estimates.
        variant: name of the variant.

    Returns:
        `schemas.analysis.SurvivalSensitivity` without the column of the main analysis.
    """
    lines: dict[tuple[str, str, float | None], dict[str, Any]] = {}
    # Where every date is exact, both ends have the curves of the middle.
    exact = [dating for dating, time in DATINGS.items() if time != "time_days" and is_exact(endpoints, time)]
    for dating, time in DATINGS.items():
        if dating in exact:
            continue
        for (name,), curve in curves(endpoints, time=time).group_by("endpoint", maintain_order=True):
            total = {"n": size(curve), "events": curve["events"].sum()}
            for at in (*at_horizons(curve, horizons_months), {"quantity": "median", **quartiles(curve)}):
                key = (str(name), at["quantity"], at.get("horizon_months"))
                # "middle" comes first in DATINGS: the limits in the row are those of the middle dates.
                line = lines.setdefault(key, {**at, "endpoint": name, "variant": variant, **total})
                line[dating] = at["value"]
    for line in lines.values():
        line.update(dict.fromkeys(exact, line["middle"]))
    frame = pl.DataFrame(list(lines.values()), infer_schema_length=None)
    return SurvivalSensitivity.enforce(SurvivalSensitivity.conform(frame))


def at_horizons(curve: pl.DataFrame, horizons: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield survival, limits, events so far and patients at risk of one curve at every horizon."""
    months, survival = curve["time_months"].to_numpy(), curve["survival"]
    for horizon in horizons:
        # Times ascend from 0: rows up to the horizon come first, and rows from it on come last.
        before = int(np.searchsorted(months, horizon + TOLERANCE, side="right"))
        after = int(np.searchsorted(months, horizon - TOLERANCE, side="left"))
        known = after < curve.height or survival[-1] == 0
        yield {
            "quantity": "survival",
            "horizon_months": float(horizon),
            "value": survival[before - 1] if known else None,
            "ci_low": curve["ci_low"][before - 1] if known else None,
            "ci_high": curve["ci_high"][before - 1] if known else None,
            "events": int(curve["events"][:before].sum()),
            # With delayed entry the numbers at risk may rise, so the next row gives the number.
            "at_risk": int(curve["at_risk"][after]) if after < curve.height else 0,
        }


def size(curve: pl.DataFrame) -> int:
    """Return the number of patients of a curve: all who left, because not all are at risk at time 0."""
    return int(curve["events"].sum()) + int(curve["censored"].sum())


def quartiles(curve: pl.DataFrame) -> dict[str, float | None]:
    """Return median with limits, and quartiles, of one curve; null if the curve does not fall that low."""
    return {
        "value": _time_at(curve, "survival", 0.5),
        "ci_low": _time_at(curve, "ci_low", 0.5),
        "ci_high": _time_at(curve, "ci_high", 0.5),
        "q1": _time_at(curve, "survival", 0.75),
        "q3": _time_at(curve, "survival", 0.25),
    }


def _time_at(curve: pl.DataFrame, column: str, level: float) -> float | None:
    """Return the first time with the column at or below the level; the middle of a step on the level."""
    months, values = curve["time_months"], curve[column].to_numpy()
    reached = np.flatnonzero(values <= level + TOLERANCE)
    if not len(reached):
        return None
    first = months[int(reached[0])]
    if values[reached[0]] < level - TOLERANCE:
        return first
    below = np.flatnonzero(values < level - TOLERANCE)
    # As in R, the step of a curve that ends on the level reaches to the last time.
    end = months[int(below[0])] if len(below) else months[-1]
    return (first + end) / 2
