"""Compares the readers with bare parsers on the same bytes."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pydicom
from lxml import etree

from sarcoma_pipeline.sources import manifest, obds, read_parallel
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, frames
from sarcoma_pipeline.study import project
from schemas.configuration import ObdsSource
from schemas.meta import MetaFile
from tests.benchmarks.rows import Row, medians
from tests.sources import exports

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


def _hashed(paths: list[Path], batches: list[Batch]) -> None:
    """Do what every reader must: open and hash the files, hash the records, build the frames."""
    for path in paths:
        with open_file(path) as stream:
            hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16))
    frames(batches, numbered=False)


def cumulative(folder: Path, patients: int = 2_000) -> Iterator[Row]:
    """Measure a cumulative export of which one patient in a hundred changed, beside the whole."""
    export = exports.cumulative(folder, patients)
    path = folder / "export.xml"
    path.write_bytes(export.content)
    source = ObdsSource(kind="obds", name="o", files=("*",))

    def read(known: Mapping[str, int]) -> Batch:
        batch = obds.read(SourceFile("f", path, path.name, known=known), source, "R1")
        frames([batch], numbered=False)
        return batch

    cut = read({}).cut
    assert cut is not None
    known = {part.part_hash: part.records for part in cut.parts if part.number % 100}
    some, whole = medians(5, lambda: read(known), lambda: read({}))
    size = f"{len(cut.parts):,} patients, {path.stat().st_size / 1e6:.0f} MB"
    yield Row(
        "reading", "cumulative oBDS, 1 % of patients changed", size, some, "read as a whole", whole, "≤ 0.1",
        "without writing to the warehouse",
    )  # fmt: skip


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
    batches = [manifest.read(one, "R1", limits) for one in of["dicom"]]
    paths = [f.file.path for f in of["dicom"]]
    own, floor = medians(rounds, lambda: ours("dicom"), lambda: _hashed(paths, batches))
    floors = "files opened and hashed, records hashed, frames built"
    yield Row("reading", "dicom", f"{len(paths)} files", own, floors, floor, "≤ 3")
    two, one = medians(min(rounds, 3), lambda: ours("", 2), lambda: ours("", 1))
    yield Row("reading", "all, two processes", f"{len(found)} files", two, "one process", one, "≤ 0.59")
