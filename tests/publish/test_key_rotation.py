"""A rotation of the key that is killed at any moment is finished or undone by the next command."""

import contextlib
import csv
import datetime as dt
import fcntl
import os
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.operations import key_rotation
from sarcoma_pipeline.publish import pseudonym_key as keys
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.study import project
from tests.refreshed import REPOSITORY

PATIENTS = pl.Series(["1", "2", "3"])
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


class Killed(BaseException):
    """Ends the rotation as a signal would: no handler of the program knows it."""


def _study(root):
    shutil.copytree(REPOSITORY / "data/studies", root / "data/studies")
    made = project.load("sts_imrt", root)
    pairs = pseudonyms(PATIENTS, pseudonym_key(made.key))
    with duckdb.connect(str(made.warehouse)) as warehouse:
        warehouse.register("_pairs", pairs.to_arrow())
        warehouse.execute("CREATE SCHEMA curated")
        warehouse.execute("CREATE TABLE curated.patient AS FROM _pairs")
    return made


def _killed_at(patch, step, *, after):
    """Kill before or after the given call that changes the folder; returns the calls counted so far."""
    calls = []

    def counting(real):
        def call(*words, **options):
            calls.append(real.__name__)
            if len(calls) == step and not after:
                raise Killed
            done = real(*words, **options)
            if len(calls) == step:
                raise Killed
            return done

        return call

    for name in ("open", "link", "fsync"):
        patch.setattr(keys.os, name, counting(getattr(os, name)))
    for name in ("replace", "unlink"):
        patch.setattr(Path, name, counting(getattr(Path, name)))
    return calls


def _files(made):
    return {p.name: p.read_bytes() for p in made.key.parent.iterdir() if p.suffix != ".duckdb"}


def _check(made, old):
    """Assert that the folder is as before the rotation, or as after it."""
    files = _files(made)
    key = files.pop("sts_imrt.key").decode().strip()
    if key == old:
        assert files == {}
        assert key_rotation.differing(made, made.key) == (0, 3)
        return False
    assert files.pop("sts_imrt.key.20300101T000000Z").decode().strip() == old
    walk = files.pop("sts_imrt.crosswalk.20300101T000000Z.csv").decode().splitlines()
    assert files == {}
    was, new = (dict(pseudonyms(PATIENTS, bytes.fromhex(k)).iter_rows()) for k in (old, key))
    assert [(r["pseudonym_before"], r["pseudonym"]) for r in csv.DictReader(walk)] == sorted(
        (was[i], new[i]) for i in PATIENTS
    )
    assert keys.key_of(made, "20291231T000000Z-ab").read_text().strip() == old
    return True


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_step_is_healed(tmp_path, after):
    outcomes, step = [], 1
    while True:
        made = _study(tmp_path / f"{step}")
        old = made.key.read_text().strip()
        with pytest.MonkeyPatch.context() as patch:
            _killed_at(patch, step, after=after)
            try:
                key_rotation.rotate(made, NOW)
            except Killed:
                pass
            else:
                break
        keys.heal(made)
        outcomes.append(_check(made, old))
        assert keys.unfinished(made) == []
        key_rotation.rotate(made, NOW + dt.timedelta(seconds=1))
        assert len(list(made.key.parent.glob("*.crosswalk.*.csv"))) == 1 + outcomes[-1]
        step += 1
    # Before the key is replaced everything is undone, afterwards everything is finished.
    assert len(outcomes) >= 10 and outcomes == sorted(outcomes)
    assert outcomes[0] is False and outcomes[-1] is True


@pytest.mark.parametrize("rotated", [False, True])
def test_a_kill_while_healing_is_healed(tmp_path, rotated):
    for step in (1, 2, 3, 4):
        made = _study(tmp_path / f"{step}")
        old = made.key.read_text().strip()
        first = [c for c in _calls(tmp_path / f"count{step}") if c]
        at = len(first) - (2 if rotated else 6)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            _killed_at(patch, at, after=False)
            key_rotation.rotate(made, NOW)
        with pytest.MonkeyPatch.context() as patch:
            _killed_at(patch, step, after=True)
            with contextlib.suppress(Killed):
                keys.heal(made)
        keys.heal(made)
        assert _check(made, old) is rotated


def _calls(root):
    made = _study(root)
    with pytest.MonkeyPatch.context() as patch:
        calls = _killed_at(patch, 0, after=False)
        key_rotation.rotate(made, NOW)
    return calls


def test_a_rotation_at_work_is_left_alone(tmp_path):
    made = _study(tmp_path)
    begun = made.key.with_name(".sts_imrt.crosswalk.20300101T000000Z.csv.part")
    begun.write_text("half")
    with made.key.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        keys.heal(made)
        assert begun.exists()
        with pytest.raises(BlockingIOError):
            key_rotation.rotate(made, NOW)
    keys.heal(made)
    assert not begun.exists()


def test_a_finished_rotation_is_no_unfinished_one(tmp_path):
    made = _study(tmp_path)
    key_rotation.rotate(made, NOW)
    before = _files(made)
    assert keys.unfinished(made) == []
    keys.heal(made)
    assert _files(made) == before


def test_a_crosswalk_outlives_its_deleted_key(tmp_path):
    made = _study(tmp_path)
    done = key_rotation.rotate(made, NOW)
    done.kept.unlink()
    keys.heal(made)
    assert done.crosswalk.exists()


def test_the_next_refresh_heals(tmp_path):
    made = _study(tmp_path)
    made.key.with_suffix(".next").write_text("x")
    keys.ensure_key(made)
    assert not made.key.with_suffix(".next").exists()
