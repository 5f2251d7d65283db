"""Type oBDS reports on a tumour: assignment, histology, TNM, grades and metastases.

A Diagnose, a Pathologie, an OP and a Verlauf may each carry a histology, several TNMs and metastases. Each
TNM of a report becomes a row of ``typed.diagnosis``; the first row has all other values. :mod:`.baseline`
decides which rows describe the tumour at diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import obds_nested, tnm
from sarcoma_pipeline.curation.parse import Reading, code, constant, date, steps_of, text
from sarcoma_pipeline.curation.value_rules import EXACTNESS_UNKNOWN, REPORT_DATE_UNREADABLE
from schemas import code_lists, typed
from schemas import vocabularies as v
from schemas.contract import Contract
from schemas.ranks import place_in
from schemas.rule import Rule
from schemas.typed_metastasis import DATE_MISSING

DATE_UNUSABLE = Rule(
    "diagnosis.date-unusable",
    "error",
    on="typed.diagnosis",
    scope="record",
    what="The date of diagnosis is completely estimated (Datumsgenauigkeit V). There is no time zero.",
    remedy=(
        "In the tumour documentation, correct Diagnosedatum: enter the date of the report of the first "
        "biopsy."
    ),
    source="oBDS Datumsgenauigkeit V",
)

DATES = ("%Y-%m-%d", "%d.%m.%Y")


@dataclass(frozen=True)
class Kind:
    """A module that reports on a tumour.

    Attributes:
        origin: word of ``report_origin``.
        day: column with the day of the module, if it has one.
        complete: whether it documents the diagnosis itself.
    """

    origin: str
    day: str | None
    complete: bool = False


REPORTS = {
    "received.obds_diagnosis": Kind("diagnosis", None, complete=True),
    "received.obds_pathology": Kind("pathology", None),
    "received.obds_surgery": Kind("surgery", "Datum"),
    "received.obds_follow_up": Kind("follow-up", "Untersuchungsdatum_Verlauf"),
}
"""Received table to the properties of its reports."""


def graded_date(column: str, unusable: Rule | None = None) -> Reading:
    """Read a date with its ``Datumsgenauigkeit``."""
    return date(
        column, DATES, exactness=f"{column}_Datumsgenauigkeit", exactness_codes=v.OBDS_DATE_PRECISION,
        legacy=True, unusable=unusable,
    )  # fmt: skip


def _assignment() -> dict[str, Reading]:
    dated = graded_date("Diagnosedatum")
    melder = pl.coalesce(["Melder_IKNR", "Melder_ID"])
    reporter = pl.concat_str("Absender_ID", melder, separator="|", ignore_nulls=True)
    silent = {
        "tumour_id": pl.col("Tumor_ID"),
        "reporter": pl.when(reporter != "").then(reporter),
        "icd10_code": pl.col("Primaertumor_ICD"),
        "laterality": code("Seitenlokalisation", v.OBDS_LATERALITY).value,
        "icdo3_morphology": pl.col("Tumorzuordnung_Morphologie"),
        "morphology_version": pl.col("Tumorzuordnung_Morphologie_Version"),
    }
    return {name: Reading(value) for name, value in silent.items()} | {
        "diagnosis_date": Reading(dated.value, precision=dated.precision, steps=dated.steps)
    }


ASSIGNMENT = _assignment()
"""Readings of the Tumorzuordnung of a Meldung: without findings, which the Diagnose has."""


def rows(table: str, received: pl.DataFrame) -> dict[type[Contract], pl.DataFrame]:
    """Split reports into the rows that are typed.

    Args:
        table: key of :data:`REPORTS`.
        received: its rows.

    Returns:
        Typed contract to the rows from which it is read.
    """
    kind = REPORTS[table]
    told, histologies = obds_nested.tnms(received), obds_nested.histologies(received)
    reports = received
    for part in (histologies, obds_nested.fnclcc(received), told):
        reports = _with(reports, part)
    reports = reports.with_columns(pl.col("_nth").fill_null(0))
    says = ("_histology", "_stadium", "_tnm")
    if not kind.complete and kind.origin != "pathology":
        reports = reports.filter(pl.any_horizontal(pl.col(says).is_not_null()))
    return {typed.Diagnosis: _once(reports), typed.Metastasis: _metastases(received, told, histologies, kind)}


def _with(records: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of a nested element, null for records without it."""
    if part.is_empty():
        return records.with_columns(
            pl.lit(None, dtype=dtype).alias(column)
            for column, dtype in part.schema.items()
            if column != "record_id"
        )
    return records.join(part, on="record_id", how="left", maintain_order="left")


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep only the TNM in the second and later rows of a record; the first row has the other values."""
    others = [c for c in (*_FIRST_ROW_ONLY, "Menge_FM") if c in rows.columns]
    return rows.with_columns(pl.when(pl.col("_nth") == 0).then(pl.col(others)))


_FIRST_ROW_ONLY = (
    "_histology", "_morphology", "_morphology_version", "_morphologies", "_grading", "_stadium",
    "Primaertumor_ICD", "Primaertumor_Topographie_ICD_O", "Diagnosesicherung", "Diagnosedatum",
    "Diagnosedatum_Datumsgenauigkeit", "Seitenlokalisation", "Lokale_Beurteilung_Residualstatus",
)  # fmt: skip


_CATEGORIES = ("_tnm_T", "_tnm_N", "_tnm_M")


def _edition(delivered: pl.Expr) -> Reading:
    """Return the reading of the edition of the TNM: one digit, of which oBDS knows 6 to 9."""
    one = delivered.str.strip_chars().str.extract(r"^([1-9])$")
    return Reading(one.cast(pl.Int32), delivered)


REPORT: dict[str, Reading] = {
    "tumour_id": text("Tumor_ID"),
    "icdo3_morphology": text("_morphology"),
    "morphology_version": text("_morphology_version"),
    "morphologies": text("_morphologies"),
    "grade": code("_grading", {g: g for g in code_lists.GRADING.codes}),
    "fnclcc_grade": tnm.fnclcc(pl.col("_stadium")),
    "tnm_kind": text("_tnm_kind"),
    "tnm_edition": _edition(pl.col("_tnm_Version")),
    "m_symbol": text("_tnm_m_Symbol"),
    "after_therapy": tnm.symbol("_tnm_y_Symbol", _CATEGORIES, "y"),
    "of_relapse": tnm.symbol("_tnm_r_Symbol", _CATEGORIES, "r"),
    "by_autopsy": tnm.symbol("_tnm_a_Symbol", _CATEGORIES, "a"),
    "distant_metastasis": Reading(
        pl.when((tnm.category("_tnm_M", "M").value == "M1") | (pl.col("Menge_FM").str.len_chars() > 2))
        .then(pl.lit(True))
        .when(tnm.category("_tnm_M", "M").value == "M0")
        .then(pl.lit(False))
    ),
    **{f"{x.lower()}_stage": tnm.category(f"_tnm_{x}", x) for x in "TNM"},
    **{f"{x.lower()}_suffix": tnm.suffix(f"_tnm_{x}", x) for x in "TNM"},
    **{
        f"{x.lower()}_prefix": tnm.prefix(f"_tnm_{x}", f"_tnm_c_p_u_Praefix_{x}", x, "_tnm_kind")
        for x in "TNM"
    },
}
"""Readings of the columns that every report may have."""

PRIMARY: dict[str, Reading] = {
    "icd10_code": text("Primaertumor_ICD"),
    "icdo3_topography": text("Primaertumor_Topographie_ICD_O"),
    "histologically_confirmed": code("Diagnosesicherung", v.OBDS_HISTOLOGICAL),
}
"""Further readings of a Diagnose and a Pathologie."""

DIAGNOSIS: dict[str, Reading] = {
    "diagnosis_date": graded_date("Diagnosedatum", DATE_UNUSABLE),
    "laterality": code("Seitenlokalisation", v.OBDS_LATERALITY),
}
"""Readings that only a Diagnose has."""


def readings_of(table: str) -> list[tuple[type[Contract], dict[str, Reading]]]:
    """Return the contracts and readings of the rows of :func:`rows`.

    Args:
        table: key of :data:`REPORTS`.
    """
    kind = REPORTS[table]
    readings = REPORT | {
        "origin": constant(kind.origin),
        "complete": Reading(pl.col("_nth") == 0) if kind.complete else constant(False, pl.Boolean),
        "report_date": _report_date(kind),
    }
    if kind.origin in ("diagnosis", "pathology"):
        readings |= PRIMARY
    if kind.complete:
        readings |= DIAGNOSIS
    if kind.origin == "pathology":
        readings["residual_status"] = residual("Lokale_Beurteilung_Residualstatus")
    return [(typed.Metastasis, _metastasis(kind)), (typed.Diagnosis, readings)]


DERIVED: dict[str, tuple[str, ...]] = {
    "_histology": ("Histologie", "Tumor_Histologiedatum", "Morphologie_ICD_O", "Grading"),
    "_morpholog": ("Histologie", "Morphologie_ICD_O"),
    "_grading": ("Histologie", "Grading"),
    "_stadium": ("Menge_Weitere_Klassifikation",),
    "_tnm": ("TNM", "T", "N", "M", "TNM_Version", "TNM_kind"),
    "_nth": ("TNM", "TNM_kind"),
    "_fm": ("Menge_FM", "TNM", "Histologie"),
    "_origin": ("TNM", "Menge_FM"),
    "_named": ("TNM", "Menge_FM"),
}
"""Prefix of the columns of :func:`rows` to the received columns from which they are made."""


def residual(column: str, overall: str | None = None) -> Reading:
    """Return the reading of the local residual status; U means missing.

    Args:
        column: the local status.
        overall: the status of all tumour, metastases included. R0 there also means R0 at the primary; other
            values do not locate the residual tumour.
    """
    known = [pl.when(pl.col(column) != "U").then(pl.col(column))]
    if overall:
        known.append(pl.when(pl.col(overall) == "R0").then(pl.col(overall)))
    return code(pl.coalesce(known), v.OBDS_RESIDUAL)


def _report_date(kind: Kind) -> Reading:
    """Return the reading of the report date: of the module, else of the histology, else of the TNM.

    Other rules check the date of the module.
    """
    graded = graded_date("_histology_date")
    dates = [graded, date("_tnm_Datum", DATES)]
    # A fully estimated date (V) has no day, and is none that cannot be read.
    estimated = (pl.col("_histology_date_Datumsgenauigkeit").str.to_uppercase() == "V").fill_null(False)
    unreadable = pl.any_horizontal(
        pl.col("_histology_date").is_not_null() & dates[0].value.is_null() & ~estimated,
        pl.col("_tnm_Datum").is_not_null() & dates[1].value.is_null(),
    )
    if kind.day:
        dates.insert(0, date(kind.day, DATES))
    return Reading(
        pl.coalesce(d.value for d in dates),
        precision=pl.coalesce(d.precision for d in dates if d.precision is not None),
        notes=((REPORT_DATE_UNREADABLE, unreadable), *(n for n in graded.notes if n[0] is EXACTNESS_UNKNOWN)),
        steps=steps_of(dates),
    )


# --- metastases ---------------------------------------------------------------------------------------

_METASTASES = pl.col("Menge_FM").str.json_decode(
    pl.List(
        pl.Struct({"Diagnosedatum": pl.String, "Datumsgenauigkeit": pl.String, "Lokalisation": pl.String})
    )
)


def _metastases(
    received: pl.DataFrame, told: pl.DataFrame, histologies: pl.DataFrame, kind: Kind
) -> pl.DataFrame:
    """Return one row per Fernmetastase; for a report without one whose TNM says M1, one without a site.

    The M of a Diagnose is the tumour's M category and makes no row, unless it belongs to a relapse.
    """
    relapse = pl.col("_tnm_r_Symbol").is_not_null() | pl.col("_tnm_y_Symbol").is_not_null()
    staged = told.filter(
        tnm.category("_tnm_M", "M").value == "M1",
        pl.col("_tnm_a_Symbol").is_null(),
        relapse if kind.complete else pl.lit(True),
    ).unique("record_id", keep="first", maintain_order=True)
    if staged.is_empty() and received["Menge_FM"].null_count() == received.height:
        return received.clear()
    days = ("_histology_date", "_histology_date_Datumsgenauigkeit")
    dated = _with(received, histologies.select("record_id", *days))
    named = (
        dated.with_columns(_fm=_METASTASES)
        .explode("_fm", empty_as_null=False, keep_nulls=False)
        .with_columns(
            _fm_site=pl.col("_fm").struct.field("Lokalisation"),
            _fm_date=pl.col("_fm").struct.field("Diagnosedatum"),
            _fm_date_Datumsgenauigkeit=pl.col("_fm").struct.field("Datumsgenauigkeit"),
            _tnm_Datum=pl.lit(None, dtype=pl.String),
            _origin=pl.lit(kind.origin),
            _named=pl.lit(True),
        )
        .drop("_fm")
    )
    nothing = pl.lit(None, dtype=pl.String)
    own = [kind.day] if kind.day else []
    by_tnm = (
        dated.filter((_METASTASES.list.len() == 0).fill_null(True))
        .join(staged.select("record_id", "_tnm_Datum"), on="record_id", maintain_order="left")
        .with_columns(
            _fm_site=nothing,
            _fm_date=pl.coalesce(["_tnm_Datum", *own, "_histology_date"]),
            _fm_date_Datumsgenauigkeit=pl.when(
                pl.all_horizontal(pl.col(["_tnm_Datum", *own]).is_null())
            ).then("_histology_date_Datumsgenauigkeit"),
            # A Diagnose with a relapse does not describe the day of diagnosis.
            _origin=pl.lit("follow-up" if kind.complete else kind.origin),
            _named=pl.lit(False),
        )
    )
    return pl.concat([named, by_tnm.select(named.columns)])


def _metastasis(kind: Kind) -> dict[str, Reading]:
    found = date(
        "_fm_date", DATES, exactness="_fm_date_Datumsgenauigkeit", exactness_codes=v.OBDS_DATE_PRECISION,
        legacy=True, unusable=DATE_MISSING,
    )  # fmt: skip
    readings = {
        "tumour_id": text("Tumor_ID"),
        "metastasis_date": found,
        "site": code("_fm_site", {s: s for s in v.METASTASIS_SITE}),
        "extent": constant("distant"),
        "origin": text("_origin"),
        "named": text("_named"),
    }
    # A Diagnose has no date of the report.
    return readings if kind.complete else readings | {"reported_date": _report_date(kind)}


def with_first_metastasis(assessments: pl.DataFrame, metastases: pl.DataFrame) -> pl.DataFrame:
    """Fill ``distant_date`` and ``distant_site`` of examinations from the first metastasis in the record.

    Args:
        assessments: ``typed.assessment``.
        metastases: ``typed.metastasis`` of the same records.
    """
    first = first_metastasis(metastases.filter(pl.col("site").is_not_null()), "record_id").select(
        "record_id",
        distant_date="metastasis_date",
        distant_date_precision="metastasis_date_precision",
        distant_site="site",
    )
    columns = ["distant_date", "distant_date_precision", "distant_site"]
    return (
        assessments.drop(columns)
        .join(first, on="record_id", how="left", maintain_order="left")
        .select(assessments.columns)
    )


def first_metastasis(metastases: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Return the first metastasis of each group, by date (undated last), precision and site.

    Args:
        metastases: columns of ``typed.metastasis`` or ``curated.metastasis``.
        by: the columns of a group.
    """
    exactness = place_in(v.DATE_PRECISION, "metastasis_date_precision")
    return metastases.sort(*by, "metastasis_date", exactness, "site", nulls_last=True).unique(
        list(by), keep="first", maintain_order=True
    )
