"""The hash of a patient's lineage changes with everything that the lineage says, and with nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from sarcoma_pipeline.quality import lineage

PATIENTS = pl.DataFrame({"pseudonym": ["a", "b", "c"], "record_ids": [["r1", "r2"], ["r3"], []]})
ENDPOINTS = pl.DataFrame(
    {"pseudonym": ["a", "a", "b"], "endpoint": ["OS", "DFS", "OS"], "evidence": [["r1"], ["r2", "r2"], []]}
)
PLACES = pl.DataFrame(
    {
        "record_id": ["r1", "r2", "r3", "r4"],
        "received_as": "received.table_row",
        "file_id": ["f1", "f1", "f2", "f2"],
        "path": ["t/a.csv", "t/a.csv", "t/b.csv", "t/b.csv"],
        "position": ["row 1", "row 2", "row 1", "row 2"],
    }
)
OBSERVED = pl.DataFrame({"record_id": ["r2", "r2", "r4"], "rule_id": ["y", "x", "z"]})
FRAMES = {"patients": PATIENTS, "endpoints": ENDPOINTS, "places": PLACES, "observed": OBSERVED}


def hashes(**changed: pl.DataFrame) -> dict[str, str]:
    return dict(lineage.inputs(lineage.traced(**{**FRAMES, **changed})).iter_rows())


def _set(frame: pl.DataFrame, record: str, column: str, value: str) -> pl.DataFrame:
    new = pl.when(record_id=record).then(pl.lit(value)).otherwise(column)
    return frame.with_columns(new.alias(column))


@pytest.mark.parametrize("column", ["received_as", "file_id", "path", "position"])
def test_a_place_is_that_of_the_patients_who_have_the_record(column):
    before, after = hashes(), hashes(places=_set(PLACES, "r2", column, "another"))
    assert before["a"] != after["a"] and before["b"] == after["b"]
    assert hashes(places=_set(PLACES, "r4", column, "another")) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"patients": PATIENTS.with_columns(record_ids=pl.Series([["r1"], ["r3"], []]))},
        {"patients": PATIENTS.with_columns(record_ids=pl.Series([["r1", "r2", "r2", "r2"], ["r3"], []]))},
        {"endpoints": ENDPOINTS.with_columns(evidence=pl.Series([["r2"], ["r2", "r2"], []]))},
        {"endpoints": ENDPOINTS.with_columns(evidence=pl.Series([["r1"], [], []], dtype=pl.List(pl.String)))},
        {"endpoints": ENDPOINTS.with_columns(endpoint=pl.Series(["OS", "LRFS", "OS"]))},
        {"observed": OBSERVED.filter(rule_id="x")},
        {"observed": pl.concat([OBSERVED, OBSERVED.with_columns(rule_id=pl.lit("w"))])},
    ],
    ids=["record", "thrice", "evidence", "none", "endpoint", "waived", "observed"],
)
def test_it_changes_with_records_evidence_and_rules(changed):
    before, after = hashes(), hashes(**changed)
    assert before["a"] != after["a"] and before["b"] == after["b"]


def test_it_does_not_change_with_the_order_of_tables_or_repeated_observations():
    assert (
        hashes(**{name: frame.reverse() for name, frame in FRAMES.items() if name != "endpoints"}) == hashes()
    )
    assert hashes(observed=pl.concat([OBSERVED, OBSERVED])) == hashes()
    assert hashes().keys() == {"a", "b"}
