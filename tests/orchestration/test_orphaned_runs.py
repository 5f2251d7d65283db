"""A run whose process is gone is marked as failed; a run whose process exists is not touched."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import orphaned_runs, run_process, told_of_run
from sarcoma_pipeline.study import project
from tests.refreshed import REPOSITORY

STUDY = "sts_imrt"


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def _add(instance, run_id, tags, status=dg.DagsterRunStatus.STARTED):
    run = dg.DagsterRun(job_name="refresh", run_id=run_id, status=status, tags={"study": STUDY, **tags})
    instance.add_run(run)


def _dead(run_id):
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    marked = run_process.mark(run_id, gone.pid)
    gone.communicate(b"\n")
    return marked


def _state(instance, run_id):
    return instance.get_run_by_id(run_id).status


def test_only_the_run_whose_process_is_gone_is_ended(instance):
    marked = {name: run_process.mark(name) for name in ("lives", "elsewhere", "before")}
    host, boot = marked["lives"][run_process.TAG].split()[1:3]
    marked |= {
        "dead": _dead("dead"),
        "ended": _dead("ended"),
        "again": _dead("dead"),
        "unknown": {},
        "elsewhere": {run_process.TAG: marked["elsewhere"][run_process.TAG].replace(host, "another-host")},
        "before": {run_process.TAG: marked["before"][run_process.TAG].replace(boot, "0-another-boot")},
    }
    for name, tags in marked.items():
        ended = name == "ended"
        _add(instance, name, tags, dg.DagsterRunStatus.SUCCESS if ended else dg.DagsterRunStatus.STARTED)
    assert sorted(orphaned_runs.end(instance, STUDY)) == ["before", "dead"]
    assert orphaned_runs.end(instance, STUDY) == []
    # A notification lists the run itself, because no step failed.
    night = told_of_run.night(instance, "dead")
    (told,), checks = night.failed, night.checks
    assert (told.what, checks) == ("the run", []) and "out of memory" in told.reason
    failed = [name for name in marked if _state(instance, name) == dg.DagsterRunStatus.FAILURE]
    assert sorted(failed) == ["before", "dead"]


def test_an_orphaned_run_being_cancelled_is_cancelled(instance):
    _add(instance, "dead", _dead("dead"), dg.DagsterRunStatus.CANCELING)
    assert orphaned_runs.end(instance, STUDY) == ["dead"]
    assert _state(instance, "dead") == dg.DagsterRunStatus.CANCELED


def test_a_reused_process_id_is_recognised(instance):
    words = run_process.mark("run")[run_process.TAG].split()
    assert words[3] == str(os.getpid())
    _add(instance, "run", {run_process.TAG: " ".join([*words[:4], "1"])})
    assert orphaned_runs.end(instance, STUDY) == ["run"]


def test_the_sensor_requests_no_run(instance):
    _add(instance, "dead", _dead("dead"))
    sensor = orphaned_runs.sensor(project.load(STUDY, REPOSITORY))
    told = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(told, dg.SkipReason) and "1 runs marked" in (told.skip_message or "")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
