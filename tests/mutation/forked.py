"""Runs tests against mutants in forks of a process that has collected all tests: no mutant costs an import.

Only a mutant inside a function is judged here: in the fork, the function gets the code of the mutated
module. What runs at import is left to ``tests/mutation/killing.py``.

A fork has none of the threads of its parent, so that polars must not have started any: the tests of files
that query a frame when they are imported are left out.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn

import pytest

from tests.mutation.killing import KILLED, SURVIVED
from tests.mutation.mutants import Mutant, mutant
from tests.mutation.reach import FLAGS, ROOT, module_name

QUERY_AT_IMPORT = (
    "tests/benchmarks", "tests/cohort/test_dose_columns.py", "tests/cohort/test_wide.py",
    "tests/curation/test_reports.py", "tests/curation/test_typed_records.py", "tests/language",
    "tests/mutation", "tests/oracle", "tests/published_study/test_invented_papers.py",
    "tests/quality/test_accounting.py", "tests/quality/test_identity_gate.py",
    "tests/quality/test_letters.py", "tests/quality/test_model_gaps.py", "tests/quality/test_movement.py",
    "tests/quality/test_rule_cases.py", "tests/quality/test_rule_results.py", "tests/refresh",
    "tests/reliability", "tests/sources/test_fuzz.py", "tests/survival/test_balance.py",
    "tests/survival/test_golden_subgroups.py", "tests/survival/test_gray.py",
    "tests/survival/test_toxicity_rates.py",
)  # fmt: skip
"""Tests that start polars' threads when they are collected, or that do not run in this process."""
PATIENCE = 60
"""Seconds for a mutant: its tests take about four on a machine without other work."""
_DIED, _NO_FUNCTION = 1, 7


def judge_all(chosen: Sequence[tuple[Mutant, Sequence[str]]]) -> list[str | None]:
    """Judge mutants by tests.

    Args:
        chosen: mutants with the ids of their tests, in order.

    Returns:
        How each mutant ends; None if it is not inside a function, or if it runs out of time: a library may
        wait for a thread that the fork does not have.
    """
    asked = [(one.path.relative_to(ROOT).as_posix(), one.place, list(tests)) for one, tests in chosen]
    with tempfile.TemporaryDirectory() as folder:
        told, answers = Path(folder) / "asked", Path(folder) / "answers"
        told.write_text(json.dumps(asked), "utf-8")
        command = [sys.executable, "-m", "tests.mutation.forked", str(told), str(answers)]
        env = {**os.environ, "POLARS_MAX_THREADS": "1"}
        subprocess.run(command, cwd=ROOT, check=True, env=env, stdout=subprocess.DEVNULL)
        return json.loads(answers.read_text("utf-8"))


class _Forks:
    """A plugin of pytest: forks for each mutant instead of running the collected tests."""

    def __init__(self, asked: Sequence[tuple[str, tuple[int, int], list[str]]]) -> None:
        self.asked, self.outcomes = asked, []
        self.in_fork = False

    def pytest_collectreport(self, report) -> None:
        if any(name.startswith("polars-0") for name in _threads()):
            raise pytest.UsageError(f"{report.nodeid} queries a frame at import: add it to QUERY_AT_IMPORT")

    def pytest_runtest_logreport(self, report) -> None:
        if self.in_fork and report.failed:
            os._exit(_DIED)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session) -> bool:
        items = {item.nodeid: item for item in session.items}
        with tempfile.TemporaryDirectory() as folder:
            for number, (module, place, tests) in enumerate(self.asked):
                one = mutant(ROOT / module, (place[0], place[1]))
                met = [items[test] for test in tests if test in items]
                pid = os.fork()
                if not pid:
                    self._in_fork(one, met, Path(folder) / str(number))
                self.outcomes.append(_outcome(pid))
        return True

    def _in_fork(self, one: Mutant, items: list[pytest.Item], folder: Path) -> NoReturn:
        self.in_fork = True
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            if not replaced(one):
                os._exit(_NO_FUNCTION)
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config._tmp_path_factory._given_basetemp = folder  # pyright: ignore[reportAttributeAccessIssue]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException:
            os._exit(_DIED)
        os._exit(0)


def _outcome(pid: int) -> str | None:
    """Wait for a fork and tell what became of its mutant."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return {0: SURVIVED, _NO_FUNCTION: None}.get(code, KILLED)
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return None


def _threads() -> list[str]:
    return [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]


def replaced(one: Mutant) -> bool:
    """Give the function around a mutant the code of the mutated module; tell if there is one."""
    if one.statement.name is not None:
        return False
    at: Any = importlib.import_module(module_name(one.path))
    path = one.statement.scope.split(".")
    for number, part in enumerate(path, 1):
        at = vars(at).get(part)
        if isinstance(at, type):
            continue
        function = _plain(at)
        code = _code(compile(one.source, str(one.path), "exec"), path[:number])
        if function is None or code is None or code.co_freevars != function.__code__.co_freevars:
            return False
        function.__code__ = code
        return True
    return False


_INNER: Mapping[type, Callable[[Any], Any]] = {
    staticmethod: lambda o: o.__func__, classmethod: lambda o: o.__func__, property: lambda o: o.fget,
    cached_property: lambda o: o.func,
}  # fmt: skip


def _plain(found: Any) -> FunctionType | None:
    """Return the function inside of a method, a property or a decorated function."""
    while not isinstance(found, FunctionType) or hasattr(found, "__wrapped__"):
        inner = _INNER.get(type(found))
        found = inner(found) if inner else getattr(found, "__wrapped__", None)
        if found is None or isinstance(found, ModuleType):
            return None
    return found


def _code(module: CodeType, path: Sequence[str]) -> CodeType | None:
    code: CodeType | None = module
    for part in path:
        inner = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == part] if code else []
        code = inner[-1] if inner else None
    return code


if __name__ == "__main__":
    forks = _Forks(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    left_out = (f"--ignore={path}" for path in QUERY_AT_IMPORT)
    told = pytest.main(["-s", *FLAGS, *left_out, "tests"], plugins=[forks])
    if len(forks.outcomes) < len(forks.asked):
        sys.exit(int(told) or 1)
    Path(sys.argv[2]).write_text(json.dumps(forks.outcomes), "utf-8")
