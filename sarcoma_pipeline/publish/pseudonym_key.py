"""Manages the key of the pseudonyms: created once, rotated on request; earlier keys are kept."""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sarcoma_pipeline.publish.release import KEY_BYTES, pseudonym_key, pseudonyms
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, read_only

_PARTIAL = ".part"
"""Suffix of a crosswalk until its key is in force."""


class KeyLost(Exception):
    """There are published pseudonyms but no key; a new key would silently change all of them."""


@dataclass(frozen=True)
class Rotation:
    """The result of a rotation.

    Attributes:
        patients: number of patients whose pseudonyms change.
        kept: file with the old key.
        crosswalk: CSV file with old and new pseudonyms.
    """

    patients: int
    kept: Path
    crosswalk: Path


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


def rotate(project: Project, now: dt.datetime) -> Rotation:
    """Replace the key; the next refresh gives every patient a new pseudonym.

    Args:
        project: the study, with no refresh running.
        now: the current time, which becomes part of the names of the kept files.

    Raises:
        FileNotFoundError: there is no key yet.
        FileExistsError: a key was rotated within this second.
        BlockingIOError: another process is rotating it.
        CannotOpen: a refresh has locked the warehouse, or it is damaged.
    """
    if not project.key.exists():
        raise FileNotFoundError(project.key.name)
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    kept = _kept(project, stamp)
    crosswalk = project.key.with_name(f"{project.study.name}.crosswalk.{stamp}.csv")
    new_key = secrets.token_hex(KEY_BYTES)
    with _alone(project):
        _heal(project)
        if kept.exists() or crosswalk.exists():
            raise FileExistsError(kept.name)
        # An open reader blocks writers: a refresh must not start with one key and end with another.
        with opening.connect(project.warehouse, read_only=True) as warehouse:
            ids = warehouse.execute("SELECT DISTINCT patient_id FROM curated.patient").pl()["patient_id"]
            old = pseudonyms(ids, pseudonym_key(project.key))
            pairs = old.join(pseudonyms(ids, bytes.fromhex(new_key)), on="patient_id", suffix="_new")
            _write(_begun(crosswalk), _csv(pairs))
            _write(_next(project), new_key + "\n")
            os.link(project.key, kept)
            _sync(project.key.parent)
            # A single rename: after a crash there is either the old key or the new one.
            _next(project).replace(project.key)
            _begun(crosswalk).replace(crosswalk)
            _sync(project.key.parent)
    return Rotation(pairs.height, kept, crosswalk)


def heal(project: Project) -> None:
    """Finish a rotation that was killed; a running one is left alone."""
    if not unfinished(project):
        return
    try:
        with _alone(project):
            _heal(project)
    except BlockingIOError:
        return


def unfinished(project: Project) -> list[Path]:
    """Return the temporary files of a rotation."""
    pattern = f".{project.study.name}.crosswalk.*.csv{_PARTIAL}"
    found = [*project.key.parent.glob(pattern), _next(project)]
    return sorted(path for path in found if path.exists())


def _heal(project: Project) -> None:
    """Finish a rotation if the key was replaced, else undo it, because its pseudonyms were never used."""
    for path in unfinished(project):
        if path == _next(project):
            path.unlink()
            continue
        crosswalk = path.with_name(path.name.removeprefix(".").removesuffix(_PARTIAL))
        kept = _kept(project, crosswalk.name.split(".")[-2])
        if kept.exists() and kept.read_bytes() != project.key.read_bytes():
            path.replace(crosswalk)
        else:
            # Delete the crosswalk last: while it exists, the next attempt knows what to undo.
            kept.unlink(missing_ok=True)
            path.unlink()


@contextmanager
def _alone(project: Project) -> Iterator[None]:
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


def differing(project: Project, key: Path) -> tuple[int, int]:
    """Count the pseudonyms of the warehouse that do not come from a key.

    Args:
        project: the study, or its files in another root.
        key: a key file.

    Returns:
        The number of differing pseudonyms, and the number of all.
    """
    wrong, total = 0, 0
    for centre in project.centres or ("",):
        with read_only.connect(project, centre) as warehouse:
            pairs = warehouse.execute("SELECT patient_id, pseudonym FROM curated.patient").fetchall()
        made = pseudonyms(pl.Series([p for p, _ in pairs], dtype=pl.String), pseudonym_key(key, centre))
        wrong += len(set(pairs) - set(made.iter_rows()))
        total += len(pairs)
    return wrong, total


def _kept(project: Project, stamp: str) -> Path:
    return project.key.with_name(f"{project.key.name}.{stamp}")


def _begun(crosswalk: Path) -> Path:
    return crosswalk.with_name(f".{crosswalk.name}{_PARTIAL}")


def _next(project: Project) -> Path:
    return project.key.with_suffix(".next")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def key_of(project: Project, refresh_id: str) -> Path:
    """Return the key file that a refresh used: the first one replaced after it, else the current one."""
    later = sorted(p for p in project.key.parent.glob(f"{project.key.name}.*") if p.suffix[1:] > refresh_id)
    return later[0] if later else project.key


def _csv(pairs: pl.DataFrame) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("pseudonym_before", "pseudonym"))
    lines.writerows(sorted(pairs.select("pseudonym", "pseudonym_new").iter_rows()))
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if path.suffix == ".next" else os.O_EXCL)
    with os.fdopen(os.open(path, flags, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
