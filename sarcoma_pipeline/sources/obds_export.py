"""Makes the records of one oBDS export while its elements are parsed; it knows nothing of files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from lxml import etree

from sarcoma_pipeline.sources import obds_format
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
from sarcoma_pipeline.sources.received_record import Batch, Row, Stopped
from schemas import file_faults
from schemas import received as r
from schemas.received import NO_NAMESPACE

EXPORT_FACTS = frozenset(
    {
        "Meldedatum", "Schema_Version", "Absender_ID", "Software_ID", "Software_Version", "Installations_ID",
        "Melder_IKNR",
    }
)  # fmt: skip
"""Facts about the export, not the Meldung: without them, the same Meldung delivered again has the same
content."""

OF_EVERY_MELDUNG = ("Meldedatum", "Schema_Version", "Absender_ID")
"""Facts about the export that are columns of every Meldung."""

PLACED = ("Meldung", "Patienten_Stammdaten")
"""Elements whose line is a part of the position of a record."""

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


def events(stream: Any) -> Any:
    """Parse XML and yield the start and end of the elements that :meth:`Export.take` takes.

    Args:
        stream: an object with ``read``.

    Raises:
        etree.XMLSyntaxError: while it is iterated, if the XML is broken.
    """
    return etree.iterparse(
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


class Export:
    """State of the parsing of one export.

    Attributes:
        repeated: elements around the patients that came more often than they may.
        reporters: ``ID`` of a Melder to its number.
        facts: column to text of what holds for the whole export.
    """

    def __init__(
        self, batch: Batch, freed: Callable[[], None] | None = None, at: Callable[[], int] = lambda: 0
    ) -> None:
        """Start.

        Args:
            batch: takes the records.
            freed: called when the parser has given back the memory of a record.
            at: returns the line that the parser is in; 0 if the parser itself must be asked.
        """
        self.batch = batch
        self._freed = freed
        self._at = at
        self._lines: list[int] = []
        self._line = 0
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
        """Take one event of :func:`events`."""
        name = local(element.tag)
        if name in PLACED:
            if event == "start":
                self._lines.append(self._at())
            else:
                self._line = self._lines.pop()
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

    def line(self, element: Element) -> int:
        """Return the line of the start tag of an element of :data:`PLACED` that has just ended."""
        return self._line or element.sourceline

    def _forget(self, element: Element) -> None:
        """Free the memory of what was read: the export of a state registry does not fit in memory."""
        if self.open:
            return  # a damaged file has this element inside a Meldung that is still being read
        if self._freed is not None:
            self._freed()
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
            f"line {self.line(element)} /oBDS/Menge_Patient/Patient[{self.patient}]",
            ("Patient", number),
            {**self.facts, "Patient_ID": number, **as_text(taken.values), **_kept(taken)},
            EXPORT_FACTS,
        )

    def _meldung(self, element: Element) -> None:
        patient = self._patient_element(element)
        number = None if patient is None else patient.get("Patient_ID")
        place = (
            f"line {self.line(element)} /oBDS/Menge_Patient/Patient[{self.patient}]"
            f"/Menge_Meldung/Meldung[{self.meldung}]"
        )
        modules = [module for module in element if local(module.tag) in MODULES]
        around = self.walk.take(element, MELDUNG)
        meldung_id = around.values.get("Meldung_ID")
        base = {
            **{name: self.facts.get(name) for name in OF_EVERY_MELDUNG},
            "Patient_ID": number,
            **as_text(around.values),
        }
        if not modules:
            rule = file_faults.MODULE_MISSING.id
            self.batch.unread(place, rule, "a Meldung without a module that is known")
            # It may be an objection, or the version of a report that withdraws all of its content.
            bare, key = r.ObdsTumourBoard, (number, "", meldung_id, "") if number and meldung_id else ()
            self.reports.append(self.batch.add(bare, place, key, {**base, **_kept(around)}, EXPORT_FACTS))
            return
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
                    EXPORT_FACTS,
                )
                self.reports.append(row)


_BETWEEN = {"Meldung": "Patient/Menge_Meldung", "Patient": "oBDS/Menge_Patient"}


def _kept(*parts: Taken) -> dict[str, str | None]:
    """Return repeated elements and unknown elements of a record as delivered."""
    if not any(part.repeated or part.unknown for part in parts):
        return {}
    repeated = {path: texts for part in parts for path, texts in part.repeated.items()}
    unknown = {path: texts for part in parts for path, texts in part.unknown.items()}
    return {"repeated_elements": as_json(repeated), "unknown_elements": as_json(unknown)}
