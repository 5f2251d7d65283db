"""Runs tests against mutants, each in a process of its own that a fork server starts.

The server has imported libraries and contracts, but neither curation nor the cohort; polars starts its
threads with the first query, so that none is alive when it forks. A mutant that runs out of time is neither
killed nor alive.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import hypothesis
import pytest

from tests.mutation.reach import FLAGS, ROOT, module_name

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
LIMIT = 20
"""Seconds that a test may take with several mutants: one that loops must not hide the others."""
LIBRARIES = (
    "polars",
    "pandera.polars",
    "pytest",
    "lxml.etree",
    "pydantic",
    "pydicom",
    "hypothesis",
    "schemas.all_contracts",
)


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds modules with another source."""

    def __init__(self, sources: Mapping[Path, str]) -> None:
        self.sources = {str(path): source for path, source in sources.items()}
        self.paths = {module_name(path): str(path) for path in sources}

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self.paths:
            return importlib.util.spec_from_file_location(fullname, self.paths[fullname], loader=self)
        return None

    def get_filename(self, fullname: str) -> str:
        return self.paths[fullname]

    def get_data(self, path: str | bytes) -> bytes:
        return self.sources[os.fsdecode(path)].encode()

    def source_to_code(self, data, path="", *, _optimize=-1):
        return compile(data, os.fsdecode(path), "exec")


class _Chosen:
    """A plugin of pytest: runs some of the collected tests, in the order given, and notes those that fail.

    With a limit, a test that takes more seconds fails.
    """

    def __init__(self, tests: Sequence[str], limit: int) -> None:
        self.rank = {test: n for n, test in enumerate(tests)}
        self.limit = limit
        self.failed: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = sorted((i for i in items if i.nodeid in self.rank), key=lambda i: self.rank[i.nodeid])

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed += [test for test in self.rank if test.partition("::")[0] == report.nodeid]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        signal.signal(signal.SIGALRM, _takes_too_long)
        signal.alarm(self.limit)
        try:
            return (yield)
        finally:
            signal.alarm(0)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(report.nodeid)


def _takes_too_long(*_) -> None:
    raise TimeoutError


def _run(sources: Mapping[Path, str], tests: Sequence[str], first_only: bool, answer: Connection) -> None:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, _Mutated(sources))
    # The first example that fails is enough.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("first failure", phases=phases)
    hypothesis.settings.load_profile("first failure")
    chosen = _Chosen(tests, 0 if first_only else LIMIT)
    files = sorted({test.partition("::")[0] for test in tests})
    alone = ["-x"] if first_only else ["--continue-on-collection-errors"]
    told = pytest.main([*alone, "--tb=no", *FLAGS, *files], plugins=[chosen])
    if told not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        answer.send(chosen.failed or list(tests))
        os._exit(1)
    answer.send([])
    os._exit(0)


def failing(
    sources: Mapping[Path, str], tests: Sequence[str], seconds: float, *, first_only: bool = True
) -> list[str] | None:
    """Return the tests that fail with mutants; None if they run out of time.

    Args:
        sources: path of each changed module and its source.
        tests: their ids.
        seconds: after which it is given up.
        first_only: whether to stop at the first failure.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sources, tests, first_only, there))
    process.start()
    there.close()
    try:
        if here.poll(seconds):
            return here.recv()
        return None
    except EOFError:  # the process ended without an answer
        return list(tests)
    finally:
        process.kill()
        process.join()


def judge(path: Path, source: str, tests: Sequence[str], seconds: float) -> str:
    """Tell what becomes of a mutant that meets some tests."""
    failed = failing({path: source}, tests, seconds)
    return TIMEOUT if failed is None else KILLED if failed else SURVIVED
