"""Writes a table of the report as a Word document, like a journal's table; equal tables give equal bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Emu, Pt, RGBColor
from docx.text.paragraph import Paragraph
from lxml import etree

from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import spoken

_UNNEEDED = ("thumbnail", "stylesWithEffects", "customXml", "webSettings")
"""Parts of python-docx's template that a table does not use; without them a file has half the size."""

_PORTRAIT_COLUMNS = 5
"""Columns for which a page is used upright; a table of more columns, or of sentences, lies across."""

_LONGEST, _SHORTEST = 34, 5
"""Characters between which the length of its longest text decides the width of a column."""

_LANGUAGES = {"en": "en-GB", "de": "de-DE"}


def document(table: Table, made: dt.datetime, author: str) -> bytes:
    """Write the table with its caption above and its notes below.

    Args:
        table: the table.
        made: when the release was made: the date of the document.
        author: who is named as the author.

    Returns:
        A .docx file: the head is repeated on every page, no row is split, columns of numbers are aligned to
        the right.
    """
    document = docx.Document()
    _properties(document, table, made, author)
    width = _page(document, across=len(table.head) > _PORTRAIT_COLUMNS or bool(table.widths))
    caption = document.add_paragraph(style="Caption")
    caption.add_run(f"{table.label}. ").bold = True
    caption.add_run(table.caption).bold = False
    caption.paragraph_format.keep_with_next = True
    _rows(document, table, width)
    for note in table.notes:
        below = document.add_paragraph(note)
        below.runs[0].font.size = Pt(8)
        below.paragraph_format.space_before = Pt(2)
    out = BytesIO()
    document.save(out)
    return _dated(out.getvalue(), made)


def _properties(document: Document, table: Table, made: dt.datetime, author: str) -> None:
    told = document.core_properties
    told.title, told.author, told.last_modified_by = f"{table.label}. {table.caption}"[:255], author, author
    told.comments, told.created, told.modified, told.revision = "", made, made, 1
    told.language = _LANGUAGES.get(spoken(), spoken())
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), told.language)
    package = document.part.package
    for relations in (document.part.rels, *([package.rels] if package else [])):
        for key, relation in list(relations.items()):
            if relation.reltype.endswith(_UNNEEDED):
                del relations[key]
    for name, size in (("Normal", 9), ("Caption", 10)):
        font = document.styles[name].font  # pyright: ignore[reportAttributeAccessIssue]
        font.name, font.size, font.color.rgb = "Arial", Pt(size), RGBColor(0, 0, 0)
    document.styles["Normal"].paragraph_format.space_after = Pt(0)  # pyright: ignore[reportAttributeAccessIssue]


def _page(document: Document, across: bool) -> int:
    """Set A4 with margins of 2 cm; return the width of the text in EMU."""
    section = document.sections[0]
    width, height = (Cm(29.7), Cm(21)) if across else (Cm(21), Cm(29.7))
    section.page_width, section.page_height = width, height
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2)
    return width - 2 * Cm(2)


def _rows(document: Document, table: Table, width: int) -> None:
    made = document.add_table(1 + len(table.lines), len(table.head))
    made.autofit = False
    widths = [Emu(round(width * share)) for share in _shares(table)]
    for column, of_column in zip(made.columns, widths, strict=True):
        column.width = of_column
    numeric = table.numeric
    lines = [Line(table.head, heading=True), *table.lines]
    rules = {0: ("top", "bottom"), len(lines) - 1: ("bottom",)}
    for at, (row, line) in enumerate(zip(made.rows, lines, strict=True)):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if not at:
            properties.append(OxmlElement("w:tblHeader"))
        cells = row.cells
        alone = at and line.heading and not any(line.cells[1:])
        for column, cell in enumerate(cells):
            cell.width = widths[column]
            if edges := rules.get(at, ()):
                cell._tc.get_or_add_tcPr().append(_borders(edges))
            if alone and column:
                continue
            words = line.cells[column] if column < len(line.cells) else ""
            _write(cell.paragraphs[0], words, line, first=not column, right=numeric[column])
        if alone and len(cells) > 1:
            cells[0].merge(cells[-1])


def _write(paragraph: Paragraph, words: str, line: Line, *, first: bool, right: bool) -> None:
    if words:
        run = paragraph.add_run(words)
        run.font.size = Pt(8)
        run.bold = True if line.heading else None
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
    if first and line.indent:
        paragraph.paragraph_format.left_indent = Cm(0.3)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if line.heading:
        paragraph.paragraph_format.keep_with_next = True


def _borders(edges: Sequence[str]) -> etree._Element:
    borders = OxmlElement("w:tcBorders")
    for edge in edges:
        line = OxmlElement(f"w:{edge}")
        for key, value in (("val", "single"), ("sz", "8"), ("space", "0"), ("color", "000000")):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)
    return borders


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


def _dated(content: bytes, made: dt.datetime) -> bytes:
    """Write the archive anew with one date for all its members, for which python-docx takes the clock."""
    out = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(out, "w") as new:
        for name in old.namelist():
            entry = ZipInfo(name, made.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, old.read(name), compresslevel=9)
    return out.getvalue()
