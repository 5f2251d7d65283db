"""A refresh that is killed at any moment: the fast version of ``tests/reliability/test_kills_long.py``."""

from tests.reliability.kills import kill


def test_a_killed_refresh_leaves_the_release_whole_and_the_next_one_heals(copy):
    moments = kill(copy, times=5, seed=3, longest=12)
    assert len(moments) >= 2
