"""The history that is read from Dagster's files is the one that Dagster tells."""

import datetime as dt
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import night, run_history
from sarcoma_pipeline.orchestration.dagster_history import DagsterHistory
from sarcoma_pipeline.orchestration.dagster_internals import next_tick
from tests.orchestration.switches import switched

ASSET = ("one", "release", "cohort_duckdb")


@dg.asset(key=list(ASSET))
def made():
    return 1


@dg.op
def fails():
    raise ValueError


def _job(study: str, name: str, **tags: str) -> dg.JobDefinition:
    jobs = [dg.define_asset_job(name, tags={"study": study, **tags})]
    return dg.Definitions([made], jobs=jobs).resolve_job_def(name)


@dg.job(name="refresh", tags={"study": "one"})
def failing():
    fails()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The files of an instance: a success, a failure, a draft, a run that runs, and one of another study."""
    folder = tmp_path_factory.mktemp("ran")
    with dg.instance_for_test(temp_dir=str(folder)) as instance:
        assert _job("one", "refresh").execute_in_process(instance=instance).success
        assert not failing.execute_in_process(instance=instance, raise_on_error=False).success
        assert _job("two", "refresh").execute_in_process(instance=instance).success
        assert _job("one", "refresh", draft="true").execute_in_process(instance=instance).success
        waiting = dg.DagsterRun(
            job_name="receive", status=dg.DagsterRunStatus.STARTED, tags={"study": "one"}, run_id="runs"
        )
        instance.add_run(waiting)
    return folder


@pytest.fixture
def instance(ran, tmp_path):
    """A copy of the instance, which a test may change."""
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


def _told(history: run_history.History) -> list[object]:
    return [
        history.runs("one"),
        history.runs("one", "refresh"),
        history.runs("one", "refresh", run_history.ENDED, 1),
        history.runs("one", states=run_history.BUSY),
        history.runs("one", "refresh", ["success"]),
        history.runs("none"),
        history.materialised(ASSET),
        history.materialised(("no", "asset")),
        history.heartbeat(),
    ]


def test_the_files_tell_what_dagster_tells(instance, tmp_path):
    with run_history.opened(tmp_path) as history:
        told = _told(history)
    assert told == _told(DagsterHistory(instance))
    states = [run.state for run in told[0]]  # type: ignore[attr-defined]
    assert states == ["started", "success", "failure", "success"]
    assert told[6] is not None and told[6][1].tags["draft"] == "true"  # type: ignore[index]


def test_an_event_of_no_run_is_told_alike(instance, tmp_path):
    instance.report_runless_asset_event(dg.AssetMaterialization(asset_key=list(ASSET)))
    with run_history.opened(tmp_path) as history:
        found = history.materialised(ASSET)
    assert found == DagsterHistory(instance).materialised(ASSET)
    assert found is not None and found[1] is None


def test_a_sign_of_life_is_told_alike(instance, tmp_path):
    with sqlite3.connect(tmp_path / "history/runs.db") as connection:
        connection.execute(
            "INSERT INTO daemon_heartbeats (daemon_type, timestamp, body) VALUES ('SCHEDULER', ?, ?)",
            ["2026-01-02 03:04:05.678901", _heartbeat()],
        )
    connection.close()
    with run_history.opened(tmp_path) as history:
        assert history.heartbeat() == DagsterHistory(instance).heartbeat()
        assert history.heartbeat() == dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC)


@pytest.mark.parametrize("state", ["STOPPED", "RUNNING"])
@pytest.mark.parametrize(("location", "function"), [("one", "one"), ("one", None), ("module", "one")])
def test_a_schedule_that_a_person_switched_off_is_told_alike(instance, tmp_path, state, location, function):
    for name, at in (("nightly", location), ("weekly", "one"), ("nightly", "two")):
        known = function if at == location else None
        instance.add_instigator_state(switched(at, name, state if at == location else "STOPPED", known))
    with run_history.opened(tmp_path) as history:
        for ask in (history, DagsterHistory(instance)):
            assert ask.is_switched_off("one", "nightly") is (state == "STOPPED")
            assert ask.is_switched_off("two", "nightly")
            assert not ask.is_switched_off("two", "weekly")


def test_no_schedule_was_ever_switched(instance, tmp_path):
    (tmp_path / "schedules/schedules.db").unlink(missing_ok=True)
    with run_history.opened(tmp_path) as history:
        assert not history.is_switched_off("one", "nightly")


def _heartbeat() -> str:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC).timestamp()
    beat = {"timestamp": moment, "daemon_type": "SCHEDULER", "daemon_id": "d", "errors": []}
    return json.dumps({"__class__": "DaemonHeartbeat", **beat})


@pytest.mark.parametrize("key", ["storage", "run_storage", "event_log_storage"])
def test_another_database_is_left_to_dagster(instance, tmp_path, key):
    (tmp_path / "dagster.yaml").write_text(f"{key}:\n  module: dagster_postgres\n")
    with pytest.raises(run_history.Unfamiliar), run_history.opened(tmp_path):
        pass


def test_unknown_files_are_left_to_dagster(tmp_path):
    with pytest.raises(run_history.Unfamiliar), run_history.opened(tmp_path):
        pass
    (tmp_path / "history/runs").mkdir(parents=True)
    for name in ("history/runs.db", "history/runs/index.db"):
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("CREATE TABLE other (id INTEGER)")
        connection.close()
    with pytest.raises(run_history.Unfamiliar), run_history.opened(tmp_path) as history:
        history.runs("one")


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("30 2 * * *", "Europe/Berlin"),
        ("15 23 * * *", "Europe/Berlin"),
        ("0 0 * * *", "Europe/Berlin"),
        ("5 3 * * 1", "Europe/Berlin"),
        ("*/5 * * * *", "Europe/Berlin"),
        ("30 2 * * *", "America/New_York"),
    ],
)
def test_the_next_night_is_that_of_the_daemon_on_every_day(monkeypatch, cron, zone):
    monkeypatch.setenv("SARCOMA_NIGHTLY", cron)
    now = dt.datetime(2026, 1, 1, 1, 17, tzinfo=dt.UTC)
    for _ in range(366):
        assert night.next_night(now, ZoneInfo(zone)) == next_tick(cron, zone, now)
        now += dt.timedelta(hours=24, minutes=7)


def test_to_look_at_the_history_needs_no_dagster():
    code = (
        "import sys, datetime as dt, zoneinfo\n"
        "from sarcoma_pipeline.operations import status\n"
        "from sarcoma_pipeline.orchestration import night, run_history, skip_unchanged\n"
        "night.next_night(dt.datetime(2026, 7, 1, tzinfo=dt.UTC), zoneinfo.ZoneInfo('Europe/Berlin'))\n"
        "print(*sorted({'dagster', 'sqlalchemy', 'pandas', 'pydicom', 'lxml'} & set(sys.modules)))"
    )
    root = Path(night.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(root)},
    )
    assert done.stdout.split() == []
