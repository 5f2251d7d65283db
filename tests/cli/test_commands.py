"""The command line: fast ``--help``, errors that say what to do, refused commands that change nothing."""

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


def test_help_imports_neither_dagster_nor_polars():
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'dagster', 'polars', 'duckdb'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]")
    for command in ("refresh", "demo", "rules", "findings", "studies"):
        assert command in run.stdout


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
    assert (unknown.exit_code, "no rule 'no.such'" in unknown.output) == (2, True)


def test_findings_before_the_first_refresh_says_what_to_do(tmp_path):
    (tmp_path / "data").mkdir()

    shutil.copytree(Path(__file__).parents[2] / "data/studies", tmp_path / "data/studies")
    outcome = _run("findings", root=tmp_path)
    assert outcome.exit_code == 2
    assert "sarcoma refresh" in outcome.output


@pytest.mark.parametrize("study", ["sts_imrt", "tcga_sarc"])
def test_studies_are_listed(study):
    assert study in _run("studies").output
