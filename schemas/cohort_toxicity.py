"""Contract of the toxicity of the cohort: side effects, complications and wound revisions with their window.

Times are days since time zero. A patient without a row has no documentation of toxicity: that is not the
same as having had none, which is a row whose statement is ``none``.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class CohortToxicity(Contract, table="cohort.toxicity"):
    """One toxicity of an eligible patient's index tumour, or the statement that there was none."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    therapy: pl.String = column(
        "Therapy", "Kind of therapy that it is a toxicity of.", vocabulary="toxicity_therapy"
    )
    therapy_day: pl.Int32 = column(
        "Day of the therapy", "Operation, or first day of the therapy, in days since time zero."
    )
    of_primary_treatment: pl.Boolean = column(
        "Of the primary treatment",
        "Whether the therapy is the primary course of radiotherapy or the definitive resection.",
        nullable=False,
    )
    attribution: pl.String = column(
        "Attribution", "Why it belongs to the therapy; missing where it belongs to none.",
        vocabulary="toxicity_attribution",
    )  # fmt: skip
    kind: pl.String = column(
        "Kind", "Side effect, complication or wound revision.", vocabulary="toxicity_kind"
    )
    statement: pl.String = column(
        "Statement", "Present, none, or unknown as the source says.", nullable=False,
        vocabulary="toxicity_statement",
    )  # fmt: skip
    category: pl.String = column(
        "Category", "Tissue or sort; missing where the source names no kind.", vocabulary="toxicity_category"
    )
    code_system: pl.String = column(
        "Code system", "List that the code is from.", vocabulary="toxicity_code_system"
    )
    code: pl.String = column("Code", "MedDRA, oBDS Kuerzel of a complication, ICD-10 or OPS.")
    grade: pl.Int32 = column(
        "Grade", "CTCAE grade; 0 for none. Without a category it is the highest of all side effects."
    )
    ctcae_version: pl.String = column("CTCAE version", "Version of the grade.", vocabulary="ctcae_version")
    onset_day: pl.Int32 = column("Day of onset", "Days since time zero; oBDS dates only wound revisions.")
    onset_day_earliest: pl.Int32 = column("Earliest day of onset", "First day that the date may mean.")
    onset_day_latest: pl.Int32 = column("Latest day of onset", "Last day that the date may mean.")
    onset_precision: pl.String = column(
        "Precision of the onset", "To what it is exact.", vocabulary="date_precision"
    )
    days_since_therapy: pl.Int32 = column("Days since the therapy", "From its first day to the onset.")
    window: pl.String = column(
        "Window",
        "Of a toxicity of radiotherapy: acute up to day 90 from its start, late after; of none, what the "
        "statement covers; missing where it "
        "cannot be known, and for other therapies.",
        vocabulary="toxicity_window",
    )
    window_basis: pl.String = column(
        "Basis of the window",
        "A date; or a statement: the source's word or the definition of its field.",
        vocabulary="toxicity_window_basis",
    )
    major_wound_complication: pl.Boolean = column(
        "Major wound complication",
        "After O'Sullivan 2002, up to day 120 after the operation: an operation for the wound, a bleeding "
        "that needed one, or a wound complication of CTCAE grade 3 or more. Aspirations, readmissions and "
        "deep packing are not in the data. Missing: not known.",
    )
    evidence: TextList = column("Evidence", "Records that tell of it.", nullable=False)
