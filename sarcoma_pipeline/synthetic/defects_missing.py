"""Seed defects of what is missing or inexact: a Meldedatum, a module, a Diagnose, a day, an end."""

from __future__ import annotations

import datetime as dt

from lxml import etree

from sarcoma_pipeline.synthetic.defects_obds import INVALID, assign, exported, find, inner, numbered, on
from sarcoma_pipeline.synthetic.drop import Drop, Export
from sarcoma_pipeline.synthetic.obds import Element, tag
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.seeding import Planted, plants


@plants("export without Meldedatum")
def _undated_export(drop: Drop, person: Person) -> Planted:
    return exported(drop, person, "obds/tudok_ohne_datum.xml", Export(reported=None))


@plants("report without a module")
def _no_module(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).follow_up(person.last_assessment_date)
    module = inner(report, "Verlauf")
    module.getparent().remove(module)
    drop.move(person, INVALID, Export())
    drop.reports(person).append(report)
    return Planted(INVALID)


@plants("reporter that fell silent")
def _silent(drop: Drop, person: Person) -> Planted:
    # Ten reports or more, by which a reporter counts as one that reports regularly.
    builder, reports = numbered(drop, person), drop.reports(person)
    reports += [
        builder.follow_up(person.last_assessment_date - dt.timedelta(days=days)) for days in (20, 40, 60, 80)
    ]
    for report in reports:
        report.set("Melder_ID", "MLD-PRAXIS-02")
    path = "obds/tudok_praxis.xml"
    drop.move(person, path, Export(reported=person.last_known_alive_date + dt.timedelta(days=30)))
    return Planted(path, reports[-1].get("Meldung_ID"))


@plants("tumour that only a tumour board names")
def _only_named(drop: Drop, person: Person) -> Planted:
    report = numbered(drop, person).tumour_board()
    assign(report, "8", "C64")
    drop.reports(person).append(report)
    return on(drop, person, report)


@plants("examination exact to the month")
def _month(drop: Drop, person: Person) -> Planted:
    drop.move(person, INVALID, Export())
    report = find(drop.reports(person), "Verlauf", -1)
    day = inner(report, "Untersuchungsdatum_Verlauf")
    day.text = f"{dt.date.fromisoformat(day.text):00.%m.%Y}"
    return on(drop, person, report)


@plants("examination in the old notation")
def _old_notation(drop: Drop, person: Person) -> Planted:
    """Return the place of the examination that the previous defect changes."""
    return on(drop, person, find(drop.reports(person), "Verlauf", -1))


def _drugs(drop: Drop, person: Person, protocol: str, ends: dt.date | None) -> Element:
    """Add a report of one systemic therapy before the last examination, of its end or its begin."""
    report = numbered(drop, person).systemic_therapy()
    module = inner(report, "SYST")
    module.set("SYST_ID", f"{person.number}-SYST-E")
    inner(module, "Stellung_OP").text = "O"
    inner(module, "Therapieart").text = "ZS"
    inner(module, "Protokoll").text = protocol
    begin = person.last_assessment_date - dt.timedelta(days=30)
    inner(module, "Beginn").text = begin.isoformat()
    if ends:
        inner(module, "Meldeanlass").text = "behandlungsende"
        after = inner(module, "Menge_Substanz")
        for name, text in (("Ende_Grund", "E"), ("Ende", ends.isoformat())):
            element = etree.Element(tag(name))
            element.text = text
            after.addnext(element)
            after = element
    drop.reports(person).append(report)
    return report


@plants("drugs that end before they begin")
def _ends_early(drop: Drop, person: Person) -> Planted:
    ends = person.last_assessment_date - dt.timedelta(days=40)
    return on(drop, person, _drugs(drop, person, "Pazopanib", ends))


@plants("begin of drugs after their end")
def _begin_after_end(drop: Drop, person: Person) -> Planted:
    _drugs(drop, person, "Pazopanib", person.last_assessment_date - dt.timedelta(days=10))
    return on(drop, person, _drugs(drop, person, "Imatinib", None))
