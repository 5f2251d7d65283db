"""Check date formats of ``sources.toml``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from schemas.configuration_faults import Complaints, Loc

_DIRECTIVES = frozenset("dmYybBhHMSfFDTRjepIaAzZ%sn3-_")
_YEAR = ("%Y", "%y", "%F", "%D")
_MONTH = ("%m", "%b", "%B", "%h", "%F", "%D", "%j", "%-m")
_DAY = ("%d", "%e", "%F", "%D", "%j", "%-d")


def listed_formats(formats: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return one format or several as a tuple."""
    return (formats,) if isinstance(formats, str) else formats


def of_date_formats(loc: Loc, texts: Sequence[str], precision: str | None) -> Complaints:
    """Check formats that are tried in order."""
    for text in texts:
        yield from of_date_format(loc, text, precision)
    for one, other in combinations(texts, 2):
        if one == other:
            yield loc, f'"{one}" is named twice'
        elif one == other.translate(_SWAPPED):
            yield (
                loc,
                (
                    f'"{one}" and "{other}" differ in the order of day and month: 03.04. would be '
                    "read by the first without a word. Name the one that the column has"
                ),
            )


_SWAPPED = str.maketrans({"d": "m", "m": "d"})


def of_date_format(loc: Loc, text: str, precision: str | None) -> Complaints:
    """Check a strptime format.

    Args:
        loc: path of the key.
        text: the format.
        precision: precision of dates in this format; None if it is not known here.
    """
    unknown = [d for d in re.findall(r"%(.)", text) if d not in _DIRECTIVES]
    if "%" not in text or unknown or not any(d in text for d in _YEAR):
        yield loc, f'"{text}" is no strptime format, such as "%d.%m.%Y" (day, month, year) or "%Y-%m-%d"'
        return
    wanted = {"day": (_MONTH, _DAY), "month": (_MONTH,)}.get(precision or "", ())
    if not all(any(d in text for d in part) for part in wanted):
        yield loc, f'"{text}" does not say the {precision}: give precision = "month" or "year"'
