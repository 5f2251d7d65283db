"""Rounding as in printed papers: half up, in decimal.

Binary rounding is half to even (``round(0.125, 2) == 0.12``) and would differ from a printed table.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def half_up(value: float, decimals: int = 0) -> str:
    """Format a number with this many decimals, rounding ties away from zero.

    Rounds the shortest decimal representation of the float, so that 2.675 gives 2.68.
    """
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def p_value(p: float, decimals: int) -> str:
    """Format a p value with the declared decimals; a smaller one as ``<0.0001``, never 0."""
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if p < least / 2 else half_up(p, decimals)


def equals(shown: str) -> str:
    """Return a printed p value with its sign: ``= 0.0312``, or ``< 0.0001`` for ``<0.0001``."""
    return f"< {shown.removeprefix('<')}" if shown.startswith("<") else f"= {shown}"


def percent_half_up(n: int, denominator: int) -> str:
    """Format ``100 n / denominator`` rounded half up to a whole number, computed in integers.

    Raises:
        ZeroDivisionError: the denominator is 0.
    """
    return str((200 * n + denominator) // (2 * denominator))


def decimals_of(printed: str) -> int:
    """Count the decimals of a printed number: ``"1.080"`` has 3."""
    return len(printed.partition(".")[2])
