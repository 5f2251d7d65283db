"""The peer script finds the same results as the pipeline on data without faults."""

import polars as pl
import pytest

from sarcoma_pipeline.synthetic import render
from tests.benchmarks import peer
from tests.refreshed import SEED, lay

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The demo's people, the ineligible ones among them, without a defect; refreshed."""
    place = lay(tmp_path_factory.mktemp("sound"))
    cohort, ineligible, defects = (
        pl.read_csv(place.root / f"data/demo/{name}.csv", try_parse_dates=True, infer_schema_length=None)
        for name in ("demo_cohort", "ineligible", "defects")
    )
    ineligible = ineligible.filter(pl.col("patient").str.starts_with("INE-"))
    render.render(cohort, ineligible, defects.clear(), place.drop, SEED)
    told = place.refresh()
    assert told.exit_code == 0, told.output
    return place


def test_script_and_pipeline_find_the_same_and_a_difference_is_seen(sound, tmp_path):
    peer.run(sound, tmp_path)
    peer.compare(sound, tmp_path)
    endpoints = pl.read_csv(tmp_path / "endpoints.csv")
    later = pl.when(pl.int_range(pl.len()) == 0).then(pl.col("time_days") + 1).otherwise("time_days")
    endpoints.with_columns(time_days=later).write_csv(tmp_path / "endpoints.csv")
    with pytest.raises(AssertionError, match=r"endpoints: time_days differs in 1 of 344"):
        peer.compare(sound, tmp_path)
