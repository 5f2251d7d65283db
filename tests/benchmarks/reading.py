"""Compares the readers with bare parsers on the same bytes."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pydicom
from lxml import etree

from sarcoma_pipeline.sources import manifest, read_parallel
from sarcoma_pipeline.study import project
from schemas.meta import MetaFile
from tests.benchmarks.rows import Row, medians

_FILES_IN_ALL = 30_000
"""Rounds are as many as read about so many files, five at most."""


def _elements(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        for _, element in etree.iterparse(str(path)):
            count += 1
            element.clear()
    return count


def _headers(paths: list[Path]) -> None:
    for path in paths:
        pydicom.dcmread(path, stop_before_pixels=True, force=True)


def _values(paths: list[Path]) -> None:
    for path in paths:
        for _ in pydicom.dcmread(path, stop_before_pixels=True, force=True).iterall():
            pass


def _rows(paths: list[Path]) -> None:
    for path in paths:
        duckdb.execute(
            f"FROM read_csv('{path}', delim=';', encoding='latin-1', all_varchar=true, header=true)"
        ).fetchall()


def rows(root: Path, study: str) -> Iterator[Row]:
    """Measure one drop folder."""
    laid = project.load(study, root)
    limits = laid.sources.limits
    found = manifest.scan(laid.drop, laid.sources, MetaFile.empty(), "R1").to_read
    rounds = max(1, min(5, _FILES_IN_ALL // len(found)))
    of = {
        kind: [f for f in found if f.source and f.source.kind == kind]
        for kind in ("obds", "dicom", "registry")
    }

    def ours(kind: str, processes: int = 1) -> None:
        for _ in read_parallel.read_all(of[kind] if kind else found, "R1", limits, processes):
            pass

    for kind, floors in (
        ("obds", {"lxml.iterparse, elements counted": _elements}),
        (
            "dicom",
            {"pydicom, headers read": _headers, "pydicom, headers read and every value parsed": _values},
        ),
        ("registry", {"DuckDB's CSV reader": _rows}),
    ):
        paths = [f.file.path for f in of[kind]]
        size = f"{len(paths)} files, {sum(f.entry.size for f in of[kind]) / 1e6:.0f} MB"
        runs = [lambda run=run, paths=paths: run(paths) for run in floors.values()]
        own, *others = medians(rounds, lambda kind=kind: ours(kind), *runs)
        for name, cost in zip(floors, others, strict=True):
            target = "" if kind == "registry" or "every value" in name else "≤ 1.5"
            yield Row("reading", kind, size, own, name, cost, target, f"rounds: {rounds}")
    two, one = medians(min(rounds, 3), lambda: ours("", 2), lambda: ours("", 1))
    yield Row("reading", "all, two processes", f"{len(found)} files", two, "one process", one, "≤ 0.59")
