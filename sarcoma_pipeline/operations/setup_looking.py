"""Inspect the files of a new study: their kind, and the position of header and records in a table."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sarcoma_pipeline.sources import sandboxed_reader
from sarcoma_pipeline.sources.headers import without_header
from sarcoma_pipeline.sources.table_file import is_total
from schemas.configuration import DEFAULT_LIMITS
from schemas.entity_mapping import folded

Kind = Literal["table", "obds", "dicom", "none"]

MISSING = ("", "NA", "N/A", "n.a.", "k. A.", "k.A.", "-", "–", "?", ".", "NULL", "None", "nan", "#NV", "#N/A")
"""Words for a missing value in tables of any origin."""

DATES = (
    "%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y", "%m/%d/%y",
    "%Y-%m-%d %H:%M:%S",
)  # fmt: skip
"""Date formats to try, the more usual first."""

_HEAD = 4096
_ROWS = 5_000
_UNIT = re.compile(
    r"[\[(]?\s*(cm|mm|m|kg|g|gy|cgy|d|days?|tagen?|months?|monate?|mo|years?|jahre?|yrs?|weeks?|wochen?|%|m/w|w/m"
    r"|m/f|f/m|ja/nein|yes/no|0/1|1/2|text|datum|date|(tt|dd)\.mm\.(jj(jj)?|yy(yy)?)|yyyy-mm-dd)\s*[\])]?",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\d{4,5}(\.\d+)?")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


class NotRead(Exception):
    """A file of a kind that cannot be read; the message says why."""


@dataclass
class Table:
    """A delivered table.

    Attributes:
        format: csv, tsv, xlsx or parquet.
        delimiter: delimiter of a text file.
        header_row: row of the headers, if not the first filled row.
        units: header to the unit in the row below it; None if there is no such row.
        comment: prefix of remarks.
        skipped: rows that repeat the header.
        headers: headers in order.
        cells: header to filled cells, without words for a missing value.
        missing: the words for a missing value that occur.
        rows: number of records.
        totals: the words of the rows of totals.
        nameless: filled columns without a header.
        row_names: name of a column without a header that has another value in every row; "" if there is none.
        sheets: names of the sheets; the first visible one is read.
    """

    format: str
    delimiter: str | None = None
    header_row: int | None = None
    units: dict[str, str] | None = None
    comment: str | None = None
    skipped: list[int] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    cells: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    rows: int = 0
    totals: list[str] = field(default_factory=list)
    nameless: int = 0
    row_names: str = ""
    sheets: list[str] = field(default_factory=list)


def kind(path: Path) -> Kind:
    """Return a file's kind, detected from its content.

    Raises:
        NotRead: the file is of another kind, or empty.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head.strip():
        raise NotRead("the file is empty")
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith(b"PK\x03\x04"):
        names = zipfile.ZipFile(path).namelist()
        return "table" if "xl/workbook.xml" in names else "dicom"
    if head.startswith(b"PAR1"):
        return "table"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotRead("an Excel file of before 2007 (.xls): save it as .xlsx")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        if b"oBDS" in head:
            return "obds"
        raise NotRead("an XML file that is no oBDS 3 export: ask the sender for oBDS 3")
    if head.startswith(b"%PDF") or (b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise NotRead("neither a table (CSV, TSV, XLSX, Parquet) nor oBDS nor DICOM")
    return "table"


def table(path: Path) -> Table:
    """Return the structure and cells of a table.

    Raises:
        NotRead: no table can be found in it.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic in (b"PK\x03\x04", b"PAR1"):
        found = Table("xlsx" if magic == b"PK\x03\x04" else "parquet")
        limits = DEFAULT_LIMITS
        try:
            frame = sandboxed_reader.read(
                path.read_bytes(), found.format, None,
                (limits.held_bytes, limits.columns, limits.records), limits.native_seconds,
            )  # fmt: skip
        except sandboxed_reader.Refused as refused:
            raise NotRead(f"cannot be read: {refused.args[-1]}") from None
        rows = [(n, list(row)) for n, row in enumerate(frame.head(_ROWS).iter_rows(), start=1)]
    else:
        text = _text(path)
        found = Table("csv")
        found.delimiter = _delimiter(text)
        if found.delimiter == "\t":
            found.format = "tsv"
        rows = _lines(text, found.delimiter)
    _layout(found, [(n, cells) for n, cells in rows if any(c.strip() for c in cells)])
    return found


def _text(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    raise NotRead("its text is neither UTF-8 nor Windows-1252")


def _delimiter(text: str) -> str:
    """Choose the delimiter for which most lines have the same number of cells, more than one."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        (width, times) = max(widths.items(), key=lambda item: (item[1], item[0])) if widths else (1, 0)
        return (times if width > 1 else 0, width)

    return max((";", ",", "\t", "|"), key=score)


def _lines(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, last = [], 0
    for cells in reader:
        rows.append((last + 1, cells))
        last = reader.line_num
        if len(rows) >= _ROWS:
            break
    return rows


def _layout(found: Table, rows: list[tuple[int, list[str]]]) -> None:
    for mark in ("#", "//"):
        if any(cells[0].lstrip().startswith(mark) for _, cells in rows):
            found.comment = mark
            rows = [(n, cells) for n, cells in rows if not cells[0].lstrip().startswith(mark)]
    at = _header_at(rows)
    if at:
        found.header_row = rows[at][0]
    trimmed = [cell.strip() for cell in rows[at][1]]
    found.headers = [h for h in dict.fromkeys(trimmed) if h]
    body = rows[at + 1 :]
    if body and _units(body[0][1]):
        found.units = {h: cell.strip() for h, cell in zip(trimmed, body[0][1], strict=False) if h}
        body = body[1:]
    head = [folded(h) for h in trimmed]
    found.skipped = [n for n, cells in body if [folded(c) for c in cells[: len(head)]] == head]
    records = [cells for n, cells in body if n not in found.skipped]
    found.totals = [_first(cells) for cells in records if _total(cells)]
    records = [cells for cells in records if not _total(cells)]
    found.rows = len(records)
    if not records or len(found.headers) < 2:
        raise NotRead("no table with a header and records was found in it")
    words: set[str] = set()
    for place, header in enumerate(trimmed):
        column = [cells[place].strip() for cells in records if place < len(cells)]
        if not header and not found.row_names and len(set(column)) == len(column) and all(column):
            # Statistics programs write row names in a column without a header.
            found.row_names = header = without_header(place + 1)
            found.headers.insert(sum(bool(h) for h in trimmed[:place]), header)
            found.cells[header] = column
        elif not header:
            found.nameless += any(column)
        elif header not in found.cells:
            words |= {cell for cell in column if cell in MISSING and cell}
            found.cells[header] = [cell for cell in column if cell not in MISSING]
    found.missing = sorted(words)


def _header_at(rows: list[tuple[int, list[str]]]) -> int:
    """Return the first row that can be a header: as wide as the table, only texts, all different."""
    if not rows:
        raise NotRead("the table is empty")
    filled = [sum(bool(c.strip()) for c in cells) for _, cells in rows]
    usual = Counter(filled[:200]).most_common()
    width = max((n for n, times in usual if times == usual[0][1]), default=1)
    for at, (_, cells) in enumerate(rows[:30]):
        words = [c.strip() for c in cells if c.strip()]
        texts = [w for w in words if not NUMBER.fullmatch(w) and not formats([w])]
        if (
            len(words) >= max(2, 0.6 * width)
            and len(texts) >= 0.9 * len(words)
            and len(set(words)) == len(words)
        ):
            return at
    return 0


def _units(cells: list[str]) -> bool:
    words = [cell.strip() for cell in cells if cell.strip()]
    return bool(words) and all(_UNIT.fullmatch(word) for word in words) and len(words) <= len(cells)


def _total(cells: list[str]) -> bool:
    return is_total(_first(cells))


def _first(cells: list[str]) -> str:
    return next((c.strip() for c in cells if c.strip()), "")


def formats(values: list[str]) -> list[str]:
    """Return the date formats of the values, the best first; empty if they are no dates.

    Further formats cover values that the formats before cannot read.
    """
    left = [v for v in values if v]
    if not left:
        return []
    chosen: list[str] = []
    for _ in range(3):
        read = {form: [v for v in left if _is_date(v, form)] for form in DATES if form not in chosen}
        best = max(read, key=lambda form: (len(read[form]), -DATES.index(form)))
        if len(read[best]) < (0.6 * len(left) if not chosen else 1):
            break
        chosen.append(best)
        left = [v for v in left if v not in set(read[best])]
        if not left:
            break
    return chosen


def counted_day(cell: str, earliest: dt.date) -> bool:
    """Return whether a cell of a spreadsheet may be a date that is formatted as a number.

    Args:
        cell: as delivered.
        earliest: the earliest day that is read from a number.
    """
    first, last = (day - dt.date(1899, 12, 30) for day in (earliest, dt.datetime.now(dt.UTC).date()))
    return bool(_COUNTED.fullmatch(cell)) and first.days <= float(cell) < last.days + 1


def either_order(values: list[str]) -> bool:
    """Return whether day and month of every value can be read in either order."""
    return bool(values) and all(
        any(
            _is_date(v, a) and _is_date(v, b) for a, b in (("%d/%m/%Y", "%m/%d/%Y"), ("%d/%m/%y", "%m/%d/%y"))
        )
        for v in values
    )


def _is_date(text: str, form: str) -> bool:
    try:
        read = dt.datetime.strptime(text, form)
    except ValueError:
        return False
    return 1880 <= read.year <= 2100
