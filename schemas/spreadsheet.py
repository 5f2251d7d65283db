"""Prevent spreadsheets from running a text as a formula (OWASP, CSV Injection)."""

from __future__ import annotations

import polars as pl

PLAIN_TEXTS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Options of xlsxwriter with which a text stays a text."""
_SIGNS = "=+\\-@＝＋－﹢﹣−＠﹦﹫"
"""Characters that begin a formula, including full-width and small variants, which some spreadsheets
accept."""
_BLANKS = r"[\s\u00a0\u200b-\u200f\u2060\ufeff]*"
"""Blanks and zero-width characters, which a spreadsheet skips before a formula."""
_FORMULA = rf"^({_BLANKS})([{_SIGNS}\t\r\n])"
_LATER_FORMULA = rf"([;,|\t\r\n]{_BLANKS})([{_SIGNS}])"
"""The same after a separator: a spreadsheet with another locale splits the cell there."""


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before every part of a text that a spreadsheet would run as a formula.

    A part begins at the start of the text, and after each semicolon, comma, bar, tab or line break. Columns
    of numbers are not changed: -0.5 is a number and no formula.
    """
    text = pl.col(pl.String)
    return frame.with_columns(
        text.str.replace(_FORMULA, "${1}'${2}").str.replace_all(_LATER_FORMULA, "${1}'${2}")
    )
