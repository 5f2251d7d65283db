"""Column lineage of the typed layer: the delivered texts that each typed column is read from."""

from __future__ import annotations

from schemas.contract import CONTRACTS

_PERSON = "registry_reply obds_patient dicom_plan"
_REPORTS = ("obds_diagnosis", "obds_pathology", "obds_surgery", "obds_follow_up")
_OBDS_HISTOLOGY = ("obds_diagnosis", "obds_pathology")


def _each(tables: str | tuple[str, ...], *columns: str) -> str:
    names = tables.split() if isinstance(tables, str) else tables
    return " ".join(f"received.{table}.{column}" for table in names for column in columns)


_CELLS = "received.table_row.values"
"""A row of a table: sources.toml says which of its cells is which column."""

OBJECTS = {
    "plan": "dicom_plan", "structure_set": "dicom_structure_set", "dose": "dicom_dose",
    "image": "dicom_image", "treatment": "dicom_treatment",
}  # fmt: skip

RECEIVED_FOR = {
    "person": f"{_PERSON} table_row",
    "diagnosis": "obds_diagnosis obds_pathology table_row",
    "surgery": "obds_surgery table_row",
    "radiotherapy": "obds_radiotherapy table_row",
    "systemic_therapy": "obds_systemic_therapy table_row",
    "assessment": "obds_follow_up table_row",
    "metastasis": "obds_diagnosis obds_pathology obds_surgery obds_follow_up",
    "vital_status": "registry_reply obds_death table_row",
    **OBJECTS,
}

_NUMBER = {"registry_reply": "hospital_number", "table_row": "values"} | dict.fromkeys(
    OBJECTS.values(), "PatientID"
)

_DATE_GRADED = ("Diagnosedatum", "Diagnosedatum_Datumsgenauigkeit")

_GROUPS = ("FractionGroups", "NumberOfFractionsPlanned", "BeamDose")

_TYPED: dict[str, dict[str, str]] = {
    "person": {
        "hospital_number": f"received.registry_reply.hospital_number received.obds_patient.Patient_ID "
        f"received.dicom_plan.PatientID {_CELLS}",
        "family_name": "received.registry_reply.family_name received.obds_patient.Nachname "
        "received.dicom_plan.PatientName",
        "given_names": "received.registry_reply.given_names received.obds_patient.Vornamen "
        "received.dicom_plan.PatientName",
        "birth_date": "received.registry_reply.birth_date received.obds_patient.Geburtsdatum "
        "received.obds_patient.Geburtsdatum_Datumsgenauigkeit received.dicom_plan.PatientBirthDate",
        "sex": "received.registry_reply.sex received.obds_patient.Geschlecht received.dicom_plan.PatientSex",
    },
    "diagnosis": {
        "tumour_id": _each(_OBDS_HISTOLOGY, "Tumor_ID"),
        "diagnosis_date": _each("obds_diagnosis", *_DATE_GRADED),
        "icd10_code": _each(_OBDS_HISTOLOGY, "Primaertumor_ICD"),
        "icdo3_topography": _each(_OBDS_HISTOLOGY, "Primaertumor_Topographie_ICD_O"),
        "icdo3_morphology": _each(_OBDS_HISTOLOGY, "Morphologie_ICD_O"),
        "laterality": "received.obds_diagnosis.Seitenlokalisation",
        "histologically_confirmed": _each(_OBDS_HISTOLOGY, "Diagnosesicherung"),
        "grade": _each(_OBDS_HISTOLOGY, "Grading"),
        "fnclcc_grade": _each(_OBDS_HISTOLOGY, "Menge_Weitere_Klassifikation"),
        "t_stage": _each(_OBDS_HISTOLOGY, "T"),
        "n_stage": _each(_OBDS_HISTOLOGY, "N"),
        "m_stage": _each(_OBDS_HISTOLOGY, "M"),
        "tnm_edition": _each(_OBDS_HISTOLOGY, "TNM_Version"),
        "distant_metastasis": _each(_OBDS_HISTOLOGY, "M", "Menge_FM"),
    },
    "surgery": {
        "tumour_id": _each("obds_surgery", "Tumor_ID"),
        "module_id": _each("obds_surgery", "Module_ID"),
        "surgery_date": _each("obds_surgery", "Datum"),
        "intent": _each("obds_surgery", "Intention"),
        "ops_codes": _each("obds_surgery", "Menge_OPS"),
        "residual_status": _each(
            "obds_surgery", "Lokale_Beurteilung_Residualstatus", "Gesamtbeurteilung_Residualstatus"
        ),
    },
    "radiotherapy": {
        "tumour_id": _each("obds_radiotherapy", "Tumor_ID"),
        "module_id": _each("obds_radiotherapy", "Module_ID"),
        "start_date": _each("obds_radiotherapy", "Beginn"),
        "end_date": _each("obds_radiotherapy", "Ende"),
        "intent": _each("obds_radiotherapy", "Intention"),
        "radiation_sequence": _each("obds_radiotherapy", "Stellung_OP"),
        "report_id": _each("obds_radiotherapy", "Meldung_ID"),
        "part": _each("obds_radiotherapy", "position"),
        "application": _each("obds_radiotherapy", "Applikationsart"),
        "radiation": _each("obds_radiotherapy", "Strahlenart", "Applikationsart"),
        "target_region": _each("obds_radiotherapy", "Zielgebiet"),
        "target_side": _each("obds_radiotherapy", "Seite_Zielgebiet"),
        "prescribed_dose_gy": _each(
            "obds_radiotherapy", "Gesamtdosis", "Gesamtdosis_Einheit", "Applikationsart"
        ),
        "single_dose_gy": _each("obds_radiotherapy", "Einzeldosis", "Einzeldosis_Einheit", "Applikationsart"),
        "activity_gbq": _each("obds_radiotherapy", "Gesamtdosis", "Gesamtdosis_Einheit"),
        "stereotactic": _each("obds_radiotherapy", "Stereotaktisch", "Applikationsart"),
        "boost": _each("obds_radiotherapy", "Boost"),
        "end_reason": _each("obds_radiotherapy", "Ende_Grund"),
        "irradiated": _each("obds_radiotherapy", "Applikationsart", "Beginn", "Ende", "Gesamtdosis"),
    },
    "systemic_therapy": {
        "kind": _each("obds_systemic_therapy", "Therapieart"),
        "protocol": _each("obds_systemic_therapy", "Protokoll"),
        "start_date": _each("obds_systemic_therapy", "Beginn", "Beginn_Datumsgenauigkeit"),
    },
    "assessment": {
        "tumour_id": _each("obds_follow_up", "Tumor_ID"),
        "module_id": _each("obds_follow_up", "Module_ID"),
        "assessment_date": _each("obds_follow_up", "Untersuchungsdatum_Verlauf"),
        "overall_status": _each("obds_follow_up", "Gesamtbeurteilung_Tumorstatus"),
        "local_status": _each("obds_follow_up", "Verlauf_Lokaler_Tumorstatus"),
        "regional_status": _each("obds_follow_up", "Verlauf_Tumorstatus_Lymphknoten"),
        "distant_status": _each("obds_follow_up", "Verlauf_Tumorstatus_Fernmetastasen"),
        "distant_site": _each("obds_follow_up", "Menge_FM"),
        "distant_date": _each("obds_follow_up", "Menge_FM"),
    },
    "metastasis": {
        "tumour_id": _each(_REPORTS, "Tumor_ID"),
        "metastasis_date": _each(_REPORTS, "Menge_FM"),
        **{c: _each(_REPORTS, "Menge_FM") for c in ("site", "extent", "origin")},
        "reported_date": "received.obds_pathology.Tumor_Histologiedatum received.obds_surgery.Datum "
        "received.obds_follow_up.Untersuchungsdatum_Verlauf",
    },
    "vital_status": {
        "status": "received.registry_reply.answer received.obds_death.Sterbedatum",
        "status_date": "received.registry_reply.answer received.registry_reply.event_date "
        "received.registry_reply.answered_on received.obds_death.Sterbedatum",
        "tumour_related": _each("obds_death", "Tod_tumorbedingt"),
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
    """Column of ``typed.NAME`` to the received columns that it is read from, as words between spaces."""
    received = RECEIVED_FOR[name].split()
    obds = [table for table in received if table.startswith("obds_")]
    base = {
        "record_id": _each(tuple(received), "record_id"),
        "received_on": _each(tuple(received), "first_refresh"),
        "reported_on": _each(tuple(obds), "Meldedatum"),
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
    declared = base | _TYPED[name]
    columns = {}
    for c in CONTRACTS[f"typed.{name}"].columns():
        sources = declared.get(c.name, declared.get(c.name.removesuffix("_precision"), ""))
        if "table_row" in received and c.name not in _NO_CELL:
            sources = f"{sources} {_CELLS}"
        if sources:
            columns[c.name] = sources
    return columns
