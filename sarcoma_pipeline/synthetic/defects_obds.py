"""Seed defects in oBDS exports, by kind (``data/demo/defects.csv``)."""

from __future__ import annotations

import copy
import datetime as dt

from sarcoma_pipeline.synthetic import obds
from sarcoma_pipeline.synthetic.drop import Drop, Export
from sarcoma_pipeline.synthetic.obds import Element, tag
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.seeding import Planted, plants

INVALID = "obds/tudok_ohne_pruefung.xml"
LATER = "obds/tudok_nachmeldung.xml"
_LATER_REPORTED = dt.date(2021, 12, 31)


def find(reports: list[Element], module: str, nth: int = 0) -> Element:
    """Return the nth report with a module."""
    return [r for r in reports if r.find(tag(module)) is not None][nth]


def inner(report: Element, name: str) -> Element:
    """Return the first element of this name within another."""
    return next(report.iter(tag(name)))


def on(drop: Drop, person: Person, report: Element) -> Planted:
    """Return the place of a person's report."""
    return Planted(drop.export_of(person), report.get("Meldung_ID"))


def exported(drop: Drop, person: Person, path: str, export: Export) -> Planted:
    """Move a person to an export of their own, and return its place."""
    drop.move(person, path, export)
    return Planted(path, person.number)


def assign(report: Element, tumour_id: str, icd10: str) -> None:
    """Say that a report is about another tumour."""
    assigned = inner(report, "Tumorzuordnung")
    assigned.set("Tumor_ID", tumour_id)
    inner(inner(assigned, "Primaertumor_ICD"), "Code").text = icd10


def numbered(drop: Drop, person: Person) -> obds.Course:
    """Return a builder that continues the numbering of the person's reports."""
    builder = obds.Course(person)
    builder.count = len(drop.reports(person))
    return builder


def _all_diagnosis_dates(drop: Drop, person: Person, text: str, exactness: str | None) -> None:
    for report in drop.reports(person):
        date = inner(inner(report, "Tumorzuordnung"), "Diagnosedatum")
        date.text = text
        del date.attrib["Datumsgenauigkeit"]
        if exactness:
            date.set("Datumsgenauigkeit", exactness)


@plants("truncated export")
def _truncated(drop: Drop, person: Person) -> Planted:
    path = "obds/tudok_abgebrochen.xml"
    cut = find(drop.reports(person), "Verlauf", 1).get("Meldung_ID").encode()

    def damage(data: bytes) -> bytes:
        start = data.index(cut)
        return data[: data.index(b"<Untersuchungsdatum_Verlauf>", start)]

    drop.move(person, path, Export(damage=damage))
    return Planted(path, "file")


@plants("impossible date of surgery")
def _date_unreadable(drop: Drop, person: Person) -> Planted:
    drop.move(person, INVALID, Export())
    report = find(drop.reports(person), "OP")
    assert person.surgery_date is not None
    inner(report, "Datum").text = f"{person.surgery_date.year}-02-31"
    return on(drop, person, report)


@plants("unknown status code")
def _code_unknown(drop: Drop, person: Person) -> Planted:
    drop.move(person, INVALID, Export())
    report = find(drop.reports(person), "Verlauf")
    inner(report, "Verlauf_Lokaler_Tumorstatus").text = "Q"
    return on(drop, person, report)


@plants("examination in the future")
def _in_future(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).follow_up(dt.date(2029, 6, 1))
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("old notation of a date")
def _legacy(drop: Drop, person: Person) -> Planted:
    drop.move(person, "obds/altsystem.xml", Export())
    _all_diagnosis_dates(drop, person, f"00.{person.diagnosis_date:%m.%Y}", None)
    return on(drop, person, find(drop.reports(person), "Diagnose"))


@plants("estimated diagnosis")
def _estimated(drop: Drop, person: Person) -> Planted:
    _all_diagnosis_dates(drop, person, f"{person.diagnosis_date.year}-07-01", "V")
    return on(drop, person, find(drop.reports(person), "Diagnose"))


@plants("diagnosis a century early")
def _before_birth(drop: Drop, person: Person) -> Planted:
    early = person.diagnosis_date.replace(year=person.diagnosis_date.year - 100)
    _all_diagnosis_dates(drop, person, early.isoformat(), "E")
    return on(drop, person, find(drop.reports(person), "Diagnose"))


@plants("T category against size", "grade against histology", "hypofractionated course")
def _by_its_own_values(drop: Drop, person: Person) -> Planted:
    """Return the place of a defect that the patient's row already has."""
    hypofractionated = person.single_dose_gy is not None and person.single_dose_gy > 2.5
    return on(drop, person, find(drop.reports(person), "ST" if hypofractionated else "Diagnose"))


@plants("sequence against dates", "ten times the dose")
def _by_its_own_radiotherapy(drop: Drop, person: Person) -> Planted:
    return on(drop, person, find(drop.reports(person), "ST"))


@plants("progression under treatment")
def _progression(drop: Drop, person: Person) -> Planted:
    assert person.local_relapse_date is not None
    relapse = person.local_relapse_date.isoformat()
    reports = drop.reports(person)
    days = (r for r in reports if r.findtext(f".//{tag('Untersuchungsdatum_Verlauf')}") == relapse)
    return on(drop, person, next(days))


@plants("tumour under two numbers")
def _two_ids(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).diagnosis("2")
    drop.reports(person).append(report)
    return on(drop, person, report)


def later_export(drop: Drop, person: Person) -> list[Element]:
    """Return the person's reports in a later export; changing the list changes the export."""
    export = drop.exports.setdefault(LATER, Export(_LATER_REPORTED))
    return export.patients.setdefault(person.number, (person, []))[1]


def _again(drop: Drop, person: Person, report: Element) -> Element:
    """Copy a report into a later export."""
    repeated = copy.deepcopy(report)
    later_export(drop, person).append(repeated)
    return repeated


@plants("repeated report")
def _duplicate(drop: Drop, person: Person) -> Planted:
    repeated = _again(drop, person, find(drop.reports(person), "Verlauf"))
    return Planted(LATER, repeated.get("Meldung_ID"))


@plants("corrected report")
def _corrected(drop: Drop, person: Person) -> Planted:
    first = find(drop.reports(person), "OP")
    later = _again(drop, person, first)
    later.set("Meldung_ID", f"{person.number}-K01")
    inner(first, "Lokale_Beurteilung_Residualstatus").text = "RX"
    return on(drop, person, first)


@plants("no namespace")
def _no_namespace(drop: Drop, person: Person) -> Planted:
    return exported(drop, person, "obds/tudok_ohne_namensraum.xml", Export(namespace=False))


@plants("unknown schema version")
def _schema_version(drop: Drop, person: Person) -> Planted:
    return exported(drop, person, "obds/tudok_v3.0.9.xml", Export(version="3.0.9"))


@plants("radiotherapy without irradiation")
def _no_irradiation(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "ST")
    irradiation = inner(report, "Menge_Bestrahlung")
    irradiation.getparent().remove(irradiation)
    return on(drop, person, report)


@plants("course ends before it starts")
def _ends_early(drop: Drop, person: Person) -> Planted:
    assert person.rt_start is not None
    report = find(drop.reports(person), "ST")
    inner(report, "Ende").text = (person.rt_start - dt.timedelta(days=20)).isoformat()
    return on(drop, person, report)


@plants("operation before diagnosis")
def _early_surgery(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "OP")
    inner(report, "Datum").text = (person.diagnosis_date - dt.timedelta(days=365)).isoformat()
    return on(drop, person, report)


@plants("examination after death")
def _after_death(drop: Drop, person: Person) -> Planted:
    assert person.death_date is not None
    report = numbered(drop, person).follow_up(person.death_date + dt.timedelta(days=30))
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("death before diagnosis")
def _early_death(drop: Drop, person: Person) -> Planted:
    day = person.diagnosis_date - dt.timedelta(days=400)
    report = numbered(drop, person).death(day)
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("two dates of death")
def _death_conflict(drop: Drop, person: Person) -> Planted:
    assert person.death_date is not None
    report = find(drop.reports(person), "Tod")
    inner(report, "Sterbedatum").text = (person.death_date + dt.timedelta(days=4)).isoformat()
    drop.tell(person, "verstorben", person.death_date, person.death_date + dt.timedelta(days=90))
    return on(drop, person, report)


@plants("plan against documentation")
def _dose_conflict(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "ST")
    assert person.prescribed_dose_gy is not None
    inner(inner(report, "Gesamtdosis"), "Dosis").text = f"{person.prescribed_dose_gy + 4:g}"
    return on(drop, person, report)
