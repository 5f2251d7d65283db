"""Plants words wherever a sender of data can write text, so that a test can search for them afterwards.

A *marker* is a word that exists nowhere else. A *spelling* is a name, birth date or number of a patient of
the demo, written in one of the ways that people and systems write it.
"""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pydicom
import pydicom.config
from lxml import etree

_TEXT = ("LO", "SH", "PN", "ST", "LT", "UT", "AE", "CS")
"""Value representations of DICOM that hold words."""
_KEPT = ("SpecificCharacterSet", "Modality", "PatientID")
"""Without these, a file is not read as what it is, and its other words are not tried."""


@dataclass
class Planted:
    """The words that were planted, each with its place."""

    words: dict[str, str] = field(default_factory=dict)

    def marker(self, place: str) -> str:
        """Return a new marker for a place."""
        word = f"zqm{len(self.words):04}xk"
        self.words[word] = place
        return word

    def spelling(self, text: str, place: str) -> str:
        """Note a spelling and its place."""
        self.words[text.lower()] = place
        return text


def in_obds(file: Path, planted: Planted, draw: random.Random) -> None:
    """Plant a marker in one text of every kind of element and attribute, and in names of elements."""
    tree = etree.parse(str(file))
    places: dict[str, list[tuple[etree._Element, str]]] = {}
    for element in tree.getroot().iter(etree.Element):
        path = "/".join(etree.QName(e).localname for e in (*reversed(list(element.iterancestors())), element))
        if not len(element):
            places.setdefault(path, []).append((element, ""))
        for name in element.attrib:
            places.setdefault(f"{path}/@{name}", []).append((element, str(name)))
    for path, found in sorted(places.items()):
        if path.endswith(("Schema_Version", "oBDS/Meldedatum")):
            continue
        element, attribute = draw.choice(found)
        word = planted.marker(f"{file.name} {path}")
        if attribute:
            element.set(attribute, word)
        else:
            element.text = word
    namespace = etree.QName(tree.getroot()).namespace
    for parent in draw.sample(sorted(tree.getroot().iter(f"{{{namespace}}}Meldung"), key=_line), 5):
        added = etree.SubElement(parent, f"{{{namespace}}}{planted.marker('name of an element')}")
        added.text = planted.marker("text of an unknown element")
        added.set(planted.marker("name of an attribute"), "1")
    tree.write(str(file), xml_declaration=True, encoding="UTF-8")


def _line(element: etree._Element) -> int:
    return element.sourceline or 0


def in_dicom(file: Path, planted: Planted) -> None:
    """Plant a marker in every text of a DICOM file, whatever it holds; codes become nonsense too."""
    dataset = pydicom.dcmread(file)
    with pydicom.config.disable_value_validation():
        for element in dataset.iterall():
            if element.VR in _TEXT and element.keyword not in _KEPT:
                word = planted.marker(f"{file.name[:2]} {element.keyword}")
                element.value = word.upper() if element.VR == "CS" else word
        dataset.save_as(file)


def in_table(file: Path, planted: Planted, encoding: str, delimiter: str = ";") -> None:
    """Plant a marker in a row of its own for every column, and a further column with a marker as header."""
    lines = file.read_text(encoding).splitlines()
    names = lines[0].split(delimiter)
    rows = [line.split(delimiter) for line in lines[1:]]
    for column, row in zip(range(len(names)), rows[3:], strict=False):
        row[column] = planted.marker(f"{file.name} {names[column]}")
    rows = [[*row, ""] for row in rows]
    rows[1][-1] = planted.marker(f"{file.name}, a cell of an unknown column")
    names.append(planted.marker(f"{file.name}, a header"))
    file.write_text("\n".join(delimiter.join(r) for r in (names, *rows)) + "\n", encoding)


def in_names(drop: Path, planted: Planted) -> None:
    """Rename folders and files, and add files that no source claims."""
    folders = sorted(p for p in (drop / "dicom").iterdir() if p.is_dir())
    for folder in folders[10:13]:
        folder.rename(folder.with_name(planted.marker("name of a folder")))
    for file in sorted((drop / "dicom").glob("*/RP*"))[20:23]:
        file.rename(file.with_name(planted.marker("name of a DICOM file") + ".dcm"))
    office = drop / "registry" / f"{planted.marker('name of a reply')}.csv"
    (drop / "registry/meldeamt_sued.csv").rename(office)
    (drop / f"{planted.marker('a file that no source claims')}.xlsx").write_bytes(b"PK\x03\x04 nothing")
    (drop / "obds" / f"{planted.marker('a broken file')}.xml").write_text("<oBDS><broken")


def spellings(family: str, given: str, born: dt.date, number: str) -> Iterator[str]:
    """Return a person's name, birth date and number as people and systems write them."""
    folded = family.lower()
    for letter, replaced in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.items():
        folded = folded.replace(letter, replaced)
    bare = "".join(c for c in unicodedata.normalize("NFKD", family) if not unicodedata.combining(c))
    yield from (family, family.upper(), family.lower(), folded, folded.title(), bare, bare.upper())
    yield unicodedata.normalize("NFD", family)
    yield f"{family}, {given}"
    yield f"{given} {family}"
    yield f"{family}^{given}"
    yield f"{given[0]}. {family}"
    yield f"{family}{given}"
    yield f"{family}_{given}".lower()
    yield family.partition("-")[0]
    yield family.rpartition("-")[2]
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d%m%Y", "%d/%m/%Y", "%d-%m-%y", "%d.%m.%y", "%Y/%m/%d"):
        yield born.strftime(form)
    yield f"{born.day}.{born.month}.{born.year}"
    yield " ".join(number)
    yield "-".join((number[:3], number[3:6], number[6:]))
    yield f"{number[:2]} {number[2:5]} {number[5:]}"
    yield f"00{number}"
    yield number


def spelt(drop: Path, planted: Planted, people: pl.DataFrame) -> None:
    """Write every spelling of a person into answers, cells, texts, labels and names of files.

    Args:
        drop: the drop folder.
        planted: notes the spellings.
        people: family_name, given_names, birth_date and hospital_number of the persons.
    """
    written = [
        planted.spelling(text, "a spelling")
        for family, given, born, number in people.iter_rows()
        for text in dict.fromkeys(spellings(family, given, born, number))
    ]
    office = drop / "registry/meldeamt_west.csv"
    lines = office.read_text("latin-1").splitlines()
    for i, text in enumerate(written):
        # NFD is not Latin-1; it stands in the XML file.
        text = text.encode("latin-1", "ignore").decode("latin-1")
        cells = lines[1 + i % (len(lines) - 1)].split(";")
        cells[6 if i % 2 else 8] = text
        lines.append(";".join(cells))
    office.write_text("\n".join(lines) + "\n", "latin-1")
    tree = etree.parse(str(drop / "obds/tudok_2013-2015.xml"))
    namespace = etree.QName(tree.getroot()).namespace
    texts = [
        e
        for e in tree.getroot().iter(
            *(f"{{{namespace}}}{n}" for n in ("Version", "Grading", "T", "Name", "Code"))
        )
        if e.text
    ]
    for text, element in zip(written, texts[::7], strict=False):
        element.text = text
    tree.write(str(drop / "obds/tudok_2013-2015.xml"), xml_declaration=True, encoding="UTF-8")
    files = sorted((drop / "dicom").glob("*/R[PS]*"))[40:]
    for text, file in zip(written, files, strict=False):
        dataset = pydicom.dcmread(file)
        with pydicom.config.disable_value_validation():
            if "RTPlanLabel" in dataset:
                dataset.RTPlanLabel = text[:64]
                if text.isascii():
                    dataset.RTPlanDate = text[:10]
            else:
                dataset.StructureSetROISequence[0].ROIName = text[:64]
            dataset.SpecificCharacterSet = "ISO_IR 192"
            dataset.save_as(file)
        file.rename(file.with_name(text.replace("/", "_") + file.name[:2] + ".dcm"))
        planted.words.setdefault(text.replace("/", "_").lower(), "a spelling in a file name")
