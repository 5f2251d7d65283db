"""Contract and rules of typed metastases: one row per metastasis that a record documents."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column
from schemas.partial_dates import interval
from schemas.rule import Rule
from schemas.typed_record import Typed, not_after_delivery


class MetastasisColumns(Contract):
    """A metastasis as a record documents it."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    metastasis_date: pl.Date = column(
        "Date of metastasis", "Day on which it was found, as the record dates it.",
        identifying="quasi-identifier",
    )  # fmt: skip
    metastasis_date_precision: pl.String = column(
        "Precision of the date of metastasis", "To what it is exact.", vocabulary="date_precision"
    )
    site: pl.String = column("Site", "Organ that it is in.", vocabulary="metastasis_site")
    extent: pl.String = column(
        "Extent", "Regional lymph nodes or a distant organ.", vocabulary="metastasis_extent"
    )
    origin: pl.String = column(
        "Origin", "Kind of report that documents it.", vocabulary="report_origin", nullable=False
    )
    reported_date: pl.Date = column(
        "Day of the report",
        "Day of the examination, operation or histology that reports it; missing where the report has no "
        "day of its own, as a Diagnose has not.",
        identifying="quasi-identifier",
    )
    reported_date_precision: pl.String = column(
        "Precision of the day of the report", "To what it is exact.", vocabulary="date_precision"
    )
    reported_day: pl.Int32 = column("Day of the report", "Days since time zero.", unit="d")


DATE_MISSING = Rule(
    "metastasis.date-missing",
    "warning",
    what="The metastasis has no usable date (missing, unreadable or Datumsgenauigkeit V).",
    remedy=(
        "In the tumour documentation, add Fernmetastase/Diagnosedatum from the report of the imaging or"
        " the histology."
    ),
    source="oBDS 3.0.4 Menge_FM",
    column="metastasis_date",
    holds=pl.col("metastasis_date").is_not_null(),
    missing="kept",
)

METASTASIS_RULES = (
    *not_after_delivery("metastasis_date", partial=True),
    Rule(
        "metastasis.after-report",
        "warning",
        what="The metastasis is dated after the operation or the histology that documents it.",
        remedy=(
            "In the tumour documentation, compare Fernmetastase/Diagnosedatum with the date of the "
            "report. Correct the wrong one."
        ),
        column="metastasis_date",
        holds=(
            interval(pl.col("metastasis_date"), pl.col("metastasis_date_precision"))[0]
            <= interval(pl.col("reported_date"), pl.col("reported_date_precision"))[1]
        )
        # For an examination, assessment.metastasis-after-report covers this.
        | (pl.col("origin") == "follow-up"),
        missing="kept",
    ),
    DATE_MISSING,
)


class Metastasis(MetastasisColumns, Typed, table="typed.metastasis", rules=METASTASIS_RULES):
    """One metastasis that one record documents."""

    named: pl.Boolean = column(
        "Named", "Whether the report names the metastasis, or only says M1.", nullable=False
    )
