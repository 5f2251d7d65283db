"""Parse the nested elements of oBDS reports: histologies, FNCLCC grades and TNMs, as rows per record.

Their columns begin with ``_histology``, ``_morpholog``, ``_grading``, ``_stadium``, ``_nth`` and ``_tnm``.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation import tnm
from schemas import sarcoma_codes


def entries(column: str, *keys: str) -> pl.Expr:
    """Return the list of the entries of a delivered array: structs of these keys; without keys, texts."""
    inner = pl.Struct(dict.fromkeys(keys, pl.String)) if keys else pl.String()
    return pl.col(column).str.json_decode(pl.List(inner))


# --- histology ----------------------------------------------------------------------------------------

_MORPHOLOGY = pl.Struct({"Code": pl.String, "Version": pl.String})
_HISTOLOGY = pl.Struct(
    {
        "Tumor_Histologiedatum": pl.String,
        "Tumor_Histologiedatum_Datumsgenauigkeit": pl.String,
        "Morphologie_ICD_O": pl.List(_MORPHOLOGY),
        "Grading": pl.String,
    }
)


def histologies(received: pl.DataFrame) -> pl.DataFrame:
    """Return one row per record with a histology: its day, grading, all morphologies and the chosen one.

    Of several morphologies the malignant ones come first, a named subtype before 8801 to 8805 and these
    before the unspecific ones, then the order of the report.
    """
    columns = ["Histologie", "Tumor_Histologiedatum", "Morphologie_ICD_O", "Grading"]
    if _all_null(received, columns):
        return pl.DataFrame(schema=_HISTOLOGIES)
    told = (
        received.select("record_id", _h=pl.col("Histologie").str.json_decode(pl.List(_HISTOLOGY)))
        .explode("_h")
        .drop_nulls("_h")
        .unnest("_h")
    )
    told = pl.concat([told, _histologies_of_older_records(received)])
    morphologies = (
        told.select("record_id", "Morphologie_ICD_O")
        .explode("Morphologie_ICD_O")
        .drop_nulls("Morphologie_ICD_O")
        .unnest("Morphologie_ICD_O")
        .filter(pl.col("Code").is_not_null())
        .with_row_index("_place")
    )
    chosen = (
        morphologies.sort(
            "record_id",
            sarcoma_codes.behaviour(pl.col("Code")) != "3",
            sarcoma_codes.specificity(pl.col("Code")),
            "_place",
            nulls_last=True,
        )
        .group_by("record_id", maintain_order=True)
        .agg(
            _morphology=pl.col("Code").first(),
            _morphology_version=pl.col("Version").first(),
            _morphologies=pl.col("Code").sort_by("_place"),
        )
    )
    whole = told.group_by("record_id", maintain_order=True).agg(
        _histology=pl.lit(True),
        _histology_date=pl.col("Tumor_Histologiedatum").drop_nulls().first(),
        _histology_date_Datumsgenauigkeit=pl.col("Tumor_Histologiedatum_Datumsgenauigkeit")
        .filter(pl.col("Tumor_Histologiedatum").is_not_null())
        .first(),
        _grading=pl.col("Grading").drop_nulls().first(),
    )
    return whole.join(chosen, on="record_id", how="left")


_HISTOLOGIES = {
    "record_id": pl.String,
    "_histology": pl.Boolean,
    "_histology_date": pl.String,
    "_histology_date_Datumsgenauigkeit": pl.String,
    "_grading": pl.String,
    "_morphology": pl.String,
    "_morphology_version": pl.String,
    "_morphologies": pl.List(pl.String),
}


def _all_null(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    return all(frame[c].null_count() == frame.height for c in columns)


def _histologies_of_older_records(received: pl.DataFrame) -> pl.DataFrame:
    """Return records received by an older reader: one histology in separate columns."""
    columns = ["Tumor_Histologiedatum", "Morphologie_ICD_O", "Grading"]
    older = received.filter(pl.col("Histologie").is_null(), pl.any_horizontal(pl.col(columns).is_not_null()))
    codes = pl.col("Morphologie_ICD_O").str.json_decode(pl.List(pl.String))
    return older.select(
        "record_id",
        "Tumor_Histologiedatum",
        pl.lit(None, dtype=pl.String).alias("Tumor_Histologiedatum_Datumsgenauigkeit"),
        codes.list.eval(
            pl.struct(Code=pl.element(), Version=pl.lit(None, dtype=pl.String)).cast(_MORPHOLOGY)
        ).alias("Morphologie_ICD_O"),
        "Grading",
    )


CLASSIFICATION = pl.Struct({"Name": pl.String, "Stadium": pl.String, "Datum": pl.String})


def fnclcc(received: pl.DataFrame) -> pl.DataFrame:
    """Return one row per record with an FNCLCC grade: of several the latest, of one day the highest."""
    if _all_null(received, ["Menge_Weitere_Klassifikation"]):
        return pl.DataFrame(schema={"record_id": pl.String, "_stadium": pl.String})
    return (
        received.select(
            "record_id", _c=pl.col("Menge_Weitere_Klassifikation").str.json_decode(pl.List(CLASSIFICATION))
        )
        .explode("_c")
        .drop_nulls("_c")
        .unnest("_c")
        .filter(pl.col("Name").str.contains(tnm.FNCLCC_NAME), pl.col("Stadium").is_not_null())
        .sort("record_id", "Datum", "Stadium", nulls_last=False)
        .group_by("record_id", maintain_order=True)
        .agg(_stadium=pl.col("Stadium").last())
    )


# --- TNM ----------------------------------------------------------------------------------------------

_TNM_PARTS = (
    "kind", "Datum", "Version", "y_Symbol", "r_Symbol", "a_Symbol", "c_p_u_Praefix_T", "T", "m_Symbol",
    "c_p_u_Praefix_N", "N", "c_p_u_Praefix_M", "M",
)  # fmt: skip
_TNM = pl.Struct(dict.fromkeys(_TNM_PARTS, pl.String))
_TNMS = {
    "record_id": pl.String,
    "_nth": pl.Int64,
    "_tnm": pl.Boolean,
    **{f"_tnm_{part}": pl.String for part in _TNM_PARTS},
}


def tnms(received: pl.DataFrame) -> pl.DataFrame:
    """Return one row per TNM of a record, numbered by ``_nth``: cTNM, TNM, pTNM, then report order."""
    if _all_null(received, ["TNM", "T", "N", "M", "TNM_Version"]):
        return pl.DataFrame(schema=_TNMS)
    told = (
        received.select("record_id", _t=pl.col("TNM").str.json_decode(pl.List(_TNM)))
        .explode("_t")
        .drop_nulls("_t")
        .unnest("_t")
    )
    # Records received by an older reader: one TNM in separate columns.
    older = received.filter(
        pl.col("TNM").is_null(), pl.any_horizontal(pl.col("T", "N", "M", "TNM_Version").is_not_null())
    ).select(
        "record_id",
        pl.col("TNM_kind").alias("kind"),
        pl.col("TNM_Version").alias("Version"),
        "T",
        "N",
        "M",
    )
    nothing = pl.lit(None, dtype=pl.String)
    older = older.with_columns(nothing.alias(c) for c in _TNM_PARTS if c not in older.columns)
    kinds = {"cTNM": 0, "TNM": 1, "pTNM": 2}
    rank = pl.col("kind").replace_strict(kinds, default=3, return_dtype=pl.Int32)
    ordered = (
        pl.concat([told, older.select(told.columns)])
        .with_row_index("_place")
        .sort("record_id", rank, "_place")
        .with_columns(_nth=pl.int_range(pl.len()).over("record_id"), _tnm=pl.lit(True))
    )
    return ordered.select("record_id", "_nth", "_tnm", pl.col(_TNM_PARTS).name.prefix("_tnm_"))
