"""Recognise units in headers of tables, and convert them to the contracts' units."""

from __future__ import annotations

import re

DAYS: tuple[tuple[str, float], ...] = (
    (r"days?|tagen?|d", 1.0),
    (r"weeks?|wochen?|wk|wks|w", 7.0),
    (r"months?|monaten?|mo|mon|mos", 30.4375),
    (r"years?|jahren?|yrs?|a|y|j", 365.25),
)
"""Pattern of a unit of time to its factor in days."""
_OF_UNIT: dict[str, tuple[tuple[str, float], ...]] = {
    "d": (*DAYS, (r"m", 30.4375)),
    "a": tuple((words, 1.0 if days == 365.25 else days / 365.25) for words, days in (*DAYS, (r"m", 30.4375))),
    "cm": ((r"cm", 1.0), (r"mm", 0.1), (r"dm", 10.0), (r"m", 100.0), (r"inch|inches|zoll", 2.54)),
    "mm": ((r"mm", 1.0), (r"cm", 10.0)),
    "Gy": ((r"gy", 1.0), (r"cgy|rad", 0.01), (r"mgy", 0.001)),
    "MV": ((r"mv", 1.0), (r"kv", 0.001)),
    "GBq": ((r"gbq", 1.0), (r"mbq", 0.001)),
}
"""Unit of a contract to the units that a header may contain."""
_BRACKETED = re.compile(r"[(\[{/]\s*([^\W\d_]+)\.?\s*[)\]}]?\s*$")


def plain(text: str) -> list[str]:
    """Return the words of a header in lower case."""
    parted = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])|(?<=[A-ZÄÖÜ])(?=[A-ZÄÖÜ][a-zäöü])", " ", text)
    return re.findall(r"[^\W\d_]+", parted.casefold())


def factors(unit: str | None, header: str, row_of_units: str = "") -> list[float]:
    """Return the factors to a contract's unit that a header or its units row names, without repeats.

    A single letter is a unit only in the brackets that end a header, or in the row of units: elsewhere it may
    be a name. Brackets take precedence over other words: "Days alive (months)" is in months.
    """
    known = _OF_UNIT.get(unit or "", ())
    bracketed = _BRACKETED.search(header.casefold())
    for words in (
        plain(row_of_units),
        [bracketed[1]] if bracketed else [],
        [word for word in plain(header) if len(word) > 1],
    ):
        found = [value for pattern, value in known if any(re.fullmatch(pattern, word) for word in words)]
        if found:
            return list(dict.fromkeys(found))
    return []


def factor(unit: str | None, header: str, row_of_units: str = "") -> float | None:
    """Return the factor to a contract's unit that a header names; None if it names no unit or several."""
    found = factors(unit, header, row_of_units)
    return found[0] if len(found) == 1 else None
