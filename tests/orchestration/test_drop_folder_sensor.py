"""The sensor on the drop folder: it waits until a delivery is complete, and then requests one refresh."""

import os
import time

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import drop_folder_sensor, jobs
from sarcoma_pipeline.orchestration.drop_folder_sensor import SETTLE_SECONDS, evaluate
from sarcoma_pipeline.sources.drop_folder import walk
from sarcoma_pipeline.study import project
from tests.refreshed import lay

LATER = (SETTLE_SECONDS + 1) * 10**9


@pytest.fixture
def drop(tmp_path):
    (tmp_path / "a.csv").write_text("1")
    return tmp_path


def _look(drop, cursor, *, busy=False, after=LATER):
    youngest = max((p.stat().st_mtime_ns for p in drop.iterdir()), default=0)
    return evaluate(walk(drop), cursor, busy, youngest + after)


def test_the_first_scan_treats_existing_files_as_refreshed(drop):
    first = _look(drop, None)
    assert not first.refresh
    assert not _look(drop, first.cursor).refresh


def test_a_delivery_refreshes_once_after_two_equal_scans(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    seen = _look(drop, cursor)
    assert not seen.refresh and "in progress" in seen.reason
    complete = _look(drop, seen.cursor)
    assert complete.refresh
    assert not _look(drop, complete.cursor).refresh


def test_a_file_that_grows_is_waited_for(drop):
    cursor = _look(drop, None).cursor
    for size in range(1, 4):
        (drop / "big.xml").write_text("x" * size)
        verdict = _look(drop, cursor)
        assert not verdict.refresh
        cursor = verdict.cursor
    assert not _look(drop, cursor, after=10**9).refresh
    assert _look(drop, cursor).refresh


@pytest.mark.parametrize("change", ["remove", "touch"])
def test_removed_and_touched_files_count_as_a_delivery(drop, change):
    cursor = _look(drop, None).cursor
    if change == "remove":
        (drop / "a.csv").unlink()
    else:
        os.utime(drop / "a.csv", ns=(1, 1))
    cursor = _look(drop, cursor).cursor
    assert _look(drop, cursor).refresh


def test_a_file_dated_in_the_future_does_not_block(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    now, future = time.time_ns() + LATER, 2_000_000_000
    os.utime(drop / "b.csv", (future, future))
    seen = evaluate(walk(drop), cursor, False, now)
    assert not seen.refresh and evaluate(walk(drop), seen.cursor, False, now).refresh


def test_a_delivery_during_a_refresh_is_refreshed_afterwards(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    cursor = _look(drop, cursor).cursor
    busy = _look(drop, cursor, busy=True)
    assert not busy.refresh and "already" in busy.reason
    assert _look(drop, busy.cursor).refresh


def test_the_sensor_requests_a_run_and_stores_no_file_name(tmp_path, monkeypatch):
    place = lay(tmp_path)
    place.drop.mkdir(parents=True)
    study = project.load("sts_imrt", place.root)
    sensor = drop_folder_sensor.drop_folder(study, jobs.REFRESH)
    cursor, asked = None, []
    with dg.DagsterInstance.ephemeral() as instance:
        for night in range(4):
            if night == 1:
                (place.drop / "Meier_Anna.csv").write_text("x")
                old = time.time() - 2 * SETTLE_SECONDS
                os.utime(place.drop / "Meier_Anna.csv", (old, old))
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            told = sensor(context)
            assert isinstance(told, dg.SensorResult)
            cursor = told.cursor
            asked.append(len(told.run_requests or []))
            assert "Meier" not in repr(told)
    assert asked == [0, 0, 1, 0]
