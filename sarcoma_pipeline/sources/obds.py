"""Read oBDS 3 XML exports into received frames: streamed, all modules, without judging values.

Elements are matched by local name, so that an export without its namespace can be read too; the mark
``NO_NAMESPACE`` on ``Schema_Version`` reports this to curation. A truncated file gives all Meldungen that
were complete before the break, and one unread record for the rest.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from typing import BinaryIO

from lxml import etree

from sarcoma_pipeline.sources import obds_format
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.leaves import Element, Taken, Walk, as_json, local
from sarcoma_pipeline.sources.obds_modules import (
    MASTER_DATA,
    MELDUNG,
    MODULES,
    OUTCOMES,
    PATIENT,
    REPORTER,
    ROOT,
    SENDER,
    as_text,
    rows,
)  # fmt: skip
from sarcoma_pipeline.sources.received_record import Batch, Row, SourceFile, Stopped
from schemas import file_faults
from schemas import received as r
from schemas.configuration import DEFAULT_LIMITS, Limits, ObdsSource
from schemas.received import NO_NAMESPACE

_SNIFF = 65_536
_EXPORT_FACTS = frozenset(
    {
        "Meldedatum", "Schema_Version", "Absender_ID", "Software_ID", "Software_Version", "Installations_ID",
        "Melder_IKNR",
    }
)  # fmt: skip
"""Facts about the export, not the Meldung: without them, the same Meldung delivered again has the same
content."""

_TAGS = tuple(
    f"{{*}}{name}"
    for name in (
        "oBDS",
        "Absender",
        "Meldedatum",
        "Patient",
        "Patienten_Stammdaten",
        "Meldung",
        "Melder",
        obds_format.OF_REGISTRIES,
    )
)


def read(file: SourceFile, _: ObdsSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one export.

    Args:
        file: the file.
        _: its source; not used, all exports are read in the same way.
        refresh: id of the refresh.
        limits: limits for the file.

    Returns:
        Records of ``received.obds_*`` and, for parts that could not be read, of ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    metered = None
    with batch.guarded(), open_file(file.path) as stream:
        _sniff(stream)
        metered = _Metered(stream, limits.record_bytes)
        _parse(batch, metered)
    if metered is not None and metered.full:
        gc.collect()  # the parser and its tree reference each other: half a gigabyte until garbage collection
    return batch


class _Metered:
    """Pass the file to the parser, until one record is larger than a record may be."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self.stream = stream
        self.most = most
        self.held = 0

    def read(self, count: int) -> bytes:
        piece = self.stream.read(count)
        self.held += len(piece)
        # An exception raised here would keep the parser and its tree in memory; instead, the file appears to
        # end.
        return b"" if self.full else piece

    @property
    def full(self) -> bool:
        """Whether the parser would hold more than a record may have."""
        return self.held > self.most


def _parse(batch: Batch, stream: _Metered) -> None:
    export = _Export(batch, stream)
    try:
        context = etree.iterparse(
            stream,
            events=("start", "end"),
            tag=_TAGS,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            # A comment inside a value would cut it in two.
            remove_comments=True,
            remove_pis=True,
            remove_blank_text=True,
        )
        for event, element in context:
            export.take(event, element)
        export.close()
        if export.root is None:
            obds_format.check(context.root)
    except Stopped as stopped:
        export.name_reporters()
        if stopped.rule_id == file_faults.WRONG_SCHEMA.id:
            batch.discard()
        raise
    except etree.XMLSyntaxError as broken:
        if stream.full:
            raise Stopped("file", "file.too-large", f"no record ends within {stream.most:,} bytes") from None
        # Only the line: the parser's message may quote content.
        where = "" if export.seen else " before the first Meldung"
        export.name_reporters()
        rule_id, detail = _broken(broken)
        batch.unread(f"line {broken.lineno or 1}", rule_id, detail + where)


def _broken(broken: etree.XMLSyntaxError) -> tuple[str, str]:
    if getattr(broken, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        if "entity" in str(broken.msg):
            return "file.entity", "its entities grow without bound"
        if "depth" in str(broken.msg):
            return "file.too-deep", "elements are nested more than 256 deep"
        return "file.too-large", "a text or a name is longer than the parser takes"
    return "file.truncated", "the XML breaks off"


def _sniff(stream: BinaryIO) -> None:
    head = stream.read(_SNIFF)
    stream.seek(0)
    if not head.strip():
        raise Stopped("file", "file.empty", "no content")
    # UTF-16 has a zero byte next to every ASCII character; without the zero bytes, the ASCII markup remains.
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not plain.startswith(b"<"):
        raise Stopped("file", "file.wrong-format", "the content is not XML")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise Stopped("file", "file.entity", "declares a document type, which oBDS never does")


class _Export:
    """State of the parsing of one export."""

    def __init__(self, batch: Batch, stream: _Metered) -> None:
        self.batch = batch
        self.stream = stream
        self.walk = Walk(batch.account)
        batch.account.outcomes = OUTCOMES
        self.root: Element = None
        self.seen = False
        self.open = 0
        self.patient = 0
        self.meldung = 0
        self.facts: dict[str, str | None] = {"Meldedatum": None, "Schema_Version": None}
        self.master: Row = {}
        self.repeated: dict[str, list[str]] = {}
        self.reports: list[Row] = []
        self.reporters: dict[str, str] = {}

    def take(self, event: str, element: Element) -> None:
        name = local(element.tag)
        if event == "start":
            if not self.seen:
                self._first(element)
            self.seen |= name != "oBDS"
            if name == obds_format.OF_REGISTRIES:
                raise obds_format.of_registries()
            if name == "Patient":
                self.patient += 1
                self.meldung = 0
                self.master = {}
            elif name == "Meldung":
                self.open += 1
        elif name == "Meldung":
            self.open -= 1
            self.meldung += 1
            self._meldung(element)
            self._forget(element)
        elif name == "Patienten_Stammdaten":
            self._master_data(element)
            if not self.open:
                element.clear(keep_tail=True)
        elif self.open:
            return  # a Meldung that is still open includes this misplaced element
        elif name == "Absender":
            sender = self.walk.take(element, SENDER)
            if "Absender_ID" in self.facts:
                self._came_again("Absender", self.facts["Absender_ID"], sender.values.get("Absender_ID"))
            self.facts |= {"Absender_ID": None} | sender.values
            element.clear(keep_tail=True)
        elif name == "Melder":
            taken = self.walk.take(element, REPORTER)
            reporter = taken.values
            self.repeated |= taken.repeated
            if "ID" in reporter and "IKNR" in reporter:
                self.reporters[reporter["ID"]] = reporter["IKNR"]
            element.clear(keep_tail=True)
        elif name == "Meldedatum" and self.patient == 0:
            self.facts["Meldedatum"] = element.text
        elif name == "Patient":
            rest = self.walk.take(element, PATIENT)
            self.master |= as_text(rest.values)
            if rest.unknown and self.master:
                self.master["unknown_elements"] = as_json(rest.unknown)
            self._repeated(rest.repeated)
            self._forget(element)

    def close(self) -> None:
        """Take the content around the records of a file that was read to its end."""
        if self.root is not None:
            self._repeated(self.walk.rest(self.root, ROOT).repeated | self.repeated)
        self.name_reporters()

    def _came_again(self, path: str, *texts: str | None) -> None:
        """Note a repeated element that may come once per export, for the next record of master data."""
        self.repeated.setdefault(path, []).extend(text or "" for text in texts)

    def _repeated(self, around: dict[str, list[str]]) -> None:
        """Add repeated elements around the Meldungen to the last record of master data."""
        if around and self.master:
            known = json.loads(str(self.master.get("repeated_elements") or "{}"))
            self.master["repeated_elements"] = as_json(known | around)

    def name_reporters(self) -> None:
        """Add the number of the reporter to every Meldung; the list of Melder is at the end of the file."""
        for row in self.reports:
            row["Melder_IKNR"] = self.reporters.get(str(row.get("Melder_ID")))

    def _forget(self, element: Element) -> None:
        """Free the memory of what was read: the export of a state registry does not fit in memory."""
        if self.open:
            return  # a damaged file has this element inside a Meldung that is still being read
        self.stream.held = 0
        element.clear(keep_tail=True)
        parent = element.getparent()
        if parent is not None:
            where = _BETWEEN[local(element.tag)]
            while (before := element.getprevious()) is not None:
                self.walk.stray(before, where, inside=before.tag != element.tag)
                parent.remove(before)

    def _first(self, element: Element) -> None:
        # The sniff sees only the start of the file and plain encodings; the parser sees everything.
        if element.getroottree().docinfo.internalDTD is not None:
            raise Stopped("line 1", "file.entity", "declares a document type, which oBDS never does")
        self._root_facts(element)

    def _root_facts(self, element: Element) -> None:
        if self.root is None:
            root = element.getroottree().getroot()
            obds_format.check(root)
            self.root = root
            self.walk.root(self.root, ROOT)
        version = self.root.get("Schema_Version") or ""
        bare = not str(self.root.tag).startswith("{")
        self.facts["Schema_Version"] = version + NO_NAMESPACE if bare else version

    def _patient_element(self, element: Element) -> Element | None:
        parent = element.getparent()
        while parent is not None and local(parent.tag) != "Patient":
            parent = parent.getparent()
        return parent

    def _master_data(self, element: Element) -> None:
        patient = self._patient_element(element)
        number = None if patient is None else patient.get("Patient_ID")
        taken = self.walk.take(element, MASTER_DATA)
        if self.master:
            taken.repeated["Patient/Patienten_Stammdaten"] = [" ".join(map(str, taken.values.values()))]
        taken.repeated |= self.repeated
        self.repeated = {}
        self.master = self.batch.add(
            r.ObdsPatient,
            f"line {element.sourceline} /oBDS/Menge_Patient/Patient[{self.patient}]",
            ("Patient", number),
            {**self.facts, "Patient_ID": number, **as_text(taken.values), **_kept(taken)},
            _EXPORT_FACTS,
        )

    def _meldung(self, element: Element) -> None:
        patient = self._patient_element(element)
        number = None if patient is None else patient.get("Patient_ID")
        place = (
            f"line {element.sourceline} /oBDS/Menge_Patient/Patient[{self.patient}]"
            f"/Menge_Meldung/Meldung[{self.meldung}]"
        )
        modules = [module for module in element if local(module.tag) in MODULES]
        around = self.walk.take(element, MELDUNG)
        meldung_id = around.values.get("Meldung_ID")
        base = {
            **{name: self.facts.get(name) for name in _OF_EVERY_MELDUNG},
            "Patient_ID": number,
            **as_text(around.values),
        }
        times: Counter[str] = Counter()
        for module in modules:
            name = local(module.tag)
            times[name] += 1
            again = f"/{name}[{times[name]}]" if times[name] > 1 else ""
            contract, node = MODULES[name]
            taken = self.walk.inner(module, node)
            if module is not modules[0]:
                # The schema allows one module per Meldung.
                taken.repeated[f"Meldung/{name}"] = [local(one.tag) for one in modules]
            kept = _kept(around, taken)
            for within, values in rows(name, taken.values):
                inner = again + within
                row = self.batch.add(
                    contract,
                    place + inner,
                    (number, name, meldung_id, inner) if number or meldung_id else (),
                    {**base, **values, **kept},
                    _EXPORT_FACTS,
                )
                self.reports.append(row)
        if not times:
            self.batch.unread(place, "file.unexpected", "a Meldung without a module that is known")


_BETWEEN = {"Meldung": "Patient/Menge_Meldung", "Patient": "oBDS/Menge_Patient"}
_OF_EVERY_MELDUNG = ("Meldedatum", "Schema_Version", "Absender_ID")


def _kept(*parts: Taken) -> dict[str, str | None]:
    """Return repeated elements and unknown elements of a record as delivered."""
    if not any(part.repeated or part.unknown for part in parts):
        return {}
    repeated = {path: texts for part in parts for path, texts in part.repeated.items()}
    unknown = {path: texts for part in parts for path, texts in part.unknown.items()}
    return {"repeated_elements": as_json(repeated), "unknown_elements": as_json(unknown)}
