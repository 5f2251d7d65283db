"""Refreshes of changing input, killed at random moments: what must hold after every recovery."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from sarcoma_pipeline import release
from schemas.release import RELEASED
from tests.refresh.conftest import REPOSITORY, Place


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
    """The published release's hash, after looking at every byte of its tables."""
    frames = release.read(place.release)
    assert frames is not None
    label = frames["meta.release"].row(0, named=True)
    assert release.content_hash({t: frames[t] for t in RELEASED}) == label["content_hash"]
    return label["content_hash"]


def _change(place: Place, dice: random.Random) -> None:
    """Take a file away, put it back, or add a reply that nobody can read."""
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
    """The decision log's lines."""
    log = place.root / f"data/decisions/{place.study}.csv"
    return log.read_text().splitlines() if log.exists() else []


def kill(place: Place, times: int, seed: int, longest: float) -> list[float]:
    """Kill refreshes and recover.

    Args:
        place: a refreshed study; it is changed.
        times: how often.
        seed: of the changes and the moments.
        longest: seconds within which a kill falls.

    Returns:
        The moments of the kills that met a running refresh, in seconds.
    """
    dice, moments = random.Random(seed), []
    for number in range(times):
        _change(place, dice)
        _decide(place, number)
        before, log = whole(place), decided(place)
        moment = dice.uniform(0.5, longest)
        refresh = _start(place)
        began = time.monotonic()
        try:
            refresh.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(refresh.pid, signal.SIGKILL)
            refresh.wait()
            moments.append(time.monotonic() - began)
        after = whole(place)
        assert after == before or refresh.returncode in (0, -signal.SIGKILL)
        assert decided(place) == log
        if number % 5 == 4 or number == times - 1:
            healed = place.refresh()
            assert healed.exit_code == 0, healed.output
            told = place.sarcoma("doctor", "--study", place.study)
            assert told.exit_code == 0, told.output
            assert decided(place) == log
    return moments
