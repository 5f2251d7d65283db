"""Read rows of a delimited text file in any encoding; report unreadable rows without raising."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, TextIO

from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.quotation import StrayQuotes
from sarcoma_pipeline.sources.received_record import Batch, Stopped
from sarcoma_pipeline.sources.table_layout import Layout
from schemas.configuration import TableLayout

_NO_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"PAR1")
"""First bytes of archives, PDF, old Office and Parquet files, which are often renamed but never text."""
_PIECE = 1024**2
_ZEROS_IN_TEXT = 0.01
"""Maximum share of zero bytes: a single damaged byte is a fault of one row, more means no 8-bit text."""


def rows(
    batch: Batch, declared: TableLayout, delimiter: str, needed: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a file's rows under its headers.

    The file is streamed: only one line, never longer than the limit, is in memory.

    Args:
        batch: collects the faults of the file and of its rows.
        declared: its encodings, the row of its header and the rows that are no records. Encodings are tried
            in order; the first that decodes the whole file is used. This is done in Python, because DuckDB's
            reader needs an extension for encodings other than UTF-8.
        delimiter: one character.
        needed: headers without which no row can be read.
        known: all headers in the configuration.

    Yields:
        ``line N`` (of the row's first line) and header to cell.

    Raises:
        OSError: the file cannot be opened or read.
        Stopped: the file is no delimited text, or exceeds a limit.
    """
    with open_file(batch.file.path) as stream:
        encoding = _encoding(stream, declared.encodings)
        stream.seek(0)
        with io.TextIOWrapper(stream, encoding, newline="") as text:
            yield from _rows(batch, _Lines(batch, text), Layout(batch, declared, needed, known), delimiter)


class _Lines:
    """Lines of a text, each within the limit; an invalid line becomes a blank line and a note."""

    def __init__(self, batch: Batch, text: TextIO) -> None:
        self.batch = batch
        self.text = text
        self.number = 0
        self.headed = False

    def __iter__(self) -> Iterator[str]:
        limit = self.batch.limits.line_chars
        while line := self.text.readline(limit + 1):
            self.number += 1
            if len(line) > limit:
                self._fault("file.line-too-long", f"more than {limit:,} characters")
                while line and not line.endswith(("\n", "\r")):
                    line = self.text.readline(limit)
                yield "\n"
            elif "\0" in line:
                self._fault("file.row-malformed", "a zero byte stands in the line")
                yield "\n"
            else:
                yield line

    def _fault(self, rule_id: str, detail: str) -> None:
        position = f"line {self.number}"
        if not self.headed:
            # Without a header no row can be read, and the next line is not the header.
            raise Stopped(position, rule_id, detail)
        self.batch.unread(position, rule_id, detail)


def _rows(
    batch: Batch, lines: _Lines, layout: Layout, delimiter: str
) -> Iterator[tuple[str, dict[str, str]]]:
    def stray(number: int) -> None:
        batch.unread(f"line {number}", "file.quote-unclosed", "the mark was read as a part of the text")

    def width() -> int:
        return len(layout.headers)

    unquoted = StrayQuotes(iter(lines), delimiter, width, batch.limits.line_chars, stray)
    reader = csv.reader(unquoted, delimiter=delimiter)
    last = 0
    try:
        for cells in reader:
            first, last = last + 1, reader.line_num
            position = f"line {first}"
            row = layout.record(first, position, cells)
            lines.headed = bool(layout.headers)
            if row is not None:
                yield position, row
    except csv.Error:
        batch.unread(f"line {last + 1}", "file.unreadable", "no delimited text from here on")


def _encoding(stream: BinaryIO, encodings: Sequence[str]) -> str:
    """Return the first encoding that decodes the whole file; the file is not loaded into memory."""
    head = stream.read(_PIECE)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif head.startswith(_NO_TEXT):
        raise Stopped("file", "file.wrong-format", "the content is not text")
    elif head.count(0) > _ZEROS_IN_TEXT * len(head):
        halves = sorted((head[::2].count(0), head[1::2].count(0)))
        # Latin letters in UTF-16 have a zero byte, always on the same side.
        hint = ", or UTF-16 without its byte order mark" if halves[0] * 10 < halves[1] else ""
        raise Stopped("file", "file.wrong-format", f"the content is not text{hint}")
    for encoding in encodings:
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while piece := stream.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        return encoding
    raise Stopped("file", "file.unreadable", f"not in any of the encodings {', '.join(encodings)}")
