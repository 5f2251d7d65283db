"""The peer script's readers: oBDS with ElementTree, DICOM with pydicom, CSV with pandas."""

# pandas calls every result a union of all that it might be.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom

NS = {"o": "http://www.basisdatensatz.de/oBDS/XML"}
SEX = {"W": "female", "M": "male"}
INTENT = {"K": "curative", "P": "palliative", "D": "diagnostic"}
SEQUENCE = {
    "N": "preoperative", "A": "postoperative adjuvant", "Z": "postoperative additive",
    "I": "intraoperative", "O": "without surgery", "S": "other",
}  # fmt: skip
RESIDUAL = {"R1(is)": "R1", "R1(cy+)": "R1", "U": "RX"}


def read_obds(folder: Path) -> dict[str, pd.DataFrame]:
    """Reports of every export, a frame per module; of a report that came twice the latest."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(folder.glob("*.xml")):
        root = ET.parse(path).getroot()
        reported = root.findtext("o:Meldedatum", namespaces=NS)
        for patient in root.iterfind("o:Menge_Patient/o:Patient", NS):
            number = patient.get("Patient_ID")
            data = patient.find("o:Patienten_Stammdaten", NS)
            assert data is not None
            rows["person"].append(
                {
                    "number": number,
                    "reported": reported,
                    "meldung": "",
                    "family": data.findtext("o:Nachname", namespaces=NS),
                    "given": data.findtext("o:Vornamen", namespaces=NS),
                    "sex": SEX.get(data.findtext("o:Geschlecht", "", NS)),
                    "birth_date": data.findtext("o:Geburtsdatum", namespaces=NS),
                }
            )
            for meldung in patient.iterfind("o:Menge_Meldung/o:Meldung", NS):
                tumour = meldung.find("o:Tumorzuordnung", NS)
                common = {
                    "number": number,
                    "reported": reported,
                    "meldung": meldung.get("Meldung_ID"),
                    "tumour": None if tumour is None else tumour.get("Tumor_ID"),
                }
                if (module := meldung.find("o:Diagnose", NS)) is not None and tumour is not None:
                    rows["diagnosis"].append(common | diagnosis(tumour, module))
                if (module := meldung.find("o:OP", NS)) is not None:
                    rows["surgery"].append(common | surgery(module))
                if (module := meldung.find("o:ST", NS)) is not None:
                    rows["radiotherapy"] += [common | course for course in radiotherapy(module)]
                if (module := meldung.find("o:SYST", NS)) is not None:
                    rows["systemic"].append(common | systemic(module))
                if (module := meldung.find("o:Verlauf", NS)) is not None:
                    rows["visit"].append(common | visit(module))
                if (module := meldung.find("o:Tod", NS)) is not None:
                    rows["death"].append(
                        common | {"death_date": module.findtext("o:Sterbedatum", namespaces=NS)}
                    )
    frames = {}
    for name, found in rows.items():
        frame = pd.DataFrame(found)
        for column in frame.columns[frame.columns.str.endswith("_date")]:
            frame[column] = pd.to_datetime(frame[column])
        key = ["number", "meldung"] + (["start_date"] if name == "radiotherapy" else [])
        frames[name] = frame.sort_values("reported", kind="stable").drop_duplicates(key, keep="last")
    return frames


def diagnosis(tumour: ET.Element, module: ET.Element) -> dict[str, Any]:
    """A Diagnose and the tumour that it is of."""
    fnclcc = None
    for other in module.iterfind("o:Menge_Weitere_Klassifikation/o:Weitere_Klassifikation", NS):
        if "FNCLCC" in other.findtext("o:Name", "", NS).upper():
            fnclcc = other.findtext("o:Stadium", namespaces=NS)
    return {
        "diagnosis_date": tumour.findtext("o:Diagnosedatum", namespaces=NS),
        "icd10": tumour.findtext("o:Primaertumor_ICD/o:Code", namespaces=NS),
        "topography": module.findtext("o:Primaertumor_Topographie_ICD_O/o:Code", namespaces=NS),
        "morphology": module.findtext("o:Histologie/o:Morphologie_ICD_O/o:Code", namespaces=NS),
        "certainty": module.findtext("o:Diagnosesicherung", namespaces=NS),
        "tnm": module.findtext("o:cTNM/o:Version", namespaces=NS),
        "t": module.findtext("o:cTNM/o:T", namespaces=NS),
        "n": module.findtext("o:cTNM/o:N", namespaces=NS),
        "m": module.findtext("o:cTNM/o:M", namespaces=NS),
        "metastasis": module.find("o:Menge_FM/o:Fernmetastase", NS) is not None,
        "fnclcc": fnclcc,
    }


def surgery(module: ET.Element) -> dict[str, Any]:
    """An OP."""
    residual = module.findtext("o:Residualstatus/o:Lokale_Beurteilung_Residualstatus", namespaces=NS)
    return {
        "surgery_date": module.findtext("o:Datum", namespaces=NS),
        "intent": INTENT.get(module.findtext("o:Intention", "", NS)),
        "residual": RESIDUAL.get(residual or "", residual),
    }


def radiotherapy(module: ET.Element) -> Iterator[dict[str, Any]]:
    """Every Bestrahlung of an ST."""
    for course in module.iterfind("o:Menge_Bestrahlung/o:Bestrahlung", NS):
        dose = course.findtext("o:Applikationsart/o:Perkutan/o:Gesamtdosis/o:Dosis", namespaces=NS)
        yield {
            "intent": INTENT.get(module.findtext("o:Intention", "", NS)),
            "sequence": SEQUENCE.get(module.findtext("o:Stellung_OP", "", NS)),
            "start_date": course.findtext("o:Beginn", namespaces=NS),
            "end_date": course.findtext("o:Ende", namespaces=NS),
            "documented_dose": float(dose) if dose else np.nan,
        }


def systemic(module: ET.Element) -> dict[str, Any]:
    """A SYST."""
    return {
        "kind": module.findtext("o:Therapieart", namespaces=NS),
        "begin_date": module.findtext("o:Beginn", namespaces=NS),
    }


def visit(module: ET.Element) -> dict[str, Any]:
    """A Verlauf."""
    return {
        "visit_date": module.findtext("o:Untersuchungsdatum_Verlauf", namespaces=NS),
        "overall": module.findtext("o:Gesamtbeurteilung_Tumorstatus", namespaces=NS),
        "local": module.findtext("o:Verlauf_Lokaler_Tumorstatus", namespaces=NS),
        "regional": module.findtext("o:Verlauf_Tumorstatus_Lymphknoten", namespaces=NS),
        "distant": module.findtext("o:Verlauf_Tumorstatus_Fernmetastasen", namespaces=NS),
        "metastasis_date": module.findtext("o:Menge_FM/o:Fernmetastase/o:Diagnosedatum", namespaces=NS),
    }


def read_dicom(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Approved plans, and the usual slice thickness of every patient in mm."""
    plans, images = [], []
    for path in sorted(folder.rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        if dataset.Modality == "RTPLAN":
            plans.append(plan(dataset))
        elif dataset.Modality == "CT":
            images.append({"number": dataset.PatientID, "thickness": float(dataset.SliceThickness)})
    frame = pd.DataFrame(plans)
    frame["plan_date"] = pd.to_datetime(frame["plan_date"], format="%Y%m%d")
    frame = frame[frame["approval"] == "APPROVED"].drop_duplicates("uid")
    thickness = pd.DataFrame(images).groupby("number")["thickness"].agg(lambda values: values.mode().min())
    return frame, thickness


def plan(dataset: pydicom.Dataset) -> dict[str, Any]:
    """What the study needs of an RT plan."""
    doses = [
        float(reference.TargetPrescriptionDose)
        for reference in dataset.get("DoseReferenceSequence", [])
        if reference.DoseReferenceType == "TARGET" and "TargetPrescriptionDose" in reference
    ]
    groups = dataset.FractionGroupSequence
    if not doses:
        doses = [
            sum(
                float(beam.BeamDose) * int(group.NumberOfFractionsPlanned)
                for group in groups
                for beam in group.ReferencedBeamSequence
            )
        ]
    machine = (
        f"{dataset.BeamSequence[0].TreatmentMachineName} {dataset.BeamSequence[0].ManufacturerModelName}"
    )
    rotates = any(
        point.get("GantryRotationDirection") in ("CW", "CC")
        for beam in dataset.BeamSequence
        for point in beam.ControlPointSequence
    )
    if "tomo" in machine.lower() or "radixact" in machine.lower():
        technique = "helical tomotherapy"
    elif rotates:
        technique = "VMAT"
    elif any(beam.BeamType == "DYNAMIC" for beam in dataset.BeamSequence):
        technique = "static IMRT"
    else:
        technique = "3D conformal"
    return {
        "number": dataset.PatientID,
        "uid": dataset.SOPInstanceUID,
        "approval": dataset.ApprovalStatus,
        "plan_date": dataset.RTPlanDate,
        "planned_dose": max(doses),
        "fractions": sum(int(group.NumberOfFractionsPlanned) for group in groups),
        "technique": technique,
    }


def read_csv(drop: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replies of the registry offices, and the department's table."""
    offices = sorted((drop / "registry").glob("*.csv"))
    replies = pd.concat([pd.read_csv(path, sep=";", encoding="latin-1", dtype=str) for path in offices])
    for column in ("Geburtsdatum", "Datum", "Stand"):
        replies[column] = pd.to_datetime(replies[column], format="%d.%m.%Y")
    table = pd.read_csv(
        drop / "tables/sarkomtabelle.csv", sep=";", encoding="cp1252", decimal=",",
        dtype={"Patientennummer": str, "FNCLCC": str},
    )  # fmt: skip
    table["Letzter Kontakt"] = pd.to_datetime(table["Letzter Kontakt"], format="%d.%m.%Y")
    return replies, table.rename(columns={"Patientennummer": "number"})
