"""Read the files of the drop folder for a check: with the readers of the refresh, but only the first rows.

The parts left out are reported, so that a sample is not mistaken for the whole.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sarcoma_pipeline.sources import manifest, received_record, sandboxed_reader
from sarcoma_pipeline.sources.drop_folder import Entry, shown, walk
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, digest
from sarcoma_pipeline.sources.value_account import frame as accounts_frame
from sarcoma_pipeline.study.project import Project
from schemas.configuration import Limits, SourceFiles, Sources, TableLayout
from schemas.file_faults import TOO_LARGE
from schemas.received import Unread

REFRESH = "check"
"""Used in place of the id of the refresh that would read the files."""

FILES = 24
"""Maximum number of files read per source."""
BYTES = 2 * 1024**2
"""Maximum number of bytes read per source, and per spreadsheet or Parquet file, which is read entirely."""
ROWS = 2_000
"""Maximum number of records read per file."""

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]{0,500}>")
_ATTRIBUTE = re.compile(rb'\b(name|state)\s*=\s*"([^"]*)"')
_WORKBOOK_BYTES = 1024**2


@dataclass
class Delivered:
    """The data read from a drop folder.

    Attributes:
        received: received table to its records.
        files: ``file_id``, ``source``, ``path`` of the files read.
        values: ``meta.value_account`` of these files.
        counted: source to number of its files in the folder; None for files of no source.
        read: source to number of its files read.
        shortened: paths of files with only their first records read.
        left_out: paths of files too large for a check.
        sheets: path of a spreadsheet to its sheets: name, whether hidden, whether read.
    """

    received: dict[str, pl.DataFrame] = field(default_factory=dict)
    files: pl.DataFrame = field(default_factory=pl.DataFrame)
    values: pl.DataFrame = field(default_factory=pl.DataFrame)
    counted: dict[str | None, int] = field(default_factory=dict)
    read: dict[str | None, int] = field(default_factory=dict)
    shortened: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    sheets: dict[str, list[tuple[str, bool, bool]]] = field(default_factory=dict)


def read(drop: Path, sources: Sources, centre: str = "") -> Delivered:
    """Read the first files of every source, and the first records of every file.

    Args:
        drop: the folder; it exists.
        sources: the configuration of the sources.
        centre: centre of the folder, in a study with several.
    """
    found = Delivered()
    by_source: dict[int, list[Entry]] = {}
    readers: dict[int, SourceFiles | None] = {}
    for entry in walk(drop):
        source = manifest.reader_of(entry.parts, sources)
        readers[id(source)] = source
        by_source.setdefault(id(source), []).append(entry)
    chosen: list[tuple[SourceFile, Entry, SourceFiles | None]] = []
    for key, entries in by_source.items():
        source = readers[key]
        name = source.name if source else None
        found.counted[name] = len(entries)
        of_source = _chosen(entries)
        for entry in of_source:
            relative = shown((centre, *entry.parts) if centre else entry.parts)
            if entry.size > BYTES and _whole(source):
                found.left_out.append(relative)
                continue
            file = SourceFile(digest(relative), entry.path, relative, name or "", centre)
            chosen.append((file, entry, source))
            if isinstance(source, TableLayout) and source.format == "xlsx":
                found.sheets[relative] = sheets(entry.path, source.sheet)
        found.read[name] = len(of_source)
    batches = _batches(chosen, sources.limits)
    everything = received_record.frames(batch for _, batch in batches)
    found.received, shortened = _first_records(everything, sources.limits)
    found.shortened = sorted(f.relative for f, _ in batches if f.file_id in set(shortened))
    found.files = pl.DataFrame(
        [(f.file_id, f.source or None, f.relative) for f, _ in batches],
        schema={"file_id": pl.String, "source": pl.String, "path": pl.String},
        orient="row",
    )
    found.values = accounts_frame([(f.file_id, batch.account) for f, batch in batches], REFRESH)
    return found


def days(project: Project) -> pl.DataFrame:
    """Return the day of the check, as ``refresh_id`` and ``received_on``."""
    return pl.DataFrame({"refresh_id": [REFRESH], "received_on": [project.now().date()]})


def _chosen(entries: Sequence[Entry]) -> list[Entry]:
    """Choose files evenly over the folder, up to the limits; at least one."""
    step = max(1, -(-len(entries) // FILES))
    chosen, size = [], 0
    for entry in entries[::step]:
        size += min(entry.size, BYTES)
        if chosen and size > BYTES:
            break
        chosen.append(entry)
    return chosen


def _whole(source: SourceFiles | None) -> bool:
    """Return whether files of the source can only be read entirely."""
    return isinstance(source, TableLayout) and source.between_cells is None


def _batches(
    chosen: Sequence[tuple[SourceFile, Entry, SourceFiles | None]], limits: Limits
) -> list[tuple[SourceFile, Batch]]:
    """Read the files: text first, while the process starts that reads all spreadsheets."""
    order = sorted(range(len(chosen)), key=lambda place: _whole(chosen[place][2]))
    apart = any(_whole(source) for _, _, source in chosen)
    asked = (limits.held_bytes, limits.columns, limits.records)
    with sandboxed_reader.kept_open(asked) if apart else nullcontext():
        read = {place: _batch(*chosen[place], limits) for place in order}
    return [(file, read[place]) for place, (file, _, _) in enumerate(chosen)]


def _batch(file: SourceFile, entry: Entry, source: SourceFiles | None, limits: Limits) -> Batch:
    if not _whole(source):
        limits = limits.model_copy(update={"records": min(limits.records, ROWS)})
    return manifest.read(manifest.Found(file, source, {}, False, entry), REFRESH, limits)


def _first_records(
    received: dict[str, pl.DataFrame], limits: Limits
) -> tuple[dict[str, pl.DataFrame], pl.Series]:
    """Remove the notes that a file has more records than a check reads; return the ids of those files."""
    unread = received.get(Unread.table())
    if unread is None or limits.records <= ROWS:
        return received, pl.Series([], dtype=pl.String)
    meant = (pl.col("rule_id") == TOO_LARGE.id) & (pl.col("detail") == f"more than {ROWS:,} records")
    files = unread.filter(meant)["file_id"]
    return {**received, Unread.table(): unread.filter(~meant)}, files


def sheets(path: Path, named: str | None) -> list[tuple[str, bool, bool]]:
    """List the sheets of a spreadsheet: name, whether it is hidden, whether it is read.

    Args:
        path: the file.
        named: the sheet in the configuration; without one the first visible sheet is read.
    """
    try:
        with zipfile.ZipFile(path) as packed, packed.open("xl/workbook.xml") as stream:
            content = stream.read(_WORKBOOK_BYTES)
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return []
    told = []
    for element in _SHEET.findall(content):
        attributes = {
            key.decode(): html.unescape(value.decode("utf-8", "replace"))
            for key, value in _ATTRIBUTE.findall(element)
        }
        told.append((attributes.get("name", ""), attributes.get("state", "visible") != "visible"))
    visible = next((name for name, hidden in told if not hidden), told[0][0] if told else "")
    return [(name, hidden, name == (named or visible)) for name, hidden in told]
