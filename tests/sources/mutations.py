"""Mutations of sound files, drawn from a seeded generator: of bytes, and of what the bytes mean."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import warnings
from collections.abc import Callable

import pydicom
from lxml import etree
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

Mutation = Callable[[bytes, random.Random], bytes]

_NUMBERS = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\xfe\xff\xdd\xe0",
    b"\1\0\0\0",
)
_TEXTS = (
    "", " ", "0", "-1", "1e999", "NaN", "9999-99-99", "2012-02-30", "00.00.0000", "31.02.2012", "[]", "null",
    "=1+1", "\u202e", "ß" * 300, "𝔘𝔫𝔦", "1\\2\\3", ";;;", '"', "'", "A" * 70_000, "\t\r\n",
    "10000-01-01", "0001-01-01", "99999999999999999999", "Größe", "C49.2", "8802/3", "E", "<x/>", "&amp;",
)  # fmt: skip
_VRS = (b"SQ", b"UN", b"OB", b"DS", b"IS", b"DA", b"PN", b"UI", b"AT", b"FD", b"US", b"UT", b"??", b"\0\0")


def _span(data: bytes, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + int(draw.expovariate(1 / 64)) + 1)


def flip(data: bytes, draw: random.Random) -> bytes:
    """A few bits turned."""
    changed = bytearray(data)
    for _n in range(draw.choice((1, 1, 2, 5, 20)) if data else 0):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def overwrite(data: bytes, draw: random.Random) -> bytes:
    """A few bytes replaced by numbers that parsers stumble on."""
    start, _ = _span(data, draw)
    number = draw.choice((*_NUMBERS, draw.randbytes(4), b"\0", b"\n", b'"', b"<", b";"))
    return data[:start] + number + data[start + len(number) :]


def truncate(data: bytes, draw: random.Random) -> bytes:
    """The end is missing."""
    return data[: draw.randrange(len(data) + 1)]


def behead(data: bytes, draw: random.Random) -> bytes:
    """The beginning is missing."""
    return data[draw.randrange(len(data) + 1) :]


def remove(data: bytes, draw: random.Random) -> bytes:
    """A piece is missing."""
    start, stop = _span(data, draw)
    return data[:start] + data[stop:]


def repeat(data: bytes, draw: random.Random) -> bytes:
    """A piece stands there more than once."""
    start, stop = _span(data, draw)
    return data[:stop] + data[start:stop] * draw.choice((1, 2, 50)) + data[stop:]


def move(data: bytes, draw: random.Random) -> bytes:
    """A piece stands elsewhere."""
    start, stop = _span(data, draw)
    rest, place = data[:start] + data[stop:], draw.randrange(len(data) + 1)
    return rest[:place] + data[start:stop] + rest[place:]


def insert(data: bytes, draw: random.Random) -> bytes:
    """Bytes that mean nothing."""
    start, _ = _span(data, draw)
    return data[:start] + draw.randbytes(draw.choice((1, 4, 8, 300))) + data[start:]


BYTES: tuple[Mutation, ...] = (flip, flip, overwrite, truncate, behead, remove, repeat, move, insert)


# --- XML ----------------------------------------------------------------------------------------------


def xml(data: bytes, draw: random.Random) -> bytes:
    """Elements swapped, nested, repeated, renamed or emptied; attributes dropped or changed."""
    root = etree.fromstring(data, etree.XMLParser(recover=True))
    if root is None:
        return data
    for _n in range(draw.choice((1, 2, 5))):
        elements = [e for e in root.iter() if isinstance(e.tag, str)]
        one, other = draw.choice(elements), draw.choice(elements)
        with contextlib.suppress(ValueError, TypeError):  # an element within itself, a text that is no XML
            _XML[draw.randrange(len(_XML))](one, other, draw)
    encoding = draw.choice(("utf-8", "utf-8", "utf-8", "iso-8859-1", "utf-16"))
    written = io.BytesIO()
    etree.ElementTree(root).write(written, encoding=encoding, xml_declaration=True)
    return written.getvalue()


def _drop(one, _other, _draw) -> None:
    if one.getparent() is not None:
        one.getparent().remove(one)


def _swap(one, other, _draw) -> None:
    above = one.getparent()
    if above is not None and other.getparent() is not None and one not in list(other.iterancestors()):
        place = above.index(one)
        other.append(one)
        above.insert(place, other)


def _nest(one, other, _draw) -> None:
    other.append(etree.fromstring(etree.tostring(one)))


def _rename(one, other, draw) -> None:
    one.tag = draw.choice((other.tag, "x", "{urn:other}Meldung", str(one.tag).rpartition("}")[2]))


def _text(one, _other, draw) -> None:
    one.text = draw.choice(_TEXTS)


def _attribute(one, _other, draw) -> None:
    if one.attrib:
        name = draw.choice(list(one.attrib))
        if draw.random() < 0.5:
            del one.attrib[name]
        else:
            one.set(name, draw.choice(_TEXTS))


def _comment(one, _other, _draw) -> None:
    one.insert(0, etree.Comment("a comment"))
    one.append(etree.ProcessingInstruction("php", "echo"))


_XML = (_drop, _swap, _nest, _rename, _text, _attribute, _comment)


# --- delimited ----------------------------------------------------------------------------------------


def delimited(data: bytes, draw: random.Random) -> bytes:
    """Columns dropped, rows cut, joined or repeated; quotes, line ends and encodings that do not belong."""
    text = data.decode("utf-8-sig", "replace") if draw.random() < 0.5 else data.decode("latin-1")
    table = [line.split(";") for line in text.splitlines()]
    for _n in range(draw.choice((1, 2, 5)) if table else 0):
        _DELIMITED[draw.randrange(len(_DELIMITED))](table, draw)
    ends = draw.choice(("\r\n", "\n", "\r", "\n\n"))
    encoding = draw.choice(("utf-8", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig", "cp037"))
    return ends.join(";".join(row) for row in table).encode(encoding, "replace")


def _column(table: list[list[str]], draw: random.Random) -> None:
    width = draw.randrange(1 + max(map(len, table)))
    for row in table:
        del row[width : width + 1]


def _cell(table: list[list[str]], draw: random.Random) -> None:
    row = draw.choice(table)
    if row:
        row[draw.randrange(len(row))] = draw.choice(_TEXTS)


def _row(table: list[list[str]], draw: random.Random) -> None:
    table.insert(draw.randrange(len(table) + 1), list(draw.choice(table)))


def _cut(table: list[list[str]], draw: random.Random) -> None:
    row = draw.choice(table)
    del row[draw.randrange(len(row) + 1) :]


def _shuffle(table: list[list[str]], draw: random.Random) -> None:
    draw.shuffle(table[0])


_DELIMITED = (_column, _cell, _cell, _row, _cut, _shuffle)


# --- DICOM --------------------------------------------------------------------------------------------


def dicom(data: bytes, draw: random.Random) -> bytes:
    """Elements dropped, emptied, exchanged; sequences repeated or left open; another transfer syntax."""
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    for _n in range(draw.choice((1, 2, 5))):
        holders = [dataset, *(i for e in dataset if e.VR == "SQ" for i in e.value)]
        holder = draw.choice(holders)
        tags = list(holder.keys())
        if tags:
            _DICOM[draw.randrange(len(_DICOM))](holder, draw.choice(tags), draw)
    syntaxes = (
        ExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    )  # fmt: skip
    dataset.file_meta.TransferSyntaxUID = draw.choice(syntaxes)
    out = io.BytesIO()
    try:
        pydicom.dcmwrite(out, dataset, enforce_file_format=False)
    except Exception:  # the change cannot be written in this syntax
        return overwrite(data, draw)
    return out.getvalue()


def dicom_headers(data: bytes, draw: random.Random) -> bytes:
    """Lengths and value representations of single elements, and of items, that lie."""
    changed = bytearray(data)
    places = [
        i for i in range(132, len(data) - 8) if data[i + 4 : i + 6].isalpha() and data[i + 1] in (0, 0x30)
    ]
    items = [i for i in range(132, len(data) - 8) if data[i : i + 4] == b"\xfe\xff\x00\xe0"]
    for _n in range(draw.choice((1, 1, 3))):
        kind = draw.random()
        if items and kind < 0.3:
            at = draw.choice(items) + 4
            changed[at : at + 4] = draw.choice((*_NUMBERS, struct.pack("<L", draw.randrange(5000))))
        elif places and kind < 0.6:
            at = draw.choice(places) + 4
            changed[at : at + 2] = draw.choice(_VRS)
        elif places:
            at = draw.choice(places) + 6
            changed[at : at + 2] = struct.pack("<H", draw.choice((0, 1, 7, 0xFFFF, draw.randrange(5000))))
    return bytes(changed)


def _delete(holder: Dataset, tag, _draw: random.Random) -> None:
    del holder[tag]


def _again(holder: Dataset, tag, draw: random.Random) -> None:
    element = holder[tag]
    if element.VR == "SQ":
        element.value = list(element.value) * draw.choice((0, 2, 3))
        element.is_undefined_length = draw.random() < 0.5


def _value(holder: Dataset, tag, draw: random.Random) -> None:
    with contextlib.suppress(Exception):  # pydicom refuses what the file may hold all the same
        holder[tag].value = draw.choice(_TEXTS)


def _kind(holder: Dataset, tag, draw: random.Random) -> None:
    with contextlib.suppress(Exception):
        holder[tag].VR = draw.choice(_VRS).decode()


_DICOM = (_delete, _again, _value, _value, _kind)

MEANINGS: dict[str, tuple[Mutation, ...]] = {
    "obds": (xml,),
    "registry": (delimited,),
    "csv": (delimited,),
    "dicom": (dicom, dicom_headers),
    "xlsx": (),
    "parquet": (),
}
"""Reader to the mutations that know its format."""


def mutate(data: bytes, reader: str, draw: random.Random) -> bytes:
    """One to three mutations in a row, of meaning as often as of bytes."""
    for _n in range(draw.choice((1, 1, 2, 3))):
        known = MEANINGS[reader]
        mutation = draw.choice(known) if known and draw.random() < 0.5 else draw.choice(BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom, which is told to write what is wrong
            try:
                data = mutation(data, draw)
            except Exception:  # too damaged already for a mutation that must understand it
                data = draw.choice(BYTES)(data, draw)
    return data
