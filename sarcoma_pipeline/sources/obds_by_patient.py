"""Read an oBDS export patient by patient, without parsing those whose bytes an earlier export had.

Only files of ordinary form are cut: an ASCII-compatible encoding, no comments, sections or instructions,
patients that follow each other with nothing but white space between, nothing unusual around them. Any doubt
is answered by ``False``, and the file is parsed as a stream. Both ways give the same records.

A group of patients is parsed as a document of its own: the file's beginning, the patients, the end tags.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

from lxml import etree

from sarcoma_pipeline.sources import export_parts
from sarcoma_pipeline.sources.export_parts import CutExport, ExportPart
from sarcoma_pipeline.sources.leaves import ODD_KEPT, Element, local
from sarcoma_pipeline.sources.obds_export import EXPORT_FACTS, Export, events
from sarcoma_pipeline.sources.obds_modules import OUTCOMES, ROOT
from sarcoma_pipeline.sources.received_record import Batch, Stopped
from sarcoma_pipeline.sources.value_account import Account

_BLOCK = 4 << 20
_HEAD_BYTES = 1 << 16
_HEAD_LINES = 2_000
_GROUP_BYTES = 1 << 20
_GROUP_LINES = 30_000
_PART_LINES = 30_000
"""libxml2 counts lines up to 65 535."""
_PART_BYTES = 32 << 20
"""A patient is held in memory as a whole."""

_FIRST = b"<Patient"
_LAST = b"</Patient"
_SPACE = b" \t\r\n"
_AFTER_A_NAME = (b" ", b"\t", b"\r", b"\n", b"/", b">")
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml\s[^<>?]*\?>)?")
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252"})
"""Encodings in which a byte of markup is never a part of another character."""
_OPENS = re.compile(rb"<Menge_Patient(?:\s[^<>]*)?>\s*\Z")
_CLOSES = b"</Menge_Patient></oBDS>"
_END_OF_PATIENTS = re.compile(rb"\s*</Menge_Patient\s*>")
_ONLY_BEFORE = re.compile(rb"Meldedatum|Absender|Patient|Meldung")
"""Elements that mean something else, or nothing, after the patients."""
_AROUND = frozenset({"oBDS", "Absender", "Meldedatum", "Melder"})


class NotOrdinary(Exception):
    """The file is not of the form that is read patient by patient."""


@dataclass(frozen=True)
class Piece:
    """The bytes of one patient: place in the file, first line, number of line breaks within."""

    offset: int
    length: int
    line: int
    breaks: int


@dataclass(frozen=True)
class Cut:
    """A file cut into its patients; nothing but white space is between them."""

    head: bytes
    pieces: Sequence[Piece]
    tail: bytes


def read(batch: Batch, stream: BinaryIO) -> bool:
    """Read an export patient by patient, if it is of ordinary form.

    Args:
        batch: takes the records; :attr:`Batch.cut` says which patients must be taken over.
        stream: the file, at its beginning.

    Returns:
        Whether it was read. If not, the batch is empty and the stream at its beginning again.
    """
    try:
        _read(batch, stream)
    except (NotOrdinary, Stopped, etree.XMLSyntaxError):
        batch.discard()
        stream.seek(0)
        return False
    return True


def cut(stream: BinaryIO, most: int) -> Cut:
    """Cut a file into its patients.

    Args:
        stream: the file, at its beginning.
        most: largest number of bytes of a patient.

    Raises:
        NotOrdinary: it is not of the ordinary form.
    """
    held = stream.read(_BLOCK)
    if len(held) < export_parts.WORTH_BYTES:
        raise NotOrdinary
    first = _find(_FIRST, held, 0, _HEAD_BYTES)
    if first < 0:
        raise NotOrdinary
    head = held[:first]
    if head.count(b"\n") > _HEAD_LINES:
        raise NotOrdinary
    declaration = _DECLARATION.match(head)
    assert declaration is not None
    _check_head(head, declaration[0])
    _check_markup(held[declaration.end() :])
    pieces: list[Piece] = []
    offset, line, place = 0, 1 + head.count(b"\n"), len(head)  # of the buffer in the file; within the buffer
    while True:
        last = _find(_LAST, held, place, len(held))
        closes = held.find(b">", last) + 1 if last >= 0 else 0
        if not closes:
            block = stream.read(_BLOCK)
            if not block:
                break
            if len(held) - place > most:
                raise NotOrdinary
            _check_markup(held[-1:] + block)
            offset += place
            held, place = held[place:] + block, 0
            continue
        begins = _find(_FIRST, held, place, last)
        between = held[place : max(begins, place)]
        if begins < 0 or between.strip(_SPACE) or held[last + len(_LAST) : closes - 1].strip(_SPACE):
            raise NotOrdinary
        if _find(_FIRST, held, begins + 1, last) >= 0 or closes - begins > most:
            raise NotOrdinary
        line += between.count(b"\n")
        breaks = held.count(b"\n", begins, closes)
        if breaks > _PART_LINES:
            raise NotOrdinary
        pieces.append(Piece(offset + begins, closes - begins, line, breaks))
        line += breaks
        place = closes
    tail = held[place:]
    end = _END_OF_PATIENTS.match(tail)
    if end is None or len(tail) > _PART_BYTES or _ONLY_BEFORE.search(tail, end.end()):
        raise NotOrdinary
    return Cut(head, pieces, tail)


def _find(tag: bytes, held: bytes, start: int, end: int) -> int:
    """Return where a tag of exactly this name begins; -1 if it does not, or if its name may go on."""
    while (found := held.find(tag, start, end)) >= 0:
        if held[found + len(tag) : found + len(tag) + 1] in _AFTER_A_NAME:
            return found
        start = found + 1
    return -1


def _check_head(head: bytes, declaration: bytes) -> None:
    named = _ENCODING.search(declaration)
    encoding = named[1].lower() if named else b"utf-8"
    marked = declaration.startswith(b"\xef\xbb\xbf")
    if encoding not in _ENCODINGS or (marked and encoding != b"utf-8") or not _OPENS.search(head):
        raise NotOrdinary


def _check_markup(block: bytes) -> None:
    """Refuse comments, sections, document types and instructions: they could hide a tag."""
    # Looking for one rare byte is several times as fast as looking for two, of which one is frequent.
    for second in (b"!", b"?"):
        place = block.find(second)
        while place >= 0:
            if block[place - 1 : place] == b"<":
                raise NotOrdinary
            place = block.find(second, place + 1)


def _read(batch: Batch, stream: BinaryIO) -> None:
    found = cut(stream, min(batch.limits.record_bytes // 2, _PART_BYTES))
    around = _Around(batch)
    around.parse(found.head + found.tail)
    context = around.context(found.head)
    hashes = [_hash(_content(stream, piece), context) for piece in found.pieces]
    read: dict[int, tuple[int, Account]] = {}
    exports = []
    for group in _groups(found.pieces, hashes, batch.file.known):
        contents = [_content(stream, one.piece) for one in group]
        if [_hash(content, context) for content in contents] != [one.part_hash for one in group]:
            raise NotOrdinary  # the file changes while it is read
        export = _Patients(batch, found.head, group, read)
        export.parse(found.head + b"".join(contents) + _CLOSES)
        exports.append(export)
    for export in exports:
        export.reporters = around.reporters
        export.name_reporters()
    parts = []
    before = 0
    for number, (piece, part_hash) in enumerate(zip(found.pieces, hashes, strict=True), start=1):
        if part_hash in batch.file.known:
            records, account = batch.file.known[part_hash], None
        else:
            records, account = read[number]
        parts.append(ExportPart(number, part_hash, piece.line, before, records, account))
        before += records
    batch.skip(before - batch.count)
    if batch.count > batch.limits.records:
        raise NotOrdinary
    for account in (around.walk.account, *(account for _, account in read.values())):
        batch.account.include(account)
    if len(batch.account.unknown) >= ODD_KEPT:
        raise NotOrdinary  # the account of a whole file joins further paths
    batch.account.outcomes = OUTCOMES
    facts = {name: around.facts.get(name) or "" for name in EXPORT_FACTS}
    said = {name: text if text.strip() else None for name, text in facts.items()}
    batch.cut = CutExport(parts, said, around.reporters, OUTCOMES)


def _content(stream: BinaryIO, piece: Piece) -> bytes:
    stream.seek(piece.offset)
    return stream.read(piece.length)


def _hash(content: bytes, context: bytes) -> str:
    return blake2b(content, digest_size=16, key=context).hexdigest()


@dataclass(frozen=True)
class _Wanted:
    """A patient to read; ``skipped`` records before it are taken over."""

    number: int
    part_hash: str
    piece: Piece
    skipped: int


def _groups(
    pieces: Sequence[Piece], hashes: Sequence[str], known: Mapping[str, int]
) -> Iterator[list[_Wanted]]:
    group: list[_Wanted] = []
    skipped = size = breaks = 0
    for number, (piece, part_hash) in enumerate(zip(pieces, hashes, strict=True), start=1):
        if part_hash in known:
            skipped += known[part_hash]
            continue
        if group and (size + piece.length > _GROUP_BYTES or breaks + piece.breaks > _GROUP_LINES):
            yield group
            group, size, breaks = [], 0, 0
        group.append(_Wanted(number, part_hash, piece, skipped))
        skipped = 0
        size += piece.length
        breaks += piece.breaks
    if group:
        yield group


class _Around(Export):
    """Takes what is around the patients of a file."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(Batch(batch.file, batch.refresh, batch.limits))

    def parse(self, document: bytes) -> None:
        """Parse the file without its patients.

        Raises:
            NotOrdinary: a record is there, or an element came too often.
        """
        for event, element in events(io.BytesIO(document)):
            self.take(event, element)
        if self.root is None or self.batch.count:
            raise NotOrdinary
        if self.repeated or self.walk.rest(self.root, ROOT).repeated:
            raise NotOrdinary

    def context(self, head: bytes) -> bytes:
        """Return a hash of everything outside a patient that the content of the patient's records depends on.

        Raises:
            NotOrdinary: the patients are not where they belong.
        """
        lists = [one for one in self.root if local(one.tag) == "Menge_Patient"]
        if len(lists) != 1:
            raise NotOrdinary
        declared = _DECLARATION.match(head)
        assert declared is not None
        facts = sorted((name, text or "") for name, text in self.facts.items() if name not in EXPORT_FACTS)
        spaces = sorted((prefix or "", name) for prefix, name in lists[0].nsmap.items())
        told = repr((declared[0], str(self.root.tag), str(lists[0].tag), spaces, facts))
        return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=32).digest()


class _Patients(Export):
    """Takes a group of patients that are parsed as a document of their own.

    Attributes:
        read: place of a patient in the file to the number of its records and the account of its values.
    """

    def __init__(
        self, batch: Batch, head: bytes, wanted: Sequence[_Wanted], read: dict[int, tuple[int, Account]]
    ) -> None:
        super().__init__(batch)
        self.read = read
        self._wanted = iter(wanted)
        self._one: _Wanted | None = None
        self._below = 1 + head.count(b"\n")
        self._before = 0
        # What is around the patients is in every group and accounted for once, by _Around.
        self._around = Account()
        self.walk.keep(self._around)

    def parse(self, document: bytes) -> None:
        """Parse the document.

        Raises:
            NotOrdinary: elements are not where they belong.
        """
        for event, element in events(io.BytesIO(document)):
            self.take(event, element)
        if next(self._wanted, None) is not None:
            raise NotOrdinary

    def take(self, event: str, element: Element) -> None:
        """Take one event."""
        name = local(element.tag)
        begins = name == "Patient" and event == "start"
        if begins:
            self._begin()
        elif self._one is not None and name in _AROUND:
            raise NotOrdinary
        super().take(event, element)
        if name == "Patient" and not begins:
            self._end()

    def line(self, element: Element) -> int:
        """Return the line of an element in the file."""
        return element.sourceline + (self._one.piece.line - self._below if self._one else 0)

    def _begin(self) -> None:
        if self._one is not None or self.repeated:
            raise NotOrdinary
        self._one = next(self._wanted, None)
        if self._one is None:
            raise NotOrdinary
        self.patient = self._one.number - 1
        self.batch.skip(self._one.skipped)
        self._before = self.batch.count
        self.walk.keep(Account())

    def _end(self) -> None:
        assert self._one is not None
        self.read[self._one.number] = (self.batch.count - self._before, self.walk.account)
        self._below += self._one.piece.breaks
        self.walk.keep(self._around)
        self._one = None
