"""A file that ends or holds its reader costs one finding: the files beside it are read, the night goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sarcoma_pipeline.sources import worker_process

SIZES = [1] * 5


def work(group, folder, opens, refused):
    """What a reader does, with a way for each file to be hostile."""
    made = []
    for place, name in enumerate(group):
        if place in refused:
            made.append(refused[place])
            continue
        opens(place)
        if name == "segmentation fault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif name == "abort":
            os.abort()
        elif name == "ends one reader":
            once = folder / "once"
            if not once.exists():
                once.mkdir()
                os._exit(137)
        elif name == "hangs":
            while True:
                pass
        elif name == "all memory":
            bytearray(2 * worker_process.MEMORY_BYTES)
        elif name == "writes":
            (folder / "written").write_text("x")
        elif name == "raises":
            raise KeyError("a column that nobody knows")
        made.append(name)
    opens(len(group))
    if "tables too large" in group and len(group) > 1:
        os.abort()
    return made


def join(parts):
    """One list of several."""
    return [one for part in parts for one in part]


@pytest.fixture
def readers(tmp_path):
    with worker_process.Readers(work, join, 1, tmp_path) as made:
        yield made


TWICE = f"ended its reader, {worker_process.CHANCES} times: "


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("segmentation fault", f"{TWICE}SIGSEGV"),
        ("abort", f"{TWICE}SIGABRT"),
        ("all memory", f"{TWICE}exit code 12"),
        ("ends one reader", "ends one reader"),
        ("tables too large", "tables too large"),
    ],
)
def test_a_file_that_ends_its_reader_costs_only_itself(readers, name, becomes):
    group = ["a", "b", name, "c", "d"]
    assert readers.submit(SIZES, group).result() == ["a", "b", becomes, "c", "d"]
    assert readers.submit([1], ["e"]).result() == ["e"]


@pytest.mark.slow
def test_a_file_that_holds_its_reader_costs_only_itself(readers, monkeypatch):
    assert readers.submit([1], ["e"]).result() == ["e"]
    monkeypatch.setattr(worker_process, "_HUNG_SECONDS", 10)
    made = readers.submit(SIZES, ["a", "b", "hangs", "c", "d"]).result()
    assert made == ["a", "b", "not read within 10 seconds", "c", "d"]


def test_several_of_them_are_all_found(readers):
    group = ["abort", "a", "segmentation fault", "abort", "b"]
    made = readers.submit(SIZES, group).result()
    assert made == [f"{TWICE}SIGABRT", "a", f"{TWICE}SIGSEGV", f"{TWICE}SIGABRT", "b"]


def test_a_fault_of_the_program_is_none_of_a_file(readers):
    with pytest.raises(KeyError):
        readers.submit([1], ["raises"]).result()
    assert readers.submit([1], ["a"]).result() == ["a"]


def test_a_reader_writes_no_file(readers, tmp_path):
    with pytest.raises(OSError, match="too large"):
        readers.submit([1], ["writes"]).result()
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


def test_readers_that_cannot_start_are_told_of_as_transient(readers, monkeypatch):
    monkeypatch.setattr(worker_process, "_PROGRAM", "raise SystemExit(1)")
    with pytest.raises(BlockingIOError, match="no process can be started"):
        readers.submit([1], ["a"]).result()


def test_readers_end_with_who_started_them(tmp_path):
    """Killed while its reader is held: nobody is left behind."""
    program = (
        "from pathlib import Path; from sarcoma_pipeline.sources import worker_process; from tests.sources "
        "import test_worker_process as t\n"
        f"readers = worker_process.Readers(t.work, t.join, 1, Path({str(tmp_path)!r}))\n"
        "future = readers.submit([1], ['hangs'])\n"
        "while not readers._all[0]._running: pass\n"
        "print(readers._all[0]._running[1].pid, flush=True)\n"
        "future.result()"
    )
    root = Path(__file__).parents[2]
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root)
    assert starter.stdout
    reader = int(starter.stdout.readline())
    assert _runs(reader)
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 60
    while _runs(reader) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(reader)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
