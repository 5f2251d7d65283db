# ruff: noqa: E501  texts of the page
"""Writes docs/definitions.md from the switches and the protocol's patients.

Run from the project root: ``python -m tests.spec.definitions > docs/definitions.md``
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from schemas.assumptions import Declared, declared
from tests.spec.hostile import HOSTILE
from tests.spec.pairs import PAIRS
from tests.spec.protocol import PROTOCOL
from tests.spec.told import FREE, UNKNOWN_DAY, ZERO, Told

SECTIONS = {
    "2": "Which tumour",
    "3": "Baseline",
    "4": "Events",
    "5": "Who is at risk until when",
    "6": "Codes",
    "7": "Choices that papers leave open",
}

SOURCES = (
    "Competing events, and deaths long after the last examination: Lesko, Edwards, Cole, Moore and Lau, When to censor?, "
    "Am J Epidemiol 2018; 187(3): 623-632 (an event that a registry captures: censor when the criterion of loss is met, "
    "for example a year after the last encounter; an event that must be measured: at the last encounter); Lesko, "
    "Edwards, Moore and Lau, Epidemiology 2019; 30(6): 817-824 (of a composite event a hybrid of both is least biased). "
    "Abstracts read. What the rules do in a simulation: [late_deaths.md](late_deaths.md).",
    "Deaths after missed visits: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, Guidance "
    "for Industry (2007, revised in 2018), appendix 3, table A: a sensitivity analysis censors deaths after two or more "
    "missed visits at the last visit. The edition of 2007 was read, the revision was not.",
    "New primaries, and what is none: IARC, IACR and ENCR, International Rules for Multiple Primary Cancers (ICD-O third "
    "edition), 2004: time does not matter; no extension, recurrence or metastasis; one tumour per organ or pair of organs "
    "(table 1) unless the histology is of another group (table 2). The rules were read; the ranges of the groups are "
    "those of `schemas/iarc.py`, not compared with the printed table again.",
    "Progression before the resection as an event: STRASS, Bonvalot et al., Lancet Oncol 2020; 21(10): 1366-1377 "
    "(EORTC-62092). The abstract was read (primary endpoint: abdominal recurrence-free survival); that progression "
    "under preoperative radiotherapy was an event is not in it, and was not looked up in the full text.",
    "What belongs to an endpoint: DATECAN for sarcomas and GIST, Bellera et al., Ann Oncol 2015, "
    "doi 10.1093/annonc/mdu360; Punt et al., J Natl Cancer Inst 2007; 99(13): 998-1003 (disease-free survival: any event, "
    "irrespective of cause). Abstracts read, the consensus tables were not: which of them a study follows is for the study "
    "to say, and second malignancy and cause of death are switches for that reason.",
    "Completeness of follow-up: Clark, Altman and De Stavola, Lancet 2002; 359(9314): 1309-1310 (observed of potential "
    "person-time). Abstract read. It counts unobserved deaths as possible time: Wu, Takkenberg and Grunkemeier, Ann Thorac "
    "Surg 2008; 85(4): 1155-1157, find it too low for that reason.",
    "T by size: UICC/AJCC TNM 7 (5 cm; the NCI's PDQ of 2014, with AJCC's permission) and 8 and 9 (trunk, extremities and "
    "retroperitoneum 5, 10 and 15 cm, head and neck 2 and 4 cm; NHS staging sheet of TNM 9, World J Clin Oncol 2023; 14: 89). "
    "The tables were read, the manuals were not.",
    "What a report must say of follow-up and sensitivity: STROBE, items 12(d), 12(e), 13 and 14(c) of the checklist for "
    "cohort studies. 12 and 13 were read.",
    "Morphologies and their versions: ICD-O-3.1, ICD-O-3.2 and the WHO classification of 2020; the source of each code stands "
    "in `schemas/sarcoma_codes.py`. That 8832/3 changed its meaning in 3.2 and that 8850/1 is the atypical lipomatous tumour "
    "was not looked up again.",
    "Records and their words: oBDS 3.0.4, by its schema (`tests/real/oBDS_v3.0.4.xsd`). Which report replaces which is the use "
    "of the registries' platform (plattform65c.de), whose pages on corrections were not read.",
)

_COMPONENTS = {
    "Gesamtbeurteilung_Tumorstatus": "overall",
    "Verlauf_Lokaler_Tumorstatus": "local",
    "Verlauf_Tumorstatus_Lymphknoten": "nodes",
    "Verlauf_Tumorstatus_Fernmetastasen": "distant",
}


def page() -> str:
    """Return the page."""
    parts = ["# Definitions", _HEAD, "## Assumptions", _ASSUMPTIONS, *_switches(), "## Patients", _PATIENTS]
    parts += _table(PROTOCOL)
    parts += ["### Two events on one day, and what else a switch decides", *_table(PAIRS)]
    parts += ["### At the edges: too early, never, twice, or after the end", *_table(HOSTILE)]
    parts += ["## Sources", *(f"- {source}" for source in SOURCES)]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ").replace("## Sources\n- ", "## Sources\n\n- ") + "\n"


def _switches() -> Iterator[str]:
    every = sorted(declared(), key=lambda d: d.switch.section)
    for section, switches in groupby(every, key=lambda d: d.switch.section):
        yield f"### {SECTIONS[section]}"
        for d in switches:
            yield "\n".join(_switch(d))


def _switch(d: Declared) -> Iterator[str]:
    yield f"**`{d.name}`**. The other values show {d.switch.shows}." if _runs(d) else f"**`{d.name}`**"
    yield ""
    if d.values:
        for value in d.values:
            yield f"- `{value}`{' (default)' if value == d.default else ''}: {d.sentence(value)}"
        return
    default = "none" if d.default is None else d.default
    runs = f"; sensitivity runs with {', '.join(map(str, d.switch.runs))}" if d.switch.runs else ""
    yield f"- default {default}{runs}: {d.sentence(d.default)}"


def _runs(d: Declared) -> bool:
    return bool(d.others(d.default))


def _table(patients: Mapping[str, tuple[Told, dict[str, Any], dict[str, str]]]) -> Iterator[str]:
    rows = ["| patient | given | assumed | expected |", "|---|---|---|---|"]
    for title, (told, assumptions, expected) in patients.items():
        assumed = ", ".join(f"`{name} = {value}`" for name, value in assumptions.items())
        ends = "; ".join(f"{name} {end}" for name, end in expected.items())
        rows.append(f"| {title} | {'; '.join(_given(told)) or 'as above'} | {assumed} | {ends} |")
    yield "\n".join(rows)


def _given(told: Told) -> Iterator[str]:
    usual = Told()
    for key, value in told.diagnosis.items():
        yield f"{key} {value}"
    if told.irradiated != usual.irradiated:
        yield (
            f"irradiated from day {told.irradiated[0]} to {told.irradiated[1]}"
            if told.irradiated
            else "not irradiated"
        )
    if told.operated != usual.operated or told.codes:
        each = [
            f"{status or 'operated'} on day {day}{_code(told, day)}" for day, status in told.operated.items()
        ]
        yield ", ".join(each) or "not resected"
    if told.seen != usual.seen:
        yield from (f"day {day}: {_said(status)}" for day, status in told.seen.items())
        if not told.seen:
            yield "never examined"
    yield from (f"day {day}: {morphology} of {site}" for day, site, morphology in told.others)
    if told.died == UNKNOWN_DAY:
        yield "dead on an unknown day"
    elif told.died:
        yield f"dead on day {_day(told.died)}"
    elif told.alive != usual.alive and told.alive is not None:
        yield f"alive on day {told.alive}"
    for day, answer in told.answers:
        yield f"day {day}: answered {answer}{' without a date' if answer == 'dead' else ''}"


def _code(told: Told, day: int) -> str:
    return f" (OPS {told.codes[day]})" if day in told.codes else ""


def _said(status: Mapping[str, str]) -> str:
    if status == FREE:
        return "free of disease"
    said = [f"{_COMPONENTS[key]} {value}" for key, value in status.items() if key in _COMPONENTS]
    for met in json.loads(status.get("Menge_FM", "[]")):
        date = met["Diagnosedatum"]
        said.append(f"metastasis dated day {_day(date)}" if date else "metastasis without a date")
    return ", ".join(said)


def _day(date: str) -> int:
    return (dt.date.fromisoformat(date) - ZERO).days


_HEAD = """Written by `python -m tests.spec.definitions > docs/definitions.md` from the switches of `[assumptions]` and the
patients of `tests/spec`; do not edit it. How an endpoint is declared: [endpoints.md](endpoints.md)."""

_ASSUMPTIONS = """Each switch stands in `[assumptions]` of `study.toml` and acts before the endpoints are derived. The sentence
of its value is printed in the methods section. Every other value is a sensitivity run, derived anew from the curated
tables, in `analysis.survival_sensitivity` and in the report."""

_PATIENTS = """Diagnosis on day 0, M0, 8802/3 of the lower limb; irradiated from day 31 to 66, resected R0 on day 102, free of
disease on day 366, alive by the registry office on day 1827, unless a patient says otherwise. The letters are those of
oBDS: V complete remission, K no tumour, T residual tumour, P progression, R relapse, Y overall relapse, F questionable,
X unknown. Each row is a test (`tests/spec/test_protocol.py`): the days and the kind of event must come out so."""

if __name__ == "__main__":
    print(page(), end="")
