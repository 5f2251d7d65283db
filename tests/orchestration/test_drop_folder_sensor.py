"""The sensor on the drop folder: a delivery is left alone until it rests, and then refreshed once."""

import os
import time

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import drop_folder_sensor, jobs
from sarcoma_pipeline.orchestration.drop_folder_sensor import SETTLE_SECONDS, judge
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
    return judge(walk(drop), cursor, busy, youngest + after)


def test_the_first_look_takes_what_is_there_for_known(drop):
    first = _look(drop, None)
    assert not first.refresh
    assert not _look(drop, first.cursor).refresh


def test_a_delivery_refreshes_once_after_two_equal_looks(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    seen = _look(drop, cursor)
    assert not seen.refresh and "delivered" in seen.words
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
def test_what_vanishes_or_changes_counts(drop, change):
    cursor = _look(drop, None).cursor
    if change == "remove":
        (drop / "a.csv").unlink()
    else:
        os.utime(drop / "a.csv", ns=(1, 1))
    cursor = _look(drop, cursor).cursor
    assert _look(drop, cursor).refresh


def test_a_file_from_the_future_holds_nothing_up(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    now, future = time.time_ns() + LATER, 2_000_000_000
    os.utime(drop / "b.csv", (future, future))
    seen = judge(walk(drop), cursor, False, now)
    assert not seen.refresh and judge(walk(drop), seen.cursor, False, now).refresh


def test_a_refresh_that_runs_is_waited_for_and_not_forgotten(drop):
    cursor = _look(drop, None).cursor
    (drop / "b.csv").write_text("2")
    cursor = _look(drop, cursor).cursor
    busy = _look(drop, cursor, busy=True)
    assert not busy.refresh and "already" in busy.words
    assert _look(drop, busy.cursor).refresh


def test_in_dagster_it_asks_for_a_run_and_keeps_no_name_of_a_file(tmp_path, monkeypatch):
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
