"""Makes the files that the page offers: each figure as SVG, each table as CSV and as an Excel workbook.

They are parts of the page, in `data:` links: the page stays one file that loads nothing and can be mailed.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO

import polars as pl
import xlsxwriter

from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.language import point
from schemas.spreadsheet import PLAIN_TEXTS, neutralised

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class File:
    """A file of the page.

    Attributes:
        name: name under which the browser saves it.
        kind: what the link says.
        link: the content, as a `data:` link.
    """

    name: str
    kind: str
    link: str


def of_figure(key: str, panels: Sequence[str]) -> tuple[File, ...]:
    """Return each panel of a figure as an SVG file."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    many = len(panels) > 1
    return tuple(
        File(
            f"{key}{f'-{letters[i % 26].lower()}' if many else ''}.svg",
            f"SVG {letters[i % 26]}" if many else "SVG",
            _link("image/svg+xml", panel.encode()),
        )
        for i, panel in enumerate(panels)
    )


def of_table(table: Table, made: dt.datetime, english: Table | None = None) -> tuple[File, ...]:
    """Return a table as CSV and as a workbook.

    Args:
        table: the table.
        made: when the release was made: the workbook's date of creation.
        english: the same table in English, for the CSV file, which programs read; if none is given, the
            table is.
    """
    rows = [_cells(line.cells, len(table.head)) for line in table.lines]
    plain = english or table
    book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return (
        File(
            f"{table.key}.csv",
            "CSV",
            _link(
                "text/csv;charset=utf-8",
                _csv(plain.head, [_cells(line.cells, len(plain.head)) for line in plain.lines]),
            ),
        ),
        File(f"{table.key}.xlsx", "XLSX", _link(book, _xlsx(table, rows, made))),
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


def _xlsx(table: Table, rows: Sequence[Sequence[str]], made: dt.datetime) -> bytes:
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
