"""Define regions of the body by site, and the T categories that depend on them.

Sources: ICD-O-3.2 and ICD-10-GM topography; AJCC/UICC TNM editions 7 and 8.
"""

from __future__ import annotations

import polars as pl

REGION_BY_SITE: dict[str, str] = {
    "C49.0": "head and neck",
    "C49.1": "extremities",
    "C49.2": "extremities",
    "C49.3": "trunk",
    "C49.4": "trunk",
    "C49.5": "trunk",
    "C49.6": "trunk",
    "C49": "unspecified",
    "C47.0": "head and neck",
    "C47.1": "extremities",
    "C47.2": "extremities",
    "C47.3": "trunk",
    "C47.4": "trunk",
    "C47.5": "trunk",
    "C47.6": "trunk",
    "C47": "unspecified",
    "C44.0": "head and neck",
    "C44.1": "head and neck",
    "C44.2": "head and neck",
    "C44.3": "head and neck",
    "C44.4": "head and neck",
    "C44.5": "trunk",
    "C44.6": "extremities",
    "C44.7": "extremities",
    "C44": "unspecified",
    "C76.0": "head and neck",
    "C76.1": "trunk",
    "C76.2": "trunk",
    "C76.3": "trunk",
    "C76.4": "extremities",
    "C76.5": "extremities",
    "C76": "unspecified",
    "C48.0": "retroperitoneum",
    "C48.1": "peritoneum",
    "C48.2": "peritoneum",
    "C48": "unspecified",
    "C40": "bone",
    "C41": "bone",
    "C80": "unspecified",
}
"""Region by ICD-O-3 or ICD-10 site: the longest matching prefix decides; anything else is ``other``.

C49 is connective and soft tissue, C47 peripheral nerves, C44 skin, C76 ill-defined; .8 and .9 are overlapping
or not specified. C48.8 overlaps retroperitoneum and peritoneum.
"""

MAY_BE_VISCERAL = ("C49.3", "C49.4", "C49.5")
"""Soft tissue of thorax, abdomen and pelvis: in their wall (trunk) or inside (staged as visceral sarcoma)."""

NERVE = "C47"
"""Peripheral nerves; a switch of the study decides whether their sarcomas belong to it."""

SKIN = "C44"
"""Skin; a switch of the study decides whether sarcomas coded to the skin belong to it."""

T_LIMITS_CM: dict[tuple[int, str], dict[str, tuple[float, float]]] = {
    (7, "elsewhere"): {"T1": (0, 5), "T2": (5, 60)},
    (7, "head and neck"): {"T1": (0, 5), "T2": (5, 60)},
    (8, "elsewhere"): {"T1": (0, 5), "T2": (5, 10), "T3": (10, 15), "T4": (15, 60)},
    (8, "head and neck"): {"T1": (0, 2), "T2": (2, 4), "T3": (4, 60)},
}
"""T by greatest diameter: above the first number, up to the second.

Edition 8 also applies to edition 9. In head and neck, T4 is invasion of other structures, regardless of size
(AJCC 8 chapter 40).
"""

FIRST_EDITION_WITH_T4 = 8


def region(site: pl.Expr) -> pl.Expr:
    """Return the region of a site; null without a site."""
    lengths = sorted({len(prefix) for prefix in REGION_BY_SITE}, reverse=True)
    found = [
        site.str.slice(0, length).replace_strict(
            {prefix: name for prefix, name in REGION_BY_SITE.items() if len(prefix) == length},
            default=None,
            return_dtype=pl.String,
        )
        for length in lengths
    ]
    return pl.when(site.is_not_null()).then(pl.coalesce(*found, pl.lit("other")))


def fits_size(t: pl.Expr, size_cm: pl.Expr, edition: pl.Expr, region: pl.Expr) -> pl.Expr:
    """Return whether a T category fits the size; null if edition, category or size is unknown.

    Args:
        t: T1 to T4.
        size_cm: greatest diameter.
        edition: edition of the TNM.
        region: the result of :func:`region`.
    """
    head = (region == "head and neck").fill_null(False)
    fits = pl.lit(None, dtype=pl.Boolean)
    for (of_edition, where), classes in T_LIMITS_CM.items():
        here = head if where == "head and neck" else ~head
        valid = (
            (edition >= of_edition)
            if of_edition == FIRST_EDITION_WITH_T4
            else (edition < FIRST_EDITION_WITH_T4)
        )
        for category, (over, up_to) in classes.items():
            inside = (size_cm > over) & (size_cm <= up_to)
            fits = pl.when(here & valid & (t == category)).then(inside).otherwise(fits)
    return fits


def t_in_edition_7(t: pl.Expr, size_cm: pl.Expr, edition: pl.Expr, region: pl.Expr) -> pl.Expr:
    """Return a T category converted to edition 7, where T1 is up to 5 cm and T2 larger.

    In edition 8, T2 to T4 of trunk and extremities are larger than 5 cm. In head and neck, T1 and T2 are up
    to 4 cm; T3 and T4 may be above or below 5 cm: the size decides, else the category is unknown.
    """
    by_size = pl.when(size_cm > 5).then(pl.lit("T2")).when(size_cm > 0).then(pl.lit("T1"))
    elsewhere = t.replace({"T3": "T2", "T4": "T2"})
    head = t.replace({"T2": "T1"})
    in_head = (region == "head and neck").fill_null(False)
    new = (edition >= FIRST_EDITION_WITH_T4).fill_null(False)
    return (
        pl.when(~new)
        .then(t)
        .when(~in_head)
        .then(elsewhere)
        .when(t.is_in(["T3", "T4"]))
        .then(by_size)
        .otherwise(head)
    )


def t_in_edition_8(t: pl.Expr, size_cm: pl.Expr, edition: pl.Expr, region: pl.Expr) -> pl.Expr:
    """Return a T category converted to edition 8; the size decides between categories that edition 7 merges.

    Outside head and neck, T1 is up to 5 cm in both editions, and T2 of edition 7 is T2, T3 or T4 by size. In
    head and neck the limits differ, and only the size decides. T3 and T4 exist in edition 8 only.
    """
    in_head = (region == "head and neck").fill_null(False)
    by_size = pl.lit(None, dtype=pl.String)
    for where, of_region in (("head and neck", in_head), ("elsewhere", ~in_head)):
        for category, (over, up_to) in T_LIMITS_CM[FIRST_EDITION_WITH_T4, where].items():
            inside = (of_region & (size_cm > over) & (size_cm <= up_to)).fill_null(False)
            by_size = pl.when(inside).then(pl.lit(category)).otherwise(by_size)
    same = (edition >= FIRST_EDITION_WITH_T4).fill_null(False) | t.is_in(["T0", "T3", "T4", "TX"])
    larger = pl.when(by_size != "T1").then(by_size)
    return pl.when(same | ((t == "T1") & ~in_head)).then(t).when(~in_head).then(larger).otherwise(by_size)
