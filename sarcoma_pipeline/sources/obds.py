"""Read oBDS 3 XML exports into received frames: streamed, all modules, without judging values.

Elements are matched by local name, so that an export without its namespace can be read too; the mark
``NO_NAMESPACE`` on ``Schema_Version`` reports this to curation. A truncated file gives all Meldungen that
were complete before the break, and one unread record for the rest.

A large export of ordinary form is cut into its patients first, so that of the next one only changed patients
are read (:mod:`.obds_by_patient`). Everything else is parsed as a stream.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from sarcoma_pipeline.sources import obds_by_patient, obds_format
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.obds_export import PLACED, Export, events
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from schemas import file_faults
from schemas.configuration import DEFAULT_LIMITS, Limits, ObdsSource

_SNIFF = 65_536
_BLOCK = 32 << 10
"""Bytes that the parser gets at a time: as many as lxml asks for."""
_LINES_AT_ONCE = 30_000
"""Lines after which they are counted here: a further block of line breaks only ends before line 65 535."""
_MARKS = tuple(name.encode() for name in PLACED)


def read(file: SourceFile, _: ObdsSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one export.

    Args:
        file: the file.
        _: its source; not used, all exports are read in the same way.
        refresh: id of the refresh.
        limits: limits for the file.

    Returns:
        Records of ``received.obds_*`` and, for parts that could not be read, of ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    metered = None
    with batch.guarded(), open_file(file.path) as stream:
        plain = _sniff(stream)
        if obds_by_patient.read(batch, stream):
            return batch
        metered = _Metered(stream, limits.record_bytes, in_lines=plain)
        _parse(batch, metered)
    if metered is not None and metered.full:
        gc.collect()  # the parser and its tree reference each other: half a gigabyte until garbage collection
    return batch


class _Metered:
    """Pass the file to the parser, until one record is larger than a record may be.

    libxml2 counts lines up to 65 535. Further down, a line in which a record may begin is passed alone: what
    the parser finds is then known to be in this line.

    Attributes:
        line: number of the line that the parser got last; 0 if it got several lines.
    """

    def __init__(self, stream: BinaryIO, most: int, *, in_lines: bool) -> None:
        self.most = most
        self.held = 0
        self.line = 0
        self._pieces = _pieces(stream, in_lines)

    def read(self, _: int) -> bytes:
        self.line, piece = next(self._pieces, (0, b""))
        self.held += len(piece)
        # An exception raised here would keep the parser and its tree in memory; instead, the file appears to
        # end.
        return b"" if self.full else piece

    def freed(self) -> None:
        """Start to count the bytes of the next record."""
        self.held = 0

    @property
    def full(self) -> bool:
        """Whether the parser would hold more than a record may have."""
        return self.held > self.most


def _pieces(stream: BinaryIO, in_lines: bool) -> Iterator[tuple[int, bytes]]:
    """Yield a file in pieces, each with the number of its line, or 0 if it is not exactly one line."""
    line = 1
    while line < _LINES_AT_ONCE or not in_lines:
        block = stream.read(_BLOCK)
        if not block:
            return
        line += block.count(b"\n")
        yield 0, block
    gathered: list[bytes] = []
    size = 0
    while row := stream.readline(_BLOCK):
        marked = any(mark in row for mark in _MARKS)
        if gathered and (marked or size + len(row) > _BLOCK):
            yield 0, b"".join(gathered)
            gathered, size = [], 0
        if marked:
            yield line, row
        else:
            gathered.append(row)
            size += len(row)
        line += row.endswith(b"\n")
    yield 0, b"".join(gathered)


def _parse(batch: Batch, stream: _Metered) -> None:
    export = Export(batch, stream.freed, lambda: stream.line)
    try:
        context = events(stream)
        for event, element in context:
            export.take(event, element)
        export.close()
        if export.root is None:
            obds_format.check(context.root)
    except Stopped as stopped:
        export.name_reporters()
        if stopped.rule_id == file_faults.WRONG_SCHEMA.id:
            batch.discard()
        raise
    except etree.XMLSyntaxError as broken:
        if stream.full:
            raise Stopped("file", "file.too-large", f"no record ends within {stream.most:,} bytes") from None
        # Only the line: the parser's message may quote content.
        where = "" if export.seen else " before the first Meldung"
        export.name_reporters()
        rule_id, detail = _broken(broken)
        batch.unread(f"line {broken.lineno or 1}", rule_id, detail + where)


def _broken(broken: etree.XMLSyntaxError) -> tuple[str, str]:
    if getattr(broken, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        if "entity" in str(broken.msg):
            return "file.entity", "its entities grow without bound"
        if "depth" in str(broken.msg):
            return "file.too-deep", "elements are nested more than 256 deep"
        return "file.too-large", "a text or a name is longer than the parser takes"
    return "file.truncated", "the XML breaks off"


def _sniff(stream: BinaryIO) -> bool:
    """Refuse a file that is no XML; return whether a line break is one byte in its encoding."""
    head = stream.read(_SNIFF)
    stream.seek(0)
    if not head.strip():
        raise Stopped("file", "file.empty", "no content")
    # UTF-16 has a zero byte next to every ASCII character; without the zero bytes, the ASCII markup remains.
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not plain.startswith(b"<"):
        raise Stopped("file", "file.wrong-format", "the content is not XML")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise Stopped("file", "file.entity", "declares a document type, which oBDS never does")
    return b"\x00" not in head
