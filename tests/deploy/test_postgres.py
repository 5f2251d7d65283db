"""Dagster's storage on PostgreSQL, configured as in docs/deploy.md."""

import os
import subprocess
import sys

import psycopg2
import pytest

from sarcoma_pipeline.synthetic import render
from tests.refreshed import REPOSITORY, SEED, lay


def _sarcoma(place, url, *words):
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    program = "from sarcoma_pipeline.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**env, "SARCOMA_POSTGRES": url.replace("://", "+psycopg2://")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_runs_and_events_are_kept_in_postgresql(postgres, tmp_path):
    place = lay(tmp_path)
    render.demo(place.drop, SEED, place.root / "data/demo")
    with (place.home / "dagster.yaml").open("a") as instance:
        instance.write((REPOSITORY / "deploy/dagster-postgres.yaml").read_text())
    told = _sarcoma(place, postgres, "refresh")
    assert told.returncode == 0, told.stdout + told.stderr
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM runs GROUP BY 1")
        assert cursor.fetchall() == [("SUCCESS", 1)]
        cursor.execute("SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'")
        (materialised,) = cursor.fetchone() or (0,)
    assert materialised > 30
    assert not list(place.home.rglob("*.db"))
    told = _sarcoma(place, postgres, "status")
    assert "success, ended" in told.stdout
