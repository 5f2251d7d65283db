"""Convert received DICOM RT records to typed ones."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.curation import prescription, radiotherapy_plans, technique
from sarcoma_pipeline.curation.parse import Reading, code, constant, date, number, text, whole
from sarcoma_pipeline.curation.typed_columns import read
from schemas import typed, typed_dicom
from schemas import vocabularies as v
from schemas.configuration import DicomSource
from schemas.contract import Contract
from schemas.received import ION_PLAN

_DATE = ("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d")
_LIST = pl.List(pl.String)

_PLAN_TEXTS = {
    "plan_relations": "ReferencedPlans", "dose_references": "TargetPrescriptionDose", "beams": "Beams",
    "applications": "Applications", "brachytherapy_type": "BrachyTreatmentType",
}  # fmt: skip
_FACTS = {
    "_groups": pl.String, "_prescribed": pl.Float64, "_levels": pl.Int32, "_readings": pl.Int32,
    "_fractions": pl.Int32, "_origin": pl.String, "_technique": pl.String, "_energy": pl.Float64,
    "_machine": pl.String, "_fingerprint": pl.String,
}  # fmt: skip


def with_plan_facts(plans: pl.DataFrame) -> pl.DataFrame:
    """Add the facts computed from a plan's nested attributes.

    The prescription is the reading that needs no documentation (:mod:`.prescription`); a plan whose fraction
    groups allow several readings has none yet. The technique is that of the beams with the highest share of
    the dose (:mod:`.technique`).

    Args:
        plans: rows of ``received.dicom_plan``.

    Returns:
        The rows with ``_groups`` (JSON), ``_prescribed`` (Gy), ``_levels``, ``_readings``, ``_fractions``,
        ``_origin``, ``_technique``, ``_energy`` (MV), ``_machine`` and ``_fingerprint``.
    """
    rows = [_facts(row) for row in plans.iter_rows(named=True)]
    facts = pl.DataFrame(rows, schema=_FACTS) if rows else pl.DataFrame(schema=_FACTS)
    return plans.with_columns(facts.get_columns())


def _facts(row: dict[str, str | None]) -> dict[str, object]:
    groups = row["FractionGroups"] or radiotherapy_plans.legacy_groups(
        row["NumberOfFractionsPlanned"], row["BeamDose"]
    )
    plan = radiotherapy_plans.plan_of(
        {
            "record_id": "", "sop_instance_uid": "", "plan_date": None, "refers_to": None, "phantom": None,
            "plan_label": row["RTPlanLabel"], "plan_intent": None, "approval": None,
            "frame_of_reference_uid": row["FrameOfReferenceUID"], "planning_system": _system(row),
            "ion_plan": row["SOPClassUID"] == ION_PLAN, "fraction_groups": groups,
            **{column: row[name] for column, name in _PLAN_TEXTS.items()},
        }
    )  # fmt: skip
    found = prescription.readings(plan)
    plain = prescription.decide(found, ())
    how = technique.technique_of(plan)
    machine = next((b for b in plan.beams if b.machine), None) or next(iter(plan.beams), None)
    named = (machine.machine, machine.manufacturer, machine.model) if machine else ()
    return {
        "_groups": groups,
        "_prescribed": plain.dose,
        # A dose from beams is not a dose level of a target.
        "_levels": len(plain.levels) if plain.origin == "target prescription" else None,
        "_readings": sum(one.dose is not None for one in found),
        "_fractions": plain.fractions,
        "_origin": plain.origin,
        "_technique": how.technique,
        "_energy": how.energy_mv,
        "_machine": " ".join(dict.fromkeys(word for word in named if word)) or None,
        "_fingerprint": plan.fingerprint,
    }


def _system(row: dict[str, str | None]) -> str | None:
    words = [row["Manufacturer"], row["ManufacturerModelName"]]
    return " ".join(word for word in words if word) or None


def typed_frames(
    table: str, received: pl.DataFrame, source: DicomSource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Yield typed frames and observations of one received DICOM table.

    Args:
        table: ``received.dicom_plan`` …
        received: its rows with ``received_on`` (Date) joined on.
        source: patterns of phantoms.
    """
    # Blanks around an identifier have no meaning in DICOM (PS3.5 6.2, LO).
    trimmed = pl.col("PatientID").str.strip_chars()
    received = received.with_columns(PatientID=pl.when(trimmed != "").then(trimmed))
    phantom = pl.any_horizontal(
        pl.col(c).str.contains(p).fill_null(False)
        for c in ("PatientID", "PatientName")
        for p in source.phantom_patterns
    )
    base = {
        "record_id": text("record_id"),
        "source": constant("DICOM"),
        "person_ref": Reading(
            pl.coalesce([pl.lit("number:") + pl.col("PatientID"), pl.lit("record:") + pl.col("record_id")])
        ),
        "received_on": Reading(pl.col("received_on")),
        "sop_instance_uid": text("SOPInstanceUID"),
        "frame_of_reference_uid": text("FrameOfReferenceUID"),
        "phantom": Reading(phantom),
        "has_patient_id": Reading(pl.col("PatientID").is_not_null()),
        "has_file_meta": Reading(pl.col("file_meta").fill_null("yes") != "no"),
    }
    if table == "received.dicom_plan":
        received = with_plan_facts(received)
        yield typed.Person, *read(received.filter(~phantom), typed.Person, _person(base))
        yield typed_dicom.Plan, *read(received, typed_dicom.Plan, base | _plan())
    elif table == "received.dicom_structure_set":
        names = {
            "roi_names": Reading(pl.col("ROIName").str.json_decode(_LIST)),
            "roi_types": Reading(pl.col("RTROIInterpretedType").str.json_decode(_LIST)),
            "series_uids": Reading(pl.col("ReferencedSeries").str.json_decode(_LIST)),
        }
        yield typed_dicom.StructureSet, *read(received, typed_dicom.StructureSet, base | names)
    elif table == "received.dicom_dose":
        dose = {"refers_to": text("ReferencedRTPlan"), "dose_units": text("DoseUnits")}
        yield typed_dicom.Dose, *read(received, typed_dicom.Dose, base | dose)
    elif table == "received.dicom_image":
        image = {"series_uid": text("SeriesInstanceUID"), "slice_thickness_mm": number("SliceThickness")}
        yield typed_dicom.Image, *read(received, typed_dicom.Image, base | image)
    elif table == "received.dicom_treatment":
        yield typed_dicom.Treatment, *read(received, typed_dicom.Treatment, base | _treatment())


def _person(base: dict[str, Reading]) -> dict[str, Reading]:
    parts = pl.col("PatientName").str.split("^")
    return {k: base[k] for k in ("record_id", "source", "person_ref", "received_on")} | {
        "hospital_number": text("PatientID"),
        "family_name": Reading(parts.list.get(0, null_on_oob=True).str.strip_chars()),
        "given_names": Reading(parts.list.get(1, null_on_oob=True).str.strip_chars()),
        "birth_date": date("PatientBirthDate", _DATE),
        "sex": code("PatientSex", v.DICOM_SEX),
        "master": constant(False, pl.Boolean),
    }


def _day(column: str) -> pl.Expr:
    """Return a day used only for comparison: an unreadable one is null and no finding."""
    text = pl.col(column).str.strip_chars()
    return pl.coalesce(text.str.to_date(f, strict=False) for f in _DATE)


def _plan() -> dict[str, Reading]:
    system = pl.concat_str("Manufacturer", "ManufacturerModelName", separator=" ", ignore_nulls=True)
    return {
        **{column: text(name) for column, name in _PLAN_TEXTS.items()},
        "reported_on": Reading(_day("InstanceCreationDate")),
        "refers_to": text("ReferencedStructureSet"),
        "plan_date": date("RTPlanDate", _DATE),
        "plan_label": text("RTPlanLabel"),
        "plan_intent": code("PlanIntent", {i: i for i in v.PLAN_INTENT}, fold=True),
        "plan_geometry": text("RTPlanGeometry"),
        "approval": code("ApprovalStatus", {a: a for a in v.APPROVAL}, fold=True),
        "review_date": date("ReviewDate", _DATE),
        "ion_plan": Reading(pl.col("SOPClassUID") == ION_PLAN),
        "planning_system": Reading(pl.when(system != "").then(system)),
        "fraction_groups": Reading(pl.col("_groups")),
        "fingerprint": Reading(pl.col("_fingerprint")),
        "prescribed_dose_gy": Reading(pl.col("_prescribed")),
        "dose_levels": Reading(pl.col("_levels")),
        "dose_readings": Reading(pl.col("_readings")),
        "fractions": Reading(pl.col("_fractions")),
        "dose_origin": Reading(pl.col("_origin")),
        "technique": Reading(pl.col("_technique")),
        "beam_energy_mv": Reading(pl.col("_energy")),
        "machine": Reading(pl.col("_machine")),
    }


def _treatment() -> dict[str, Reading]:
    return {
        "refers_to": text("ReferencedRTPlan"),
        "treatment_date": date("TreatmentDate", _DATE),
        "treatment_time": text("TreatmentTime"),
        "fraction_number": whole("CurrentFractionNumber"),
        "fraction_group": text("ReferencedFractionGroupNumber"),
        "content_origin": text("ContentOrigin"),
        "sessions": text("Sessions"),
        "group_summaries": text("FractionGroupSummaries"),
        "fractions_delivered": whole("NumberOfFractionsDelivered"),
        "first_treatment_date": date("FirstTreatmentDate", _DATE),
        "last_treatment_date": date("MostRecentTreatmentDate", _DATE),
        "treatment_status": text("CurrentTreatmentStatus"),
    }
