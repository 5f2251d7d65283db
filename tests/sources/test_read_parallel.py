"""Several processes read what one reads, in the same order; a reader that dies loses nothing.

A file that kills its reader is one finding, also where the refresh reads it itself and dies of it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import manifest, read_parallel, value_account, worker_process
from sarcoma_pipeline.study import project
from sarcoma_pipeline.synthetic import crowd
from schemas.meta import MetaExportPatient, MetaFile
from tests.refreshed import lay


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


@pytest.mark.slow
def test_two_processes_give_what_one_gives(found, monkeypatch):
    monkeypatch.setattr(read_parallel, "_GROUP_FILES", 50)
    files, tables = _all(read_parallel.read_all(found[0], "R1", found[1], processes=1))
    again, same = _all(read_parallel.read_all(found[0], "R1", found[1], processes=2))
    assert files == again and tables.keys() == same.keys()
    assert all(tables[t].equals(same[t]) for t in tables)
    each = [manifest.read(one, "R1", found[1]) for one in found[0]]
    accounts = value_account.frame(((b.file.file_id, b.account) for b in each), "R1")
    assert tables.pop("meta.value_account").equals(accounts)
    # Patients of the exports that are large enough to be cut: each stands once in its file.
    cut = tables.pop(MetaExportPatient.table())
    records = pl.concat(
        b.frames()["received.obds_patient"] for b in each if b.file.file_id in set(cut["file_id"])
    )
    assert cut.height == records.height > 0
    for table, frame in tables.items():
        assert frame.equals(pl.concat([b.frames()[table] for b in each if table in b.frames()]))


@pytest.mark.slow
def test_a_reader_that_the_system_ends_loses_nothing(found, monkeypatch):
    monkeypatch.setattr(read_parallel, "_GROUP_FILES", 50)
    wanted, tables = _all(read_parallel.read_all(found[0], "R1", found[1], processes=1))
    reads = read_parallel.read_all(found[0], "R1", found[1], processes=2)
    first = next(reads)
    children = [p.name for p in Path("/proc").iterdir() if p.name.isdigit()]
    spawned = [int(p) for p in children if b"worker.serve" in _command(p) and _parent(p) == os.getpid()]
    assert spawned
    for pid in spawned:
        os.kill(pid, signal.SIGKILL)
    files, same = _all([first, *reads])
    assert files == wanted and all(tables[t].equals(same[t]) for t in tables)


DEADLY = b"ends its reader"


def deadly(found, refresh, limits, opens, refused):
    """Reads as a reader does, and dies of some files."""
    for place, one in enumerate(found):
        if place not in refused and one.file.path.read_bytes() == DEADLY:
            opens(place)
            os.kill(os.getpid(), signal.SIGKILL)
    return read_parallel._read_apart(found, refresh, limits, opens, refused)


@pytest.mark.slow
def test_a_file_that_kills_its_reader_is_one_finding_until_it_no_longer_does(tmp_path, monkeypatch):
    place = lay(tmp_path)
    (place.drop / "registry").mkdir(parents=True)
    for name in ("a", "c"):
        (place.drop / f"registry/meldeauskunft_{name}.csv").write_text("x")
    fatal = place.drop / "registry/meldeauskunft_b.csv"
    fatal.write_bytes(DEADLY)
    study = project.load("sts_imrt", place.root)

    def night(refresh, known):
        scan = manifest.scan(place.drop, study.sources, known, refresh)
        files, tables = _all(
            read_parallel.read_all(scan.to_read, refresh, study.sources.limits, careful=not len(known))
        )
        unread = tables["received.unread"].join(manifest.files_frame(files), on="file_id")
        kept = known.filter(pl.col("file_id").is_in(scan.unchanged))
        return pl.concat([kept, manifest.files_frame(files)]), unread.filter(
            path="registry/meldeauskunft_b.csv"
        )

    monkeypatch.setattr(read_parallel, "_read_apart", deadly)
    known, unread = night("R1", MetaFile.empty())
    wanted = [("file.unreadable", f"ended its reader, {worker_process.CHANCES} times: SIGKILL")]
    assert unread.select("rule_id", "detail").rows() == wanted and known.height == 3
    # It is tried again, and never by the refresh itself.
    known, again = night("R2", known)
    assert again.select("rule_id", "detail").rows() == wanted
    monkeypatch.undo()
    known, unread = night("R3", known)
    assert "ended" not in str(unread["detail"].to_list())
    assert manifest.scan(place.drop, study.sources, known, "R4").to_read == []


def test_whoever_died_while_it_read_is_remembered(tmp_path):
    mark = tmp_path / "study.reading"
    program = (
        "import os\nfrom pathlib import Path\nfrom sarcoma_pipeline.sources import worker_process\n"
        f"with worker_process.remembered(Path({str(mark)!r})) as died:\n"
        "    print(died, flush=True)\n"
    )

    def process(end):
        done = subprocess.run([sys.executable, "-c", f"{program}    {end}"], capture_output=True, text=True)
        return done.stdout.strip(), done.returncode

    assert process("os.kill(os.getpid(), 9)") == ("False", -9)
    assert mark.stat().st_mode & 0o077 == 0
    assert process("with worker_process.Watch() as w: w.opens(0.5); os.read(os.pipe()[0], 1)") == ("True", 1)
    assert process("raise ValueError") == ("True", 1)
    assert process("pass") == ("False", 0) and not mark.exists()


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
