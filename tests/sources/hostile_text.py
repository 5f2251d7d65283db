"""Hostile XML files, delimited files, spreadsheets and Parquet files."""

import io
import struct
import zipfile
from functools import cache
from pathlib import Path

import polars as pl

from tests.sources.hostile_kinds import MEGA, SECRET, kind

# --- XML ----------------------------------------------------------------------------------------------


def _laughs(root: str = "oBDS") -> str:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    return f'<!DOCTYPE {root} [<!ENTITY a0 "ha">{entities}]><{root}><Meldedatum>&a12;</Meldedatum></{root}>'


@kind("obds/laughs.xml", "file.entity")
def _(to):
    return _laughs()


@kind("obds/laughs-in-utf-16.xml", "file.entity")
def _(to):
    return ('<?xml version="1.0" encoding="UTF-16"?>' + _laughs()).encode("utf-16")


@kind("obds/laughs-behind-a-comment.xml", "file.entity", position="line 1")
def _(to):
    return f"<!--{' ' * 70_000}-->" + _laughs()


@kind("obds/laughs-under-another-root.xml", "file.entity")
def _(to):
    return _laughs("html")


@kind("obds/quadratic.xml", "file.entity")
def _(to):
    entity = f'<!DOCTYPE oBDS [<!ENTITY a "{"x" * 100_000}">]>'
    return f"{entity}<oBDS><Meldedatum>{'&a;' * 100_000}</Meldedatum></oBDS>"


@kind("obds/quadratic-in-an-attribute.xml", "file.entity", position="line 1")
def _(to):
    entity = f'<!DOCTYPE oBDS [<!ENTITY a "{"x" * 100_000}">]>'
    return f'<!--{" " * 70_000}-->{entity}<oBDS Schema_Version="{"&a;" * 100_000}"></oBDS>'


def _secret(to: Path) -> str:
    secret = to.parents[2] / "secret.txt"
    secret.write_text(SECRET)
    return secret.as_uri()


def _outside(to: Path, declared: str) -> str:
    return (
        f"<!--{' ' * 70_000}--><!DOCTYPE oBDS {declared}><oBDS><Meldedatum>&a;</Meldedatum><Menge_Patient>"
        '<Patient Patient_ID="&a;"><Patienten_Stammdaten><Nachname>&a;</Nachname></Patienten_Stammdaten>'
        "</Patient></Menge_Patient></oBDS>"
    )


@kind("obds/external-entity.xml", "file.entity", position="line 1")
def _(to):
    entity = f'[<!ENTITY a SYSTEM "{_secret(to)}">]'
    return _outside(to, entity).replace('Patient_ID="&a;"', 'Patient_ID="1"')


@kind("obds/parameter-entity.xml", "file.entity", position="line 1")
def _(to):
    return _outside(to, f'[<!ENTITY a "x"><!ENTITY % p SYSTEM "{_secret(to)}"> %p;]')


@kind("obds/external-dtd.xml", "file.entity", position="line 1")
def _(to):
    return f'<!--{" " * 70_000}--><!DOCTYPE oBDS SYSTEM "{_secret(to)}"><oBDS><Meldedatum/></oBDS>'


@kind("obds/deep.xml", "file.too-deep", position="line 1")
def _(to):
    return "<oBDS>" + "<Menge_Patient>" * 100_000


@kind("obds/one-endless-record.xml", "file.too-large")
def _(to):
    yield b'<oBDS><Menge_Patient><Patient><Menge_Meldung><Meldung Meldung_ID="1">'
    for _n in range(40):
        yield b"<x/>" * (MEGA // 4)


@kind("obds/endless-beside-the-records.xml", "file.too-large")
def _(to):
    yield b"<oBDS>"
    for _n in range(40):
        yield b"<x/>" * (MEGA // 4)


@kind("obds/one-text.xml", "file.too-large", position="line 1")
def _(to):
    yield b"<oBDS><Meldedatum>"
    for _n in range(12):
        yield b"x" * MEGA


@kind("obds/nothing-in-it.xml", "file.empty")
def _(to):
    return "<oBDS/>"


# --- delimited ----------------------------------------------------------------------------------------

HEAD = b"Az;Auskunft\n"


@kind("registry/one-line-of-300-MB.csv", "file.line-too-long", position="line 3", records=2)
def _(to):
    yield HEAD + b"1;lebt\n"
    for _n in range(300):
        yield b"x" * MEGA
    yield b"\n3;lebt\n"


@kind("registry/nothing-but-a-line.csv", "file.line-too-long", position="line 1")
def _(to):
    for _n in range(60):
        yield b"x" * MEGA


@kind("registry/a-million-columns.csv", "file.too-many-columns", position="line 1")
def _(to):
    return b"Az;Auskunft" + b";" * 1_000_000 + b"\n1;lebt\n"


@kind("registry/a-row-of-a-million-cells.csv", "file.row-malformed", position="line 2", records=1)
def _(to):
    return HEAD + b"1;lebt" + b";x" * 500_000 + b"\n2;lebt\n"


@kind("registry/a-zero-byte.csv", "file.row-malformed", position="line 3", records=2)
def _(to):
    return HEAD + b"1;lebt\n2;le\x00bt\n3;lebt\n" + b"\n" * 200


@kind("registry/zeros.csv", "file.wrong-format")
def _(to):
    return bytes(10 * MEGA)


@kind("registry/utf-16-without-its-mark.csv", "file.wrong-format")
def _(to):
    return (HEAD.decode() + "1;lebt\n" * 100).encode("utf-16-le")


@kind("registry/an-open-quote.csv", "file.quote-unclosed", position="line 3", records=10_002)
def _(to):
    return HEAD + b'1;lebt\n2;"lebt\n' + b"3;lebt\n" * 10_000


@kind("registry/formulas.csv", records=2)
def _(to):
    return HEAD + b"=HYPERLINK(\"http://x\");lebt\n2;@SUM(1+1)*cmd|' /C calc'!A0\n"


@kind(
    "registry/more-records-than-a-file-may-have.csv",
    "file.too-large",
    position="line 100002",
    records=100_000,
)
def _(to):
    return HEAD + b"1;lebt\n" * 100_100


@kind("tables/bytes-of-no-encoding.csv", "file.unreadable")
def _(to):
    return b"Nr;cm\n1;\x81\x8d\n"


# --- archives and columns -----------------------------------------------------------------------------


def _workbook(*cells: str, sheet: bytes = b"", shared: str = "") -> bytes:
    spreadsheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    types = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    made = "".join(
        f'<row r="{cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{cell}" t="inlineStr"><is><t>Nr</t></is>'
        "</c></row>"
        for cell in cells
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{types}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{spreadsheet}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{types}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
        f'Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{spreadsheet}"><si><t>{shared}</t></si></sst>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(f'<worksheet xmlns="{spreadsheet}"><sheetData>{made}'.encode())
            for _n in range(1000 if sheet else 0):
                stream.write(sheet)
            stream.write(b"</sheetData></worksheet>")
    return out.getvalue()


@cache
def _bomb() -> bytes:
    """A sheet that inflates to a gigabyte."""
    return _workbook("A1", sheet=b" " * MEGA)


@kind("tables/bomb.xlsx", "file.too-large")
def _(to):
    return _bomb()


@kind("tables/bomb-that-says-it-is-small.xlsx", "file.too-large", "file.unreadable")
def _(to):
    bomb = bytearray(_bomb())
    entry = bomb.rindex(b"PK\x01\x02")
    bomb[entry + 24 : entry + 28] = struct.pack("<L", 100)
    return bytes(bomb)


@kind("tables/two-cells-far-apart.xlsx", "file.too-many-columns")
def _(to):
    return _workbook("A1", "XFD1048576")


@kind("tables/two-cells-far-apart-and-disguised.xlsx", "file.too-large", "file.unreadable")
def _(to):
    # Character references hide the cell from a search for its letters.
    return _workbook("A1", "&#88;FD1048576")


@kind("tables/one-long-text-in-every-cell.xlsx", "file.too-large")
def _(to):
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 102)).encode()
    return _workbook("A1", sheet=rows, shared="x" * 10 * MEGA)


@kind("tables/a-long-column.xlsx", "file.too-large")
def _(to):
    return _workbook("A1", "C1048576")


@kind("tables/a-million-columns.xlsx", "file.too-many-columns")
def _(to):
    return _workbook("A1", "BDWGN1")


@kind("tables/a-long-run.parquet", "file.too-large")
def _(to):
    out = io.BytesIO()
    pl.DataFrame({"Nr": pl.repeat(1, 20_000_000, dtype=pl.Int8, eager=True)}).write_parquet(out)
    return out.getvalue()


@kind("tables/lying-footer.parquet", "file.truncated", "file.too-large")
def _(to):
    out = io.BytesIO()
    pl.DataFrame({"Nr": list(range(1000))}).write_parquet(out)
    whole = bytearray(out.getvalue())
    whole[-8:-4] = struct.pack("<L", 0x7FFFFFFF)
    return bytes(whole)


@kind("tables/nested-columns.parquet", "file.truncated")
def _(to):
    out = io.BytesIO()
    pl.DataFrame({"Nr": [b"\xff\xfe"], "cm": [{"a": [1]}]}).write_parquet(out)
    return out.getvalue()
