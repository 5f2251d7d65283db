"""The program's wheel works without its extras: the demo's generator, PostgreSQL and several centres."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from tests.refreshed import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
DEMO = REPOSITORY / "deploy/synthetic"
ONLY_WITH_AN_EXTRA = {"dagster_celery", "dagster_postgres", "psycopg2", "redis"}


def distribution(requirement: str) -> str:
    """The name of a distribution, as PEP 503 normalizes it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def modules(of: Path) -> dict[str, str]:
    """Python modules of the program below a folder, with their text."""
    return {
        str(path.relative_to(of)): path.read_text("utf-8")
        for room in ("sarcoma_pipeline", "schemas")
        for path in sorted((of / room).rglob("*.py"))
    }


def imported_at_once(text: str) -> set[str]:
    """Modules that importing this one imports: not those in functions or for the type checker."""
    found: set[str] = set()
    rest: list[ast.AST] = [*ast.parse(text).body]
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            rest += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            rest += ast.iter_child_nodes(node)
    return found


def test_no_module_imports_at_once_what_only_an_extra_installs():
    declared = {distribution(one) for one in PROJECT["dependencies"]}
    optional = {distribution(one) for extra in PROJECT["optional-dependencies"].values() for one in extra}
    of_module = {m: {distribution(d) for d in ds} for m, ds in packages_distributions().items()}
    assert {m for m in ONLY_WITH_AN_EXTRA if of_module[m] & optional - declared} == ONLY_WITH_AN_EXTRA
    wrong = {
        (path, name)
        for path, text in modules(REPOSITORY).items()
        for name in imported_at_once(text)
        if of_module.get(name.split(".")[0], set()) & optional - declared
        or (name.startswith("sarcoma_pipeline.synthetic") and "/synthetic/" not in path)
    }
    assert wrong == set()


def test_the_demo_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sarcoma_pipeline.synthetic", None)
    told = CliRunner().invoke(main, ["demo", "--into", str(tmp_path / "drop")])
    assert told.exit_code == 1
    assert "pip install 'sarcoma-pipeline[synthetic]'" in told.output
    assert not (tmp_path / "drop").exists()


def test_the_extra_asks_for_the_demo_of_the_same_version():
    demo = tomllib.loads((DEMO / "pyproject.toml").read_text("utf-8"))["project"]
    assert demo["version"] == PROJECT["version"]
    assert PROJECT["optional-dependencies"]["synthetic"] == [f"{demo['name']}=={demo['version']}"]
    assert demo["dependencies"] == [f"{PROJECT['name']}=={PROJECT['version']}"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """Folders of the unpacked wheels: the program, and the program with the demo."""
    built, unpacked = tmp_path_factory.mktemp("dist"), {}
    for name, folder in (("program", REPOSITORY), ("demo", DEMO)):
        into = built / name
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", into]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (unpacked[name],) = into.glob("*.whl")
    places = {"program": built / "one", "program and demo": built / "both"}
    for place, names in {"program": ["program"], "program and demo": ["program", "demo"]}.items():
        for name in names:
            with zipfile.ZipFile(unpacked[name]) as wheel:
                assert not any((places[place] / file).exists() for file in wheel.namelist())
                wheel.extractall(places[place])
    return places


def run(place: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program that imports the unpacked wheel before anything else."""
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"PYTHONPATH": str(place), "COLUMNS": "200", **environment},
        cwd=place, capture_output=True, text=True,
    )  # fmt: skip


def demo(place: Path, root: Path) -> subprocess.CompletedProcess[str]:
    program = (
        f"from sarcoma_pipeline.cli import main; main(['demo', '--no-anatomy', '--into', '{root}/drop'])"
    )
    return run(place, program, SARCOMA_ROOT=str(root))


@pytest.mark.slow
def test_the_wheels_together_have_every_module_and_only_the_demos_has_the_generator(wheels):
    everything = modules(REPOSITORY)
    generator = {path for path in everything if path.startswith("sarcoma_pipeline/synthetic/")}
    assert modules(wheels["program and demo"]) == everything
    assert set(modules(wheels["program"])) == set(everything) - generator
    assert len(generator) > 10


@pytest.mark.slow
def test_every_module_of_the_program_imports_without_the_extras(wheels):
    place = wheels["program"]
    names = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in modules(place)]
    program = f"""
import importlib, sys
sys.modules.update(dict.fromkeys({sorted(ONLY_WITH_AN_EXTRA)}))
for name in {names}:
    importlib.import_module(name)
print(sys.modules["sarcoma_pipeline"].__file__, "sarcoma_pipeline.synthetic" in sys.modules)
"""
    told = run(place, program)
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == [str(place / "sarcoma_pipeline/__init__.py"), "False"]


@pytest.mark.slow
def test_the_demo_of_the_wheels_is_that_of_a_clone(wheels, tmp_path):
    alone = demo(wheels["program"], tmp_path / "alone")
    assert alone.returncode == 1 and "sarcoma-pipeline[synthetic]" in alone.stderr
    for place, root in ((wheels["program and demo"], tmp_path / "wheels"), (REPOSITORY, tmp_path / "clone")):
        root.mkdir()
        if place == REPOSITORY:
            (root / "data").symlink_to(REPOSITORY / "data")
        told = demo(place, root)
        assert told.returncode == 0, told.stderr
    files = {p.relative_to(tmp_path / "clone") for p in (tmp_path / "clone/drop").rglob("*") if p.is_file()}
    assert len(files) > 500
    assert files == {
        p.relative_to(tmp_path / "wheels") for p in (tmp_path / "wheels/drop").rglob("*") if p.is_file()
    }
    assert all((tmp_path / "clone" / f).read_bytes() == (tmp_path / "wheels" / f).read_bytes() for f in files)
