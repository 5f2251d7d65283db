"""Define the code lists of values that are kept as delivered, and of received columns that no result uses.

A typed column with a vocabulary has its list there (``schemas.vocabularies``). A list here only tells which
texts are codes: a text outside of it stays as delivered and is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from schemas import vocabularies as v


@dataclass(frozen=True)
class CodeList:
    """The codes that a column may hold.

    Attributes:
        codes: the codes; compared without outer blanks.
        form: regular expression of the whole text; for lists that are too long or have numbers.
        where: column and its value for which the list holds; a text elsewhere has its own list.
        decides: whether a result depends on the value: an unknown code is a warning then, else a notice.
    """

    codes: tuple[str, ...] = ()
    form: str | None = None
    where: tuple[str, str] | None = None
    decides: bool = False

    def canonical(self, text: pl.Expr) -> pl.Expr:
        """Return the code as the list writes it, if only the case differs; another text stays, stripped."""
        plain = text.str.strip_chars()
        if not self.codes:
            return plain
        written = {code.lower(): code for code in self.codes}
        known = plain.str.to_lowercase().replace_strict(written, default=None, return_dtype=pl.String)
        return pl.coalesce([known, plain])

    def unknown(self, text: pl.Expr) -> pl.Expr:
        """Return whether a text is filled and no code of the list."""
        plain = text.str.strip_chars()
        known = pl.lit(False)
        if self.codes:
            known = known | plain.is_in(list(self.codes))
        if self.form:
            known = known | plain.str.contains(f"^(?:{self.form})$")
        here = pl.lit(True) if self.where is None else pl.col(self.where[0]) == self.where[1]
        return (~known & (plain != "") & here).fill_null(False)


def _codes(codes: str, *, decides: bool = False) -> CodeList:
    return CodeList(tuple(codes.split()), decides=decides)


TARGETS_2021 = tuple(
    f"{chapter}.{number}"
    for chapter, last in {1: 5, 2: 12, 3: 8, 4: 13, 5: 12, 6: 19, 7: 9, 8: 2, 9: 15, 10: 3}.items()
    for number in range(1, last + 1)
)
"""oBDS 3.0.4 oBDS_Zielgebiet2021_Typ."""

_SIDED = _codes(
    "2. 2.1. 2.2. 2.3. 2.4. 2.5. 2.6. 2.7. 2.8. 3. 3.1. 3.2. 3.3. 3.4. 3.5. 3.6. 4. 4.1. 4.2. 4.3. 4.4. 4.5. "
    "4.6. 4.8. 4.9. 5. 5.1. 5.2. 5.3. 5.4. 5.5. 5.6. 5.7. 5.7.1. 5.7.2. 5.8. 5.9. 5.10. 5.11. 7."
).codes
"""Codes of 2014 that may have a + or - (with or without lymph nodes)."""
TARGETS_2014 = (
    *_codes("1. 1.1. 1.2. 1.3. 2.9. 3.7. 4.7. 5.12. 6. 7.1. 7.2. 8. 8.1. 8.2.").codes,
    *(f"6.{number}." for number in range(1, 17)),
    *(f"{code}{nodes}" for code in _SIDED for nodes in ("", "+", "-")),
)
"""oBDS 3.0.4 oBDS_Zielgebiet2014_Typ."""

TARGET_REGION = CodeList((*TARGETS_2021, *TARGETS_2014), decides=True)
MORPHOLOGY_VERSION = _codes("31 32 33 bb", decides=True)
MULTIPLICITY = CodeList(form=r"m(,is)?|is|[2-9](,is)?|[1-9]\d{1,2}(,is)?")
"""oBDS 3.0.4 TNM_Typ, m_Symbol."""
GRADING = _codes("0 1 2 3 4 X L M H B U T", decides=True)
END_OF_RADIOTHERAPY = _codes("E F A P S V T U", decides=True)
END_OF_SYSTEMIC_THERAPY = _codes("E R W A P S V T U")

_EXACTNESS = CodeList(form="(?i)[ETMV]")
_SIDE = CodeList(tuple(v.OBDS_LATERALITY), decides=True)
_YES_NO_UNKNOWN = _codes("J N U")
_ICD = r"[A-Z]\d\d(\.\d\d?)?"
_ICD_VERSION = CodeList(form=r"10 20\d\d (GM|WHO)|Sonstige")
_YEAR_OF_LIST = CodeList(form=r"200[4-9]|20[12]\d")
_DATE = CodeList(form=r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?")
_NODES = CodeList(form=r"\d{1,3}|U")
_PERFORMANCE = _codes("0 1 2 3 4 U 10% 20% 30% 40% 50% 60% 70% 80% 90% 100%")
_NUCLIDES = "Lu-177 J-131 Y-90 Ra-223 Ac-225 Sm-153 Tb-161 Sr-89 Ir-192 SONU"
_STAGES = _codes(
    "okk 0 0a 0is I IA IA1 IA2 IA3 IB IB1 IB2 IC II IIA IIA1 IIA2 IIB IIC III IIIA IIIA1 IIIA2 IIIB IIIC "
    "IIIC1 IIIC2 IIID IS IV IVA IVA1 IVA2 IVB IVC"
)

_REPORT: dict[str, CodeList] = {
    "Einwilligung_nicht_meldepflichtig": _codes("J N"),
    "Zertifizierung": _codes("1 2 3"),
    "Eigene_Leistung": _YES_NO_UNKNOWN,
    "Primaertumor_ICD_Version": _ICD_VERSION,
    "Tumorzuordnung_Morphologie": CodeList(form=r"\d{4}/\d", decides=True),
    "Tumorzuordnung_Morphologie_Version": MORPHOLOGY_VERSION,
    "Menge_Zusatzitem/Datum_Datumsgenauigkeit": _EXACTNESS,
}
"""Columns of every Meldung."""
_ASSIGNMENT: dict[str, CodeList] = {
    "Seitenlokalisation": _SIDE,
    "Diagnosedatum": CodeList(form=rf"{_DATE.form}|\d\d\.\d\d\.\d{{4}}", decides=True),
    "Diagnosedatum_Datumsgenauigkeit": replace(_EXACTNESS, decides=True),
}
"""Columns of the Tumorzuordnung of a Meldung that is no Diagnose, whose own values have findings."""
_SITE = {"Primaertumor_ICD": CodeList(form=_ICD, decides=True)}
_PRIMARY = {"Primaertumor_Topographie_ICD_O_Version": _codes("31 32 33")}
_IN_STUDY = {"Studienteilnahme_NU": _codes("N U")}
_HISTOLOGY: dict[str, CodeList] = {
    **{f"Histologie/{k}": _NODES for k in ("LK_untersucht", "LK_befallen")},
    **{f"Histologie/Sentinel_{k}": _NODES for k in ("LK_untersucht", "LK_befallen")},
    "TNM/L": _codes("LX L0 L1"),
    "TNM/V": _codes("VX V0 V1 V2"),
    "TNM/Pn": _codes("PnX Pn0 Pn1"),
    "TNM/S": _codes("SX S0 S1 S2 S3"),
    "TNM/UICC_Stadium": _STAGES,
    "Menge_Weitere_Klassifikation/Datum": replace(_DATE, decides=True),
    "Menge_Weitere_Klassifikation/Datum_Datumsgenauigkeit": _EXACTNESS,
    "Menge_Genetik/Auspraegung": _codes("M W P N U"),
    "Menge_Genetik/Datum": _DATE,
    "Menge_Genetik/Datum_Datumsgenauigkeit": _EXACTNESS,
}
_OF_THERAPY = {"Meldeanlass": _codes("behandlungsbeginn behandlungsende")}

RECEIVED: dict[str, dict[str, CodeList]] = {
    "received.obds_diagnosis": _REPORT | _PRIMARY | _IN_STUDY | _HISTOLOGY | {
        "Allgemeiner_Leistungszustand": _PERFORMANCE,
        "Menge_Fruehere_Tumorerkrankung/ICD": CodeList(form=_ICD),
        "Menge_Fruehere_Tumorerkrankung/ICD_Version": _ICD_VERSION,
        "Menge_Fruehere_Tumorerkrankung/Diagnosedatum": CodeList(form=r"\d{4}"),
    },
    "received.obds_pathology": _REPORT | _ASSIGNMENT | _PRIMARY | _IN_STUDY | _HISTOLOGY,
    "received.obds_surgery": _REPORT | _ASSIGNMENT | _SITE | _IN_STUDY | _HISTOLOGY | {
        "Gesamtbeurteilung_Residualstatus": CodeList((*v.OBDS_RESIDUAL, "U"), decides=True),
        "Menge_OPS_Version/": _YEAR_OF_LIST,
        "Menge_Komplikation/ICD_Version": _ICD_VERSION,
    },
    "received.obds_radiotherapy": _REPORT | _ASSIGNMENT | _SITE | _IN_STUDY | _OF_THERAPY | {
        "Radiochemo": _codes("RCJ RCN"),
        "Stereotaktisch": _codes("ST", decides=True),
        "Atemgetriggert": _codes("4D"),
        "Interstitiell_endokavitaer": _codes("I K"),
        "Rate_Type": _codes("HDR LDR PDR"),
        "Metabolisch_Typ": _codes("SIRT PRRT PSMA RJT RIT M"),
        "Strahlenart": CodeList(tuple(_NUCLIDES.split()), where=("Applikationsart", "Metabolisch")),
        "Einzeldosis_Einheit": CodeList(("GBq", "MBq", "kBq"), where=("Applikationsart", "Metabolisch")),
    },
    "received.obds_systemic_therapy": _REPORT | _ASSIGNMENT | _SITE | _IN_STUDY | _OF_THERAPY | {
        "Intention": _codes("K P S X"),
        "Stellung_OP": _codes("O A N I S"),
        "Menge_Substanz/ATC": CodeList(form=r"[A-Z]\d\d[A-Z][A-Z]\d\d"),
        "Menge_Substanz/ATC_Version": _YEAR_OF_LIST,
    },
    "received.obds_follow_up": _REPORT | _ASSIGNMENT | _SITE | _IN_STUDY | _HISTOLOGY | {
        "Meldeanlass": _codes("statusaenderung statusmeldung"),
        "Allgemeiner_Leistungszustand": _PERFORMANCE,
    },
    "received.obds_death": _REPORT | _ASSIGNMENT | _SITE | {
        "Menge_Todesursachen/Code": CodeList(form=_ICD),
        "Menge_Todesursachen/Version": _ICD_VERSION,
    },
    "received.obds_tumour_board": _REPORT | _ASSIGNMENT | _SITE | {
        "Meldeanlass": _codes("diagnose behandlungsbeginn behandlungsende statusaenderung"),
        "Datum_Datumsgenauigkeit": _EXACTNESS,
        "Typ": _codes("praeth postop postth ther"),
        "Menge_Typ_Therapieempfehlung/": _codes("CH HO IM ZS SZ CI CZ CIZ IZ WW AS WS OP ST SO KW"),
        "Abweichung_Patientenwunsch": _YES_NO_UNKNOWN,
    },
}  # fmt: skip
"""Received table to the columns that are kept as delivered or typed without a finding, and their lists.

``column/key`` is a key of the entries of an array, ``column/`` the entries themselves. Source: oBDS 3.0.4.
"""
