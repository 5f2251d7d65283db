"""Mutated files through the readers, and what must hold of every one of them."""

from __future__ import annotations

import datetime as dt
import faulthandler
import io
import random
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality import accounting
from sarcoma_pipeline.quality.curate import curate
from sarcoma_pipeline.sources import readers
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, digest
from sarcoma_pipeline.synthetic import render
from schemas.configuration import TableSource, load_study
from schemas.contract import CONTRACTS
from schemas.file_faults import FILE_FAULTS
from schemas.received import PROVENANCE
from tests.sources.mutations import mutate

REPOSITORY = Path(__file__).parents[2]
SOURCES = load_study(REPOSITORY / "data/studies/sts_imrt")[1]
_TABLE = next(s for s in SOURCES.source if isinstance(s, TableSource))
_SHARES = {"obds": 35, "dicom": 35, "registry": 12, "csv": 12, "xlsx": 3, "parquet": 3}
"""Per cent of the files; a spreadsheet takes a process of its own, and most of its mutations a checksum."""
HANGS_AFTER = 120
"""Seconds after which a file counts as a hang: the process is ended, with its stacks."""


@dataclass(frozen=True)
class Seed:
    """A sound file and the reader it belongs to."""

    reader: str
    name: str
    content: bytes


def seeds(folder: Path) -> list[Seed]:
    """One or two sound files of every kind, from the rendered demo."""
    render.demo(folder, 7, REPOSITORY / "data/demo")
    found = [Seed("obds", p.name, p.read_bytes()) for p in sorted((folder / "obds").iterdir())]
    found = [seed for seed in found if 200 < len(seed.content) < 30_000]
    replies = [Seed("registry", p.name, p.read_bytes()) for p in sorted((folder / "registry").iterdir())]
    found += [seed for seed in replies if seed.content]
    sheet = (folder / "tables/sarkomtabelle.csv").read_bytes()
    frame = pl.read_csv(sheet, separator=";", infer_schema=False, encoding="cp1252")
    for write, kind in ((frame.write_excel, "xlsx"), (frame.write_parquet, "parquet")):
        write(out := io.BytesIO())
        found.append(Seed(kind, f"sarkomtabelle.{kind}", out.getvalue()))
    found.append(Seed("csv", "sarkomtabelle.csv", sheet))
    patients = sorted((folder / "dicom").iterdir())[:4]
    for patient in patients:
        by_kind = {p.name[:2]: p for p in sorted(patient.rglob("*.dcm"))}
        found += [Seed("dicom", p.name, p.read_bytes()) for p in by_kind.values()]
    return found


def read(path: Path, reader: str, name: str) -> Batch:
    """The file by the reader, as the manifest would do it."""
    kind = "table" if reader in ("csv", "tsv", "xlsx", "parquet") else reader
    of = next(one.name for one in SOURCES.source if one.kind == kind)
    file = SourceFile(digest(name), path, name, of)
    if reader in readers.READERS:
        (source,) = (s for s in SOURCES.source if s.kind == reader)
    else:
        delimiter = _TABLE.delimiter if reader == "csv" else None
        source = _TABLE.model_copy(update={"format": reader, "delimiter": delimiter})
    return readers.reader(source.kind).read(file, source, "R1", SOURCES.limits)


def _files(received: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Who reads the files of the records, as ``meta.files`` says it."""
    kinds = {source.kind: source.name for source in SOURCES.source}
    rows = [
        (file_id, file_id, kinds.get(table.partition(".")[2].partition("_")[0]))
        for table, frame in received.items()
        for file_id in frame["file_id"].unique()
        if table != "received.unread"
    ]
    return pl.DataFrame(
        rows, schema={"file_id": pl.String, "path": pl.String, "source": pl.String}, orient="row"
    ).unique("file_id")


def broken_account(batch: Batch) -> str | None:
    """What does not hold of the value account of one file; None if all does."""
    account = batch.account
    found = sum(account.counts.values()) + sum(account.unknown.values())
    if found != account.delivered:
        return f"{account.delivered} values delivered, {found} accounted for"
    if stray := account.counts.keys() - account.outcomes.keys():
        return f"values of {sorted(stray)[:3]} without an outcome"
    return None


def broken_promise(frames: dict[str, pl.DataFrame]) -> str | None:
    """What does not hold of the frames of one file that is not empty; None if all does."""
    ids = [one for frame in frames.values() for one in frame["record_id"]]
    if not ids:
        return "neither a record nor a note"
    if len(set(ids)) != len(ids):
        return "a record id stands twice"
    for table, frame in frames.items():
        CONTRACTS[table].enforce(frame)
        if frame.select(PROVENANCE[:-1]).null_count().sum_horizontal().item():
            return f"{table} has a record without provenance"
    unread = frames.get("received.unread")
    if unread is not None and not set(unread["rule_id"]) <= set(FILE_FAULTS):
        return "an unknown rule"
    return None


def cases(found: list[Seed], count: int, seed: int) -> Iterator[tuple[int, Seed, bytes]]:
    """Number, origin and content of mutated files; the same seed gives the same files."""
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        reader = draw.choices(list(_SHARES), list(_SHARES.values()))[0]
        origin = draw.choice([one for one in found if one.reader == reader])
        yield number, origin, mutate(origin.content, reader, draw)


@dataclass
class Outcome:
    """What a run met.

    Attributes:
        files: how many were read.
        records: received table to records.
        rules: file rule to notes.
        failures: case number to what went wrong.
        gave_up: notes of exceptions that a reader did not foresee, by type.
    """

    files: int = 0
    records: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)
    gave_up: Counter[str] = field(default_factory=Counter)


def run(folder: Path, count: int, seed: int, keep: Path | None = None) -> Outcome:
    """Read mutated files and take their records through curation, 250 files at a time.

    Args:
        folder: for the files; emptied as they are read.
        count: how many.
        seed: of the mutations.
        keep: folder to which files that break a promise are copied.
    """
    outcome = Outcome()
    gathered: list[tuple[int, dict[str, pl.DataFrame]]] = []
    for number, origin, content in cases(seeds(folder / "seeds"), count, seed):
        path = folder / f"{number}-{zlib.crc32(content):08x}"
        path.write_bytes(content)
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
        try:
            batch = read(path, origin.reader, path.name)
            frames = batch.frames()
            fault = (broken_promise(frames) or broken_account(batch)) if content else None
        except BaseException as raised:
            if isinstance(raised, KeyboardInterrupt):
                raise
            frames, fault = {}, f"{type(raised).__name__}: {raised}"
        faulthandler.cancel_dump_traceback_later()
        if fault:
            outcome.failures[number] = f"{origin.reader}: {fault}"
            if keep is not None:
                (keep / f"{number}.{origin.reader}").write_bytes(content)
        path.unlink()
        outcome.files += 1
        for table, frame in frames.items():
            outcome.records[table] += frame.height
        if "received.unread" in frames:
            outcome.rules.update(frames["received.unread"]["rule_id"])
            gave_up = frames["received.unread"].filter(pl.col("detail").str.contains("gave up"))
            outcome.gave_up.update(f"{origin.reader}: {d}" for d in gave_up["detail"])
        gathered.append((number, frames))
        if len(gathered) == 250 or number == count - 1:
            first = gathered[0][0]
            if fault := unaccounted([frames for _, frames in gathered]):
                outcome.failures[-first - 1] = f"files {first} to {number}: {fault}"
            gathered = []
    return outcome


def unaccounted(batches: list[dict[str, pl.DataFrame]]) -> str | None:
    """Curate the records of many files; what is wrong with the account, if anything is."""
    received = {
        table: contract.empty() for table, contract in CONTRACTS.items() if table.startswith("received.")
    }
    for table in received:
        parts = [frames[table] for frames in batches if table in frames]
        received[table] = pl.concat([received[table], *parts])
    on = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
    try:
        made = curate(received, SOURCES, on, _files(received))
    except Exception as raised:
        return f"curation raised {type(raised).__name__}: {raised}"
    account = accounting.account(received, made.curated, made.quarantine, made.disposition)
    wrong = account.filter((pl.col("unaccounted") > 0) | (pl.col("counted_twice") > 0))
    return f"not accounted for once: {wrong.to_dicts()[:3]}" if wrong.height else None
