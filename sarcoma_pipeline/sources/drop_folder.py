"""List and open files of the drop folder without trusting them: no links are followed, no devices opened."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sarcoma_pipeline.sources.left_behind import left_behind
from schemas.printable import printable

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

NO_DELIVERY = ("file.hidden", "file.left-behind")
"""Faults of entries that are not deliveries, or not yet."""


@dataclass(frozen=True)
class Entry:
    """An entry of the folder.

    Attributes:
        drop: the drop folder.
        parts: its path relative to the drop folder, as spelled by the file system.
        size: size in bytes.
        mtime_ns: time of the last modification.
        fault: rule and detail, if it must not or cannot be opened.
    """

    drop: Path
    parts: tuple[str, ...]
    size: int
    mtime_ns: int
    fault: tuple[str, str] | None = None

    @property
    def path(self) -> Path:
        """Its path, made when it is asked for: most files are neither opened nor read again."""
        return self.drop.joinpath(*self.parts)


def walk(drop: Path) -> list[Entry]:
    """List all entries except folders, sorted by path; hidden and left-behind files have a fault.

    Files that programs leave behind are listed once per folder and kind, with their number: a delivery from
    another system may have one for each file.
    """
    return sorted(_entries(drop), key=lambda entry: entry.parts)


def _entries(drop: Path) -> Iterator[Entry]:
    folders: list[tuple[str, ...]] = [()]
    while folders:
        above = folders.pop()
        here = drop.joinpath(*above)
        try:
            with os.scandir(here) as listed:
                inside = sorted(listed, key=lambda entry: entry.name)
        except OSError as broken:
            # Files in a folder that cannot be listed would be missed: report the folder.
            if above and (facts := _facts(here)):
                why = f"the folder cannot be listed: {type(broken).__name__}"
                yield Entry(drop, above, facts.st_size, facts.st_mtime_ns, ("file.unreadable", why))
            continue
        kinds: dict[str, list[str]] = {}
        for entry in inside:
            parts = (*above, entry.name)
            facts = _facts(entry)
            if facts is None:
                continue
            if kind := left_behind(entry.name):
                kinds.setdefault(kind, []).append(entry.name)
            elif entry.name.startswith("."):
                # Size and time are left out: the file may grow every second until its sender renames it.
                yield Entry(drop, parts, 0, 0, ("file.hidden", _hidden(facts.st_mode)))
            elif stat.S_ISDIR(facts.st_mode):
                folders.append(parts)
            else:
                yield Entry(drop, parts, facts.st_size, facts.st_mtime_ns, _fault(facts.st_mode))
        for kind, names in kinds.items():
            many = f"; {len(names)} of them in this folder" if len(names) > 1 else ""
            yield Entry(drop, (*above, names[0]), 0, 0, ("file.left-behind", f"{kind}{many}"))


def _hidden(mode: int) -> str:
    what = "a folder" if stat.S_ISDIR(mode) else "a file"
    return f"{what} whose name begins with a dot"


def _facts(entry: os.DirEntry[str] | Path) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None  # it vanished since the folder was listed


def _fault(mode: int) -> tuple[str, str] | None:
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISLNK(mode):
        return "file.symlink", "a symbolic link, not followed"
    return "file.special", f"{_SPECIAL.get(stat.S_IFMT(mode), 'no ordinary file')}, not opened"


def is_odd(parts: tuple[str, ...]) -> bool:
    """Return whether the path has control characters, bidirectional marks, or bytes that are not text."""
    return not "".join(parts).isprintable()


def shown(parts: tuple[str, ...]) -> str:
    """Return the path in printable characters; different paths always look different."""
    plain = "/".join(parts)
    if plain.isprintable() and "\\" not in plain:
        return plain
    spelled = os.fsencode(plain.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")
    return printable(spelled)


def open_file(path: Path) -> io.BufferedReader:
    """Open a regular file; refuse anything that has replaced it since the folder was listed.

    Raises:
        OSError: it is gone, a link, no regular file, or not readable.
    """
    handle, _ = _opened(path)
    return os.fdopen(handle, "rb")


class Whole(NamedTuple):
    """A small file that was read as a whole.

    Attributes:
        data: its bytes.
        seen: size and time of modification of the open file after it was read.
    """

    data: bytes
    seen: tuple[int, int]


def content_or_stream(path: Path, most: int) -> Whole | io.BufferedReader:
    """Read a small file as a whole, or open a larger one; a stream costs more than such a reading.

    Args:
        path: the file, which is opened as by :func:`open_file`.
        most: maximum size of a small file, in bytes.

    Raises:
        OSError: as in :func:`open_file`.
    """
    handle, size = _opened(path)
    if size > most:
        return os.fdopen(handle, "rb")
    try:
        data = os.read(handle, size)
        after = os.fstat(handle)
    finally:
        os.close(handle)
    if len(data) != size:
        return open_file(path)  # a read that ends early is rare, but allowed: a stream reads on
    return Whole(data, (after.st_size, after.st_mtime_ns))


def _opened(path: Path) -> tuple[int, int]:
    """Open a regular file; return its handle and its size."""
    # O_NONBLOCK: opening a pipe without a writer would block forever.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        raise OSError("no ordinary file")
    return handle, facts.st_size
