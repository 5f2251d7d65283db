"""Cases of the rules on whole files: each is a file in a drop folder, read by the reader of its source."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from schemas.configuration import Sources
from schemas.sources_toml import Limits
from tests.curation import rt_files
from tests.quality.rule_cases.four import NO_VALUE, Four

_MAPPED = {"hospital_number": "Pat", "diagnosis_date": "Datum", "tumour_size_cm": "Größe"}
_TABLE = {
    "kind": "table", "format": "csv", "delimiter": ";", "key": ["Pat"], "decimal": ",",
    "date_format": "%d.%m.%Y", "entities": [{"entity": "diagnosis", "columns": _MAPPED}],
}  # fmt: skip

SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "obds", "kind": "obds", "files": ["obds/*"]},
            _TABLE | {"name": "table", "files": ["table/*"]},
            _TABLE | {"name": "units", "files": ["units/*"], "units_row": True},
            _TABLE | {"name": "sheet", "files": ["sheet/*"], "format": "xlsx", "sheet": "Daten",
                      "delimiter": None},
            _TABLE | {"name": "sheets", "files": ["sheets/*"], "format": "xlsx", "delimiter": None},
            {"name": "rt", "kind": "dicom", "files": ["rt/*"]},
        ]
    }
)  # fmt: skip

SMALL = Limits(line_chars=200, columns=20, record_bytes=4000)


@dataclass(frozen=True)
class File:
    """A file.

    Attributes:
        path: where it lies, below the folder of its source.
        content: what it contains, or what makes it at a path.
        listed: what happens to it after the folder was listed, before it is read.
        later: what happens to it after it was read, before the contents of all files are compared.
    """

    path: str
    content: bytes | str | Callable[[Path], object]
    listed: Callable[[Path], object] | None = None
    later: Callable[[Path], object] | None = None

    def write(self, folder: Path) -> Path:
        """Write the file below a folder of its own; returns its path."""
        source, _, name = self.path.partition("/")
        path = folder / source / name if name else folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(self.content):
            self.content(path)
        else:
            path.write_bytes(self.content.encode() if isinstance(self.content, str) else self.content)
        return path


_HEAD = "Pat;Datum;Größe\n"


def table(rows: str, head: str = _HEAD, name: str = "table/a.csv") -> File:
    """Return a table of these lines."""
    return File(name, head + rows)


_TUMOUR = (
    '<Tumorzuordnung Tumor_ID="T1"><Primaertumor_ICD><Code>C49.2</Code></Primaertumor_ICD>'
    '<Diagnosedatum Datumsgenauigkeit="E">2012-01-01</Diagnosedatum></Tumorzuordnung>'
)
_DIAGNOSIS = "<Diagnose><Diagnosesicherung>7</Diagnosesicherung></Diagnose>"


def obds(module: str = _DIAGNOSIS, before: str = "", root: str = "", name: str = "obds/a.xml") -> File:
    """Return an export of one patient with one Meldung."""
    root = root or 'oBDS xmlns="http://www.basisdatensatz.de/oBDS/XML" Schema_Version="3.0.4"'
    return File(name, f"""<?xml version="1.0" encoding="UTF-8"?>
{before}<{root}><Meldedatum>2020-01-01</Meldedatum>
<Menge_Patient><Patient Patient_ID="17"><Patienten_Stammdaten>
<Nachname>Beispiel</Nachname><Vornamen>Eva</Vornamen><Geschlecht>W</Geschlecht>
<Geburtsdatum Datumsgenauigkeit="E">1950-03-04</Geburtsdatum></Patienten_Stammdaten>
<Menge_Meldung><Meldung Meldung_ID="M1">{_TUMOUR}{module}</Meldung></Menge_Meldung></Patient></Menge_Patient>
</{root.split()[0]}>""")  # fmt: skip


def _cut(file: File, end: str) -> File:
    content = file.content
    assert isinstance(content, str)
    return File(file.path, content[: content.index(end)])


def _nested(depth: int, name: str) -> str:
    return f"<{name}>" * depth + f"</{name}>" * depth


def _workbook(path: Path, *sheets: tuple[str, tuple[str, ...]]) -> None:
    with xlsxwriter.Workbook(path) as book:
        for name, head in sheets:
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, head)
            sheet.write_row(1, 0, ("1", "01.02.2015", "5"))


def workbook(source: str, *sheets: str, other: tuple[str, ...] = ()) -> File:
    """Return a workbook whose sheets have the header of the mapping, and others with another header."""
    head = ("Pat", "Datum", "Größe")
    made = [(name, head) for name in sheets] + [(name, ("Code", "Bedeutung", "Seit")) for name in other]
    return File(f"{source}/a.xlsx", lambda path: _workbook(path, *made))


def _replaced(text: str, hours: int = 0) -> Callable[[Path], object]:
    """Return what replaces a file by one of the same size, modified so many hours later."""

    def replace(path: Path) -> None:
        before = path.stat()
        assert len(text.encode()) == before.st_size
        path.write_text(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + hours * 3_600_000_000_000))

    return replace


def _with_sets(*uids: str) -> Dataset:
    """Return a plan that refers to structure sets; it should be one at most (PS3.3, C.8.8.9)."""
    made = rt_files.plan("1.1")
    made.ReferencedStructureSetSequence = Items([rt_files.item(ReferencedSOPInstanceUID=u) for u in uids])
    return made


def dicom(made: Dataset, label: bytes = b"") -> File:
    """Return a DICOM file; ``label`` is the value of a second RTPlanLabel (300A,0002)."""
    content, tag = rt_files.content(made), b"\x0a\x30\x02\x00SH"
    more = tag + struct.pack("<H", len(label)) + label if label else b""
    return File("rt/a.dcm", content.replace(tag, more + tag))


def _socket(path: Path) -> None:
    # The name of a socket is short: it is made in its own folder.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def of(
    fires: File, silent: File, sibling: File, null: File | str = NO_VALUE, *, fires_on_null: bool = False
) -> Four[File]:
    """Return the cases of a rule on files."""
    return Four(fires, silent, null, sibling, fires_on_null)


_ROW = "1;01.02.2015;5,0\n"

FILES: dict[str, Four[File]] = {
    "file.attribute-repeated": of(
        dicom(_with_sets("1.2", "1.3")),
        dicom(_with_sets("1.2")),
        dicom(_with_sets("1.2"), b"Neu "),
        null=dicom(_with_sets()),
    ),
    "file.replaced-unseen": of(
        File("table/a.csv", _HEAD + _ROW, later=_replaced(_HEAD + _ROW.replace("5,0", "9,0"))),
        File("table/a.csv", _HEAD + _ROW, later=_replaced(_HEAD + _ROW.replace("5,0", "9,0"), hours=1)),
        File("table/a.csv", _HEAD + _ROW * 2, later=_replaced(_HEAD + _ROW + "\x00" * len(_ROW))),
    ),
    "value.unknown": of(
        table("1;01.02.2015;5,0;links\n", "Pat;Datum;Größe;Seite\n"),
        table(_ROW),
        obds(module="<Diagnose><Diagnosesicherung>7</Diagnosesicherung><Neu>1</Neu></Diagnose>"),
        null=table("1;01.02.2015;5,0;\n", "Pat;Datum;Größe;Seite\n"),
    ),
    "file.changing": of(
        File("table/a.csv", _HEAD + _ROW, lambda path: path.write_text(_HEAD + _ROW * 2)),
        File("table/a.csv", _HEAD + _ROW, lambda path: (path.parent / "b.csv").write_text(_HEAD + _ROW)),
        File("table/a.csv", _HEAD + _ROW, Path.unlink),
    ),
    "file.column-missing": of(
        table("1;01.02.2015\n", "Pat;Datum\n"),
        table("1;01.02.2015;5,0;links\n", "Pat;Datum;Größe;Seite\n"),
        table("01.02.2015;5,0\n", "Datum;Größe\n"),
    ),
    "file.column-twice": of(
        table("1;01.02.2015;5,0;6,0\n", "Pat;Datum;Größe;Größe\n"),
        table("1;01.02.2015;5,0;a;b\n", "Pat;Datum;Größe;Notiz;Notiz\n"),
        table("1;2;01.02.2015;5,0\n", "Pat;Pat;Datum;Größe\n"),
    ),
    "file.empty": of(
        File("table/a.csv", ""),
        table(_ROW),
        File("obds/a.xml", '<oBDS xmlns="http://www.basisdatensatz.de/oBDS/XML" Schema_Version="3.0.4">'
             "<Meldedatum>2020-01-01</Meldedatum><Menge_Patient></Menge_Patient></oBDS>"),
        null=table("\n;;\n"),
        fires_on_null=True,
    ),
    "file.entity": of(
        obds(before='<!DOCTYPE oBDS [<!ENTITY a "aaaaaaaa">]>\n'),
        obds(before='<!-- DOCTYPE oBDS [ENTITY a "aaaaaaaa"] -->\n'),
        obds(before='<!DOCTYPE oBDS SYSTEM "oBDS.dtd">\n'),
    ),
    "file.hidden": of(
        table(_ROW, name="table/.a.csv"),
        table(_ROW, name="table/a.b.csv"),
        obds(name="obds/.a.xml.part"),
    ),
    "file.left-behind": of(
        File("table/Thumbs.db", "x"),
        table(_ROW, name="table/Thumbs.csv"),
        File("sheet/~$a.xlsx", "x"),
    ),
    "file.line-too-long": of(
        table(f"1;01.02.2015;{'5' * 300}\n" + _ROW),
        table(f"1;01.02.2015;{'5' * 100}\n" + _ROW),
        table(_ROW + "2;" + "x" * 1000),
    ),
    "file.module-missing": of(
        obds(module=""),
        obds(module="<Tumorkonferenz><Typ>praeth</Typ></Tumorkonferenz>"),
        obds(module="<Zusatzmodul><Wert>1</Wert></Zusatzmodul>"),
    ),
    "file.name": of(
        table(_ROW, name="table/a\x07.csv"),
        table(_ROW, name="table/Größe.csv"),
        table(_ROW, name=os.fsdecode(b"table/Gr\xf6\xdfe.csv")),
    ),
    "file.quote-unclosed": of(
        table('1;"01.02.2015;5,0\n' + _ROW),
        table('1;"01.02.2015";5,0\n' + _ROW),
        table('1;"01.02.2015"x;5,0\n' + _ROW),
    ),
    "file.row-malformed": of(
        table("1;01.02.2015\n" + _ROW),
        table("1;01.02.2015;\n" + _ROW),
        table("1;01.02.2015;5;0\n" + _ROW),
    ),
    "file.row-only-key": of(
        table("1;;\n" + _ROW),
        table("2;;5,0\n" + _ROW),
        table(_ROW + "Stand: Dezember 2020;;\n"),
        null=table(_ROW + ";;\n"),
    ),
    "file.sheet-missing": of(
        workbook("sheet", "Tabelle1"),
        workbook("sheet", "Daten"),
        workbook("sheet", "Daten (2)", other=("Legende",)),
    ),
    "file.sheet-not-read": of(
        workbook("sheets", "2014", "2015"),
        workbook("sheets", "2014", other=("Legende",)),
        workbook("sheets", "2014", "2015", "2016", other=("Legende",)),
    ),
    "file.special": of(
        File("table/a.csv", os.mkfifo),
        table(_ROW),
        File("obds/a.xml", _socket),
    ),
    "file.symlink": of(
        File("table/a.csv", lambda path: path.symlink_to("/dev/null")),
        File("table/a.csv", lambda path: os.link(_written(path.parent / "b.csv"), path)),
        File("obds/a", lambda path: path.symlink_to("nowhere", target_is_directory=True)),
    ),
    "file.too-deep": of(
        obds(module=f"<Diagnose>{_nested(400, 'a')}</Diagnose>"),
        obds(module=f"<Diagnose>{_nested(4, 'a')}</Diagnose>"),
        obds(module=_nested(300, "b")),
    ),
    "file.too-large": of(
        obds(module=f"<Diagnose><Anmerkung>{'x' * 20_000}</Anmerkung></Diagnose>"),
        obds(module=f"<Diagnose><Anmerkung>{'x' * 200}</Anmerkung></Diagnose>"),
        obds(module=f"<Verlauf>{'<Bemerkung>sehr lang</Bemerkung>' * 2000}</Verlauf>"),
    ),
    "file.too-many-columns": of(
        table("1" + ";" * 30, ";".join(["Pat", "Datum", "Größe", *(f"c{n}" for n in range(28))]) + "\n"),
        table("1" + ";" * 10 + "5", ";".join(["Pat", "Datum", "Größe", *(f"c{n}" for n in range(8))]) + "\n"),
        table("", "Pat" + ";" * 60 + "\n"),
    ),
    "file.totals-row": of(
        table(_ROW + "Summe;;5,0\n"),
        table(_ROW + "Summer;01.02.2015;5,0\n"),
        table(_ROW + "Mittelwert;;5,0\n"),
    ),
    "file.truncated": of(
        _cut(obds(), "</Menge_Meldung>"),
        obds(),
        _cut(obds(), "<Vornamen>"),
    ),
    "file.unexpected": of(
        File("letters/a.pdf", "%PDF-1.4"),
        table(_ROW),
        File("a.csv", _HEAD + _ROW),
    ),
    "file.unit-differs": of(
        table(";TT.MM.JJJJ;mm\n" + _ROW, name="units/a.csv"),
        table(";TT.MM.JJJJ;cm\n" + _ROW, name="units/a.csv"),
        table(";TT.MM.JJJJ;(dm)\n" + _ROW, name="units/a.csv"),
        null=table(";TT.MM.JJJJ;\n" + _ROW, name="units/a.csv"),
    ),
    "file.unreadable": of(
        File("sheet/a.xlsx", b"PK\x03\x04" + b"\x00" * 200),
        workbook("sheet", "Daten"),
        # Bytes of no encoding of the source.
        File("table/a.csv", b"Pat;Datum;Gr\x81\x8d\xdfe\n"),
    ),
    "file.wrong-format": of(
        File("obds/a.xml", _HEAD + _ROW),
        obds(),
        File("table/a.csv", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
    ),
    "file.wrong-schema": of(
        obds(root='ADT_GEKID xmlns="http://www.gekid.de/namespace" Schema_Version="2.2.3"'),
        obds(root='oBDS xmlns="http://www.basisdatensatz.de/oBDS/XML" Schema_Version="3.0.5"'),
        obds(root='oBDS xmlns="http://www.basisdatensatz.de/oBDS_RKI/XML" Schema_Version="3.0.0.8a_RKI"'),
    ),
}  # fmt: skip


def _written(path: Path) -> Path:
    path.write_text(_HEAD + _ROW)
    return path
