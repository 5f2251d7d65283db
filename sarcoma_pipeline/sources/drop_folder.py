"""What lies in the drop folder, looked at without trusting it: no link is followed, no device is opened."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Entry:
    """A file, or something that is none.

    Attributes:
        path: where it lies.
        parts: its path below the drop folder, as the file system spells it.
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
    """Every entry of the folder that is not hidden and not a folder, in the order of the paths."""
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
            # A folder that nobody may list hides files: that is a finding of its own.
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
    """Whether the path holds control characters, marks that turn text round, or bytes that are no text."""
    return not all(part.isprintable() for part in parts)


def shown(parts: tuple[str, ...]) -> str:
    """The path in characters that a terminal, a page and a database take; no two paths look the same."""
    plain = "/".join(parts)
    if plain.isprintable() and "\\" not in plain:
        return plain
    spelled = os.fsencode(plain.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)


def open_file(path: Path) -> io.BufferedReader:
    """Open an ordinary file, and nothing that took its place since the folder was listed.

    Raises:
        OSError: it is gone, a link, no ordinary file, or not ours to read.
    """
    # A pipe that nobody writes to would hold an ordinary open for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("no ordinary file")
    return os.fdopen(handle, "rb")
