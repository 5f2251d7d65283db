"""The manifest: which files lie in the drop folder, which are new, changed or gone, and who reads them.

A file is read again only if its size or time of modification changed and then its content did too, or if its
reader or the reader's configuration changed (design section 8).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sarcoma_pipeline.sources import obds, registry, tables
from sarcoma_pipeline.sources.record import Batch, SourceFile, digest
from schemas.configuration import RegistrySource, Source, Sources, TableSource
from schemas.meta import MetaFile

READER_VERSIONS = {"registry": "1", "obds": "1", "dicom": "1", "table": "1", "unexpected": "1"}
"""Raise a reader's number when it reads the same bytes differently."""


class DropFolderMissing(Exception):
    """There is no drop folder: nothing was delivered, or the study's ``drop`` is wrong."""


@dataclass(frozen=True)
class Found:
    """A file that must be read.

    Attributes:
        file: where it is.
        source: who reads it; None if nobody does.
        row: its row of ``meta.files`` but for ``records``.
        changed: whether an earlier version of it is known.
    """

    file: SourceFile
    source: Source | None
    row: dict[str, str | int | None]
    changed: bool


@dataclass(frozen=True)
class Scan:
    """What a look into the drop folder found.

    Attributes:
        to_read: new and changed files.
        touched: ``file_id`` to (size, mtime) of files whose content is as before.
        unchanged: ids of all file versions that are still there.
        closed: ids of versions that are replaced or gone.
        gone: how many of those have no successor.
        manifest_hash: names the set of file versions found.
    """

    to_read: list[Found]
    touched: dict[str, int]
    unchanged: list[str]
    closed: list[str]
    gone: int
    manifest_hash: str


def scan(drop: Path, sources: Sources, known: pl.DataFrame, refresh: str) -> Scan:
    """Compare the drop folder with what is known.

    Args:
        drop: the folder.
        sources: who reads what.
        known: open rows of ``meta.files`` (``last_refresh`` null).
        refresh: id of the refresh that looks.

    Raises:
        DropFolderMissing: the folder does not exist.
    """
    if not drop.is_dir():
        raise DropFolderMissing(f"the drop folder {drop.name} does not exist")
    before = {row["path"]: row for row in known.iter_rows(named=True)}
    claimed = _claims(drop, sources)
    to_read: list[Found] = []
    touched: dict[str, int] = {}
    unchanged: list[str] = []
    for path in sorted(drop.rglob("*")):
        relative = path.relative_to(drop).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in Path(relative).parts):
            continue
        source = claimed.get(path)
        version = reader_version(source)
        stat = path.stat()
        old = before.get(relative)
        same_reader = old is not None and old["reader_version"] == version
        if old and same_reader and (old["size_bytes"], old["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns):
            unchanged.append(old["file_id"])
            continue
        content = _content_hash(path)
        if old and same_reader and old["content_hash"] == content:
            unchanged.append(old["file_id"])
            touched[old["file_id"]] = stat.st_mtime_ns
            continue
        file_id = digest(relative, content, version)
        row: dict[str, str | int | None] = {
            "file_id": file_id,
            "path": relative,
            "source": source.name if source else None,
            "kind": source.kind if source else "unexpected",
            "size_bytes": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "content_hash": content,
            "reader_version": version,
            "first_refresh": refresh,
            "last_refresh": None,
        }
        to_read.append(Found(SourceFile(file_id, path, relative), source, row, old is not None))
    here = {*unchanged, *(str(f.row["file_id"]) for f in to_read)}
    closed = [f for f in known["file_id"].to_list() if f not in set(unchanged)]
    replaced = {f.file.relative for f in to_read if f.changed}
    gone = sum(1 for path, row in before.items() if row["file_id"] in closed and path not in replaced)
    return Scan(to_read, touched, unchanged, closed, gone, digest(*sorted(here)))


def read(found: Found, refresh: str) -> Batch:
    """Read one file with its source's reader; a file that no source reads is noted as unexpected."""
    source = found.source
    if source is None:
        batch = Batch(found.file, refresh)
        batch.unread("file", "file.unexpected", "no source of sources.toml names it")
        return batch
    if isinstance(source, RegistrySource):
        return registry.read(found.file, source, refresh)
    if isinstance(source, TableSource):
        return tables.read(found.file, source, refresh)
    if source.kind == "obds":
        return obds.read(found.file, refresh)
    # A night without a new plan need not pay for importing pydicom.
    from sarcoma_pipeline.sources import dicom

    return dicom.read(found.file, refresh)


def files_frame(rows: list[dict[str, str | int | None]]) -> pl.DataFrame:
    """Rows of :class:`Found` with ``records``, as ``meta.files``."""
    return pl.DataFrame(rows, schema=MetaFile.polars_schema())


def reader_version(source: Source | None) -> str:
    """The reader's version with a hash of what in ``sources.toml`` decides what it reads."""
    if source is None:
        return READER_VERSIONS["unexpected"]
    # A table's mapping is applied after reading: all cells are kept, so that a new mapping needs no reading.
    decides = (
        source.model_dump_json(exclude={"entities", "date_format", "decimal", "missing", "separator"})
        if isinstance(source, TableSource)
        else source.model_dump_json(exclude={"files", "date_formats", "phantom_patterns"})
    )
    needed = ",".join(source.headers()) if isinstance(source, TableSource) else ""
    return f"{source.kind} {READER_VERSIONS[source.kind]} {digest(decides, needed)[:8]}"


def _claims(drop: Path, sources: Sources) -> dict[Path, Source]:
    claimed: dict[Path, Source] = {}
    for source in sources.source:
        for pattern in source.files:
            for path in drop.glob(pattern):
                claimed.setdefault(path, source)
    return claimed


def _content_hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as broken:
        # The reader will meet the same and say so in a finding.
        return f"unreadable: {type(broken).__name__}"
