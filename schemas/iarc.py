"""Decide whether a tumour is a new primary: histology and organ groups of IARC and ENCR (2004).

Sources: International Rules for Multiple Primary Cancers (ICD-O-3), IARC/ENCR/IACR 2004, rules 2 to 4 with
Tables 1 (organs) and 2 (histology groups, after Berg 1994), as reprinted in ICD-O-3, first revision (WHO
2013), Tables 24 and 25. The seven groups of the haematopoietic system (8 to 14) are one group here, because
they are equivalent when compared with a solid tumour.
"""

from __future__ import annotations

import polars as pl

SQUAMOUS, BASAL, CARCINOMA, SARCOMA, KAPOSI, OTHER, UNSPECIFIED = 1, 2, 5, 6, 15, 16, 17
HAEMATOPOIETIC = 8

HISTOLOGY_GROUPS: dict[int, tuple[tuple[int, int], ...]] = {
    SQUAMOUS: ((8051, 8084), (8120, 8131)),
    BASAL: ((8090, 8110),),
    3: (
        (8140, 8149), (8160, 8162), (8190, 8221), (8260, 8337), (8350, 8551), (8570, 8576), (8940, 8941),
    ),
    4: (
        (8030, 8046), (8150, 8157), (8170, 8180), (8230, 8255), (8340, 8347), (8560, 8562), (8580, 8671),
    ),
    CARCINOMA: ((8010, 8015), (8020, 8022), (8050, 8050)),
    SARCOMA: (
        (8680, 8713), (8800, 8921), (8990, 8991), (9040, 9044), (9120, 9125), (9130, 9137), (9141, 9252),
        (9370, 9373), (9540, 9582),
    ),
    7: ((9050, 9055),),
    HAEMATOPOIETIC: ((9590, 9992),),
    KAPOSI: ((9140, 9140),),
    OTHER: (
        (8720, 8790), (8930, 8936), (8950, 8983), (9000, 9030), (9060, 9110), (9260, 9365), (9380, 9539),
    ),
    UNSPECIFIED: ((8000, 8005),),
}  # fmt: skip
"""Group to its ranges of ICD-O-3 morphologies, both ends included; 9137 came with the second revision."""

_SARCOMAS_IN_OTHER = ((9260, 9365), (8963, 8963))
"""Ewing sarcomas and extrarenal rhabdoid tumour: sarcomas that the table puts in group 16."""

_UNSPECIFIC = ((8000, 8005), (8800, 8805))
"""Neoplasms and sarcomas that a more specific histology can replace."""

ORGANS: tuple[tuple[str, ...], ...] = (
    ("C01", "C02"),
    ("C00", "C03", "C04", "C05", "C06"),
    ("C09", "C10", "C12", "C13", "C14"),
    ("C19", "C20"),
    ("C23", "C24"),
    ("C33", "C34"),
    ("C40", "C41"),
    ("C65", "C66", "C67", "C68"),
)
"""Sites that form one organ; any other three characters are an organ of their own (all of C49, all of
C44)."""

_SECONDARY = ("C77", "C78", "C79")


def _codes(ranges: tuple[tuple[int, int], ...]) -> list[int]:
    return [code for low, high in ranges for code in range(low, high + 1)]


# Looked up: an expression with a condition for each range takes polars milliseconds.
_GROUP_OF = {code: number for number, ranges in HISTOLOGY_GROUPS.items() for code in _codes(ranges)}


def _code(morphology: pl.Expr) -> pl.Expr:
    return morphology.str.slice(0, 4).cast(pl.Int32, strict=False)


def _within(code: pl.Expr, ranges: tuple[tuple[int, int], ...]) -> pl.Expr:
    return code.is_in(_codes(ranges)).fill_null(False)


def histology_group(morphology: pl.Expr) -> pl.Expr:
    """Return the number of the histology group; a missing or unknown code is unspecified."""
    return _code(morphology).replace_strict(_GROUP_OF, default=UNSPECIFIED, return_dtype=pl.Int32)


def is_sarcoma(morphology: pl.Expr) -> pl.Expr:
    """Return whether it is a sarcoma, including those of group 16."""
    return _within(_code(morphology), (*HISTOLOGY_GROUPS[SARCOMA], *_SARCOMAS_IN_OTHER))


def is_unspecific(morphology: pl.Expr) -> pl.Expr:
    """Return whether a more specific histology may replace it.

    True without a morphology, and for unspecified neoplasms and sarcomas.
    """
    return morphology.is_null() | _within(_code(morphology), _UNSPECIFIC)


def same_histology(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return whether two morphologies count as the same tumour in one organ.

    A diagnosis that becomes more specific (sarcoma not otherwise specified, then Ewing sarcoma) changes its
    group but is no new primary: an unspecific sarcoma matches every sarcoma, and an unspecified neoplasm
    matches everything.
    """
    neoplasm = pl.any_horizontal(histology_group(m) == UNSPECIFIED for m in (one, other))
    refined = is_sarcoma(one) & is_sarcoma(other) & (is_unspecific(one) | is_unspecific(other))
    return neoplasm | refined | (histology_group(one) == histology_group(other))


def organ(site: pl.Expr) -> pl.Expr:
    """Return the organ of an ICD-10 or ICD-O-3 site: its three characters, or the first site of its group."""
    known = {member: group[0] for group in ORGANS for member in group}
    return site.str.slice(0, 3).replace(known)


def is_secondary(site: pl.Expr, morphology: pl.Expr) -> pl.Expr:
    """Return whether it is coded as a metastasis: ICD-10 C77 to C79, or behaviour /6."""
    coded = site.str.slice(0, 3).is_in(_SECONDARY).fill_null(False)
    return coded | morphology.str.ends_with("/6").fill_null(False)
