"""Contracts and rules of typed treatment: operations, radiotherapy, systemic therapy."""

from __future__ import annotations

import polars as pl

from schemas import code_lists
from schemas.contract import Contract, TextList, column
from schemas.partial_dates import interval
from schemas.rule import Rule
from schemas.typed_record import FROM_OBDS, Typed, not_after_delivery
from schemas.wound_operations import may_resect


class SurgeryColumns(Contract):
    """An operation on the tumour."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    surgery_date: pl.Date = column(
        "Date of surgery", "Day of the operation.", identifying="quasi-identifier", unreadable="error"
    )
    surgery_date_precision: pl.String = column(
        "Precision of the date of surgery", "To what it is exact.", vocabulary="date_precision"
    )
    surgery_day: pl.Int32 = column("Day of surgery", "Days since time zero.", unit="d")
    intent: pl.String = column("Intent", "With what aim it was planned.", vocabulary="intent")
    ops_codes: TextList = column("OPS codes", "Procedures, without the letter of the side.")
    side: pl.String = column("Side", "Side that the OPS codes name.", vocabulary="laterality")
    residual_status: pl.String = column(
        "Residual status", "Local R classification.", vocabulary="residual_status"
    )


SURGERY_RULES = (
    *not_after_delivery("surgery_date", partial=True),
    Rule(
        "surgery.ops-missing",
        "notice",
        what="The operation has no OPS code.",
        remedy="In the tumour documentation, add the procedure to OP/Menge_OPS.",
        source="oBDS 3.0.4 OP/Menge_OPS",
        column="ops_codes",
        holds=(pl.col("ops_codes").list.len() > 0).fill_null(False) | ~FROM_OBDS,
        missing="kept",
    ),
    Rule(
        "surgery.ops-malformed",
        "warning",
        what="A procedure is not an OPS code of the form 5-782.b.",
        remedy="In the tumour documentation, correct the code in OP/Menge_OPS.",
        source="OPS, BfArM",
        column="ops_codes",
        holds=pl.col("ops_codes")
        .list.eval(pl.element().str.contains(r"^\d-\d{2}[\da-z](\.[\da-z]{1,2})?$"))
        .list.all(),
        missing="kept",
    ),
    Rule(
        "surgery.residual-of-biopsy",
        "warning",
        what="A residual status is documented for an operation that is no resection: its intention is "
        "diagnostic, or all of its procedures are biopsies. The status is not used.",
        remedy="In the tumour documentation, correct OP/Intention or Menge_OPS if the tumour was removed. "
        "Otherwise delete Residualstatus.",
        source="oBDS 3.0.4 OP_Typ; OPS chapter 1",
        column="residual_status",
        holds=pl.col("residual_status").is_null()
        | ~(
            (pl.col("intent") == "diagnostic").fill_null(False)
            | (
                (pl.col("ops_codes").list.len() > 0)
                & pl.col("ops_codes").list.eval(pl.element().str.starts_with("1-")).list.all()
            ).fill_null(False)
        ),
        missing="kept",
    ),
    Rule(
        "surgery.residual-missing",
        "warning",
        what="The operation has no local residual status. It is documented neither as palliative or "
        "diagnostic, nor by its OPS codes as an operation on the wound alone.",
        remedy=(
            "In the tumour documentation, add Lokale_Beurteilung_Residualstatus from the pathology report."
        ),
        source="UICC R classification; oBDS Lokale_Beurteilung_Residualstatus",
        column="residual_status",
        holds=pl.col("residual_status").is_not_null()
        | pl.col("intent").is_in(["palliative", "diagnostic"]).fill_null(False)
        | ~may_resect()
        | ~FROM_OBDS,
        missing="kept",
    ),
)


class Surgery(SurgeryColumns, Typed, table="typed.surgery", rules=SURGERY_RULES):
    """Statements of one record on an operation."""

    module_id: pl.String = column(
        "Module", "The source's own number of the operation.", identifying="identifier"
    )


class RadiotherapyColumns(Contract):
    """A course of radiotherapy."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    start_date: pl.Date = column(
        "First day", "First fraction.", identifying="quasi-identifier", unreadable="error"
    )
    end_date: pl.Date = column(
        "Last day", "Last fraction.", identifying="quasi-identifier", unreadable="error"
    )
    start_date_precision: pl.String = column(
        "Precision of the first day", "To what it is exact.", vocabulary="date_precision"
    )
    end_date_precision: pl.String = column(
        "Precision of the last day", "To what it is exact.", vocabulary="date_precision"
    )
    start_day: pl.Int32 = column("First day since time zero", "Days since time zero.", unit="d")
    end_day: pl.Int32 = column("Last day since time zero", "Days since time zero.", unit="d")
    intent: pl.String = column("Intent", "With what aim it was planned.", vocabulary="intent")
    radiation_sequence: pl.String = column(
        "Radiation sequence", "Relation to surgery (oBDS Stellung_OP).", vocabulary="radiation_sequence"
    )
    target_region: pl.String = column(
        "Target region", "oBDS Zielgebiet code, a string.", listed=code_lists.TARGET_REGION
    )
    target_side: pl.String = column("Target side", "Side of the target region.", vocabulary="laterality")
    radiation: pl.String = column("Radiation", "Kind of radiation.", vocabulary="radiation")
    stereotactic: pl.Boolean = column("Stereotactic", "Whether it was irradiated stereotactically.")
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "Total dose of the highest level.", unit="Gy")
    single_dose_gy: pl.Float64 = column("Single dose", "Dose per fraction of the highest level.", unit="Gy")
    boost: pl.String = column("Boost", "Kind of boost.", vocabulary="boost")
    end_reason: pl.String = column(
        "Reason of the end", "oBDS Ende_Grund: E regular …", listed=code_lists.END_OF_RADIOTHERAPY
    )


ALPHA_BETA_GY = 4.0
"""Alpha/beta of soft tissue sarcoma in Gy, for BED and EQD2 (docs/formats.md)."""

EQD2_GY = {
    "preoperative": (30.0, 60.0),
    "postoperative adjuvant": (45.0, 76.0),
    "postoperative additive": (45.0, 76.0),
    "without surgery": (45.0, 85.0),
}
"""Usual range by sequence: 50 Gy before, 60 to 66 Gy after the operation; 5 x 5 Gy (37.5) is included."""

_TOTAL, _SINGLE = pl.col("prescribed_dose_gy"), pl.col("single_dose_gy")
_STARTS = interval(pl.col("start_date"), pl.col("start_date_precision"))
_ENDS = interval(pl.col("end_date"), pl.col("end_date_precision"))
"""The first and the last day that the dates may mean."""
_FEWEST_DAYS = (_ENDS[0] - _STARTS[1]).dt.total_days() + 1
_MOST_DAYS = (_ENDS[1] - _STARTS[0]).dt.total_days() + 1
_FRACTIONS = _TOTAL / _SINGLE
_PLAUSIBLE = _TOTAL.is_between(1, 100) & _SINGLE.is_between(0.5, 30) & (_SINGLE <= _TOTAL)


_ALONE = (pl.col("application").fill_null("external beam") == "external beam") & (
    pl.col("part").fill_null(1) == 1
)
"""Percutaneous and no later irradiation of its ST: a boost or brachytherapy alone has no usual dose."""


def _usual_eqd2() -> pl.Expr:
    """Compare the equivalent dose in 2 Gy fractions, D (d + alpha/beta) / (2 + alpha/beta), with its range.

    Both sides are multiplied by the divisor: polars divides a column by a number in another way if there is
    one row, and a verdict at the limit must not depend on the other records.
    """
    divisor = 2 + ALPHA_BETA_GY
    low, high = (
        pl.col("radiation_sequence").replace_strict(
            {k: v[i] * divisor for k, v in EQD2_GY.items()}, default=None, return_dtype=pl.Float64
        )
        for i in (0, 1)
    )
    return (_TOTAL * (_SINGLE + ALPHA_BETA_GY)).is_between(low, high) | ~_PLAUSIBLE | ~_ALONE


RADIOTHERAPY_RULES = (
    Rule(
        "radiotherapy.module-missing",
        "warning",
        what="The report of a radiotherapy contains no Bestrahlung: neither dates nor dose.",
        remedy="In the tumour documentation, complete ST/Menge_Bestrahlung.",
        source="oBDS 3.0.4 ST/Menge_Bestrahlung",
        column="irradiated",
        holds=pl.col("irradiated"),
        missing="kept",
    ),
    *not_after_delivery("start_date", partial=True),
    *not_after_delivery("end_date", partial=True),
    Rule(
        "radiotherapy.ends-before-start",
        "error",
        what="The radiotherapy ends before it starts.",
        remedy=(
            "In the tumour documentation, compare Bestrahlung/Beginn and Ende with the treatment "
            "record. Correct the wrong one."
        ),
        column="end_date",
        holds=_ENDS[1] >= _STARTS[0],
        missing="kept",
    ),
    Rule(
        "radiotherapy.dose-implausible",
        "warning",
        what="The total dose is not between 1 and 100 Gy.",
        remedy=(
            "In the tumour documentation, compare Gesamtdosis with the plan. Look for cGy instead of Gy"
            " and for a lost decimal point."
        ),
        source="ICRU 83; docs/formats.md, plausibility",
        column="prescribed_dose_gy",
        holds=pl.col("prescribed_dose_gy").is_between(1, 100),
        missing="kept",
    ),
    Rule(
        "radiotherapy.hypofractionated",
        "warning",
        what="The single dose is above 2.5 Gy: a hypofractionated course. It is kept.",
        remedy=(
            "Compare Einzeldosis with the plan. If the course was prescribed like this, nothing needs "
            "to be done."
        ),
        source="docs/formats.md, plausibility (5 x 5 Gy)",
        column="single_dose_gy",
        holds=(pl.col("single_dose_gy") <= 2.5) | ~_ALONE,
        missing="kept",
    ),
    Rule(
        "radiotherapy.single-above-total",
        "warning",
        what="The single dose is above the total dose.",
        remedy="In the tumour documentation, check whether Einzeldosis and Gesamtdosis were swapped.",
        source="ICRU 83",
        column="single_dose_gy",
        holds=_SINGLE <= _TOTAL,
        missing="kept",
    ),
    Rule(
        "radiotherapy.fractions-not-whole",
        "warning",
        what="The total dose divided by the single dose is not a whole number of fractions.",
        remedy=(
            "In the tumour documentation, compare Gesamtdosis and Einzeldosis with the plan. Correct "
            "the wrong one."
        ),
        source="ICRU 83",
        column="single_dose_gy",
        holds=((_FRACTIONS - _FRACTIONS.round()).abs() < 0.05) | ~_PLAUSIBLE,
        missing="kept",
    ),
    Rule(
        "radiotherapy.eqd2-unusual",
        "warning",
        what=(
            "The EQD2 (alpha/beta 4 Gy) is unusual for the documented relation to surgery. The dose is kept."
        ),
        remedy=(
            "In the tumour documentation, compare Gesamtdosis and Einzeldosis with the plan, and "
            "Stellung_OP with the date of surgery."
        ),
        source="ICRU 83; BED and EQD2, docs/formats.md",
        column="prescribed_dose_gy",
        holds=_usual_eqd2(),
        missing="kept",
    ),
    Rule(
        "radiotherapy.too-many-a-day",
        "warning",
        what="The course would need more than two fractions a day.",
        remedy=(
            "In the tumour documentation, compare Bestrahlung/Beginn and Ende, Gesamtdosis and "
            "Einzeldosis with the treatment record."
        ),
        column="end_date",
        holds=(_FRACTIONS <= 2 * _MOST_DAYS)
        | (_MOST_DAYS < 1)
        | ~_PLAUSIBLE
        | (pl.col("radiation_sequence") == "intraoperative"),
        missing="kept",
    ),
    Rule(
        "radiotherapy.overlong",
        "warning",
        what="The course lasts more than 100 days.",
        remedy=(
            "In the tumour documentation, check Bestrahlung/Beginn and Ende. If two courses were "
            "documented as one, report them as two."
        ),
        column="end_date",
        holds=_FEWEST_DAYS <= 100,
        missing="kept",
    ),
    Rule(
        "radiotherapy.start-missing",
        "warning",
        what="The irradiation has no first day.",
        remedy="In the tumour documentation, add Bestrahlung/Beginn.",
        source="oBDS 3.0.4 ST/Bestrahlung/Beginn",
        column="start_date",
        holds=~pl.col("irradiated") | pl.col("start_date").is_not_null() | pl.col("start_day").is_not_null(),
        missing="kept",
    ),
    Rule(
        "radiotherapy.sequence-missing",
        "warning",
        what="The relation of the course to surgery is not documented.",
        remedy="In the tumour documentation, add Stellung_OP.",
        source="oBDS 3.0.4 ST/Stellung_OP",
        column="radiation_sequence",
        holds=pl.col("radiation_sequence").is_not_null() | ~pl.col("irradiated") | ~FROM_OBDS,
        missing="kept",
    ),
)


class Radiotherapy(RadiotherapyColumns, Typed, table="typed.radiotherapy", rules=RADIOTHERAPY_RULES):
    """Statements of one record on a course of radiotherapy."""

    module_id: pl.String = column(
        "Module", "The source's own number of the course.", identifying="identifier"
    )
    report_id: pl.String = column(
        "Report", "The source's own number of the report that says so.", identifying="identifier"
    )
    part: pl.Int32 = column("Irradiation", "Number of the irradiation in its report, from 1.")
    application: pl.String = column("Application", "oBDS Applikationsart.", vocabulary="application")
    activity_gbq: pl.Float64 = column("Activity", "Activity of a radionuclide: no dose.", unit="GBq")
    with_chemotherapy: pl.Boolean = column(
        "With chemotherapy", "oBDS Radiochemo: whether chemotherapy was given along with it."
    )
    irradiated: pl.Boolean = column(
        "Has its irradiation", "Whether dose or dates came with it.", nullable=False
    )


class SystemicTherapyColumns(Contract):
    """A systemic therapy, or the statement that there was none."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    kind: pl.String = column(
        "Kind", "Kind of systemic therapy; of a combination the leading one.", vocabulary="systemic_kind"
    )
    chemotherapy: pl.Boolean = column("Chemotherapy", "Whether it has this component.")
    immunotherapy: pl.Boolean = column("Immunotherapy", "Whether it has this component.")
    targeted: pl.Boolean = column("Targeted therapy", "Whether it has this component.")
    hormone_therapy: pl.Boolean = column("Hormone therapy", "Whether it has this component.")
    given: pl.String = column(
        "Given", "Whether it was given; surveillance is documented as not given.", vocabulary="yes_no_unknown"
    )
    protocol: pl.String = column("Protocol", "Name of the protocol.")
    start_date: pl.Date = column(
        "First day", "First day.", identifying="quasi-identifier", unreadable="error"
    )
    start_date_precision: pl.String = column(
        "Precision of the first day", "To what it is exact.", vocabulary="date_precision"
    )
    start_day: pl.Int32 = column("First day since time zero", "Days since time zero.", unit="d")


class SystemicTherapy(
    SystemicTherapyColumns,
    Typed,
    table="typed.systemic_therapy",
    rules=(
        *not_after_delivery("start_date", partial=True),
        *not_after_delivery("end_date", partial=True),
        Rule(
            "systemic-therapy.ends-before-start",
            "warning",
            what="The systemic therapy ends before it starts. It counts from its start.",
            remedy="In the tumour documentation, compare SYST/Beginn and Ende with the letter. Correct the "
            "wrong one.",
            source="oBDS 3.0.4 SYST/Beginn, Ende",
            column="end_date",
            holds=_ENDS[1] >= _STARTS[0],
            missing="kept",
        ),
    ),
):
    """Statements of one record on systemic therapy."""

    module_id: pl.String = column(
        "Module", "The source's own number of the therapy.", identifying="identifier"
    )
    end_date: pl.Date = column(
        "Last day", "Last day of the therapy.", identifying="quasi-identifier", unreadable="warning"
    )
    end_date_precision: pl.String = column(
        "Precision of the last day", "To what it is exact.", vocabulary="date_precision"
    )
    end_reason: pl.String = column(
        "Reason of the end", "oBDS Ende_Grund.", listed=code_lists.END_OF_SYSTEMIC_THERAPY
    )
