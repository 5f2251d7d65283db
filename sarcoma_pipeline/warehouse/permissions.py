"""Who may read what holds or unlocks identities: its owner, and nobody else."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from sarcoma_pipeline.study.project import Project

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Exposed(Exception):
    """Files with identities are open to others; the message says which, and the command that mends it."""


def faults(project: Project) -> list[str]:
    """What others may read or write, each with its remedy.

    Args:
        project: the study; what does not exist yet is no fault.
    """
    return [fault for _, fault in _faults(project)]


def _faults(project: Project) -> Iterator[tuple[Path, str]]:
    for path in _restricted(project):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            name = path.relative_to(project.root)
            yield path, f"{name} has mode {mode:04o}: chmod {'700' if path.is_dir() else '600'} {name}"


def check(project: Project) -> None:
    """Refuse to work on identities that others may read; that a folder may be listed is left to the doctor.

    Raises:
        Exposed: with every file and its remedy.
    """
    found = [fault for path, fault in _faults(project) if path.is_file()]
    if found:
        raise Exposed("others may read what identifies patients: " + "; ".join(found))


def make_folders(project: Project) -> None:
    """Make the folders of what identifies patients, for their owner only."""
    for folder in (project.warehouse.parent, project.decisions.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _restricted(project: Project) -> Iterator[Path]:
    for folder in (project.warehouse.parent, project.decisions.parent):
        if folder.is_dir():
            yield folder
            # DuckDB makes its write-ahead log as it likes: the folder is what guards that one.
            own = sorted(folder.glob(f"{project.study.name}.*"))
            yield from (p for p in own if p.is_file() and p.suffix != ".wal")
