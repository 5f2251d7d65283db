"""A refresh that is killed at a random moment; short version of ``tests/reliability/test_kills_long.py``."""

from tests.reliability.kills import kill


def test_a_killed_refresh_keeps_the_release_and_the_next_one_succeeds(copy):
    assert len(kill(copy, times=2, seed=3)) == 2
