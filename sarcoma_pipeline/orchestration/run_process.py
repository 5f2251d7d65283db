"""Record the process of a run in a tag of the run, so that a run whose process is gone is recognised."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

TAG = ".dagster/sarcoma_process"
"""Tag with the process of a run; the UI hides tags that begin with ``.dagster/``."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Marked(Protocol):
    """A run with its tags."""

    @property
    def run_id(self) -> str:
        """Its id."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        ...


def mark(run_id: str, pid: int | None = None) -> dict[str, str]:
    """Return the tag that records the process of a run; empty on systems without ``/proc``.

    A retried run inherits the tags of the first one: therefore the tag contains the run's own id.
    """
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    if started is None or not _BOOT.exists():
        return {}
    return {TAG: " ".join((run_id, platform.node(), _BOOT.read_text().strip(), str(pid), started))}


def is_gone(run: Marked) -> bool:
    """Return whether the process of a run is certainly gone; False for runs of other machines."""
    words = run.tags.get(TAG, "").split()
    if len(words) != 5 or words[:2] != [run.run_id, platform.node()] or not _BOOT.exists():
        return False
    boot, pid, started = words[2:]
    return boot != _BOOT.read_text().strip() or _started(int(pid)) != started


def is_elsewhere(run: Marked) -> bool:
    """Return whether another process of this machine certainly executes the run."""
    words = run.tags.get(TAG, "").split()
    return (
        len(words) == 5 and words[1] == platform.node() and words[3] != str(os.getpid()) and not is_gone(run)
    )


def _started(pid: int) -> str | None:
    """Return the start time of a process in clock ticks since boot; None if it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words[19]
