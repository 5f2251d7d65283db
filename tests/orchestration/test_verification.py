"""The content of every file is compared once a week, by every door that starts a refresh."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.skip_unchanged import verification_is_due

SCHEMA = {"received_on": pl.Date, "verified": pl.Boolean}
TODAY = dt.date(2030, 1, 20)


def _due(*nights):
    rows = [(TODAY - dt.timedelta(days=ago), verified) for ago, verified in nights]
    return verification_is_due(pl.DataFrame(rows, schema=SCHEMA, orient="row"), TODAY)


@pytest.mark.parametrize(
    ("nights", "due"),
    [
        ((), True),
        (((0, True),), False),
        (((6, True), (1, False)), False),
        (((7, True), (1, False)), True),
        (((30, True), (3, True), (1, False)), False),
        (((3, True), (30, True)), False),
        (((2, False), (1, False)), True),
        (((2, None), (1, None)), True),
    ],
)
def test_a_comparison_is_due_a_week_after_the_last(nights, due):
    assert _due(*nights) is due
