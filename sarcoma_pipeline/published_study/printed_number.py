"""Read numbers as printed in papers: decimal commas, bounds (`< 0.001`), `n.s.`, `NR`, `NE`, dashes, marks.

A cell becomes one canonical text, so that the checks see `0.432` for any decimal sign. A printed number is
rounded: :func:`box` gives the interval of numbers that it can be.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import inf

from schemas.rounding import decimals_of

NOT_REACHED = "not reached"
NOT_ESTIMABLE = "not estimable"

SIGNIFICANT = 0.05
"""Level that `n.s.` (not significant) refers to, unless the paper names another."""

_TIMES = ("value", "ci_low", "ci_high")
"""Columns that can be "not reached" or "not estimable"."""

_LONGEST = 18
"""Maximum characters of a printed number."""

COUNTS = ("n", "denominator")
"""Columns of whole numbers, in which a comma or a point before three digits separates thousands."""

_MISSING = {
    "",
    "-",
    "--",
    ".",
    "..",
    "…",
    "...",
    "na",
    "n/a",
    "n.a.",
    "nd",
    "n.d.",
    "none",
    "missing",
    "not given",
    "not reported",
    "not available",
    "not applicable",
    "unknown",
    "?",
}
_UNREACHED = {"nr", "n.r.", "nyr", "not met", "not attained", "undefined", "inf", "infinity", "∞"}
_NOT_ESTIMABLE = {"ne", "n.e.", "nc", "n.c.", "not evaluable", "not calculable", "not computable"}
_NOT_SIGNIFICANT = {"ns", "n.s.", "n.s", "not significant", "non-significant", "nonsignificant"}
_DASHES = re.compile(r"[\u2010-\u2015\u2212\uFE58\uFE63\uFF0D]")
_BLANKS = re.compile(r"[\s\u00A0\u2007\u2009\u200A\u202F]+")
_MARKS = re.compile(
    r"(?<=[\d.])\s*(?:[*†‡§¶#]+|[a-d])$|(?<=\d)[\u00B9\u00B2\u00B3\u2070-\u2079ᵃ-ᶻ]+$|^[*†‡§¶#]+(?=[\d<>])"
)
_LABEL = re.compile(
    r"^(?:p(?:[- ]?values?)?|n|hrs?|or|rr|median|mean|(?:95 ?% ?)?ci)\s*(?=[<>≤≥=:]|\d)[=:]?\s*",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?<=[\d.])\s*(?:%|per ?cent|percent|months?|mos?\.?|years?|yrs?\.?|y|"
    r"days?|d|gy|cgy|cm|mm|patients?|pts\.?)$",
    re.IGNORECASE,
)
_SIGN = {"≤": "<", "⩽": "<", "≥": ">", "⩾": ">", "<=": "<", ">=": ">"}
_NUMBER = re.compile(r"([<>])?(-?(?:\d+(?:\.\d*)?|\.\d+))(?:e([+-]?\d+))?")
_POWER = re.compile(r"\s*[x×*]\s*10\s*\^?\s*\(?([+-]?\d+)\)?$|\s*·\s*10\s*\^\s*\(?([+-]?\d+)\)?$")
_INTERVAL = re.compile(
    r"^[(\[]?\s*(?P<low>\S.*?)\s*(?:;|,\s|\bto\b|\bbis\b|(?<=[\d.%)])-|\s-\s)\s*(?P<high>\S.*?)\s*[)\]]?$"
)
_WITH_INTERVAL = re.compile(r"^(?P<value>[^(\[]+?)\s*[(\[](?P<interval>[^)\]]+)[)\]]?$")


MONTHS = {
    **dict.fromkeys(("months", "month", "mo", "mos"), Decimal(1)),
    **dict.fromkeys(("years", "year", "yrs", "yr", "y"), Decimal(12)),
    **dict.fromkeys(("weeks", "week"), Decimal(84) / Decimal("365.25")),
    **dict.fromkeys(("days", "day", "d"), Decimal(12) / Decimal("365.25")),
}
"""Units of time, in months."""


class Unreadable(ValueError):
    """The cell is no printed number."""


def plain(text: str | None) -> str:
    """Return a text with uniform dashes and blanks."""
    return _DASHES.sub("-", _BLANKS.sub(" ", text or "")).strip()


def read(text: str | None, column: str = "value") -> str:
    """Return the canonical text of a printed number.

    Args:
        text: the printed text.
        column: column of the table. In ``n`` and ``denominator`` numbers are whole; ``n.s.`` is a p value.

    Returns:
        a decimal number, a bound (``<0.001``, ``>0.99``), ``not reached``, ``not estimable`` or ``""``.

    Raises:
        Unreadable: the text is none of these.
    """
    words = plain(text)
    low = words.lower().strip("()[] ")
    if low in _MISSING:
        return ""
    if column == "p":
        low = re.sub(r"^p\s*[=:]\s*", "", low)
        if low in _NOT_SIGNIFICANT:
            return f">{SIGNIFICANT}"
    if column not in _TIMES and low in _UNREACHED | _NOT_ESTIMABLE:
        return ""  # NR is "not reported" where nothing can be reached.
    if low in _UNREACHED or re.fullmatch(r"(?:median )?not (?:yet )?(?:been )?(?:reached|met)", low):
        return NOT_REACHED
    if low in _NOT_ESTIMABLE or re.fullmatch(r"(?:not|non)[- ]estimable", low):
        return NOT_ESTIMABLE
    return _number(words, column)


def _number(words: str, column: str) -> str:
    text = _LABEL.sub("", _MARKS.sub("", words)).strip("()[] ")
    text = _MARKS.sub("", _UNIT.sub("", text)).strip().lower()
    for sign, ascii_sign in _SIGN.items():
        text = text.replace(sign, ascii_sign)
    if power := _POWER.search(text):
        text = f"{text[: power.start()]}e{power[1] or power[2]}"
    text = text.replace("·", ".")
    text = text.replace(" ", "").replace("'", "").replace("’", "")
    text = _without_thousands(text, column)
    found = _NUMBER.fullmatch(text)
    if not found:
        raise Unreadable(words)
    sign, digits, exponent = found[1] or "", found[2], int(found[3] or 0)
    if abs(exponent) > _LONGEST or len(digits) > _LONGEST:
        raise Unreadable(words)
    if exponent:
        digits = f"{Decimal(digits).scaleb(exponent):f}"
    if len(digits) > _LONGEST:
        raise Unreadable(words)
    digits = digits.rstrip(".") if digits.endswith(".") else digits
    return sign + (digits.replace("-.", "-0.") if not digits.startswith(".") else "0" + digits)


def _without_thousands(text: str, column: str) -> str:
    if column in COUNTS and re.fullmatch(r"[<>]?\d{1,3}(?:[.,]\d{3})+", text):
        return re.sub(r"[.,]", "", text)
    if re.fullmatch(r"[<>]?-?\d{1,3}(?:,\d{3})+\.\d+", text):
        return text.replace(",", "")
    if re.fullmatch(r"[<>]?-?\d{1,3}(?:\.\d{3})+,\d+", text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", ".")


def interval(text: str) -> tuple[str, str] | None:
    """Split an interval in one cell: `0.217-0.973`, `(0.217; 0.973)`, `[77.8, 93.5]`, `1.7 to 2.0`."""
    words = plain(text).strip("()[] ")
    words = re.sub(r"^(?:95 ?% ?)?(?:ci|kl|ki)[:,]?\s*", "", words, flags=re.IGNORECASE)
    if not (found := _INTERVAL.match(words)):
        return None
    return found["low"], found["high"]


def value_and_interval(text: str) -> tuple[str, str, str] | None:
    """Split a value printed with its interval in one cell: `0.46 (0.217; 0.973)`."""
    found = _WITH_INTERVAL.match(plain(text))
    limits = interval(found["interval"]) if found else None
    return (found["value"], *limits) if found and limits else None


def months(text: str) -> str | None:
    """Return a time as months without a unit: `24`, `24 months`, `2 years`; None if it is no time."""
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)[- ]?([a-z]*)\.?", plain(text).lower())
    if not found:
        return None if plain(text) else ""
    unit = found[2] or "months"
    if unit not in MONTHS:
        return None
    return f"{(Decimal(found[1].replace(',', '.')) * MONTHS[unit]).normalize():f}"


def number(text: str) -> float | None:
    """Return a canonical text as a number; None for a bound, a word or an empty text."""
    return float(text) if text and (text[0].isdigit() or text[0] == "-") else None


def box(text: str) -> tuple[float, float]:
    """Return the smallest and the largest number that a canonical text can be.

    Raises:
        ValueError: the text is empty or `not estimable`.
    """
    if text == NOT_REACHED:
        return inf, inf
    if text.startswith("<"):
        return -inf, float(text[1:])
    if text.startswith(">"):
        return float(text[1:]), inf
    half = 0.5 * 10.0 ** -decimals_of(text)
    return float(text) - half, float(text) + half


def at_most(one: str, other: str) -> bool:
    """Return whether one number can be at most another; equal decimals keep the order of numbers."""
    small, large = number(one), number(other)
    if small is not None and large is not None and decimals_of(one) == decimals_of(other):
        return small <= large
    return box(one)[0] <= box(other)[1]


def fits(text: str, low: float, high: float) -> bool:
    """Return whether a canonical text can be a number between two bounds."""
    least, most = box(text)
    slack = 1e-9 * max(1.0, abs(low) if abs(low) < inf else 1.0)
    return least <= high + slack and low <= most + slack
