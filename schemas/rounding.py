"""Rounding as papers print: half up, in decimal.

Binary rounding is half to even (``round(0.125, 2) == 0.12``) and would differ from a printed table.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def half_up(value: float, decimals: int = 0) -> str:
    """The number as text with so many decimals, ties away from zero.

    The shortest decimal that names the float is rounded, so that 2.675 gives 2.68.
    """
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def percent_half_up(n: int, denominator: int) -> str:
    """``100 n / denominator`` rounded half up to a whole number, in integers.

    Raises:
        ZeroDivisionError: the denominator is 0.
    """
    return str((200 * n + denominator) // (2 * denominator))


def decimals_of(printed: str) -> int:
    """How many decimals a printed number has: ``"1.080"`` has 3."""
    return len(printed.partition(".")[2])
