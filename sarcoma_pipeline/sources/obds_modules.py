"""Map the elements of an oBDS export to columns: the modules of a Meldung and the elements around them.

Paths are those of the schema (3.0.4, and additions of 3.0.5), from the element that makes a record. Elements
that are not read are ignored by name in :mod:`schemas.ignored_values`; any other element is unknown and
noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sarcoma_pipeline.sources.leaves import XSI, Node, Paths, Several, as_json
from sarcoma_pipeline.sources.value_account import IGNORED, Outcome
from schemas import received as r
from schemas.ignored_values import IGNORED as IGNORED_VALUES
from schemas.ignored_values import ignored_paths

Row = tuple[str, dict[str, str | None]]

IRRADIATIONS = "Menge_Bestrahlung"
"""List of irradiations, each of which becomes a row."""


def _coded(path: str, column: str = "") -> dict[str, str | Several]:
    """Return the paths of a code and the version of its code list."""
    column = column or path.rpartition("/")[2]
    return {f"{path}/Code": column, f"{path}/Version": f"{column}_Version"}


def _dated(path: str, column: str = "") -> dict[str, str | Several]:
    """Return the paths of a date and its precision."""
    column = column or path.rpartition("/")[2]
    return {path: column, f"{path}/@Datumsgenauigkeit": f"{column}_Datumsgenauigkeit"}


def _same(*names: str) -> dict[str, str | Several]:
    return {name: name for name in names}


def _tnm(element: str) -> dict[str, str | Several]:
    paths = _same(
        "Datum", "Version", "y_Symbol", "r_Symbol", "a_Symbol", "c_p_u_Praefix_T", "T", "m_Symbol",
        "c_p_u_Praefix_N", "N", "c_p_u_Praefix_M", "M", "L", "V", "Pn", "S", "UICC_Stadium",
    ) | {"@ID": "ID"}  # fmt: skip
    return {element: Several("TNM", paths, kind=element, once=True)}


_HISTOLOGY = {
    "Histologie": Several(
        "Histologie",
        {
            "@Histologie_ID": "Histologie_ID",
            **_dated("Tumor_Histologiedatum"),
            **_same("Histologie_EinsendeNr", "Morphologie_Freitext", "Grading"),
            "Morphologie_ICD_O": Several("Morphologie_ICD_O", _same("Code", "Version")),
            **_same("LK_untersucht", "LK_befallen", "Sentinel_LK_untersucht", "Sentinel_LK_befallen"),
        },
        once=True,
    ),
    "Menge_Weitere_Klassifikation/Weitere_Klassifikation": Several(
        "Menge_Weitere_Klassifikation", {**_same("Name", "Stadium"), **_dated("Datum")}
    ),
    "Menge_Genetik/Genetische_Variante": Several(
        "Menge_Genetik", {**_dated("Datum"), **_same("Bezeichnung", "Auspraegung", "Sonstige_Auspraegung")}
    ),
}
_METASTASES = {
    "Menge_FM/Fernmetastase": Several(
        "Menge_FM",
        {
            "Diagnosedatum": "Diagnosedatum",
            "Diagnosedatum/@Datumsgenauigkeit": "Datumsgenauigkeit",
            "Lokalisation": "Lokalisation",
        },
    )
}
_PRIMARY = {
    **_same("Primaertumor_Diagnosetext", "Primaertumor_Topographie_Freitext", "Diagnosesicherung"),
    **_coded("Primaertumor_Topographie_ICD_O"),
}
_STUDY = {
    "Modul_Allgemein/Studienteilnahme/Datum": "Studienteilnahme_Datum",
    "Modul_Allgemein/Studienteilnahme/NU": "Studienteilnahme_NU",
}
_SIDE_EFFECTS = {
    "Nebenwirkungen/Grad_maximal2_oder_unbekannt": "Grad_maximal2_oder_unbekannt",
    "Nebenwirkungen/Menge_Nebenwirkung/Nebenwirkung": Several(
        "Menge_Nebenwirkung",
        {"Art/Bezeichnung": "Bezeichnung", "Art/MedDRA_Code": "MedDRA_Code", **_same("Grad", "Version")},
    ),
}

_DIAGNOSIS: Paths = {
    "@Diagnose_ID": "Module_ID",
    **_PRIMARY,
    "Menge_Fruehere_Tumorerkrankung/Fruehere_Tumorerkrankung": Several(
        "Menge_Fruehere_Tumorerkrankung", {**_same("Freitext", "Diagnosedatum"), **_coded("ICD")}
    ),
    **_HISTOLOGY,
    **_METASTASES,
    **_tnm("cTNM"),
    **_tnm("pTNM"),
    **_tnm("TNM"),
    "Allgemeiner_Leistungszustand": "Allgemeiner_Leistungszustand",
    **_STUDY,
}

_PATHOLOGY: Paths = {
    "@Befund_ID": "Module_ID",
    **_PRIMARY,
    **_HISTOLOGY,
    **_METASTASES,
    **_tnm("cTNM"),
    **_tnm("pTNM"),
    **_tnm("TNM"),
    **_same("Lokale_Beurteilung_Residualstatus", "Befundtext"),
}

_SURGERY: Paths = {
    "@OP_ID": "Module_ID",
    **_same("Intention", "Datum"),
    "Menge_OPS/OPS": Several("Menge_OPS", _same("Code", "Version")),
    **_HISTOLOGY,
    **_METASTASES,
    **_tnm("cTNM"),
    **_tnm("pTNM"),
    **_tnm("TNM"),
    "Residualstatus/Lokale_Beurteilung_Residualstatus": "Lokale_Beurteilung_Residualstatus",
    "Residualstatus/Gesamtbeurteilung_Residualstatus": "Gesamtbeurteilung_Residualstatus",
    "Komplikationen/Komplikation_nein_oder_unbekannt": "Komplikation_nein_oder_unbekannt",
    "Komplikationen/Menge_Komplikation/Komplikation": Several(
        "Menge_Komplikation", {"Kuerzel": "Kuerzel", **_coded("ICD")}
    ),
    **_STUDY,
}

_REGION = {
    **{
        f"Zielgebiet/CodeVersion{year}": Several("Zielgebiet", {".": "Code"}, kind=year, choice=True)
        for year in ("2021", "2014")
    },
    **_same("Seite_Zielgebiet", "Strahlenart"),
    "Gesamtdosis/Dosis": "Gesamtdosis",
    "Gesamtdosis/Einheit": "Gesamtdosis_Einheit",
    "Einzeldosis/Dosis": "Einzeldosis",
    "Einzeldosis/Einheit": "Einzeldosis_Einheit",
}
_APPLICATION: Mapping[str, Paths] = {
    "Perkutan": _REGION | _same("Radiochemo", "Stereotaktisch", "Atemgetriggert", "Boost"),
    "Kontakt": _REGION | _same("Interstitiell_endokavitaer", "Rate_Type", "Boost"),
    "Metabolisch": _REGION | _same("Metabolisch_Typ"),
    "Sonstige": _REGION,
}

_RADIOTHERAPY: Paths = {
    "@ST_ID": "Module_ID",
    **_same("Meldeanlass", "Intention", "Stellung_OP", "Ende_Grund"),
    "Menge_Bestrahlung/Bestrahlung": Several(
        IRRADIATIONS,
        {
            **_same("Beginn", "Ende"),
            **{
                f"Applikationsart/{kind}": Several("Applikationsart", paths, kind=kind, choice=True)
                for kind, paths in _APPLICATION.items()
            },
        },
    ),
    **_SIDE_EFFECTS,
    **_STUDY,
}

_SYSTEMIC: Paths = {
    "@SYST_ID": "Module_ID",
    **_same("Meldeanlass", "Intention", "Stellung_OP", "Therapieart", "Protokoll"),
    **_dated("Beginn"),
    "Menge_Substanz/Substanz": Several("Menge_Substanz", {"Bezeichnung": "Bezeichnung", **_coded("ATC")}),
    **_same("Ende_Grund", "Ende"),
    **_SIDE_EFFECTS,
    **_STUDY,
}

_FOLLOW_UP: Paths = {
    "@Verlauf_ID": "Module_ID",
    **_same(
        "Meldeanlass", "Untersuchungsdatum_Verlauf", "Gesamtbeurteilung_Tumorstatus",
        "Verlauf_Lokaler_Tumorstatus", "Verlauf_Tumorstatus_Lymphknoten",
        "Verlauf_Tumorstatus_Fernmetastasen", "Allgemeiner_Leistungszustand",
    ),
    **_METASTASES,
    **_HISTOLOGY,
    **_tnm("cTNM"),
    **_tnm("pTNM"),
    **_tnm("TNM"),
    **_STUDY,
}  # fmt: skip

_DEATH: Paths = {
    "@Abschluss_ID": "Module_ID",
    **_same("Sterbedatum", "Tod_tumorbedingt"),
    "Menge_Todesursachen/Todesursache_ICD": Several("Menge_Todesursachen", _same("Code", "Version")),
}

_TUMOUR_BOARD: Paths = {
    "@Tumorkonferenz_ID": "Module_ID",
    **_same("Meldeanlass", "Typ"),
    **_dated("Datum"),
    "Therapieempfehlung/Menge_Typ_Therapieempfehlung/Typ_Therapieempfehlung": Several(
        "Menge_Typ_Therapieempfehlung", None
    ),
    "Therapieempfehlung/Abweichung_Patientenwunsch": "Abweichung_Patientenwunsch",
}

_MODULE_PATHS: Mapping[str, tuple[type[r.ObdsMeldung], Paths]] = {
    "Diagnose": (r.ObdsDiagnosis, _DIAGNOSIS),
    "Pathologie": (r.ObdsPathology, _PATHOLOGY),
    "OP": (r.ObdsSurgery, _SURGERY),
    "ST": (r.ObdsRadiotherapy, _RADIOTHERAPY),
    "SYST": (r.ObdsSystemicTherapy, _SYSTEMIC),
    "Verlauf": (r.ObdsFollowUp, _FOLLOW_UP),
    "Tod": (r.ObdsDeath, _DEATH),
    "Tumorkonferenz": (r.ObdsTumourBoard, _TUMOUR_BOARD),
}

_MELDUNG: Paths = {
    **{f"@{name}": name for name in ("Meldung_ID", "Melder_ID")},
    **_same(
        "Meldebegruendung", "Einwilligung_nicht_meldepflichtig", "Zertifizierung", "Eigene_Leistung",
        "Anmerkung",
    ),
    "Tumorzuordnung/@Tumor_ID": "Tumor_ID",
    **_coded("Tumorzuordnung/Primaertumor_ICD"),
    **_dated("Tumorzuordnung/Diagnosedatum"),
    "Tumorzuordnung/Seitenlokalisation": "Seitenlokalisation",
    **_coded("Tumorzuordnung/Morphologie_ICD_O", "Tumorzuordnung_Morphologie"),
    "Menge_Zusatzitem/Zusatzitem": Several(
        "Menge_Zusatzitem", {**_dated("Datum"), **_same("Art", "Wert", "Bemerkung")}
    ),
}  # fmt: skip

_PATIENT: Paths = {
    **_same(
        "Nachname", "Titel", "Namenszusatz", "Namensvorsatz", "Vornamen", "Geburtsname", "Geschlecht",
    ),
    "Menge_Frueherer_Name/Frueherer_Name": Several("Menge_Frueherer_Name", None),
    **_dated("Geburtsdatum"),
}  # fmt: skip


def _node(path: str, paths: Paths) -> Node:
    node = Node(path, paths)
    for below, reason in ignored_paths(path):
        node.ignore(below, reason)
    return node


SENDER = _node(
    "Absender",
    {f"@{n}": n for n in ("Absender_ID", "Software_ID", "Software_Version", "Installations_ID")},
)
REPORTER = _node("Melder", {"@ID": "ID", "Ident_Nummern/IKNR": "IKNR"})
MASTER_DATA = _node("Patienten_Stammdaten", _PATIENT)
MELDUNG = _node("Meldung", _MELDUNG)
PATIENT = _node("Patient", {"@Patient_ID": "Patient_ID", "Anmerkung": "Anmerkung"})
ROOT = _node("oBDS", {"@Schema_Version": "Schema_Version", "Meldedatum": "Meldedatum"})
MODULES: Mapping[str, tuple[type[r.ObdsMeldung], Node]] = {
    name: (contract, _node(f"Meldung/{name}", paths)) for name, (contract, paths) in _MODULE_PATHS.items()
}
"""Module of a Meldung to its received table and the paths that are read."""

for _path in MODULES:
    MELDUNG.leave(_path)
for _path in ("Patienten_Stammdaten", "Menge_Meldung/Meldung"):
    PATIENT.leave(_path)
for _path in ("Absender", "Menge_Patient/Patient", "Menge_Melder/Melder"):
    ROOT.leave(_path)

OUTCOMES: Mapping[str, Outcome] = {
    path: outcome
    for node in (
        ROOT,
        SENDER,
        REPORTER,
        PATIENT,
        MASTER_DATA,
        MELDUNG,
        *(node for _, node in MODULES.values()),
    )
    for path, outcome in node.outcomes()
} | {XSI: (IGNORED, next(one.reason for one in IGNORED_VALUES if one.path == XSI))}
"""Outcome of every known path."""


def rows(name: str, values: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of a module's received table: position within the module, and column to text.

    Args:
        name: the module.
        values: the values that the walk took from it.
    """
    if name == "ST":
        yield from _irradiations(values)
    else:
        _flat(values)
        yield "", as_text(values)


def as_text(values: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the values with arrays as JSON."""
    return {name: value if isinstance(value, str) else as_json(value) for name, value in values.items()}


def _flat(values: dict[str, Any]) -> None:
    """Add columns for one histology and one TNM, in addition to the arrays that hold all."""
    if "Menge_OPS" in values:
        procedures = values["Menge_OPS"]
        values["Menge_OPS"] = [one.get("Code") for one in procedures]
        values["Menge_OPS_Version"] = [one.get("Version") for one in procedures]
    if "Histologie" in values:
        last = values["Histologie"][-1]
        codes = [one["Code"] for one in last.get("Morphologie_ICD_O", ()) if "Code" in one]
        values["Morphologie_ICD_O"] = codes
        for name in ("Tumor_Histologiedatum", "Grading"):
            values[name] = last.get(name)
    for kind in ("cTNM", "TNM", "pTNM"):
        if stated := [one for one in values.get("TNM", ()) if one["kind"] == kind]:
            values |= {name: stated[-1].get(name) for name in ("T", "N", "M")}
            values |= {"TNM_Version": stated[-1].get("Version"), "TNM_kind": kind}
            break


def _irradiations(values: dict[str, Any]) -> Iterator[Row]:
    course = {name: value for name, value in values.items() if name != IRRADIATIONS}
    irradiations = values.get(IRRADIATIONS, ())
    if not irradiations:
        yield "", as_text(course)
    for number, irradiation in enumerate(irradiations, start=1):
        kinds = irradiation.pop("Applikationsart", [])
        details = kinds[-1] if kinds else {}
        regions = details.pop("Zielgebiet", [])
        region = regions[-1] if regions else {}
        yield (
            f"/Bestrahlung[{number}]",
            as_text(
                course
                | irradiation
                | {name: value for name, value in details.items() if name != "kind"}
                | {
                    "Applikationsart": details.get("kind"),
                    "Zielgebiet": region.get("Code"),
                    "Zielgebiet_CodeVersion": region.get("kind"),
                }
            ),
        )
