"""A refresh that is killed at any moment: the fast version of ``tests/reliability/test_kills_long.py``."""

from tests.reliability.kills import kill


def test_a_killed_refresh_leaves_the_release_whole_and_the_next_one_heals(copy):
    assert len(kill(copy, times=2, seed=3)) == 2
