"""Audit printed ratios: hazard ratio, limits and p value must match each other, and agree between places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import erfc, log, sqrt

from sarcoma_pipeline.published_study.audit_rules import (
    BORROWED,
    P_VALUE,
    RATIO,
    SAME_ESTIMATE,
    SYMMETRY,
    WITHIN_LIMITS,
    Check,
    Row,
)
from sarcoma_pipeline.published_study.audit_words import RATIOS
from sarcoma_pipeline.published_study.printed_number import (
    NOT_ESTIMABLE,
    NOT_REACHED,
    at_most,
    box,
    fits,
    number,
)
from schemas.rounding import decimals_of, half_up

Z95 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

_TINY = 1e-250
"""Replacement for 0, whose logarithm does not exist."""

_OTHER_TESTS = (
    "log-rank",
    "logrank",
    "likelihood",
    "score",
    "profile",
    "firth",
    "exact",
    "permutation",
    "bootstrap",
)
"""Words in the column `method` of a p value or an interval that is not a Wald one."""


def ratios(rows: list[Row]) -> list[Row]:
    """Return the rows with a ratio."""
    return [row for row in rows if row["statistic"] in RATIOS]


def computable(row: Row) -> bool:
    """Return whether ratio and limits are positive numbers in this order."""
    low, value, high = (number(row[name]) for name in ("ci_low", "value", "ci_high"))
    return (
        low is not None and value is not None and high is not None and 0 < low <= value <= high and low < high
    )


def checks(rows: list[Row]) -> Iterator[Check]:
    """Yield the checks of ratios and of repeated estimates."""
    mine = ratios(rows)
    yield from _order(rows)
    yield from _not_computable(mine)
    yield from _p_values(mine)
    yield from _symmetry(mine)
    yield from _repeated(rows)
    yield from _borrowed(mine)


def standard_error(row: Row) -> float:
    """Return the standard error of the log hazard ratio, from the printed interval."""
    return log(float(row["ci_high"]) / float(row["ci_low"])) / (2 * Z95)


def wald_p(hazard_ratio: float, error: float) -> float:
    """Return the two-sided p value of the Wald test."""
    return erfc(abs(log(hazard_ratio)) / error / sqrt(2))


def wald_p_range(row: Row) -> tuple[float, float]:
    """Return the smallest and largest p value, with value and limits rounded independently of each other."""
    (value_low, value_high), (low_min, low_max), (high_min, high_max) = (
        _positive(row[name]) for name in ("value", "ci_low", "ci_high")
    )
    errors = [log(high_min / low_max) / (2 * Z95), log(high_max / low_min) / (2 * Z95)]
    ps = [wald_p(value, error) for value in (value_low, value_high) for error in errors if error > 0]
    crosses = value_low <= 1 <= value_high
    # Limits whose roundings overlap may be equal: the error may be 0.
    return (min(ps) if errors[0] > 0 else 0.0), 1.0 if crosses else max(ps)


def joint_p_range(row: Row) -> tuple[float, float] | None:
    """Return the smallest and largest p value of a ratio that is the geometric mean of its limits.

    The logarithms of the limits, each within its rounding, form a rectangle. The points whose mean lies
    within the rounding of the ratio form a strip of it. z = 1.96 (h + l) / (h − l) is monotone along every
    line, so its extremes are at the corners.

    Returns:
        None if no unrounded numbers fit.
    """
    (low_min, low_max), (high_min, high_max), (value_min, value_max) = (
        tuple(log(bound) for bound in _positive(row[name])) for name in ("ci_low", "ci_high", "value")
    )
    corners = [(low_min, high_min), (low_max, high_min), (low_max, high_max), (low_min, high_max)]
    # Tolerance for rounding errors of floats: 0.126 - 0.0005 is not exactly 0.1255.
    corners = _clipped(corners, 2 * value_min - 1e-12, at_least=True)
    corners = _clipped(corners, 2 * value_max + 1e-12, at_least=False)
    zs = [Z95 * (high + low) / (high - low) for low, high in corners if high > low]
    if not zs:
        return None
    most = max(abs(z) for z in zs)
    least = 0.0 if min(zs) <= 0 <= max(zs) else min(abs(z) for z in zs)
    return erfc(most / sqrt(2)), erfc(least / sqrt(2))


def _clipped(
    corners: list[tuple[float, float]], total: float, *, at_least: bool
) -> list[tuple[float, float]]:
    """Clip a polygon by a half-plane of points whose coordinates add up to at least or at most a total."""

    def over(point: tuple[float, float]) -> float:
        return (sum(point) - total) * (1 if at_least else -1)

    kept: list[tuple[float, float]] = []
    for one, two in pairwise([*corners, *corners[:1]]):
        a, b = over(one), over(two)
        if a >= 0:
            kept.append(one)
        if (a < 0) != (b < 0) and a != b:
            share = a / (a - b)
            kept.append((one[0] + share * (two[0] - one[0]), one[1] + share * (two[1] - one[1])))
    return kept


def _positive(text: str) -> tuple[float, float]:
    low, high = box(text)
    return max(low, _TINY), min(high, 1 / _TINY)


def interval(row: Row) -> str:
    """Return value and limits as text."""
    return f"{row['value']} ({row['ci_low']}; {row['ci_high']})"


def _order(rows: list[Row]) -> Iterator[Check]:
    """Check that a value lies between its limits, and that the limits are in order."""
    for row in rows:
        named = [row[name] for name in ("ci_low", "value", "ci_high")]
        if sum(text not in ("", NOT_ESTIMABLE) for text in named) < 2:
            continue
        known = [text for text in named if text not in ("", NOT_ESTIMABLE)]
        inside = all(at_most(one, other) for one, other in pairwise(known))
        inside = inside and at_most(known[0], known[-1])
        yield WITHIN_LIMITS.check(
            [row],
            interval(row) if row["value"] else f"{row['ci_low']} to {row['ci_high']}",
            "low ≤ value ≤ high",
            inside,
        )


def _not_computable(rows: list[Row]) -> Iterator[Check]:
    for row in rows:
        cells = {name: row[name] for name in ("value", "ci_low", "ci_high")}
        missing = [name for name, text in cells.items() if text in ("", NOT_ESTIMABLE, NOT_REACHED)]
        zero = [name for name, text in cells.items() if number(text) == 0]
        if (row["ci_low"] or row["ci_high"]) and (missing or zero):
            why = ", ".join(
                [
                    *(f"{name}: {cells[name] or 'no number'}" for name in missing),
                    *(f"{name} is rounded to 0" for name in zero),
                ]
            )
            yield RATIO.check([row], interval(row), why, "not computable")


def _limits_known(row: Row) -> bool:
    return all(row[name] not in ("", NOT_ESTIMABLE, NOT_REACHED) for name in ("value", "ci_low", "ci_high"))


def _wald(row: Row) -> bool:
    return not any(word in row["method"].lower() for word in _OTHER_TESTS)


def _p_values(rows: list[Row]) -> Iterator[Check]:
    """Check every p value against ratio and limits; a row without a p value uses that of the table."""
    for row in rows:
        elsewhere = next((o for o in rows if quantity(o) == quantity(row) and o["p"]), None)
        source = row if row["p"] else elsewhere
        if source is None or source["p"] == NOT_ESTIMABLE or not _limits_known(row) or not _wald(source):
            continue
        joint = joint_p_range(row)
        apart = wald_p_range(row) if _widths(row) else (0.0, 1.0)
        lowest, highest = joint or apart
        possible = fits(source["p"], lowest, highest)
        if not _wald(row):
            continue
        middle = (
            f"p = {half_up(wald_p(float(row['value']), standard_error(row)), 4)}" if computable(row) else "p"
        )
        recomputed = (
            f"{middle} from {interval(row)}, {half_up(lowest, 4)} to {half_up(highest, 4)} with rounding"
        )
        place = "" if source is row else f" ({source['section']})"
        sign = "" if source["p"][0] in "<>" else "= "
        yield P_VALUE.check(
            [row] if source is row else [row, source], f"p {sign}{source['p']}{place}", recomputed, possible
        )


def _widths(row: Row) -> bool:
    return _positive(row["ci_high"])[1] > _positive(row["ci_low"])[0]


def _symmetry(rows: list[Row]) -> Iterator[Check]:
    """Check that the hazard ratio is the geometric mean of its Wald limits."""
    for row in rows:
        if not _limits_known(row) or not _wald(row):
            continue
        possible = joint_p_range(row) is not None
        middle = sqrt(float(row["ci_low"].strip("<>")) * float(row["ci_high"].strip("<>")))
        yield SYMMETRY.check([row], interval(row), half_up(middle, 4), possible)


def quantity(row: Row) -> tuple[str, ...]:
    """Return the key of the quantity that a row estimates; equal for all rows of one estimate."""
    names = ("statistic", "where", "of", "column", "endpoint", "horizon", "model", "beyond", "term", "level")
    return tuple(row[name] for name in names)


def _repeated(rows: list[Row]) -> Iterator[Check]:
    """Compare the same estimate in several places, to the decimals of the less precise one."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        named = (row["endpoint"], row["column"], row["model"], row["term"], row["level"])
        if row["value"] and any(named) and row["statistic"] not in ("", "count", "not computable"):
            groups.setdefault(quantity(row), []).append(row)
    for same in groups.values():
        best = max(same, key=lambda row: max(decimals_of(row[n]) for n in ("value", "p")))
        for row in (r for r in same if r is not best):
            wrong = [n for n in ("value", "ci_low", "ci_high", "p") if not agrees(row[n], best[n])]
            yield SAME_ESTIMATE.check(
                [row, best], _brief(row, wrong), f"{_brief(best, wrong)} ({best['section']})", not wrong
            )


def _brief(row: Row, wrong: list[str]) -> str:
    text = interval(row) if row["ci_low"] else row["value"]
    return f"{text}, p {row['p']}" if "p" in wrong else text


def agrees(one: str, other: str) -> bool:
    """Return whether two printed numbers can be one number, rounded to different decimals."""
    if not one or not other or one == other:
        return True
    if NOT_ESTIMABLE in (one, other) or (NOT_REACHED in (one, other)):
        return False
    if number(one) is not None and number(other) is not None and decimals_of(one) == decimals_of(other):
        return False
    # Both may be rounded: 48.47 is printed as 48.5 and as 48.
    (low, high), (low_other, high_other) = box(one), box(other)
    slack = 1e-9 * max(1.0, abs(high_other))
    return low <= high_other + slack and low_other <= high + slack


def _borrowed(rows: list[Row]) -> Iterator[Check]:
    """Find a row that contradicts its own estimate elsewhere and has the numbers of another quantity."""
    for row in rows:
        own = [o for o in rows if o is not row and quantity(o) == quantity(row)]
        if not row["value"] or all(_same_numbers(row, other) for other in own):
            continue
        others = [o for o in rows if quantity(o) != quantity(row) and o["value"] and _same_numbers(row, o)]
        tables = [o for o in others if o["section"].startswith("Table")]
        if others:
            other = (tables or others)[0]
            yield BORROWED.check(
                [row, other],
                f"{row['quantity']}: {interval(row)}",
                f"these are the numbers of {other['quantity']}, {other['group/level']}",
                False,
            )


def _same_numbers(one: Row, other: Row) -> bool:
    return all(agrees(one[name], other[name]) for name in ("value", "ci_low", "ci_high"))
