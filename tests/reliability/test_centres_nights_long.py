"""Nightly refreshes of three centres under the real daemon: a run per centre, then the pooled study.

``pytest -m marathon tests/reliability/test_centres_nights_long.py -s``
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import jobs
from sarcoma_pipeline.orchestration.warehouse_resource import PARTITION
from tests.refreshed import REPOSITORY
from tests.reliability.kills import whole
from tests.reliability.test_nights_long import WORKSPACE
from tests.warehouse.two_centres import CENTRES, lay_three

NIGHTS = 2
PATIENCE = 1500


@pytest.mark.marathon
def test_nights_of_three_centres(tmp_path, monkeypatch):
    place = lay_three(tmp_path)
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    env = {
        "SARCOMA_ROOT": str(place.root),
        "DAGSTER_HOME": str(place.home),
        "SARCOMA_NIGHTLY": "*/4 * * * *",
        "PYTHONPATH": str(REPOSITORY),
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get():
        # Created first: two processes that create Dagster's tables at the same time corrupt them.
        program = Path(sys.executable).with_name("dagster-daemon")
    with (tmp_path / "daemon.log").open("w") as log:
        daemon = subprocess.Popen(
            [str(program), "run", "-w", str(tmp_path / "workspace.yaml")],
            env=dict(os.environ), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        with dg.DagsterInstance.get() as instance:
            deadline, pooled = time.monotonic() + PATIENCE, []
            while time.monotonic() < deadline and len(pooled) < NIGHTS:
                time.sleep(1)
                assert daemon.poll() is None, (tmp_path / "daemon.log").read_text()[-3000:]
                runs = instance.get_runs()
                pooled = [r for r in runs if r.job_name == jobs.POOL and r.is_success]
            ended = [r for r in runs if r.is_finished]
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()
    assert len(pooled) == NIGHTS, (tmp_path / "daemon.log").read_text()[-3000:]
    assert all(r.is_success for r in ended)
    received = [r.tags[PARTITION] for r in ended if r.job_name == jobs.RECEIVE]
    assert {c: received.count(c) >= NIGHTS for c in CENTRES} == dict.fromkeys(CENTRES, True)
    patients = place.published("SELECT centre, count(*) FROM patients GROUP BY 1 ORDER BY 1").rows()
    print(f"{len(ended)} runs, {len(pooled)} of the pooled study, release {whole(place)}: {patients}")
    assert [centre for centre, _ in patients] == list(CENTRES)
