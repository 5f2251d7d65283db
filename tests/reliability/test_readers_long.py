"""Eight readers during twenty refreshes.

``pytest -m reliability tests/reliability/test_readers_long.py -s``
"""

import subprocess
import sys

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refresh.conftest import SEED, lay
from tests.test_readers import READER

READERS, REFRESHES = 8, 20


@pytest.mark.reliability
def test_eight_readers_during_twenty_refreshes(tmp_path):
    place, stop = lay(tmp_path), tmp_path / "stop"
    render.demo(place.drop, SEED, place.root / "data/demo")
    assert place.refresh().exit_code == 0
    files = sorted(p for p in place.drop.rglob("*.xml") if p.stat().st_size > 100_000)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(place.release), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    for number in range(REFRESHES):
        # One oBDS export comes and goes: every second release has fewer patients.
        away, here = files[0].with_suffix(".away"), files[0]
        if number % 2:
            (place.root / away.name).rename(here)
        else:
            here.rename(place.root / away.name)
        assert place.refresh().exit_code == 0
    stop.touch()
    told = [reader.communicate(timeout=300) for reader in readers]
    for reader, (_, err) in zip(readers, told, strict=True):
        assert reader.returncode == 0, err
    reads = sum(int(out.split()[0]) for out, _ in told)
    print(f"{reads} readings by {READERS} processes during {REFRESHES} refreshes, none failed, none torn")
    assert min(int(out.split()[1]) for out, _ in told) > 1, "every reader saw a change"
