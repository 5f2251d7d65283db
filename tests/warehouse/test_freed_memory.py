"""Memory that is free goes back to the system; where the C library cannot do it, nothing happens."""

import subprocess
import sys
from pathlib import Path

import pytest

from sarcoma_pipeline.warehouse import freed_memory


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux" or freed_memory._trim() is None, reason="needs glibc")
def test_what_lies_free_between_what_is_used_is_given_back():
    # Too small to be mapped alone, too large for Python's own pools: pieces of glibc's heap.
    pieces = [b"x" * 100_000 for _ in range(1_000)]
    kept = pieces[::100]
    del pieces
    before = _resident()
    freed_memory.give_back()
    assert before - _resident() > 50_000_000
    assert len(kept) == 10


def test_without_such_a_function_nothing_happens(monkeypatch):
    monkeypatch.setattr(freed_memory, "_trim", lambda: None)
    freed_memory.give_back()


@pytest.mark.skipif(sys.platform != "linux" or freed_memory._trim() is None, reason="needs glibc")
def test_a_large_piece_goes_back_when_it_is_freed():
    # Freeing a large piece would teach glibc to keep all of its size.
    script = (
        "from pathlib import Path\n"
        "from sarcoma_pipeline.warehouse import freed_memory\n"
        "freed_memory.take_large_alone()\n"
        "resident = lambda: int(Path('/proc/self/statm').read_text().split()[1]) * 4096\n"
        "pieces = [b'x' * 20_000_000]; pieces.clear()\n"
        "pieces = [b'x' * 10_000_000 for _ in range(20)]; last = b'y' * 500_000\n"
        "before = resident(); pieces.clear(); print(before - resident() > 150_000_000)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_polars_is_told_to_give_memory_back_before_it_is_imported():
    script = (
        "import os; os.environ.pop('_RJEM_MALLOC_CONF', None)\n"
        "import sarcoma_pipeline, sys; print('polars' in sys.modules, os.environ['_RJEM_MALLOC_CONF'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "dirty_decay_ms:200,muzzy_decay_ms:0"]
