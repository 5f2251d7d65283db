"""Read many files on all cores; results come in the order of the folder, with limited memory.

One process reads a file from beginning to end. A process returns received frames of a group of files, because
making one frame per file is slow. If there is little to read, this process reads it itself; if a file crashes
it, the next refresh reads in worker processes and finds the file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import polars as pl

from sarcoma_pipeline.sources import export_parts, manifest, value_account, worker_process
from sarcoma_pipeline.sources.export_parts import CutExport
from sarcoma_pipeline.sources.manifest import Found
from sarcoma_pipeline.sources.received_record import Batch, frames
from schemas.configuration import Limits
from schemas.meta import MetaExportPatient, MetaValueAccount

_GROUP_FILES = 400
_GROUP_BYTES = 8 << 20
_WORTH_FILES = 1000
_WORTH_BYTES = 24 << 20
"""Below both limits, starting another process takes longer than it saves."""


@dataclass(frozen=True)
class Read:
    """Result of reading a group of files.

    Attributes:
        files: rows of ``meta.files``.
        tables: frames of the received tables, of the value account and of the patients of large exports, by
            table name.
        cuts: ``file_id`` to what holds for a large export; without its patients.
    """

    files: list[dict[str, str | int | None]]
    tables: dict[str, pl.DataFrame]
    cuts: dict[str, CutExport] = field(default_factory=dict)


def read_all(
    found: Sequence[Found],
    refresh: str,
    limits: Limits,
    processes: int | None = None,
    *,
    careful: bool = False,
) -> Iterator[Read]:
    """Read files.

    Args:
        found: the files.
        refresh: id of the refresh.
        limits: limits per file.
        processes: number of processes; by default one per core if there is enough to read.
        careful: whether this process must not read itself, because the last one crashed while reading.

    Yields:
        The result of each group, in the order of ``found``.

    Raises:
        OSError: no process could be started.
    """
    groups = list(_groups(found))
    if processes is None:
        much = len(found) >= _WORTH_FILES or _bytes(found) >= _WORTH_BYTES
        processes = min(len(groups), len(os.sched_getaffinity(0))) if much else 1
    if processes <= 1 and not careful and not any(one.feared for one in found):
        yield from (read_group(group, refresh, limits) for group in groups)
        return
    with worker_process.Readers(_read_apart, joined, processes, refresh, limits) as readers:
        yield from _in_order(readers, groups, processes)


def read_group(found: Sequence[Found], refresh: str, limits: Limits) -> Read:
    """Read a group of files in this process, one after the other."""
    batches = []
    with worker_process.Watch() as watch:
        for one in found:
            watch.opens(worker_process.patience(one.entry.size))
            batches.append(manifest.read(one, refresh, limits))
    return _read(found, batches, refresh)


def joined(reads: Sequence[Read]) -> Read:
    """Join several results into one."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for read in reads:
        for table, frame in read.tables.items():
            tables.setdefault(table, []).append(frame)
    return Read(
        [row for read in reads for row in read.files],
        {table: pl.concat(frames) for table, frames in tables.items()},
        {file_id: cut for read in reads for file_id, cut in read.cuts.items()},
    )


def _read_apart(
    found: Sequence[Found],
    refresh: str,
    limits: Limits,
    opens: Callable[[int], None],
    refused: Mapping[int, str],
) -> Read:
    batches = []
    for place, one in enumerate(found):
        if place in refused:
            batches.append(manifest.refuse(one, refresh, limits, refused[place]))
        else:
            opens(place)
            batches.append(manifest.read(one, refresh, limits))
    opens(len(found))
    return _read(found, batches, refresh)


def _read(found: Sequence[Found], batches: Sequence[Batch], refresh: str) -> Read:
    rows = [
        {
            **one.row,
            "records": batch.count,
            "delivered_values": batch.account.delivered,
            "objects_by_library": batch.by_library,
        }
        for one, batch in zip(found, batches, strict=True)
    ]
    accounts = value_account.frame(((b.file.file_id, b.account) for b in batches), refresh)
    tables = {**frames(batches, numbered=False), MetaValueAccount.table(): accounts}
    cuts = {b.file.file_id: b.cut for b in batches if b.cut is not None}
    if cuts:
        parts = [export_parts.frame(cut, file_id, refresh) for file_id, cut in cuts.items()]
        tables[MetaExportPatient.table()] = pl.concat(parts)
    return Read(rows, tables, {file_id: replace(cut, parts=()) for file_id, cut in cuts.items()})


def _in_order(
    readers: worker_process.Readers[Read], groups: list[list[Found]], processes: int
) -> Iterator[Read]:
    waiting: deque[Future[Read]] = deque()
    rest = iter(groups)

    def submit() -> None:
        for group in rest:
            waiting.append(readers.submit([one.entry.size for one in group], group))
            return

    for _ in range(2 * processes):
        submit()
    while waiting:
        yield waiting.popleft().result()
        submit()


def _groups(found: Sequence[Found]) -> Iterator[list[Found]]:
    group: list[Found] = []
    size = 0
    for one in found:
        if group and (len(group) == _GROUP_FILES or size + one.entry.size > _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.entry.size
    if group:
        yield group


def _bytes(found: Sequence[Found]) -> int:
    return sum(one.entry.size for one in found)
