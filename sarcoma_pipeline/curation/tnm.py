"""Read TNM categories, FNCLCC grades and OPS codes in the spellings that occur."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.parse import Reading
from sarcoma_pipeline.curation.value_rules import CODE_UNKNOWN, TNM_SIGN_UNKNOWN

_QUALIFIER = (
    r"(?:\((?:m|is|sn|mi|itc|i[+-]|mol[+-]|cy[+-]|pul|oss|hep|bra|lym|mar|ple|per|adr|ski|oth|gen|\d{1,2})"
    r"(?:\s*[,;]\s*(?:m|is|sn|mi|i[+-]|mol[+-]|cy[+-]|pul|oss|hep|bra|lym|mar|ple|per|adr|ski|oth|gen))*\)"
    r"|mi|sn)"
)
"""Qualifiers that do not change a category: (m), (2), (sn), (i+), (mol-), (cy+), (PUL), mi …"""

_SYMBOLS = r"[ypracu]*"
"""Letters that older exports write before the category: ``ypT2``. oBDS has separate elements for them."""

_CATEGORIES = {"T": "01234Xx", "N": "0123Xx", "M": "01Xx"}
_DOCUMENTED = {"N": {"2": "1", "3": "1"}}
"""Soft tissue sarcoma has only N1."""


def category(column: str, letter: str) -> Reading:
    """Return the reading of a T, N or M category without its subcategory and qualifiers.

    Tis and Ta do not exist for sarcomas: such a category is unknown, and a finding shows its text.

    Args:
        column: the text, such as ``2b``, ``ypT2(m)`` or ``0(i+)``.
        letter: T, N or M.
    """
    text = pl.col(column).str.strip_chars()
    found = text.str.extract(_pattern(letter), 2).str.to_uppercase()
    for delivered, meant in _DOCUMENTED.get(letter, {}).items():
        found = found.replace(delivered, meant)
    return Reading(pl.lit(letter) + found, pl.col(column), CODE_UNKNOWN)


def suffix(column: str, letter: str) -> Reading:
    """Return the reading of the qualifiers of a category, as delivered: ``(m)``, ``mi(sn)``."""
    rest = pl.col(column).str.strip_chars().str.extract(_pattern(letter), 3).str.strip_chars()
    return Reading(pl.when(rest != "").then(rest))


def symbol(element: str, columns: tuple[str, ...], letter: str) -> Reading:
    """Return the reading of the symbol y, r or a: an element, or a letter before a category.

    Args:
        element: column of the element, such as ``y_Symbol``.
        columns: the categories' texts.
        letter: y, r or a.
    """
    written = [
        pl.col(c).str.strip_chars().str.extract(_pattern(kind), 1).str.contains(letter, literal=True)
        for c, kind in zip(columns, "TNM", strict=True)
    ]
    stated = pl.col(element).str.strip_chars().str.to_lowercase()
    return Reading(
        (stated == letter).fill_null(False) | pl.any_horizontal(w.fill_null(False) for w in written),
        notes=((TNM_SIGN_UNKNOWN, ~stated.is_in([letter, ""]).fill_null(True)),),
    )


def prefix(column: str, element: str, letter: str, kind: str) -> Reading:
    """Return the reading of the prefix of a category: c, p or u; null without a category.

    oBDS reads a missing prefix as c. In the element pTNM it is p.

    Args:
        column: the category's text.
        element: column of the prefix.
        letter: T, N or M.
        kind: column that names the TNM: cTNM, pTNM or TNM.
    """
    written = pl.col(column).str.strip_chars().str.extract(_pattern(letter), 1)
    in_text = pl.when(written.str.contains("p")).then(pl.lit("p")).when(written.str.contains("u")).then(
        pl.lit("u")
    )  # fmt: skip
    assumed = pl.when(pl.col(kind) == "pTNM").then(pl.lit("p")).otherwise(pl.lit("c"))
    stated = pl.col(element).str.strip_chars().str.to_lowercase()
    known = pl.when(stated.is_in(["c", "p", "u"])).then(stated)
    category = pl.col(column).is_not_null()
    return Reading(
        pl.when(category).then(pl.coalesce([known, in_text, assumed])),
        notes=((TNM_SIGN_UNKNOWN, category & (stated.fill_null("") != "") & known.is_null()),),
    )


def _pattern(letter: str) -> str:
    sub = "[a-e]?[0-9]?"
    return (
        rf"(?i)^({_SYMBOLS}){letter}?\s*([{_CATEGORIES[letter]}]){sub}"
        rf"((?:\s*[,;]?\s*{_QUALIFIER})*)\s*$"
    )


FNCLCC_NAME = r"(?i)fn[cl]{2,4}c|coindre|trojani|french\s+federation|f[eé]d[eé]ration\s+nationale"
"""Names of a further classification that is the FNCLCC grade."""

_GRADES = {
    "1": "G1", "2": "G2", "3": "G3", "i": "G1", "ii": "G2", "iii": "G3", "x": "GX", "u": "GX",
    "nicht bestimmbar": "GX", "unbekannt": "GX",
}  # fmt: skip


def fnclcc(column: pl.Expr) -> Reading:
    """Return the reading of an FNCLCC grade: 2, G2, G 2, Grad 2, Grad II, FNCLCC 2, 2 (FNCLCC), 2 von 3."""
    plain = (
        column.str.to_lowercase()
        .str.replace_all(r"fn[cl]{2,4}c|coindre|trojani|nach|french federation|[():;,.°=-]", " ")
        .str.replace_all(r"\b(?:tumou?r)?grad(?:e|ing)?\b", " ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
        .str.replace(r"^g\s*", "")
        # 2/3 may mean "2 of 3" or "2 to 3": it stays unknown.
        .str.replace(r"^([13]|i|iii)\s*/\s*(?:3|iii)$", "${1}")
        .str.replace(r"^([123]|i{1,3})\s*(?:von|of|sur)\s*(?:3|iii)$", "${1}")
    )
    return Reading(plain.replace_strict(_GRADES, default=None, return_dtype=pl.String), column, CODE_UNKNOWN)


OPS = r"^\s*(\d-\d{2}[\da-z](?:\.[\da-z]{1,2})?)\s*:?\s*([RLBrlb])?\s*$"
"""An OPS code and the side that hospitals add: ``5-782.1aR``, ``5-782.1a:L``."""


def ops_code(element: pl.Expr) -> pl.Expr:
    """Return the code without its side; a text that is no OPS code is unchanged."""
    return pl.coalesce([element.str.extract(OPS, 1), element])


def ops_side(codes: pl.Expr) -> pl.Expr:
    """Return the side in a list of OPS codes; both sides are ``bilateral``."""
    sides = codes.list.eval(pl.element().str.extract(OPS, 2).str.to_uppercase()).list.drop_nulls()
    both = sides.list.contains("B") | (sides.list.contains("L") & sides.list.contains("R"))
    return (
        pl.when(both)
        .then(pl.lit("bilateral"))
        .when(sides.list.contains("L"))
        .then(pl.lit("left"))
        .when(sides.list.contains("R"))
        .then(pl.lit("right"))
    )
