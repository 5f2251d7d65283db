"""What becomes of every enumerated value of the oBDS schema, as its documentation says.

``TYPED`` names the typed columns. A value whose code is None is a missing value by declaration: no code of
the column says that nothing is known. ``KEPT`` are values that are read and kept as delivered, and typed by
no rule. What is neither here nor ignored by name (``schemas.ignored_values``) fails the test: so does a new
schema.
"""

from __future__ import annotations

from tests.oracle import export_values
from tests.oracle import rederived as o

Codes = dict[str, str | None]

_PRECISION: Codes = {**export_values.PRECISION, "V": None}
_RESIDUAL: Codes = {**o.RESIDUAL, "U": None}
_SELF = "as delivered"
"""The code is the value itself."""

TYPED: dict[str, tuple[str, str, Codes | str]] = {
    "Patienten_Stammdaten/Geschlecht": ("person", "sex", dict(o.SEX)),
    "Patienten_Stammdaten/Geburtsdatum/@Datumsgenauigkeit": ("person", "birth_date_precision", _PRECISION),
    "Meldung/Tumorzuordnung/Diagnosedatum/@Datumsgenauigkeit": (
        "diagnosis", "diagnosis_date_precision", _PRECISION,
    ),
    "Meldung/Tumorzuordnung/Seitenlokalisation": ("diagnosis", "laterality", dict(o.SIDE)),
    "Meldung/Tumorzuordnung/Morphologie_ICD_O/Version": ("tumour_assignment", "morphology_version", _SELF),
    "Meldung/Diagnose/Diagnosesicherung": (
        "diagnosis", "histologically_confirmed",
        {
            **dict.fromkeys(("1", "2", "4", "5"), "no"),
            **dict.fromkeys(("6", "7", "7.1", "7.2", "7.3", "8"), "yes"),
            "9": "unknown",
        },
    ),
    "Histologie/Tumor_Histologiedatum/@Datumsgenauigkeit": (
        "diagnosis", "report_date_precision", _PRECISION,
    ),
    "Histologie/Morphologie_ICD_O/Version": ("diagnosis", "morphology_version", _SELF),
    "Histologie/Grading": ("diagnosis", "grade", _SELF),
    "Menge_FM/Fernmetastase/Diagnosedatum/@Datumsgenauigkeit": (
        "metastasis", "metastasis_date_precision", _PRECISION,
    ),
    "Menge_FM/Fernmetastase/Lokalisation": ("metastasis", "site", _SELF),
    "TNM/Version": ("diagnosis", "tnm_edition", {v: v for v in "6789"}),
    "TNM/y_Symbol": ("diagnosis", "after_therapy", {"y": "True"}),
    "TNM/r_Symbol": ("diagnosis", "of_relapse", {"r": "True"}),
    "TNM/a_Symbol": ("diagnosis", "by_autopsy", {"a": "True"}),
    **{
        f"TNM/c_p_u_Praefix_{letter}": ("diagnosis", f"{letter.lower()}_prefix", {v: v for v in "cpu"})
        for letter in "TNM"
    },
    "Meldung/Pathologie/Lokale_Beurteilung_Residualstatus": ("diagnosis", "residual_status", _RESIDUAL),
    "Residualstatus/Lokale_Beurteilung_Residualstatus": ("surgery", "residual_status", _RESIDUAL),
    "Meldung/OP/Intention": ("surgery", "intent", {v: o.INTENT[v] for v in "KPDRSX"}),
    "Meldung/ST/Intention": ("radiotherapy", "intent", {v: o.INTENT[v] for v in "KPOSX"}),
    "Meldung/ST/Stellung_OP": ("radiotherapy", "radiation_sequence", dict(o.SEQUENCE)),
    "Meldung/ST/Ende_Grund": ("radiotherapy", "end_reason", _SELF),
    "Perkutan/Radiochemo": ("radiotherapy", "with_chemotherapy", {"RCJ": "true", "RCN": "false"}),
    "Perkutan/Stereotaktisch": ("radiotherapy", "stereotactic", {"ST": "True"}),
    "Zielgebiet/CodeVersion2021": ("radiotherapy", "target_region", _SELF),
    "Zielgebiet/CodeVersion2014": ("radiotherapy", "target_region", _SELF),
    "Seite_Zielgebiet": ("radiotherapy", "target_side", dict(o.SIDE)),
    "Perkutan/Strahlenart": (
        "radiotherapy", "radiation",
        {
            "UH": "photons", "EL": "electrons", "NE": "neutrons", "PN": "protons", "SI": "heavier ions",
            "RO": "soft X-rays", "Co-60": "cobalt", "SO": "other",
        },
    ),
    "Kontakt/Strahlenart": ("radiotherapy", "radiation", {"UH": "photons", "EL": "electrons", "SO": "other"}),
    "Metabolisch/Strahlenart": ("radiotherapy", "radiation", "radionuclide"),
    "Boost": ("radiotherapy", "boost", dict(o.BOOST)),
    "Meldung/SYST/Therapieart": ("systemic_therapy", "kind", {v: kind for v, (kind, _) in o.DRUGS.items()}),
    "Meldung/SYST/Beginn/@Datumsgenauigkeit": (
        "systemic_therapy", "start_date_precision", {"E": "day", "T": "month"},
    ),
    "Komplikation_nein_oder_unbekannt": ("toxicity", "statement", {"N": "none", "U": "unknown"}),
    "Komplikation/Kuerzel": ("toxicity", "code", _SELF),
    "Grad_maximal2_oder_unbekannt": (
        "toxicity", "statement", {"K": "none", "1": "present", "2": "present", "U": "unknown"},
    ),
    "Nebenwirkung/Grad": ("toxicity", "grade", _SELF),
    "Nebenwirkung/Version": (
        "toxicity", "ctcae_version", {"4": "4", "4.03": "4.03", "5.0": "5.0", "Sonstige": "other"},
    ),
    "Verlauf/Gesamtbeurteilung_Tumorstatus": ("assessment", "overall_status", dict(o.OVERALL)),
    "Verlauf/Verlauf_Lokaler_Tumorstatus": ("assessment", "local_status", dict(o.SINGLE)),
    "Verlauf/Verlauf_Tumorstatus_Lymphknoten": ("assessment", "regional_status", dict(o.SINGLE)),
    "Verlauf/Verlauf_Tumorstatus_Fernmetastasen": ("assessment", "distant_status", dict(o.SINGLE)),
    "Meldung/Tod/Tod_tumorbedingt": ("vital_status", "tumour_related", dict(o.CAUSE)),
}  # fmt: skip
"""Suffix of a path to typed table, column and codes; the longest suffix counts."""

KEPT = frozenset(
    {
        # Who told and why; the objection (W) sets records aside, which tests of reports show.
        "Meldebegruendung", "Einwilligung_nicht_meldepflichtig", "Zertifizierung", "Eigene_Leistung",
        "Meldeanlass", "oBDS/@Schema_Version",
        # The day of an operation or examination is its own; that of its histology is kept beside it.
        "OP/Histologie/Tumor_Histologiedatum/@Datumsgenauigkeit",
        "Verlauf/Histologie/Tumor_Histologiedatum/@Datumsgenauigkeit",
        "Primaertumor_Topographie_ICD_O/Version", "Meldung/Pathologie/Diagnosesicherung",
        "TNM/L", "TNM/V", "TNM/Pn", "TNM/S", "TNM/UICC_Stadium",
        "Weitere_Klassifikation/Datum/@Datumsgenauigkeit",
        "Genetische_Variante/Datum/@Datumsgenauigkeit", "Genetische_Variante/Auspraegung",
        "Allgemeiner_Leistungszustand", "Studienteilnahme/NU",
        # Of all tumour; only R0 says something of the primary too.
        "Residualstatus/Gesamtbeurteilung_Residualstatus",
        "Perkutan/Atemgetriggert", "Kontakt/Interstitiell_endokavitaer",
        "Kontakt/Rate_Type", "Metabolisch/Metabolisch_Typ", "Gesamtdosis/Einheit", "Einzeldosis/Einheit",
        "Meldung/SYST/Intention", "Meldung/SYST/Stellung_OP", "Meldung/SYST/Ende_Grund",
        # No study uses tumour boards.
        "Tumorkonferenz/Datum/@Datumsgenauigkeit", "Tumorkonferenz/Typ", "Typ_Therapieempfehlung",
        "Abweichung_Patientenwunsch", "Zusatzitem/Datum/@Datumsgenauigkeit",
    }
)  # fmt: skip


def chosen(path: str) -> tuple[str, str, Codes | str] | None:
    """How a path is typed; None where it is kept."""
    suffix = next(s for s in suffixes(path) if s in TYPED or s in KEPT)
    return TYPED.get(suffix)


def suffixes(path: str) -> list[str]:
    """The suffixes of a path, the longest first; cTNM and pTNM are a TNM."""
    parts = path.replace("/cTNM/", "/TNM/").replace("/pTNM/", "/TNM/").split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def code(codes: Codes | str, value: str) -> str | None:
    """The declared code of a value."""
    if isinstance(codes, dict):
        return codes[value]
    return value if codes == _SELF else codes
