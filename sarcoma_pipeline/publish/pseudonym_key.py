"""Manages the key of the pseudonyms: created once, rotated on request; earlier keys are kept."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sarcoma_pipeline.publish.release import pseudonym_key
from sarcoma_pipeline.study.project import Project

_PARTIAL = ".part"
"""Suffix of a crosswalk until its key is in force."""


class KeyLost(Exception):
    """There are published pseudonyms but no key; a new key would silently change all of them."""


def ensure_key(project: Project) -> bytes:
    """Return the study's key; create it if nothing has been published yet.

    Raises:
        KeyLost: the key file is missing; the message says how to recover.
        ValueError: the file is no valid key.
    """
    heal(project)
    published = (project.as_released().release, project.as_draft().release)
    if any(path.exists() for path in published) and not project.key.exists():
        name = project.study.name
        raise KeyLost(
            f"{project.key.name} is missing, and a new key would change every pseudonym. Recover it with "
            f"sarcoma restore FILE.tar --replace. If no backup has it: sarcoma key new --study {name}"
        )
    return pseudonym_key(project.key)


def heal(project: Project) -> None:
    """Finish a rotation that was killed; a running one is left alone."""
    if not unfinished(project):
        return
    try:
        with key_locked(project):
            finish_rotation(project)
    except BlockingIOError:
        return


def unfinished(project: Project) -> list[Path]:
    """Return the temporary files of a rotation."""
    pattern = f".{project.study.name}.crosswalk.*.csv{_PARTIAL}"
    found = [*project.key.parent.glob(pattern), next_key(project)]
    return sorted(path for path in found if path.exists())


def finish_rotation(project: Project) -> None:
    """Finish a rotation if the key was replaced, else undo it, because its pseudonyms were never used."""
    for path in unfinished(project):
        if path == next_key(project):
            path.unlink()
            continue
        crosswalk = path.with_name(path.name.removeprefix(".").removesuffix(_PARTIAL))
        kept = replaced_key(project, crosswalk.name.split(".")[-2])
        if kept.exists() and kept.read_bytes() != project.key.read_bytes():
            path.replace(crosswalk)
        else:
            # Delete the crosswalk last: while it exists, the next attempt knows what to undo.
            kept.unlink(missing_ok=True)
            path.unlink()


@contextmanager
def key_locked(project: Project) -> Iterator[None]:
    """Hold the key's lock, which the system releases when the process dies.

    Raises:
        BlockingIOError: another process holds it.
    """
    handle = os.open(project.key, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def replaced_key(project: Project, stamp: str) -> Path:
    """Return the file that keeps a replaced key."""
    return project.key.with_name(f"{project.key.name}.{stamp}")


def begun_crosswalk(crosswalk: Path) -> Path:
    """Return the name of a crosswalk until its key is in force."""
    return crosswalk.with_name(f".{crosswalk.name}{_PARTIAL}")


def next_key(project: Project) -> Path:
    """Return the file of a key that is not in force yet."""
    return project.key.with_suffix(".next")


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to disk, so that they survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def key_of(project: Project, refresh_id: str) -> Path:
    """Return the key file that a refresh used: the first one replaced after it, else the current one."""
    later = sorted(p for p in project.key.parent.glob(f"{project.key.name}.*") if p.suffix[1:] > refresh_id)
    return later[0] if later else project.key
