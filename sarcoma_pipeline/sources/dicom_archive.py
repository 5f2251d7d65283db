"""Read ZIP exports of DICOM files: every entry is treated like a file of a folder, with the same limits.

Nothing is unpacked to disk. The sizes in the archive's directory are not trusted; the bytes that were read
count.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from sarcoma_pipeline.sources.received_record import Stopped
from schemas.configuration import Limits

MARKS = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of an archive with entries, and of an empty one (APPNOTE.TXT 4.3.7, 4.3.16)."""

_PIECE = 1024**2
_MOST_UNPACKED = 100
"""Maximum unpacked size as a multiple of the archive's size; images and doses shrink to 1/2 to 1/20."""
_ENCRYPTED = 0x1


class _Wary:
    """A stream that refuses to return more bytes than may be parsed in one piece."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self.stream = stream
        self.most = most
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, count: int = -1) -> bytes:
        content = self.stream.read(self.most + 1 if count < 0 else min(count, self.most + 1))
        if len(content) > self.most:
            raise Stopped("file", "file.too-large", "the archive's directory is too long")
        return content


def entries(stream: BinaryIO, size: int, limits: Limits) -> Iterator[tuple[str, BinaryIO | Stopped]]:
    """Yield the entries of an archive in the order of its directory, without folders and hidden files.

    Args:
        stream: the archive.
        size: size of the archive in bytes.
        limits: limits per file; every entry counts as a file.

    Yields:
        Position and content of the entry, or its fault. Entries are numbered, not named, because their names
        may contain names of patients.

    Raises:
        Stopped: the archive as a whole cannot be read, or the rest of it would be too large.
    """
    try:
        archive = zipfile.ZipFile(cast(BinaryIO, _Wary(stream, limits.record_bytes)))
    except Stopped:
        raise
    except Exception:
        # The directory is at the end of the archive: a truncated export has none.
        raise Stopped("file", "file.truncated", "the archive ends before its directory") from None
    left = limits.held_bytes + _MOST_UNPACKED * size
    with archive:
        for number, info in enumerate(archive.infolist(), start=1):
            if info.is_dir() or any(part.startswith(".") for part in info.filename.split("/")):
                continue
            position = f"archive entry {number}"
            if info.flag_bits & _ENCRYPTED:
                yield position, Stopped(position, "file.unreadable", "the entry is encrypted")
                continue
            try:
                content = _unpacked(archive, info, min(limits.held_bytes, left))
            except Exception as broken:  # each compression method raises exceptions of its own
                why = f"the entry cannot be unpacked: {type(broken).__name__}"
                yield position, Stopped(position, "file.unreadable", why)
                continue
            left -= len(content)
            if left <= 0:
                raise Stopped(position, "file.too-large", "the archive holds too much when unpacked")
            if len(content) > limits.held_bytes:
                why = f"more than {limits.held_bytes:,} bytes when unpacked"
                yield position, Stopped(position, "file.too-large", why)
                continue
            yield position, io.BytesIO(content)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Return the content of an entry, or one byte more than allowed if it is too long."""
    content = bytearray()
    with archive.open(info) as stream:
        while len(content) <= most and (piece := stream.read(min(_PIECE, most + 1 - len(content)))):
            content += piece
    return bytes(content)
