"""Random documents of an XML schema: every element with what it may hold, by the schema alone.

What a document shall say is given as a telling: path to a text, or to whether and how often an element comes.
Everything else is drawn. A path is a suffix of the element's path, its longest match counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeAlias

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
NS = "http://www.basisdatensatz.de/oBDS/XML"
SCHEMAS = tuple(sorted((Path(__file__).parents[1] / "real").glob("oBDS_v3*.xsd")))
NEWEST = SCHEMAS[-1]

Element: TypeAlias = Any
Told: TypeAlias = "Mapping[str, str | int | Callable[[random.Random], str | None] | None]"
"""Suffix of a path to its text; None leaves it out, a number says how often it comes, a function draws it."""

SAMPLES = {
    r"(10 20\d{2} ((GM)|(WHO))|Sonstige)": ("10 2015 GM", "10 2019 WHO", "Sonstige"),
    r"[CD]\d\d(\.\d(\d)?)?|M72.4": ("C49.2", "C61", "D05.1"),
    r"[A-Z]\d\d(\.\d(\d)?)?": ("C49.2", "I21.9"),
    r"[E|G|I|K|M|R|T]\d\d(\.\d(\d)?)?": ("T81.4",),
    r"\d{9}": ("260500000",),
    r"\d{5}": ("13353",),
    r"\d{8}": ("10012455",),
    r"10\d{7}": ("101234567",),
    r"[A-Z]\d{9}": ("A123456789",),
    r"16\d{7}|950\d{6}": ("168140346",),
    r"\d\d\d\d/\d": ("8802/3", "8890/3"),
    r"C\d\d\.\d(\d)?": ("C49.2", "C49.1"),
    r"[A-Z]{2}": ("DE",),
    r"\d(\d)?(\d)?|U": ("12", "U"),
    r"0|[1-9](\d)?|[DNU]": ("0", "12", "D"),
    r"(is.*)|([a01234X].*)": ("1", "2", "2a", "X"),
    r"[m](,is){0,1}|(is)|[2-9](,is){0,1}|[1-9][0-9]{1,2}(,is){0,1}": ("m", "2"),
    r"[0123X].*": ("0", "1", "X"),
    r"[01X].*": ("0", "1", "X"),
    r"[A-Z]\d\d[A-Z][A-Z]\d\d": ("L01DB01", "L01AA06"),
    r"200[4-9]|20[12]\d": ("2015", "2019"),
    r"[135689]-\d\d[0-9a-hj-km-z](\.([0-9a-hj-kmnp-z]){1,2}){0,1}([RLB]){0,1}": ("5-852.6", "5-784.xwL"),
}
"""Pattern of the schema to texts of this form; a pattern that is not here must be added by hand."""


@dataclass
class Schema:
    """Declarations of a schema."""

    path: Path
    types: dict[str, Element] = field(init=False)
    root: Element = field(init=False)

    def __post_init__(self) -> None:
        tree = etree.parse(str(self.path)).getroot()
        self.types = {str(e.get("name")): e for e in tree if e.tag in (f"{XS}complexType", f"{XS}simpleType")}
        self.root = next(e for e in tree if e.tag == f"{XS}element")

    def type_of(self, declared: Element) -> Element | None:
        """Type of an element or attribute; None for one of XML Schema's own."""
        for kind in ("complexType", "simpleType"):
            inner = declared.find(f"{XS}{kind}")
            if inner is not None:
                return inner
        return self.types.get((declared.get("type") or "").rpartition(":")[2])

    def facets(self, declared: Element) -> tuple[str, dict[str, list[str]]]:
        """Base type and facets of a text, all restrictions of its type gathered."""
        base, facets = declared.get("type") or "xs:string", {}
        kind = declared if declared.tag == f"{XS}simpleType" else self.type_of(declared)
        while kind is not None:
            part = kind.find(f"{XS}restriction")
            if part is None:
                part = kind.find(f"{XS}simpleContent/{XS}extension")
            if part is None:
                break
            base = part.get("base")
            for facet in part:
                name = facet.tag.removeprefix(XS)
                if "value" in facet.attrib and name not in facets:
                    facets[name] = [f.get("value") for f in part.findall(facet.tag)]
            kind = self.types.get(base)
        return base, facets

    def declared(self) -> tuple[tuple[str, Element], ...]:
        """Path and declaration of every element and attribute of a document."""
        return self._declared

    @cached_property
    def _declared(self) -> tuple[tuple[str, Element], ...]:
        return tuple(self._walk(self.root, "oBDS", ()))

    def _walk(
        self, declared: Element, path: str, above: tuple[Element, ...]
    ) -> Iterator[tuple[str, Element]]:
        yield path, declared
        kind = self.type_of(declared)
        if kind is None or any(one is kind for one in above):
            return
        kinds = [kind]
        if (extended := kind.find(f"{XS}complexContent/{XS}extension")) is not None:
            kinds.append(self.types[extended.get("base").rpartition(":")[2]])
        for child in (c for k in kinds for c in k.iter(f"{XS}element", f"{XS}attribute")):
            if not any(_holder(child) is one for one in kinds):
                continue
            if child.tag == f"{XS}attribute":
                yield f"{path}/@{child.get('name')}", child
            else:
                yield from self._walk(child, f"{path}/{child.get('name')}", (*above, kind))

    def validates(self, document: Element) -> None:
        """Raise if the document breaks the schema."""
        _validator(self.path).assertValid(document)


def _holder(element: Element) -> Element:
    """The type that an element or attribute belongs to."""
    above = element.getparent()
    while above.tag not in (f"{XS}complexType", f"{XS}simpleType", f"{XS}schema"):
        above = above.getparent()
    return above


@cache
def schema(path: Path = NEWEST) -> Schema:
    return Schema(path)


@cache
def _validator(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(path)))


@dataclass
class Grower:
    """Grows random elements.

    Attributes:
        draw: where chance comes from.
        fill: share of optional elements that come.
        schema: whose elements they are.
    """

    draw: random.Random
    fill: float = 0.3
    schema: Schema = field(default_factory=schema)

    def grow(self, declared: Element, told: Told, path: str = "") -> Element:
        """Grow one element with all that it must and some of what it may hold."""
        name = declared.get("name")
        path = f"{path}/{name}" if path else name
        grown = etree.Element(f"{{{NS}}}{name}")
        kind = self.schema.type_of(declared)
        if kind is None or kind.tag == f"{XS}simpleType":
            grown.text = self._text(declared, path, told)
            return grown
        if (simple := kind.find(f"{XS}simpleContent")) is not None:
            grown.text = self._text(declared, path, told)
            kind = simple.find(f"{XS}extension")
        parts = [kind]
        if (extended := kind.find(f"{XS}complexContent/{XS}extension")) is not None:
            parts = [self.schema.types[extended.get("base").rpartition(":")[2]], extended]
        for attribute in kind.findall(f"{XS}attribute"):
            own = f"{path}/@{attribute.get('name')}"
            asked = _told(own, told)
            if asked is None and not _is_told(own, told):
                comes = attribute.get("use") == "required" or self.draw.random() < self.fill
                asked = self._text(attribute, own, told) if comes else None
            elif callable(asked):
                asked = asked(self.draw)
            if asked is not None:
                grown.set(attribute.get("name"), str(asked))
        for part in (p for one in parts for p in one):
            if part.tag in (f"{XS}sequence", f"{XS}choice"):
                self._fill(grown, part, path, told)
        return grown

    def _fill(self, grown: Element, part: Element, path: str, told: Told) -> None:
        if part.tag == f"{XS}choice":
            options = [o for o in part if isinstance(o.tag, str) and o.tag != f"{XS}annotation"]
            asked = [o for o in options if _told(f"{path}/{o.get('name')}", told) is not None]
            refused = [o for o in options if _is_told(f"{path}/{o.get('name')}", told) and o not in asked]
            options = [asked[0] if asked else self.draw.choice([o for o in options if o not in refused])]
        else:
            options = list(part)
        for child in options:
            if child.tag in (f"{XS}sequence", f"{XS}choice"):
                for _ in range(self._times(child, path, told)):
                    self._fill(grown, child, path, told)
            elif child.tag == f"{XS}element":
                times = self._times(child, f"{path}/{child.get('name')}", told)
                for _ in range(times):
                    grown.append(self.grow(child, told, path))

    def _times(self, child: Element, path: str, told: Told) -> int:
        if child.tag == f"{XS}element" and _is_told(path, told):
            asked = _told(path, told)
            return 0 if asked is None else asked if isinstance(asked, int) else 1
        least, most = int(child.get("minOccurs", 1)), child.get("maxOccurs", "1")
        if not least and self.draw.random() >= self.fill:
            return 0
        highest = 2 if most == "unbounded" else min(int(most), 2)
        return self.draw.randint(max(least, 1), max(highest, 1))

    def _text(self, declared: Element, path: str, told: Told) -> str:
        asked = _told(path, told)
        if callable(asked):
            asked = asked(self.draw)
        if isinstance(asked, str):
            return asked
        base, facets = self.schema.facets(declared)
        if "enumeration" in facets:
            return self.draw.choice(facets["enumeration"])
        if "pattern" in facets and len(facets["pattern"][0]) < 200:
            return self.draw.choice(SAMPLES[facets["pattern"][0]])
        if base == "xs:date":
            return (
                f"{self.draw.randint(2012, 2019)}-{self.draw.randint(1, 12):02}-{self.draw.randint(1, 28):02}"
            )
        if base == "xs:gYear":
            return str(self.draw.randint(1990, 2012))
        if base.endswith(("nteger", "decimal", "int", "Integer")):
            return str(self.draw.randint(1, 20))
        return self.draw.choice(("Eintrag", "noch einer", "Text"))


def _is_told(path: str, told: Told) -> bool:
    return any(True for _ in _suffixes(path, told))


def _told(path: str, told: Told) -> Any:
    return next((told[suffix] for suffix in _suffixes(path, told)), None)


def _suffixes(path: str, told: Told) -> Iterator[str]:
    """The suffixes of a path that are told, the longest first."""
    while path:
        if path in told:
            yield path
        _, _, path = path.partition("/")
