"""Many files at once: read on all cores, handed over in the order of the folder, memory bounded.

A file is read by one process from beginning to end. What a process hands back are received frames of a group
of files, so that the cost of making a frame is paid by the group and not by the file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import polars as pl

from sarcoma_pipeline.sources import manifest
from sarcoma_pipeline.sources.manifest import Found
from sarcoma_pipeline.sources.record import frames
from schemas.configuration import Limits

_GROUP_FILES = 400
_GROUP_BYTES = 8 << 20
_WORTH_FILES = 1000
_WORTH_BYTES = 24 << 20
"""Below both a process more costs longer to start than it saves."""


@dataclass(frozen=True)
class Read:
    """What a group of files gave.

    Attributes:
        files: rows of ``meta.files``.
        tables: received table to frame.
    """

    files: list[dict[str, str | int | None]]
    tables: dict[str, pl.DataFrame]


def read_all(
    found: Sequence[Found], refresh: str, limits: Limits, processes: int | None = None
) -> Iterator[Read]:
    """Read files.

    Args:
        found: the files.
        refresh: id of the refresh that reads them.
        limits: what a file may ask for.
        processes: how many read; by default one for each core if there is enough to read.

    Yields:
        What each group gave, in the order of ``found``.
    """
    groups = list(_groups(found))
    if processes is None:
        much = len(found) >= _WORTH_FILES or _bytes(found) >= _WORTH_BYTES
        processes = min(len(groups), len(os.sched_getaffinity(0))) if much else 1
    if processes <= 1:
        yield from (read_group(group, refresh, limits) for group in groups)
        return
    # A fork would inherit the locks of threads that polars and Dagster hold.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from _in_order(pool, groups, refresh, limits, processes)


def read_group(found: Sequence[Found], refresh: str, limits: Limits) -> Read:
    """Read a group of files, one after the other."""
    batches = [manifest.read(one, refresh, limits) for one in found]
    rows = [{**one.row, "records": batch.count} for one, batch in zip(found, batches, strict=True)]
    return Read(rows, frames(batches))


def _in_order(
    pool: ProcessPoolExecutor, groups: list[list[Found]], refresh: str, limits: Limits, processes: int
) -> Iterator[Read]:
    waiting: deque[tuple[list[Found], Callable[[], Read]]] = deque()
    rest = iter(groups)

    def submit() -> None:
        for group in rest:
            try:
                future: Future[Read] = pool.submit(read_group, group, refresh, limits)
            except BrokenProcessPool:
                waiting.append((group, lambda group=group: read_group(group, refresh, limits)))
            else:
                waiting.append((group, future.result))
            return

    for _ in range(2 * processes):
        submit()
    while waiting:
        group, result = waiting.popleft()
        try:
            made = result()
        except BrokenProcessPool:
            # The system ended a reader, for want of memory mostly: what it had to read is read here.
            made = read_group(group, refresh, limits)
        yield made
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
