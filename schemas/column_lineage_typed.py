"""Declare the column lineage of the typed layer, except oBDS, where the expressions give it."""

from __future__ import annotations

from schemas.contract import CONTRACTS

_PERSON = "registry_reply dicom_plan"


def _each(tables: str | tuple[str, ...], *columns: str) -> str:
    names = tables.split() if isinstance(tables, str) else tables
    return " ".join(f"received.{table}.{column}" for table in names for column in columns)


_CELLS = "received.table_row.values"
"""Cells of a table row: sources.toml maps them to columns."""

OBJECTS = {
    "plan": "dicom_plan", "structure_set": "dicom_structure_set", "dose": "dicom_dose",
    "image": "dicom_image", "treatment": "dicom_treatment",
}  # fmt: skip

RECEIVED_FOR = {
    "person": f"{_PERSON} table_row",
    **dict.fromkeys(
        ("diagnosis", "surgery", "radiotherapy", "systemic_therapy", "assessment", "toxicity"), "table_row"
    ),
    "vital_status": "registry_reply table_row",
    **OBJECTS,
}

_NUMBER = {"registry_reply": "hospital_number", "table_row": "values"} | dict.fromkeys(
    OBJECTS.values(), "PatientID"
)

_GROUPS = ("FractionGroups", "NumberOfFractionsPlanned", "BeamDose")

_TYPED: dict[str, dict[str, str]] = {
    "person": {
        "hospital_number": f"received.registry_reply.hospital_number received.dicom_plan.PatientID {_CELLS}",
        "family_name": "received.registry_reply.family_name received.dicom_plan.PatientName",
        "given_names": "received.registry_reply.given_names received.dicom_plan.PatientName",
        "birth_name": "received.registry_reply.birth_name",
        "former_names": "received.registry_reply.former_names",
        "birth_date": "received.registry_reply.birth_date received.dicom_plan.PatientBirthDate",
        "sex": "received.registry_reply.sex received.dicom_plan.PatientSex",
    },
    "assessment": {c: _each("obds_follow_up", "Menge_FM") for c in ("distant_site", "distant_date")},
    "vital_status": {
        "status": "received.registry_reply.answer",
        "status_date": _each("registry_reply", "answer", "event_date", "answered_on"),
    },
    "plan": {
        "refers_to": _each("dicom_plan", "ReferencedStructureSet"),
        "plan_date": _each("dicom_plan", "RTPlanDate"),
        "plan_label": _each("dicom_plan", "RTPlanLabel"),
        "plan_intent": _each("dicom_plan", "PlanIntent"),
        "plan_geometry": _each("dicom_plan", "RTPlanGeometry"),
        "approval": _each("dicom_plan", "ApprovalStatus"),
        "review_date": _each("dicom_plan", "ReviewDate"),
        "ion_plan": _each("dicom_plan", "SOPClassUID"),
        "brachytherapy_type": _each("dicom_plan", "BrachyTreatmentType"),
        "planning_system": _each("dicom_plan", "Manufacturer", "ManufacturerModelName"),
        "plan_relations": _each("dicom_plan", "ReferencedPlans"),
        "dose_references": _each("dicom_plan", "TargetPrescriptionDose"),
        "fraction_groups": _each("dicom_plan", *_GROUPS),
        "beams": _each("dicom_plan", "Beams"),
        "applications": _each("dicom_plan", "Applications"),
        "fingerprint": _each(
            "dicom_plan",
            "TargetPrescriptionDose",
            *_GROUPS,
            "Beams",
            "Applications",
            "FrameOfReferenceUID",
            "SOPClassUID",
            "BrachyTreatmentType",
        ),
        **dict.fromkeys(
            ("prescribed_dose_gy", "dose_levels", "dose_readings", "fractions", "dose_origin"),
            _each("dicom_plan", "TargetPrescriptionDose", *_GROUPS, "Beams"),
        ),
        **dict.fromkeys(
            ("technique", "beam_energy_mv"),
            _each("dicom_plan", *_GROUPS, "Beams", "SOPClassUID", "Manufacturer", "ManufacturerModelName"),
        ),
        "machine": _each("dicom_plan", "Beams"),
    },
    "structure_set": {
        "refers_to": _each("dicom_structure_set", "ReferencedSeries"),
        "roi_names": _each("dicom_structure_set", "ROIName"),
        "roi_types": _each("dicom_structure_set", "RTROIInterpretedType"),
        "series_uids": _each("dicom_structure_set", "ReferencedSeries"),
    },
    "dose": {
        "refers_to": _each("dicom_dose", "ReferencedRTPlan"),
        "dose_units": _each("dicom_dose", "DoseUnits"),
    },
    "image": {
        "series_uid": _each("dicom_image", "SeriesInstanceUID"),
        "slice_thickness_mm": _each("dicom_image", "SliceThickness"),
    },
    "treatment": {
        "refers_to": _each("dicom_treatment", "ReferencedRTPlan"),
        "treatment_date": _each("dicom_treatment", "TreatmentDate"),
        "treatment_time": _each("dicom_treatment", "TreatmentTime"),
        "fraction_number": _each("dicom_treatment", "CurrentFractionNumber"),
        "fraction_group": _each("dicom_treatment", "ReferencedFractionGroupNumber"),
        "content_origin": _each("dicom_treatment", "ContentOrigin"),
        "sessions": _each("dicom_treatment", "Sessions"),
        "group_summaries": _each("dicom_treatment", "FractionGroupSummaries"),
        "fractions_delivered": _each("dicom_treatment", "NumberOfFractionsDelivered"),
        "first_treatment_date": _each("dicom_treatment", "FirstTreatmentDate"),
        "last_treatment_date": _each("dicom_treatment", "MostRecentTreatmentDate"),
        "treatment_status": _each("dicom_treatment", "CurrentTreatmentStatus"),
    },
}
_NO_CELL = (
    "source",
    "master",
    "irradiated",
    "complete",
    "record_id",
    "person_ref",
    "received_on",
    "reported_on",
)


def typed_origins(name: str) -> dict[str, str]:
    """Map each column of ``typed.NAME`` to the received columns it is read from, joined by blanks."""
    received = RECEIVED_FOR[name].split()
    obds = [table for table in received if table.startswith("obds_")]
    base = {
        "record_id": _each(tuple(received), "record_id"),
        "received_on": _each(tuple(received), "first_refresh"),
        "reported_on": " ".join(
            [_each(tuple(obds), "Meldedatum")]
            + ["received.registry_reply.answered_on"] * ("registry_reply" in received)
        ),
        "person_ref": " ".join(
            f"received.{table}.{_NUMBER.get(table, 'Patient_ID')} received.{table}.record_id"
            for table in received
        ),
    }
    if name in OBJECTS:
        table = OBJECTS[name]
        base |= {
            "sop_instance_uid": _each(table, "SOPInstanceUID"),
            "frame_of_reference_uid": _each(table, "FrameOfReferenceUID"),
            "phantom": _each(table, "PatientID", "PatientName"),
            "has_patient_id": _each(table, "PatientID"),
            "has_file_meta": _each(table, "file_meta"),
        }
    declared = base | _TYPED.get(name, {})
    columns = {}
    for c in CONTRACTS[f"typed.{name}"].columns():
        sources = declared.get(c.name, declared.get(c.name.removesuffix("_precision"), ""))
        if "table_row" in received and c.name not in _NO_CELL:
            sources = f"{sources} {_CELLS}"
        if sources:
            columns[c.name] = sources
    return columns
