"""Hostile DICOM files."""

import struct
import zlib

from tests.sources.hostile_kinds import MEGA, kind

META = "1.2.840.10008.1.2"
IMPLICIT, EXPLICIT, DEFLATED = META, f"{META}.1", f"{META}.1.99"
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
OPEN = 0xFFFFFFFF


def element(tag: int, vr: str, value: bytes = b"", length: int | None = None) -> bytes:
    """An element in explicit VR little endian; ``length`` may lie."""
    length = len(value) if length is None else length
    long = vr in ("OB", "OW", "SQ", "UN", "UT", "UC")
    size = struct.pack("<HL", 0, length) if long else struct.pack("<H", length)
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + size + value


def item(content: bytes = b"", length: int | None = None) -> bytes:
    """A sequence item; ``length`` may lie."""
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def dicom(*elements: bytes, syntax: str = EXPLICIT, zeros: int = 0) -> bytes:
    """A file of a plan with these elements after its SOP class and Modality, and after them so many zeros."""
    uid = syntax.encode().ljust(len(syntax) + len(syntax) % 2, b"\0")
    meta = element(0x00020010, "UI", uid)
    head = element(0x00080016, "UI", PLAN.encode().ljust(30, b"\0")) + element(0x00080060, "CS", b"RTPLAN")
    body = head + b"".join(elements)
    if syntax == DEFLATED:
        # A block that ends with a full flush rests on none before it: one stands for all of them.
        block, last = zlib.compressobj(9, wbits=-15), zlib.compressobj(9, wbits=-15)
        before = block.compress(body) + block.flush(zlib.Z_FULL_FLUSH)
        more = block.compress(bytes(MEGA)) + block.flush(zlib.Z_FULL_FLUSH)
        body = before + more * (zeros // MEGA) + last.compress(bytes(zeros % MEGA)) + last.flush()
    group = element(0x00020000, "UL", struct.pack("<L", len(meta)))
    return bytes(128) + b"DICM" + group + meta + body


BEAMS, PATIENT_ID, PATIENT_NAME, FRACTIONS = 0x300A00B0, 0x00100020, 0x00100010, 0x300A0070


@kind("dicom/a-value-of-4-GB", "file.truncated")
def _(to):
    return dicom(element(PATIENT_ID, "UT", b"1234", length=0xFFFFFFF0))


@kind("dicom/a-sequence-of-4-GB", "file.truncated")
def _(to):
    return dicom(element(FRACTIONS, "SQ", item(b""), length=0xFFFFFFF0))


@kind("dicom/an-item-of-4-GB", "file.unreadable", position="file FractionGroupSequence", records=1)
def _(to):
    return dicom(element(FRACTIONS, "SQ", item(element(PATIENT_ID, "LO", b"12"), length=0xFFFFFFF0)))


@kind("dicom/a-meta-group-of-4-GB", "file.truncated", "file.unreadable")
def _(to):
    lie = element(0x00020001, "OB", b"\0\1", length=0xFFFFFFF0)
    return bytes(128) + b"DICM" + lie + dicom()[132:]


@kind("dicom/a-sequence-that-never-ends", "file.truncated")
def _(to):
    return dicom(element(FRACTIONS, "SQ", item(element(PATIENT_ID, "LO", b"12"), OPEN), length=OPEN))


@kind("dicom/a-value-that-never-ends", "file.truncated", "file.unreadable")
def _(to):
    yield dicom(element(PATIENT_ID, "OB", b"", length=OPEN))
    for _n in range(20):
        yield b"x" * MEGA


@kind("dicom/deep-and-open", "file.truncated", "file.unreadable")
def _(to):
    level = element(FRACTIONS, "SQ", item(b"", OPEN), length=OPEN)
    return dicom(level * 100_000)


@kind("dicom/deep-and-closed", "file.unreadable", records=1, position="file FractionGroupSequence")
def _(to):
    inner = b""
    for _n in range(2000):
        inner = element(FRACTIONS, "SQ", item(inner))
    return dicom(inner)


@kind("dicom/ten-million-items", "file.too-large", position="file BeamSequence")
def _(to):
    items = item() * 131_072
    yield dicom(element(FRACTIONS, "SQ", item()), element(BEAMS, "SQ", b"", length=80 * len(items)))
    for _n in range(80):
        yield items


@kind("dicom/items-without-an-end", "file.too-large")
def _(to):
    yield dicom(element(BEAMS, "SQ", b"", length=OPEN))
    for _n in range(80):
        yield item() * 131_072


@kind("dicom/a-list-of-numbers-without-an-end", "file.unreadable", position="file PatientName", records=1)
def _(to):
    yield dicom(
        element(PATIENT_NAME, "UC", b"", length=60 * MEGA),
    )
    for _n in range(60):
        yield b"1\\" * (MEGA // 2)
    yield element(FRACTIONS, "SQ", item())


@kind("dicom/inflates-to-a-gigabyte", "file.too-large")
def _(to):
    long = element(PATIENT_ID, "UT", b"", length=1024 * MEGA)
    return dicom(long, syntax=DEFLATED, zeros=1024 * MEGA)


@kind("dicom/elements-without-an-end", "file.too-large")
def _(to):
    yield dicom()
    for _n in range(32):
        yield element(0x00091001, "LO") * (MEGA // 8)
