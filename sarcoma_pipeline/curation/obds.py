"""oBDS 3 records to typed ones; code lists in ``schemas.vocabularies``."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.curation.parse import Reading, code, constant, date, number, read, text
from schemas import typed
from schemas import vocabularies as v
from schemas.contract import Contract
from schemas.rule import Rule
from schemas.typed_metastasis import DATE_MISSING

DATE_UNUSABLE = Rule(
    "diagnosis.date-unusable",
    "error",
    on="typed.diagnosis",
    scope="record",
    what="The date of diagnosis is estimated altogether (Datumsgenauigkeit V). There is no time zero.",
    remedy=(
        "In the tumour documentation, correct Diagnosedatum: enter the date of the report of the first "
        "biopsy."
    ),
    source="oBDS Datumsgenauigkeit V",
)

_PERSON = pl.lit("number:") + pl.col("Patient_ID")

_TYPED_BASE = {
    "record_id": text("record_id"),
    "source": constant("oBDS"),
    "person_ref": Reading(pl.coalesce([_PERSON, pl.lit("record:") + pl.col("record_id")])),
    "received_on": Reading(pl.col("received_on")),
    # The export's own date only orders reports; a wrong one is no fault of the patient's record.
    "reported_on": Reading(pl.col("Meldedatum").str.to_date("%Y-%m-%d", strict=False)),
}

_DATES = ("%Y-%m-%d", "%d.%m.%Y")
_LIST = pl.List(pl.String)


def _date(column: str, **options: bool | str | Rule | None) -> Reading:
    exactness = f"{column}_Datumsgenauigkeit" if options.pop("graded", False) else None
    return date(
        column,
        _DATES,
        exactness=exactness,
        exactness_codes=v.OBDS_DATE_PRECISION,
        legacy=True,
        **options,  # pyright: ignore[reportArgumentType]
    )


def _first_json(column: str) -> pl.Expr:
    return pl.col(column).str.json_decode(_LIST).list.first()


_FNCLCC = (
    pl.col("Menge_Weitere_Klassifikation")
    .str.json_decode(pl.List(pl.Struct({"Name": pl.String, "Stadium": pl.String})))
    .list.filter(pl.element().struct.field("Name").str.to_uppercase().str.contains("FNCLCC"))
    .list.last()
    .struct.field("Stadium")
)

_METASTASES = pl.col("Menge_FM").str.json_decode(
    pl.List(
        pl.Struct({"Diagnosedatum": pl.String, "Datumsgenauigkeit": pl.String, "Lokalisation": pl.String})
    )
)

_T = {f"{t}{suffix}": f"T{t}" for t in "01234" for suffix in ("", "a", "b", "c", "d")} | {
    "X": "TX",
    "is": "T0",
}
_N = {"0": "N0", "X": "NX"} | {f"{n}{suffix}": "N1" for n in "123" for suffix in ("", "a", "b", "c")}
_M = {"0": "M0", "X": "MX"} | {f"1{suffix}": "M1" for suffix in ("", "a", "b", "c", "d")}
_GRADE = {"1": "G1", "2": "G2", "3": "G3", "G1": "G1", "G2": "G2", "G3": "G3", "X": "GX", "GX": "GX"}
_SYMBOL = r"^(?:[ypcra]*[TNM])?"
"""Prefixes such as ``ypT``: the oBDS element holds the bare category, older exports the whole word."""

_TUMOUR = {
    "tumour_id": text("Tumor_ID"),
    "diagnosis_date": _date("Diagnosedatum", graded=True, unusable=DATE_UNUSABLE),
    "icd10_code": text("Primaertumor_ICD"),
    "laterality": code("Seitenlokalisation", v.OBDS_LATERALITY),
}

_HISTOLOGY = {
    "icdo3_morphology": Reading(_first_json("Morphologie_ICD_O")),
    "grade": code("Grading", {g: g for g in "01234XLMHBUT"}),
    "fnclcc_grade": code(_FNCLCC, _GRADE, strip=r"^FNCLCC\s*"),
    "t_stage": code("T", _T, strip=_SYMBOL),
    "n_stage": code("N", _N, strip=_SYMBOL),
    "m_stage": code("M", _M, strip=_SYMBOL),
    "tnm_edition": Reading(pl.col("TNM_Version").cast(pl.Int32, strict=False)),
    "distant_metastasis": Reading(
        pl.when(pl.col("M").str.contains("1") | (_METASTASES.list.len() > 0))
        .then(pl.lit(True))
        .when(pl.col("M").str.contains("0"))
        .then(pl.lit(False))
    ),
}

_LOCAL = dict(v.OBDS_LOCAL)

_PART = pl.col("position").str.extract(r"Bestrahlung\[(\d+)\]").cast(pl.Int32, strict=False)
"""Which Bestrahlung of its ST it is."""
_RADIONUCLIDE = pl.col("Applikationsart") == "Metabolisch"
_RADIATION = code(pl.when(~_RADIONUCLIDE).then("Strahlenart"), v.OBDS_RADIATION)


_TO_GY = {"gy": 1.0, "cgy": 0.01}
_TO_GBQ = {"gbq": 1.0, "mbq": 1e-3, "kbq": 1e-6}
"""oBDS gives the activity of a radionuclide where it gives the dose of a beam."""


def _dose(column: str) -> Reading:
    """A dose in Gy. An activity is none; a unit that is neither makes it unreadable."""
    plain = number(column)
    unit = pl.col(f"{column}_Einheit").str.strip_chars().str.to_lowercase()
    factor = unit.replace_strict(_TO_GY, default=None, return_dtype=pl.Float64)
    activity = _RADIONUCLIDE.fill_null(False) | unit.is_in(list(_TO_GBQ)).fill_null(False)
    value = plain.value * pl.when(unit.is_null()).then(1.0).otherwise(factor)
    shown = pl.concat_str(column, f"{column}_Einheit", separator=" ", ignore_nulls=True)
    delivered = pl.when(~activity & pl.col(column).is_not_null()).then(shown)
    return Reading(pl.when(~activity).then(value), delivered, plain.rule)


def _activity() -> Reading:
    """The activity of a radionuclide in GBq."""
    unit = pl.col("Gesamtdosis_Einheit").str.strip_chars().str.to_lowercase()
    factor = unit.replace_strict(_TO_GBQ, default=None, return_dtype=pl.Float64)
    return Reading(number("Gesamtdosis").value * factor)


READINGS: dict[str, list[tuple[type[Contract], dict[str, Reading]]]] = {
    "received.obds_patient": [
        (
            typed.Person,
            {
                "hospital_number": text("Patient_ID"),
                "family_name": text("Nachname"),
                "given_names": text("Vornamen"),
                "birth_date": _date("Geburtsdatum", graded=True),
                "sex": code("Geschlecht", v.OBDS_SEX),
                "master": constant(True, pl.Boolean),
            },
        )
    ],
    "received.obds_diagnosis": [
        (
            typed.Diagnosis,
            _TUMOUR
            | _HISTOLOGY
            | {
                "icdo3_topography": text("Primaertumor_Topographie_ICD_O"),
                "histologically_confirmed": code("Diagnosesicherung", v.OBDS_HISTOLOGICAL),
                "complete": constant(True, pl.Boolean),
            },
        )
    ],
    "received.obds_pathology": [
        (
            typed.Diagnosis,
            _HISTOLOGY
            | {
                "tumour_id": text("Tumor_ID"),
                "icd10_code": text("Primaertumor_ICD"),
                "icdo3_topography": text("Primaertumor_Topographie_ICD_O"),
                "histologically_confirmed": code("Diagnosesicherung", v.OBDS_HISTOLOGICAL),
                "complete": constant(False, pl.Boolean),
            },
        )
    ],
    "received.obds_surgery": [
        (
            typed.Surgery,
            {
                "tumour_id": text("Tumor_ID"),
                "module_id": text("Module_ID"),
                "surgery_date": _date("Datum"),
                "intent": code("Intention", v.OBDS_INTENT_SURGERY),
                "ops_codes": Reading(pl.col("Menge_OPS").str.json_decode(_LIST)),
                "residual_status": code(
                    pl.coalesce(["Lokale_Beurteilung_Residualstatus", "Gesamtbeurteilung_Residualstatus"]),
                    v.OBDS_RESIDUAL,
                ),
            },
        )
    ],
    "received.obds_radiotherapy": [
        (
            typed.Radiotherapy,
            {
                "tumour_id": text("Tumor_ID"),
                "module_id": text("Module_ID"),
                "start_date": _date("Beginn"),
                "end_date": _date("Ende"),
                "intent": code("Intention", v.OBDS_INTENT_RADIOTHERAPY),
                "radiation_sequence": code("Stellung_OP", v.OBDS_SEQUENCE),
                "report_id": text("Meldung_ID"),
                "part": Reading(_PART),
                "application": code("Applikationsart", v.OBDS_APPLICATION),
                "radiation": Reading(
                    pl.when(_RADIONUCLIDE).then(pl.lit("radionuclide")).otherwise(_RADIATION.value),
                    _RADIATION.text,
                ),
                "target_region": text("Zielgebiet"),
                "target_side": code("Seite_Zielgebiet", v.OBDS_LATERALITY),
                "prescribed_dose_gy": _dose("Gesamtdosis"),
                "single_dose_gy": _dose("Einzeldosis"),
                "activity_gbq": _activity(),
                "stereotactic": Reading(
                    pl.when(pl.col("Applikationsart") == "Perkutan").then(
                        (pl.col("Stereotaktisch") == "ST").fill_null(False)
                    )
                ),
                "boost": code("Boost", v.OBDS_BOOST),
                "end_reason": code("Ende_Grund", {c: c for c in "EFAPSVTU"}),
                "irradiated": Reading(
                    pl.any_horizontal(
                        *(
                            pl.col(c).is_not_null()
                            for c in ("Applikationsart", "Beginn", "Ende", "Gesamtdosis")
                        )
                    )
                ),
            },
        )
    ],
    "received.obds_systemic_therapy": [
        (
            typed.SystemicTherapy,
            {
                "kind": code("Therapieart", v.OBDS_SYSTEMIC_KIND),
                "given": constant("yes"),
                "protocol": text("Protokoll"),
                "start_date": _date("Beginn", graded=True),
            },
        )
    ],
    "received.obds_follow_up": [
        (
            typed.Assessment,
            {
                "tumour_id": text("Tumor_ID"),
                "module_id": text("Module_ID"),
                "assessment_date": _date("Untersuchungsdatum_Verlauf"),
                "overall_status": code("Gesamtbeurteilung_Tumorstatus", v.OBDS_OVERALL),
                "local_status": code("Verlauf_Lokaler_Tumorstatus", _LOCAL),
                "regional_status": code("Verlauf_Tumorstatus_Lymphknoten", _LOCAL),
                "distant_status": code("Verlauf_Tumorstatus_Fernmetastasen", _LOCAL),
            },
        )
    ],
    "received.obds_death": [
        (
            typed.VitalStatus,
            {
                "status": Reading(
                    pl.when(pl.col("Sterbedatum").is_null())
                    .then(pl.lit("deceased, date unknown"))
                    .otherwise(pl.lit("deceased"))
                ),
                "status_date": _date("Sterbedatum"),
                "tumour_related": code("Tod_tumorbedingt", v.OBDS_YES_NO_UNKNOWN),
            },
        )
    ],
}
"""Received table to the typed tables that its records make."""


_REPORTED = {
    "received.obds_diagnosis": ("diagnosis", None),
    "received.obds_pathology": ("pathology", "Tumor_Histologiedatum"),
    "received.obds_surgery": ("surgery", "Datum"),
    "received.obds_follow_up": ("follow-up", "Untersuchungsdatum_Verlauf"),
}
"""Received table that may document metastases to the kind of report and the column of its day."""


def readings_of(table: str) -> list[tuple[type[Contract], dict[str, Reading]]]:
    """Return the typed tables that a received one makes, each with how its columns are read."""
    return [(contract, _TYPED_BASE | readings) for contract, readings in READINGS[table]]


def typed_frames(
    table: str, received: pl.DataFrame
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Typed frames and observations of one received oBDS table.

    Args:
        table: key of :data:`READINGS`.
        received: its rows, with ``received_on`` (Date) joined on.
    """
    metastases = None
    if table in _REPORTED:
        metastases, seen = _metastases(received, *_REPORTED[table])
        yield typed.Metastasis, metastases, seen
    for contract, readings in readings_of(table):
        made, seen = read(received, contract, readings)
        if contract is typed.Assessment and metastases is not None:
            made = _with_first_metastasis(made, metastases)
        yield contract, made, seen


def _metastases(received: pl.DataFrame, origin: str, day: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per Fernmetastase."""
    several = (
        received.with_columns(_fm=_METASTASES)
        .explode("_fm", empty_as_null=False, keep_nulls=False)
        .with_columns(
            _fm_site=pl.col("_fm").struct.field("Lokalisation"),
            _fm_date=pl.col("_fm").struct.field("Diagnosedatum"),
            _fm_exactness=pl.col("_fm").struct.field("Datumsgenauigkeit"),
        )
    )
    found = date(
        "_fm_date",
        _DATES,
        exactness="_fm_exactness",
        exactness_codes=v.OBDS_DATE_PRECISION,
        legacy=True,
        unusable=DATE_MISSING,
    )
    # The report's own table judges its day: here an unreadable one is just missing.
    reported = date(day, _DATES).value if day else pl.lit(None, dtype=pl.Date)
    return read(
        several,
        typed.Metastasis,
        _TYPED_BASE
        | {
            "tumour_id": text("Tumor_ID"),
            "metastasis_date": found,
            "site": code("_fm_site", {s: s for s in v.METASTASIS_SITE}),
            "extent": constant("distant"),
            "origin": constant(origin),
            "reported_date": Reading(reported),
        },
    )


def _with_first_metastasis(assessments: pl.DataFrame, metastases: pl.DataFrame) -> pl.DataFrame:
    """Fill ``distant_date`` and ``distant_site`` with the first metastasis of the same record."""
    first = first_metastasis(metastases, "record_id").select(
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
    """The earliest metastasis of each group: dated before undated, of one day the exact one, then by site.

    Args:
        metastases: columns of ``typed.metastasis`` or ``curated.metastasis``.
        by: what makes a group.
    """
    exactness = pl.col("metastasis_date_precision").replace_strict(
        {p: i for i, p in enumerate(v.DATE_PRECISION)}, default=len(v.DATE_PRECISION), return_dtype=pl.Int32
    )
    return metastases.sort(*by, "metastasis_date", exactness, "site", nulls_last=True).unique(
        list(by), keep="first", maintain_order=True
    )
