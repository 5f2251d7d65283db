"""Backup and restore: one verified archive of everything that the sources cannot deliver again.

An archive holds identities and the key of the pseudonyms. Only its owner can read it; protect it like the
warehouse.
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
    """The archive is damaged or not a backup of this study; nothing was restored."""


class WouldReplace(Exception):
    """The archive would replace existing files; nothing was restored."""


def backup(project: Project, target: Path) -> list[str]:
    """Write an archive under a temporary name, verify it, then rename it.

    Args:
        project: the study.
        target: the archive; an existing file is replaced.

    Returns:
        The files in it, relative to the project root.

    Raises:
        duckdb.IOException: a refresh has locked the warehouse.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    # An open reader locks out writers, so that the file and its write-ahead log are consistent.
    reader = duckdb.connect(str(project.warehouse), read_only=True) if project.warehouse.exists() else None
    try:
        names = _write(project, partial)
    finally:
        if reader is not None:
            reader.close()
    _verify(project, partial)
    partial.replace(target)
    return names


def restore(project: Project, archive: Path, *, replace: bool = False) -> list[str]:
    """Restore everything from an archive; decisions taken since the backup are kept.

    Args:
        project: the study.
        archive: an archive written by :func:`backup`.
        replace: whether an existing warehouse or key may be replaced.

    Returns:
        The restored files, relative to the project root.

    Raises:
        ArchiveDamaged: the archive differs from what was written.
        WouldReplace: files exist, and ``replace`` is False.
    """
    names = _verify(project, archive)
    existing = [p for p in (project.warehouse, project.key) if p.exists()]
    if existing and not replace:
        raise WouldReplace(f"{' and '.join(p.name for p in existing)} would be replaced")
    permissions.make_folders(project)
    current_decisions = decision_log.read(project.decisions)
    wal = project.warehouse.with_name(f"{project.warehouse.name}.wal")
    if wal.exists():
        wal.unlink()
    with tarfile.open(archive) as tar:
        for name in names:
            path = project.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.part")
            mode = 0o644 if path.is_relative_to(project.published) else 0o600
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "wb") as stream, _member(tar, name) as data:
                shutil.copyfileobj(data, stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
    decision_log.restore(project.decisions, current_decisions)
    return names


def _files(project: Project) -> Iterator[Path]:
    wal = project.warehouse.with_name(f"{project.warehouse.name}.wal")
    yield from (p for p in (project.warehouse, wal, project.decisions, project.release) if p.exists())
    for kept in (f"{project.key.name}*", f"{project.study.name}.crosswalk.*"):
        yield from sorted(project.key.parent.glob(kept))
    yield from sorted(
        p for p in (project.published / "releases").glob("*") if p.suffix in (".duckdb", ".csv")
    )


def _write(project: Project, target: Path) -> list[str]:
    sums: dict[str, str] = {}
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
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
    digest = hashlib.sha256()
    while block := data.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _verify(project: Project, archive: Path) -> list[str]:
    """Compare an archive with its manifest; returns the names of its files.

    Raises:
        ArchiveDamaged: a file differs, is not listed, or does not belong to the study.
    """
    try:
        with tarfile.open(archive) as tar:
            label = json.loads(_member(tar, _MANIFEST).read())
            names = sorted(m.name for m in tar if m.name != _MANIFEST)
            sums = {name: _digest(_member(tar, name)) for name in names}
    except (tarfile.TarError, EOFError, KeyError, ValueError) as broken:
        raise ArchiveDamaged(f"{archive.name} cannot be read: {type(broken).__name__}") from None
    if label["study"] != project.study.name:
        raise ArchiveDamaged(f"{archive.name} is a backup of the study {label['study']}")
    if sums != label["sha256"]:
        raise ArchiveDamaged(f"{archive.name} has changed since it was written")
    own = (project.warehouse.parent, project.decisions.parent, project.published)
    for name in names:
        # A manipulated archive must not write outside the study's folders.
        if not any((project.root / name).resolve().is_relative_to(folder.resolve()) for folder in own):
            raise ArchiveDamaged(f"{archive.name} contains a file that does not belong to the study")
    return names
