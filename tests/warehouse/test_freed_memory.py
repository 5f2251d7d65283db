"""Memory that is free goes back to the system; where the C library cannot do it, nothing happens."""

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
