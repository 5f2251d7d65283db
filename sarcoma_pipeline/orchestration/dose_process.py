"""Compute volumes and doses after the publication, in a separate process, so that no refresh waits for them.

The next refresh takes the results (``assets/dose_volume.py``). ``sarcoma doses`` does the same in the
foreground.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sarcoma_pipeline.orchestration import separate_process
from sarcoma_pipeline.orchestration.dose_inbox import Computed, Inbox, inbox
from sarcoma_pipeline.sources.worker_process import Readers
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.study.project import Project

SWITCH = "SARCOMA_DOSE_VOLUMES"
"""Environment variable; ``off`` starts no process, for machines on which nothing may run after a refresh."""
_LOCK = ".computing.lock"
_NICE = 10


def is_allowed() -> bool:
    """Return whether a refresh starts the process on this machine."""
    return os.environ.get(SWITCH) != "off"


def start(project: Project) -> None:
    """Start the process if something is to be computed."""
    if not is_allowed() or not any(one.work() for one in _inboxes(project)):
        return
    separate_process.start(project, __name__)


def compute(
    project: Project, processes: int = 1, told: Callable[[int, int], None] = lambda _done, _of: None
) -> int:
    """Compute what the last refresh asked for, and return how many results were written.

    Args:
        project: the study.
        processes: number of worker processes; each has its memory limit.
        told: called with the number of plans done and of all plans.
    """
    written = 0
    for centre in project.centres or ("",):
        written += _compute(project, inbox(project, centre), centre, processes, told)
    return written


@dataclass(frozen=True)
class Missing:
    """The plans of the release that have no volumes and doses yet.

    Attributes:
        plans: how many.
        computed: of these, plans whose results the next refresh takes.
        running: whether a process computes at this moment.
    """

    plans: int
    computed: int
    running: bool

    def __str__(self) -> str:
        """Return this as a sentence; empty if none is missing."""
        if not self.plans:
            return ""
        words = f"{self.plans} plans have no volumes and doses in the release yet: {self.computed} computed"
        if self.running:
            return f"{words}, a process computes the others; a later refresh takes them"
        if self.computed == self.plans:
            return f"{words}; the next refresh takes them"
        return f"{words}, and no process computes the others: sarcoma doses"


def missing(project: Project) -> Missing:
    """Return how many plans of the release have no volumes and doses yet."""
    boxes = [box for box in _inboxes(project) if box.folder.exists()]
    counts = [box.counts() for box in boxes]
    plans, to_do = (sum(numbers) for numbers in zip(*counts, strict=True)) if counts else (0, 0)
    return Missing(plans, plans - to_do, any(separate_process.is_locked(box.folder / _LOCK) for box in boxes))


def _inboxes(project: Project) -> list[Inbox]:
    return [inbox(project, centre) for centre in project.centres or ("",)]


def _compute(
    project: Project, box: Inbox, centre: str, processes: int, told: Callable[[int, int], None]
) -> int:
    # Imported on demand: scipy and pydicom take longer to import than a refresh needs to start.
    from sarcoma_pipeline.orchestration import dose_work

    if not box.folder.exists():
        return 0
    with (box.folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0  # another process computes the same
        work = box.work()
        if not work:
            return 0
        arguments = (project.drop_of(centre), project.study.dose_volume, project.study.structures)
        written = done = 0
        with Readers(
            dose_work.compute, dose_work.join, processes, *arguments, memory=dose_work.MEMORY_BYTES
        ) as workers:
            waiting: deque[tuple[str, Future[Computed]]] = deque()
            rest = iter(work.items())

            def submit() -> None:
                for key, one in rest:
                    size = sum(file.size for file in one.files)
                    waiting.append((key, workers.submit([size], [one])))
                    return

            for _ in range(2 * processes):
                submit()
            while waiting:
                key, future = waiting.popleft()
                computed = future.result()
                done += 1
                if computed.result is not None:
                    box.put(key, computed)
                    written += 1
                told(done, len(work))
                submit()
        return written


def main(arguments: Sequence[str]) -> None:
    """Compute for the study of this name."""
    (name,) = arguments
    os.nice(_NICE)
    compute(projects.load(name))


if __name__ == "__main__":
    main(sys.argv[1:])
