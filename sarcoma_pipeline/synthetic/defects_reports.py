"""Seed defects of clinical reports: replaced or contradicting reports, other tumours, missing modules."""

from __future__ import annotations

import copy
import datetime as dt

from lxml import etree

from sarcoma_pipeline.synthetic import department_table
from sarcoma_pipeline.synthetic.defects_obds import assign, find, inner, later_export, numbered, on
from sarcoma_pipeline.synthetic.drop import OFFICES, TABLE, Drop
from sarcoma_pipeline.synthetic.obds import Element, put, tag
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.seeding import Planted, plants


def _last(drop: Drop, person: Person, module: str = "Verlauf") -> Element:
    return find(drop.reports(person), module, -1)


def _state(report: Element, overall: str, local: str = "K", distant: str = "K") -> Element:
    inner(report, "Gesamtbeurteilung_Tumorstatus").text = overall
    inner(report, "Verlauf_Lokaler_Tumorstatus").text = local
    inner(report, "Verlauf_Tumorstatus_Fernmetastasen").text = distant
    return report


def _metastasis(report: Element, day: dt.date, exactness: str = "E") -> None:
    """Document a metastasis of the lung in a Verlauf."""
    several = etree.Element(tag("Menge_FM"))
    one = put(several, "Fernmetastase")
    put(one, "Diagnosedatum", day.isoformat(), Datumsgenauigkeit=exactness)
    put(one, "Lokalisation", "PUL")
    inner(report, "Verlauf_Tumorstatus_Fernmetastasen").addnext(several)


def _seen(report: Element) -> dt.date:
    return dt.date.fromisoformat(inner(report, "Untersuchungsdatum_Verlauf").text)


def _without_number(report: Element) -> Element:
    """Remove the Verlauf_ID."""
    module = inner(report, "Verlauf")
    module.attrib.pop("Verlauf_ID", None)
    return report


# --- reports that replace reports -----------------------------------------------------------------------


def _version(drop: Drop, person: Person) -> tuple[Element, Element]:
    """Add a copy of the last Verlauf to a later export, with the same Meldung_ID; return both."""
    older = _last(drop, person)
    newer = copy.deepcopy(older)
    later_export(drop, person).append(newer)
    return older, newer


@plants("replaced report")
def _replaced(drop: Drop, person: Person) -> Planted:
    older, newer = _version(drop, person)
    inner(newer, "Allgemeiner_Leistungszustand").text = "2"
    inner(newer, "Verlauf_Tumorstatus_Lymphknoten").text = "X"
    return on(drop, person, older)


@plants("replaced report with a withdrawn value")
def _withdrawn(drop: Drop, person: Person) -> Planted:
    older, newer = _version(drop, person)
    gone = inner(newer, "Verlauf_Tumorstatus_Lymphknoten")
    gone.getparent().remove(gone)
    return on(drop, person, older)


@plants("withdrawn value")
def _withdrawn_value(drop: Drop, person: Person) -> Planted:
    """Return the place of the report that the previous defect replaces."""
    return on(drop, person, _last(drop, person))


@plants("report under another patient")
def _other_patient(drop: Drop, person: Person) -> Planted:
    own, stranger = _last(drop, person), _stranger(drop, person)
    report = numbered(drop, stranger).follow_up(_seen(_last(drop, stranger)) - dt.timedelta(days=1))
    report.set("Meldung_ID", own.get("Meldung_ID"))
    drop.reports(stranger).append(report)
    return on(drop, person, own)


@plants("report under another patient, the other side")
def _other_side(drop: Drop, person: Person) -> Planted:
    """Return the place of the report to which the previous defect gives the same number."""
    stranger = _stranger(drop, person)
    return on(drop, stranger, _last(drop, stranger))


def _stranger(drop: Drop, person: Person) -> Person:
    """Return the first other patient of the same export."""
    export = drop.exports[drop.export_of(person)].patients.values()
    return next(p for p, _ in export if p.number != person.number)


# --- examinations ---------------------------------------------------------------------------------------


@plants("relapse without a site")
def _without_site(drop: Drop, person: Person) -> Planted:
    return on(drop, person, _state(_last(drop, person), "Y"))


@plants("remission with a relapse")
def _remission(drop: Drop, person: Person) -> Planted:
    return on(drop, person, _state(_last(drop, person), "V", local="R"))


@plants("metastasis against the status")
def _against_status(drop: Drop, person: Person) -> Planted:
    report = _state(_last(drop, person), "P")
    _metastasis(report, _seen(report))
    return on(drop, person, report)


@plants("metastasis after its report")
def _after_report(drop: Drop, person: Person) -> Planted:
    report = _state(_last(drop, person), "Y", distant="R")
    _metastasis(report, _seen(report) + dt.timedelta(days=20))
    return on(drop, person, report)


@plants("metastasis without a date")
def _undated_metastasis(drop: Drop, person: Person) -> Planted:
    report = _state(_last(drop, person), "Y", distant="R")
    _metastasis(report, _seen(report), "V")
    return on(drop, person, report)


@plants("examination before the diagnosis")
def _early_examination(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).follow_up(person.diagnosis_date - dt.timedelta(days=40))
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("two reports of one examination")
def _two_reports(drop: Drop, person: Person) -> Planted:
    first = _without_number(_last(drop, person))
    second = _without_number(numbered(drop, person).follow_up(_seen(first)))
    _state(second, "R")
    drop.reports(person).append(second)
    return on(drop, person, first)


@plants("two examinations of one day")
def _two_examinations(drop: Drop, person: Person) -> Planted:
    first = _last(drop, person)
    second = _state(numbered(drop, person).follow_up(_seen(first)), "Y", local="R")
    drop.reports(person).append(second)
    return on(drop, person, first)


@plants("number of two examinations")
def _number_twice(drop: Drop, person: Person) -> Planted:
    first = _last(drop, person)
    second = numbered(drop, person).follow_up(_seen(first) + dt.timedelta(days=10))
    inner(second, "Verlauf").set("Verlauf_ID", inner(first, "Verlauf").get("Verlauf_ID"))
    drop.reports(person).append(second)
    return on(drop, person, second)


# --- operations and their pathology ---------------------------------------------------------------------


@plants("operation without a residual status")
def _no_residual(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "OP")
    status = inner(report, "Residualstatus")
    status.getparent().remove(status)
    return on(drop, person, report)


@plants("overall residual status only")
def _overall_residual(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "OP")
    inner(report, "Lokale_Beurteilung_Residualstatus").tag = tag("Gesamtbeurteilung_Residualstatus")
    inner(report, "Gesamtbeurteilung_Residualstatus").text = "R1"
    return on(drop, person, report)


@plants("two operations of one day")
def _two_operations(drop: Drop, person: Person) -> Planted:
    second = numbered(drop, person).surgery()
    inner(inner(second, "OPS"), "Code").text = "5-983"
    drop.reports(person).append(second)
    return on(drop, person, second)


@plants("residual tumour after R0")
def _residual_after(drop: Drop, person: Person) -> Planted:
    assert person.surgery_date is not None
    report = numbered(drop, person).follow_up(person.surgery_date + dt.timedelta(days=30))
    drop.reports(person).append(_state(report, "K", local="T"))
    return on(drop, person, report)


def _pathology(drop: Drop, person: Person) -> Element:
    """Add a pathology report of the operation, with the histology of the OP."""
    operation = find(drop.reports(person), "OP")
    meldung, module = numbered(drop, person).report("Pathologie", "Befund_ID")
    put(module, "Diagnosesicherung", "7.1")
    module.append(copy.deepcopy(inner(operation, "Histologie")))
    put(put(put(module, "Einsender"), "unstrukturiert"), "Adresse1", "Chirurgie")
    drop.reports(person).append(meldung)
    return meldung


@plants("two histologies of one specimen")
def _two_histologies(drop: Drop, person: Person) -> Planted:
    _pathology(drop, person)
    operation = find(drop.reports(person), "OP")
    inner(inner(operation, "Histologie"), "Code").text = "8890/3"
    return on(drop, person, operation)


@plants("two grades of one specimen")
def _two_grades(drop: Drop, person: Person) -> Planted:
    report = _pathology(drop, person)
    grading = inner(report, "Grading")
    grading.text = "3" if grading.text == "2" else "2"
    return on(drop, person, find(drop.reports(person), "OP"))


# --- drugs ----------------------------------------------------------------------------------------------


def _drugs(drop: Drop, person: Person, day: dt.date, protocol: str) -> Element:
    report = numbered(drop, person).systemic_therapy()
    inner(report, "Therapieart").text = "ZS"
    inner(report, "Stellung_OP").text = "O"
    inner(report, "Protokoll").text = protocol
    inner(report, "Beginn").text = day.isoformat()
    drop.reports(person).append(report)
    return report


@plants("drugs long before the diagnosis")
def _early_drugs(drop: Drop, person: Person) -> Planted:
    day = person.diagnosis_date - dt.timedelta(days=200)
    return on(drop, person, _drugs(drop, person, day, "Pazopanib"))


@plants("two protocols of one therapy")
def _two_protocols(drop: Drop, person: Person) -> Planted:
    day = person.last_assessment_date - dt.timedelta(days=5)
    first = _drugs(drop, person, day, "Pazopanib")
    _drugs(drop, person, day, "Imatinib")
    return on(drop, person, first)


# --- the tumour -----------------------------------------------------------------------------------------


@plants("side left out")
def _no_side(drop: Drop, person: Person) -> Planted:
    for report in drop.reports(person):
        side = inner(inner(report, "Tumorzuordnung"), "Seitenlokalisation")
        side.getparent().remove(side)
    return on(drop, person, find(drop.reports(person), "Diagnose"))


@plants("side that does not apply")
def _side_not_applicable(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "Diagnose")
    inner(inner(report, "Tumorzuordnung"), "Seitenlokalisation").text = "T"
    return on(drop, person, report)


@plants("edition of a later time")
def _edition(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "Diagnose")
    tnm = inner(report, "cTNM")
    inner(tnm, "Version").text = "8"
    inner(tnm, "T").text = "2"
    return on(drop, person, report)


@plants("two morphologies in one report")
def _two_morphologies(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "Diagnose")
    morphology = inner(inner(report, "Histologie"), "Morphologie_ICD_O")
    second = copy.deepcopy(morphology)
    inner(second, "Code").text = "8800/3"
    morphology.addnext(second)
    return on(drop, person, report)


@plants("two grades in one report")
def _grades(drop: Drop, person: Person) -> Planted:
    report = find(drop.reports(person), "Diagnose")
    grading = inner(report, "Grading")
    grading.text = "3" if grading.text == "2" else "2"
    return on(drop, person, report)


@plants("tumour without a Diagnose")
def _no_diagnose(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).follow_up(_seen(_last(drop, person)))
    assign(report, "7", "C64")
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("metastasis as a tumour")
def _metastasis_as_tumour(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).diagnosis("3")
    assigned = inner(report, "Tumorzuordnung")
    day = person.last_assessment_date.isoformat()
    inner(assigned, "Diagnosedatum").text = day
    inner(inner(assigned, "Primaertumor_ICD"), "Code").text = "C78.0"
    module = inner(report, "Diagnose")
    inner(inner(module, "Primaertumor_Topographie_ICD_O"), "Code").text = "C34.1"
    histology = inner(module, "Histologie")
    inner(histology, "Tumor_Histologiedatum").text = day
    inner(histology, "Code").text = f"{person.icdo3_morphology[:5]}6"
    for name in ("cTNM", "Menge_Weitere_Klassifikation"):
        part = inner(module, name)
        part.getparent().remove(part)
    drop.reports(person).append(report)
    return on(drop, person, report)


# --- registry offices and the table ---------------------------------------------------------------------


@plants("reply of the other sex")
def _other_sex(drop: Drop, person: Person) -> Planted:
    other = "M" if person.sex == "female" else "W"
    return Planted(OFFICES[0], drop.tell(person, "lebt", "", person.last_known_alive_date, sex=other))


@plants("another given name under the number")
def _other_name(drop: Drop, person: Person) -> Planted:
    told = drop.tell(
        person, "lebt", "", person.last_known_alive_date, given="Wilhelmine", number=person.number
    )
    return Planted(OFFICES[0], told)


@plants("another grade in the table")
def _table_grade(drop: Drop, person: Person) -> Planted:
    row = next(r for r in drop.rows if r["Patientennummer"] == person.number)
    row["FNCLCC"] = "3" if "2" in row["FNCLCC"] else "2"
    return Planted(TABLE, person.number)


@plants("two rows with two sizes")
def _two_sizes(drop: Drop, person: Person) -> Planted:
    row = next(r for r in drop.rows if r["Patientennummer"] == person.number)
    other = department_table.row(person) | {"Tumorgröße (cm)": "7,7"}
    drop.rows.insert(drop.rows.index(row), other)
    return Planted(TABLE, person.number)
