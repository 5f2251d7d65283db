"""Random oBDS patients, valid by the schema: a sarcoma, perhaps another tumour, and the reports on both.

A patient is a list of reports (Meldungen), so that a test can permute, split and deliver them again.
"""

from __future__ import annotations

import copy
import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.oracle.grammar import NS, Element, Grower, Told, schema

SARCOMAS = ("8802/3", "8805/3", "8890/3", "8811/3", "9040/3", "8852/3", "8800/3")
OTHERS = (("C50.4", "8500/3"), ("C61", "8140/3"), ("C34.1", "8070/3"), ("C18.2", "8140/3"))
OTHER_MODULES = ("Modul_Mamma", "Modul_Darm", "Modul_Prostata", "Modul_Malignes_Melanom", "Modul_DKKR")


DEFAULT: Any = {None: NS}
"""The namespace without a prefix."""


@dataclass
class Tumour:
    """What every report of a tumour repeats of it."""

    number: str
    icd: str
    morphology: str
    on: dt.date
    precision: str

    def told(self) -> Told:
        return {
            "Tumorzuordnung/@Tumor_ID": self.number,
            "Tumorzuordnung/Primaertumor_ICD/Code": self.icd,
            "Tumorzuordnung/Diagnosedatum": self.on.isoformat(),
            "Tumorzuordnung/Diagnosedatum/@Datumsgenauigkeit": self.precision,
            "Tumorzuordnung/Seitenlokalisation": "L",
            "Tumorzuordnung/Morphologie_ICD_O": 1,
            "Tumorzuordnung/Morphologie_ICD_O/Code": self.morphology,
            "Tumorzuordnung/Morphologie_ICD_O/Version": "33",
        }


@dataclass
class Person:
    """One patient: master data and reports, as elements."""

    number: str
    master: Element
    reports: list[Element] = field(default_factory=list)
    told: list[tuple[str, Tumour, Told]] = field(default_factory=list)
    """What each report was drawn from."""

    def copy(self) -> Person:
        """Another patient with the same reports, which a test may change."""
        return Person(self.number, self.master, [copy.deepcopy(one) for one in self.reports], list(self.told))


class Writer:
    """Draws patients; the same seed draws the same."""

    def __init__(self, seed: int, fill: float = 0.3) -> None:
        self.draw = random.Random(seed)
        self.grower = Grower(self.draw, fill)
        self.declared = dict(schema().declared())
        self.count = 0

    def person(self, number: str) -> Person:
        """Draw a patient with a sarcoma that is treated and followed."""
        draw = self.draw
        born = dt.date(draw.randint(1930, 1985), draw.randint(1, 12), draw.randint(1, 28))
        told: Told = {
            "Nachname": f"Probe{letters(number)}", "Vornamen": draw.choice(("Anna", "Karl", "Eva")),
            "Geburtsdatum": born.isoformat(),
            "Geburtsdatum/@Datumsgenauigkeit": draw.choice("EEEEEETM"),
            "Geburtsname": None, "Menge_Frueherer_Name": None,
        }  # fmt: skip
        path = "oBDS/Menge_Patient/Patient/Patienten_Stammdaten"
        person = Person(number, self._grow(path, told))
        zero = dt.date(2013, 1, 1) + dt.timedelta(days=draw.randint(0, 1200))
        # A day that is estimated stands at the middle of the month: nothing else then precedes the diagnosis.
        sarcoma = Tumour(
            "1", draw.choice(("C49.1", "C49.2")), draw.choice(SARCOMAS), zero, draw.choice("EEEET")
        )
        self.disease(person, sarcoma, zero)
        if draw.random() < 0.3:
            icd, morphology = draw.choice(OTHERS)
            later = zero + dt.timedelta(days=draw.choice((-900, 400, 800)))
            self.disease(person, Tumour("2", icd, morphology, later, "E"), later, brief=True)
        if draw.random() < 0.3:
            died = (zero + dt.timedelta(days=draw.randint(1500, 2000))).isoformat()
            self._add(person, "Tod", sarcoma, {"Tod/Sterbedatum": died, "Todesursache_ICD/Code": "C49.2"})
        return person

    def again(self, person: Person, melder: str = "M1") -> None:
        """Report something a second time in a Meldung of its own, with values drawn anew."""
        module, tumour, told = self.draw.choice(person.told)
        self._add(person, module, tumour, {**told, "@Meldung_ID": f"W{self.count}"}, melder)

    def version(self, person: Person, place: int) -> Element:
        """Draw another version of a report: the same Meldung_ID, values drawn anew."""
        module, tumour, told = person.told[place]
        old = person.reports[place]
        told = {**told, "@Meldung_ID": old.get("Meldung_ID")}
        return self.report(module, tumour, told, old.get("Melder_ID"))

    def _add(self, person: Person, module: str, tumour: Tumour, told: Told, melder: str = "M1") -> None:
        person.reports.append(self.report(module, tumour, told, melder))
        person.told.append((module, tumour, told))

    def report(self, module: str, tumour: Tumour, told: Told, melder: str = "M1") -> Element:
        """Draw one report of a module."""
        self.count += 1
        options = ("Diagnose", "Pathologie", "OP", "ST", "SYST", "Verlauf", "Tod", "Tumorkonferenz")
        told = {
            "@Meldung_ID": f"R{self.count}", "@Melder_ID": melder, "Meldebegruendung": "I",
            **{f"Meldung/{one}": 1 if one == module else None for one in options},
            **dict.fromkeys(OTHER_MODULES), "Menge_Zusatzitem": None, f"{module}/Modul_Allgemein": None,
            **tumour.told(), **told,
        }  # fmt: skip
        return self._grow("oBDS/Menge_Patient/Patient/Menge_Meldung/Meldung", told)

    def _grow(self, path: str, told: Told) -> Element:
        return self.grower.grow(self.declared[path], told, path.rpartition("/")[0])

    def disease(self, person: Person, tumour: Tumour, zero: dt.date, *, brief: bool = False) -> None:
        draw = self.draw

        def day(low: int, high: int) -> dt.date:
            return zero + dt.timedelta(days=draw.randint(low, high))

        histology: Told = {
            "Histologie/Morphologie_ICD_O": 1, "Histologie/Morphologie_ICD_O/Code": tumour.morphology,
            "Histologie/Morphologie_ICD_O/Version": "33", "Menge_FM": None,
            "Tumor_Histologiedatum/@Datumsgenauigkeit": "E",
            "TNM/Version": draw.choice("78"), "TNM/r_Symbol": None, "TNM/a_Symbol": None,
            "cTNM/y_Symbol": None, "cTNM/r_Symbol": None, "cTNM/a_Symbol": None,
            "pTNM/r_Symbol": None, "pTNM/a_Symbol": None, "cTNM/Datum": None, "pTNM/Datum": None,
            "Weitere_Klassifikation/Name": "FNCLCC", "Weitere_Klassifikation/Stadium": draw.choice("123"),
        }  # fmt: skip
        diagnosis: Told = {
            **histology, "Diagnose/Histologie": 1, "Tumor_Histologiedatum": zero.isoformat(),
            "Primaertumor_Topographie_ICD_O/Code": tumour.icd if "." in tumour.icd else f"{tumour.icd}.9",
            "Diagnosesicherung": "7.1", "Diagnose/Menge_Fruehere_Tumorerkrankung": None,
        }  # fmt: skip
        self._add(person, "Diagnose", tumour, diagnosis)
        first = draw.random() < 0.5
        operated = None if draw.random() < 0.2 else day(20, 60) if first else day(150, 190)
        irradiated = None if draw.random() < 0.2 else day(80, 110) if first or not operated else day(20, 50)
        if operated:
            specimen: Told = {**histology, "Tumor_Histologiedatum": operated.isoformat()}
            operation: Told = {
                **specimen, "OP/Datum": operated.isoformat(), "OP/TNM/Datum": None,
                "@OP_ID": draw.choice(("OP1", None)), "OP/Menge_OPS/OPS": 1,
            }  # fmt: skip
            self._add(person, "OP", tumour, operation)
            if draw.random() < 0.3:
                self._add(person, "Pathologie", tumour, {
                    **specimen, "Pathologie/Histologie": 1, "Diagnosesicherung": "7.1",
                    "Pathologie/cTNM": None,
                })  # fmt: skip
        if irradiated:
            start, end = irradiated, irradiated + dt.timedelta(days=draw.randint(30, 45))
            self._add(person, "ST", tumour, {
                "@ST_ID": "S1", "ST/Menge_Bestrahlung": 1, "Menge_Bestrahlung/Bestrahlung": 1,
                "Bestrahlung/Beginn": start.isoformat(), "Bestrahlung/Ende": end.isoformat(),
                "Gesamtdosis/Dosis": draw.choice(("50", "50.4", "60", "66.0")), "Einzeldosis/Dosis": "2",
            })  # fmt: skip
        for number in range(draw.randint(0, 1 if brief else 2)):
            self._add(person, "SYST", tumour, {
                "SYST/Beginn": day(10 + 200 * number, 100 + 200 * number).isoformat(),
                "SYST/Beginn/@Datumsgenauigkeit": "E", "SYST/Ende": None, "@SYST_ID": f"Y{number}",
            })  # fmt: skip
        for number in range(draw.randint(0, 2 if brief else 4)):
            seen = day(200 + 200 * number, 350 + 200 * number)
            self._add(person, "Verlauf", tumour, {
                "Fernmetastase/Diagnosedatum": (seen - dt.timedelta(days=draw.randint(0, 30))).isoformat(),
                "Fernmetastase/Diagnosedatum/@Datumsgenauigkeit": draw.choice("EEEET"),
                "Untersuchungsdatum_Verlauf": seen.isoformat(),
                "@Verlauf_ID": draw.choice((f"V{number}", None)),
                "Verlauf/Histologie": None, "Verlauf/TNM": None,
            })  # fmt: skip


def letters(number: str) -> str:
    """A number as letters, for names."""
    return "".join("abcdefghij"[int(digit)] for digit in number)


def document(
    persons: Iterable[Person],
    reported: str = "2020-01-01",
    version: str = "3.0.4",
    melder: Iterable[str] = ("M1",),
) -> Element:
    """One export of patients."""
    root = etree.Element(f"{{{NS}}}oBDS", {"Schema_Version": version}, DEFAULT)
    sender = etree.SubElement(
        root, f"{{{NS}}}Absender", Absender_ID="A", Software_ID="P", Software_Version="1"
    )
    for name, text in (("Bezeichnung", "Klinik"),):
        etree.SubElement(sender, f"{{{NS}}}{name}").text = text
    etree.SubElement(root, f"{{{NS}}}Meldedatum").text = reported
    patients = etree.SubElement(root, f"{{{NS}}}Menge_Patient")
    for person in persons:
        one = etree.SubElement(patients, f"{{{NS}}}Patient", Patient_ID=person.number)
        one.append(copy.deepcopy(person.master))
        reports = etree.SubElement(one, f"{{{NS}}}Menge_Meldung")
        reports.extend(copy.deepcopy(report) for report in person.reports)
    reporters = etree.SubElement(root, f"{{{NS}}}Menge_Melder")
    for name in melder:
        etree.SubElement(reporters, f"{{{NS}}}Melder", ID=name)
    return root
