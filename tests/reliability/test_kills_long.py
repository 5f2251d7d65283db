"""200 kills: ``pytest -m reliability tests/reliability/test_kills_long.py -s``; about an hour."""

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refresh.conftest import SEED, lay
from tests.reliability.kills import kill, whole


@pytest.mark.reliability
def test_two_hundred_kills(tmp_path):
    place = lay(tmp_path)
    render.demo(place.drop, SEED, place.root / "data/demo")
    assert place.refresh().exit_code == 0
    moments = kill(place, times=200, seed=11, longest=18)
    print(f"{len(moments)} of 200 refreshes were killed while they ran; release {whole(place)} is whole")
    assert len(moments) > 100
