"""Names without a public home stand in one module, and an upgrade that moves or changes them is noticed."""

import ast
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import dbapi2

import dagster as dg
import pytest

import sarcoma_pipeline
from sarcoma_pipeline.orchestration.dagster_internals import AssetJob, next_tick, one_connection

PRIVATE = {Path("orchestration/dagster_internals.py")}


def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_no_other_module_imports_private_names_of_a_package():
    root = Path(sarcoma_pipeline.__file__).parent
    found = {
        (path.relative_to(root), name)
        for path in root.rglob("*.py")
        for name in _imported(path)
        if name.split(".")[0] in {"dagster", "pydicom", "polars", "duckdb", "pandera", "great_expectations"}
        and any(part.startswith("_") for part in name.split("."))
    }
    assert {path for path, _ in found} == PRIVATE, found


def test_the_job_type_is_what_dagster_returns():
    assert isinstance(dg.define_asset_job("refresh", dg.AssetSelection.all()), AssetJob)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2024-05-06T01:59:59+02:00", "2024-05-06T02:15:00+02:00"),
        # A moment that is a tick itself: the next one.
        ("2024-05-06T02:15:00+02:00", "2024-05-07T02:15:00+02:00"),
        # The end of summer time: the day has 25 hours, and the line is read in local time.
        ("2024-10-27T12:00:00+01:00", "2024-10-28T02:15:00+01:00"),
    ],
)
def test_the_next_tick_is_read_in_the_zone(after, expected):
    tick = next_tick("15 2 * * *", "Europe/Berlin", dt.datetime.fromisoformat(after))
    assert tick == dt.datetime.fromisoformat(expected)


@dg.asset
def first():
    return 1


@dg.asset
def second(first):
    return first + 1


JOB = dg.Definitions([first, second], jobs=[dg.define_asset_job("both")]).resolve_job_def("both")


@pytest.fixture
def counted(monkeypatch):
    """Connections to SQLite and commits of them."""
    counts = {"connections": 0, "commits": 0}

    class Connection(sqlite3.Connection):
        def __init__(self, *args, **options):
            counts["connections"] += 1
            super().__init__(*args, **options)

        def commit(self):
            counts["commits"] += 1
            super().commit()

    make = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **o: make(*a, **{"factory": Connection, **o}))
    monkeypatch.setattr(dbapi2, "connect", sqlite3.connect)
    return counts


def _events(home: Path) -> list[str]:
    """The events of the runs, in their order, by SQLite alone."""
    found = []
    for path in sorted(home.glob("history/runs/*.db")):
        if path.stem != "index":
            with closing(sqlite3.connect(path)) as connection:
                found += [row[0] for row in connection.execute("SELECT dagster_event_type FROM event_logs")]
    return found


def test_a_run_needs_one_connection_a_file_and_commits_as_often_as_before(tmp_path, counted):
    told = {}
    for name in ("as Dagster does", "one connection"):
        (tmp_path / name).mkdir()
        with dg.instance_for_test(temp_dir=str(tmp_path / name)) as instance:
            methods = set(vars(instance.event_log_storage)) | set(vars(instance.run_storage))
            counted.update(connections=0, commits=0)
            if name == "one connection":
                with one_connection(instance), one_connection(instance):
                    assert JOB.execute_in_process(instance=instance).success
            else:
                assert JOB.execute_in_process(instance=instance).success
            told[name] = (counted["connections"], counted["commits"], _events(tmp_path / name))
            # After the block, the methods are those of Dagster, and the run can be read.
            assert set(vars(instance.event_log_storage)) | set(vars(instance.run_storage)) == methods
            assert [run.is_success for run in instance.get_runs()] == [True]
    before, after = told.values()
    assert before[0] > 50 > 15 > after[0]
    assert after[1:] == before[1:]


def test_no_commit_waits_for_the_disk(tmp_path):
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance, one_connection(instance):
        run = instance.create_run_for_job(JOB)
        runs, events = vars(instance.run_storage)["connect"], vars(instance.event_log_storage)["_connect"]
        for connect in (runs, lambda: events(run.run_id)):
            # Twice: Dagster makes the file of a run with a connection of its own.
            for _ in range(2):
                with connect() as connection:
                    level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
            assert level == 1  # NORMAL


def test_each_event_is_in_the_file_when_the_process_is_killed(tmp_path):
    """A process that is killed after its third event leaves three events."""
    script = (
        "import os, signal, sys\nimport dagster as dg\n"
        "from sarcoma_pipeline.orchestration.dagster_internals import one_connection\n"
        "with dg.instance_for_test(temp_dir=sys.argv[1]) as instance, one_connection(instance):\n"
        "    run = instance.create_run_for_job("
        "dg.GraphDefinition(name='none').to_job())\n"
        "    for word in ('a', 'b', 'c'):\n"
        "        instance.report_engine_event(word, run)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(sarcoma_pipeline.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL
    assert _events(tmp_path).count("ENGINE_EVENT") == 3


def test_where_no_file_is_written_nothing_is_changed():
    with dg.DagsterInstance.ephemeral() as instance, one_connection(instance):
        assert JOB.execute_in_process(instance=instance).success
    with one_connection(None):
        pass
