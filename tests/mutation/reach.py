"""Records which test executes which statement of curation and of the cohort: a mutant meets these tests.

Tests that are end to end are left out: what their processes execute cannot be recorded. So are slow tests of
commands, pages and storage.

The modules are compiled with a call before each statement. The record is kept in ``.cache``; the tests of a
file that changed are recorded again. A record from before a change of the program may miss a test that kills
a mutant: the score is then too low, never too high.

``python -m tests.mutation.reach PATH …`` records the tests of these files and folders.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib.abc
import importlib.util
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from tests.markers import slow_modules

ROOT = Path(__file__).parents[2]
ROOMS = ("sarcoma_pipeline/curation", "sarcoma_pipeline/cohort")
CACHE = ROOT / ".cache/mutation_reach.json"
FLAGS = (
    "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib",
    "-m", "not end_to_end and not marathon", *(f"--ignore={path}" for path in sorted(slow_modules())),
)  # fmt: skip
"""Options of pytest: tests that run in this process."""
_COUNTER = "__reached__"


def modules() -> list[Path]:
    """Return the modules that are mutated."""
    found = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [path for path in found if path.stem != "__init__"]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@dataclass(frozen=True)
class Statement:
    """A statement; of a compound one its head.

    Attributes:
        module: its path below the root.
        scope: name of the function or class around it.
        text: its first line. Statements with the same text in one scope count as one.
        name: what a statement outside of functions defines. It is executed at import, whoever uses the name.
    """

    module: str
    scope: str
    text: str
    name: str | None

    @property
    def key(self) -> str:
        return f"{self.module}:{self.scope}:{self.text}"


def statements(tree: ast.Module, path: Path) -> dict[int, Statement]:
    """Map the id of each node to the statement that contains it."""
    module = path.relative_to(ROOT).as_posix()
    found: dict[int, Statement] = {}

    def visit(node: ast.AST, scope: str, name: str | None, inside: bool, at: Statement | None) -> None:
        if isinstance(node, ast.stmt):
            name = name if inside or scope else _defined(node)
            at = Statement(
                module, scope, ast.unparse(node).partition("\n")[0], None if inside else name or ""
            )
        if at is not None:
            found[id(node)] = at
        body: list[ast.AST] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            body = list(node.body)
            inner = f"{scope}.{node.name}".lstrip(".")
            for child in body:
                visit(child, inner, name, inside or not isinstance(node, ast.ClassDef), at)
        for child in ast.iter_child_nodes(node):
            if not any(child is one for one in body):
                visit(child, scope, name, inside, at)

    visit(tree, "", None, False, None)
    return found


def _defined(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


class _Counted(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Imports the modules with a call before each statement."""

    def __init__(self) -> None:
        self.paths = {module_name(path): path for path in modules()}
        self.keys: dict[str, int] = {}

    def find_spec(self, fullname, path=None, target=None):
        found = self.paths.get(fullname)
        return found and importlib.util.spec_from_file_location(fullname, str(found), loader=self)

    def get_filename(self, fullname: str) -> str:
        return str(self.paths[fullname])

    def get_data(self, path: str | bytes) -> bytes:
        return Path(os.fsdecode(path)).read_bytes()

    def source_to_code(self, data, path="", *, _optimize=-1):
        tree = ast.parse(data)
        found = statements(tree, Path(os.fsdecode(path)))
        for node in list(ast.walk(tree)):
            for name in ("body", "orelse", "finalbody"):
                part = getattr(node, name, None)
                if isinstance(part, list) and part and isinstance(part[0], ast.stmt):
                    setattr(node, name, [one for stmt in part for one in self._with_count(stmt, found)])
        return compile(ast.fix_missing_locations(tree), os.fsdecode(path), "exec")

    def _with_count(self, node: ast.stmt, found: dict[int, Statement]) -> Iterator[ast.stmt]:
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (future or text):
            number = self.keys.setdefault(found[id(node)].key, len(self.keys))
            call = ast.Call(ast.Name(_COUNTER, ast.Load()), [ast.Constant(number)], [])
            yield ast.copy_location(ast.Expr(call), node)
        yield node


class _Recorder:
    """A plugin of pytest: which statements each test reaches, and how long it takes.

    What a fixture of several tests reaches, each of these tests reaches; and what one of them reaches, all of
    them; likewise the cases of one curation. Kept results are forgotten before each test, or else only the
    first test would reach the statements.
    """

    def __init__(self) -> None:
        self.reached: set[int] = set()
        self.of_fixture: dict[int, set[int]] = defaultdict(set)
        self.tests: dict[str, tuple[float, set[int]]] = {}
        self.together: dict[str, list[str]] = defaultdict(list)
        self.failed: set[str] = set()
        self._count_into(set())

    def _count_into(self, reached: set[int]) -> set[int]:
        before, self.reached = self.reached, reached
        setattr(builtins, _COUNTER, reached.add)
        return before

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        before = self._count_into(set())
        try:
            return (yield)
        finally:
            inside = self._count_into(before)
            self.of_fixture[id(fixturedef)] |= inside
            self.reached |= inside

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        _forget()
        self._count_into(set())
        began = perf_counter()
        try:
            return (yield)
        finally:
            took = perf_counter() - began
            fixtures = [d for ds in item._fixtureinfo.name2fixturedefs.values() for d in ds]
            reached = self.reached.union(*(self.of_fixture[id(d)] for d in fixtures))
            self.tests[item.nodeid] = (took, reached)
            for place in shared(item):
                self.together[place].append(item.nodeid)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)


def shared(item) -> Iterator[str]:
    """Name what a test shares with others: a curation of several cases, a fixture of more than one test.

    Such a fixture may keep results that only its first test computes.
    """
    if "described" in vars(item.function):
        yield item.nodeid.partition("::")[0]
    for definition in (one[-1] for one in item._fixtureinfo.name2fixturedefs.values()):
        if definition.scope != "function" and definition.func.__module__.startswith("tests."):
            yield f"{definition.func.__module__} {definition.argname}"


def _forget() -> None:
    sys.modules["tests.conftest"]._CURATED.clear()
    for name, module in list(sys.modules.items()):
        if name.startswith("sarcoma_pipeline."):
            for value in list(vars(module).values()):
                if getattr(value, "__module__", None) == name and hasattr(value, "cache_clear"):
                    value.cache_clear()


@dataclass
class Reach:
    """What each test reaches.

    Attributes:
        keys: of the statements.
        tests: id of a test to its seconds and a bit for each statement, the lowest one for the first key.
        files: path of a test file to the hash of its content when it was recorded.
    """

    keys: list[str] = field(default_factory=list)
    tests: dict[str, tuple[float, int]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Reach:
        if not CACHE.exists():
            return cls()
        told = json.loads(CACHE.read_text("utf-8"))
        return cls(told["keys"], {t: (s, int(bits, 16)) for t, s, bits in told["tests"]}, told["files"])

    def save(self) -> None:
        tests = [(test, round(seconds, 3), f"{bits:x}") for test, (seconds, bits) in self.tests.items()]
        CACHE.parent.mkdir(exist_ok=True)
        CACHE.write_text(json.dumps({"keys": self.keys, "tests": tests, "files": self.files}), "utf-8")

    def changed(self) -> list[str]:
        """Return the test files that are not recorded as they are now."""
        found = {p.relative_to(ROOT).as_posix(): p for p in sorted((ROOT / "tests").rglob("test_*.py"))}
        return [name for name, path in found.items() if self.files.get(name) != _hash(path)]

    def add(self, told: dict[str, tuple[float, set[str]]], files: dict[str, str]) -> None:
        """Replace what is known of some test files."""
        number = {key: n for n, key in enumerate(self.keys)}
        self.files |= files
        self.tests = {t: one for t, one in self.tests.items() if t.partition("::")[0] not in files}
        for test, (seconds, keys) in told.items():
            self.tests[test] = seconds, sum(1 << number.setdefault(key, len(number)) for key in keys)
        self.keys = list(number)

    def of(self, statement: Statement, path: Path) -> list[str]:
        """Return the tests that a mutant of a statement meets, the most specific ones first.

        They reach it, or a statement or test file with the name that it defines. A statement without any is
        given to the tests of its module.
        """
        if statement.name is None:
            chosen = self._reaching(self._bits(lambda key: key == statement.key))
        else:
            chosen = self._using(statement)
        chosen = chosen or self._reaching(self._bits(lambda key: key.startswith(f"{statement.module}:")))
        return sorted(chosen, key=lambda test: (*self._order(test, path), test))

    def _bits(self, wanted: Callable[[str], object]) -> int:
        return sum(1 << n for n, key in enumerate(self.keys) if wanted(key))

    def _reaching(self, bits: int) -> set[str]:
        return {test for test, (_, reached) in self.tests.items() if reached & bits}

    def _using(self, statement: Statement) -> set[str]:
        """Return the tests of what is executed at import: of the name that it defines."""
        word = re.compile(rf"\b{re.escape(statement.name or '')}\b")
        outside = {*(ROOT / "sarcoma_pipeline").rglob("*.py")} - {*modules()}
        if not statement.name or any(word.search(path.read_text("utf-8")) for path in outside):
            return set(self.tests)
        files = {name for name in self.files if word.search((ROOT / name).read_text("utf-8"))}
        return self._reaching(self._bits(word.search)) | {
            t for t in self.tests if t.partition("::")[0] in files
        }

    def _order(self, test: str, path: Path) -> tuple[bool, bool, float]:
        file = test.partition("::")[0]
        named = Path(file).stem.startswith(f"test_{path.stem}")
        room = file.split("/")[1] in path.relative_to(ROOT).parts
        seconds, reached = self.tests[test]
        return not named, not room, seconds * (1 + reached.bit_count())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record(paths: list[str]) -> Reach:
    """Run the tests of files or folders in this process, which has imported nothing of the program."""
    counted, recorder = _Counted(), _Recorder()
    sys.meta_path.insert(0, counted)
    pytest.main([*FLAGS, *paths], plugins=[recorder])
    key = {number: key for key, number in counted.keys.items()}
    for tests in recorder.together.values():
        union = set().union(*(recorder.tests[test][1] for test in tests))
        recorder.tests.update({test: (recorder.tests[test][0], union) for test in tests})
    told = {
        test: (seconds, {key[n] for n in reached})
        for test, (seconds, reached) in recorder.tests.items()
        if reached and test not in recorder.failed
    }
    named = (ROOT / name for name in paths)
    under = [path for at in named for path in (sorted(at.rglob("test_*.py")) if at.is_dir() else [at])]
    made = Reach.load()
    made.add(told, {path.relative_to(ROOT).as_posix(): _hash(path) for path in under})
    made.save()
    return made


if __name__ == "__main__":
    told = record(sys.argv[1:] or Reach.load().changed())
    print(
        f"{len(told.tests)} tests reach curation or the cohort; {len(told.changed())} files are not recorded"
    )
