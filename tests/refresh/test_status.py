"""``sarcoma status``: the state of the nightly refreshes."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from sarcoma_pipeline.operations import status
from sarcoma_pipeline.orchestration import night
from sarcoma_pipeline.orchestration.dagster_history import DagsterHistory
from sarcoma_pipeline.orchestration.jobs import REFRESH
from sarcoma_pipeline.study import project
from tests.orchestration.switches import switched


def _status(place, later=dt.timedelta(0), runs=()):
    study = project.load("sts_imrt", place.root)
    with dg.DagsterInstance.ephemeral() as instance:
        for state in runs:
            instance.add_run(
                dg.DagsterRun(
                    job_name=REFRESH, status=state, tags={"study": "sts_imrt"}, run_id=f"run-{state}"
                )
            )
        return status.status(study, DagsterHistory(instance), dt.datetime.now(dt.UTC) + later)


@pytest.fixture
def by_cron(monkeypatch):
    """The machine has no daemon: cron starts the refreshes."""
    monkeypatch.setenv("SARCOMA_NIGHTLY", "off")


def test_after_a_successful_refresh_there_is_no_problem(demo, by_cron):
    told = demo.sarcoma("status")
    assert told.exit_code == 0, told.output
    assert "86 patients" in told.output
    assert "success, ended" in told.output
    assert f"{demo.delivered} files: 0 new, 0 changed, 0 gone" in told.output
    # Among the planted defects are a plan without file meta information and one that is cut off.
    assert f" of {len(list(demo.drop.rglob('*.dcm')))} files are not ordinary" in told.output
    assert "PROBLEM" not in told.output


def test_new_changed_and_removed_files_are_counted(copy):
    reply = next(copy.drop.rglob("*.csv"))
    reply.write_bytes(reply.read_bytes() + b"x")
    next(copy.drop.rglob("*.dcm")).unlink()
    (copy.drop / "new.txt").write_text("x")
    assert "1 new, 1 changed, 1 gone" in copy.sarcoma("status").output


@pytest.mark.parametrize(("hours", "stale"), [(35, False), (37, True)])
def test_a_release_is_stale_after_36_hours(demo, by_cron, hours, stale):
    told = _status(demo, dt.timedelta(hours=hours))
    assert bool(told.faults) == stale


@pytest.mark.parametrize(("hours", "stuck"), [(1, False), (5, True)])
def test_a_run_that_does_not_end_is_stuck(demo, by_cron, hours, stuck):
    told = _status(demo, dt.timedelta(hours=hours), [dg.DagsterRunStatus.STARTED])
    assert any("started" in words for topic, words in told.lines if topic == "now")
    assert bool(told.faults) == stuck


def test_a_failed_refresh_is_a_problem(copy):
    shutil.rmtree(copy.drop)
    copy.drop.mkdir()
    assert copy.refresh().exit_code == 1
    told = copy.sarcoma("status")
    assert told.exit_code == 1 and "refresh failed" in told.output


def test_nothing_published_is_a_problem(place, by_cron):
    told = _status(place())
    assert told.faults == ["nothing has been published yet"]


@pytest.mark.parametrize(
    ("now", "tick"),
    [
        ("2026-03-28T23:00", "2026-03-29T03:00"),
        ("2026-07-01T02:29", "2026-07-01T02:30"),
        ("2026-07-01T02:30", "2026-07-02T02:30"),
    ],
)
def test_the_next_night_is_the_schedules(now, tick):
    berlin = ZoneInfo("Europe/Berlin")
    found = night.next_night(dt.datetime.fromisoformat(now).replace(tzinfo=berlin), berlin)
    # 02:30 does not exist on the day summer time begins: Dagster ticks at 03:00.
    wanted = dt.datetime.fromisoformat(tick).replace(tzinfo=berlin)
    assert found.timestamp() == wanted.timestamp()


def test_nothing_that_starts_the_next_refresh_is_a_problem(demo):
    told = demo.sarcoma("status")
    assert told.exit_code == 1
    assert "PROBLEM      nothing starts the next refresh: the daemon is not running." in told.output
    assert "SARCOMA_NIGHTLY=off" in told.output


@pytest.mark.parametrize(
    ("daemon", "beats", "switch", "starts"),
    [
        ("SCHEDULER", 30, None, True),
        ("SCHEDULER", 30, "RUNNING", True),
        ("SCHEDULER", 30, "STOPPED", False),
        ("SCHEDULER", 3600, None, False),
        # The sensors run, and the daemon of the schedules does not.
        ("SENSOR", 30, None, False),
        (None, 0, None, False),
    ],
)
def test_what_starts_the_next_refresh(demo, daemon, beats, switch, starts):
    now = dt.datetime.now(dt.UTC)
    with dg.instance_for_test() as instance:
        if daemon:
            beat = DaemonHeartbeat(now.timestamp() - beats, daemon, "d", [])
            instance.add_daemon_heartbeat(beat)
        if switch:
            instance.add_instigator_state(switched("sts_imrt", "nightly", switch))
        # That of another study, and another schedule.
        instance.add_instigator_state(switched("tcga_sarc", "nightly", "STOPPED"))
        instance.add_instigator_state(switched("sts_imrt", "weekly", "STOPPED"))
        found = status.status(project.load("sts_imrt", demo.root), DagsterHistory(instance), now)
    told = [fault for fault in found.faults if fault.startswith("nothing starts the next refresh")]
    assert bool(told) is not starts, found.faults


def test_a_monitor_reads_json(demo, by_cron):
    told = demo.sarcoma("status", "--json")
    assert told.exit_code == 0
    said = json.loads(told.output)
    assert said["good"] and said["faults"] == [] and dict(said["lines"])["release"]


@pytest.mark.parametrize(("cron", "hour"), [(None, 2), ("15 23 * * *", 23)])
def test_the_next_night_is_when_the_schedule_ticks(monkeypatch, cron, hour):
    if cron:
        monkeypatch.setenv("SARCOMA_NIGHTLY", cron)
    due = night.next_night(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC), ZoneInfo("Europe/Berlin"))
    assert due.hour == hour and due > dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def test_status_imports_no_dagster_where_its_files_tell_enough(demo, by_cron):
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        "try: main(['status'])\nexcept SystemExit as end: print('exit', end.code)\n"
        "heavy = {'dagster', 'sqlalchemy', 'pandas', 'pydicom', 'lxml', 'great_expectations', 'matplotlib'}\n"
        "print('imports', *sorted(heavy & set(sys.modules)))"
    )
    env = {**os.environ, "SARCOMA_ROOT": str(demo.root), "DAGSTER_HOME": str(demo.home)}
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    lines = told.stdout.splitlines()
    assert lines[-2:] == ["exit 0", "imports"]
    # The same words as from Dagster itself.
    in_files = [line for line in lines if line.startswith(("last run", "next", "daemon"))]
    from_dagster = {f"{topic:12} {words}" for topic, words in _status(demo).lines}
    assert len(in_files) == 3 and set(in_files[1:]) <= from_dagster
