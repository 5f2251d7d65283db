"""Units that headers of tables name, and the factors that convert them to the contracts' units."""

from __future__ import annotations

import re

DAYS: tuple[tuple[str, float], ...] = (
    (r"days?|tagen?|d", 1.0),
    (r"weeks?|wochen?|wk", 7.0),
    (r"months?|monaten?|mo|mon", 30.4375),
    (r"years?|jahren?|yrs?|a", 365.25),
)
"""Unit of a time to its factor in days."""
_OF_UNIT: dict[str, tuple[tuple[str, float], ...]] = {
    "d": DAYS,
    "cm": ((r"cm", 1.0), (r"mm", 0.1)),
    "Gy": ((r"gy", 1.0), (r"cgy", 0.01)),
}
"""Unit of a contract to the units that a header may name."""


def plain(text: str) -> list[str]:
    """Return the words of a header in small letters."""
    return re.findall(r"[^\W\d_]+", text.casefold())


def factors(unit: str | None, header: str, row_of_units: str = "") -> list[float]:
    """Return the factors to a contract's unit that a header or the row of units below it names, each once.

    A single letter is no unit in a header: it may be a name.
    """
    words = [word for word in plain(header) if len(word) > 1] + plain(row_of_units)
    known = _OF_UNIT.get(unit or "", ())
    return [value for pattern, value in known if any(re.fullmatch(pattern, word) for word in words)]


def factor(unit: str | None, header: str) -> float | None:
    """Return the factor to a contract's unit that a header names; None if it names none, or several."""
    found = factors(unit, header)
    return found[0] if len(found) == 1 else None
