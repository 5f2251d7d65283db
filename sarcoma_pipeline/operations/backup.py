"""Backup and restore: one archive of everything that no source can deliver again, verified both ways.

An archive holds identities and the key of the pseudonyms. It is readable by its owner only, and is to be
stored as the warehouse is.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import duckdb

from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import permissions

_MANIFEST = "manifest.json"


class ArchiveDamaged(Exception):
    """The archive is not what a backup of this study wrote; nothing was restored."""


class WouldReplace(Exception):
    """There is something that the archive would replace; nothing was restored."""


def backup(project: Project, target: Path) -> list[str]:
    """Write an archive, read it back, and only then give it its name.

    Args:
        project: the study.
        target: the archive; an old one of that name is replaced.

    Returns:
        What it holds, below the project root.

    Raises:
        duckdb.IOException: a refresh holds the warehouse.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    held = duckdb.connect(str(project.warehouse), read_only=True) if project.warehouse.exists() else None
    try:
        # A reader keeps every writer out, so that file and write-ahead log belong together.
        names = _write(project, half)
    finally:
        if held is not None:
            held.close()
    _verified(project, half)
    half.replace(target)
    return names


def restore(project: Project, archive: Path, *, replace: bool = False) -> list[str]:
    """Put everything back; decisions that were taken since are kept.

    Args:
        project: the study.
        archive: as :func:`backup` wrote it.
        replace: whether a warehouse or a key that is there may be replaced.

    Returns:
        What was put back, below the project root.

    Raises:
        ArchiveDamaged: a byte is not as it was written.
        WouldReplace: something is there, and ``replace`` was not said.
    """
    names = _verified(project, archive)
    here = [p for p in (project.warehouse, project.key) if p.exists()]
    if here and not replace:
        raise WouldReplace(f"{' and '.join(p.name for p in here)} would be replaced")
    permissions.make_folders(project)
    since = decision_log.read(project.decisions)
    wal = project.warehouse.with_name(f"{project.warehouse.name}.wal")
    if wal.exists():
        wal.unlink()
    with tarfile.open(archive) as tar:
        for name in names:
            path = project.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f".{path.name}.part")
            mode = 0o644 if path.is_relative_to(project.published) else 0o600
            handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "wb") as stream, _member(tar, name) as data:
                shutil.copyfileobj(data, stream)
                stream.flush()
                os.fsync(stream.fileno())
            half.replace(path)
    decision_log.restore(project.decisions, since)
    return names


def _files(project: Project) -> Iterator[Path]:
    wal = project.warehouse.with_name(f"{project.warehouse.name}.wal")
    yield from (p for p in (project.warehouse, wal, project.decisions, project.release) if p.exists())
    for kept in (f"{project.key.name}*", f"{project.study.name}.crosswalk.*"):
        yield from sorted(project.key.parent.glob(kept))
    yield from sorted(
        p for p in (project.published / "releases").glob("*") if p.suffix in (".duckdb", ".csv")
    )


def _write(project: Project, half: Path) -> list[str]:
    sums: dict[str, str] = {}
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for path in _files(project):
                name = path.relative_to(project.root).as_posix()
                with path.open("rb") as data:
                    sums[name] = _digest(data)
                    data.seek(0)
                    _add(tar, name, data, path.stat().st_size)
            label = json.dumps({"study": project.study.name, "sha256": sums}, indent=1).encode()
            _add(tar, _MANIFEST, io.BytesIO(label), len(label))
        stream.flush()
        os.fsync(stream.fileno())
    return sorted(sums)


def _add(tar: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    tar.addfile(entry, data)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    data = tar.extractfile(name)
    if data is None:
        raise KeyError(name)
    return data


def _digest(data: IO[bytes]) -> str:
    seen = hashlib.sha256()
    while block := data.read(1 << 20):
        seen.update(block)
    return seen.hexdigest()


def _verified(project: Project, archive: Path) -> list[str]:
    try:
        with tarfile.open(archive) as tar:
            label = json.loads(_member(tar, _MANIFEST).read())
            names = sorted(m.name for m in tar if m.name != _MANIFEST)
            sums = {name: _digest(_member(tar, name)) for name in names}
    except (tarfile.TarError, EOFError, KeyError, ValueError) as broken:
        raise ArchiveDamaged(f"{archive.name} cannot be read: {type(broken).__name__}") from None
    if label["study"] != project.study.name:
        raise ArchiveDamaged(f"{archive.name} is of the study {label['study']}")
    if sums != label["sha256"]:
        raise ArchiveDamaged(f"{archive.name} is not what was written")
    own = (project.warehouse.parent, project.decisions.parent, project.published)
    for name in names:
        # An archive from elsewhere must not write anywhere else.
        if not any((project.root / name).resolve().is_relative_to(folder.resolve()) for folder in own):
            raise ArchiveDamaged(f"{archive.name} holds a file that is none of the study's")
    return names
