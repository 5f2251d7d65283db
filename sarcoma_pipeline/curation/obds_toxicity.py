"""Read side effects (Nebenwirkungen) and complications (Komplikationen) from oBDS reports."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.parse import Reading, code, constant, text
from schemas import toxicity_codes as codes

THERAPIES = {
    "received.obds_surgery": "surgery",
    "received.obds_radiotherapy": "radiotherapy",
    "received.obds_systemic_therapy": "systemic therapy",
}
"""Received table to the therapy whose toxicity its records document."""

_EFFECT = pl.List(pl.Struct(dict.fromkeys(("Bezeichnung", "MedDRA_Code", "Grad", "Version"), pl.String)))
_COMPLICATION = pl.List(pl.Struct(dict.fromkeys(("Kuerzel", "ICD"), pl.String)))

DERIVED: dict[str, tuple[str, ...]] = {
    "_effect": ("Grad_maximal2_oder_unbekannt", "Menge_Nebenwirkung"),
    "_complication": ("Komplikation_nein_oder_unbekannt", "Menge_Komplikation"),
}
"""Prefix of the columns of :func:`rows` to the received columns from which they are made."""


def rows(table: str, received: pl.DataFrame) -> pl.DataFrame:
    """Return one row per statement on toxicity; records without one make no row.

    Args:
        table: key of :data:`THERAPIES`.
        received: its rows.
    """
    if table == "received.obds_surgery":
        none, many, of, name = *DERIVED["_complication"], _COMPLICATION, "_complication"
    else:
        none, many, of, name = *DERIVED["_effect"], _EFFECT, "_effect"
    assert isinstance(of, pl.List)
    fields = of.inner.to_schema() if isinstance(of.inner, pl.Struct) else {}
    named = (
        received.with_columns(_all=pl.col(many).str.json_decode(of))
        .explode("_all", empty_as_null=False, keep_nulls=False)
        .with_columns(pl.col("_all").struct.field(f).alias(f"{name}_{f}") for f in fields)
        .with_columns(pl.lit(None, dtype=pl.String).alias(f"{name}_none"))
        .drop("_all")
    )
    nothing = [pl.lit(None, dtype=pl.String).alias(f"{name}_{f}") for f in fields]
    alone = received.filter(pl.col(none).is_not_null()).with_columns(
        *nothing, pl.col(none).alias(f"{name}_none")
    )
    return pl.concat([alone.select(named.columns), named]).with_columns(
        (pl.int_range(pl.len(), dtype=pl.Int32) + 1).over("record_id").alias(f"{name}_number")
    )


def _categories(words: pl.Expr) -> pl.Expr:
    folded = words.str.to_lowercase()
    found = pl.coalesce(
        *(pl.when(folded.str.contains(p)).then(pl.lit(name)) for name, p in codes.WORDS), pl.lit("other")
    )
    return pl.when(words.is_not_null()).then(found)


_NONE, _LIMIT = pl.col("_complication_none"), pl.col("_effect_none")
_ABBREVIATION = pl.col("_complication_Kuerzel").str.strip_chars()
_ICD = pl.col("_complication_ICD").str.strip_chars()

_KNOWN_ABBREVIATION = code("_complication_Kuerzel", {c: c for c in codes.OBDS_COMPLICATIONS})

_COMPLICATIONS: dict[str, Reading] = {
    "tumour_id": text("Tumor_ID"),
    "therapy": constant("surgery"),
    "kind": constant("complication"),
    "statement": Reading(
        pl.when(_NONE.is_null())
        .then(pl.lit("present"))
        .otherwise(_NONE.replace_strict({"N": "none", "U": "unknown"}, default=None, return_dtype=pl.String)),
        _NONE,
    ),
    "category": Reading(
        pl.coalesce(
            _ABBREVIATION.replace_strict(codes.OBDS_COMPLICATIONS, default=None, return_dtype=pl.String),
            pl.when(_ICD.is_not_null()).then(
                pl.when(_ICD.str.slice(0, 5).is_in(list(codes.ICD10_WOUND)))
                .then(pl.lit("wound"))
                .otherwise(pl.lit("other"))
            ),
        )
    ),
    "code_system": Reading(
        pl.when(_ABBREVIATION.is_not_null())
        .then(pl.lit("oBDS"))
        .when(_ICD.is_not_null())
        .then(pl.lit("ICD-10"))
    ),
    "code": Reading(pl.coalesce(_KNOWN_ABBREVIATION.value, _ICD), _KNOWN_ABBREVIATION.text),
    "number": Reading(pl.col("_complication_number")),
}

_GRADES = {str(g): str(g) for g in range(6)}
_GRADE = code(pl.coalesce("_effect_Grad", pl.when(_LIMIT.is_in(["1", "2"])).then(_LIMIT)), _GRADES)


def _side_effects(therapy: str) -> dict[str, Reading]:
    acute = pl.lit("acute" if therapy == "radiotherapy" else None, dtype=pl.String)
    stated = {"K": "none", "1": "present", "2": "present", "U": "unknown"}
    return {
        "tumour_id": text("Tumor_ID"),
        "therapy": constant(therapy),
        "kind": constant("side effect"),
        "statement": Reading(
            pl.when(_LIMIT.is_null())
            .then(pl.lit("present"))
            .otherwise(_LIMIT.replace_strict(stated, default=None, return_dtype=pl.String)),
            _LIMIT,
        ),
        "category": Reading(_categories(pl.col("_effect_Bezeichnung"))),
        "code_system": Reading(pl.when(pl.col("_effect_MedDRA_Code").is_not_null()).then(pl.lit("MedDRA"))),
        "code": text("_effect_MedDRA_Code"),
        "term": text("_effect_Bezeichnung"),
        "grade": Reading(
            pl.when(_LIMIT == "K").then(0).otherwise(_GRADE.value.cast(pl.Int32)).cast(pl.Int32), _GRADE.text
        ),
        "ctcae_version": code(
            "_effect_Version", {"4": "4", "4.03": "4.03", "5.0": "5.0", "Sonstige": "other"}
        ),
        "stated_window": Reading(pl.when(_LIMIT.is_null() | _LIMIT.is_in(["1", "2", "K"])).then(acute)),
        "number": Reading(pl.col("_effect_number")),
    }


def readings(table: str) -> dict[str, Reading]:
    """Return the readings of the columns of ``typed.toxicity``.

    Args:
        table: key of :data:`THERAPIES`.
    """
    therapy = THERAPIES[table]
    return _COMPLICATIONS if therapy == "surgery" else _side_effects(therapy)
