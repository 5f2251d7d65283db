"""Patients of whom one delivered value, or one whole record, is missing; many in one delivery.

Each mutant is a copy of a patient under another number and name, with one thing taken away. All copies are
read, curated and derived at once, so that hundreds of them cost seconds. Copy 0 lacks nothing. A change of
what is said of a copy, without a finding that copy 0 does not have, is silent.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from lxml import etree

from sarcoma_pipeline.sources.obds_modules import MODULES
from tests.oracle.grammar import NS, Element

PLACE = frozenset(
    {"record_id", "file_id", "position", "ordinal", "record_key", "content_hash", "first_refresh",
     "last_refresh", "table_name", "file_meta", "repeated_elements", "unknown_elements"}
)  # fmt: skip
"""Columns of a received record that no sender delivers."""

_UID = re.compile(r"\b1\.2\.826(\.\d+)+")
_REPORT = re.compile(r'(?<=Meldung_ID=")[^"]*(?=")')
_PATIENT = re.compile(r"/Patient(?:\[(\d+)\])?/?")
_WHOLE = ("Patienten_Stammdaten", "Menge_Meldung", "Meldung")
"""Elements that are taken away as records, or that make the patient one."""
_LETTERS = "bdfgklmnprst"


@dataclass(frozen=True)
class Delivered:
    """What all sources deliver of one patient.

    Attributes:
        number: the patient number.
        family_name: as it is written in all sources.
        reports: name of an oBDS file to its ``Patient`` elements.
        rows: received table to the records of other sources.
    """

    number: str
    family_name: str
    reports: Mapping[str, Sequence[Element]]
    rows: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Mutant:
    """One thing taken away.

    Attributes:
        what: kind of what is missing, without positions: ``OP/Datum``, ``received.dicom_plan RTPlanDate``.
        where: exactly which one.
        without: what is left.
    """

    what: str
    where: str
    without: Delivered


def mutants(patient: Delivered) -> Iterator[Mutant]:
    """Yield the patient as they are, then without each value, each record and each kind of record."""
    yield Mutant("", "", patient)
    for name, elements in patient.reports.items():
        for place, element in enumerate(elements):
            for what, where, changed in _of_element(element):
                kept = [*elements[:place], changed, *elements[place + 1 :]]
                yield Mutant(what, f"{name} {where}", _with(patient, reports={name: kept}))
    for table, frame in patient.rows.items():
        for what, where, changed in _of_rows(frame):
            yield Mutant(f"{table} {what}", f"{table} {where}", _with(patient, rows={table: changed}))


def _with(patient: Delivered, reports: Any = None, rows: Any = None) -> Delivered:
    return Delivered(
        patient.number,
        patient.family_name,
        {**patient.reports, **(reports or {})},
        {**patient.rows, **(rows or {})},
    )


# --- oBDS ---------------------------------------------------------------------------------------------


def _local(element: Element) -> str:
    return etree.QName(element).localname


def _of_element(patient: Element) -> Iterator[tuple[str, str, Element]]:
    tree = patient.getroottree()
    for element in patient.iter(etree.Element):
        path = tree.getelementpath(element).replace(f"{{{NS}}}", "")
        kind = re.sub(r"\[\d+\]", "", path).replace("Menge_Meldung/Meldung/", "")
        if element is not patient and _local(element) not in _WHOLE:
            yield kind, path, _removed(patient, element)
        for name in element.attrib:
            yield f"{kind}/@{name}", f"{path}/@{name}", _removed(patient, element, name)
    reports = list(patient.iter(f"{{{NS}}}Meldung"))
    for report in reports:
        module = _module(report)
        yield f"report {module}", f"report {report.get('Meldung_ID')}", _removed(patient, report)
    for name, of in (("module", _module), ("reporter", lambda r: r.get("Melder_ID"))):
        for value in dict.fromkeys(map(of, reports)):
            same = [r for r in reports if of(r) == value]
            if len(same) > 1:
                yield f"every {name} {value}", f"every {name} {value}", _removed(patient, *same)


def _module(report: Element) -> str:
    return next((_local(e) for e in report if _local(e) in MODULES), "")


def _removed(patient: Element, *elements: Element | str) -> Element:
    """Return a copy without the elements; with a name behind one element, without this attribute of it."""
    tree = patient.getroottree()
    changed = copy.deepcopy(patient)
    name = next((e for e in elements if isinstance(e, str)), None)
    found = [
        changed if e is patient else changed.find(tree.getelementpath(e))
        for e in elements
        if not isinstance(e, str)
    ]
    for element in found:
        if name is not None:
            del element.attrib[name]
        else:
            element.getparent().remove(element)
    return changed


# --- other sources ------------------------------------------------------------------------------------


def _of_rows(frame: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    rows = frame.rows(named=True)

    def of(changed: list[dict[str, Any]]) -> pl.DataFrame:
        return pl.DataFrame(changed, schema=frame.schema)

    for column in frame.columns:
        if column in PLACE or frame[column].null_count() == frame.height:
            continue
        for place, row in enumerate(rows):
            for what, value in _without_parts(row[column], as_table=column == "values"):
                changed = [*rows[:place], {**row, column: value}, *rows[place + 1 :]]
                yield f"{column}{what}", f"{column}{what} of {place}", of(changed)
        if frame.height > 1:
            yield column, f"{column} of all", frame.with_columns(pl.lit(None, pl.String).alias(column))
    for place in range(len(rows)):
        yield "record", f"record {place}", of([*rows[:place], *rows[place + 1 :]])
    if len(rows) > 1:
        yield "every record", "every record", frame.clear()


def _without_parts(value: str | None, *, as_table: bool) -> Iterator[tuple[str, str | None]]:
    """Yield a value without itself, and a nested one without each of its parts."""
    if value is None:
        return
    if as_table:
        cells = json.loads(value)
        for name, cell in cells.items():
            if cell:
                yield f".{name}", json.dumps({**cells, name: ""}, ensure_ascii=False)
        return
    yield "", None
    if value[:1] in ("[", "{"):
        for path, left in _leaves(json.loads(value)):
            yield path, json.dumps(left, ensure_ascii=False)


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, str):
                yield f".{name}", {**value, name: None}
            for path, left in _leaves(part):
                yield f".{name}{path}", {**value, name: left}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield "[]", [*value[:place], *value[place + 1 :]]
            for path, left in _leaves(part):
                yield f"[]{path}", [*value[:place], left, *value[place + 1 :]]


# --- one delivery of all copies -----------------------------------------------------------------------


@dataclass(frozen=True)
class Copies:
    """One delivery of all copies.

    Attributes:
        reports: name of an oBDS file to its bytes.
        whose: name of an oBDS file to the copy that each of its ``Patient`` elements belongs to.
        rows: received table to the records of other sources; their ids begin with the number of the copy.
        numbers: patient number of each copy.
    """

    reports: dict[str, bytes]
    whose: dict[str, list[int]]
    rows: dict[str, pl.DataFrame]
    numbers: list[str]


def copies(originals: Sequence[Delivered], heads: Mapping[str, Element], first: int = 50000000) -> Copies:
    """Write every copy under a number and a name of its own into one delivery.

    Args:
        originals: what is left of each copy.
        heads: name of an oBDS file to its root, of which everything but the patients is taken.
        first: number before the first copy's.
    """
    # Numbers far apart: none is a mistyped other one.
    numbers = [str(first + 1013 * (place + 1)) for place in range(len(originals))]
    texts = [
        lambda text, one=one, number=number, place=place: _renamed(text, one, number, place)
        for place, (one, number) in enumerate(zip(originals, numbers, strict=True))
    ]
    reports, whose = {}, {}
    for name, head in heads.items():
        root = copy.deepcopy(head)
        where = root.find(f"{{{NS}}}Menge_Patient")
        for element in list(where):
            where.remove(element)
        whose[name] = []
        for place, (one, renamed) in enumerate(zip(originals, texts, strict=True)):
            for element in one.reports.get(name, ()):
                whose[name].append(place)
                where.append(etree.fromstring(renamed(etree.tostring(element, encoding="unicode"))))
        reports[name] = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    parts: dict[str, list[pl.DataFrame]] = {}
    for place, (one, renamed) in enumerate(zip(originals, texts, strict=True)):
        for table, frame in one.rows.items():
            if frame.height:
                rows = [
                    {c: renamed(v) if isinstance(v, str) else v for c, v in row.items()}
                    | {c: f"{place}:{row[c]}" for c in ("record_id", "record_key", "content_hash", "file_id")}
                    for row in frame.iter_rows(named=True)
                ]
                parts.setdefault(table, []).append(pl.DataFrame(rows, schema=frame.schema))
    return Copies(reports, whose, {table: pl.concat(frames) for table, frames in parts.items()}, numbers)


def name_of(place: int) -> str:
    """Return a family name that resembles no other copy's."""
    drawn = (place + 1) * 2654435761 % 2**32
    return "Q" + "".join("aeiou"[(drawn >> 3 * i) % 5] + _LETTERS[(drawn >> 4 * i) % 12] for i in range(6))


def _renamed(text: str, one: Delivered, number: str, place: int) -> str:
    text = text.replace(one.number, number).replace(one.family_name, name_of(place))
    text = _REPORT.sub(lambda m: f"{m[0]}-{place}", text)
    return _UID.sub(lambda m: f"{m[0]}.{place + 1}", text)


def copy_of(record_id: str, position: str | None, patients: Sequence[int]) -> int | None:
    """Return to which copy a record belongs.

    Args:
        record_id: of the record.
        position: in its file.
        patients: ``whose`` of its file, if it is an oBDS file.
    """
    head, _, rest = record_id.partition(":")
    if rest and head.isdigit():
        return int(head)
    found = _PATIENT.search(position or "")
    return patients[int(found[1] or 1) - 1] if found and patients else None
