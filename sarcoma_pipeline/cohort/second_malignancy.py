"""Classify the other tumours of a patient: second malignancy, other tumour, or secondary (IARC/ENCR 2004).

A second malignancy has behaviour /3, differs from the index tumour in organ or histology group, and was
diagnosed after the synchronous window. Skin cancer, in situ tumours, the window and the subsites of the soft
tissues are switches. A tumour coded as secondary (C77 to C79, behaviour /6) is a relapse of the index tumour.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.primary import Curated, tumour
from schemas import iarc
from schemas.assumptions import Assumptions
from schemas.vocabularies import SECOND_MALIGNANCY

SECOND, OTHER, SECONDARY = SECOND_MALIGNANCY, "other tumour", "secondary"

_UNSPECIFIED_SUBSITES = (".8", ".9")


def others(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Classify every diagnosis that is not the index tumour.

    Returns:
        Rows of ``curated.diagnosis`` with ``kind`` (second malignancy, other tumour, or secondary) and
        ``detail`` (the reason).
    """
    site = pl.coalesce(["icd10_code", "icdo3_topography"])
    index = tumour(curated).select(
        "patient_id", _site=pl.coalesce(["icdo3_topography", "icd10_code"]), _morphology="icdo3_morphology",
        _side="laterality",
    )  # fmt: skip
    frame = (
        curated["curated.diagnosis"]
        .filter(~pl.col("index_tumour"))
        .with_columns(_of=site)
        .join(index, on="patient_id", how="left", maintain_order="left")
    )
    morphology, group = pl.col("icdo3_morphology"), pl.col("_group")
    frame = frame.with_columns(_group=iarc.histology_group(morphology))
    behaviour = morphology.str.slice(5, 1)
    by_site = (
        pl.when(pl.col("_of").str.starts_with("C"))
        .then(pl.lit("3"))
        .when(pl.col("_of").str.contains(r"^D0"))
        .then(pl.lit("2"))
    )
    behaviour = pl.coalesce([behaviour, by_site, pl.lit("")])
    skin = pl.col("_of").str.starts_with("C44") & group.is_in(
        [iarc.SQUAMOUS, iarc.BASAL, iarc.CARCINOMA, iarc.UNSPECIFIED]
    )
    same_organ = iarc.organ(pl.col("_of")) == iarc.organ(pl.col("_site"))
    same_histology = iarc.same_histology(morphology, pl.col("_morphology"))
    again = same_organ.fill_null(False) & same_histology
    if assumptions.same_organ == "subsite":
        again = again & ~_elsewhere()
    # Metastases of a known sarcoma are often coded like this when the primary was not looked up.
    nowhere = pl.col("_of").str.contains(r"^C(76|80|97)") & (group == iarc.UNSPECIFIED)
    reasons = [
        (iarc.is_secondary(pl.col("_of"), morphology), SECONDARY, "coded as secondary"),
        (~behaviour.is_in(["2", "3"]), OTHER, "not malignant"),
        *(
            [(behaviour == "2", OTHER, "in situ")]
            if assumptions.carcinoma_in_situ == "ignored"
            else []
        ),
        *([(skin, OTHER, "non-melanoma skin cancer")] if assumptions.skin_cancer == "ignored" else []),
        (again, OTHER, "the same organ and histology"),
        # Another organ must be known to be another.
        (same_organ.is_null() & same_histology, OTHER, "the same histology, organ unknown"),
        (nowhere, OTHER, "malignancy without site and histology"),
        (pl.col("day") <= 0, OTHER, "before time zero"),
        (pl.col("day") <= assumptions.synchronous_malignancy_days, OTHER, "synchronous"),
        (pl.col("day").is_null(), OTHER, "without a date"),
    ]  # fmt: skip
    return _judged(frame, reasons)


def _judged(frame: pl.DataFrame, reasons: list[tuple[pl.Expr, str, str]]) -> pl.DataFrame:
    """Set the kind and detail from the first reason that holds."""
    # Each reason is evaluated once: the tables of histology groups make long expressions.
    frame = frame.with_columns(
        holds.fill_null(False).alias(f"_{i}") for i, (holds, _, _) in enumerate(reasons)
    )
    kind = pl.coalesce(
        *(pl.when(f"_{i}").then(pl.lit(name)) for i, (_, name, _) in enumerate(reasons)), pl.lit(SECOND)
    )
    why = pl.coalesce(*(pl.when(f"_{i}").then(pl.lit(why)) for i, (_, _, why) in enumerate(reasons)))
    place = pl.col("_of").fill_null("site unknown")
    detail = pl.when(why.is_null()).then(place).otherwise(pl.format("{}: {}", place, why))
    judged = frame.with_columns(kind=kind, detail=detail)
    return judged.drop(
        "_of", "_site", "_morphology", "_side", "_group", *(f"_{i}" for i in range(len(reasons)))
    )


def _elsewhere() -> pl.Expr:
    """Return whether two sites in one organ count as different: other subsites, or the other side."""
    one, other = pl.col("_of").str.slice(3, 2), pl.col("_site").str.slice(3, 2)
    vague = pl.any_horizontal(s.is_in([*_UNSPECIFIED_SUBSITES, ""]) for s in (one, other))
    sides = pl.concat_list("laterality", "_side").list.sort() == pl.lit(["left", "right"], pl.List(pl.String))
    return ((one != other) & ~vague) | sides
