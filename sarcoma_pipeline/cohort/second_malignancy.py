"""Classify the other tumours of a patient: second malignancy, other tumour, or secondary (IARC/ENCR 2004).

A second malignancy has behaviour /3, differs from the index tumour in organ or histology group, and was
diagnosed after the synchronous window. Skin cancer, in situ tumours, the window and the subsites of the soft
tissues are switches. A tumour coded as secondary (C77 to C79, behaviour /6) is a relapse of the index tumour.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.derived_once import once
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
    again = pl.col("_again")
    if assumptions.same_organ == "subsite":
        again = again & ~_elsewhere()
    reasons = [
        (pl.col("_secondary"), SECONDARY, "coded as secondary"),
        (pl.col("_benign"), OTHER, "not malignant"),
        *(
            [(pl.col("_in_situ"), OTHER, "in situ")]
            if assumptions.carcinoma_in_situ == "ignored"
            else []
        ),
        *(
            [(pl.col("_skin"), OTHER, "non-melanoma skin cancer")]
            if assumptions.skin_cancer == "ignored"
            else []
        ),
        (again, OTHER, "the same organ and histology"),
        # Another organ must be known to be another.
        (pl.col("_perhaps_again"), OTHER, "the same histology, organ unknown"),
        (pl.col("_nowhere"), OTHER, "malignancy without site and histology"),
        (pl.col("day") <= 0, OTHER, "before time zero"),
        (pl.col("day") <= assumptions.synchronous_malignancy_days, OTHER, "synchronous"),
        (pl.col("day").is_null(), OTHER, "without a date"),
    ]  # fmt: skip
    return _judged(_described(curated), reasons)


@once
def _described(curated: Curated) -> pl.DataFrame:
    """Return the other tumours, and what their codes say beside those of the index tumour."""
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
    # Metastases of a known sarcoma are often coded like this when the primary was not looked up.
    nowhere = pl.col("_of").str.contains(r"^C(76|80|97)") & (group == iarc.UNSPECIFIED)
    # Each is evaluated once: the tables of histology groups make long expressions.
    return frame.with_columns(
        _secondary=iarc.is_secondary(pl.col("_of"), morphology),
        _benign=~behaviour.is_in(["2", "3"]),
        _in_situ=behaviour == "2",
        _skin=skin,
        _again=again,
        _perhaps_again=same_organ.is_null() & same_histology,
        _nowhere=nowhere,
    )


def _judged(frame: pl.DataFrame, reasons: list[tuple[pl.Expr, str, str]]) -> pl.DataFrame:
    """Set the kind and detail from the first reason that holds."""
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
    return judged.drop(c for c in judged.columns if c.startswith("_"))


def _elsewhere() -> pl.Expr:
    """Return whether two sites in one organ count as different: other subsites, or the other side."""
    one, other = pl.col("_of").str.slice(3, 2), pl.col("_site").str.slice(3, 2)
    vague = pl.any_horizontal(s.is_in([*_UNSPECIFIED_SUBSITES, ""]) for s in (one, other))
    sides = pl.concat_list("laterality", "_side").list.sort() == pl.lit(["left", "right"], pl.List(pl.String))
    return ((one != other) & ~vague) | sides
