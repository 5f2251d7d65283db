"""Refreshes of changing input, killed at random moments; checks the state after every recovery."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import duckdb

from sarcoma_pipeline.orchestration import step_events
from sarcoma_pipeline.publish import release
from schemas.release import RELEASED
from tests.refreshed import REPOSITORY, Place


def _start(place: Place) -> subprocess.Popen[bytes]:
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    program = "from sarcoma_pipeline.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, "refresh", "--study", place.study],
        env=env,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def whole(place: Place) -> str:
    """Return the published release's hash after reading all of its tables."""
    frames = release.read(place.release)
    assert frames is not None
    label = frames["meta.release"].row(0, named=True)
    assert release.content_hash({t: frames[t] for t in RELEASED}) == label["content_hash"]
    return label["content_hash"]


def _change(place: Place, dice: random.Random) -> None:
    """Remove a file, restore it, or add an unreadable reply."""
    shelf = place.root / "shelf"
    shelf.mkdir(exist_ok=True)
    shelved = sorted(shelf.iterdir())
    if shelved and dice.random() < 0.5:
        back = dice.choice(shelved)
        back.rename(place.drop / Path(back.name.replace("@", "/")))
    elif dice.random() < 0.3:
        (place.drop / f"stray-{dice.randrange(10**6)}.txt").write_text(str(dice.random()))
    else:
        files = sorted(p for p in place.drop.rglob("*.dcm") if p.is_file())
        gone = dice.choice(files)
        gone.rename(shelf / str(gone.relative_to(place.drop)).replace("/", "@"))


def _decide(place: Place, number: int) -> None:
    with duckdb.connect(str(place.root / f"data/warehouse/{place.study}.duckdb"), read_only=True) as c:
        ids = c.execute(
            "SELECT finding_id FROM quality.ledger WHERE status <> 'resolved' ORDER BY 1"
        ).fetchall()
    finding = ids[number % len(ids)][0]
    for action in ("acknowledge", "reopen"):
        told = place.sarcoma("findings", action, finding, "--by", "steward", "--reason", f"decision {number}")
        if told.exit_code == 0:
            return
    raise AssertionError(told.output)


def decided(place: Place) -> list[str]:
    """Return the lines of the decision log."""
    log = place.root / f"data/decisions/{place.study}.csv"
    return log.read_text().splitlines() if log.exists() else []


def _runs(place: Place) -> set[str]:
    return {p.name for p in (place.home / "history/runs").glob("*.db")}


def _step(place: Place, run_id: str) -> str:
    """Return the step that was running at the end of the log, or ``start``, ``between`` or ``end``."""
    steps = {"STEP_START", "STEP_SUCCESS", "STEP_FAILURE"}
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        events = [e.dagster_event for e in instance.all_logs(run_id) if e.dagster_event]
    told = [(e.event_type_value, step_events.short_name(e.step_key or "")) for e in events]
    if any(kind == "PIPELINE_SUCCESS" for kind, _ in told):
        return "end"
    last = [pair for pair in told if pair[0] in steps][-1:]
    return (last[0][1] if last[0][0] == "STEP_START" else "between") if last else "start"


def kill(place: Place, times: int, seed: int) -> list[str]:
    """Kill refreshes at random moments between their first and last step, and recover from each kill.

    Args:
        place: a refreshed study; it is changed.
        times: number of refreshes to kill; one that ended before it could be killed does not count.
        seed: seed of the changes and the moments.

    Returns:
        The step that was running at each kill.
    """
    dice, kills, lasts, number = random.Random(seed), [], 8.0, 0
    while len(kills) < times:
        number += 1
        _change(place, dice)
        _decide(place, number)
        before, log, runs = whole(place), decided(place), _runs(place)
        refresh = _start(place)
        while refresh.poll() is None and _runs(place) == runs:
            time.sleep(0.02)
        began, moment = time.monotonic(), dice.random() * lasts
        try:
            refresh.wait(moment)
        except subprocess.TimeoutExpired:
            # In turn: all processes, as after a power failure, or one, as when memory runs out.
            (os.killpg if number % 2 else os.kill)(refresh.pid, signal.SIGKILL)
            refresh.wait()
        else:
            lasts = (lasts + time.monotonic() - began) / 2
        killed = refresh.returncode == -signal.SIGKILL
        assert killed or refresh.returncode == 0
        after = whole(place)
        assert decided(place) == log
        (run_id,) = {name.removesuffix(".db") for name in _runs(place) - runs}
        step = _step(place, run_id)
        assert after == before or not killed or step in ("cohort_duckdb", "end", "between", *_AFTER_RELEASE)
        if killed and step not in ("start", "end"):
            assert "process of a run is gone" in place.sarcoma("status").output
        began = time.monotonic()
        healed = place.refresh()
        assert healed.exit_code == 0, healed.output
        lasts = 0.8 * lasts + 0.2 * (time.monotonic() - began)
        # Nothing but this loop starts a refresh here.
        with patch.dict(os.environ, SARCOMA_NIGHTLY="off"):
            for command in ("doctor", "status"):
                told = place.sarcoma(command, "--study", place.study)
                assert told.exit_code == 0, told.output
        assert decided(place) == log
        whole(place)
        if killed:
            kills.append(step)
        print(f"{len(kills):3} {'killed in ' + step if killed else 'ended before'}, healed", flush=True)
    return kills


_AFTER_RELEASE = ("report", "steward_page")
