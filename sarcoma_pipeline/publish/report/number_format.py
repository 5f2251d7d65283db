"""Formats numbers for the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas import rounding
from schemas.disclosure import WITHHELD
from schemas.language import decimal, marked
from schemas.language import gettext as _
from schemas.rounding import half_up

MISSING = "–"
"""Printed for values that are missing or suppressed."""

NOT_REACHED = marked("not reached")


def number(value: float | None, decimals: int = 0) -> str:
    """Format a number, rounded half up; a dash if there is none."""
    return MISSING if value is None else decimal(half_up(value, decimals))


def percent(share: float | None, decimals: int = 1) -> str:
    """Format a probability in per cent, without the sign."""
    return MISSING if share is None else decimal(half_up(100 * share, decimals))


def p_value(p: float | None, decimals: int = 4) -> str:
    """Format a p value; small ones as ``<0.0001``, never 0."""
    return MISSING if p is None else decimal(rounding.p_value(p, decimals))


def ratio(value: float | None, low: float | None, high: float | None, decimals: int = 3) -> str:
    """Format a ratio with its interval in the paper's style: ``0.432 (0.140; 1.332)``."""
    if value is None:
        return _("not estimable")
    if low is None or high is None:
        return number(value, decimals)
    return f"{number(value, decimals)} ({number(low, decimals)}; {number(high, decimals)})"


def ratio_of(row: Mapping[str, Any]) -> str:
    """Format a row of `schemas.analysis.HazardRatio`; ``withheld`` if disclosure control suppressed it."""
    if row["hazard_ratio"] is None and WITHHELD in (row["note"] or ""):
        return _(WITHHELD)
    return ratio(row["hazard_ratio"], row["ci_low"], row["ci_high"])


def rate(
    value: float | None, low: float | None, high: float | None, sign: str = "", decimals: int = 1
) -> str:
    """Format a probability with its interval in per cent, e.g. ``87.8 (77.8–93.5)``."""
    if value is None:
        return MISSING
    limits = "" if low is None or high is None else f"{percent(low, decimals)}–{percent(high, decimals)}"
    return f"{percent(value, decimals)}{sign}" + (f" ({limits})" if limits else "")


def median(
    value: float | None, low: float | None, high: float | None, never: str = NOT_REACHED, decimals: int = 1
) -> str:
    """Format a median with its interval; a limit that the curve does not reach is printed as ``never``."""
    never = _(never)
    inner = "–".join(never if limit is None else number(limit, decimals) for limit in (low, high))
    shown = never if value is None else number(value, decimals)
    return shown if low is None and high is None else f"{shown} ({inner})"


def general(value: float) -> str:
    """Format a declared number with the digits that it needs."""
    return decimal(f"{value:g}")


def listed(words: list[str], last: str = marked(" and ")) -> str:
    """Join words as ``a``, ``a and b``, ``a, b and c``."""
    if not words:
        return ""
    return _(last).join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def capital(words: str) -> str:
    """Capitalise the first letter."""
    return words[:1].upper() + words[1:]
