"""Checks that files with identities, or the key to them, can be read by their owner only."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from sarcoma_pipeline.study.project import Project

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


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
        mode = stat.S_IMODE(path.stat().st_mode)
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
