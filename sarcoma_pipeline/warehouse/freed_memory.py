"""Give free memory back to the system: between the steps of a run, and between the parts of a step.

DuckDB and Python take memory from glibc, polars from its own copy of jemalloc, which reads its settings
when polars is imported (``sarcoma_pipeline/__init__.py``).
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache
from typing import Any

_LARGE_BYTES = 1 << 20
"""Size from which a piece of memory is taken from the system alone, and given back when it is freed."""

_END_BYTES = 16 << 20
"""Free bytes at the end of the heap that are kept."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


@cache
def take_large_alone() -> None:
    """Let glibc take large pieces from the system one by one.

    By itself it learns from the first large pieces that are freed to keep all up to 32 MiB in its heap. What
    DuckDB reads are such pieces: they would stay, 1 GiB with 100 000 patients, and growing ones be copied.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _END_BYTES)


def give_back() -> None:
    """Give back what is free.

    glibc keeps the free pieces between those in use: with 10 000 patients, the steps of a refresh would hold
    a gigabyte more, because each frees large frames among small objects that stay.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return _of_glibc("malloc_trim")


def _of_glibc(name: str) -> Any:
    if sys.platform != "linux":
        return None
    with suppress(OSError, AttributeError):  # other C libraries than glibc have no such functions
        return getattr(ctypes.CDLL(None), name)
    return None
