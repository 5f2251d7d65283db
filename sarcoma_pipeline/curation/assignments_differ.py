"""Find reports under one tumour number whose Tumorzuordnung describes another tumour."""

from __future__ import annotations

import polars as pl

from schemas import iarc, typed
from schemas.observations import observation
from schemas.rule import Rule
from schemas.sides import peers

ASSIGNMENT_DIFFERS = Rule(
    "diagnosis.assignment-differs",
    "warning",
    on="typed.tumour_assignment",
    scope="source",
    what="A report names another site and another date of diagnosis than the Diagnose with the same Tumor_ID "
    "of the same reporter. It is taken as a report on the tumour with this Tumor_ID.",
    remedy="In the tumour documentation, compare Primaertumor_ICD and Diagnosedatum of the Tumorzuordnung "
    "with the Diagnose. Assign the report to the tumour that it describes, or correct the Tumorzuordnung.",
    source="oBDS 3.0.4 Tumorzuordnung; Tumor_ID: unique per patient and Melder",
    sides=peers("tumour_id", columns=("icd10_code", "diagnosis_date")),
)


def observe(assignments: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """Report each Tumorzuordnung that differs from its tumour in organ and date.

    Reports with an older or less exact code of the same organ, and reports of a metastasis (C77 to C79,
    behaviour /6) under the number of its tumour, are left alone.

    Args:
        assignments: ``typed.tumour_assignment``.
        numbers: one row per number: ``patient_id``, ``reporter``, ``tumour_id``, ``site``, ``date``.
    """
    icd, date = pl.col("icd10_code"), pl.col("diagnosis_date")
    told = assignments.filter(pl.col("tumour_id").is_not_null()).join(
        numbers.rename({"site": "_site", "date": "_date"}),
        on=["patient_id", "reporter", "tumour_id"], nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    both = (icd, pl.col("_site"))
    vague = pl.any_horizontal(code.str.contains(r"^(?:C76|C80|D)").fill_null(True) for code in both)
    secondary = iarc.is_secondary(icd, pl.col("icdo3_morphology"))
    other = (iarc.organ(icd) != iarc.organ(pl.col("_site"))) & (date != pl.col("_date"))
    wrong = told.filter(other & ~vague & ~secondary)
    said = pl.concat_str(icd, date.cast(pl.String), separator=" ")
    return observation(wrong, ASSIGNMENT_DIFFERS, typed.TumourAssignment.table(), "icd10_code", said)
