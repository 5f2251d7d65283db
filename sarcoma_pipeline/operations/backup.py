"""Backup and restore: one verified archive of everything that the sources cannot deliver again.

An archive holds identities and the key of the pseudonyms. Only its owner can read it; protect it like the
warehouse.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace as with_other
from pathlib import Path
from typing import IO

import duckdb

from sarcoma_pipeline.operations import key_rotation
from sarcoma_pipeline.publish import pseudonym_key, public_record
from sarcoma_pipeline.publish.release import read_label
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, permissions

_MANIFEST = "manifest.json"
_CHECKING = ".restoring-"
"""Prefix of the folder in which an archive is checked."""
_STAMP = r"[0-9]{8}T[0-9]{6}Z"


class ArchiveDamaged(Exception):
    """The archive is damaged or not a backup of this study; nothing was restored."""


class KeyOfAnother(Exception):
    """The archive's key belongs to another study or centre; nothing was restored."""


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
        CannotOpen: a refresh has locked the warehouse, or it is damaged.
        KeyOfAnother: key and warehouse do not match, so that the archive could not be restored.
    """
    pseudonym_key.heal(project)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    # An open reader blocks writers, so that the file and its write-ahead log are consistent.
    reader = opening.connect(project.warehouse, read_only=True) if project.warehouse.exists() else None
    try:
        names = _write(project, partial)
    finally:
        if reader is not None:
            reader.close()
    try:
        _check_key(project, partial, _verify(project, partial))
    except KeyOfAnother:
        partial.unlink()
        raise
    partial.replace(target)
    return names


def restore(project: Project, archive: Path, *, replace: bool = False) -> list[str]:
    """Restore everything from an archive; decisions and public versions since the backup are kept.

    Args:
        project: the study.
        archive: an archive written by :func:`backup`.
        replace: whether an existing warehouse or key may be replaced.

    Returns:
        The restored files, relative to the project root.

    Raises:
        ArchiveDamaged: the archive has changed since it was written.
        KeyOfAnother: the archive's key does not match its pseudonyms, or was never used here.
        WouldReplace: files exist, and ``replace`` is False.
    """
    names = _verify(project, archive)
    existing = [p for p in (project.warehouse, project.key) if p.exists()]
    if existing and not replace:
        raise WouldReplace(f"{' and '.join(p.name for p in existing)} would be replaced")
    permissions.make_folders(project)
    pseudonym_key.heal(project)
    _check_key(project, archive, names)
    _check_is_ours(project, archive, names)
    try:
        public = public_record.versions(project)
    except ValueError:
        public = []  # damaged: replaced by the one in the archive
    decision_log.read(project.decisions)  # a damaged log must be repaired first
    # Remove identities left by a killed restore.
    for left in project.warehouse.parent.glob(f"{_CHECKING}*"):
        shutil.rmtree(left)
    wal = project.warehouse.with_name(f"{project.warehouse.name}.wal")
    if wal.exists():
        wal.unlink()
    with tarfile.open(archive) as tar:
        _keep_key(project, tar, names)
        for name in names:
            path = project.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.part")
            mode = permissions.PAGE if path.is_relative_to(project.published) else 0o600
            _extract(tar, name, partial, mode)
            if path == project.decisions and path.exists():
                # The log is never replaced: a crash would lose the decisions taken since the backup.
                decision_log.restore(path, decision_log.read(partial))
                partial.unlink()
            else:
                partial.replace(path)
    public_record.keep(project, public)
    return names


def _files(project: Project) -> Iterator[Path]:
    folders = (
        project.key.parent,
        project.decisions.parent,
        project.published,
        project.published / "releases",
    )
    for path in sorted(path for folder in folders for path in folder.glob("*")):
        if _is_own(project, path.relative_to(project.root).as_posix()) and path.is_file():
            if path.is_symlink():
                raise ArchiveDamaged(f"{path.name} is a link")
            yield path


def _is_own(project: Project, name: str) -> bool:
    """Return whether a backup of the study may contain a file of this name, relative to the root."""
    study = re.escape(project.study.name)
    forms = (
        rf"data/warehouse/{study}\.(duckdb|duckdb\.wal|key|key\.{_STAMP}|crosswalk\.{_STAMP}\.csv"
        r"|public\.jsonl)",
        rf"data/decisions/{study}\.csv",
        rf"data/decisions/{study}\.(samples|reviews)\.csv",
        rf"data/published/{study}/(cohort\.duckdb|releases/(log\.csv|[0-9A-Za-z-]+\.duckdb))",
    )
    return any(re.fullmatch(form, name, re.ASCII) for form in forms)


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


def _extract(tar: tarfile.TarFile, name: str, path: Path, mode: int) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as stream, _member(tar, name) as data:
        shutil.copyfileobj(data, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _verify(project: Project, archive: Path) -> list[str]:
    """Compare an archive with its manifest, and return the names of its files.

    Raises:
        ArchiveDamaged: a file differs, is not listed, occurs twice, is a link, or does not belong to the
            study.
    """
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            label = json.loads(_member(tar, _MANIFEST).read())
            study, expected = label["study"], dict(label["sha256"])
            names = sorted(m.name for m in members if m.name != _MANIFEST)
            odd = [m for m in members if not m.isreg()]
            sums = {} if odd else {name: _digest(_member(tar, name)) for name in names}
    except (tarfile.TarError, EOFError, KeyError, TypeError, ValueError) as broken:
        raise ArchiveDamaged(f"{archive.name} cannot be read: {type(broken).__name__}") from None
    if odd:
        raise ArchiveDamaged(f"{archive.name} contains a link, a folder or a device; a backup has only files")
    if study != project.study.name:
        raise ArchiveDamaged(f"{archive.name} is a backup of the study {study}")
    if len(members) != len(sums) + 1:
        raise ArchiveDamaged(f"{archive.name} contains a file twice")
    # A manipulated archive must not write outside the study's folders, nor leave a file that other programs
    # trust.
    if not all(_is_own(project, name) for name in names):
        raise ArchiveDamaged(f"{archive.name} contains a file that does not belong to the study")
    if sums != expected:
        raise ArchiveDamaged(f"{archive.name} has changed since it was written")
    return names


def _check_key(project: Project, archive: Path, names: list[str]) -> None:
    """Compare key, warehouse and release of an archive with each other, in a temporary folder.

    Raises:
        ArchiveDamaged: the archive's database cannot be read, or its release belongs to another study.
        KeyOfAnother: none of its keys matches the pseudonyms of its warehouse.
    """
    permissions.make_folders(project)
    with tempfile.TemporaryDirectory(prefix=_CHECKING, dir=project.warehouse.parent) as folder:
        there = with_other(project, root=Path(folder))
        with tarfile.open(archive) as tar:
            for name in names:
                path = there.root / name
                if path.parent == there.warehouse.parent or path == there.release:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    _extract(tar, name, path, 0o600)
        label = read_label(there.release) if there.release.exists() else None
        if label and label["study"] != project.study.name:
            raise ArchiveDamaged(f"{archive.name} has the release of the study {label['study']}")
        if not there.warehouse.exists():
            return
        # After a rotation and before the next refresh, the warehouse still has the pseudonyms of the old key.
        kept = sorted(there.key.parent.glob(f"{there.key.name}.*"))[-1:]
        keys = [key for key in (there.key, *kept) if key.exists()]
        try:
            if not keys or any(key_rotation.differing(there, key)[0] == 0 for key in keys):
                return
        except (duckdb.CatalogException, duckdb.BinderException):
            return  # from a version before the warehouse stored pseudonyms
        except duckdb.Error as broken:
            raise ArchiveDamaged(f"its warehouse cannot be read: {type(broken).__name__}") from None
        except ValueError:
            raise ArchiveDamaged("its key is no key") from None
    raise KeyOfAnother(
        "the key did not make the pseudonyms of the warehouse: it is another study's or centre's"
    )


def _check_is_ours(project: Project, archive: Path, names: list[str]) -> None:
    """Compare the archive's keys with the present and former keys of this study.

    Raises:
        KeyOfAnother: they have none in common: the archive belongs to another centre, with a study of the
            same name.
    """
    here = {path.read_bytes().strip() for path in project.key.parent.glob(f"{project.key.name}*")}
    with tarfile.open(archive) as tar:
        keys = {_member(tar, name).read().strip() for name in names if ".key" in Path(name).name}
    if here and keys and not here & keys:
        raise KeyOfAnother(
            "its key was never the key here: it is another study's or centre's. If it is the right one, "
            f"move data/warehouse/{project.key.name}* to a safe place first"
        )


def _keep_key(project: Project, tar: tarfile.TarFile, names: list[str]) -> None:
    """Keep the key that the archive replaces, because releases since the backup were made with it."""
    name = project.key.relative_to(project.root).as_posix()
    if name not in names or not project.key.exists():
        return
    kept = project.key.with_name(f"{project.key.name}.{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}")
    if _member(tar, name).read().strip() != project.key.read_bytes().strip() and not kept.exists():
        os.link(project.key, kept)
