"""Readers in processes of their own, which may end or hang: that costs one finding and nobody the night.

A reader says which file it opens before it does, so that whoever waits for it knows which one ended it. It
may take only so much memory, writes no file, leaves no core behind, and ends with who started it.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

MEMORY_BYTES = 2 << 30
"""Beyond the imported program; the limits of one file ask for less."""
CHANCES = 2
"""A reader may end for want of memory that others took: only a file that ends two of them is to blame."""
_HUNG_SECONDS = 600
_SLOWEST_BYTES = 10 << 20
"""Per second: what a network share gives on a bad night."""
_STARTS = 3
_LAST_WORDS_SECONDS = 1
_NO_MEMORY = 12
_PR_SET_PDEATHSIG = 1


def patience(size: int) -> float:
    """Seconds after which a file of so many bytes counts as one that hangs its reader."""
    return _HUNG_SECONDS + size / _SLOWEST_BYTES


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """End this very process if what is done in it hangs, native code included; the next one reads apart."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def remembered(mark: Path) -> Iterator[bool]:
    """Tell whether the last process died within this block: killed, out of memory, or hung.

    Args:
        mark: a file that stands while the block runs.
    """
    died = mark.exists()
    mark.touch(mode=0o600)
    try:
        yield died
    except Exception:
        mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)


class Readers(Generic[T]):
    """Processes that do the same work on groups of files, one group at a time each; a context.

    Args:
        work: reads a group: ``work(group, *arguments, opens, refused)``, where ``opens`` is to be told the
            place of each file before it is opened, and their number when all are read; ``refused`` are places
            of files that must not be opened, with the reason. Importable by name.
        join: makes one result of those of the parts of a group.
        processes: how many at most.
        arguments: for every group.
    """

    def __init__(
        self, work: Callable[..., T], join: Callable[[Sequence[T]], T], processes: int, *arguments: object
    ) -> None:
        self._join = join
        self._idle: SimpleQueue[_Reader] = SimpleQueue()
        self._all = [_Reader(work, arguments) for _ in range(processes)]
        for reader in self._all:
            self._idle.put(reader)
        # A thread for each process waits for it.
        self._threads = ThreadPoolExecutor(processes)

    def __enter__(self) -> Readers[T]:
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, whatever it is about."""
        for reader in self._all:
            reader.dismiss()
        self._threads.shutdown(cancel_futures=True)
        for reader in self._all:
            reader.end()

    def submit(self, sizes: Sequence[int], group: Sequence[object]) -> Future[T]:
        """Have a group read.

        Args:
            sizes: of its files, in bytes.
            group: what the work takes.

        Returns:
            The work's result. It raises what the work raised, or OSError if no process could be started.
        """
        return self._threads.submit(self._with_any, sizes, group)

    def _with_any(self, sizes: Sequence[int], group: Sequence[object]) -> T:
        reader = self._idle.get()
        try:
            return self._read(reader, sizes, group)
        finally:
            self._idle.put(reader)

    def _read(self, reader: _Reader, sizes: Sequence[int], group: Sequence[object]) -> T:
        ended: Counter[int | None] = Counter()
        refused: dict[int, str] = {}
        while True:
            try:
                return reader.ask(sizes, group, refused)
            except _Ended as end:
                ended[end.place] += 1
                if end.place is None:
                    if ended[None] == _STARTS:
                        raise OSError(errno.EAGAIN, "no process can be started to read files") from None
                elif end.place == len(group) and len(group) > 1:
                    # All files were read and their tables were too much: each on its own.
                    alone = zip(sizes, group, strict=True)
                    return self._join([self._read(reader, [size], [one]) for size, one in alone])
                elif end.hung or ended[end.place] == CHANCES:
                    refused[min(end.place, len(group) - 1)] = end.detail


class _Ended(Exception):
    """The reader ended, or was ended.

    Attributes:
        place: of the file that it had opened; None if it had opened none, their number if it had read all.
        hung: whether it was ended because nothing came of it.
        detail: for the finding.
    """

    def __init__(self, place: int | None, detail: str, *, hung: bool = False) -> None:
        super().__init__(place, detail)
        self.place, self.detail, self.hung = place, detail, hung


class _Reader:
    """One process; started when it is needed, and again after it ended."""

    def __init__(self, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self._task = work, arguments
        self._running: tuple[Connection, subprocess.Popen[bytes]] | None = None
        self._dismissed = False

    def dismiss(self) -> None:
        """End the process and start no other; for another thread than the one that waits for it."""
        self._dismissed = True
        if running := self._running:
            running[1].kill()

    def ask(self, sizes: Sequence[int], group: Sequence[object], refused: dict[int, str]):
        """What the work makes of a group.

        Raises:
            _Ended: with the place of the file that was open.
            Exception: what the work raised.
        """
        place = None
        try:
            connection = self._connect()
            connection.send((group, refused))
            while True:
                one = sizes[place] if place is not None and place < len(sizes) else sum(sizes)
                seconds = patience(one)
                if not connection.poll(seconds):
                    self.end()
                    raise _Ended(place, f"not read within {seconds:.0f} seconds", hung=True)
                kind, told = connection.recv()
                if kind == "raised":
                    raise told
                if kind == "done":
                    return told
                place = told
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise _Ended(place, f"ended its reader, {CHANCES} times: {self.end()}") from None

    def _connect(self) -> Connection:
        if self._dismissed:
            raise RuntimeError("nobody asks any more")
        if self._running is None:
            ours, theirs = Pipe()
            # A fork would inherit the locks of threads that polars and Dagster hold; multiprocessing's spawn
            # would import the whole program again, Dagster with it.
            words = [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), str(os.getpid())]
            process = subprocess.Popen(
                words,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # What native code prints when it ends may quote what it read.
                stderr=subprocess.DEVNULL,
            )
            theirs.close()
            self._running = ours, process
            ours.send(self._task)
        return self._running[0]

    def end(self) -> str:
        """End the process, if there is one; how it ended."""
        if self._running is None:
            return "no process"
        connection, process = self._running
        self._running = None
        connection.close()
        try:
            # One that ended by itself says how.
            code = process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            # One that waits for a share that is away does not end before the share is back.
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            return "killed"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


_PROGRAM = f"import sys, {__name__} as worker; worker.serve(*map(int, sys.argv[1:]))"


def serve(handle: int, parent: int) -> None:
    """Be a reader.

    Args:
        handle: of the connection to the process that asks.
        parent: its id.
    """
    _die_with(parent)
    connection = Connection(handle)
    work, arguments = connection.recv()
    _confine()

    def opens(place: int) -> None:
        connection.send(("opens", place))

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            group, refused = connection.recv()
            try:
                made = ("done", work(group, *arguments, opens, refused))
            except MemoryError:
                os._exit(_NO_MEMORY)
            except Exception as broken:
                made = ("raised", broken)
            connection.send(made)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _confine() -> None:
    mapped = Path("/proc/self/statm")
    if mapped.exists():
        now = int(mapped.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = now + MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(now + MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))
    # If memory runs out all the same, a reader is what the system can spare.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
