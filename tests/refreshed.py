"""Whole refreshes, run as a person runs them: a project root, the command line, the real Dagster job."""

import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.synthetic import render

REPOSITORY = Path(__file__).parents[1]
SEED = 7


@dataclass(frozen=True)
class Told:
    """Exit code and output of a command."""

    exit_code: int
    output: str


@dataclass
class Place:
    """A project root with one study."""

    root: Path
    study: str = "sts_imrt"
    truth: pl.DataFrame = field(default_factory=pl.DataFrame)
    outcome: Told | None = None

    @property
    def drop(self) -> Path:
        return self.root / "data/drop" / self.study

    @property
    def home(self) -> Path:
        return self.root / "dagster_home"

    @property
    def release(self) -> Path:
        return self.root / "data/published" / self.study / "cohort.duckdb"

    @property
    def delivered(self) -> int:
        """Number of files in the drop folder."""
        return sum(path.is_file() for path in self.drop.rglob("*"))

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

    def refresh(self, *options: str) -> Told:
        told = self.sarcoma("refresh", "--study", self.study, *options)
        self.outcome = Told(told.exit_code, told.output)
        return self.outcome

    def warehouse(self, sql: str) -> pl.DataFrame:
        with duckdb.connect(str(self.root / f"data/warehouse/{self.study}.duckdb"), read_only=True) as c:
            return c.execute(sql).pl()

    def published(self, sql: str) -> pl.DataFrame:
        """Query the release under an alias, so that names qualified by a schema are clear."""
        with duckdb.connect() as c:
            c.execute(f"ATTACH '{self.release}' AS release (READ_ONLY); USE release")
            return c.execute(sql).pl()

    def copied(self, root: Path) -> "Place":
        """Copy everything to another root, which the caller may change."""
        shutil.copytree(self.root, root, copy_function=shutil.copy2)
        return Place(root, self.study, self.truth, self.outcome)


def lay(root: Path, study: str = "sts_imrt") -> Place:
    """Create a project root with only the committed configuration."""
    for folder in ("data/studies", "data/demo"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    (root / "dagster_home").mkdir()
    shutil.copy(REPOSITORY / "dagster_home/dagster.yaml", root / "dagster_home")
    return Place(root, study)


@cache
def _empty_warehouse() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.duckdb"
        store = Warehouse(path=str(path))
        store.height("meta.files")
        store.close()
        return path.read_bytes()


def with_empty_tables(path: Path) -> Path:
    """Write a warehouse as a first connection leaves it, with all tables empty; it is made once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(_empty_warehouse())
    path.chmod(0o600)
    return path


def first_refresh(factory: pytest.TempPathFactory, study: str) -> Place:
    """Return a study after its first refresh, which runs once per test run, whatever the number of workers.

    Each worker gets a copy: some tests leave a notification or an event there, and only one process at a time
    may write to a warehouse.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"first_refresh_of_{study}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "told.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _refresh_first(folder, study)
    told = Told(**json.loads((folder / "told.json").read_text("utf-8")))
    made = Place(folder / "root", study, pl.read_parquet(folder / "truth.parquet"), told)
    return made.copied(factory.mktemp(study) / "root")


def _refresh_first(folder: Path, study: str) -> None:
    made = lay(folder / "root", study)
    if study == "sts_imrt":
        made.truth = render.demo(made.drop, SEED, made.root / "data/demo")
    made.truth.write_parquet(folder / "truth.parquet")
    told = made.refresh()
    (folder / "told.json").write_text(
        json.dumps({"exit_code": told.exit_code, "output": told.output}), "utf-8"
    )
