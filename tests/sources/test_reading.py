"""Several processes read what one reads, in the same order; a reader that dies loses nothing."""

import os
import signal
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline import project
from sarcoma_pipeline.sources import manifest, reading
from sarcoma_pipeline.synthetic import crowd
from schemas.meta import MetaFile
from tests.refresh.conftest import lay


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    place = lay(tmp_path_factory.mktemp("crowd"))
    crowd.write(place.drop, 120, 7, place.root / "data/demo", defect_rate=0.3)
    study = project.load("sts_imrt", place.root)
    return manifest.scan(place.drop, study.sources, MetaFile.empty(), "R1").to_read, study.sources.limits


def _all(reads):
    reads = list(reads)
    tables = {}
    for read in reads:
        for table, frame in read.tables.items():
            tables.setdefault(table, []).append(frame)
    return [row for read in reads for row in read.files], {t: pl.concat(f) for t, f in tables.items()}


def test_two_processes_give_what_one_gives(found, monkeypatch):
    monkeypatch.setattr(reading, "_GROUP_FILES", 50)
    files, tables = _all(reading.read_all(found[0], "R1", found[1], processes=1))
    again, same = _all(reading.read_all(found[0], "R1", found[1], processes=2))
    assert files == again and tables.keys() == same.keys()
    assert all(tables[t].equals(same[t]) for t in tables)
    each = [manifest.read(one, "R1", found[1]).frames() for one in found[0]]
    for table, frame in tables.items():
        assert frame.equals(pl.concat([f[table] for f in each if table in f]))


def test_a_reader_that_the_system_ends_loses_nothing(found, monkeypatch):
    monkeypatch.setattr(reading, "_GROUP_FILES", 50)
    wanted, tables = _all(reading.read_all(found[0], "R1", found[1], processes=1))
    reads = reading.read_all(found[0], "R1", found[1], processes=2)
    first = next(reads)
    children = [p.name for p in Path("/proc").iterdir() if p.name.isdigit()]
    spawned = [int(p) for p in children if b"spawn_main" in _command(p) and _parent(p) == os.getpid()]
    assert spawned
    for pid in spawned:
        os.kill(pid, signal.SIGKILL)
    files, same = _all([first, *reads])
    assert files == wanted and all(tables[t].equals(same[t]) for t in tables)


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
