"""Contracts of received records of oBDS: one table per module of a report."""

from __future__ import annotations

import polars as pl

from schemas.received_record import Received, text_column

NO_NAMESPACE = " (no namespace)"
"""Mark that the oBDS reader adds to ``Schema_Version`` if the export lacks the oBDS namespace."""


class ObdsRecord(Received):
    """Columns of every oBDS record, with those of its Patient and file."""

    Patient_ID: pl.String = text_column("Patient_ID of the enclosing Patient", "identifier")
    Meldedatum: pl.String = text_column("Meldedatum of the export")
    Schema_Version: pl.String = text_column("Schema_Version of the export")
    Absender_ID: pl.String = text_column("Sender of the export")
    repeated_elements: pl.String = text_column(
        "Single elements that came again; JSON object of path to all texts, of which the last counts",
        "identifier",
    )
    unknown_elements: pl.String = text_column(
        "What no column takes; JSON object of path to texts", "identifier"
    )


class ObdsPatient(ObdsRecord, table="received.obds_patient"):
    """One oBDS Patient with its Patienten_Stammdaten."""

    Nachname: pl.String = text_column("Family name", "identifier")
    Vornamen: pl.String = text_column("Given names", "identifier")
    Geburtsname: pl.String = text_column("Name at birth", "identifier")
    Titel: pl.String = text_column("Title", "identifier")
    Namenszusatz: pl.String = text_column("Suffix of the name (Freiherr, Graf …)", "identifier")
    Namensvorsatz: pl.String = text_column("Prefix of the name (von, de …)", "identifier")
    Menge_Frueherer_Name: pl.String = text_column("Former names; JSON array of strings", "identifier")
    Geschlecht: pl.String = text_column("Sex: M W D X U", "quasi-identifier")
    Geburtsdatum: pl.String = text_column("Date of birth", "identifier")
    Geburtsdatum_Datumsgenauigkeit: pl.String = text_column("Precision of the date of birth: E T M V")
    Anmerkung: pl.String = text_column("Remark about the patient", "identifier")
    Software_ID: pl.String = text_column("Program that exported")
    Software_Version: pl.String = text_column("Version of the program that exported")
    Installations_ID: pl.String = text_column("Installation of the program that exported")


class ObdsMeldung(ObdsRecord):
    """Columns of a Meldung and its Tumorzuordnung."""

    Meldung_ID: pl.String = text_column("Meldung_ID", "identifier")
    Melder_ID: pl.String = text_column("Who tells it: often a word of the file only")
    Melder_IKNR: pl.String = text_column(
        "Number of the institution (IKNR) of who tells it; from Menge_Melder"
    )
    Meldebegruendung: pl.String = text_column("Why it may be told: I A D W V; W is an objection")
    Einwilligung_nicht_meldepflichtig: pl.String = text_column("Consent to what need not be told: J N")
    Zertifizierung: pl.String = text_column("Case of a certified centre: 1 2 3")
    Eigene_Leistung: pl.String = text_column("Whether the Melder did it: J N U")
    Anmerkung: pl.String = text_column("Remark", "identifier")
    Menge_Zusatzitem: pl.String = text_column(
        "Further items; JSON array of {Datum, Datum_Datumsgenauigkeit, Art, Wert, Bemerkung}", "identifier"
    )
    Tumor_ID: pl.String = text_column("Tumor_ID", "identifier")
    Primaertumor_ICD: pl.String = text_column("ICD-10 code of the primary (Tumorzuordnung)")
    Primaertumor_ICD_Version: pl.String = text_column("Version of the ICD-10")
    Diagnosedatum: pl.String = text_column("Date of diagnosis (Tumorzuordnung)", "quasi-identifier")
    Diagnosedatum_Datumsgenauigkeit: pl.String = text_column("Precision of the date of diagnosis: E T M V")
    Seitenlokalisation: pl.String = text_column("Side: L R B M U T")
    Tumorzuordnung_Morphologie: pl.String = text_column("ICD-O-3 morphology of the Tumorzuordnung")
    Tumorzuordnung_Morphologie_Version: pl.String = text_column("Version of that morphology: 31 32 33 bb")
    Module_ID: pl.String = text_column("Id of the module (OP_ID, ST_ID, SYST_ID, Verlauf_ID …)", "identifier")


class ObdsHistology(ObdsMeldung):
    """Histologie, TNM and further classifications, which Diagnose, Pathologie, OP and Verlauf may contain."""

    Histologie: pl.String = text_column(
        "Histologies; JSON array of {Histologie_ID, Tumor_Histologiedatum, "
        "Tumor_Histologiedatum_Datumsgenauigkeit, Histologie_EinsendeNr, Morphologie_ICD_O (array of {Code, "
        "Version}), Morphologie_Freitext, Grading, LK_untersucht, LK_befallen, Sentinel_LK_untersucht, "
        "Sentinel_LK_befallen}",
        "identifier",
    )
    TNM: pl.String = text_column(
        "TNM classifications; JSON array of {kind (cTNM, pTNM, TNM), ID, Datum, Version, y_Symbol, r_Symbol, "
        "a_Symbol, c_p_u_Praefix_T, T, m_Symbol, c_p_u_Praefix_N, N, c_p_u_Praefix_M, M, L, V, Pn, S, "
        "UICC_Stadium}",
        "quasi-identifier",
    )
    Tumor_Histologiedatum: pl.String = text_column("Date of histology", "quasi-identifier")
    Morphologie_ICD_O: pl.String = text_column("ICD-O-3 morphology codes; JSON array of strings")
    Grading: pl.String = text_column("Grading: 0-4 X L M H B U T")
    T: pl.String = text_column("T category")
    N: pl.String = text_column("N category")
    M: pl.String = text_column("M category")
    TNM_Version: pl.String = text_column("Edition of the TNM")
    TNM_kind: pl.String = text_column("Which TNM was read: cTNM, pTNM or TNM")
    Menge_Weitere_Klassifikation: pl.String = text_column(
        "Further classifications; JSON array of {Name, Stadium, Datum, Datum_Datumsgenauigkeit}"
    )
    Menge_Genetik: pl.String = text_column(
        "Genetic variants; JSON array of {Datum, Datum_Datumsgenauigkeit, Bezeichnung, Auspraegung, "
        "Sonstige_Auspraegung}"
    )
    Menge_FM: pl.String = text_column(
        "Distant metastases; JSON array of {Diagnosedatum, Datumsgenauigkeit, Lokalisation}",
        "quasi-identifier",
    )
    Studienteilnahme_Datum: pl.String = text_column("Date of inclusion in a trial", "quasi-identifier")
    Studienteilnahme_NU: pl.String = text_column("No trial, or not known: N U")


class ObdsPrimary(ObdsHistology):
    """Columns of the primary in Diagnose and Pathologie."""

    Primaertumor_Topographie_ICD_O: pl.String = text_column("ICD-O-3 topography")
    Primaertumor_Topographie_ICD_O_Version: pl.String = text_column("Version of the topography: 31 32 33")
    Primaertumor_Topographie_Freitext: pl.String = text_column("Site in words", "identifier")
    Primaertumor_Diagnosetext: pl.String = text_column("Diagnosis in words", "identifier")
    Diagnosesicherung: pl.String = text_column("Certainty of the diagnosis: 1-9, 7.1, 7.2 …")


class ObdsDiagnosis(ObdsPrimary, table="received.obds_diagnosis"):
    """One oBDS Meldung of a Diagnose."""

    Menge_Fruehere_Tumorerkrankung: pl.String = text_column(
        "Earlier tumours; JSON array of {Freitext, ICD, ICD_Version, Diagnosedatum (a year)}", "identifier"
    )
    Allgemeiner_Leistungszustand: pl.String = text_column("ECOG 0-4 U, or Karnofsky in per cent")


class ObdsPathology(ObdsPrimary, table="received.obds_pathology"):
    """One oBDS Meldung of a Pathologie."""

    Lokale_Beurteilung_Residualstatus: pl.String = text_column("Local residual status: R0 R1 R2 RX U …")
    Befundtext: pl.String = text_column("Report in words", "identifier")


class ObdsSurgery(ObdsHistology, table="received.obds_surgery"):
    """One oBDS Meldung of an OP."""

    Intention: pl.String = text_column("Intention: K P D R S X")
    Datum: pl.String = text_column("Date of surgery", "quasi-identifier")
    Menge_OPS: pl.String = text_column("OPS codes; JSON array of strings")
    Menge_OPS_Version: pl.String = text_column("Their versions in the same order; JSON array of strings")
    Lokale_Beurteilung_Residualstatus: pl.String = text_column("Local residual status: R0 R1 R2 RX U …")
    Gesamtbeurteilung_Residualstatus: pl.String = text_column("Overall residual status")
    Komplikation_nein_oder_unbekannt: pl.String = text_column("No complication, or not known: N U")
    Menge_Komplikation: pl.String = text_column("Complications; JSON array of {Kuerzel, ICD, ICD_Version}")


class ObdsTreatment(ObdsMeldung):
    """Columns that radiotherapy and systemic therapy share."""

    Meldeanlass: pl.String = text_column("Occasion: behandlungsbeginn, behandlungsende")
    Intention: pl.String = text_column("Intention: K P O S X")
    Stellung_OP: pl.String = text_column("Relation to surgery: O A N I Z S")
    Beginn: pl.String = text_column("First day", "quasi-identifier")
    Ende: pl.String = text_column("Last day", "quasi-identifier")
    Ende_Grund: pl.String = text_column("Why it ended: E F A P S V T U …")
    Grad_maximal2_oder_unbekannt: pl.String = text_column("Side effects up to grade 2, or not known: K 1 2 U")
    Menge_Nebenwirkung: pl.String = text_column(
        "Side effects of grade 3 to 5; JSON array of {Bezeichnung, MedDRA_Code, Grad, Version}"
    )
    Studienteilnahme_Datum: pl.String = text_column("Date of inclusion in a trial", "quasi-identifier")
    Studienteilnahme_NU: pl.String = text_column("No trial, or not known: N U")


class ObdsRadiotherapy(ObdsTreatment, table="received.obds_radiotherapy"):
    """One Bestrahlung of an oBDS Meldung of an ST (an ST without Bestrahlung: one row, values missing)."""

    Applikationsart: pl.String = text_column(
        "Kind: Perkutan, Kontakt, Metabolisch, Sonstige; null without Bestrahlung"
    )
    Radiochemo: pl.String = text_column("Percutaneous, with chemotherapy: RCJ RCN")
    Stereotaktisch: pl.String = text_column("Percutaneous, stereotactic: ST")
    Atemgetriggert: pl.String = text_column("Percutaneous, gated: 4D")
    Interstitiell_endokavitaer: pl.String = text_column("Brachytherapy: I interstitial, K endocavitary")
    Rate_Type: pl.String = text_column("Dose rate of a brachytherapy: HDR LDR PDR")
    Metabolisch_Typ: pl.String = text_column("Radionuclide therapy: SIRT PRRT PSMA RJT RIT M")
    Zielgebiet: pl.String = text_column("Target region code, a string: 2.1 and 2.10 differ")
    Zielgebiet_CodeVersion: pl.String = text_column("Code list of the target region: 2014 or 2021")
    Seite_Zielgebiet: pl.String = text_column("Side of the target region")
    Strahlenart: pl.String = text_column("Radiation: UH EL PN …")
    Gesamtdosis: pl.String = text_column("Total dose in its unit")
    Gesamtdosis_Einheit: pl.String = text_column("Unit of the total dose: Gy, or GBq MBq kBq")
    Einzeldosis: pl.String = text_column("Single dose in its unit")
    Einzeldosis_Einheit: pl.String = text_column("Unit of the single dose: Gy, or GBq MBq kBq")
    Boost: pl.String = text_column("Boost: J SIB SEQ KON N")


class ObdsSystemicTherapy(ObdsTreatment, table="received.obds_systemic_therapy"):
    """One oBDS Meldung of a SYST."""

    Therapieart: pl.String = text_column("Kind of therapy: CH HO IM …")
    Protokoll: pl.String = text_column("Protocol")
    Beginn_Datumsgenauigkeit: pl.String = text_column("Precision of the first day: E T")
    Menge_Substanz: pl.String = text_column("Substances; JSON array of {Bezeichnung, ATC, ATC_Version}")


class ObdsFollowUp(ObdsHistology, table="received.obds_follow_up"):
    """One oBDS Meldung of a Verlauf."""

    Meldeanlass: pl.String = text_column("Occasion: statusaenderung, statusmeldung")
    Untersuchungsdatum_Verlauf: pl.String = text_column("Date of the examination", "quasi-identifier")
    Gesamtbeurteilung_Tumorstatus: pl.String = text_column(
        "Overall status: V T K P D B R Y U X (Y is relapse)"
    )
    Verlauf_Lokaler_Tumorstatus: pl.String = text_column("Local status: K T P N R F U X (R is relapse)")
    Verlauf_Tumorstatus_Lymphknoten: pl.String = text_column("Regional lymph nodes: K T P N R F U X")
    Verlauf_Tumorstatus_Fernmetastasen: pl.String = text_column("Distant metastases: K T P N R F U X")
    Allgemeiner_Leistungszustand: pl.String = text_column("ECOG 0-4 U, or Karnofsky in per cent")


class ObdsDeath(ObdsMeldung, table="received.obds_death"):
    """One oBDS Meldung of a Tod."""

    Sterbedatum: pl.String = text_column("Date of death", "quasi-identifier")
    Tod_tumorbedingt: pl.String = text_column("Whether the tumour caused it: J N U")
    Menge_Todesursachen: pl.String = text_column("ICD-10 causes of death; JSON array of {Code, Version}")


class ObdsTumourBoard(ObdsMeldung, table="received.obds_tumour_board"):
    """One oBDS Meldung of a Tumorkonferenz, or without a module: it says only which tumour it is about."""

    Meldeanlass: pl.String = text_column("Occasion: behandlungsbeginn, behandlungsende, statusaenderung …")
    Datum: pl.String = text_column("Date of the tumour board", "quasi-identifier")
    Datum_Datumsgenauigkeit: pl.String = text_column("Precision of the date: E T")
    Typ: pl.String = text_column("praeth, postop, postth …")
    Menge_Typ_Therapieempfehlung: pl.String = text_column(
        "Recommended kinds of therapy; JSON array of strings"
    )
    Abweichung_Patientenwunsch: pl.String = text_column("Whether the patient wished otherwise: J N U")
