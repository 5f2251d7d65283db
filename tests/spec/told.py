# ruff: noqa: E501  one patient per line reads as a table
"""A patient of the protocol: what is documented, and the records that document it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from schemas import received as r
from schemas.configuration import Study

ZERO = dt.date(2015, 3, 10)
SITES = ["local relapse", "regional relapse", "distant relapse"]
RULES = [
    {"name": "OS", "title": "OS", "events": ["death"], "censor": "last known alive"},
    {"name": "DFS", "title": "DFS", "censor": "last disease assessment",
     "events": [*SITES, "relapse of unknown site", "second malignancy", "death"]},
    {"name": "DMFS", "title": "DMFS", "censor": "last disease assessment", "events": ["distant relapse", "death"]},
    {"name": "LRFS", "title": "LRFS", "censor": "last disease assessment",
     "events": ["local relapse", "regional relapse", "death"]},
    {"name": "EFS", "title": "Event-free survival", "censor": "last disease assessment",
     "events": ["residual tumour", "progression under treatment", *SITES, "relapse of unknown site", "death"]},
    {"name": "PFS", "title": "Progression-free survival", "censor": "last disease assessment",
     "events": ["progression under treatment", *SITES, "relapse of unknown site", "death"]},
]  # fmt: skip
CRITERIA = [{"name": "m0", "rule": "no_metastasis", "label": "No distant metastasis at diagnosis"}]
FREE = {"Gesamtbeurteilung_Tumorstatus": "V", "Verlauf_Lokaler_Tumorstatus": "K",
        "Verlauf_Tumorstatus_Lymphknoten": "K", "Verlauf_Tumorstatus_Fernmetastasen": "K"}  # fmt: skip


UNKNOWN_DAY = "unknown"


def on(day: int) -> str:
    return (ZERO + dt.timedelta(days=day)).isoformat()


def fm(day: int | str | None, exactness: str = "E", site: str = "PUL") -> str:
    date = "null" if day is None else f'"{on(day) if isinstance(day, int) else day}"'
    return f'[{{"Diagnosedatum": {date}, "Datumsgenauigkeit": "{exactness}", "Lokalisation": "{site}"}}]'


@dataclass
class Told:
    """One patient of the protocol; what is not told is as at the head of the page."""

    irradiated: tuple[int, int] | None = (31, 66)
    operated: dict[int, str | None] = field(default_factory=lambda: {102: "R0"})
    seen: dict[int, dict[str, str]] = field(default_factory=lambda: {366: FREE})
    alive: int | None = 1827
    died: str | None = None
    diagnosis: dict[str, str | None] = field(default_factory=dict)
    others: list[tuple[int, str, str]] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    """Day of an operation to its OPS code; any other is a resection of the primary."""
    answers: list[tuple[int, str]] = field(default_factory=list)
    """Further answers of the registry office: the day, and ``alive`` or ``dead`` (without a date of death)."""

    def put(self, records, number: str) -> None:
        records.patient(number=number, family=f"Testfall{number}")
        records.diagnosis(on=on(0), number=number, **self.diagnosis)
        if self.irradiated:
            records.meldung(
                r.ObdsRadiotherapy, number, Beginn=on(self.irradiated[0]), Ende=on(self.irradiated[1]), Module_ID="ST",
                Applikationsart="Perkutan", Intention="K", Stellung_OP="N", Gesamtdosis="50", Einzeldosis="2",
            )  # fmt: skip
        for day, status in self.operated.items():
            records.meldung(
                r.ObdsSurgery, number, Datum=on(day), Intention="K", Module_ID=f"OP{day}", Menge_OPS=f'["{self.codes.get(day, "5-782.b")}"]',
                Lokale_Beurteilung_Residualstatus=status,
            )  # fmt: skip
        for day, status in self.seen.items():
            records.meldung(
                r.ObdsFollowUp, number, Untersuchungsdatum_Verlauf=on(day), Module_ID=f"V{day}", **status
            )
        for count, (day, site, morphology) in enumerate(self.others, start=2):
            records.diagnosis(
                on=on(day), number=number, tumour=f"T{count}", Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
                Morphologie_ICD_O=f'["{morphology}"]', TNM_Version=None, T=None, M=None, N=None, Grading=None,
            )  # fmt: skip
        for day, answer in self.answers:
            said = {"alive": "lebt", "dead": "verstorben"}[answer]
            date = (ZERO + dt.timedelta(days=day)).strftime("%d.%m.%Y")
            records.reply(answer=said, answered_on=date, hospital_number=number)
        if self.died:
            date = None if self.died == UNKNOWN_DAY else self.died
            records.meldung(r.ObdsDeath, number, Sterbedatum=date)
        elif self.alive is not None:
            date = (ZERO + dt.timedelta(days=self.alive)).strftime("%d.%m.%Y")
            records.reply(answer="lebt", answered_on=date, hospital_number=number)


def study(**assumptions: Any) -> Study:
    return Study.model_validate(
        {"name": "s", "title": "s", "description": "s", "drop": "d", "criteria": CRITERIA, "endpoints": RULES,
         "assumptions": assumptions}
    )  # fmt: skip


def local(status: str) -> dict[str, str]:
    return {"Verlauf_Lokaler_Tumorstatus": status}


def distant(status: str, **more: str) -> dict[str, str]:
    return {"Verlauf_Tumorstatus_Fernmetastasen": status, **more}
