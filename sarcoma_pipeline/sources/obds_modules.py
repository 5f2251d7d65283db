"""Modules of an oBDS Meldung to rows of their received tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from schemas import received as r

Element: TypeAlias = Any
"""lxml ships no types."""


_NAMES_KEPT = 10_000
"""A hostile export invents names without end."""


class _LocalNames(dict[object, str]):
    """Tag to its name without namespace."""

    def __missing__(self, tag: object) -> str:
        name = tag.rpartition("}")[2] if isinstance(tag, str) else ""
        if len(self) < _NAMES_KEPT:
            self[tag] = name
        return name


local = _LocalNames().__getitem__
"""Name without namespace; empty for comments, instructions and entities."""


def children(element: Element | None) -> dict[str, Element]:
    """Children by local name; the last of several counts."""
    return {} if element is None else {local(child.tag): child for child in element}


def text(element: Element | None) -> str | None:
    """Its text, as delivered."""
    return None if element is None else element.text


def code(element: Element | None) -> str | None:
    """Text of its ``Code``."""
    return text(children(element).get("Code"))


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _json(values: list[object]) -> str | None:
    return _encode(values) if values else None


Rows = Iterator[tuple[str, dict[str, str | None]]]


def _plain(kids: dict[str, Element], *names: str) -> dict[str, str | None]:
    return {name: None if (kid := kids.get(name)) is None else kid.text for name in names}


def _histology(kids: dict[str, Element]) -> dict[str, str | None]:
    histology = kids.get("Histologie")
    inner = children(histology)
    codes: list[object] = [] if histology is None else [
        code(child) for child in histology if local(child.tag) == "Morphologie_ICD_O"
    ]  # fmt: skip
    kind = next((k for k in ("cTNM", "TNM", "pTNM") if k in kids), None)
    tnm = children(kids.get(kind)) if kind else {}
    classified: list[object] = [
        {name: text(part.get(name)) for name in ("Name", "Stadium", "Datum")}
        for part in map(children, kids.get("Menge_Weitere_Klassifikation", ()))
    ]
    return {
        "Tumor_Histologiedatum": text(inner.get("Tumor_Histologiedatum")),
        "Morphologie_ICD_O": _json([c for c in codes if c]),
        "Grading": text(inner.get("Grading")),
        **_plain(tnm, "T", "N", "M"),
        "TNM_Version": text(tnm.get("Version")),
        "TNM_kind": kind,
        "Menge_Weitere_Klassifikation": _json(classified),
        "Menge_FM": _json(_metastases(kids.get("Menge_FM"))),
    }


def _metastases(element: Element | None) -> list[object]:
    found: list[object] = []
    for one in () if element is None else element:
        kids = children(one)
        date = kids.get("Diagnosedatum")
        found.append(
            {
                "Diagnosedatum": text(date),
                "Datumsgenauigkeit": None if date is None else date.get("Datumsgenauigkeit"),
                "Lokalisation": text(kids.get("Lokalisation")),
            }
        )
    return found


def _diagnosis(module: Element) -> Rows:
    kids = children(module)
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Primaertumor_Diagnosetext", "Diagnosesicherung"),
            "Primaertumor_Topographie_ICD_O": code(kids.get("Primaertumor_Topographie_ICD_O")),
        },
    )


def _pathology(module: Element) -> Rows:
    kids = children(module)
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Diagnosesicherung"),
            "Primaertumor_Topographie_ICD_O": code(kids.get("Primaertumor_Topographie_ICD_O")),
        },
    )


def _surgery(module: Element) -> Rows:
    kids = children(module)
    status = children(kids.get("Residualstatus"))
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Intention", "Datum"),
            "Menge_OPS": _json([code(ops) for ops in kids.get("Menge_OPS", ())]),
            **_plain(status, "Lokale_Beurteilung_Residualstatus", "Gesamtbeurteilung_Residualstatus"),
        },
    )


def _radiotherapy(module: Element) -> Rows:
    kids = children(module)
    course = _plain(kids, "Meldeanlass", "Intention", "Stellung_OP", "Ende_Grund")
    irradiations = list(kids.get("Menge_Bestrahlung", ()))
    if not irradiations:
        yield "", course
    for number, irradiation in enumerate(irradiations, start=1):
        inner = children(irradiation)
        kind, details = next(iter(children(inner.get("Applikationsart")).items()), (None, None))
        parts = children(details)
        region = next(iter(children(parts.get("Zielgebiet")).items()), (None, None))
        yield (
            f"/Bestrahlung[{number}]",
            {
                **course,
                **_plain(inner, "Beginn", "Ende"),
                "Applikationsart": kind,
                "Zielgebiet": text(region[1]),
                "Zielgebiet_CodeVersion": region[0].removeprefix("CodeVersion") if region[0] else None,
                **_plain(parts, "Seite_Zielgebiet", "Strahlenart", "Boost"),
                "Gesamtdosis": text(children(parts.get("Gesamtdosis")).get("Dosis")),
                "Einzeldosis": text(children(parts.get("Einzeldosis")).get("Dosis")),
            },
        )


def _systemic(module: Element) -> Rows:
    kids = children(module)
    begin = kids.get("Beginn")
    substances: list[object] = []
    for substance in kids.get("Menge_Substanz", ()):
        inner = children(substance)
        substances.append(text(inner.get("Bezeichnung")) or code(inner.get("ATC")))
    yield (
        "",
        {
            **_plain(
                kids,
                "Meldeanlass",
                "Intention",
                "Stellung_OP",
                "Therapieart",
                "Protokoll",
                "Beginn",
                "Ende",
                "Ende_Grund",
            ),
            "Beginn_Datumsgenauigkeit": None if begin is None else begin.get("Datumsgenauigkeit"),
            "Menge_Substanz": _json([s for s in substances if s]),
        },
    )


def _follow_up(module: Element) -> Rows:
    kids = children(module)
    yield (
        "",
        {
            **_histology(kids),
            **_plain(
                kids,
                "Meldeanlass",
                "Untersuchungsdatum_Verlauf",
                "Gesamtbeurteilung_Tumorstatus",
                "Verlauf_Lokaler_Tumorstatus",
                "Verlauf_Tumorstatus_Lymphknoten",
                "Verlauf_Tumorstatus_Fernmetastasen",
            ),
        },
    )


def _death(module: Element) -> Rows:
    kids = children(module)
    causes: list[object] = [code(cause) for cause in kids.get("Menge_Todesursachen", ())]
    yield (
        "",
        {
            **_plain(kids, "Sterbedatum", "Tod_tumorbedingt"),
            "Menge_Todesursachen": _json([c for c in causes if c]),
        },
    )


def _tumour_board(module: Element) -> Rows:
    yield "", _plain(children(module), "Datum", "Typ")


MODULES: dict[str, tuple[type[r.ObdsMeldung], str, Callable[[Element], Rows]]] = {
    "Diagnose": (r.ObdsDiagnosis, "Diagnose_ID", _diagnosis),
    "Pathologie": (r.ObdsPathology, "Befund_ID", _pathology),
    "OP": (r.ObdsSurgery, "OP_ID", _surgery),
    "ST": (r.ObdsRadiotherapy, "ST_ID", _radiotherapy),
    "SYST": (r.ObdsSystemicTherapy, "SYST_ID", _systemic),
    "Verlauf": (r.ObdsFollowUp, "Verlauf_ID", _follow_up),
    "Tod": (r.ObdsDeath, "Abschluss_ID", _death),
    "Tumorkonferenz": (r.ObdsTumourBoard, "Tumorkonferenz_ID", _tumour_board),
}
"""Element of a Meldung to its received table, its id attribute, and how its rows are had."""
