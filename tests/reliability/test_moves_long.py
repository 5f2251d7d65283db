"""Three thousand files whose meaning is changed: nothing moves in silence, no release is blocked.

``FILES=200 SEED=3 pytest -m marathon tests/reliability/test_moves_long.py -s``; about half an hour for all.
"""

import os

import pytest

from tests.refreshed import first_refresh
from tests.reliability import moves

FILES, SEED = int(os.environ.get("FILES", "3000")), int(os.environ.get("SEED", "1"))


@pytest.mark.marathon
def test_three_thousand_changed_files(tmp_path_factory, tmp_path):
    place = first_refresh(tmp_path_factory, "sts_imrt").copied(tmp_path / "root")
    outcome = moves.run(place, FILES, SEED)
    print(f"{outcome.files} files changed: {dict(outcome.kinds.most_common())}")
    print(f"{outcome.moved} released values moved; {outcome.told} patients with a finding")
    print(f"patients whom only the account explains: {dict(outcome.account_only)}")
    assert outcome.moved and outcome.files >= FILES
    assert (outcome.unaccounted, outcome.silent, outcome.blocked) == ([], [], [])
