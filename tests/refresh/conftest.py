"""Fixtures for whole refreshes: a project root per test, the command line, the real Dagster job."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.synthetic import render
from tests.refresh.scores import SCORES

REPOSITORY = Path(__file__).parents[2]
SEED = 7


@dataclass
class Place:
    """A project root with one study."""

    root: Path
    study: str = "sts_imrt"
    truth: pl.DataFrame = field(default_factory=pl.DataFrame)
    outcome: Result | None = None

    @property
    def drop(self) -> Path:
        return self.root / "data/drop" / self.study

    @property
    def home(self) -> Path:
        return self.root / "dagster_home"

    @property
    def release(self) -> Path:
        return self.root / "data/published" / self.study / "cohort.duckdb"

    def sarcoma(self, *words: str) -> Result:
        env = {"SARCOMA_ROOT": str(self.root), "DAGSTER_HOME": str(self.home), "COLUMNS": "200"}
        return CliRunner(env=env).invoke(main, list(words), catch_exceptions=False)

    def apart(self, *words: str, before: Sequence[str] = (), **options: Any) -> CompletedProcess[str]:
        """Run the command line in its own process, optionally prefixed by another command."""
        env = {**os.environ, "SARCOMA_ROOT": str(self.root), "DAGSTER_HOME": str(self.home), "COLUMNS": "200"}
        program = "from sarcoma_pipeline.cli import main; main()"
        return run(
            [*before, sys.executable, "-c", program, *words, "--study", self.study],
            env=env,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            **options,
        )

    def refresh(self, *options: str) -> Result:
        self.outcome = self.sarcoma("refresh", "--study", self.study, *options)
        return self.outcome

    def warehouse(self, sql: str) -> pl.DataFrame:
        with duckdb.connect(str(self.root / f"data/warehouse/{self.study}.duckdb"), read_only=True) as c:
            return c.execute(sql).pl()

    def published(self, sql: str) -> pl.DataFrame:
        with duckdb.connect(str(self.release), read_only=True) as c:
            return c.execute(sql).pl()


def lay(root: Path, study: str = "sts_imrt") -> Place:
    """Create a project root with only the committed configuration."""
    for folder in ("data/studies", "data/demo"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    (root / "dagster_home").mkdir()
    shutil.copy(REPOSITORY / "dagster_home/dagster.yaml", root / "dagster_home")
    return Place(root, study)


@pytest.fixture
def place(tmp_path) -> Callable[..., Place]:
    """Return a function that creates a project root with an empty drop folder."""

    def make(study: str = "sts_imrt") -> Place:
        made = lay(tmp_path / study, study)
        made.drop.mkdir(parents=True)
        return made

    return make


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Place:
    """The demo after its first refresh; tests that change it take ``copy`` instead."""
    made = lay(tmp_path_factory.mktemp("demo"))
    made.truth = render.demo(made.drop, SEED, made.root / "data/demo")
    made.refresh()
    return made


@pytest.fixture
def copy(demo, tmp_path) -> Place:
    """A copy of the refreshed demo that a test may change."""
    shutil.copytree(demo.root, tmp_path / "copy", copy_function=shutil.copy2)
    return Place(tmp_path / "copy", demo.study, demo.truth)


@pytest.fixture(scope="session")
def tcga(tmp_path_factory) -> Place:
    """TCGA-SARC after its first refresh."""
    made = lay(tmp_path_factory.mktemp("tcga"), "tcga_sarc")
    made.refresh()
    return made


class _FromWorkers:
    """Passes the table of scores from an xdist worker to the process that prints it."""

    def pytest_testnodedown(self, node, error):
        node.config.stash.setdefault(SCORES, []).extend(getattr(node, "workeroutput", {}).get("scores", []))


def pytest_configure(config):
    """Register the plugin for scores when xdist runs the tests."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_FromWorkers(), "scores from workers")


def pytest_sessionfinish(session):
    """Pass the scores of an xdist worker on."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["scores"] = list(session.config.stash.get(SCORES, []))


def pytest_terminal_summary(terminalreporter, config):
    """Print how well the rules find the demo's seeded defects."""
    lines = config.stash.get(SCORES, [])
    if lines:
        terminalreporter.section("rules against seeded defects")
    for line in lines:
        terminalreporter.write_line(line)
