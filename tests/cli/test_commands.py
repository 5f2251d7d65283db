"""The command line: fast ``--help``, errors that say what to do, refused commands that change nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.quality.rule_catalogue import catalogue


def _run(*words: str, root=None):
    env = {"SARCOMA_ROOT": str(root)} if root else {}
    return CliRunner(env=env).invoke(main, list(words), catch_exceptions=False)


NOT_NEEDED = ("dagster", "great_expectations", "pandas", "pydicom", "lxml", "sqlalchemy", "matplotlib")
IMPORTS = {
    "--help": {*NOT_NEEDED, "polars", "duckdb", "pandera"},
    "--version": {*NOT_NEEDED, "polars", "duckdb", "pandera"},
    "studies": {*NOT_NEEDED, "duckdb"},
    "rules": {*NOT_NEEDED},
    "rules file.empty": {*NOT_NEEDED},
    "schema --help": {*NOT_NEEDED, "polars", "duckdb", "pandera"},
    "check --help": {*NOT_NEEDED, "polars", "duckdb", "pandera"},
    "findings --help": {*NOT_NEEDED, "polars", "duckdb", "pandera"},
}
"""Command to what it must not import; ``findings`` on a warehouse and ``check`` have tests of their own."""


@pytest.mark.parametrize(("command", "unwanted"), IMPORTS.items(), ids=IMPORTS)
def test_a_command_imports_only_what_it_needs(command, unwanted):
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        f"try: main({command.split()!r})\nexcept SystemExit as end: assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not unwanted & set(run.stderr.split())
    assert run.stdout


def test_matrix_products_use_one_thread():
    """Otherwise the last digits of a release depend on the number of cores."""
    script = (
        "import sarcoma_pipeline, numpy, os\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], len(os.listdir('/proc/self/task')))"
    )
    clean = {name: of for name, of in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=clean, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["1", "1"]
    asked = clean | {"OPENBLAS_NUM_THREADS": "2"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=asked, capture_output=True, text=True, check=True
    )
    assert run.stdout.split()[0] == "2"


def test_help_names_the_commands():
    for command in ("refresh", "demo", "rules", "findings", "studies"):
        assert command in _run("--help").output


def test_a_contract_is_judged_without_pandas_and_pandas_can_be_had_afterwards():
    script = (
        "import sys, polars as pl\nfrom schemas.cohort import CohortFlow\n"
        "row = {'position': 1, 'criterion': 'a', 'label': 'a', 'entered': 1, 'excluded': 0, 'remaining': 1}\n"
        "twice = CohortFlow.conform(pl.DataFrame([row, row | {'label': None}]))\n"
        "print(sorted(CohortFlow.failures(twice)['rule_id']), 'pandas' in sys.modules)\n"
        "import pandas\nprint(pandas.DataFrame({'a': [1]}).shape)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "['value.missing', 'value.repeated', 'value.repeated'] False",
        "(1, 1)",
    ]


def test_demo_does_not_write_into_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    outcome = _run("demo", "--into", str(tmp_path))
    assert outcome.exit_code == 2
    assert "not empty" in outcome.output
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_rules_lists_the_catalogue_and_explains_one():
    listed = _run("rules")
    assert listed.exit_code == 0
    assert all(rule in listed.output for rule in catalogue()["rule_id"])
    one = _run("rules", "file.empty")
    assert "remedy" in one.output
    unknown = _run("rules", "no.such")
    assert (unknown.exit_code, "no.such: there is no such rule" in unknown.output) == (2, True)
    assert 'did you mean "file.empty"' in _run("rules", "file.emtpy").output


def test_findings_before_the_first_refresh_says_what_to_do(tmp_path):
    (tmp_path / "data").mkdir()

    shutil.copytree(Path(__file__).parents[2] / "data/studies", tmp_path / "data/studies")
    outcome = _run("findings", root=tmp_path)
    assert outcome.exit_code == 2
    assert "sarcoma refresh" in outcome.output


@pytest.mark.parametrize("study", ["sts_imrt", "tcga_sarc"])
def test_studies_are_listed(study):
    assert study in _run("studies").output
