"""Define the words by which columns and codes of a new table are recognised, in German and English.

Only meanings of names and words are proposed; a bare number has no known meaning, so a person must give
it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from schemas import units
from schemas.umlauts import UMLAUTS

_UMLAUTS = str.maketrans(UMLAUTS)


def plain(text: str) -> str:
    """Return a header or word in small letters and digits, with single blanks between its parts."""
    spaced = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", unicodedata.normalize("NFC", text).strip())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", spaced.casefold().translate(_UMLAUTS)).split())


NUMBER = "person.hospital_number"
STATUS = "vital_status.status"
DEATH, CONTACT, TIME = "death date", "last contact", "time of follow-up"
"""Columns that become part of a vital status, depending on the other columns."""

COLUMNS: tuple[tuple[str, str], ...] = (
    ("person.given_names", r"vornamen?|rufname|first name|given names?"),
    ("person.family_name", r"name|(nach|familien|zu)name|surname|last name|family name"),
    ("person.birth_name", r"geb(urts)? ?name|birth name|maiden name|name bei geburt"),
    ("person.former_names", r"frueherer? namen?|former names?"),
    ("person.birth_date", r"(geb|geburts?|birth).*|dob|date of birth"),
    ("person.sex", r"sex|gender|geschl(echt)?|male|female|maennlich|weiblich"),
    (NUMBER, r"(pat(ient(en)?)?|fall|case|subject|studien|study|proband(en)?|kranken)? ?"
     r"(nr|nummer|no|number|id|pid|barcode|identifier)|pid|patient|pat|bcr patient barcode"),
    (DEATH, r"(todes|sterbe) ?(tag|dat.*)|dat(um|e)? (of |des )?(death|tod(es)?)|(ver|ge)storben am"
     r"|death date"),
    (CONTACT, r"(datum |date )?(of )?(letzt|last)\w* .*|letzt(er|e|es)?(kontakt|kontrolle|info).*|stand( .*)?"
     r"|fu ?(dat.*)|follow up date|status ?dat.*|dat(um|e) (vital)?status"),
    (STATUS, r"(vital|lebens|ueberlebens|os|survival) ?status|status|(is )?(dead|death|deceased|died|alive)"
     r"|event|tod|verstorben|exitus|fustat|(death|os) event|zensiert|censored|cens"),
    (TIME, r"(survival|ueberlebens?|follow up|beobachtungs?|os) ?(time|zeit|dauer|days|months|years)?( .*)?"
     r"|time|zeit|futime|dtime|survtime|tage|days|monate|months"
     r"|(os|survival|ueberlebenszeit) .*|(time|zeit) .*"),
    ("diagnosis.diagnosis_date", r"(erst)?(diagnose|diagnosis|dx) ?(dat.*|am|vom|date)|dat(um|e)? (of |der )?"
     r"(erst)?(diagnose|diagnosis|ed|dx)|ed|ed datum|erstdiagnose"),
    ("diagnosis.age_at_diagnosis_years", r"(age|alter)( .*)?"),
    ("diagnosis.icdo3_morphology", r".*morph.*|histo(logie|logy)? ?(code|icd o.*)|icd o.* (hist|morph).*"),
    ("diagnosis.icdo3_topography", r".*topo.*|icd o.* (site|lok).*"),
    ("diagnosis.icd10_code", r"icd.*|diagnose( code)?|diagnosis( code)?"),
    ("diagnosis.tumour_size_cm", r"(tu(mou?r)?)? ?(size|groesse|durchmesser|diameter)( .*)?|tumorgroesse.*"),
    ("diagnosis.tumour_depth", r"(tumou?r)? ?(depth|tiefe)"),
    ("diagnosis.fnclcc_grade", r".*fnclcc.*|grad(e|ing)?"),
    ("surgery.surgery_date", r"op( |s)?dat.*|dat(um|e)? (der |of )?(op|operation|surgery|resection|resektion)"
     r"|(surgery|resection|operations?|resektions?) ?dat.*"),
    ("surgery.residual_status", r"r|r ?status|(residual|resektions?) ?(status|tumou?r)?"),
    ("radiotherapy.start_date", r"(rt|radio\w*|bestrahlungs?|strahlen\w*) ?(start|beginn?|von)( .*)?"),
    ("radiotherapy.end_date", r"(rt|radio\w*|bestrahlungs?|strahlen\w*) ?(ende?|bis|stop)( .*)?"),
    ("radiotherapy.prescribed_dose_gy", r"(gesamt|total|rt)? ?(dosis|dose)( gy)?"),
    ("systemic_therapy.given", r"chemo.*"),
    ("relapse.local_status", r"(lokal|local) ?(rezidiv|relapse|recurrence) ?(dat.*|am|date)?"),
    ("relapse.distant_status", r"(fern)?metast\w* ?(dat.*|am|date)|distant .* ?(date)"),
    ("relapse.overall_status", r"(rezidiv|relapse|recurrence|progress\w*) ?(dat.*|am|date)?"),
)  # fmt: skip
"""Target of a column by its header, normalised by :func:`plain`; the first match counts."""

REPLY: tuple[tuple[str, str], ...] = (
    ("reference", r"aktenzeichen|az|gz|geschaeftszeichen|referenz|reference|vorgang.*"),
    ("hospital_number", r"(pat(ient(en)?)?|kranken|ihre)? ?(nr|nummer|id|number)|patient"),
    ("given_names", r"vornamen?|rufname|first name|given names?"),
    ("family_name", r"name|(nach|familien|zu)name|surname|last name|family name"),
    ("birth_name", r"geb(urts)? ?name|birth name|maiden name|name bei geburt"),
    ("former_names", r"frueherer? namen?|former names?"),
    ("name_prefix", r"namens?(vorsatz|zusatz|bestandteile?)|(name )?prefix|praefix"),
    ("title", r"titel|(akad(em)?(ischer)?|doktor) ?(grad|titel)|(academic )?title"),
    ("place_of_death", r"(sterbe|todes) ?ort|place of death"),
    ("birth_date", r"(geb|geburts?|birth).*|dob"),
    ("sex", r"sex|gender|geschl(echt)?"),
    ("answered_on", r"stand( .*)?|(auskunft|antwort)s? ?(dat.*|vom|am)|as of|answered( on)?"),
    ("event_date", r"dat(um|e)|(sterbe|todes|ereignis|wegzugs?) ?(dat.*|tag)|am|zum|(event|death) date"),
    ("answer", r"auskunft|antwort|ergebnis|mitteilung|answer|reply|status"),
)  # fmt: skip
"""Columns of a registry office's reply, by header."""

_YES, _NO = ("ja", "j", "yes", "y", "true", "wahr", "x"), ("nein", "n", "no", "false", "falsch")
_DEAD = (
    "tot", "tod", "verstorben", "gestorben", "dead", "deceased", "died", "death", "exitus", "dod", "doc",
)  # fmt: skip
_ALIVE = ("lebt", "lebend", "lebendig", "am leben", "alive", "living", "zensiert", "censored", "ned", "awd")


def _to(**words: tuple[str, ...]) -> dict[str, str]:
    return {word: value.replace("_", " ") for value, listed in words.items() for word in listed}


CODES: dict[str, dict[str, str]] = {
    "person.sex": _to(
        male=("m", "male", "mann", "maennlich", "herr"),
        female=("w", "f", "female", "frau", "weiblich"),
        diverse=("d", "divers", "diverse"),
        unknown=("u", "x", "unbekannt", "unknown"),
    ),
    STATUS: _to(deceased=_DEAD, alive=_ALIVE),
    "diagnosis.tumour_depth": _to(
        deep=("tief", "deep", "subfaszial"), superficial=("oberflaechlich", "superficial", "epifaszial")
    ),
    "diagnosis.fnclcc_grade": _to(G1=("g1",), G2=("g2",), G3=("g3",), GX=("gx", "x")),
    "surgery.residual_status": _to(R0=("r0",), R1=("r1",), R2=("r2",), RX=("rx",)),
    "systemic_therapy.given": _to(yes=_YES, no=_NO, unknown=("unbekannt", "unknown", "u")),
}
"""Words of a column's codes, normalised by :func:`plain`, to values of the vocabulary."""

_BY_HEADER: tuple[tuple[str, str, dict[str, str]], ...] = (
    (STATUS, r"(is )?(dead|death|deceased|died|event)|tod|verstorben|exitus|fustat|(death|os) event",
     {"1": "deceased", "0": "alive"} | _to(deceased=_YES, alive=_NO)),
    (STATUS, r"alive", {"1": "alive", "0": "deceased"} | _to(alive=_YES, deceased=_NO)),
    ("person.sex", r"male|maennlich", {"1": "male", "0": "female"} | _to(male=_YES, female=_NO)),
    ("person.sex", r"female|weiblich", {"1": "female", "0": "male"} | _to(female=_YES, male=_NO)),
    ("diagnosis.fnclcc_grade", r".*fnclcc.*", {"1": "G1", "2": "G2", "3": "G3"}),
    ("surgery.residual_status", r"r|r ?status", {"0": "R0", "1": "R1", "2": "R2"}),
)  # fmt: skip
"""Codes whose meaning is known only if the header says what 1 means."""


def codes(target: str, header: str) -> dict[str, str]:
    """Map the codes of a column to values of the vocabulary, as far as header and words tell."""
    known = dict(CODES.get(target, {}))
    for of, pattern, more in _BY_HEADER:
        if of == target and re.fullmatch(pattern, plain(header)):
            known |= more
    return known


def target(header: str, table: tuple[tuple[str, str], ...] = COLUMNS) -> str | None:
    """Return the target of a column by its header; None if nothing matches."""
    name = plain(header)
    bare = re.sub(
        r" (in )?(cm|mm|gy|d|days?|tagen?|months?|monaten?|mo|years?|jahren?|yrs?|weeks?|wochen?)$", "", name
    )
    for found, pattern in table:
        if re.fullmatch(pattern, name) or re.fullmatch(pattern, bare):
            return found
    return None


UNITS = {
    TIME: "d",
    "diagnosis.tumour_size_cm": "cm",
    "diagnosis.age_at_diagnosis_years": "a",
    "radiotherapy.prescribed_dose_gy": "Gy",
}
"""Numeric target to the unit of its contract."""


_LARGEST = {
    "diagnosis.tumour_size_cm": 30.0,
    "diagnosis.age_at_diagnosis_years": 120.0,
    "radiotherapy.prescribed_dose_gy": 100.0,
}
"""The largest number that is ordinary in the contract's unit: larger ones may be millimetres, days or cGy."""


def scale(target: str, header: str, unit: str, cells: Sequence[str] = ()) -> float | None:
    """Return the factor to the contract's unit; None if a person must decide.

    Args:
        target: the numeric target.
        header: the header, which may name the unit.
        unit: the unit in the row of units, or "".
        cells: the numbers: without a named unit they must be ordinary in the contract's.
    """
    named = units.factors(UNITS[target], header, unit)
    if len(named) == 1:
        return named[0]
    # Sizes, doses and ages are in the usual unit unless something else is said; times have none.
    usual = plain(header) == "futime" if target == TIME else _ordinary(target, cells)
    return 1.0 if usual and not named and not unit.strip() else None


def _ordinary(target: str, cells: Sequence[str]) -> bool:
    numbers = [cell.replace(",", ".") for cell in cells if re.fullmatch(r"\d+([.,]\d+)?", cell)]
    if any(float(number) > _LARGEST[target] for number in numbers):
        return False
    # Whole numbers up to 30 are small tumours in millimetres as well as large ones in centimetres.
    return target != "diagnosis.tumour_size_cm" or not numbers or any("." in number for number in numbers)
