"""Three centres, two workers, one catalog, as in docs/several_centres.md; a worker is killed."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import psycopg2
import pytest

from tests.refreshed import REPOSITORY, lay
from tests.warehouse.two_centres import CENTRES, lay_three

LOST_AFTER = 75
"""Longer than any step takes here, also on a busy machine."""
PATIENCE = 1200


@pytest.fixture
def three(tmp_path):
    return lay_three(tmp_path / "three")


def _env(place, **more):
    return {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home), **more}


def _refresh(env, log: Path) -> subprocess.Popen:
    program = "from sarcoma_pipeline.cli import main; main()"
    command = [sys.executable, "-c", program, "refresh"]
    with log.open("w") as out:
        return subprocess.Popen(command, env=env, cwd=REPOSITORY, stdout=out, stderr=out)


def _released(place, sql: str) -> list[tuple]:
    with duckdb.connect(str(place.release), read_only=True) as connection:
        return connection.execute(sql).fetchall()


class _Worker:
    """A worker in its own process session, so that all its processes are killed together."""

    def __init__(self, name: str, env: dict[str, str], folder: Path):
        self.log = folder / f"{name}.log"
        words = ["-m", "celery", "-A", "sarcoma_pipeline.orchestration.celery", "worker"]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *words, "-c", "1", "-n", f"{name}@%h", "-l", "info"],
                env=env, cwd=REPOSITORY, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def tasks(self, state: str) -> list[str]:
        return re.findall(rf"Task execute_plan\[([\w-]+)\] {state}", self.log.read_text())

    def holds(self) -> set[str]:
        return set(self.tasks("received")) - set(self.tasks("succeeded"))

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.mark.slow
def test_a_killed_worker_does_not_change_the_pooled_study(three, postgres, redis, tmp_path):
    alone = lay(tmp_path / "alone")
    for folder in ("data/studies", "data/drop"):
        shutil.copytree(three.root / folder, alone.root / folder, dirs_exist_ok=True)
    key = "data/warehouse/sts_imrt.key"
    (alone.root / key).parent.mkdir(mode=0o700)
    (three.root / key).parent.mkdir(mode=0o700)
    (three.root / key).touch(0o600)
    (three.root / key).write_text("0f" * 32)
    shutil.copy2(three.root / key, alone.root / key)
    in_one_process = _refresh(_env(alone), tmp_path / "alone.log")

    with (three.home / "dagster.yaml").open("a") as instance:
        instance.write((REPOSITORY / "deploy/dagster-postgres.yaml").read_text())
    data = three.root / "data/lake"
    env = _env(
        three,
        SARCOMA_POSTGRES=postgres.replace("://", "+psycopg2://"),
        SARCOMA_CATALOG=postgres,
        SARCOMA_CATALOG_DATA=str(data),
        SARCOMA_EXECUTOR="celery",
        SARCOMA_BROKER=redis,
        SARCOMA_LOST_AFTER=str(LOST_AFTER),
    )
    workers = [_Worker(name, env, tmp_path) for name in ("first", "second")]
    lost, other = workers
    try:
        run = _refresh(env, tmp_path / "three.log")
        # Kill it when it has finished some steps and is running one.
        while len(lost.tasks("succeeded")) < 4 or not lost.holds():
            assert run.poll() is None, (tmp_path / "three.log").read_text()
            time.sleep(0.05)
        lost.kill()
        held = lost.holds()
        assert len(held) == 1
        assert run.wait(PATIENCE) == 0, (tmp_path / "three.log").read_text()
        assert in_one_process.wait(PATIENCE) == 0, (tmp_path / "alone.log").read_text()
    finally:
        for worker in workers:
            worker.kill()
    assert held <= set(other.tasks("succeeded"))

    assert not list(three.root.glob("data/warehouse/*.duckdb"))
    assert {p.relative_to(data).parts[1].partition("_")[0] for p in data.rglob("*.parquet")} >= set(CENTRES)
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT value, status, count(*) FROM runs JOIN run_tags USING (run_id) "
            "WHERE key = 'dagster/partition' GROUP BY 1, 2 ORDER BY 1"
        )
        assert cursor.fetchall() == [(centre, "SUCCESS", 1) for centre in CENTRES]
    assert _released(three, "SELECT content_hash FROM meta.release") == _released(
        alone, "SELECT content_hash FROM meta.release"
    )
    patients = _released(three, "SELECT centre, count(*) FROM patients GROUP BY 1 ORDER BY 1")
    assert [centre for centre, _ in patients] == list(CENTRES)
    flow = _released(three, "SELECT remaining FROM flow ORDER BY position")
    assert flow[-1] == (sum(n for _, n in patients),)
    by_centre = "SELECT DISTINCT level FROM analysis.subgroup WHERE covariate = 'centre' ORDER BY 1"
    assert [level for (level,) in _released(three, by_centre)] == list(CENTRES)
    _draws_from_every_centre(alone, dict(patients), tmp_path)


def _draws_from_every_centre(place, patients: dict[str, int], folder: Path) -> None:
    numbers = folder / "numbers.csv"
    words = ("--n", "99", "--seed", "7", "--into", str(folder / "s.xlsx"), "--numbers", str(numbers))
    drawn = place.sarcoma("sample", *words, "--json")
    assert drawn.exit_code == 0, drawn.output
    strata: Counter[str] = Counter()
    for stratum in json.loads(drawn.output)["strata"]:
        strata[stratum["stratum"].partition(";")[0]] += stratum["drawn"]
    assert strata == patients
    with numbers.open(newline="") as stream:
        found = [*csv.DictReader(stream)]
    assert Counter(row["centre"] for row in found) == patients
    assert all(row["patient_number"] for row in found)
