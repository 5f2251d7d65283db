"""Seven nights under the real daemon, a minute each.

``pytest -m reliability tests/reliability/test_nights_long.py -s``
"""

import datetime as dt
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from sarcoma_pipeline import project, status
from sarcoma_pipeline.synthetic import render
from tests.refresh.conftest import REPOSITORY, SEED, lay
from tests.reliability.kills import whole

NIGHTS = 7
WORKSPACE = """
load_from:
  - python_module:
      module_name: sarcoma_pipeline.definitions
      attribute: sts_imrt
      location_name: sts_imrt
"""


def _ticks(instance):
    states = instance.all_instigator_state()
    nightly = [s for s in states if s.instigator_name == "nightly"]
    return [t for s in nightly for t in instance.get_ticks(s.instigator_origin_id, s.selector_id)]


@pytest.mark.reliability
def test_seven_nights(tmp_path, monkeypatch):
    place = lay(tmp_path)
    render.demo(place.drop, SEED, place.root / "data/demo")
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    plans = sorted(place.drop.rglob("*.dcm"))
    env = {
        "SARCOMA_ROOT": str(place.root),
        "DAGSTER_HOME": str(place.home),
        "SARCOMA_NIGHTLY": "* * * * *",
        "PYTHONPATH": str(REPOSITORY),
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    program = Path(sys.executable).with_name("dagster-daemon")
    log = (tmp_path / "daemon.log").open("w")
    daemon = subprocess.Popen(
        [str(program), "run", "-w", str(tmp_path / "workspace.yaml")],
        env=dict(os.environ),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        with dg.DagsterInstance.get() as instance:
            deadline, seen = time.monotonic() + 60 * (NIGHTS + 8), 0
            while time.monotonic() < deadline:
                time.sleep(2)
                assert daemon.poll() is None, (tmp_path / "daemon.log").read_text()[-3000:]
                ticks = _ticks(instance)
                if len(ticks) > seen:
                    seen = len(ticks)
                    if seen % 3:
                        plans.pop().unlink()
                done = [r for r in instance.get_runs() if r.job_name == "refresh" and r.is_finished]
                if len(done) >= NIGHTS:
                    break
            ticks = _ticks(instance)
            runs = {r.run_id: r.status for r in instance.get_runs() if r.job_name == "refresh"}
            told = status.status(project.load("sts_imrt", place.root), instance, dt.datetime.now(dt.UTC))
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()
    assert len(done) >= NIGHTS
    assert {t.status.value for t in ticks} == {"SUCCESS"}
    asked = [run for t in ticks for run in t.run_ids]
    assert all(len(t.run_ids) == 1 for t in ticks) and sorted(asked) == sorted(runs)
    finished = {run: state for run, state in runs.items() if run in {r.run_id for r in done}}
    assert set(finished.values()) == {dg.DagsterRunStatus.SUCCESS}
    minutes = sorted(t.timestamp for t in ticks)
    assert all(b - a == 60 for a, b in itertools.pairwise(minutes)), "no minute was left out"
    assert place.warehouse("SELECT count(*) FROM meta.refreshes").item() >= NIGHTS
    whole(place)
    for topic, words in told.lines:
        print(f"{topic:12} {words}")
    print(f"{len(ticks)} ticks, {len(runs)} runs, {len(done)} ended, all successful; release whole")
    assert place.sarcoma("doctor").exit_code == 0
