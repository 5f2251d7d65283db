"""Audit survival rates and medians: their intervals, patients and events, order, and follow-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import asin, exp, inf, log, sin, sqrt

from sarcoma_pipeline.published_study.audit_counts import condition, within
from sarcoma_pipeline.published_study.audit_estimates import Z95, interval
from sarcoma_pipeline.published_study.audit_events import NESTED, event_bounds
from sarcoma_pipeline.published_study.audit_rules import (
    FOLLOW_UP,
    MEDIAN_ORDER,
    MEDIAN_RATE,
    RATE_EVENTS,
    RATE_INTERVAL,
    RATE_ORDER,
    RATE_PATIENTS,
    Check,
    Row,
)
from sarcoma_pipeline.published_study.printed_number import MONTHS, NOT_REACHED, at_most, box, number
from schemas.rounding import half_up

_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "log-log": (lambda s: -log(-log(s)), lambda s: 1 / (s * -log(s))),
    "log": (log, lambda s: 1 / s),
    "logit": (lambda s: log(s / (1 - s)), lambda s: 1 / (s * (1 - s))),
    "arcsine": (lambda s: asin(sqrt(s)), lambda s: 1 / (2 * sqrt(s * (1 - s)))),
    "plain": (lambda s: s, lambda _: 1.0),
}
"""Scales on which an interval of a survival rate is symmetric, with their derivatives; all increase."""

_CUT = ("log", "plain", "arcsine")
"""Scales on which limits are cut at 0 and 1."""

_EDGE = 1e-9


def checks(rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    """Yield the checks of survival rates and medians.

    Args:
        rows: all rows of the paper.
        counts: patients by condition (``column=a|b``, values sorted), as printed in the paper.
    """
    rates = [row for row in rows if row["statistic"] == "survival"]
    medians = [row for row in rows if row["statistic"] == "median"]
    yield from _intervals(rates, rows, counts)
    yield from _rate_order(rates)
    yield from _median_order(medians)
    yield from _median_and_rate(medians, rates)
    yield from _reach(medians, rates, rows)


def _shares(row: Row) -> tuple[tuple[float, float], ...] | None:
    """Return the boxes of limit, rate and limit as shares from 0 to 1; None if one is no number."""
    boxes = []
    for name in ("ci_low", "value", "ci_high"):
        if number(row[name]) is None:
            return None
        low, high = box(row[name])
        boxes.append((max(_EDGE, low / 100), min(1 - _EDGE, high / 100)))
    return tuple(boxes)


def _intervals(rates: list[Row], rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    for row in rates:
        if not (row["ci_low"] or row["ci_high"]):
            continue
        shares = _shares(row)
        edge = [n for n in ("value", "ci_low", "ci_high") if number(row[n]) in (0, 100)]
        if shares is None or "value" in edge or number(row["ci_low"]) == number(row["ci_high"]):
            missing = [
                f"{n}: {row[n] or 'no number'}"
                for n in ("value", "ci_low", "ci_high")
                if number(row[n]) is None
            ]
            yield RATE_INTERVAL.check(
                [row],
                interval(row),
                ", ".join(missing) or "a rate of 0 or 100 % or without a width has no interval to compute",
                "not computable",
            )
            continue
        fitting = [name for name in _SCALES if _symmetric(name, shares)]
        low, rate, high = (float(row[n]) / 100 for n in ("ci_low", "value", "ci_high"))
        yield RATE_INTERVAL.check(
            [row],
            interval(row),
            f"symmetric on the scale {', '.join(fitting)}" if fitting else _widths(low, rate, high),
            "consistent" if fitting else "tension",
        )
        if not low < rate < high:
            continue
        # The rate as printed, and at both ends of its rounding; of each, the largest error that the rounded
        # limits allow on a fitting scale.
        errors = {
            share: max(_error(name, shares, share) for name in fitting or _SCALES)
            for share in (rate, *shares[1])
        }
        patients = counts.get("", inf)
        worth = _allowed([s * (1 - s) / e**2 for s, e in errors.items()], patients)
        yield RATE_PATIENTS.check(
            [row],
            f"of {patients} patients",
            f"the interval is that of {half_up(worth, 1)} uncensored patients",
            worth <= patients,
        )
        bounds = event_bounds(row["endpoint"], rows, counts)
        if bounds:
            least = _allowed([(s * log(s) / e) ** 2 for s, e in errors.items()], bounds[1])
            yield RATE_EVENTS.check(
                [row],
                f"at most {bounds[1]} events",
                f"the interval needs at least {half_up(least, 1)} events",
                least <= bounds[1],
            )


def _symmetric(name: str, shares: tuple[tuple[float, float], ...]) -> bool:
    """Return whether the rate can be the middle of its limits on a scale.

    A cut limit may lie further away.
    """
    scale, _ = _SCALES[name]
    (low, rate, high) = ((scale(a), scale(b)) for a, b in shares)
    reach_up = inf if name in _CUT and shares[2][1] >= 1 - 2 * _EDGE else high[1]
    reach_down = -inf if name in _CUT and shares[0][0] <= 2 * _EDGE else low[0]
    return reach_down + high[0] <= 2 * rate[1] and 2 * rate[0] <= low[1] + reach_up


def _error(name: str, shares: tuple[tuple[float, float], ...], rate: float) -> float:
    """Return the largest standard error of a rate that its rounded limits allow."""
    scale, derivative = _SCALES[name]
    low, high = scale(shares[0][0]), scale(shares[2][1])
    cut_low = name in _CUT and shares[0][0] <= 2 * _EDGE
    cut_high = name in _CUT and shares[2][1] >= 1 - 2 * _EDGE
    if cut_low and cut_high:
        return inf
    if cut_high:
        high = max(high, 2 * scale(rate) - low)
    if cut_low:
        low = min(low, 2 * scale(rate) - high)
    return (high - low) / (2 * Z95) / derivative(rate)


def _allowed(numbers: list[float], most: float) -> float:
    """Return the first number, or the least one if that alone is not above the most that is possible."""
    return min(numbers) if min(numbers) <= most < numbers[0] else numbers[0]


def _widths(low: float, rate: float, high: float) -> str:
    if not 0 < low < rate < high < 1:
        return "limits around the rate"
    upper, lower = exp(-((log(rate) / log(low)) * -log(rate))), 2 * rate - high
    middle = sin((asin(sqrt(low)) + asin(sqrt(high))) / 2) ** 2
    return (
        f"log-log: upper limit {half_up(100 * upper, 1)} for this lower one; plain: lower limit "
        f"{half_up(100 * lower, 1)} for this upper one; arcsine: rate {half_up(100 * middle, 1)}"
    )


def _rate_order(rates: list[Row]) -> Iterator[Check]:
    """Check that later rates, and rates of endpoints with more kinds of events, are not higher."""
    usable = [
        r
        for r in rates
        if number(r["value"]) is not None and number(r["horizon"]) is not None and r["endpoint"]
    ]
    for one in usable:
        for other in usable:
            same_group = one["where"] == other["where"] and one["of"] == other["of"]
            later = one["endpoint"] == other["endpoint"] and float(one["horizon"]) < float(other["horizon"])
            nested = (one["endpoint"], other["endpoint"]) in NESTED and one["horizon"] == other["horizon"]
            if same_group and (later or nested):
                right = at_most(other["value"], one["value"])
                yield RATE_ORDER.check(
                    [other, one],
                    f"{other['endpoint']} at {other['horizon']} months: {other['value']} %",
                    f"at most {one['value']} % ({one['endpoint']} at {one['horizon']} months)",
                    right,
                )


def _median_order(medians: list[Row]) -> Iterator[Check]:
    """Check that an endpoint with more kinds of events has the earlier median."""
    usable = [row for row in medians if _reached(row) is not None]
    groups = {(row["endpoint"], row["where"], row["of"]): row for row in usable}
    for where, of in dict.fromkeys(group[1:] for group in groups):
        for fewer, more in NESTED:
            one, other = groups.get((fewer, where, of)), groups.get((more, where, of))
            if one and other:
                late, early = _reached(one), _reached(other)
                right = late is not None and early is not None and late >= early
                yield MEDIAN_ORDER.check(
                    [one, other],
                    f"{fewer} {one['value']}, {more} {other['value']}",
                    f"{fewer} ≥ {more}",
                    right,
                )


def _reached(row: Row) -> float | None:
    """Return a median in months."""
    if row["value"] == NOT_REACHED:
        return inf
    value = number(row["value"])
    return None if value is None else _months(value, _unit(row))


def _median_and_rate(medians: list[Row], rates: list[Row]) -> Iterator[Check]:
    for median in medians:
        for rate in rates:
            horizon, month = number(rate["horizon"]), _reached(median)
            same = all(median[name] == rate[name] for name in ("endpoint", "where", "of"))
            if horizon is None or month is None or number(rate["value"]) is None or not same:
                continue
            low, high = box(rate["value"])
            edge = (
                tuple(_months(e, _unit(median)) for e in box(median["value"])) if month < inf else (inf, inf)
            )
            right = high >= 50 if horizon < edge[0] else low <= 50 if horizon > edge[1] else True
            yield MEDIAN_RATE.check(
                [median, rate],
                f"median {median['value']}, {rate['value']} % at {rate['horizon']} months",
                "≥ 50 % before the median, ≤ 50 % after it",
                right,
            )


def _reach(medians: list[Row], rates: list[Row], rows: list[Row]) -> Iterator[Check]:
    """Check medians and horizons against the longest follow-up, else medians against its upper quartile.

    The follow-up must be that of the same patients, or of a group that holds them.
    """
    follow_up = [r for r in rows if "follow" in f"{r['column']} {r['quantity']}".lower()]
    longest = [
        (r, "value" if r["statistic"] == "maximum" else "ci_high")
        for r in follow_up
        if r["statistic"] in ("range", "maximum")
    ]
    longest = [(row, name) for row, name in longest if number(row[name]) is not None]
    upper = [
        (r, "ci_high")
        for r in follow_up
        if r["statistic"] == "quartiles" and number(r["ci_high"]) is not None
    ]
    for row, name in [*((r, "value") for r in medians), *((r, "horizon") for r in rates)]:
        if number(row[name]) is None:
            continue
        of, exact = condition(row["where"], row["of"]), name == "horizon"
        time, unit = row[name], "months" if exact else _unit(row)
        for other, column in longest or (upper if name == "value" else []):
            if not within(of, condition(other["where"], other["of"])):
                continue
            most, of_most = other[column], _unit(other)
            if unit == of_most and not exact:
                beyond = not at_most(time, most)
            else:
                least = float(time) if exact else box(time)[0]
                beyond = _months(least, unit) > _months(box(most)[1], of_most)
            what = "the longest follow-up" if longest else "the upper quartile of follow-up"
            yield FOLLOW_UP.check(
                [row, other],
                f"{'rate' if exact else 'median'} at {time} {unit}",
                f"{what} is {most} {of_most}",
                "consistent" if not beyond else "contradiction" if longest else "tension",
            )


def _unit(row: Row) -> str:
    unit = row["unit"].strip().lower()
    return unit if unit in MONTHS else "months"


def _months(time: float, unit: str) -> float:
    return time * float(MONTHS[unit])
