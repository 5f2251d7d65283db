"""Cases of the rules on what a curation does with reports: versions, dates, values, life and death."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from schemas import received as r
from schemas.received_obds import NO_NAMESPACE
from tests.one_curation import OfPatient
from tests.quality.rule_cases.four import NO_VALUE, THE_FAULT, Four

Told = Callable[[OfPatient], object]
"""Adds the records of a patient."""


def of(
    fires: Told, silent: Told, null: Told | str, sibling: Told, *, fires_on_null: bool = False
) -> Four[Told]:
    """Return the cases of a rule on what a curation makes of a patient."""
    return Four(fires, silent, null, sibling, fires_on_null)


def patient(*steps: Told, **person: Any) -> Told:
    """Return a patient with master data and these records."""
    return lambda p: [p.patient(**person), *(step(p) for step in steps)]


def sarcoma(*steps: Told, on: str | None = "2012-01-01", **values: Any) -> Told:
    """Return a patient with a sarcoma of the thigh and more records."""
    return patient(diagnosis(on, **values), *steps)


def diagnosis(on: str | None = "2012-01-01", exactness: str = "E", code: Any = "8802/3", site: Any = "C49.2",
              **values: Any) -> Told:  # fmt: skip
    """Return a Diagnose."""
    said = {
        "Primaertumor_ICD": site, "Primaertumor_Topographie_ICD_O": site,
        "Morphologie_ICD_O": code and json.dumps([code]),
    } | values  # fmt: skip
    return lambda p: p.diagnosis(on, exactness, **said)  # type: ignore[arg-type]


def surgery(on: str | None = "2012-05-01", **values: Any) -> Told:
    """Return an OP."""
    said = {"Datum": on, "Intention": "K", "Module_ID": f"O{on}", "Lokale_Beurteilung_Residualstatus": "R0"}
    return lambda p: p.meldung(r.ObdsSurgery, **(said | values))


def irradiation(on: str | None = "2012-02-01", **values: Any) -> Told:
    """Return an ST with one Bestrahlung."""
    said = {
        "Module_ID": "S1", "Stellung_OP": "N", "Intention": "K", "Beginn": on, "Ende": "2012-03-07",
        "Applikationsart": "Perkutan", "Gesamtdosis": "50", "Einzeldosis": "2", "Boost": "N",
    }  # fmt: skip
    return lambda p: p.meldung(r.ObdsRadiotherapy, **(said | values))


def drugs(on: str | None = "2012-02-01", **values: Any) -> Told:
    """Return a SYST."""
    said = {"Therapieart": "CH", "Beginn": on, "Module_ID": f"C{on}"}
    return lambda p: p.meldung(r.ObdsSystemicTherapy, **(said | values))


def examined(on: str | None = "2013-01-01", **values: Any) -> Told:
    """Return a Verlauf."""
    said = {
        "Module_ID": f"V{on}", "Untersuchungsdatum_Verlauf": on, "Gesamtbeurteilung_Tumorstatus": "V",
        "Verlauf_Lokaler_Tumorstatus": "K",
    }  # fmt: skip
    return lambda p: p.meldung(r.ObdsFollowUp, **(said | values))


def death(on: str | None = "2014-01-01", **values: Any) -> Told:
    """Return a Tod."""
    return lambda p: p.meldung(r.ObdsDeath, **({"Sterbedatum": on} | values))


def pathology(**values: Any) -> Told:
    """Return a Pathologie."""
    return lambda p: p.meldung(r.ObdsPathology, **({"Diagnosesicherung": "7.1"} | values))


def reply(answer: str | None = "lebt", answered_on: str | None = "01.06.2015", **values: Any) -> Told:
    """Return the reply of a registry office."""
    return lambda p: p.reply(answer=answer, answered_on=answered_on, **values)


def export(**values: Any) -> Told:
    """Return an export of its own, with one patient."""
    return lambda p: [p.patient(file_id=f"export {p.number}", **values), diagnosis()(p)]


A = {"Absender_ID": "S", "Melder_ID": "A"}
B = {"Absender_ID": "S", "Melder_ID": "B"}
V = {**A, "Module_ID": None}
"""A report of an examination that has no number: its date tells which one it is."""
LATER = {"reported": "2020-02-01"}


def numbered(told: Callable[..., Told], on: str, **values: Any) -> Told:
    """Return a report whose Meldung_ID is the patient's own."""
    return lambda p: told(on, **{**A, "Meldung_ID": f"M{p.number}", **values})(p)


def _copied(p: OfPatient, *, of_same: bool) -> None:
    for n in range(2):
        content = f"{p.number} content {0 if of_same else n}"
        surgery(record_key=f"{p.number} key", content_hash=content)(p)


REPORTS: dict[str, Four[Told]] = {
    "record.number-on-two-dates": of(
        sarcoma(*(surgery(day, Module_ID="O1", Meldung_ID=day, **A) for day in ("2012-05-01", "2012-06-20"))),
        sarcoma(*(surgery(day, Meldung_ID=day, **A) for day in ("2012-05-01", "2012-06-20"))),
        sarcoma(*(surgery(day, Module_ID="O1", Meldung_ID=day, **A) for day in ("2012-05-01", None))),
        sarcoma(*(examined(day, Module_ID="V1", Meldung_ID=day, **A)
                  for day in ("2013-05-01", "2013-08-20"))),
    ),
    "patient.objection": of(
        sarcoma(surgery(Meldebegruendung="W", **A)),
        sarcoma(surgery(Meldebegruendung="A", **A)),
        sarcoma(surgery(Meldebegruendung=None, **A)),
        sarcoma(death(Meldebegruendung="W", **B)),
    ),
    "report.reason-unknown": of(
        sarcoma(surgery(Meldebegruendung="Z", **A)),
        sarcoma(surgery(Meldebegruendung="V", **A)),
        sarcoma(surgery(Meldebegruendung=None, **A)),
        sarcoma(death(Meldebegruendung="N", **B)),
    ),
    "record.corrected": of(
        sarcoma(numbered(surgery, "2012-05-01"), numbered(surgery, "2012-05-01", Intention="P", **LATER)),
        sarcoma(surgery(**A, Meldung_ID="a"), surgery("2012-07-01", **A, Meldung_ID="b", **LATER)),
        sarcoma(surgery(**A, Meldung_ID=None), surgery("2012-07-01", **A, Meldung_ID=None, **LATER)),
        sarcoma(numbered(examined, "2013-01-01"),
                numbered(examined, "2013-01-01", Gesamtbeurteilung_Tumorstatus="P", **LATER)),
    ),
    "report.same-day-versions": of(
        sarcoma(numbered(surgery, "2012-05-01"), numbered(surgery, "2012-05-01", Intention="P")),
        sarcoma(numbered(surgery, "2012-05-01"), numbered(surgery, "2012-05-01", Intention="P", **LATER)),
        sarcoma(numbered(surgery, "2012-05-01", reported=None),
                numbered(surgery, "2012-05-01", Intention="P", reported=None)),
        sarcoma(numbered(death, "2014-01-01"), numbered(death, "2014-01-02")),
        fires_on_null=True,
    ),
    "report.value-withdrawn": of(
        sarcoma(numbered(surgery, "2012-05-01"),
                numbered(surgery, "2012-05-01", Lokale_Beurteilung_Residualstatus=None, **LATER)),
        sarcoma(numbered(surgery, "2012-05-01"),
                numbered(surgery, "2012-05-01", Lokale_Beurteilung_Residualstatus="R1", **LATER)),
        THE_FAULT,
        sarcoma(numbered(examined, "2013-01-01"),
                numbered(examined, "2013-01-01", Verlauf_Lokaler_Tumorstatus=None, **LATER)),
    ),
    "record.duplicate": of(
        sarcoma(lambda p: _copied(p, of_same=True)),
        sarcoma(lambda p: _copied(p, of_same=False)),
        NO_VALUE,
        sarcoma(*(lambda p: p.reply(answer="lebt", answered_on="01.06.2015", content_hash=p.number,
                                    record_key=p.number) for _ in range(2))),
    ),
    "report.undated": of(
        export(Meldedatum=None), export(), THE_FAULT, export(Meldedatum="demnächst"),
    ),
    "report.dated-in-future": of(
        export(Meldedatum="2031-01-01"),
        export(Meldedatum="2021-12-01"),
        export(Meldedatum=None),
        sarcoma(reply(answered_on="01.06.2031")),
    ),
    "obds.namespace-missing": of(
        export(Schema_Version=f"3.0.4{NO_NAMESPACE}"),
        export(Schema_Version="3.0.4"),
        export(Schema_Version=None),
        export(Schema_Version=f"3.0.0{NO_NAMESPACE}"),
    ),
    "obds.schema-version-unknown": of(
        export(Schema_Version="3.1.0"),
        export(Schema_Version="3.0.5"),
        export(Schema_Version=None),
        export(Schema_Version="2.2.1"),
        fires_on_null=True,
    ),
    "obds.element-repeated": of(
        sarcoma(surgery(repeated_elements='{"Intention": ["P"]}')),
        sarcoma(surgery()),
        sarcoma(surgery(repeated_elements=None)),
        patient(diagnosis(), repeated_elements='{"Nachname": ["Alt"]}'),
    ),
}  # fmt: skip

DATES: dict[str, Four[Told]] = {
    "diagnosis.date-unusable": of(
        sarcoma(exactness="V"),
        sarcoma(exactness="M"),
        sarcoma(exactness="V", on=None),
        patient(diagnosis("2012-01-01", "V", code="8858/3", site="C48.0")),
    ),
    "date.exactness-unknown": of(
        sarcoma(exactness="Q"),
        sarcoma(exactness="T"),
        sarcoma(exactness=None),
        patient(diagnosis(), Geburtsdatum_Datumsgenauigkeit="ungefähr"),
    ),
    "date.partial": of(
        sarcoma(exactness="T"),
        sarcoma(exactness="E"),
        sarcoma(exactness="T", on=None),
        patient(diagnosis(), Geburtsdatum_Datumsgenauigkeit="M"),
    ),
    "date.counted-as-day": of(
        sarcoma(surgery("00.05.2012")),
        sarcoma(surgery("2012-05-01")),
        sarcoma(surgery(None)),
        sarcoma(examined("00.00.2013")),
    ),
    "date.legacy-format": of(
        sarcoma(surgery("00.05.2012")),
        sarcoma(surgery("01.05.2012")),
        sarcoma(surgery(None)),
        sarcoma(on="00.00.2012"),
    ),
    "value.date-unreadable": of(
        sarcoma(surgery("2012-02-30")),
        sarcoma(surgery("2012-02-29")),
        sarcoma(surgery(None)),
        sarcoma(examined("Frühjahr 2013")),
    ),
    "value.number-unreadable": of(
        sarcoma(irradiation(Gesamtdosis="50 Gy")),
        sarcoma(irradiation(Gesamtdosis="50.4")),
        sarcoma(irradiation(Gesamtdosis=None)),
        sarcoma(irradiation(Einzeldosis="zwei")),
    ),
    "value.code-unknown": of(
        sarcoma(surgery(Intention="Q")),
        sarcoma(surgery(Intention="R")),
        sarcoma(surgery(Intention=None)),
        sarcoma(examined(Verlauf_Lokaler_Tumorstatus="ja")),
    ),
    "diagnosis.tnm-sign-unknown": of(
        sarcoma(TNM='[{"kind": "cTNM", "Version": "7", "T": "2b", "c_p_u_Praefix_T": "q"}]', T=None),
        sarcoma(TNM='[{"kind": "cTNM", "Version": "7", "T": "2b", "c_p_u_Praefix_T": "u"}]', T=None),
        sarcoma(TNM='[{"kind": "cTNM", "Version": "7", "T": "2b", "c_p_u_Praefix_T": null}]', T=None),
        sarcoma(TNM='[{"kind": "pTNM", "Version": "7", "T": "2b", "y_Symbol": "j"}]', T=None),
    ),
    "diagnosis.report-date-unreadable": of(
        sarcoma(pathology(Tumor_Histologiedatum="2012-13-01", Morphologie_ICD_O='["8802/3"]')),
        sarcoma(pathology(Tumor_Histologiedatum="2012-12-01", Morphologie_ICD_O='["8802/3"]')),
        sarcoma(pathology(Tumor_Histologiedatum=None, Morphologie_ICD_O='["8802/3"]')),
        sarcoma(pathology(TNM='[{"kind": "pTNM", "Version": "7", "T": "2b", "Datum": "gestern"}]')),
    ),
    "radiotherapy.unit-unexpected": of(
        sarcoma(irradiation(Gesamtdosis="5000", Gesamtdosis_Einheit="cGy")),
        sarcoma(irradiation(Gesamtdosis_Einheit="Gy")),
        sarcoma(irradiation(Gesamtdosis_Einheit=None)),
        sarcoma(irradiation(Applikationsart="Metabolisch", Gesamtdosis="7400", Gesamtdosis_Einheit="MBq")),
    ),
}  # fmt: skip

LIFE: dict[str, Four[Told]] = {
    "vital-status.death-beside-life": of(
        sarcoma(reply("lebt", event_date="01.05.2014", place_of_death="Bonn")),
        sarcoma(reply("verstorben", event_date="01.05.2014", place_of_death="Bonn")),
        sarcoma(reply("verstorben", event_date=None, place_of_death="Bonn")),
        sarcoma(reply("verzogen", event_date="01.05.2014", place_of_death="Köln")),
    ),
    "vital-status.event-beside-life": of(
        sarcoma(reply("lebt", event_date="01.05.2014")),
        sarcoma(reply("verzogen", event_date="01.05.2014")),
        sarcoma(reply("lebt", event_date=None)),
        sarcoma(reply("keine Auskunft", event_date="01.05.2014")),
    ),
    "vital-status.causes-differ": of(
        sarcoma(death(Tod_tumorbedingt="J", **A), death(Tod_tumorbedingt="N", **B)),
        sarcoma(death(Tod_tumorbedingt="J", **A), death(Tod_tumorbedingt="J", **B)),
        sarcoma(death(Tod_tumorbedingt="J", **A), death(Tod_tumorbedingt=None, **B)),
        sarcoma(death(None, Tod_tumorbedingt="N", **A), death(Tod_tumorbedingt="J", **B)),
    ),
    "vital-status.death-date-conflict": of(
        sarcoma(death("2014-01-01", **A), death("2014-01-02", **B)),
        sarcoma(death("2014-01-01", **A), death("2014-01-01", **B)),
        sarcoma(death("2014-01-01", **A), death(None, **B)),
        sarcoma(death("2014-01-01"), reply("verstorben", event_date="00.02.2014")),
    ),
}  # fmt: skip

REPORTERS: dict[str, Four[Told]] = {
    "assessment.reports-differ": of(
        sarcoma(examined(**V), examined(Verlauf_Lokaler_Tumorstatus="R", **V, **LATER)),
        sarcoma(examined(**V), examined(**V, **LATER)),
        sarcoma(examined(**V), examined(Verlauf_Lokaler_Tumorstatus=None, **V, **LATER)),
        sarcoma(examined(Verlauf_Tumorstatus_Lymphknoten="K", **V),
                examined(Verlauf_Tumorstatus_Lymphknoten="R", **V, **LATER)),
    ),
    "surgery.reports-differ": of(
        sarcoma(surgery(**A), surgery(Intention="P", **B, **LATER)),
        sarcoma(surgery(**A), surgery(**B, **LATER)),
        sarcoma(surgery(**A), surgery(Intention=None, **B, **LATER)),
        sarcoma(surgery(Menge_OPS='["5-782.b"]', Seitenlokalisation="L", **A),
                surgery(Intention="R", **B, **LATER)),
    ),
    "surgery.residual-differs": of(
        sarcoma(surgery(**A), surgery(Lokale_Beurteilung_Residualstatus="R1", **B, **LATER)),
        sarcoma(surgery(**A), surgery(**B, **LATER)),
        sarcoma(surgery(**A), surgery(Lokale_Beurteilung_Residualstatus=None, **B, **LATER)),
        sarcoma(surgery(Lokale_Beurteilung_Residualstatus="R2", **A),
                surgery(Lokale_Beurteilung_Residualstatus="R1(is)", **B, **LATER)),
    ),
    "systemic-therapy.reports-differ": of(
        sarcoma(drugs(**A), drugs(Therapieart="CI", **B, **LATER)),
        sarcoma(drugs(**A), drugs(**B, **LATER)),
        sarcoma(drugs(Protokoll="AI", **A), drugs(Protokoll=None, **B, **LATER)),
        sarcoma(drugs(Protokoll="AI", **A), drugs(Protokoll="Doxorubicin", **B, **LATER)),
    ),
    "diagnosis.reporters-differ": of(
        sarcoma(diagnosis(Seitenlokalisation="R", **B), **A),
        sarcoma(diagnosis(**B), **A),
        sarcoma(diagnosis(Seitenlokalisation=None, **B), **A),
        sarcoma(diagnosis(site="C49.1", **B), **A),
    ),
    "diagnosis.assignment-differs": of(
        sarcoma(examined(Primaertumor_ICD="C50.4", Diagnosedatum="2009-03-01",
                         Diagnosedatum_Datumsgenauigkeit="E")),
        sarcoma(examined(Primaertumor_ICD="C49.2", Diagnosedatum="2012-01-01",
                         Diagnosedatum_Datumsgenauigkeit="E")),
        sarcoma(examined(Primaertumor_ICD="C50.4", Diagnosedatum=None)),
        sarcoma(surgery(Primaertumor_ICD="C18.7", Diagnosedatum="2015-07-01",
                        Diagnosedatum_Datumsgenauigkeit="M")),
    ),
    "diagnosis.number-of-two-tumours": of(
        sarcoma(diagnosis("2016-04-01", code="8500/3", site="C50.4", **B), **A),
        sarcoma(diagnosis("2012-01-01", **B), **A),
        sarcoma(surgery(Primaertumor_ICD="C50.4", Diagnosedatum=None, **B), **A),
        sarcoma(surgery("2016-05-01", Primaertumor_ICD="C18.7", Diagnosedatum="2016-04-01",
                        Diagnosedatum_Datumsgenauigkeit="E", **B), **A),
        fires_on_null=True,
    ),
}  # fmt: skip

CURATED = REPORTS | DATES | LIFE | REPORTERS
