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
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.reach import FLAGS, ROOT, module_name

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
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
    """Finds one module with another source."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self.name, self.path, self.source = name, path, source

    def find_spec(self, fullname, path=None, target=None):
        if fullname == self.name:
            return importlib.util.spec_from_file_location(fullname, self.path, loader=self)
        return None

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        return self.source.encode()

    def source_to_code(self, data, path="", *, _optimize=-1):
        return compile(self.source, str(path), "exec")


class _Chosen:
    """A plugin of pytest: runs some of the collected tests, in the order given."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.rank = {test: n for n, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = sorted((i for i in items if i.nodeid in self.rank), key=lambda i: self.rank[i.nodeid])


def _run(name: str, path: str, source: str, stages: Sequence[Sequence[str]]) -> None:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, _Mutated(name, path, source))
    for tests in stages:
        files = sorted({test.partition("::")[0] for test in tests})
        told = pytest.main(["-x", *FLAGS, *files], plugins=[_Chosen(tests)])
        if told not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            os._exit(1)
    os._exit(0)


def judge(path: Path, source: str, stages: Sequence[Sequence[str]], seconds: float) -> str:
    """Tell what becomes of a mutant.

    Args:
        path: of the module.
        source: of the mutant.
        stages: ids of tests; a stage is collected when the tests of the stage before have passed.
        seconds: after which it is given up.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    process = context.Process(target=_run, args=(module_name(path), str(path), source, stages))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        return TIMEOUT
    return SURVIVED if process.exitcode == 0 else KILLED
