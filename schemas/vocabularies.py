"""Define code lists: the values of coded columns, and how codes of the sources map to them."""

from __future__ import annotations

from typing import Literal, get_args

from schemas.structure_names import ROLES

SEX = ("female", "male", "diverse", "no entry", "unknown")
HISTOLOGY_GROUP = ("UPS", "liposarcoma", "myxofibrosarcoma", "synovial sarcoma", "others")
REGION = (
    "extremities", "trunk", "head and neck", "retroperitoneum", "peritoneum", "bone", "unspecified", "other",
)  # fmt: skip
LATERALITY = ("left", "right", "bilateral", "midline", "unknown", "not applicable")
T_STAGE = ("T0", "T1", "T2", "T3", "T4", "TX")
TNM_PREFIX = ("c", "p", "u")
N_STAGE = ("N0", "N1", "NX")
M_STAGE = ("M0", "M1", "MX")
FNCLCC_GRADE = ("G1", "G2", "G3", "GX")
NOT_KNOWN = frozenset({"unknown", "TX", "NX", "MX", "GX"})
"""Codes that say that a value is not known; RX is none of them: it is a residual status of its own."""
TUMOUR_DEPTH = ("superficial", "deep")
RESIDUAL_STATUS = ("R0", "R1", "R2", "RX")
INTENT = ("curative", "palliative", "diagnostic", "revision", "oligometastatic", "other", "unknown")
RADIATION_SEQUENCE = (
    "preoperative",
    "postoperative adjuvant",
    "postoperative additive",
    "intraoperative",
    "without surgery",
    "other",
)
TECHNIQUE = (
    "VMAT", "helical tomotherapy", "static IMRT", "3D conformal", "electron", "proton", "heavier ion",
    "neutron", "brachytherapy", "unknown",
)  # fmt: skip
"""Photon techniques by beam movement; other radiations have values of their own and are no IMRT."""
RADIATION = (
    "photons", "electrons", "protons", "heavier ions", "neutrons", "brachytherapy", "cobalt",
    "soft X-rays", "radionuclide", "other",
)  # fmt: skip
DOSE_UNIT = ("Gy", "Gy(RBE)")
"""Doses of protons and heavier ions are weighted by their biological effect."""
APPLICATION = ("external beam", "brachytherapy", "radionuclide", "other")
"""oBDS Applikationsart: percutaneous, contact, metabolic, other."""
PHASE_KIND = ("external beam", "brachytherapy", "intraoperative", "radionuclide", "other")
PLAN_ROLE = (
    "treated", "planned", "copy", "quality assurance", "setup", "rejected", "draft", "alternative",
    "research",
)  # fmt: skip
"""Purpose of a plan; only treated and planned ones make a course."""
STRUCTURE_ROLE = ROLES
"""What a structure of a plan is for."""
DECISION_ORIGIN = ("records", "relation", "documentation", "label", "decision")
"""Basis of a rule's decision, from the strongest to the weakest; the last is a data steward's choice."""
PLAN_INTENT = (
    "CURATIVE", "PALLIATIVE", "PROPHYLACTIC", "VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE",
)  # fmt: skip
BOOST = ("none", "simultaneous integrated", "sequential", "concomitant", "unspecified")
YES_NO_UNKNOWN = ("yes", "no", "unknown")
OVERALL_STATUS = (
    "complete remission",
    "partial remission",
    "stable",
    "progression",
    "mixed response",
    "improvement",
    "complete remission with residues",
    "relapse",
    "not assessable",
    "missing",
)
LOCAL_STATUS = (
    "no tumour",
    "residual",
    "progression",
    "stable",
    "relapse",
    "questionable",
    "unknown",
    "missing",
)
METASTASIS_SITE = ("PUL", "OSS", "HEP", "BRA", "LYM", "MAR", "PLE", "PER", "ADR", "SKI", "OTH", "GEN")
METASTASIS_EXTENT = ("regional", "distant")
REPORT_ORIGIN = ("diagnosis", "pathology", "surgery", "follow-up", "tumour", "table")
"""Kind of report; ``tumour`` is a metastasis that was reported as a tumour of its own."""
REPORT_ROLE = ("specimen", "biopsy", "later specimen", "follow-up", "relapse", "table")
TREATMENT_ORDER = ("surgery first", "therapy first", "no surgery", "order unknown")
TOXICITY_THERAPY = ("radiotherapy", "surgery", "systemic therapy")
TOXICITY_KIND = ("side effect", "complication", "wound revision")
TOXICITY_STATEMENT = ("present", "none", "unknown")
"""What a record says of toxicity; a record that says nothing makes no row."""
TOXICITY_CATEGORY = (
    "wound", "skin", "fibrosis", "oedema", "bone", "joint", "nerve", "vessel", "infection", "blood", "other",
)  # fmt: skip
TOXICITY_CODE_SYSTEM = ("MedDRA", "oBDS", "ICD-10", "OPS")
CTCAE_VERSION = ("3.0", "4", "4.03", "5.0", "other")
TOXICITY_WINDOW_BASIS = ("date", "statement")
TOXICITY_WINDOW = ("acute", "late")
"""To the 90th day after the start of radiotherapy, and later."""
TOXICITY_OUTCOME = ("toxicity", "death", "amputation", "censored")
TOXICITY_TIME_BASIS = ("date", "middle")
TOXICITY_ATTRIBUTION = ("record", "only therapy before", "last operation before")
VITAL_STATUS = ("alive", "deceased", "deceased, date unknown", "moved", "no information")
DATE_PRECISION = ("day", "month", "year")
SOURCE = ("registry office", "oBDS", "table", "DICOM")
DOSE_ORIGIN = ("target prescription", "beam dose", "documented", "decision")
SYSTEMIC_KIND = (
    "chemotherapy", "targeted", "immunotherapy", "hormone therapy", "stem cell transplantation",
    "surveillance", "other",
)  # fmt: skip
VALUE_OUTCOME = ("read", "ignored", "unknown")
DISPOSITION = ("curated", "quarantined", "duplicate", "out of scope")
LOCAL_RELAPSE, REGIONAL_RELAPSE, DISTANT_RELAPSE, UNKNOWN_RELAPSE = RELAPSES = (
    "local relapse", "regional relapse", "distant relapse", "relapse of unknown site",
)  # fmt: skip
SECOND_MALIGNANCY = "second malignancy"
DEATH_BY_TUMOUR, OTHER_DEATH = "tumour-related death", "other death"
EventKind = Literal[
    "death",
    "tumour-related death",
    "other death",
    "local relapse",
    "regional relapse",
    "distant relapse",
    "relapse of unknown site",
    "progression under treatment",
    "residual tumour",
    "second malignancy",
]
"""Events that may end an endpoint; every death is a `death`, and by its cause one of the next two."""
EVENT_KIND: tuple[str, ...] = (*get_args(EventKind), "censored")
COHORT_EVENT = (
    "diagnosis",
    "metastasis at diagnosis",
    "surgery",
    "definitive resection",
    "residual tumour",
    "radiotherapy start",
    "radiotherapy end",
    "systemic therapy",
    "assessment",
    "progression under treatment",
    *RELAPSES,
    SECOND_MALIGNANCY,
    "other tumour",
    "alive",
    "death",
)
"""Kinds of event in `cohort.events`."""
SEVERITY = ("error", "warning", "notice")
FINDING_STATUS = ("open", "acknowledged", "waived", "resolved", "reopened")
DECISION_ACTION = ("acknowledge", "waive", "reopen", "decide")
LETTER_ANSWER = ("corrected", "correct as it is", "cannot be clarified")
"""Answers of a sender to a question about a record."""
LINEAGE_ROLE = ("decided", "supports", "overruled")
RECORD_ROLE = ("won", "lost", "other")
"""Role of a record in a finding: its value is used and another is not; it is not used; neither."""
RULE_SCOPE = ("file", "record", "patient", "source", "dataset")
RULE_CATEGORY = ("completeness", "conformance", "plausibility")
"""Sides of data quality, by Kahn 2016 (``schemas.rule_category``)."""
APPROVAL = ("APPROVED", "UNAPPROVED", "REJECTED")

CURATED, QUARANTINED, DUPLICATE, OUT_OF_SCOPE = DISPOSITION
ERROR, WARNING, NOTICE = SEVERITY
OPEN, ACKNOWLEDGED, WAIVED, RESOLVED, REOPENED = FINDING_STATUS
ACKNOWLEDGE, WAIVE, REOPEN, DECIDE = DECISION_ACTION
ALIVE, DECEASED, DECEASED_DATE_UNKNOWN, MOVED, NO_INFORMATION = VITAL_STATUS
WON, LOST, OTHER = RECORD_ROLE
APPROVED, UNAPPROVED, REJECTED = APPROVAL

RECORD_CHANGE = (
    "added", "newly used", "read differently", "changed", "vanished", "outranked", "set aside",
    "of another patient", "no longer used",
)  # fmt: skip
"""Change of a record behind a patient's values since the previous release."""
MOVEMENT_CAUSE = (
    "file added", "file changed", "file removed", "decision", "program", "configuration", "calendar", "key",
    "patients",
)  # fmt: skip
"""Causes of a changed released value."""

VOCABULARIES: dict[str, tuple[str, ...]] = {
    name.lower(): value
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, tuple)
}

# --- how sources write them -------------------------------------------------------------------------

OBDS_SEX = {"M": "male", "W": "female", "D": "diverse", "X": "no entry", "U": "unknown"}
"""X is no entry or indeterminate in the register of civil status (Geschlecht, oBDS 3.0.4)."""
OBDS_LATERALITY = {
    "L": "left", "R": "right", "B": "bilateral", "M": "midline", "U": "unknown", "T": "not applicable",
}  # fmt: skip
OBDS_DATE_PRECISION = {"E": "day", "T": "month", "M": "year"}
"""oBDS Datumsgenauigkeit; V (fully estimated) has no usable date and is not in the list."""
OBDS_INTENT_SURGERY = {
    "K": "curative", "P": "palliative", "D": "diagnostic", "R": "revision", "S": "other", "X": "unknown",
}  # fmt: skip
OBDS_INTENT_RADIOTHERAPY = {
    "K": "curative", "P": "palliative", "O": "oligometastatic", "S": "other", "X": "unknown",
}  # fmt: skip
OBDS_INTENT_SYSTEMIC = {"K": "curative", "P": "palliative", "S": "other", "X": "unknown"}
OBDS_SEQUENCE = {
    "N": "preoperative",
    "A": "postoperative adjuvant",
    "Z": "postoperative additive",
    "I": "intraoperative",
    "O": "without surgery",
    "S": "other",
}
OBDS_BOOST = {
    "J": "unspecified", "SIB": "simultaneous integrated", "SEQ": "sequential", "KON": "concomitant",
    "N": "none",
}  # fmt: skip
OBDS_APPLICATION = {
    "Perkutan": "external beam", "Kontakt": "brachytherapy", "Metabolisch": "radionuclide",
    "Sonstige": "other",
}  # fmt: skip
OBDS_RADIATION = {
    "UH": "photons", "EL": "electrons", "NE": "neutrons", "PN": "protons", "SI": "heavier ions",
    "RO": "soft X-rays", "RÖ": "soft X-rays", "Co-60": "cobalt", "SO": "other",
}  # fmt: skip
"""Strahlenart of percutaneous and contact irradiations."""
OBDS_RESIDUAL = {
    "R0": "R0", "R1": "R1", "R2": "R2", "R1(is)": "R1", "R1(cy+)": "R1", "RX": "RX",
}  # fmt: skip
"""RX is an explicit code; U (unknown) is in no list, so the status is missing."""
OBDS_OVERALL = {
    "V": "complete remission",
    "T": "partial remission",
    "K": "stable",
    "P": "progression",
    "D": "mixed response",
    "B": "improvement",
    "R": "complete remission with residues",
    "Y": "relapse",
    "U": "not assessable",
    "X": "missing",
}
"""Gesamtbeurteilung_Tumorstatus: Y is relapse here, R is a remission."""
OBDS_LOCAL = {
    "K": "no tumour",
    "T": "residual",
    "P": "progression",
    "N": "stable",
    "R": "relapse",
    "F": "questionable",
    "U": "unknown",
    "X": "missing",
}
"""Verlauf_Lokaler_Tumorstatus, …_Lymphknoten, …_Fernmetastasen: R is relapse here."""
OBDS_SYSTEMIC_KIND = {
    "CH": "chemotherapy",
    "CI": "chemotherapy",
    "CZ": "chemotherapy",
    "CIZ": "chemotherapy",
    "HO": "hormone therapy",
    "IM": "immunotherapy",
    "ZS": "targeted",
    "IZ": "targeted",
    "SZ": "stem cell transplantation",
    "AS": "surveillance",
    "WS": "surveillance",
    "WW": "surveillance",
    "SO": "other",
}
"""Therapieart: the main component; OBDS_SYSTEMIC_COMPONENTS has all of them."""
OBDS_SYSTEMIC_COMPONENTS = {
    "chemotherapy": ("CH", "CI", "CZ", "CIZ"),
    "immunotherapy": ("IM", "CI", "CIZ", "IZ"),
    "targeted": ("ZS", "CZ", "CIZ", "IZ"),
    "hormone_therapy": ("HO",),
}
"""Column to the values of Therapieart that contain this component."""
OBDS_SURVEILLANCE = ("AS", "WS", "WW")
"""Therapieart: active surveillance, wait and see, watchful waiting. Nothing is given."""
OBDS_YES_NO_UNKNOWN = {"J": "yes", "N": "no", "U": "unknown"}
OBDS_HISTOLOGICAL = {
    "1": "no", "2": "no", "4": "no", "5": "no", "6": "yes", "7": "yes", "7.1": "yes", "7.2": "yes",
    "7.3": "yes", "8": "yes", "9": "unknown",
}  # fmt: skip
"""Diagnosesicherung: whether the diagnosis is based on histology."""
REGISTRY_ANSWER = {
    **dict.fromkeys((
            "lebt", "lebend", "am leben", "lebt noch", "wohnhaft", "wohnt hier", "gemeldet", "hier gemeldet",
            "hier wohnhaft", "noch gemeldet", "aktuell gemeldet",
        ),
        "alive",
    ),
    **dict.fromkeys(
        ("verstorben", "verst", "gestorben", "gest", "tot", "todesfall", "sterbefall"), "deceased"
    ),
    **dict.fromkeys(
        (
            "verstorben, datum unbekannt", "gestorben, datum unbekannt", "sterbedatum unbekannt",
            "verstorben, sterbedatum unbekannt", "tot, datum unbekannt", "verstorben, datum nicht bekannt",
            "verstorben, todestag unbekannt", "verstorben, ohne datum",
        ),
        "deceased, date unknown",
    ),
    **dict.fromkeys(
        (
            "verzogen", "unbekannt verzogen", "unb. verzogen", "unbek. verzogen", "wegzug ins ausland",
            "ins ausland abgemeldet", "nach unbekannt abgemeldet",
            "nach unbekannt verzogen", "fortgezogen", "weggezogen",
            "ins ausland verzogen", "verzogen ins ausland", "abgemeldet", "von amts wegen abgemeldet",
        ),
        "moved",
    ),
    **dict.fromkeys(
        (
            "keine auskunft", "keine angaben", "auskunft verweigert", "auskunftssperre", "nicht ermittelt",
            "nicht ermittelbar", "nicht zu ermitteln", "nicht gefunden", "kein treffer", "nicht eindeutig",
            "nicht eindeutig ermittelbar", "ohne ergebnis", "nicht gemeldet", "nicht bekannt",
            "unbekannt",
        ),
        "no information",
    ),
}  # fmt: skip
"""Usual German wordings of registry offices, in lower case, without a final dot; ``answers`` adds others."""
DICOM_SEX = {"M": "male", "F": "female", "O": "diverse"}
