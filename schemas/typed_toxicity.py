"""Contract and rules of typed toxicity: side effects and complications, one row per statement of a record.

A missing statement is not the statement that there was none: a record that says nothing of toxicity makes no
row. oBDS gives side effects no date; by its definition those of a radiotherapy began by the 90th day after
its start. It gives complications of an operation no date either.
"""

from __future__ import annotations

import polars as pl

from schemas import toxicity_codes as codes
from schemas.contract import Contract, column
from schemas.rule import Rule
from schemas.typed_record import FROM_OBDS, Typed, not_after_delivery


class ToxicityColumns(Contract):
    """A side effect or a complication as a record documents it."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    therapy: pl.String = column(
        "Therapy", "Kind of therapy that it is a toxicity of.", vocabulary="toxicity_therapy"
    )
    kind: pl.String = column(
        "Kind", "Side effect, complication of an operation, or wound revision.", vocabulary="toxicity_kind"
    )
    statement: pl.String = column(
        "Statement",
        "Whether there was toxicity, there was none, or the source says that it is not known.",
        vocabulary="toxicity_statement",
    )
    category: pl.String = column("Category", "Tissue or sort.", vocabulary="toxicity_category")
    code_system: pl.String = column(
        "Code system", "List that the code is from.", vocabulary="toxicity_code_system"
    )
    code: pl.String = column("Code", "MedDRA, oBDS Kuerzel of a complication, ICD-10 or OPS.")
    term: pl.String = column("Term", "In the source's own words.", identifying="identifier")
    grade: pl.Int32 = column(
        "Grade", "CTCAE grade, 0 for none; where oBDS names no kind, the highest of all side effects."
    )
    ctcae_version: pl.String = column("CTCAE version", "Version of the grade.", vocabulary="ctcae_version")
    onset_date: pl.Date = column(
        "Onset", "First day of the toxicity; oBDS has none.", identifying="quasi-identifier"
    )
    onset_date_precision: pl.String = column(
        "Precision of the onset", "To what it is exact.", vocabulary="date_precision"
    )
    onset_day: pl.Int32 = column("Day of onset", "Days since time zero.", unit="d")
    stated_window: pl.String = column(
        "Stated window",
        "Acute (to the 90th day after the start of radiotherapy) or late, as the source says or by the "
        "definition of its field; counts where there is no date.",
        vocabulary="toxicity_window",
    )


_PRESENT = pl.col("statement").fill_null("present") == "present"
_NAMED = pl.any_horizontal(pl.col(c).is_not_null() for c in ("category", "code", "term"))

TOXICITY_RULES = (
    *not_after_delivery("onset_date", partial=True),
    Rule(
        "toxicity.kind-missing",
        "warning",
        what="A toxicity of grade 3 or more is documented, but not of what kind.",
        remedy="In the tumour documentation, add Nebenwirkung/Art (Bezeichnung or MedDRA_Code).",
        source="oBDS 3.0.4 Nebenwirkung_Typ",
        column="grade",
        holds=_NAMED | (pl.col("grade") < 3),
        missing="kept",
    ),
    Rule(
        "toxicity.grade-missing",
        "warning",
        what="A side effect is documented without its grade. It counts for no limit of grade.",
        remedy="In the tumour documentation, add Nebenwirkung/Grad from the letter.",
        source="oBDS 3.0.4 Nebenwirkung_Typ; CTCAE",
        column="grade",
        # A table names the therapy only: side effects are those of radiotherapy and drugs.
        holds=pl.col("grade").is_not_null()
        | (pl.col("kind") == "complication").fill_null(False)
        | (pl.col("kind").is_null() & (pl.col("therapy") == "surgery"))
        | ~_PRESENT,
        missing="kept",
    ),
    Rule(
        "toxicity.grade-implausible",
        "warning",
        what="The grade is not one of CTCAE, 0 to 5, or oBDS gives a grade below 3 with its kind.",
        remedy="Compare the grade with the letter. Grades up to 2 belong into Grad_maximal2_oder_unbekannt.",
        source="CTCAE 5.0; oBDS 3.0.4 Nebenwirkung_Typ",
        column="grade",
        holds=pl.col("grade").is_between(0, 5) & (~FROM_OBDS | ~_NAMED | (pl.col("grade") >= 3)),
        missing="kept",
    ),
    Rule(
        "toxicity.none-with-grade",
        "warning",
        what="The record says that there was no toxicity, and names one or its grade. It counts as present.",
        remedy="Compare both with the letter, and correct the wrong one.",
        column="statement",
        holds=(pl.col("statement") != "none") | ((pl.col("grade").fill_null(0) == 0) & ~_NAMED),
        missing="kept",
    ),
    Rule(
        "toxicity.code-malformed",
        "warning",
        what="The code is no code of its list: MedDRA has 8 digits that begin with 10, ICD-10 the form "
        "T81.4. The code is not used in the cohort.",
        remedy="In the tumour documentation, correct MedDRA_Code or the ICD code of the complication.",
        source="oBDS 3.0.4 Nebenwirkung_Typ, Komplikation_ICD_Typ",
        column="code",
        holds=pl.when(pl.col("code_system") == "MedDRA")
        .then(pl.col("code").str.contains(codes.CODE_FORMATS["MedDRA"]))
        .when(pl.col("code_system") == "ICD-10")
        .then(pl.col("code").str.contains(codes.CODE_FORMATS["ICD-10"]))
        .otherwise(True),
        missing="kept",
    ),
)


class Toxicity(ToxicityColumns, Typed, table="typed.toxicity", rules=TOXICITY_RULES):
    """One side effect or complication that one record documents, or its statement that there was none."""

    number: pl.Int32 = column("Number", "Place among the statements of its record, from 1.")
