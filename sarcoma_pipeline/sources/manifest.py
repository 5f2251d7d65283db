"""Find the files of the drop folder that are new, changed or gone, and the source that reads each.

A file is read again if its content changed, or its reader or the reader's configuration. The content is
compared only if the size or the time of modification changed; once a week the content of every file is
compared.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeAlias

import polars as pl

from sarcoma_pipeline.sources import readers
from sarcoma_pipeline.sources.drop_folder import Entry, Whole, content_or_stream, is_odd, shown, walk
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, digest
from schemas.configuration import DEFAULT_LIMITS, Limits, SourceFiles, Sources
from schemas.meta import MetaFile

_AT_ONCE_BYTES = 1 << 18
"""Largest file that is hashed from memory."""

_NO_HASH = "not hashed: "
"""Prefix that replaces the content's hash if there is none: such a file is checked in every refresh."""

_FEARED = f"{_NO_HASH}the reader ended"
"""Mark of a file that crashed or blocked its reader; perhaps memory was short, so every refresh tries
again."""


COMPARED = ("file_id", "path", "size_bytes", "mtime_ns", "content_hash", "reader_version")
"""Columns of ``meta.files`` with which the folder is compared."""


class DropFolderMissing(Exception):
    """The drop folder does not exist: nothing was delivered, or the study's ``drop`` is wrong."""


@dataclass(frozen=True)
class Found:
    """A file that must be read.

    Attributes:
        file: where it is.
        source: the source that reads it; None if no source names it.
        row: its row of ``meta.files`` without ``records``.
        changed: whether an earlier version of it is known.
        entry: its entry in the folder.
        feared: whether it crashed or blocked its reader the last time.
        unseen: whether its content changed, but neither its size nor its time of modification.
    """

    file: SourceFile
    source: SourceFiles | None
    row: dict[str, str | int | None]
    changed: bool
    entry: Entry
    feared: bool = False
    unseen: bool = False


@dataclass(frozen=True)
class Scan:
    """Result of a scan of the drop folder.

    Attributes:
        to_read: new and changed files.
        touched: ``file_id`` to mtime of files with a new time but the same content.
        unchanged: ids of all file versions that are still there.
        closed: ids of versions that are replaced or gone.
        gone: number of files that are gone without a new version.
        manifest_hash: hash of the set of file versions found.
    """

    to_read: list[Found]
    touched: dict[str, int]
    unchanged: list[str]
    closed: list[str]
    gone: int
    manifest_hash: str


def scan(
    drop: Path,
    sources: Sources,
    known: pl.DataFrame,
    refresh: str,
    centre: str = "",
    entries: Iterable[Entry] | None = None,
    *,
    verify: bool = False,
) -> Scan:
    """Compare the drop folder with the known files.

    Args:
        drop: the folder.
        sources: the configuration of the sources.
        known: :data:`COMPARED` of the open rows of ``meta.files`` (``last_refresh`` null).
        refresh: id of the refresh.
        centre: centre of the folder, in a study with several. It is put before the path, so that equal paths
            of different centres stay different files.
        entries: entries of the folder, if the caller lists them itself.
        verify: whether to compare the content of files whose size and time of modification are unchanged.

    Raises:
        DropFolderMissing: the folder does not exist.
    """
    if not drop.is_dir():
        raise DropFolderMissing(f"the drop folder {drop.name} does not exist")
    before = {row["path"]: row for row in known.select(COMPARED).iter_rows(named=True)}
    to_read: list[Found] = []
    touched: dict[str, int] = {}
    unchanged: list[str] = []
    versions = {id(s): reader_version(s, sources.limits) for s in (*sources.source, None)}
    for entry in walk(drop) if entries is None else entries:
        relative = shown((centre, *entry.parts) if centre else entry.parts)
        source = reader_of(entry.parts, sources)
        version = versions[id(source)]
        old = before.get(relative)
        hashed = old is not None and not entry.fault and not old["content_hash"].startswith(_NO_HASH)
        same_stat = old and (old["size_bytes"], old["mtime_ns"]) == (entry.size, entry.mtime_ns)
        if old and hashed and same_stat and old["reader_version"] == version and not verify:
            unchanged.append(old["file_id"])
            continue
        content = _content_hash(entry)
        replaced = old is not None and content != old["content_hash"] and not content.startswith(_NO_HASH)
        unseen = hashed and bool(same_stat) and replaced
        if old and old["reader_version"] == version and old["content_hash"] == content:
            unchanged.append(old["file_id"])
            if old["mtime_ns"] != entry.mtime_ns:
                touched[old["file_id"]] = entry.mtime_ns
            continue
        file_id = digest(relative, content, version)
        row: dict[str, str | int | None] = {
            "file_id": file_id,
            "path": relative,
            "source": source.name if source else None,
            "kind": source.kind if source else "unexpected",
            "size_bytes": entry.size,
            "mtime_ns": entry.mtime_ns,
            "content_hash": content,
            "reader_version": version,
            "first_refresh": refresh,
            "last_refresh": None,
        }
        file = SourceFile(file_id, entry.path, relative, source.name if source else "", centre, content)
        feared = old is not None and old["content_hash"] == _FEARED
        to_read.append(Found(file, source, row, old is not None, entry, feared, unseen))
    here = {*unchanged, *(str(f.row["file_id"]) for f in to_read)}
    stands = set(unchanged)
    closed = [f for f in known["file_id"].to_list() if f not in stands]
    replaced = {f.file.relative for f in to_read if f.changed}
    gone = sum(1 for path, row in before.items() if row["file_id"] not in stands and path not in replaced)
    return Scan(to_read, touched, unchanged, closed, gone, digest(*sorted(here)))


def read(found: Found, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one file with the reader of its source.

    A file without a source or that must not be opened is noted.

    A file that changed since the folder was listed is noted too, and its hash is removed from its row, so
    that the next refresh reads it again.
    """
    entry = found.entry
    if entry.fault is not None:
        batch = Batch(found.file, refresh, limits)
        batch.unread("file", *entry.fault)
    else:
        batch = _read(found, refresh, limits)
        if (entry.size, entry.mtime_ns) != (batch.seen or _stat(found.file.path)):
            batch.unread("file", "file.changing", "changed or vanished while it was read")
            found.row["content_hash"] = f"{_NO_HASH}file.changing"
    if found.unseen:
        batch.unread("content", "file.replaced-unseen", "compared with the content of the last reading")
    if is_odd(entry.parts):
        batch.unread("name", "file.name", "shown with escapes")
    return batch


def is_settled(row: Mapping[str, str | int | None]) -> bool:
    """Return whether a file had the content with this row's hash while it was read."""
    return not str(row["content_hash"]).startswith(_NO_HASH)


def refuse(found: Found, refresh: str, limits: Limits, why: str) -> Batch:
    """Note a file that crashed or blocked its reader and was not opened again; its row loses the hash."""
    batch = Batch(found.file, refresh, limits)
    batch.unread("file", "file.unreadable", why)
    found.row["content_hash"] = _FEARED
    return batch


def _read(found: Found, refresh: str, limits: Limits) -> Batch:
    source = found.source
    if source is None:
        batch = Batch(found.file, refresh, limits)
        batch.unread("file", "file.unexpected", "no source of sources.toml names it")
        return batch
    return readers.reader(source.kind).read(found.file, source, refresh, limits)


def files_frame(rows: list[dict[str, str | int | None]]) -> pl.DataFrame:
    """Return rows of :class:`Found` with ``records`` as ``meta.files``."""
    return pl.DataFrame(rows, schema=MetaFile.polars_schema())


def reader_version(source: SourceFiles | None, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return the reader's version with a hash of the settings in ``sources.toml`` that affect reading.

    Raises:
        readers.UnknownKind: there is no reader for sources of this kind.
    """
    if source is None:
        return f"unexpected {readers.unread_version()}"
    named = digest(source.reading(), limits.model_dump_json())[:8]
    return f"{source.kind} {readers.reader(source.kind).version()} {named}"


def reader_of(parts: tuple[str, ...], sources: Sources) -> SourceFiles | None:
    """Return the first source with a pattern that matches the file; None if there is none."""
    claims = (
        source for source in sources.source for pattern in source.files if _matches(parts, _steps(pattern))
    )
    return next(claims, None)


_Step: TypeAlias = "Callable[[str], object] | None"
"""Question whether a name matches; None for ``**``."""


@cache
def _steps(pattern: str) -> tuple[_Step, ...]:
    # Compiled as `fnmatchcase` does, which looks each of them up again for each file.
    return tuple(None if s == "**" else re.compile(translate(s)).match for s in pattern.split("/"))


def _matches(parts: tuple[str, ...], steps: tuple[_Step, ...]) -> bool:
    """Return whether a glob pattern matches the path; ``**`` matches any number of folders, and no file."""
    return steps[-1] is not None and bool(steps[-1](parts[-1])) and _of_folder(parts[:-1], steps[:-1])


@lru_cache(maxsize=256)
def _of_folder(parts: tuple[str, ...], steps: tuple[_Step, ...]) -> bool:
    """Return whether the steps of a pattern before its last match the folder of a file.

    Files are asked about in the order of their folders, which have many of them.
    """
    if not steps:
        return not parts
    first = steps[0]
    if first is None:
        return any(_of_folder(parts[i:], steps[1:]) for i in range(len(parts) + 1))
    return bool(parts) and bool(first(parts[0])) and _of_folder(parts[1:], steps[1:])


def _content_hash(entry: Entry) -> str:
    if entry.fault is not None:
        return _NO_HASH + ": ".join(entry.fault)
    try:
        found = content_or_stream(entry.path, _AT_ONCE_BYTES)
        if isinstance(found, Whole):
            return hashlib.blake2b(found.data, digest_size=16).hexdigest()
        with found as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as broken:
        # The reader gets the same error and reports it in a finding.
        return f"{_NO_HASH}{type(broken).__name__}"


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns
