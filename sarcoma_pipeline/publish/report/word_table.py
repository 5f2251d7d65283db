"""Writes a table of the report as a Word document, like a journal's table; equal tables give equal bytes.

python-docx makes the package once for each layout of the page. Paragraphs and rows are written as XML here:
python-docx takes 0.5 ms for a cell, and the report has thousands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.opc.coreprops import CoreProperties
from docx.opc.oxml import serialize_part_xml
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Emu, Pt, RGBColor

from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import spoken

_UNNEEDED = ("thumbnail", "stylesWithEffects", "customXml", "webSettings")
"""Parts of python-docx's template that a table does not use; without them a file has half the size."""

_PORTRAIT_COLUMNS = 5
"""Columns for which a page is used upright; a table of more columns, or of sentences, lies across."""

_LONGEST, _SHORTEST = 34, 5
"""Characters between which the length of its longest text decides the width of a column."""

_LANGUAGES = {"en": "en-GB", "de": "de-DE"}

_DOCUMENT, _CORE = "word/document.xml", "docProps/core.xml"
"""Parts of the package that differ from table to table."""

_SMALL = '<w:sz w:val="16"/>'
"""Size of a text in half points: 8 pt."""

_BREAK = re.compile(r"([\t\r\n])")
_BREAKS = {"\t": "<w:tab/>", "\r": "<w:br/>", "\n": "<w:br/>"}


def document(table: Table, made: dt.datetime, author: str) -> bytes:
    """Write the table with its caption above and its notes below.

    Args:
        table: the table.
        made: when the release was made: the date of the document.
        author: who is named as the author.

    Returns:
        A .docx file: the head is repeated on every page, no row is split, columns of numbers are aligned to
        the right.

    Raises:
        lxml.etree.XMLSyntaxError: a text has a character that XML does not allow.
    """
    language = _LANGUAGES.get(spoken(), spoken())
    across = len(table.head) > _PORTRAIT_COLUMNS or bool(table.widths)
    parts = dict(_package(language, across))
    parts[_CORE] = _properties(parts[_CORE], table, made, author)
    root = parse_xml(parts[_DOCUMENT])
    (page,) = root.iter(qn("w:sectPr"))
    written = "".join((_caption(table), *_rows(table, _width(across)), *map(_note, table.notes)))
    for block in parse_xml(f"<w:body {nsdecls('w')}>{written}</w:body>"):
        page.addprevious(block)
    parts[_DOCUMENT] = serialize_part_xml(root)
    return _packed(parts, made)


@cache
def _package(language: str, across: bool) -> Mapping[str, bytes]:
    """Return the parts of an empty document by name."""
    document = docx.Document()
    _styles(document, language)
    _page(document, across)
    out = BytesIO()
    document.save(out)
    with ZipFile(out) as made:
        return {name: made.read(name) for name in made.namelist()}


def _styles(document: Document, language: str) -> None:
    for element in document.styles.element.iter(qn("w:lang")):
        element.set(qn("w:val"), language)
    package = document.part.package
    document.core_properties.language, document.core_properties.revision = language, 1
    for relations in (document.part.rels, *([package.rels] if package else [])):
        for key, relation in list(relations.items()):
            if relation.reltype.endswith(_UNNEEDED):
                del relations[key]
    for name, size in (("Normal", 9), ("Caption", 10)):
        font = document.styles[name].font  # pyright: ignore[reportAttributeAccessIssue]
        font.name, font.size, font.color.rgb = "Arial", Pt(size), RGBColor(0, 0, 0)
    document.styles["Normal"].paragraph_format.space_after = Pt(0)  # pyright: ignore[reportAttributeAccessIssue]


def _page(document: Document, across: bool) -> None:
    """Set A4 with margins of 2 cm."""
    section = document.sections[0]
    width, height = (Cm(29.7), Cm(21)) if across else (Cm(21), Cm(29.7))
    section.page_width, section.page_height = width, height
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2)


def _width(across: bool) -> int:
    """Return the width of the text in EMU."""
    return Cm(29.7 if across else 21) - 2 * Cm(2)


def _properties(core: bytes, table: Table, made: dt.datetime, author: str) -> bytes:
    element = parse_xml(core)
    told = CoreProperties(element)  # pyright: ignore[reportArgumentType]
    told.title, told.author, told.last_modified_by = f"{table.label}. {table.caption}"[:255], author, author
    told.comments, told.created, told.modified = "", made, made
    return serialize_part_xml(element)


def _caption(table: Table) -> str:
    return (
        '<w:p><w:pPr><w:pStyle w:val="Caption"/><w:keepNext/></w:pPr>'
        + _run(f"{table.label}. ", "<w:b/>")
        + _run(table.caption, '<w:b w:val="0"/>')
        + "</w:p>"
    )


def _note(note: str) -> str:
    return f'<w:p><w:pPr><w:spacing w:before="40"/></w:pPr>{_run(note, _SMALL)}</w:p>'


def _rows(table: Table, width: int) -> Iterator[str]:
    """Yield the table's properties, its columns and its rows; widths in twentieths of a point."""
    widths = [_twips(width * share) for share in _shares(table)]
    yield (
        '<w:tbl><w:tblPr><w:tblW w:type="auto" w:w="0"/><w:tblLayout w:type="fixed"/><w:tblLook '
        'w:firstColumn="1" w:firstRow="1" w:lastColumn="0" w:lastRow="0" w:noHBand="0" w:noVBand="1" '
        'w:val="04A0"/></w:tblPr><w:tblGrid>'
    )
    yield from (f'<w:gridCol w:w="{of_column}"/>' for of_column in widths)
    yield "</w:tblGrid>"
    numeric = table.numeric
    lines = [Line(table.head, heading=True), *table.lines]
    rules = {0: ("top", "bottom"), len(lines) - 1: ("bottom",)}
    for at, line in enumerate(lines):
        edges = _borders(rules.get(at, ()))
        yield f"<w:tr><w:trPr><w:cantSplit/>{'' if at else '<w:tblHeader/>'}</w:trPr>"
        if at and line.heading and not any(line.cells[1:]):
            span = f'<w:gridSpan w:val="{len(widths)}"/>' if len(widths) > 1 else ""
            yield _cell(line.cells[0], line, sum(widths), span + edges, first=True, right=numeric[0])
        else:
            for column, of_column in enumerate(widths):
                words = line.cells[column] if column < len(line.cells) else ""
                yield _cell(words, line, of_column, edges, first=not column, right=numeric[column])
        yield "</w:tr>"
    yield "</w:tbl>"


def _twips(emu: float) -> int:
    return Emu(round(emu)).twips


def _cell(words: str, line: Line, width: int, form: str, *, first: bool, right: bool) -> str:
    return (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/>{form}</w:tcPr><w:p><w:pPr>'
        + ("<w:keepNext/>" if line.heading else "")
        + '<w:spacing w:before="20" w:after="20"/>'
        + ('<w:ind w:left="170"/>' if first and line.indent else "")
        + ('<w:jc w:val="right"/>' if right else "")
        + "</w:pPr>"
        + (_run(words, ("<w:b/>" if line.heading else "") + _SMALL) if words else "")
        + "</w:p></w:tc>"
    )


def _run(words: str, form: str) -> str:
    """Return a run of text; a tab and a line break are elements of their own."""
    pieces = (_BREAKS.get(piece) or _text(piece) for piece in _BREAK.split(words) if piece)
    return f"<w:r><w:rPr>{form}</w:rPr>{''.join(pieces)}</w:r>"


def _text(words: str) -> str:
    kept = "" if words == words.strip() else ' xml:space="preserve"'
    return f"<w:t{kept}>{escape(words, quote=False)}</w:t>"


def _borders(edges: Sequence[str]) -> str:
    lines = "".join(f'<w:{edge} w:val="single" w:sz="8" w:space="0" w:color="000000"/>' for edge in edges)
    return f"<w:tcBorders>{lines}</w:tcBorders>" if lines else ""


def _shares(table: Table) -> list[float]:
    """Return the width of each column as a share of the whole: as declared, or by its longest text."""
    if table.widths:
        return [share / sum(table.widths) for share in table.widths]
    rows = [line.cells for line in table.lines if not line.heading or any(line.cells[1:])]
    longest = [
        max(len(row[at]) for row in (table.head, *rows) if at < len(row)) for at in range(len(table.head))
    ]
    kept = [min(max(length, _SHORTEST), _LONGEST) + 2 for length in longest]
    return [length / sum(kept) for length in kept]


def _packed(parts: Mapping[str, bytes], made: dt.datetime) -> bytes:
    """Return the archive with one date for all its members, for which python-docx takes the clock."""
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, content in parts.items():
            entry = ZipInfo(name, made.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
    return out.getvalue()
