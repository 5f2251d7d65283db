"""Seven refreshes under the real daemon, one minute apart; one of them is killed.

``pytest -m marathon tests/reliability/test_nights_long.py -s``
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

from sarcoma_pipeline.operations import status
from sarcoma_pipeline.orchestration import run_process
from sarcoma_pipeline.orchestration.dagster_history import DagsterHistory
from sarcoma_pipeline.study import project
from sarcoma_pipeline.synthetic import render
from tests.refreshed import REPOSITORY, SEED, lay
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


def _kill(run):
    """End the process of a run, if it is about to read; its id, if it did."""
    words = run.tags.get(run_process.TAG, "").split()
    if run.status != dg.DagsterRunStatus.STARTED or words[:1] != [run.run_id]:
        return None
    os.kill(int(words[3]), signal.SIGKILL)
    return run.run_id


@pytest.mark.marathon
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
    with dg.DagsterInstance.get():
        # Created first: two processes that create Dagster's tables at the same time corrupt them.
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
            # On a slow machine a refresh may take longer than a minute: then runs wait in the queue.
            deadline, seen, killed = time.monotonic() + 60 * NIGHTS * 4, 0, None
            while time.monotonic() < deadline:
                time.sleep(0.5)
                assert daemon.poll() is None, (tmp_path / "daemon.log").read_text()[-3000:]
                ticks = _ticks(instance)
                if len(ticks) > seen:
                    seen = len(ticks)
                    if seen % 3 and sum(r.is_success for r in instance.get_runs()) < NIGHTS:
                        plans.pop().unlink()
                every = [r for r in instance.get_runs() if r.job_name == "refresh"]
                done = [r for r in every if r.is_finished]
                if killed is None and len(done) >= 2:
                    killed = next((k for k in map(_kill, every) if k), None)
                if sum(r.is_success for r in done) >= NIGHTS and ticks[0].status.value == "SKIPPED":
                    break
            ticks = _ticks(instance)
            every = [r for r in instance.get_runs() if r.job_name == "refresh"]
            runs = {r.run_id: r.status for r in every}
            again = {r.run_id: r.parent_run_id for r in every if r.parent_run_id}
            told = status.status(
                project.load("sts_imrt", place.root), DagsterHistory(instance), dt.datetime.now(dt.UTC)
            )
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()
    # Every tick requested a run but the last, which was skipped: nothing had changed for two refreshes.
    assert {t.status.value: len(t.run_ids) for t in ticks} == {"SUCCESS": 1, "SKIPPED": 0}
    assert all("Nothing changed since" in (t.skip_reason or "") for t in ticks if not t.run_ids)
    asked = [run for t in ticks for run in t.run_ids]
    assert sorted([*asked, *again]) == sorted(runs)
    # Only the killed run failed; the daemon retried it.
    ended = {r.run_id for r in done}
    failed = [run for run in ended if runs[run] != dg.DagsterRunStatus.SUCCESS]
    assert killed and failed == [killed] and list(again.values()) == [killed]
    assert runs[next(iter(again))] in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.QUEUED)
    assert len(ended) - 1 >= NIGHTS
    minutes = sorted(t.timestamp for t in ticks)
    assert all(b - a == 60 for a, b in itertools.pairwise(minutes)), "no minute was left out"
    assert place.warehouse("SELECT count(*) FROM meta.refreshes").item() >= NIGHTS
    whole(place)
    for topic, words in told.lines:
        print(f"{topic:12} {words}")
    print(
        f"{len(ticks)} ticks, {len(runs)} runs, {len(done)} ended, all successful but the killed one, "
        f"which was started again: {runs[next(iter(again))].value}; release whole"
    )
    assert place.sarcoma("doctor").exit_code == 0
