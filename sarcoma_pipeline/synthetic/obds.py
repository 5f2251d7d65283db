"""Writes persons as oBDS 3.0.4 exports that are valid against the schema (``tests/real/oBDS_v3.0.4.xsd``).

A patient has reports of diagnosis, surgery, radiotherapy, systemic therapy, follow-ups and death, and some a
tumour board. The order of elements and the codes follow the schema.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

from lxml import etree

from sarcoma_pipeline.synthetic import late_effects
from sarcoma_pipeline.synthetic.people import Person

NAMESPACE = "http://www.basisdatensatz.de/oBDS/XML"
VERSION = "3.0.4"
_REPORTER = "MLD-STRAHLEN-01"

Element: TypeAlias = Any
"""An lxml element; lxml ships no types."""

_DEFAULT: Any = {None: NAMESPACE}
"""The default namespace, which lxml's stubs do not allow."""

_SEX = {"female": "W", "male": "M"}
_SEQUENCE = {
    "preoperative": "N", "postoperative adjuvant": "A", "postoperative additive": "Z", "without surgery": "O",
    "intraoperative": "I",
}  # fmt: skip
_INTENT = {"curative": "K", "palliative": "P"}
_CERTAINTY = {"histological": "7.1", "clinical": "2"}
_TARGET_REGION = {"C49.1": "7.2", "C49.2": "7.3"}
_PROCEDURE = {"C49.1": "5-782.a", "C49.2": "5-782.b"}
_AMPUTATION = {"C49.1": "5-862.3", "C49.2": "5-864.5"}
_SECOND = {
    "female": (("C50.4", "8500/3"), ("C18.7", "8140/3")),
    "male": (("C61", "8140/3"), ("C34.1", "8070/3"), ("C18.2", "8140/3")),
}
_FOLLOW_UP_DAYS = 183


def tag(name: str) -> str:
    """Return the qualified name of an oBDS element."""
    return f"{{{NAMESPACE}}}{name}"


def put(parent: Element, name: str, value: str | None = None, **attributes: str) -> Element:
    """Append an element and return it."""
    child = etree.SubElement(parent, tag(name), attrib=attributes)
    child.text = value
    return child


def export(
    patients: Sequence[tuple[Person, Sequence[Element]]],
    reported: dt.date | None,
    version: str = VERSION,
    namespace: bool = True,
) -> bytes:
    """Build one export file.

    Args:
        patients: persons with their reports (``Meldung`` elements, which are moved into the export).
        reported: Meldedatum; None to leave it out.
        version: Schema_Version.
        namespace: whether the elements have the oBDS namespace.

    Returns:
        XML in UTF-8.
    """
    root = etree.Element(tag("oBDS"), attrib={"Schema_Version": version}, nsmap=_DEFAULT)
    sender = {"Absender_ID": "TUDOK-01", "Software_ID": "Demo", "Software_Version": "1"}
    put(put(root, "Absender", **sender), "Bezeichnung", "Tumordokumentation")
    if reported:
        put(root, "Meldedatum", reported.isoformat())
    everyone = put(root, "Menge_Patient")
    for person, reports in patients:
        patient = put(everyone, "Patient", Patient_ID=person.number)
        _master_data(patient, person)
        put(patient, "Menge_Meldung").extend(reports)
    reporters = {report.get("Melder_ID") for report in root.iter(tag("Meldung"))} | {_REPORTER}
    melder = put(root, "Menge_Melder")
    for reporter in sorted(filter(None, reporters)):
        put(melder, "Melder", ID=reporter)
    if not namespace:
        for element in root.iter():
            element.tag = etree.QName(element).localname
        bare = etree.Element("oBDS", Schema_Version=version)
        bare.extend(list(root))
        root = bare
    # Removes namespace declarations that lxml keeps on elements moved from another tree.
    etree.cleanup_namespaces(root)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _master_data(patient: Element, person: Person) -> None:
    master = put(patient, "Patienten_Stammdaten")
    put(put(master, "Versichertendaten_Sonstige"), "Ersatzkode", "970000099")
    put(master, "Nachname", person.family)
    put(master, "Vornamen", person.given)
    put(master, "Geschlecht", _SEX[person.sex])
    put(master, "Geburtsdatum", person.birth_date.isoformat(), Datumsgenauigkeit="E")
    put(put(master, "Adresse"), "Land", "DE")


# --- a patient's reports ------------------------------------------------------------------------------


class Course:
    """Builds the reports of one patient, each with its own ids."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.count = 0

    def report(self, module: str, id_attribute: str, tumour: str = "1") -> tuple[Element, Element]:
        """Create a Meldung of a tumour and its empty module."""
        self.count += 1
        person = self.person
        meldung_id = f"{person.number}-M{self.count:02d}"
        attributes = {"Meldung_ID": meldung_id, "Melder_ID": _REPORTER}
        meldung = etree.Element(tag("Meldung"), attrib=attributes, nsmap=_DEFAULT)
        put(meldung, "Meldebegruendung", "I")
        put(meldung, "Eigene_Leistung", "J")
        code, day, _ = _tumour(person, tumour)
        assigned = put(meldung, "Tumorzuordnung", Tumor_ID=tumour)
        _code(assigned, "Primaertumor_ICD", code, f"10 {day.year} GM")
        put(assigned, "Diagnosedatum", day.isoformat(), Datumsgenauigkeit="E")
        put(assigned, "Seitenlokalisation", _side(person) if tumour == "1" else "U")
        return meldung, put(meldung, module, **{id_attribute: f"{person.number}-{module}-{self.count:02d}"})

    def all(self) -> list[Element]:
        """Return all reports of the patient, by date."""
        person = self.person
        reports = [self.diagnosis()]
        if person.index % 7 == 0:
            reports.append(self.tumour_board())
        if person.chemotherapy == "yes":
            reports.append(self.systemic_therapy())
        if person.surgery_date:
            reports.append(self.surgery())
        if person.rt_start:
            reports.append(self.radiotherapy())
        if person.second_malignancy_date:
            reports.append(self.second_malignancy())
        reports += [self.follow_up(day) for day in _visits(person)]
        if person.death_date:
            reports.append(self.death(person.death_date))
        # After all others, whose numbers stay as they are without it.
        if amputated := late_effects.amputation(person):
            reports.append(self.amputation(amputated))
        return reports

    def diagnosis(self, tumour: str = "1") -> Element:
        """Build the Diagnose of the sarcoma."""
        person = self.person
        meldung, module = self.report("Diagnose", "Diagnose_ID", tumour)
        del module.attrib["Diagnose_ID"]  # the schema has no id for a Diagnose
        put(module, "Primaertumor_Diagnosetext", "Weichgewebstumor")
        _code(module, "Primaertumor_Topographie_ICD_O", person.topography, "33")
        put(module, "Diagnosesicherung", _CERTAINTY[person.certainty])
        # A clinical diagnosis has no histology.
        if person.certainty == "histological":
            grade = (person.fnclcc_grade or "GX")[1:]
            _histology(module, person.diagnosis_date, person.icdo3_morphology, grade)
        if person.m_stage == "M1":
            _metastasis(module, person.diagnosis_date, person.distant_site or "PUL")
        tnm = put(module, "cTNM")
        put(tnm, "Version", "7")
        put(tnm, "T", person.t_stage[1:] + ("b" if person.tumour_depth == "deep" else "a"))
        put(tnm, "N", person.n_stage[1:])
        put(tnm, "M", person.m_stage[1:])
        if person.fnclcc_grade:
            graded = put(put(module, "Menge_Weitere_Klassifikation"), "Weitere_Klassifikation")
            put(graded, "Datum", person.diagnosis_date.isoformat(), Datumsgenauigkeit="E")
            put(graded, "Name", "FNCLCC")
            put(graded, "Stadium", person.fnclcc_grade)
        put(module, "Allgemeiner_Leistungszustand", "0" if person.index % 3 else "1")
        return meldung

    def second_malignancy(self) -> Element:
        """Build the Diagnose of another cancer, without TNM."""
        code, day, morphology = _tumour(self.person, "2")
        meldung, module = self.report("Diagnose", "Diagnose_ID", "2")
        del module.attrib["Diagnose_ID"]
        topography = code if "." in code else f"{code}.9"
        _code(module, "Primaertumor_Topographie_ICD_O", topography, "33")
        put(module, "Diagnosesicherung", "7.1")
        _histology(module, day, morphology, "2")
        put(module, "Allgemeiner_Leistungszustand", "1")
        return meldung

    def tumour_board(self) -> Element:
        """Build the Tumorkonferenz before treatment."""
        meldung, module = self.report("Tumorkonferenz", "Tumorkonferenz_ID")
        put(module, "Meldeanlass", "diagnose")
        day = self.person.diagnosis_date + dt.timedelta(days=3)
        put(module, "Datum", day.isoformat(), Datumsgenauigkeit="E")
        put(module, "Typ", "praeth")
        return meldung

    def surgery(self) -> Element:
        """Build the OP of the primary tumour."""
        person = self.person
        assert person.surgery_date is not None
        meldung, module = self.report("OP", "OP_ID")
        put(module, "Intention", _INTENT[person.intent])
        put(module, "Datum", person.surgery_date.isoformat())
        code = _PROCEDURE.get(person.topography, "5-895.0")
        version = str(person.surgery_date.year)
        _code(put(module, "Menge_OPS"), "OPS", code, version)
        # Tissue would confirm a diagnosis that is only clinical.
        if person.certainty == "histological":
            _histology(module, person.surgery_date, person.icdo3_morphology, _specimen_grade(person))
        put(put(module, "Residualstatus"), "Lokale_Beurteilung_Residualstatus", person.resection_status)
        complications = put(module, "Komplikationen")
        if person.of_cohort and person.index % 7 == 0:
            # Every second of these bleedings needed an operation.
            kind = "RNB" if person.index % 2 else "WUH"
            put(put(put(complications, "Menge_Komplikation"), "Komplikation"), "Kuerzel", kind)
        else:
            put(complications, "Komplikation_nein_oder_unbekannt", "N")
        return meldung

    def amputation(self, day: dt.date) -> Element:
        """Build the OP of an amputation after a local relapse."""
        meldung, module = self.report("OP", "OP_ID")
        put(module, "Intention", "K")
        put(module, "Datum", day.isoformat())
        _code(put(module, "Menge_OPS"), "OPS", _AMPUTATION[self.person.topography], str(day.year))
        put(put(module, "Residualstatus"), "Lokale_Beurteilung_Residualstatus", "R0")
        put(put(module, "Komplikationen"), "Komplikation_nein_oder_unbekannt", "N")
        return meldung

    def radiotherapy(self) -> Element:
        """Build the ST with one Bestrahlung, which includes a simultaneous boost."""
        person = self.person
        assert person.rt_start is not None and person.rt_end is not None
        meldung, module = self.report("ST", "ST_ID")
        put(module, "Meldeanlass", "behandlungsende")
        put(module, "Intention", _INTENT[person.intent])
        put(module, "Stellung_OP", _SEQUENCE[person.radiation_sequence])
        course = put(put(module, "Menge_Bestrahlung"), "Bestrahlung")
        put(course, "Beginn", person.rt_start.isoformat())
        put(course, "Ende", person.rt_end.isoformat())
        beam = put(put(course, "Applikationsart"), "Perkutan")
        put(put(beam, "Zielgebiet"), "CodeVersion2021", _TARGET_REGION.get(person.topography, "7.7"))
        put(beam, "Seite_Zielgebiet", _side(person))
        put(beam, "Strahlenart", "UH")
        for name, dose in (
            ("Gesamtdosis", person.prescribed_dose_gy),
            ("Einzeldosis", person.single_dose_gy),
        ):
            level = put(beam, name)
            put(level, "Dosis", f"{dose:g}")
            put(level, "Einheit", "Gy")
        put(beam, "Boost", "SIB" if person.simultaneous_integrated_boost else "N")
        put(module, "Ende_Grund", "E")
        effects = put(module, "Nebenwirkungen")
        if person.of_cohort and person.index % 9 == 0:
            effect = put(put(effects, "Menge_Nebenwirkung"), "Nebenwirkung")
            put(put(effect, "Art"), "Bezeichnung", "Radiodermatitis")
            put(effect, "Grad", "3")
            put(effect, "Version", "5.0")
        else:
            put(effects, "Grad_maximal2_oder_unbekannt", "2" if person.index % 2 else "1")
        return meldung

    def systemic_therapy(self) -> Element:
        """Build the SYST: chemotherapy after the biopsy."""
        person = self.person
        meldung, module = self.report("SYST", "SYST_ID")
        put(module, "Meldeanlass", "behandlungsbeginn")
        put(module, "Intention", _INTENT[person.intent])
        put(module, "Stellung_OP", "N")
        put(module, "Therapieart", "CH")
        put(module, "Protokoll", "AI")
        begin = person.diagnosis_date + dt.timedelta(days=10)
        put(module, "Beginn", begin.isoformat(), Datumsgenauigkeit="E")
        put(put(put(module, "Menge_Substanz"), "Substanz"), "Bezeichnung", "Doxorubicin")
        put(put(module, "Nebenwirkungen"), "Grad_maximal2_oder_unbekannt", "2")
        return meldung

    def follow_up(self, day: dt.date) -> Element:
        """Build the Verlauf of a day."""
        person = self.person
        meldung, module = self.report("Verlauf", "Verlauf_ID")
        local, distant, overall = _status(person, day)
        news = day in (person.local_relapse_date, person.distant_relapse_date)
        put(module, "Meldeanlass", "statusaenderung" if news else "statusmeldung")
        put(module, "Untersuchungsdatum_Verlauf", day.isoformat())
        put(module, "Gesamtbeurteilung_Tumorstatus", overall)
        put(module, "Verlauf_Lokaler_Tumorstatus", local)
        put(module, "Verlauf_Tumorstatus_Lymphknoten", "K")
        put(module, "Verlauf_Tumorstatus_Fernmetastasen", distant)
        if day == person.distant_relapse_date:
            _metastasis(module, day, person.distant_site or "PUL")
        put(module, "Allgemeiner_Leistungszustand", "0" if overall == "V" else "1")
        return meldung

    def death(self, day: dt.date) -> Element:
        """Build the Tod on a day."""
        person = self.person
        meldung, module = self.report("Tod", "Abschluss_ID")
        diseased = person.local_relapse_date or person.distant_relapse_date
        put(module, "Sterbedatum", day.isoformat())
        put(module, "Tod_tumorbedingt", "J" if diseased else "N")
        return meldung


def _visits(person: Person) -> list[dt.date]:
    """Return half-yearly visits after treatment, the days of relapse, and the last assessment."""
    start = max(d for d in (person.diagnosis_date, person.surgery_date, person.rt_end) if d)
    days = {person.last_assessment_date}
    days |= {d for d in (person.local_relapse_date, person.distant_relapse_date) if d}
    day = start + dt.timedelta(days=60 + person.index % 45)
    while day < person.last_assessment_date:
        days.add(day)
        day += dt.timedelta(days=_FOLLOW_UP_DAYS + person.index % 23)
    return sorted(days)


def _status(person: Person, day: dt.date) -> tuple[str, str, str]:
    """Return local, distant and overall status codes; a relapse is coded as relapse only on its own day."""
    remains = not person.resected or person.resection_status == "R2"
    local = "N" if remains else "K"
    distant = "T" if person.m_stage == "M1" else "K"
    overall = "K" if remains or distant == "T" else "V"
    if person.local_relapse_date and day >= person.local_relapse_date:
        fresh = day == person.local_relapse_date
        local = ("R" if person.resected else "P") if fresh else "T"
        overall = ("Y" if person.resected else "P") if fresh else "K"
    amputated = late_effects.amputation(person)
    if amputated and day > amputated:
        local, overall = "K", "V"
    if person.distant_relapse_date and day >= person.distant_relapse_date:
        fresh = day == person.distant_relapse_date
        distant = "R" if fresh else "T"
        overall = ("P" if overall in "KP" else "Y") if fresh else overall if overall in "YP" else "K"
    return local, distant, overall


def _tumour(person: Person, tumour: str) -> tuple[str, dt.date, str]:
    if tumour != "2" or person.second_malignancy_date is None:
        return person.icd10_site, person.diagnosis_date, person.icdo3_morphology
    choices = _SECOND[person.sex]
    code, morphology = choices[person.index % len(choices)]
    return code, person.second_malignancy_date, morphology


def _side(person: Person) -> str:
    return "LR"[person.index % 2] if person.topography in _TARGET_REGION else "T"


def _specimen_grade(person: Person) -> str:
    """Return the grade of the specimen: unknown after therapy, else that of the biopsy."""
    treated = person.radiation_sequence == "preoperative" or person.chemotherapy == "yes"
    return "U" if treated else (person.fnclcc_grade or "GX")[1:]


def _code(parent: Element, name: str, code: str, version: str) -> None:
    coded = put(parent, name)
    put(coded, "Code", code)
    put(coded, "Version", version)


def _histology(parent: Element, day: dt.date, morphology: str, grade: str) -> None:
    histology = put(parent, "Histologie")
    put(histology, "Tumor_Histologiedatum", day.isoformat(), Datumsgenauigkeit="E")
    _code(histology, "Morphologie_ICD_O", morphology, "33")
    put(histology, "Grading", grade)


def _metastasis(parent: Element, day: dt.date, site: str) -> None:
    metastasis = put(put(parent, "Menge_FM"), "Fernmetastase")
    put(metastasis, "Diagnosedatum", day.isoformat(), Datumsgenauigkeit="E")
    put(metastasis, "Lokalisation", site)
