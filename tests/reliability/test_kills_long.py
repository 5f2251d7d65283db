"""200 kills: ``pytest -m reliability tests/reliability/test_kills_long.py -s``; about an hour."""

import os
from collections import Counter

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refresh.conftest import SEED, lay
from tests.reliability.kills import kill, whole

TIMES = int(os.environ.get("KILLS", "200"))


@pytest.mark.reliability
def test_two_hundred_kills(tmp_path):
    place = lay(tmp_path)
    render.demo(place.drop, SEED, place.root / "data/demo")
    assert place.refresh().exit_code == 0
    kills = kill(place, times=TIMES, seed=11)
    steps = Counter(kills)
    print(f"{len(kills)} of {TIMES} refreshes were killed, in {dict(steps.most_common())}")
    print(f"release {whole(place)} is whole")
    assert len(kills) > TIMES // 2 and {"received", "cohort_duckdb"} <= set(steps)
