"""Read texts, dates and the reports in force from oBDS exports, without the program."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lxml import etree

Element: TypeAlias = Any
Row: TypeAlias = "tuple[Any, ...]"

MODULES = ("Diagnose", "Pathologie", "OP", "ST", "SYST", "Verlauf", "Tod")
OBDS = "{http://www.basisdatensatz.de/oBDS/XML}"


PRECISION = {"E": "day", "T": "month", "M": "year"}


def text(element: Element | None, path: str = ".") -> str | None:
    """Text at a path, None where there is none."""
    if element is None:
        return None
    found = element if path == "." else element.find("/".join(OBDS + step for step in path.split("/")))
    return None if found is None or not (found.text or "").strip() else found.text.strip()


def at(element: Element, path: str) -> Any:
    return element.find("/".join(OBDS + step for step in path.split("/")))


def every(element: Element, path: str) -> list[Element]:
    return element.findall("/".join(OBDS + step for step in path.split("/")))


@dataclass(frozen=True)
class Date:
    """A date with its precision: E, T (the day is estimated), M (the month is estimated)."""

    day: dt.date
    precision: str

    @property
    def first(self) -> dt.date:
        return {
            "E": self.day, "T": self.day.replace(day=1), "M": dt.date(self.day.year, 1, 1),
        }[self.precision]  # fmt: skip

    @property
    def last(self) -> dt.date:
        month_end = calendar.monthrange(self.day.year, self.day.month)[1]
        return {
            "E": self.day, "T": self.day.replace(day=month_end), "M": dt.date(self.day.year, 12, 31),
        }[self.precision]  # fmt: skip

    def untouched(self) -> dt.date:
        """A month stands on its 15th, a year on its 1 July."""
        return {
            "E": self.day, "T": self.day.replace(day=15), "M": dt.date(self.day.year, 7, 1),
        }[self.precision]  # fmt: skip

    def cut(self, not_before: dt.date | None, not_after: dt.date | None) -> dt.date:
        """The middle of what order allows, rounded down."""
        low = max(self.first, not_before or self.first)
        high = min(self.last, not_after or self.last)
        if self.precision == "E" or low > high or (low, high) == (self.first, self.last):
            return self.untouched()
        return low + dt.timedelta(days=(high - low).days // 2)


def date(element: Element | None) -> Date | None:
    """Date of an element; a fully estimated one is none."""
    if element is None:
        return None
    precision = element.get("Datumsgenauigkeit", "E")
    return None if precision == "V" else Date(dt.date.fromisoformat(element.text), precision)


def plain(element: Element, path: str) -> dt.date | None:
    said = text(element, path)
    return dt.date.fromisoformat(said) if said else None


@dataclass(frozen=True)
class Report:
    """One Meldung that is in force."""

    element: Element
    module: Element
    tumour: str

    @property
    def kind(self) -> str:
        return self.module.tag.removeprefix(OBDS)


def in_force(exports: Mapping[str, Element]) -> dict[str, list[Report]]:
    """Patient to the newest version of each of their reports.

    Newer is the later Meldedatum, then the later file name, then the later position. What is repeated to the
    letter is not newer than it was when it first came.
    """
    versions: dict[Row, dict[bytes, Row]] = {}
    found: dict[Row, Element] = {}
    for name, root in exports.items():
        sender, day = at(root, "Absender").get("Absender_ID"), text(root, "Meldedatum")
        for number, patient in enumerate(every(root, "Menge_Patient/Patient")):
            for place, meldung in enumerate(every(patient, "Menge_Meldung/Meldung")):
                key = (sender, meldung.get("Melder_ID"), patient.get("Patient_ID"), meldung.get("Meldung_ID"))
                content = _content(meldung)
                order = (day, name, number, place)
                older = versions.setdefault(key, {})
                older[content] = min(older.get(content, order), order)
                found[*key, content] = meldung
    reports: dict[str, list[Report]] = {}
    for key, contents in versions.items():
        newest = max(contents, key=lambda content: contents[content])
        meldung = found[*key, newest]
        module = next((m for name in MODULES if (m := at(meldung, name)) is not None), None)
        if module is not None:
            tumour = at(meldung, "Tumorzuordnung").get("Tumor_ID")
            reports.setdefault(key[2], []).append(Report(meldung, module, tumour))
    return reports


def _content(meldung: Element) -> bytes:
    copy = etree.fromstring(etree.tostring(meldung, with_tail=False))
    for element in copy.iter():
        if not (element.text or "").strip():
            element.text = None
        element.tail = None
    return etree.tostring(copy, method="c14n")
