"""Run readers in worker processes. A crash or timeout becomes one finding for that file.

A worker notes each file in a pipe before opening it, so that the file that crashed it is known. The pipe is
looked into now and then, because a message for each file would take longer than reading a small one. A
worker's memory is limited, it can write neither files nor core dumps, and it ends together with the process
that started it.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import gc
import os
import resource
import signal
import subprocess
import sys
import time
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
"""Memory limit of a worker beyond the imported program; the limits per file are lower."""
CHANCES = 2
"""Crashes after which the file is refused; a single crash may be due to the memory use of other processes."""
_HUNG_SECONDS = 600
"""Constant part of the timeout of one file."""
_SLOWEST_BYTES = 10 << 20
"""Bytes per second that a slow network share delivers; the timeout grows with the file's size."""
_STARTS = 3
"""Attempts to start a worker process."""
_EXIT_SECONDS = 1
"""How long to wait for a process that has closed its connection to exit."""
_LOOK_SECONDS = 1.0
"""How often to look which file a process has opened."""
_OBJECTS_PER_COLLECTION = 20_000
"""New objects before a process looks for reference cycles: a group of files makes a hundred thousand."""
_PLACE_BYTES = 4
_NO_MEMORY = 12
_PR_SET_PDEATHSIG = 1


def patience(size: int) -> float:
    """Return the seconds after which reading a file of this size counts as hung."""
    return _HUNG_SECONDS + size / _SLOWEST_BYTES


_SLACK_SECONDS = 1.0
"""Time within which the next file needs no clock of its own: each one is a thread that starts and ends."""


class Watch:
    """End this process if it hangs, also in native code; the next refresh uses worker processes.

    A context manager; :meth:`opens` starts the time of the next piece of work.
    """

    def __init__(self) -> None:
        self._ends = 0.0

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        faulthandler.cancel_dump_traceback_later()

    def opens(self, seconds: float) -> None:
        """Allow the next piece of work so many seconds, and at most one more.

        Args:
            seconds: time after which it counts as hung.
        """
        now = time.monotonic()
        if seconds <= self._ends - now <= seconds + _SLACK_SECONDS:
            return
        faulthandler.dump_traceback_later(seconds + _SLACK_SECONDS, exit=True, file=sys.__stderr__ or 2)
        self._ends = now + seconds + _SLACK_SECONDS


@contextmanager
def remembered(mark: Path) -> Iterator[bool]:
    """Yield whether the last process died within this block (killed, out of memory, or hung).

    Args:
        mark: a file that exists while the block runs.
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
    """A pool of worker processes, each reading one group of files at a time; a context manager.

    Args:
        work: function that reads a group: ``work(group, *arguments, opens, refused)``. It calls ``opens``
            with the position of each file before opening it, and with their number when all are read.
            ``refused`` maps positions of files that must not be opened to the reason. It must be importable
            by name.
        join: combines the results of the parts of a group.
        processes: maximum number of processes.
        arguments: arguments for every group.
        memory: memory limit of a process beyond the imported program, in bytes.
    """

    def __init__(
        self,
        work: Callable[..., T],
        join: Callable[[Sequence[T]], T],
        processes: int,
        *arguments: object,
        memory: int = MEMORY_BYTES,
    ) -> None:
        self._join = join
        self._idle: SimpleQueue[_Reader] = SimpleQueue()
        self._all = [_Reader(work, arguments, memory) for _ in range(processes)]
        for reader in self._all:
            self._idle.put(reader)
        # One thread per process waits for its result.
        self._threads = ThreadPoolExecutor(processes)

    def __enter__(self) -> Readers[T]:
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, also during work."""
        for reader in self._all:
            reader.dismiss()
        self._threads.shutdown(cancel_futures=True)
        for reader in self._all:
            reader.end()

    def submit(self, sizes: Sequence[int], group: Sequence[object]) -> Future[T]:
        """Submit a group for reading.

        Args:
            sizes: sizes of its files in bytes.
            group: argument of the work.

        Returns:
            A future of the work's result. It raises what the work raised, or OSError if no process could be
            started.
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
                    # All files were read, but their tables needed too much memory: read each file alone.
                    alone = zip(sizes, group, strict=True)
                    return self._join([self._read(reader, [size], [one]) for size, one in alone])
                elif end.hung or ended[end.place] == CHANCES:
                    refused[min(end.place, len(group) - 1)] = end.detail


class _Ended(Exception):
    """The worker process ended, or was ended.

    Attributes:
        place: position of the open file; None if none was opened, the number of files if all were read.
        hung: whether it was ended because of a timeout.
        detail: detail for the finding.
    """

    def __init__(self, place: int | None, detail: str, *, hung: bool = False) -> None:
        super().__init__(place, detail)
        self.place, self.detail, self.hung = place, detail, hung


class _Reader:
    """One worker process; started when needed, and again after it ended."""

    def __init__(self, work: Callable[..., object], arguments: tuple[object, ...], memory: int) -> None:
        self._task = work, arguments, memory
        self._running: tuple[Connection, subprocess.Popen[bytes], _Opened] | None = None
        self._dismissed = False

    def dismiss(self) -> None:
        """End the process and start no other; called by another thread than the waiting one."""
        self._dismissed = True
        if running := self._running:
            running[1].kill()

    def ask(self, sizes: Sequence[int], group: Sequence[object], refused: dict[int, str]):
        """Read a group and return the work's result.

        Raises:
            _Ended: with the position of the open file.
            Exception: what the work raised.
        """
        place = None
        try:
            connection, opened = self._connect()
            opened.last()  # of the group before
            connection.send((group, refused))
            since = time.monotonic()
            while True:
                one = sizes[place] if place is not None and place < len(sizes) else sum(sizes)
                seconds = patience(one)
                left = max(0.0, since + seconds - time.monotonic())
                if connection.poll(min(left, _LOOK_SECONDS)):
                    kind, told = connection.recv()
                    if kind == "raised":
                        raise told
                    return told
                if (now := opened.last()) is not None:
                    place, since = now, time.monotonic()
                elif left == 0:
                    self.end()
                    raise _Ended(place, f"not read within {seconds:.0f} seconds", hung=True)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            if self._running and (now := self._running[2].last()) is not None:
                place = now
            raise _Ended(place, f"ended its reader, {CHANCES} times: {self.end()}") from None

    def _connect(self) -> tuple[Connection, _Opened]:
        if self._dismissed:
            raise RuntimeError("the pool of readers is closed")
        if self._running is None:
            ours, theirs = Pipe()
            opened = _Opened()
            # Not fork, which would copy locks of threads of polars and Dagster; not multiprocessing's spawn,
            # which would import the whole program including Dagster.
            words = [
                sys.executable,
                "-P",
                "-c",
                _PROGRAM,
                str(theirs.fileno()),
                str(opened.writes),
                str(os.getpid()),
            ]
            process = subprocess.Popen(
                words,
                pass_fds=[theirs.fileno(), opened.writes],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Discarded: messages of native code may quote the content of the file.
                stderr=subprocess.DEVNULL,
            )
            theirs.close()
            os.close(opened.writes)
            self._running = ours, process, opened
            ours.send(self._task)
        return self._running[0], self._running[2]

    def end(self) -> str:
        """End the process, if there is one; returns how it ended."""
        if self._running is None:
            return "no process"
        connection, process, opened = self._running
        self._running = None
        connection.close()
        opened.close()
        try:
            code = process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            # A process that waits for an unreachable network share cannot be ended before the share is back.
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            return "killed"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class _Opened:
    """A pipe into which a worker process writes the position of each file before it opens it."""

    def __init__(self) -> None:
        self._reads, self.writes = os.pipe()
        os.set_blocking(self._reads, False)

    def last(self) -> int | None:
        """Return the position written last; None if none was written since the last call."""
        found = None
        with suppress(BlockingIOError):
            while written := os.read(self._reads, _PLACE_BYTES << 12):
                found = int.from_bytes(written[-_PLACE_BYTES:], "little")
        return found

    def close(self) -> None:
        """Close the end that is read."""
        os.close(self._reads)


_PROGRAM = f"import sys, {__name__} as worker; worker.serve(*map(int, sys.argv[1:]))"


def serve(handle: int, opened: int, parent: int) -> None:
    """Run as a worker process.

    Args:
        handle: file descriptor of the connection to the parent.
        opened: file descriptor of the pipe that takes the position of each file.
        parent: process id of the parent.
    """
    _die_with(parent)
    connection = Connection(handle)
    gc.disable()  # the first message imports the program: nothing of it is garbage
    work, arguments, memory = connection.recv()
    _confine(memory)
    # What is imported lives until the end, and is a multiple of what a group of files leaves.
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    gc.enable()

    def opens(place: int) -> None:
        os.write(opened, place.to_bytes(_PLACE_BYTES, "little"))

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


def _confine(memory: int) -> None:
    mapped = Path("/proc/self/statm")
    if mapped.exists():
        now = int(mapped.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = now + memory if hard == resource.RLIM_INFINITY else min(now + memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))
    # If the system still runs out of memory, it should kill a worker first.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
