"""How a number stands on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.disclosure import WITHHELD
from schemas.rounding import half_up

MISSING = "–"
"""Not available, or suppressed."""

NOT_REACHED = "not reached"


def number(value: float | None, decimals: int = 0) -> str:
    """The number, rounded half up; a dash if there is none."""
    return MISSING if value is None else half_up(value, decimals)


def percent(share: float | None, decimals: int = 1) -> str:
    """A probability in per cent, without the sign."""
    return MISSING if share is None else half_up(100 * share, decimals)


def p_value(p: float | None, decimals: int = 4) -> str:
    """The p value, never 0: ``<0.0001``."""
    if p is None:
        return MISSING
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if p < least / 2 else half_up(p, decimals)


def ratio(value: float | None, low: float | None, high: float | None, decimals: int = 3) -> str:
    """A ratio with its interval in the paper's style: ``0.432 (0.140; 1.332)``."""
    if value is None:
        return "not estimable"
    if low is None or high is None:
        return half_up(value, decimals)
    return f"{half_up(value, decimals)} ({half_up(low, decimals)}; {half_up(high, decimals)})"


def ratio_of(row: Mapping[str, Any]) -> str:
    """A line of `schemas.analysis.HazardRatio` as a ratio; ``withheld`` where disclosure control took it."""
    if row["hazard_ratio"] is None and WITHHELD in (row["note"] or ""):
        return WITHHELD
    return ratio(row["hazard_ratio"], row["ci_low"], row["ci_high"])


def rate(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    """A probability with its interval in per cent: ``87.8 (77.8–93.5)``; the sign stands after the value."""
    if value is None:
        return MISSING
    bounds = "" if low is None or high is None else f" ({percent(low)}–{percent(high)})"
    return f"{percent(value)}{sign}{bounds}"


def median(value: float | None, low: float | None, high: float | None, never: str = NOT_REACHED) -> str:
    """A median with its interval; what the curve does not fall to is not reached."""
    inner = "–".join(never if limit is None else half_up(limit, 1) for limit in (low, high))
    shown = never if value is None else half_up(value, 1)
    return shown if low is None and high is None else f"{shown} ({inner})"


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if not words:
        return ""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def capital(words: str) -> str:
    """With a capital first letter."""
    return words[:1].upper() + words[1:]
