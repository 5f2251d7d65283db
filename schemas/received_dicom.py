"""Contracts of received DICOM records: plans, structure sets, doses, images and treatment records."""

from __future__ import annotations

import polars as pl

from schemas.received_record import Received, text_column


class DicomRecord(Received):
    """Columns of every DICOM file."""

    SOPClassUID: pl.String = text_column("SOP class")
    SOPInstanceUID: pl.String = text_column("SOP instance", "identifier")
    Modality: pl.String = text_column("Modality")
    PatientID: pl.String = text_column("PatientID", "identifier")
    PatientName: pl.String = text_column("PatientName", "identifier")
    PatientBirthDate: pl.String = text_column("PatientBirthDate", "identifier")
    PatientSex: pl.String = text_column("PatientSex", "quasi-identifier")
    StudyInstanceUID: pl.String = text_column("Study", "identifier")
    SeriesInstanceUID: pl.String = text_column("Series", "identifier")
    FrameOfReferenceUID: pl.String = text_column("Frame of reference", "identifier")
    Manufacturer: pl.String = text_column("Manufacturer")
    ManufacturerModelName: pl.String = text_column("Model")
    file_meta: pl.String = text_column("Whether the file had its meta group: yes or no")


ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"
"""SOP class of an RT Ion Plan (DICOM PS3.4 B.5): protons and heavier ions."""


class DicomPlan(DicomRecord, table="received.dicom_plan"):
    """One RTPLAN file: an RT Plan of photons, electrons or brachytherapy, or an RT Ion Plan."""

    RTPlanLabel: pl.String = text_column("Label of the plan")
    RTPlanDate: pl.String = text_column("Date of the plan", "quasi-identifier")
    PlanIntent: pl.String = text_column("PlanIntent")
    RTPlanGeometry: pl.String = text_column("RTPlanGeometry: PATIENT, TREATMENT_DEVICE")
    ApprovalStatus: pl.String = text_column("ApprovalStatus: APPROVED, UNAPPROVED, REJECTED")
    ReviewDate: pl.String = text_column("Date of the approval", "quasi-identifier")
    BrachyTreatmentType: pl.String = text_column("Kind of brachytherapy: HDR, MDR, LDR, PDR, MANUAL")
    ReferencedStructureSet: pl.String = text_column("SOPInstanceUID of the structure set", "identifier")
    ReferencedPlans: pl.String = text_column(
        "Plans that it refers to; JSON array of {ReferencedSOPInstanceUID, RTPlanRelationship}", "identifier"
    )
    TargetPrescriptionDose: pl.String = text_column(
        "Dose references; JSON array of {DoseReferenceNumber, DoseReferenceType, DoseReferenceStructureType, "
        "DoseReferenceDescription, TargetPrescriptionDose (Gy)}"
    )
    FractionGroups: pl.String = text_column(
        "Fraction groups; JSON array of {FractionGroupNumber, NumberOfFractionsPlanned, "
        "NumberOfBeams, NumberOfBrachyApplicationSetups, "
        "DoseReferences (numbers of the references that it is linked to), "
        "Beams [{ReferencedBeamNumber, BeamDose, BeamMeterset}], "
        "Applications [{ReferencedBrachyApplicationSetupNumber, BrachyApplicationSetupDose}]}"
    )
    NumberOfFractionsPlanned: pl.String = text_column(
        "Fractions; JSON array, one number a fraction group; only of records that came before FractionGroups"
    )
    BeamDose: pl.String = text_column(
        "Dose per fraction in Gy; JSON array, per fraction group the sum of its BeamDose; only of records "
        "that came before FractionGroups"
    )
    Beams: pl.String = text_column(
        "Beams; JSON array of {BeamNumber, BeamType, RadiationType, TreatmentMachineName, Manufacturer, "
        "ManufacturerModelName, TreatmentDeliveryType, SourceAxisDistance, RadiationMassNumber, "
        "RadiationAtomicNumber, NominalBeamEnergy, IsocenterPosition (of the first control point that says "
        "it), GantryRotationDirection and WedgeType (arrays of the values met), ControlPoints (how many), "
        "LeafPositions (how many different shapes of the leaves), Digest (of the control points)}"
    )
    Applications: pl.String = text_column(
        "Application setups of brachytherapy; JSON array of {ApplicationSetupNumber, ApplicationSetupType, "
        "TotalReferenceAirKerma, Digest (of the dwell positions and times)}"
    )
    InstanceCreationDate: pl.String = text_column("Day on which the file was made")


class DicomStructureSet(DicomRecord, table="received.dicom_structure_set"):
    """One RTSTRUCT file."""

    StructureSetLabel: pl.String = text_column("Label")
    StructureSetDate: pl.String = text_column("Date", "quasi-identifier")
    ROIName: pl.String = text_column("Names of the regions of interest; JSON array of strings")
    RTROIInterpretedType: pl.String = text_column(
        "Interpreted types in the same order; JSON array of strings. Different types of one region are "
        "joined by a backslash"
    )
    ReferencedSeries: pl.String = text_column("SeriesInstanceUIDs of the images; JSON array", "identifier")


class DicomDose(DicomRecord, table="received.dicom_dose"):
    """The header of one RTDOSE file."""

    DoseUnits: pl.String = text_column("GY or RELATIVE")
    DoseType: pl.String = text_column("PHYSICAL, EFFECTIVE, ERROR")
    DoseSummationType: pl.String = text_column("PLAN, BEAM, FRACTION …")
    DoseGridScaling: pl.String = text_column("Scaling of the grid")
    ReferencedRTPlan: pl.String = text_column("SOPInstanceUID of the plan", "identifier")


class DicomImage(DicomRecord, table="received.dicom_image"):
    """The header of one CT slice, or of an Enhanced CT that holds a whole series."""

    SliceThickness: pl.String = text_column("Slice thickness in mm")
    KVP: pl.String = text_column("Peak kilovoltage")
    PixelSpacing: pl.String = text_column("Pixel spacing in mm; JSON array")
    ImagePositionPatient: pl.String = text_column("Position in mm; JSON array")


class DicomTreatment(DicomRecord, table="received.dicom_treatment"):
    """One RT treatment record: of beams, ion beams or brachytherapy, or a treatment summary."""

    TreatmentDate: pl.String = text_column("Date of the fraction", "quasi-identifier")
    TreatmentTime: pl.String = text_column("Time of the fraction")
    CurrentFractionNumber: pl.String = text_column("Fraction number; of the first beam that says it")
    NumberOfFractionsPlanned: pl.String = text_column("Fractions planned")
    ReferencedRTPlan: pl.String = text_column("SOPInstanceUID of the plan", "identifier")
    ReferencedFractionGroupNumber: pl.String = text_column("Fraction group of the plan")
    ContentOrigin: pl.String = text_column("TreatmentRecordContentOrigin: where the content comes from")
    Sessions: pl.String = text_column(
        "What was delivered; JSON array of {ReferencedBeamNumber, CurrentFractionNumber, "
        "TreatmentDeliveryType, TreatmentTerminationStatus, SpecifiedMeterset, DeliveredMeterset}"
    )
    FirstTreatmentDate: pl.String = text_column("First day, of a summary", "quasi-identifier")
    MostRecentTreatmentDate: pl.String = text_column("Last day so far, of a summary", "quasi-identifier")
    CurrentTreatmentStatus: pl.String = text_column("Status of the treatment, of a summary")
    FractionGroupSummaries: pl.String = text_column(
        "Summary per fraction group; JSON array of {ReferencedFractionGroupNumber, NumberOfFractionsPlanned, "
        "NumberOfFractionsDelivered, Fractions [{ReferencedFractionNumber, TreatmentDate, "
        "TreatmentTerminationStatus}]}", "quasi-identifier"
    )  # fmt: skip
    NumberOfFractionsDelivered: pl.String = text_column("Fractions delivered, of a summary without groups")


class DicomOther(DicomRecord, table="received.dicom_other"):
    """A DICOM file of a kind that the study does not use."""
