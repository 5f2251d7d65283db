"""Typesets texts and numbers for the page: where no line may end, minus signs, apostrophes."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_PER_CENT, _EQUALS = re.compile(r"(?<=\d) %"), re.compile(r"\b([np]) ([=<]) (?=\d)")
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])'(?=[a-z])")
_MINUS = re.compile(r"(?<![\w–-])-(?=\d)")
_RANGE = re.compile(r"\(?(?:Q1–Q3|\d[\d.,]*–\d[\d.,]*)\)?[.,;]?")
_BRACKETS = re.compile(r"\([^()]+\)")


def typeset(text: str) -> Markup:
    """Return a text as HTML: no line ends within a range, before a per cent sign, or within ``p = 0.03``."""
    tied = _EQUALS.sub("\\1\u00a0\\2\u00a0", _PER_CENT.sub("\u00a0%", _signs(text)))
    return Markup(_RANGE.sub(_kept, str(escape(tied))))


def title(text: str) -> Markup:
    """Return the title of a column as HTML; what stands in brackets, as ``(95 % CI)``, stays together."""
    return Markup(_BRACKETS.sub(_kept, str(escape(_signs(text)))))


def cell(text: str, numeric: bool) -> Markup:
    """Return a cell as HTML; in a column of numbers, a line ends at most before a bracket."""
    return title(text) if numeric else escape(_signs(text))


def _signs(text: str) -> str:
    return _MINUS.sub("−", _APOSTROPHE.sub("’", text))


def _kept(found: re.Match[str]) -> str:
    return f'<span class="kept">{found[0]}</span>'
