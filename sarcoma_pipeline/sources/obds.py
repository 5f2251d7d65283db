"""oBDS 3 XML exports to received frames: streamed, every module, nothing judged.

Elements are matched by local name, so that an export without its namespace is read all the same; the mark
``NO_NAMESPACE`` on ``Schema_Version`` tells curation about it. A file that breaks off gives every Meldung
that was complete before the break and one unread record for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from lxml import etree

from sarcoma_pipeline.sources.record import Batch, SourceFile
from schemas import received as r
from schemas.received import NO_NAMESPACE

_SNIFF = 65_536
_EXPORT_FACTS = frozenset({"Meldedatum", "Schema_Version"})
"""They tell of the export, not of the Meldung: the same Meldung delivered again is the same content."""

_TAGS = tuple(f"{{*}}{name}" for name in ("Meldung", "Patienten_Stammdaten", "Patient", "Meldedatum"))

_local_names: dict[str, str] = {}

Element: TypeAlias = Any
"""lxml ships no types."""


def _local(tag: object) -> str:
    if not isinstance(tag, str):
        return ""  # a comment or processing instruction
    name = _local_names.get(tag)
    if name is None:
        name = _local_names[tag] = tag.rpartition("}")[2]
    return name


def _children(element: Element | None) -> dict[str, Element]:
    return {} if element is None else {_local(child.tag): child for child in element}


def _text(element: Element | None) -> str | None:
    return None if element is None else element.text


def _json(values: list[object]) -> str | None:
    return json.dumps(values, ensure_ascii=False) if values else None


def read(file: SourceFile, refresh: str) -> Batch:
    """Read one export.

    Args:
        file: the file.
        refresh: id of the refresh that reads it.

    Returns:
        Records of ``received.obds_*`` and, for what could not be read, of ``received.unread``.
    """
    batch = Batch(file, refresh)
    fault = _sniff(file)
    if fault is not None:
        batch.unread("file", *fault)
        return batch
    export = _Export(batch)
    try:
        context = etree.iterparse(
            str(file.path),
            events=("start", "end"),
            tag=_TAGS,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
        )
        for event, element in context:
            export.take(event, element)
        root = context.root
        if root is None or _local(root.tag) != "oBDS":
            batch.unread("line 1", "file.wrong-format", "the root element is not oBDS")
    except etree.XMLSyntaxError as broken:
        # Only the place: the parser's message may quote what it stumbled on.
        where = "" if export.seen else " before the first Meldung"
        batch.unread(f"line {broken.lineno or 1}", "file.truncated", f"the XML breaks off{where}")
    return batch


def _sniff(file: SourceFile) -> tuple[str, str] | None:
    try:
        with file.path.open("rb") as stream:
            head = stream.read(_SNIFF)
    except OSError as broken:
        return "file.unreadable", f"cannot be opened: {type(broken).__name__}"
    if not head.strip():
        return "file.empty", "no content"
    # UTF-16 puts a zero beside every character; without the zeros the ASCII of the markup is left.
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not plain.startswith(b"<"):
        return "file.wrong-format", "the content is not XML"
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        return "file.wrong-format", "declares a document type or entities, which oBDS never does"
    return None


class _Export:
    """Where the stream stands in one export."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.seen = False
        self.patient = 0
        self.meldung = 0
        self.facts: dict[str, str | None] = {"Meldedatum": None, "Schema_Version": None}

    def take(self, event: str, element: Element) -> None:
        name = _local(element.tag)
        if event == "start":
            if name == "Patient":
                self.patient += 1
                self.meldung = 0
            if not self.seen:
                self.seen = True
                self._root_facts(element)
        elif name == "Meldung":
            self.meldung += 1
            self._meldung(element)
            _forget(element)
        elif name == "Patienten_Stammdaten":
            self._master_data(element)
        elif name == "Meldedatum" and self.patient == 0:
            self.facts["Meldedatum"] = element.text
        elif name == "Patient":
            _forget(element)

    def _root_facts(self, element: Element) -> None:
        root = element.getroottree().getroot()
        version = root.get("Schema_Version") or ""
        bare = not str(root.tag).startswith("{")
        self.facts["Schema_Version"] = version + NO_NAMESPACE if bare else version

    def _patient_element(self, element: Element) -> Element | None:
        parent = element.getparent()
        while parent is not None and _local(parent.tag) != "Patient":
            parent = parent.getparent()
        return parent

    def _master_data(self, element: Element) -> None:
        patient = self._patient_element(element)
        number = None if patient is None else patient.get("Patient_ID")
        kids = _children(element)
        born = kids.get("Geburtsdatum")
        self.batch.add(
            r.ObdsPatient,
            f"line {element.sourceline} /oBDS/Menge_Patient/Patient[{self.patient}]",
            ("Patient", number),
            {
                **self.facts,
                "Patient_ID": number,
                "Nachname": _text(kids.get("Nachname")),
                "Vornamen": _text(kids.get("Vornamen")),
                "Geburtsname": _text(kids.get("Geburtsname")),
                "Geschlecht": _text(kids.get("Geschlecht")),
                "Geburtsdatum": _text(born),
                "Geburtsdatum_Datumsgenauigkeit": None if born is None else born.get("Datumsgenauigkeit"),
            },
            _EXPORT_FACTS,
        )

    def _meldung(self, element: Element) -> None:
        patient = self._patient_element(element)
        number = None if patient is None else patient.get("Patient_ID")
        meldung_id = element.get("Meldung_ID")
        place = (
            f"line {element.sourceline} /oBDS/Menge_Patient/Patient[{self.patient}]"
            f"/Menge_Meldung/Meldung[{self.meldung}]"
        )
        kids = _children(element)
        tumour = kids.get("Tumorzuordnung")
        about = _children(tumour)
        diagnosed = about.get("Diagnosedatum")
        base = {
            **self.facts,
            "Patient_ID": number,
            "Meldung_ID": meldung_id,
            "Tumor_ID": None if tumour is None else tumour.get("Tumor_ID"),
            "Primaertumor_ICD": _code(about.get("Primaertumor_ICD")),
            "Diagnosedatum": _text(diagnosed),
            "Diagnosedatum_Datumsgenauigkeit": None
            if diagnosed is None
            else diagnosed.get("Datumsgenauigkeit"),
            "Seitenlokalisation": _text(about.get("Seitenlokalisation")),
        }
        known = False
        for name, module in kids.items():
            if name not in _MODULES:
                continue
            known = True
            contract, id_attribute, rows = _MODULES[name]
            for inner, values in rows(module):
                self.batch.add(
                    contract,
                    place + inner,
                    (number, name, meldung_id, inner) if number or meldung_id else (),
                    {**base, "Module_ID": module.get(id_attribute), **values},
                    _EXPORT_FACTS,
                )
        if not known:
            self.batch.unread(place, "file.unexpected", "a Meldung without a module that is known")


def _forget(element: Element) -> None:
    """Free what was read: a state registry's export does not fit in memory."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


# --- modules ------------------------------------------------------------------------------------------

Rows = Iterator[tuple[str, dict[str, str | None]]]


def _code(element: Element | None) -> str | None:
    return _text(_children(element).get("Code"))


def _plain(kids: dict[str, Element], *names: str) -> dict[str, str | None]:
    return {name: _text(kids.get(name)) for name in names}


def _histology(kids: dict[str, Element]) -> dict[str, str | None]:
    histology = kids.get("Histologie")
    inner = _children(histology)
    codes: list[object] = [] if histology is None else [
        _code(child) for child in histology if _local(child.tag) == "Morphologie_ICD_O"
    ]  # fmt: skip
    kind = next((k for k in ("cTNM", "TNM", "pTNM") if k in kids), None)
    tnm = _children(kids.get(kind)) if kind else {}
    classified: list[object] = [
        {name: _text(part.get(name)) for name in ("Name", "Stadium", "Datum")}
        for part in map(_children, kids.get("Menge_Weitere_Klassifikation", ()))
    ]
    return {
        "Tumor_Histologiedatum": _text(inner.get("Tumor_Histologiedatum")),
        "Morphologie_ICD_O": _json([c for c in codes if c]),
        "Grading": _text(inner.get("Grading")),
        **_plain(tnm, "T", "N", "M"),
        "TNM_Version": _text(tnm.get("Version")),
        "TNM_kind": kind,
        "Menge_Weitere_Klassifikation": _json(classified),
        "Menge_FM": _json(_metastases(kids.get("Menge_FM"))),
    }


def _metastases(element: Element | None) -> list[object]:
    found: list[object] = []
    for one in () if element is None else element:
        kids = _children(one)
        date = kids.get("Diagnosedatum")
        found.append(
            {
                "Diagnosedatum": _text(date),
                "Datumsgenauigkeit": None if date is None else date.get("Datumsgenauigkeit"),
                "Lokalisation": _text(kids.get("Lokalisation")),
            }
        )
    return found


def _diagnosis(module: Element) -> Rows:
    kids = _children(module)
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Primaertumor_Diagnosetext", "Diagnosesicherung"),
            "Primaertumor_Topographie_ICD_O": _code(kids.get("Primaertumor_Topographie_ICD_O")),
        },
    )


def _pathology(module: Element) -> Rows:
    kids = _children(module)
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Diagnosesicherung"),
            "Primaertumor_Topographie_ICD_O": _code(kids.get("Primaertumor_Topographie_ICD_O")),
        },
    )


def _surgery(module: Element) -> Rows:
    kids = _children(module)
    status = _children(kids.get("Residualstatus"))
    yield (
        "",
        {
            **_histology(kids),
            **_plain(kids, "Intention", "Datum"),
            "Menge_OPS": _json([_code(ops) for ops in kids.get("Menge_OPS", ())]),
            **_plain(status, "Lokale_Beurteilung_Residualstatus", "Gesamtbeurteilung_Residualstatus"),
        },
    )


def _radiotherapy(module: Element) -> Rows:
    kids = _children(module)
    course = _plain(kids, "Meldeanlass", "Intention", "Stellung_OP", "Ende_Grund")
    irradiations = list(kids.get("Menge_Bestrahlung", ()))
    if not irradiations:
        yield "", course
    for number, irradiation in enumerate(irradiations, start=1):
        inner = _children(irradiation)
        kind, details = next(iter(_children(inner.get("Applikationsart")).items()), (None, None))
        parts = _children(details)
        region = next(iter(_children(parts.get("Zielgebiet")).items()), (None, None))
        yield (
            f"/Bestrahlung[{number}]",
            {
                **course,
                **_plain(inner, "Beginn", "Ende"),
                "Applikationsart": kind,
                "Zielgebiet": _text(region[1]),
                "Zielgebiet_CodeVersion": region[0].removeprefix("CodeVersion") if region[0] else None,
                **_plain(parts, "Seite_Zielgebiet", "Strahlenart", "Boost"),
                "Gesamtdosis": _text(_children(parts.get("Gesamtdosis")).get("Dosis")),
                "Einzeldosis": _text(_children(parts.get("Einzeldosis")).get("Dosis")),
            },
        )


def _systemic(module: Element) -> Rows:
    kids = _children(module)
    begin = kids.get("Beginn")
    substances: list[object] = []
    for substance in kids.get("Menge_Substanz", ()):
        inner = _children(substance)
        substances.append(_text(inner.get("Bezeichnung")) or _code(inner.get("ATC")))
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
    kids = _children(module)
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
    kids = _children(module)
    causes: list[object] = [_code(cause) for cause in kids.get("Menge_Todesursachen", ())]
    yield (
        "",
        {
            **_plain(kids, "Sterbedatum", "Tod_tumorbedingt"),
            "Menge_Todesursachen": _json([c for c in causes if c]),
        },
    )


def _tumour_board(module: Element) -> Rows:
    yield "", _plain(_children(module), "Datum", "Typ")


_MODULES: dict[str, tuple[type[r.ObdsMeldung], str, Callable[[Element], Rows]]] = {
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
