"""Contracts of received records: text exactly as delivered, and its provenance.

Every delivered column is text and may be missing; ``typed`` judges whether a value makes sense. Column names
are those of the sources (oBDS elements, DICOM attributes), so that a steward can find them there.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.contract import Contract, Identifying, column


class Received(Contract):
    """Provenance that every received record carries."""

    record_id: pl.String = column(
        "Record",
        "Hash of source, key and content; names the record everywhere. A copy has the suffix -2, -3, ….",
        nullable=False,
    )
    file_id: pl.String = column("File", "Key of meta.files: the version of the file read.", nullable=False)
    position: pl.String = column(
        "Position", "Where in the file: line, element path, sheet row or 'file'.", nullable=False
    )
    ordinal: pl.Int64 = column("Ordinal", "Place among the records of its file, from 1.")
    record_key: pl.String = column(
        "Record key",
        "Hash of the record's business key (patient number and Meldung, reference, SOPInstanceUID); "
        "the same from night to night, whatever the content.",
        nullable=False,
    )
    content_hash: pl.String = column(
        "Content hash", "Hash of the delivered values; equal for exact duplicates.", nullable=False
    )
    first_refresh: pl.String = column("First refresh", "Refresh that first received it.", nullable=False)
    last_refresh: pl.String = column(
        "Last refresh", "Last refresh that still received it; null while the file holds it."
    )


PROVENANCE = (
    "record_id",
    "file_id",
    "position",
    "ordinal",
    "record_key",
    "content_hash",
    "first_refresh",
    "last_refresh",
)


def _text(description: str, identifying: Identifying = "clinical") -> Any:
    return column(description.split(";")[0].split(",")[0], description, identifying=identifying)


class RegistryReply(Received, table="received.registry_reply"):
    """One reply of a registry office about one person."""

    reference: pl.String = _text("Reference of the office", "identifier")
    hospital_number: pl.String = _text("Patient number of the hospital; often missing", "identifier")
    family_name: pl.String = _text("Family name", "identifier")
    given_names: pl.String = _text("Given names", "identifier")
    birth_name: pl.String = _text("Family name at birth", "identifier")
    former_names: pl.String = _text("Former family names", "identifier")
    name_prefix: pl.String = _text("Prefix of the name (von, zu, van der): not compared", "identifier")
    title: pl.String = _text("Academic title: not compared", "identifier")
    birth_date: pl.String = _text("Date of birth", "identifier")
    sex: pl.String = _text("Sex", "quasi-identifier")
    answer: pl.String = _text("Answer: alive, deceased, moved, no information")
    event_date: pl.String = _text("Date of death or of moving away", "quasi-identifier")
    place_of_death: pl.String = _text("Place of death; nothing uses it", "quasi-identifier")
    answered_on: pl.String = _text("Date at which the answer held", "quasi-identifier")
    unmapped_cells: pl.String = _text(
        "Cells of columns that sources.toml does not map; JSON object of header to cell", "identifier"
    )


NO_NAMESPACE = " (no namespace)"
"""Mark that the oBDS reader adds to ``Schema_Version`` if the export lacks the oBDS namespace."""


class ObdsRecord(Received):
    """Columns of every oBDS record, with those of its Patient and file."""

    Patient_ID: pl.String = _text("Patient_ID of the enclosing Patient", "identifier")
    Meldedatum: pl.String = _text("Meldedatum of the export")
    Schema_Version: pl.String = _text("Schema_Version of the export")
    Absender_ID: pl.String = _text("Sender of the export")
    repeated_elements: pl.String = _text(
        "Single elements that came again; JSON object of path to all texts, of which the last counts",
        "identifier",
    )
    unknown_elements: pl.String = _text("What no column takes; JSON object of path to texts", "identifier")


class ObdsPatient(ObdsRecord, table="received.obds_patient"):
    """One oBDS Patient with its Patienten_Stammdaten."""

    Nachname: pl.String = _text("Family name", "identifier")
    Vornamen: pl.String = _text("Given names", "identifier")
    Geburtsname: pl.String = _text("Name at birth", "identifier")
    Titel: pl.String = _text("Title", "identifier")
    Namenszusatz: pl.String = _text("Suffix of the name (Freiherr, Graf …)", "identifier")
    Namensvorsatz: pl.String = _text("Prefix of the name (von, de …)", "identifier")
    Menge_Frueherer_Name: pl.String = _text("Former names; JSON array of strings", "identifier")
    Geschlecht: pl.String = _text("Sex: M W D X U", "quasi-identifier")
    Geburtsdatum: pl.String = _text("Date of birth", "identifier")
    Geburtsdatum_Datumsgenauigkeit: pl.String = _text("Precision of the date of birth: E T M V")
    Anmerkung: pl.String = _text("Remark about the patient", "identifier")
    Software_ID: pl.String = _text("Program that exported")
    Software_Version: pl.String = _text("Version of the program that exported")
    Installations_ID: pl.String = _text("Installation of the program that exported")


class ObdsMeldung(ObdsRecord):
    """Columns of a Meldung and its Tumorzuordnung."""

    Meldung_ID: pl.String = _text("Meldung_ID", "identifier")
    Melder_ID: pl.String = _text("Who tells it: often a word of the file only")
    Melder_IKNR: pl.String = _text("Number of the institution (IKNR) of who tells it; from Menge_Melder")
    Meldebegruendung: pl.String = _text("Why it may be told: I A D W V; W is an objection")
    Einwilligung_nicht_meldepflichtig: pl.String = _text("Consent to what need not be told: J N")
    Zertifizierung: pl.String = _text("Case of a certified centre: 1 2 3")
    Eigene_Leistung: pl.String = _text("Whether the Melder did it: J N U")
    Anmerkung: pl.String = _text("Remark", "identifier")
    Menge_Zusatzitem: pl.String = _text(
        "Further items; JSON array of {Datum, Datum_Datumsgenauigkeit, Art, Wert, Bemerkung}", "identifier"
    )
    Tumor_ID: pl.String = _text("Tumor_ID", "identifier")
    Primaertumor_ICD: pl.String = _text("ICD-10 code of the primary (Tumorzuordnung)")
    Primaertumor_ICD_Version: pl.String = _text("Version of the ICD-10")
    Diagnosedatum: pl.String = _text("Date of diagnosis (Tumorzuordnung)", "quasi-identifier")
    Diagnosedatum_Datumsgenauigkeit: pl.String = _text("Precision of the date of diagnosis: E T M V")
    Seitenlokalisation: pl.String = _text("Side: L R B M U T")
    Tumorzuordnung_Morphologie: pl.String = _text("ICD-O-3 morphology of the Tumorzuordnung")
    Tumorzuordnung_Morphologie_Version: pl.String = _text("Version of that morphology: 31 32 33 bb")
    Module_ID: pl.String = _text("Id of the module (OP_ID, ST_ID, SYST_ID, Verlauf_ID …)", "identifier")


class ObdsHistology(ObdsMeldung):
    """Histologie, TNM and further classifications, which Diagnose, Pathologie, OP and Verlauf may contain."""

    Histologie: pl.String = _text(
        "Histologies; JSON array of {Histologie_ID, Tumor_Histologiedatum, "
        "Tumor_Histologiedatum_Datumsgenauigkeit, Histologie_EinsendeNr, Morphologie_ICD_O (array of {Code, "
        "Version}), Morphologie_Freitext, Grading, LK_untersucht, LK_befallen, Sentinel_LK_untersucht, "
        "Sentinel_LK_befallen}",
        "identifier",
    )
    TNM: pl.String = _text(
        "TNM classifications; JSON array of {kind (cTNM, pTNM, TNM), ID, Datum, Version, y_Symbol, r_Symbol, "
        "a_Symbol, c_p_u_Praefix_T, T, m_Symbol, c_p_u_Praefix_N, N, c_p_u_Praefix_M, M, L, V, Pn, S, "
        "UICC_Stadium}",
        "quasi-identifier",
    )
    Tumor_Histologiedatum: pl.String = _text("Date of histology", "quasi-identifier")
    Morphologie_ICD_O: pl.String = _text("ICD-O-3 morphology codes; JSON array of strings")
    Grading: pl.String = _text("Grading: 0-4 X L M H B U T")
    T: pl.String = _text("T category")
    N: pl.String = _text("N category")
    M: pl.String = _text("M category")
    TNM_Version: pl.String = _text("Edition of the TNM")
    TNM_kind: pl.String = _text("Which TNM was read: cTNM, pTNM or TNM")
    Menge_Weitere_Klassifikation: pl.String = _text(
        "Further classifications; JSON array of {Name, Stadium, Datum, Datum_Datumsgenauigkeit}"
    )
    Menge_Genetik: pl.String = _text(
        "Genetic variants; JSON array of {Datum, Datum_Datumsgenauigkeit, Bezeichnung, Auspraegung, "
        "Sonstige_Auspraegung}"
    )
    Menge_FM: pl.String = _text(
        "Distant metastases; JSON array of {Diagnosedatum, Datumsgenauigkeit, Lokalisation}",
        "quasi-identifier",
    )
    Studienteilnahme_Datum: pl.String = _text("Date of inclusion in a trial", "quasi-identifier")
    Studienteilnahme_NU: pl.String = _text("No trial, or not known: N U")


class ObdsPrimary(ObdsHistology):
    """Columns of the primary in Diagnose and Pathologie."""

    Primaertumor_Topographie_ICD_O: pl.String = _text("ICD-O-3 topography")
    Primaertumor_Topographie_ICD_O_Version: pl.String = _text("Version of the topography: 31 32 33")
    Primaertumor_Topographie_Freitext: pl.String = _text("Site in words", "identifier")
    Primaertumor_Diagnosetext: pl.String = _text("Diagnosis in words", "identifier")
    Diagnosesicherung: pl.String = _text("Certainty of the diagnosis: 1-9, 7.1, 7.2 …")


class ObdsDiagnosis(ObdsPrimary, table="received.obds_diagnosis"):
    """One oBDS Meldung of a Diagnose."""

    Menge_Fruehere_Tumorerkrankung: pl.String = _text(
        "Earlier tumours; JSON array of {Freitext, ICD, ICD_Version, Diagnosedatum (a year)}", "identifier"
    )
    Allgemeiner_Leistungszustand: pl.String = _text("ECOG 0-4 U, or Karnofsky in per cent")


class ObdsPathology(ObdsPrimary, table="received.obds_pathology"):
    """One oBDS Meldung of a Pathologie."""

    Lokale_Beurteilung_Residualstatus: pl.String = _text("Local residual status: R0 R1 R2 RX U …")
    Befundtext: pl.String = _text("Report in words", "identifier")


class ObdsSurgery(ObdsHistology, table="received.obds_surgery"):
    """One oBDS Meldung of an OP."""

    Intention: pl.String = _text("Intention: K P D R S X")
    Datum: pl.String = _text("Date of surgery", "quasi-identifier")
    Menge_OPS: pl.String = _text("OPS codes; JSON array of strings")
    Menge_OPS_Version: pl.String = _text("Their versions in the same order; JSON array of strings")
    Lokale_Beurteilung_Residualstatus: pl.String = _text("Local residual status: R0 R1 R2 RX U …")
    Gesamtbeurteilung_Residualstatus: pl.String = _text("Overall residual status")
    Komplikation_nein_oder_unbekannt: pl.String = _text("No complication, or not known: N U")
    Menge_Komplikation: pl.String = _text("Complications; JSON array of {Kuerzel, ICD, ICD_Version}")


class ObdsTreatment(ObdsMeldung):
    """Columns that radiotherapy and systemic therapy share."""

    Meldeanlass: pl.String = _text("Occasion: behandlungsbeginn, behandlungsende")
    Intention: pl.String = _text("Intention: K P O S X")
    Stellung_OP: pl.String = _text("Relation to surgery: O A N I Z S")
    Beginn: pl.String = _text("First day", "quasi-identifier")
    Ende: pl.String = _text("Last day", "quasi-identifier")
    Ende_Grund: pl.String = _text("Why it ended: E F A P S V T U …")
    Grad_maximal2_oder_unbekannt: pl.String = _text("Side effects up to grade 2, or not known: K 1 2 U")
    Menge_Nebenwirkung: pl.String = _text(
        "Side effects of grade 3 to 5; JSON array of {Bezeichnung, MedDRA_Code, Grad, Version}"
    )
    Studienteilnahme_Datum: pl.String = _text("Date of inclusion in a trial", "quasi-identifier")
    Studienteilnahme_NU: pl.String = _text("No trial, or not known: N U")


class ObdsRadiotherapy(ObdsTreatment, table="received.obds_radiotherapy"):
    """One Bestrahlung of an oBDS Meldung of an ST (an ST without Bestrahlung: one row, values missing)."""

    Applikationsart: pl.String = _text(
        "Kind: Perkutan, Kontakt, Metabolisch, Sonstige; null without Bestrahlung"
    )
    Radiochemo: pl.String = _text("Percutaneous, with chemotherapy: RCJ RCN")
    Stereotaktisch: pl.String = _text("Percutaneous, stereotactic: ST")
    Atemgetriggert: pl.String = _text("Percutaneous, gated: 4D")
    Interstitiell_endokavitaer: pl.String = _text("Brachytherapy: I interstitial, K endocavitary")
    Rate_Type: pl.String = _text("Dose rate of a brachytherapy: HDR LDR PDR")
    Metabolisch_Typ: pl.String = _text("Radionuclide therapy: SIRT PRRT PSMA RJT RIT M")
    Zielgebiet: pl.String = _text("Target region code, a string: 2.1 and 2.10 differ")
    Zielgebiet_CodeVersion: pl.String = _text("Code list of the target region: 2014 or 2021")
    Seite_Zielgebiet: pl.String = _text("Side of the target region")
    Strahlenart: pl.String = _text("Radiation: UH EL PN …")
    Gesamtdosis: pl.String = _text("Total dose in its unit")
    Gesamtdosis_Einheit: pl.String = _text("Unit of the total dose: Gy, or GBq MBq kBq")
    Einzeldosis: pl.String = _text("Single dose in its unit")
    Einzeldosis_Einheit: pl.String = _text("Unit of the single dose: Gy, or GBq MBq kBq")
    Boost: pl.String = _text("Boost: J SIB SEQ KON N")


class ObdsSystemicTherapy(ObdsTreatment, table="received.obds_systemic_therapy"):
    """One oBDS Meldung of a SYST."""

    Therapieart: pl.String = _text("Kind of therapy: CH HO IM …")
    Protokoll: pl.String = _text("Protocol")
    Beginn_Datumsgenauigkeit: pl.String = _text("Precision of the first day: E T")
    Menge_Substanz: pl.String = _text("Substances; JSON array of {Bezeichnung, ATC, ATC_Version}")


class ObdsFollowUp(ObdsHistology, table="received.obds_follow_up"):
    """One oBDS Meldung of a Verlauf."""

    Meldeanlass: pl.String = _text("Occasion: statusaenderung, statusmeldung")
    Untersuchungsdatum_Verlauf: pl.String = _text("Date of the examination", "quasi-identifier")
    Gesamtbeurteilung_Tumorstatus: pl.String = _text("Overall status: V T K P D B R Y U X (Y is relapse)")
    Verlauf_Lokaler_Tumorstatus: pl.String = _text("Local status: K T P N R F U X (R is relapse)")
    Verlauf_Tumorstatus_Lymphknoten: pl.String = _text("Regional lymph nodes: K T P N R F U X")
    Verlauf_Tumorstatus_Fernmetastasen: pl.String = _text("Distant metastases: K T P N R F U X")
    Allgemeiner_Leistungszustand: pl.String = _text("ECOG 0-4 U, or Karnofsky in per cent")


class ObdsDeath(ObdsMeldung, table="received.obds_death"):
    """One oBDS Meldung of a Tod."""

    Sterbedatum: pl.String = _text("Date of death", "quasi-identifier")
    Tod_tumorbedingt: pl.String = _text("Whether the tumour caused it: J N U")
    Menge_Todesursachen: pl.String = _text("ICD-10 causes of death; JSON array of {Code, Version}")


class ObdsTumourBoard(ObdsMeldung, table="received.obds_tumour_board"):
    """One oBDS Meldung of a Tumorkonferenz."""

    Meldeanlass: pl.String = _text("Occasion: behandlungsbeginn, behandlungsende, statusaenderung …")
    Datum: pl.String = _text("Date of the tumour board", "quasi-identifier")
    Datum_Datumsgenauigkeit: pl.String = _text("Precision of the date: E T")
    Typ: pl.String = _text("praeth, postop, postth …")
    Menge_Typ_Therapieempfehlung: pl.String = _text("Recommended kinds of therapy; JSON array of strings")
    Abweichung_Patientenwunsch: pl.String = _text("Whether the patient wished otherwise: J N U")


class TableRow(Received, table="received.table_row"):
    """One row of a table, under the name that the table has in ``sources.toml``."""

    table_name: pl.String = column("Table", "Name of the table in sources.toml.", nullable=False)
    values: pl.String = column(
        "Values",
        "Every cell as text under its delivered header; JSON object, empty cells left out.",
        nullable=False,
        identifying="identifier",
    )


class DicomRecord(Received):
    """Columns of every DICOM file."""

    SOPClassUID: pl.String = _text("SOP class")
    SOPInstanceUID: pl.String = _text("SOP instance", "identifier")
    Modality: pl.String = _text("Modality")
    PatientID: pl.String = _text("PatientID", "identifier")
    PatientName: pl.String = _text("PatientName", "identifier")
    PatientBirthDate: pl.String = _text("PatientBirthDate", "identifier")
    PatientSex: pl.String = _text("PatientSex", "quasi-identifier")
    StudyInstanceUID: pl.String = _text("Study", "identifier")
    SeriesInstanceUID: pl.String = _text("Series", "identifier")
    FrameOfReferenceUID: pl.String = _text("Frame of reference", "identifier")
    Manufacturer: pl.String = _text("Manufacturer")
    ManufacturerModelName: pl.String = _text("Model")
    file_meta: pl.String = _text("Whether the file had its meta group: yes or no")


ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"
"""SOP class of an RT Ion Plan (DICOM PS3.4 B.5): protons and heavier ions."""


class DicomPlan(DicomRecord, table="received.dicom_plan"):
    """One RTPLAN file: an RT Plan of photons, electrons or brachytherapy, or an RT Ion Plan."""

    RTPlanLabel: pl.String = _text("Label of the plan")
    RTPlanDate: pl.String = _text("Date of the plan", "quasi-identifier")
    PlanIntent: pl.String = _text("PlanIntent")
    RTPlanGeometry: pl.String = _text("RTPlanGeometry: PATIENT, TREATMENT_DEVICE")
    ApprovalStatus: pl.String = _text("ApprovalStatus: APPROVED, UNAPPROVED, REJECTED")
    ReviewDate: pl.String = _text("Date of the approval", "quasi-identifier")
    BrachyTreatmentType: pl.String = _text("Kind of brachytherapy: HDR, MDR, LDR, PDR, MANUAL")
    ReferencedStructureSet: pl.String = _text("SOPInstanceUID of the structure set", "identifier")
    ReferencedPlans: pl.String = _text(
        "Plans that it refers to; JSON array of {ReferencedSOPInstanceUID, RTPlanRelationship}", "identifier"
    )
    TargetPrescriptionDose: pl.String = _text(
        "Dose references; JSON array of {DoseReferenceNumber, DoseReferenceType, DoseReferenceStructureType, "
        "DoseReferenceDescription, TargetPrescriptionDose (Gy)}"
    )
    FractionGroups: pl.String = _text(
        "Fraction groups; JSON array of {FractionGroupNumber, NumberOfFractionsPlanned, "
        "NumberOfBeams, NumberOfBrachyApplicationSetups, "
        "DoseReferences (numbers of the references that it is linked to), "
        "Beams [{ReferencedBeamNumber, BeamDose, BeamMeterset}], "
        "Applications [{ReferencedBrachyApplicationSetupNumber, BrachyApplicationSetupDose}]}"
    )
    NumberOfFractionsPlanned: pl.String = _text(
        "Fractions; JSON array, one number a fraction group; only of records that came before FractionGroups"
    )
    BeamDose: pl.String = _text(
        "Dose per fraction in Gy; JSON array, per fraction group the sum of its BeamDose; only of records "
        "that came before FractionGroups"
    )
    Beams: pl.String = _text(
        "Beams; JSON array of {BeamNumber, BeamType, RadiationType, TreatmentMachineName, Manufacturer, "
        "ManufacturerModelName, TreatmentDeliveryType, SourceAxisDistance, RadiationMassNumber, "
        "RadiationAtomicNumber, NominalBeamEnergy, IsocenterPosition (of the first control point that says "
        "it), GantryRotationDirection and WedgeType (arrays of the values met), ControlPoints (how many), "
        "LeafPositions (how many different shapes of the leaves), Digest (of the control points)}"
    )
    Applications: pl.String = _text(
        "Application setups of brachytherapy; JSON array of {ApplicationSetupNumber, ApplicationSetupType, "
        "TotalReferenceAirKerma, Digest (of the dwell positions and times)}"
    )
    InstanceCreationDate: pl.String = _text("Day on which the file was made")


class DicomStructureSet(DicomRecord, table="received.dicom_structure_set"):
    """One RTSTRUCT file."""

    StructureSetLabel: pl.String = _text("Label")
    StructureSetDate: pl.String = _text("Date", "quasi-identifier")
    ROIName: pl.String = _text("Names of the regions of interest; JSON array of strings")
    RTROIInterpretedType: pl.String = _text("Interpreted types in the same order; JSON array of strings")
    ReferencedSeries: pl.String = _text("SeriesInstanceUIDs of the images; JSON array", "identifier")


class DicomDose(DicomRecord, table="received.dicom_dose"):
    """The header of one RTDOSE file."""

    DoseUnits: pl.String = _text("GY or RELATIVE")
    DoseType: pl.String = _text("PHYSICAL, EFFECTIVE, ERROR")
    DoseSummationType: pl.String = _text("PLAN, BEAM, FRACTION …")
    DoseGridScaling: pl.String = _text("Scaling of the grid")
    ReferencedRTPlan: pl.String = _text("SOPInstanceUID of the plan", "identifier")


class DicomImage(DicomRecord, table="received.dicom_image"):
    """The header of one CT slice, or of an Enhanced CT that holds a whole series."""

    SliceThickness: pl.String = _text("Slice thickness in mm")
    KVP: pl.String = _text("Peak kilovoltage")
    PixelSpacing: pl.String = _text("Pixel spacing in mm; JSON array")
    ImagePositionPatient: pl.String = _text("Position in mm; JSON array")


class DicomTreatment(DicomRecord, table="received.dicom_treatment"):
    """One RT treatment record: of beams, ion beams or brachytherapy, or a treatment summary."""

    TreatmentDate: pl.String = _text("Date of the fraction", "quasi-identifier")
    TreatmentTime: pl.String = _text("Time of the fraction")
    CurrentFractionNumber: pl.String = _text("Fraction number; of the first beam that says it")
    NumberOfFractionsPlanned: pl.String = _text("Fractions planned")
    ReferencedRTPlan: pl.String = _text("SOPInstanceUID of the plan", "identifier")
    ReferencedFractionGroupNumber: pl.String = _text("Fraction group of the plan")
    ContentOrigin: pl.String = _text("TreatmentRecordContentOrigin: where the content comes from")
    Sessions: pl.String = _text(
        "What was delivered; JSON array of {ReferencedBeamNumber, CurrentFractionNumber, "
        "TreatmentDeliveryType, TreatmentTerminationStatus, SpecifiedMeterset, DeliveredMeterset}"
    )
    FirstTreatmentDate: pl.String = _text("First day, of a summary", "quasi-identifier")
    MostRecentTreatmentDate: pl.String = _text("Last day so far, of a summary", "quasi-identifier")
    CurrentTreatmentStatus: pl.String = _text("Status of the treatment, of a summary")
    FractionGroupSummaries: pl.String = _text(
        "Summary per fraction group; JSON array of {ReferencedFractionGroupNumber, NumberOfFractionsPlanned, "
        "NumberOfFractionsDelivered, Fractions [{ReferencedFractionNumber, TreatmentDate, "
        "TreatmentTerminationStatus}]}", "quasi-identifier"
    )  # fmt: skip
    NumberOfFractionsDelivered: pl.String = _text("Fractions delivered, of a summary without groups")


class DicomOther(DicomRecord, table="received.dicom_other"):
    """A DICOM file of a kind that the study does not use."""


class Unread(Received, table="received.unread"):
    """A file, or a part of one, that could not be read as a record."""

    rule_id: pl.String = column("Rule", "The file rule that it breaks.", nullable=False)
    detail: pl.String = column("Detail", "What the reader met; never a patient's value.")
