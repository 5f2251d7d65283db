"""Restrict files with identities or the key to their owner, and all other files to their group.

Pages and Dagster's storage have no identities, but findings on single patients: only the group may read them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sarcoma_pipeline.study.project import Project

_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_CLOSED = stat.S_IWGRP | stat.S_IRWXO
"""Permissions that pages and Dagster's storage never have: files are 0640 or stricter, folders 0750 or
stricter."""

PAGE = 0o640
"""Mode of a published file."""


class Exposed(Exception):
    """Files with identities can be read by others; the message lists them with the command to fix each."""


def faults(project: Project) -> list[str]:
    """List files and folders that others can read or write, each with its remedy.

    Args:
        project: the study; files that do not exist yet are ignored.
    """
    return [fault for _, fault in _faults(project)]


def _faults(project: Project) -> Iterator[tuple[Path, str]]:
    for path in _restricted(project):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            continue  # it vanished meanwhile
        if mode & _OTHERS:
            name = path.relative_to(project.root)
            yield path, f"{name} has mode {mode:04o}: chmod {'700' if path.is_dir() else '600'} {name}"


def check(project: Project) -> None:
    """Refuse to work on files that others can read; folders that others can list are left to the doctor.

    Raises:
        Exposed: lists every such file with its remedy.
    """
    found = [fault for path, fault in _faults(project) if path.is_file()]
    if found:
        raise Exposed("others can read files that identify patients: " + "; ".join(found))


def close_umask() -> None:
    """Set the umask so that this process and its children create no file readable by everyone."""
    os.umask(os.umask(_CLOSED) | _CLOSED)


def close_shared(project: Project) -> None:
    """Remove permissions that an earlier version or another program granted to others."""
    for path, mode in _open_to_all(project):
        with suppress(OSError):
            path.chmod(mode & ~_CLOSED)


def shared_faults(project: Project) -> list[str]:
    """Return the folders of pages and of Dagster with files open to everyone, each with its remedy."""
    found = [path for path, _ in _open_to_all(project)]
    faults = []
    for folder in _shared(project):
        some = sum(path.is_relative_to(folder) for path in found)
        if some:
            name = folder.relative_to(project.root) if folder.is_relative_to(project.root) else folder
            faults.append(f"{some} files and folders in {name} are open to all: chmod -R g-w,o-rwx {name}")
    return faults


def _shared(project: Project) -> list[Path]:
    dagster = Path(os.environ.get("DAGSTER_HOME") or project.root / "dagster_home")
    return [dagster, project.as_released().published, project.notifications]


def _open_to_all(project: Project) -> Iterator[tuple[Path, int]]:
    """Return own files and folders that grant too much, with their modes; links are not followed."""
    for shared in _shared(project):
        waiting = [shared]
        while waiting:
            path = waiting.pop()
            try:
                facts = path.lstat()
                inside = list(path.iterdir()) if stat.S_ISDIR(facts.st_mode) else []
            except OSError:
                continue  # it vanished meanwhile
            waiting += inside
            mode = stat.S_IMODE(facts.st_mode)
            kind = stat.S_ISDIR(facts.st_mode) or stat.S_ISREG(facts.st_mode)
            if kind and mode & _CLOSED and facts.st_uid == os.geteuid():
                yield path, mode


def make_folders(project: Project) -> None:
    """Create the folders for identifying data, accessible to their owner only."""
    for folder in (project.warehouse.parent, project.decisions.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _restricted(project: Project) -> Iterator[Path]:
    for folder in (project.warehouse.parent, project.decisions.parent):
        if folder.is_dir():
            yield folder
            # DuckDB sets the mode of its write-ahead log itself: the folder's mode protects that file.
            own = sorted(folder.glob(f"{project.study.name}.*"))
            yield from (p for p in own if p.is_file() and p.suffix != ".wal")
