"""DICOM RT records to typed ones: prescription and how it was had, technique, energy, fractions, boost."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.curation.parse import Reading, code, constant, date, number, read, text, whole
from schemas import typed, typed_dicom
from schemas import vocabularies as v
from schemas.configuration import DicomSource
from schemas.contract import Contract

_DATE = ("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d")
_LIST = pl.List(pl.String)
_BEAM = pl.Struct(
    {
        "BeamType": pl.String,
        "RadiationType": pl.String,
        "TreatmentMachineName": pl.String,
        "NominalBeamEnergy": pl.String,
        "GantryRotationDirection": _LIST,
        "ManufacturerModelName": pl.String,
    }
)
_REFERENCE = pl.Struct(
    {
        "DoseReferenceType": pl.String,
        "DoseReferenceStructureType": pl.String,
        "DoseReferenceDescription": pl.String,
        "TargetPrescriptionDose": pl.String,
    }
)


def _numbers(column: str) -> pl.Expr:
    # JSON numbers and numbers in quotes are both met; polars reads either as text.
    return pl.col(column).str.json_decode(_LIST).cast(pl.List(pl.Float64), strict=False)


def with_plan_facts(plans: pl.DataFrame) -> pl.DataFrame:
    """Add what must be worked out of a plan's nested attributes.

    Prescription: the highest TargetPrescriptionDose of a TARGET reference (docs/formats.md: a plan may
    list per-beam doses after the total); lacking one, BeamDose x NumberOfFractionsPlanned summed over the
    fraction groups. VMAT: a control point with a gantry rotation CW or CC; tomotherapy by the names of
    machine and model; a dynamic beam with a static gantry is static IMRT; else 3D conformal.

    Args:
        plans: rows of ``received.dicom_plan``.

    Returns:
        The rows with ``_prescribed`` (Gy), ``_levels``, ``_fractions``, ``_origin``, ``_technique``,
        ``_energy`` (MV), ``_machine``.
    """
    fractions = _numbers("NumberOfFractionsPlanned")
    references = pl.col("TargetPrescriptionDose").str.json_decode(pl.List(_REFERENCE))
    is_target = pl.element().struct.field("DoseReferenceType").fill_null("TARGET") == "TARGET"
    target = (
        references.list.filter(is_target)
        .list.eval(pl.element().struct.field("TargetPrescriptionDose").cast(pl.Float64, strict=False))
        .list.drop_nulls()
    )
    frame = plans.with_columns(
        _target=target,
        _groups=fractions,
        _beam=_numbers("BeamDose"),
        _beams=pl.col("Beams").str.json_decode(pl.List(_BEAM)),
    )
    by_beam = (pl.col("_beam") * pl.col("_groups")).list.drop_nulls()
    model = pl.concat_str(
        pl.col("_beams").list.first().struct.field("TreatmentMachineName"),
        pl.col("_beams").list.first().struct.field("ManufacturerModelName"),
        pl.col("ManufacturerModelName"),
        pl.col("Manufacturer"),
        separator=" ",
        ignore_nulls=True,
    )
    rotations = pl.col("_beams").list.eval(
        pl.element()
        .struct.field("GantryRotationDirection")
        .list.eval(pl.element().is_in(["CW", "CC"]))
        .list.any()
    )
    dynamic = pl.col("_beams").list.eval(pl.element().struct.field("BeamType") == "DYNAMIC")
    same_length = pl.col("_beam").list.len() == pl.col("_groups").list.len()
    frame = frame.with_columns(
        _by_beam=pl.when(same_length).then(by_beam),
        _machine=model,
        _rotates=rotations.list.any().fill_null(False),
        _dynamic=dynamic.list.any().fill_null(False),
    )
    has_target = pl.col("_target").list.len() > 0
    has_beam = pl.col("_by_beam").list.len() > 0
    return frame.with_columns(
        _prescribed=pl.when(has_target)
        .then(pl.col("_target").list.max())
        .when(has_beam)
        .then(pl.col("_by_beam").list.sum()),
        _levels=pl.when(has_target).then(pl.col("_target").list.n_unique()).cast(pl.Int32),
        _fractions=pl.when(pl.col("_groups").list.len() > 0)
        .then(pl.col("_groups").list.sum())
        .cast(pl.Int32, strict=False),
        _origin=pl.when(has_target)
        .then(pl.lit("target prescription"))
        .when(has_beam)
        .then(pl.lit("beam dose")),
        _technique=pl.when(model.str.to_lowercase().str.contains("tomo|radixact|hi-art|hi art"))
        .then(pl.lit("helical tomotherapy"))
        .when(pl.col("_rotates"))
        .then(pl.lit("VMAT"))
        .when(pl.col("_dynamic"))
        .then(pl.lit("static IMRT"))
        .when(pl.col("_beams").list.len() > 0)
        .then(pl.lit("3D conformal"))
        .otherwise(pl.lit("unknown")),
        _energy=pl.col("_beams").list.first().struct.field("NominalBeamEnergy"),
    )


def typed_frames(
    table: str, received: pl.DataFrame, source: DicomSource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Typed frames and observations of one received DICOM table.

    Args:
        table: ``received.dicom_plan`` …
        received: its rows with ``received_on`` (Date) joined on.
        source: patterns of phantoms.
    """
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
        person = {k: base[k] for k in ("record_id", "source", "person_ref", "received_on")} | {
            "hospital_number": text("PatientID"),
            "family_name": Reading(pl.col("PatientName").str.split("^").list.get(0, null_on_oob=True)),
            "given_names": Reading(pl.col("PatientName").str.split("^").list.get(1, null_on_oob=True)),
            "birth_date": date("PatientBirthDate", _DATE),
            "sex": code("PatientSex", v.DICOM_SEX),
            "master": constant(False, pl.Boolean),
        }
        yield typed.Person, *read(received.filter(~phantom), typed.Person, person)
        plan = {
            "refers_to": text("ReferencedStructureSet"),
            "plan_date": date("RTPlanDate", _DATE),
            "plan_label": text("RTPlanLabel"),
            "approval": code("ApprovalStatus", {a: a for a in v.APPROVAL}),
            "prescribed_dose_gy": Reading(pl.col("_prescribed")),
            "dose_levels": Reading(pl.col("_levels")),
            "fractions": Reading(pl.col("_fractions")),
            "dose_origin": Reading(pl.col("_origin")),
            "technique": Reading(pl.col("_technique")),
            "beam_energy_mv": number("_energy"),
            "machine": Reading(pl.col("_machine")),
        }
        yield typed_dicom.Plan, *read(received, typed_dicom.Plan, base | plan)
    elif table == "received.dicom_structure_set":
        names = {"roi_names": Reading(pl.col("ROIName").str.json_decode(_LIST))}
        yield typed_dicom.StructureSet, *read(received, typed_dicom.StructureSet, base | names)
    elif table == "received.dicom_dose":
        dose = {"refers_to": text("ReferencedRTPlan"), "dose_units": text("DoseUnits")}
        yield typed_dicom.Dose, *read(received, typed_dicom.Dose, base | dose)
    elif table == "received.dicom_image":
        image = {"series_uid": text("SeriesInstanceUID"), "slice_thickness_mm": number("SliceThickness")}
        yield typed_dicom.Image, *read(received, typed_dicom.Image, base | image)
    elif table == "received.dicom_treatment":
        treatment = {
            "refers_to": text("ReferencedRTPlan"),
            "treatment_date": date("TreatmentDate", _DATE),
            "fraction_number": whole("CurrentFractionNumber"),
        }
        yield typed_dicom.Treatment, *read(received, typed_dicom.Treatment, base | treatment)
