"""Every rule on the dataset fires on its fault and is silent on its neighbour."""

import polars as pl
import pytest

from sarcoma_pipeline.quality import volumes
from schemas.volumes import Volume
from tests.quality.clean import Row

USUAL = {"files": 20, "files unread": 1, "records": 200, "quarantined": 2}
DATASET: dict[str, tuple[Row, Row]] = {
    "dataset.source-silent": ({"files": 0, "records": 0}, {"files": 1}),
    "dataset.volume-dropped": ({"records": 180}, {"records": 181}),
    "dataset.patients-lost": ({"patients": 99}, {"patients": 101}),
    "dataset.quarantine-rose": ({"quarantined": 7}, {"quarantined": 6}),
    "dataset.files-unread": ({"files unread": 5}, {"files unread": 4}),
}


def _nights(tonight: Row) -> pl.DataFrame:
    rows = []
    for night, values in (("R1", {}), ("R2", tonight)):
        counts = {**USUAL, "patients": 100, **values}
        rows += [(night, "all" if m == "patients" else "s", m, n) for m, n in counts.items()]
    return Volume.conform(pl.DataFrame(rows, schema=Volume.polars_schema(), orient="row"))


@pytest.mark.parametrize("rule", DATASET)
def test_a_rule_on_the_dataset(rule):
    fault, neighbour = DATASET[rule]
    assert rule in set(volumes.observe(_nights(fault), "R2")["rule_id"])
    assert set(volumes.observe(_nights(neighbour), "R2")["rule_id"]) == set()


def test_the_first_night_has_nothing_to_compare_with():
    first = _nights({}).filter(pl.col("refresh_id") == "R1")
    assert volumes.observe(first, "R1").is_empty()
