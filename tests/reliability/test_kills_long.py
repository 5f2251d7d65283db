"""200 kills of a refresh: ``pytest -m marathon tests/reliability/test_kills_long.py -s``; about an hour.

``KILLS=100 SEED=1`` and ``KILLS=100 SEED=2`` run half each, for two cores.
"""

import os
from collections import Counter

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refreshed import SEED as OF_DEMO
from tests.refreshed import lay
from tests.reliability.kills import kill, whole

TIMES, SEED = int(os.environ.get("KILLS", "200")), int(os.environ.get("SEED", "11"))


@pytest.mark.marathon
def test_two_hundred_kills(tmp_path):
    place = lay(tmp_path)
    render.demo(place.drop, OF_DEMO, place.root / "data/demo")
    assert place.refresh().exit_code == 0
    kills = kill(place, times=TIMES, seed=SEED)
    steps = Counter(kills)
    print(f"{len(kills)} refreshes were killed, in {dict(steps.most_common())}")
    print(f"release {whole(place)} is whole")
    assert len(kills) == TIMES
    assert TIMES < 100 or {"received", "cohort_duckdb"} <= set(steps)
