"""Lists and opens files of the drop folder without trusting them: follows no links, opens no devices."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.printable import printable

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Entry:
    """An entry of the folder.

    Attributes:
        path: its path.
        parts: its path relative to the drop folder, as spelled by the file system.
        size: in bytes.
        mtime_ns: time of the last modification.
        fault: rule and detail, if it must not or cannot be opened.
    """

    path: Path
    parts: tuple[str, ...]
    size: int
    mtime_ns: int
    fault: tuple[str, str] | None = None


def walk(drop: Path) -> list[Entry]:
    """List all entries that are neither hidden nor folders, sorted by path."""
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
            # A folder that cannot be listed hides files and therefore becomes a finding.
            if above and (facts := _facts(here)):
                why = f"the folder cannot be listed: {type(broken).__name__}"
                yield Entry(here, above, facts.st_size, facts.st_mtime_ns, ("file.unreadable", why))
            continue
        for entry in inside:
            parts = (*above, entry.name)
            facts = None if entry.name.startswith(".") else _facts(entry)
            if facts is None:
                continue
            if stat.S_ISDIR(facts.st_mode):
                folders.append(parts)
            else:
                yield Entry(here / entry.name, parts, facts.st_size, facts.st_mtime_ns, _fault(facts.st_mode))


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
    return not all(part.isprintable() for part in parts)


def shown(parts: tuple[str, ...]) -> str:
    """Return the path in printable characters; two paths never look the same."""
    plain = "/".join(parts)
    if plain.isprintable() and "\\" not in plain:
        return plain
    spelled = os.fsencode(plain.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")
    return printable(spelled)


def open_file(path: Path) -> io.BufferedReader:
    """Open a regular file; refuses anything that has replaced it since the folder was listed.

    Raises:
        OSError: it is gone, a link, no regular file, or not readable.
    """
    # O_NONBLOCK, because opening a pipe without a writer would block forever.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("no ordinary file")
    return os.fdopen(handle, "rb")
