"""Contracts of typed DICOM RT objects: plans, structure sets, doses, planning CT slices, fractions."""

from __future__ import annotations

import polars as pl

from schemas.contract import TextList, column
from schemas.rule import Rule
from schemas.structure_names import TYPES_DIFFER
from schemas.typed_record import Typed, not_after_delivery

PLAN_RULES = (
    Rule(
        "dicom.patient-id-missing",
        "error",
        what="The DICOM file has no PatientID. It cannot be linked to a patient.",
        remedy=(
            "In the treatment planning system, find the patient by the label of the plan. Enter the "
            "PatientID and export the file again."
        ),
        source="DICOM PS3.3 C.7.1.1",
        column="sop_instance_uid",
        holds=pl.col("has_patient_id") | pl.col("phantom"),
        missing="kept",
        waivable=False,
    ),
    Rule(
        "dicom.file-meta-missing",
        "notice",
        what="The file lacks the DICOM preamble and its meta information. It was read.",
        remedy=(
            "Nothing needs to be done. To avoid it, export as DICOM files (PS3.10) with file meta "
            "information."
        ),
        source="DICOM PS3.10 section 7",
        column="sop_instance_uid",
        holds=pl.col("has_file_meta"),
        missing="kept",
    ),
)


class DicomObject(Typed, rules=PLAN_RULES):
    """Columns that link DICOM files to one another."""

    sop_instance_uid: pl.String = column("SOP instance", "Names the object.", identifying="identifier")
    frame_of_reference_uid: pl.String = column(
        "Frame of reference",
        "Shared by images, structures and plan of one planning.",
        identifying="identifier",
    )
    refers_to: pl.String = column(
        "Refers to", "SOP instance of the plan or structure set it refers to.", identifying="identifier"
    )
    phantom: pl.Boolean = column("Phantom", "Whether it is nobody's (quality assurance).", nullable=False)
    has_patient_id: pl.Boolean = column("Has PatientID", "Whether PatientID is filled.", nullable=False)
    has_file_meta: pl.Boolean = column("Has file meta", "Whether the meta group is there.", nullable=False)


_OF_PHOTONS = ("VMAT", "helical tomotherapy", "static IMRT", "3D conformal")


class Plan(
    DicomObject,
    table="typed.plan",
    rules=(
        Rule(
            "plan.phantom",
            "notice",
            what="The plan is a quality assurance plan of a phantom. It is not used.",
            remedy="Nothing needs to be done. To avoid it, leave such plans out of the DICOM export.",
            source="DICOM PS3.3 C.8.8.9",
            column="phantom",
            holds=~pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.prescription-from-beam-dose",
            "notice",
            what=(
                "The plan has no TargetPrescriptionDose. The dose is computed as beam dose times fractions."
            ),
            remedy=(
                "In the treatment planning system, enter the prescription of the target if the computed"
                " dose is wrong, and export the plan again."
            ),
            source="DICOM PS3.3 C.8.8.10",
            column="dose_origin",
            holds=(pl.col("dose_origin") != "beam dose") | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.dose-missing",
            "warning",
            what="The plan has neither TargetPrescriptionDose nor BeamDose.",
            remedy="In the treatment planning system, enter the prescription and export the plan again.",
            source="DICOM PS3.3 C.8.8.10",
            column="prescribed_dose_gy",
            holds=pl.col("prescribed_dose_gy").is_not_null()
            | (pl.col("dose_readings") > 0).fill_null(False)
            | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.fractions-missing",
            "warning",
            what="The plan does not state its number of fractions.",
            remedy=(
                "In the treatment planning system, enter NumberOfFractionsPlanned and export the plan again."
            ),
            source="DICOM PS3.3 C.8.8.13 NumberOfFractionsPlanned",
            column="fractions",
            holds=pl.col("fractions").is_not_null()
            | (pl.col("dose_readings") > 1).fill_null(False)
            | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.dose-per-fraction-implausible",
            "warning",
            what="The prescribed dose divided by the fractions is not between 1 and 12 Gy.",
            remedy=(
                "In the treatment planning system, compare TargetPrescriptionDose and "
                "NumberOfFractionsPlanned with the prescription."
            ),
            source="ICRU 83",
            column="fractions",
            holds=(pl.col("prescribed_dose_gy") / pl.col("fractions")).is_between(1, 12) | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.dose-implausible",
            "warning",
            what="The plan prescribes less than 1 or more than 100 Gy.",
            remedy=(
                "In the treatment planning system, compare TargetPrescriptionDose with the "
                "prescription. Look for cGy instead of Gy."
            ),
            source="ICRU 83; DICOM PS3.3 C.8.8.10",
            column="prescribed_dose_gy",
            holds=pl.col("prescribed_dose_gy").is_between(1, 100) | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.technique-unknown",
            "notice",
            what="The technique cannot be derived from the plan's beams.",
            remedy=(
                "In the treatment planning system, look at the plan's beams and export the plan again "
                "with them. Without a technique the patient is not eligible for an IMRT study."
            ),
            source="DICOM PS3.3 C.8.8.14 GantryRotationDirection",
            column="technique",
            holds=(pl.col("technique") != "unknown") | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.energy-implausible",
            "warning",
            what="The nominal beam energy is not between 4 and 25 MV.",
            remedy=(
                "In the treatment planning system, check the unit of NominalBeamEnergy, and whether the"
                " plan uses photons."
            ),
            source="DICOM PS3.3 C.8.8.14 NominalBeamEnergy",
            column="beam_energy_mv",
            holds=pl.col("beam_energy_mv").is_between(4, 25) | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.energy-missing",
            "notice",
            what="No photon beam of the plan states its nominal energy.",
            remedy="In the treatment planning system, export the plan with NominalBeamEnergy.",
            source="DICOM PS3.3 C.8.8.14 NominalBeamEnergy",
            column="beam_energy_mv",
            holds=pl.col("beam_energy_mv").is_not_null()
            | ~pl.col("technique").is_in(_OF_PHOTONS).fill_null(False)
            | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "plan.date-missing",
            "notice",
            what="The plan has no RTPlanDate. It cannot be assigned to one of several courses.",
            remedy=(
                "For a patient with one course nothing needs to be done. Otherwise, in the treatment "
                "planning system, export the plan with RTPlanDate."
            ),
            source="DICOM PS3.3 C.8.8.9 RTPlanDate",
            column="plan_date",
            holds=pl.col("plan_date").is_not_null() | pl.col("phantom"),
            missing="kept",
        ),
        *not_after_delivery("plan_date"),
    ),
):
    """One radiotherapy plan."""

    plan_date: pl.Date = column("Date of the plan", "RTPlanDate.", identifying="quasi-identifier")
    plan_label: pl.String = column("Label", "RTPlanLabel.", identifying="identifier")
    plan_intent: pl.String = column("Intent", "PlanIntent.", vocabulary="plan_intent")
    plan_geometry: pl.String = column("Geometry", "RTPlanGeometry: PATIENT or TREATMENT_DEVICE.")
    approval: pl.String = column("Approval", "ApprovalStatus.", vocabulary="approval")
    review_date: pl.Date = column(
        "Date of the review", "Day of the approval or rejection.", identifying="quasi-identifier"
    )
    ion_plan: pl.Boolean = column("Ion plan", "Whether it is an RT Ion Plan.")
    brachytherapy_type: pl.String = column("Brachytherapy", "BrachyTreatmentType: HDR, LDR, PDR …")
    planning_system: pl.String = column("Planning system", "Manufacturer and model of the plan.")
    plan_relations: pl.String = column(
        "Relations", "Plans that it refers to, with RTPlanRelationship; JSON.", identifying="identifier"
    )
    dose_references: pl.String = column(
        "Dose references", "As delivered, with numbers and types; JSON.", identifying="identifier"
    )
    fraction_groups: pl.String = column(
        "Fraction groups", "As delivered, with their links, beam doses and monitor units; JSON."
    )
    beams: pl.String = column(
        "Beams", "As delivered: type, radiation, energy, isocentre, control points; JSON."
    )
    applications: pl.String = column("Applications", "Application setups of brachytherapy; JSON.")
    fingerprint: pl.String = column(
        "Fingerprint",
        "Hash of beams, monitor units, control points, isocentre, frame of reference and prescription: the "
        "same for the same plan under another UID, date, label or approval.",
    )
    prescribed_dose_gy: pl.Float64 = column(
        "Prescribed dose", "Highest target level; empty where documentation must decide.", unit="Gy"
    )
    dose_levels: pl.Int32 = column("Dose levels", "Number of distinct target doses in the plan.")
    dose_readings: pl.Int32 = column(
        "Readings of the dose",
        "In how many ways its fraction groups may be read as a dose; several: documentation decides.",
    )
    fractions: pl.Int32 = column("Fractions", "NumberOfFractionsPlanned; empty for 0.")
    dose_origin: pl.String = column("Origin of the dose", "How the dose was had.", vocabulary="dose_origin")
    technique: pl.String = column("Technique", "As the beams show it.", vocabulary="technique")
    beam_energy_mv: pl.Float64 = column(
        "Energy", "NominalBeamEnergy of the photon beams that give most of the dose.", unit="MV"
    )
    machine: pl.String = column("Machine", "TreatmentMachineName and model.")


class StructureSet(
    DicomObject,
    table="typed.structure_set",
    rules=(
        Rule(
            "structures.no-target",
            "warning",
            what="No region of interest is named like a target (GTV, CTV, PTV).",
            remedy=(
                "In the treatment planning system, name the target volumes as in ICRU 83, or export the "
                "structure set that was used for treatment."
            ),
            source="ICRU 83; DICOM PS3.3 C.8.8.5 ROIName",
            column="roi_names",
            holds=pl.col("roi_names")
            .list.eval(pl.element().str.contains(r"(?i)[gcip]tv|target|boost"))
            .list.any()
            | pl.col("phantom"),
            missing="kept",
        ),
        Rule(
            "structures.types-differ",
            "warning",
            what="A region of interest is observed several times with different types "
            "(RTROIInterpretedType). None of them is used: the name of the structure decides what it is.",
            remedy="In the treatment planning system, keep the right type of the structure and export the "
            "structure set again. If the name alone must decide, map it in [[structures]] of study.toml.",
            source="DICOM PS3.3 C.8.8.8 RTROIInterpretedType",
            column="roi_types",
            holds=pl.col("roi_types")
            .list.eval(pl.element().str.contains(TYPES_DIFFER, literal=True).fill_null(False))
            .list.any()
            .not_()
            | pl.col("phantom"),
            missing="kept",
        ),
    ),
):
    """One set of structures."""

    roi_names: TextList = column("Regions of interest", "ROI names.")
    roi_types: TextList = column(
        "Types of the regions",
        "RTROIInterpretedType in the order of the names; different types of one region are joined by a "
        "backslash.",
    )
    series_uids: TextList = column(
        "Series", "SeriesInstanceUIDs of the images that it was drawn on.", identifying="identifier"
    )


class Dose(
    DicomObject,
    table="typed.dose",
    rules=(
        Rule(
            "dose.relative",
            "notice",
            what="The dose distribution is relative (DoseUnits RELATIVE). It has no dose in Gy.",
            remedy=(
                "In the treatment planning system, export the dose with DoseUnits GY if doses are to be"
                " evaluated."
            ),
            source="DICOM PS3.3 C.8.8.3 DoseUnits",
            column="dose_units",
            holds=(pl.col("dose_units") != "RELATIVE") | pl.col("phantom"),
            missing="kept",
        ),
    ),
):
    """The header of one dose distribution."""

    dose_units: pl.String = column("Dose units", "GY or RELATIVE.")


class Image(
    DicomObject,
    table="typed.image",
    rules=(
        Rule(
            "ct.slice-thickness-implausible",
            "warning",
            what="The slice thickness is not between 0.4 and 10 mm.",
            remedy=(
                "In the treatment planning system, check that the exported series is the planning CT, "
                "and its SliceThickness."
            ),
            source="DICOM PS3.3 C.7.6.2 SliceThickness",
            column="slice_thickness_mm",
            holds=pl.col("slice_thickness_mm").is_between(0.4, 10),
            missing="kept",
        ),
        Rule(
            "ct.slice-thickness-missing",
            "notice",
            what="The slice does not state its thickness.",
            remedy=(
                "If other slices of the series state it, nothing needs to be done. Otherwise export the"
                " series again from the CT scanner or the archive (PACS)."
            ),
            source="DICOM PS3.3 C.7.6.2 SliceThickness (type 2)",
            column="slice_thickness_mm",
            holds=pl.col("slice_thickness_mm").is_not_null(),
            missing="kept",
        ),
    ),
):
    """One slice of the planning CT."""

    series_uid: pl.String = column("Series", "SeriesInstanceUID.", identifying="identifier")
    slice_thickness_mm: pl.Float64 = column("Slice thickness", "SliceThickness.", unit="mm")


class Treatment(DicomObject, table="typed.treatment", rules=not_after_delivery("treatment_date")):
    """One treatment record: a delivered fraction, or a part or a summary of several."""

    treatment_date: pl.Date = column("Date of the fraction", "TreatmentDate.", identifying="quasi-identifier")
    treatment_time: pl.String = column("Time of the fraction", "TreatmentTime.")
    fraction_number: pl.Int32 = column("Fraction", "CurrentFractionNumber.")
    fraction_group: pl.String = column("Fraction group", "ReferencedFractionGroupNumber.")
    content_origin: pl.String = column("Origin of the content", "TreatmentRecordContentOrigin.")
    sessions: pl.String = column(
        "Sessions", "Per beam: fraction, kind of delivery, termination and monitor units; JSON."
    )
    group_summaries: pl.String = column(
        "Summaries", "Per fraction group, of a treatment summary; JSON.", identifying="quasi-identifier"
    )
    fractions_delivered: pl.Int32 = column("Fractions delivered", "Of a summary without groups.")
    first_treatment_date: pl.Date = column(
        "First day", "FirstTreatmentDate of a summary.", identifying="quasi-identifier"
    )
    last_treatment_date: pl.Date = column(
        "Last day", "MostRecentTreatmentDate of a summary.", identifying="quasi-identifier"
    )
    treatment_status: pl.String = column("Status", "CurrentTreatmentStatus of a summary.")
