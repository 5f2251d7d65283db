"""Convert received oBDS 3 records to typed ones; the code lists are in ``schemas.vocabularies``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import polars as pl

from sarcoma_pipeline.curation import obds_reports, obds_toxicity, target_regions, tnm
from sarcoma_pipeline.curation.obds_reports import DATES, residual
from sarcoma_pipeline.curation.parse import Reading, code, constant, date, number, text
from sarcoma_pipeline.curation.reporting_day import MELDEDATUM
from sarcoma_pipeline.curation.typed_columns import read
from schemas import typed
from schemas import vocabularies as v
from schemas.contract import Contract
from schemas.rule import Rule

_NUMBER = pl.col("Patient_ID").str.strip_chars()

_TYPED_BASE = {
    "record_id": text("record_id"),
    "source": constant("oBDS"),
    "person_ref": Reading(
        pl.coalesce([pl.lit("number:") + _NUMBER, pl.lit("record:") + pl.col("record_id")])
    ),
    "received_on": Reading(pl.col("received_on")),
    "reported_on": Reading(MELDEDATUM),
}

_LIST = pl.List(pl.String)


def _date(column: str, **options: bool | str | Rule | None) -> Reading:
    exactness = f"{column}_Datumsgenauigkeit" if options.pop("graded", False) else None
    return date(
        column,
        DATES,
        exactness=exactness,
        exactness_codes=v.OBDS_DATE_PRECISION,
        legacy=True,
        **options,  # pyright: ignore[reportArgumentType]
    )


_LOCAL = dict(v.OBDS_LOCAL)
_DRUGS = pl.col("Therapieart").str.strip_chars()
_OPS = pl.col("Menge_OPS").str.json_decode(_LIST)

_PART = pl.col("position").str.extract(r"Bestrahlung\[(\d+)\]").cast(pl.Int32, strict=False)
"""Number of the Bestrahlung within its ST."""
_RADIONUCLIDE = pl.col("Applikationsart") == "Metabolisch"
_RADIATION = code(pl.when(~_RADIONUCLIDE).then("Strahlenart"), v.OBDS_RADIATION)


_TO_GY = {"gy": 1.0, "cgy": 0.01}
_TO_GBQ = {"gbq": 1.0, "mbq": 1e-3, "kbq": 1e-6}
"""Units of activity: oBDS stores the activity of a radionuclide in the fields of the dose."""


UNIT_CONVERTED = Rule(
    "radiotherapy.unit-unexpected",
    "warning",
    on="typed.radiotherapy",
    scope="record",
    what="The unit of the dose is not Gy: it was converted. Or the unit of a radionuclide's activity is not "
    "GBq: it was converted, or is unknown if the unit is none of an activity.",
    remedy="In the tumour documentation, compare Gesamtdosis and Einzeldosis with their Einheit. Correct the "
    "number or the unit.",
    source="oBDS 3.0.4 Gesamtdosis/Einheit: Gy or GBq",
)


def _dose(column: str) -> Reading:
    """Return a dose in Gy: null for an activity, unreadable for any other unit."""
    plain = number(column)
    unit = pl.col(f"{column}_Einheit").str.strip_chars().str.to_lowercase()
    factor = unit.replace_strict(_TO_GY, default=None, return_dtype=pl.Float64)
    activity = _RADIONUCLIDE.fill_null(False) | unit.is_in(list(_TO_GBQ)).fill_null(False)
    value = plain.value * pl.when(unit.is_null()).then(1.0).otherwise(factor)
    shown = pl.concat_str(column, f"{column}_Einheit", separator=" ", ignore_nulls=True)
    delivered = pl.when(~activity & pl.col(column).is_not_null()).then(shown)
    unexpected = (unit != "gy").fill_null(False) & value.is_not_null() & ~activity
    return Reading(
        pl.when(~activity).then(value), delivered, plain.rule, notes=((UNIT_CONVERTED, unexpected),)
    )


def _activity() -> Reading:
    """Return the activity of a radionuclide in GBq."""
    unit = pl.col("Gesamtdosis_Einheit").str.strip_chars().str.to_lowercase()
    factor = unit.replace_strict(_TO_GBQ, default=None, return_dtype=pl.Float64)
    shown = pl.concat_str("Gesamtdosis", "Gesamtdosis_Einheit", separator=" ", ignore_nulls=True)
    of_activity = _RADIONUCLIDE.fill_null(False) & pl.col("Gesamtdosis").is_not_null()
    # A missing unit, or a unit that is no activity, leaves the activity unknown.
    unexpected = of_activity & (unit != "gbq").fill_null(True)
    return Reading(
        number("Gesamtdosis").value * factor,
        pl.when(of_activity).then(shown),
        notes=((UNIT_CONVERTED, unexpected),),
    )


READINGS: dict[str, list[tuple[type[Contract], dict[str, Reading]]]] = {
    "received.obds_patient": [
        (
            typed.Person,
            {
                "hospital_number": Reading(_NUMBER),
                "family_name": text("Nachname"),
                "given_names": text("Vornamen"),
                "birth_name": text("Geburtsname"),
                "former_names": text("Menge_Frueherer_Name"),
                "birth_date": _date("Geburtsdatum", graded=True),
                "sex": code("Geschlecht", v.OBDS_SEX),
                "master": constant(True, pl.Boolean),
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
                "ops_codes": Reading(_OPS.list.eval(tnm.ops_code(pl.element())).list.drop_nulls()),
                "side": Reading(tnm.ops_side(_OPS)),
                "residual_status": residual(
                    "Lokale_Beurteilung_Residualstatus", overall="Gesamtbeurteilung_Residualstatus"
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
                "target_region": target_regions.reading(),
                "target_side": code("Seite_Zielgebiet", v.OBDS_LATERALITY),
                "prescribed_dose_gy": _dose("Gesamtdosis"),
                "single_dose_gy": _dose("Einzeldosis"),
                "activity_gbq": _activity(),
                "stereotactic": Reading(
                    pl.when(pl.col("Applikationsart") == "Perkutan").then(
                        (pl.col("Stereotaktisch").str.strip_chars() == "ST").fill_null(False)
                    )
                ),
                "boost": code("Boost", v.OBDS_BOOST),
                "with_chemotherapy": Reading(
                    pl.col("Radiochemo")
                    .str.strip_chars()
                    .replace_strict({"RCJ": True, "RCN": False}, default=None, return_dtype=pl.Boolean)
                ),
                "end_reason": text("Ende_Grund"),
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
                "tumour_id": text("Tumor_ID"),
                "module_id": text("Module_ID"),
                "kind": code("Therapieart", v.OBDS_SYSTEMIC_KIND),
                **{
                    component: Reading(_DRUGS.is_in(list(kinds)))
                    for component, kinds in v.OBDS_SYSTEMIC_COMPONENTS.items()
                },
                "given": Reading(
                    pl.when(_DRUGS.is_in(list(v.OBDS_SURVEILLANCE)))
                    .then(pl.lit("no"))
                    .otherwise(pl.lit("yes"))
                ),
                "protocol": text("Protokoll"),
                "start_date": _date("Beginn", graded=True),
                "end_date": _date("Ende"),
                "end_reason": text("Ende_Grund"),
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
    # Of a Tumorkonferenz only its Tumorzuordnung is typed.
    "received.obds_tumour_board": [],
}
"""Received table to the typed tables made from it; reports on the tumour are in ``obds_reports``."""

TABLES = frozenset({*READINGS, *obds_reports.REPORTS})
"""Received tables that are typed."""


@cache
def readings_of(table: str) -> list[tuple[type[Contract], dict[str, Reading]]]:
    """Return the typed tables made from a received one, each with the readings of its columns."""
    readings = [(contract, _TYPED_BASE | own) for contract, own in READINGS.get(table, ())]
    if table in obds_reports.REPORTS:
        readings += [(c, _TYPED_BASE | own) for c, own in obds_reports.readings_of(table)]
    if table in obds_toxicity.THERAPIES:
        readings.append((typed.Toxicity, _TYPED_BASE | obds_toxicity.readings(table)))
    if table != "received.obds_patient":
        readings.append((typed.TumourAssignment, _TYPED_BASE | obds_reports.ASSIGNMENT))
    return readings


def typed_frames(
    table: str, received: pl.DataFrame
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Yield typed frames and observations of one received oBDS table.

    Args:
        table: one of :data:`TABLES`.
        received: its rows, with ``received_on`` (Date) joined on.
    """
    rows: dict[type[Contract], pl.DataFrame] = {}
    if table in obds_reports.REPORTS:
        rows = obds_reports.rows(table, received)
    if table in obds_toxicity.THERAPIES:
        rows[typed.Toxicity] = obds_toxicity.rows(table, received)
    metastases = None
    for contract, readings in sorted(readings_of(table), key=lambda one: one[0] is typed.Assessment):
        made, seen = read(rows.get(contract, received), contract, readings)
        if contract is typed.Metastasis:
            metastases = made
        if contract is typed.Assessment and metastases is not None:
            made = obds_reports.with_first_metastasis(made, metastases)
        yield contract, made, seen
