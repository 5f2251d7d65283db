"""Makes the files that the page offers: each figure as SVG and PNG, each table as CSV, Excel and Word.

They are parts of the page, in `data:` links: the page stays one file that loads nothing and can be mailed.
They are made from the page's own tables and drawings: a public page offers only what disclosure control left.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO, StringIO

import polars as pl

from sarcoma_pipeline.publish.report import raster
from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.language import point
from schemas.spreadsheet import PLAIN_TEXTS, neutralised

_BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class File:
    """A file of the page.

    Attributes:
        name: name under which the browser saves it.
        kind: what the link says.
        link: the content, as a `data:` link; empty if the file is made later (`unfinished`).
    """

    name: str
    kind: str
    link: str


def of_figure(
    key: str, panels: Sequence[str], png: Callable[[str], bytes] | None = raster.png
) -> tuple[File, ...]:
    """Return each panel of a figure as SVG, and as PNG where the machine has fonts.

    Args:
        key: the figure.
        panels: its panels as SVG.
        png: draws a panel, or takes it from `raster.KeptFigures`; None if PNGs are made later.
    """
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    many = len(panels) > 1
    files = []
    for i, panel in enumerate(panels):
        letter = letters[i % 26]
        name, which = (f"{key}-{letter.lower()}", f" {letter}") if many else (key, "")
        files.append(File(f"{name}.svg", f"SVG{which}", _link("image/svg+xml", panel.encode())))
        if raster.has_fonts():
            files.append(File(f"{name}.png", f"PNG{which}", of_png(png(panel)) if png else ""))
    return tuple(files)


def of_png(content: bytes) -> str:
    """Return the link of a PNG."""
    return _link("image/png", content)


def of_book(table: Table, made: dt.datetime) -> str:
    """Return the link of a table's workbook."""
    return _link(_BOOK, _xlsx(table, made))


def of_word(table: Table, made: dt.datetime, author: str) -> str:
    """Return the link of a table's Word document."""
    # Imported on demand: a refresh leaves these documents to a later process.
    from sarcoma_pipeline.publish.report import word_table

    return _link(_WORD, word_table.document(table, made, author))


@lru_cache(maxsize=256)
def of_table(
    table: Table, made: dt.datetime, english: Table | None = None, author: str = "", *, now: bool = True
) -> tuple[File, ...]:
    """Return a table as CSV, as a workbook and as a Word document.

    Args:
        table: the table.
        made: when the release was made: the workbook's date of creation.
        english: the same table in English, for the CSV file, which programs read; if none is given, the
            table is.
        author: who is named as the author of the document.
        now: whether the workbook and the Word document are made now, not later.
    """
    plain = english or table
    return (
        File(
            f"{table.key}.csv",
            "CSV",
            _link(
                "text/csv;charset=utf-8",
                _csv(plain.head, [_cells(line.cells, len(plain.head)) for line in plain.lines]),
            ),
        ),
        File(f"{table.key}.xlsx", "XLSX", of_book(table, made) if now else ""),
        File(f"{table.key}.docx", "Word", of_word(table, made, author) if now else ""),
    )


def _cells(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))][:width]


def _csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Write CSV; a text that a spreadsheet would run is neutralised, a negative number is none."""
    texts = pl.DataFrame(
        {"text": [cell for row in (head, *rows) for cell in row]}, schema={"text": pl.String}
    )
    safe = iter(neutralised(texts)["text"])
    out = StringIO()
    # The mark tells Excel that the file is UTF-8.
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    for row in (head, *rows):
        told = [(cell, next(safe)) for cell in row]
        writer.writerow([cell if _NUMBER.fullmatch(cell) else neutral for cell, neutral in told])
    return out.getvalue().encode()


def _xlsx(table: Table, made: dt.datetime) -> bytes:
    # Imported on demand, as for Word.
    import xlsxwriter

    rows = [_cells(line.cells, len(table.head)) for line in table.lines]
    out = BytesIO()
    with xlsxwriter.Workbook(out, {**PLAIN_TEXTS, "in_memory": True}) as book:
        book.set_properties({"title": f"{table.label}. {table.caption}", "created": made})
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
        sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", table.label)[:31])
        sheet.write_string(0, 0, f"{table.label}. {table.caption}")
        for column, title in enumerate(table.head):
            sheet.write_string(1, column, title, bold)
        sheet.freeze_panes(2, 1)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, max(1, len(table.head) - 1), 20)
        for at, (line, row) in enumerate(zip(table.lines, rows, strict=True), 2):
            for column, cell in enumerate(row):
                if _NUMBER.fullmatch(plain := point(cell)):
                    sheet.write_number(at, column, float(plain))
                elif cell:
                    form = book.add_format({"bold": True}) if line.heading else None
                    sheet.write_string(at, column, cell, form)
        for at, note in enumerate(table.notes, 3 + len(rows)):
            sheet.write_string(at, 0, note)
    return out.getvalue()


def _link(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
