"""Rows of a delimited text file, whatever its encoding; what is no row is noted, never raised."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from sarcoma_pipeline.sources.record import Batch

_NO_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"PAR1")
"""First bytes of archives, PDF, old Office and Parquet files: often renamed, never text."""


def rows(
    batch: Batch, delimiter: str, encodings: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a file's rows under the headers of its first line.

    Args:
        batch: takes the faults of the file and of its rows; names the file.
        delimiter: one character.
        encodings: tried in order; the first that decodes the whole file wins. In Python: DuckDB's reader
            needs an extension for anything but UTF-8 (sources.md section 1).
        needed: headers without which no row can be read.

    Yields:
        ``line N`` (of the row's first line) and header to cell.
    """
    text = _decoded(batch, encodings)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headers: list[str] = []
    missing: list[str] = []
    last = 0
    try:
        for cells in reader:
            first, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            position = f"line {first}"
            if not headers:
                headers = [cell.strip() for cell in cells]
                missing = missing_columns(batch, headers, needed, position)
            elif missing:
                batch.unread(position, "file.column-missing", "the row cannot be read without the column")
            elif len(cells) < len(headers) or any(cell.strip() for cell in cells[len(headers) :]):
                batch.unread(
                    position, "file.row-malformed", f"{len(cells)} cells under {len(headers)} headers"
                )
            else:
                # Of a header that stands twice the first counts.
                yield position, dict(zip(reversed(headers), reversed(cells[: len(headers)]), strict=True))
    except csv.Error:
        batch.unread(f"line {last + 1}", "file.unreadable", "no delimited text from here on")


def missing_columns(batch: Batch, headers: Sequence[str], needed: Sequence[str], position: str) -> list[str]:
    """Needed headers that are not there; each is noted at the header's position."""
    missing = [name for name in needed if name not in headers]
    for name in missing:
        batch.unread(position, "file.column-missing", f"column {name!r} is missing")
    return missing


def content(batch: Batch) -> bytes | None:
    """The file's bytes; None, with the fault noted, for a file that is empty or cannot be opened."""
    try:
        data = batch.file.path.read_bytes()
    except OSError as broken:
        batch.unread("file", "file.unreadable", f"cannot be opened: {type(broken).__name__}")
        return None
    if not data.strip():
        batch.unread("file", "file.empty", "no content")
        return None
    return data


def _decoded(batch: Batch, encodings: Sequence[str]) -> str | None:
    data = content(batch)
    if data is None:
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16", *encodings)
    elif data.startswith(_NO_TEXT) or b"\x00" in data:
        batch.unread("file", "file.wrong-format", "the content is not text")
        return None
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    batch.unread("file", "file.unreadable", f"not in any of the encodings {', '.join(encodings)}")
    return None
