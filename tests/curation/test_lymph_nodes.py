"""Counted lymph nodes against each other and against the N of the specimen."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import lymph_nodes

ABOVE, AGAINST = "diagnosis.nodes-above-examined", "diagnosis.nodes-against-n"


def node(examined=None, affected=None, sentinels=None, affected_sentinels=None):
    told = {
        "LK_untersucht": examined, "LK_befallen": affected, "Sentinel_LK_untersucht": sentinels,
        "Sentinel_LK_befallen": affected_sentinels,
    }  # fmt: skip
    return {key: value for key, value in told.items() if value is not None}


def found(histologies, *tnms):
    row = {
        "record_id": "r", "Histologie": json.dumps(histologies),
        "TNM": json.dumps([{"kind": kind, "N": n} for kind, n in tnms]),
    }  # fmt: skip
    frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    seen = lymph_nodes.contradictions(frame, "received.obds_surgery")
    return seen.select("rule_id", "column_name", "value").rows()


@pytest.mark.parametrize(
    ("histologies", "told"),
    [
        ([node("12", "0")], []),
        ([node("3", "3")], []),
        ([node("3", "4")], [(ABOVE, "Histologie/LK_befallen", "4 of 3")]),
        ([node("0", "0")], []),
        ([node("U", "4")], []),
        ([node(None, None, "2", "2")], []),
        ([node(None, None, "2", "3")], [(ABOVE, "Histologie/Sentinel_LK_befallen", "3 of 2")]),
        ([node("3", "0", "2", "3")], [(ABOVE, "Histologie/Sentinel_LK_befallen", "3 of 2")]),
        # Several histologies of one report: all their numbers, in one finding.
        ([node("3", "4"), node("1", "2"), node("9", "1")],
         [(ABOVE, "Histologie/LK_befallen", "2 of 1; 4 of 3")]),
    ],
)  # fmt: skip
def test_no_more_nodes_are_affected_than_were_examined(histologies, told):
    assert found(histologies, ("pTNM", "1")) == told


@pytest.mark.parametrize(
    ("tnms", "at_fault"),
    [
        ([("pTNM", "0")], True), ([("pTNM", "pN0")], True), ([("pTNM", "0(sn)")], True),
        ([("pTNM", "1")], False), ([("pTNM", "0(i+)")], False), ([("cTNM", "0")], False), ([], False),
        # One TNM of several is enough.
        ([("cTNM", "0"), ("pTNM", "0")], True), ([("cTNM", "0"), ("pTNM", "1")], False),
        ([("cTNM", "1"), ("pTNM", "0")], True),
    ],
)  # fmt: skip
def test_an_affected_node_is_no_n0_of_the_specimen(tnms, at_fault):
    assert found([node("12", "3")], *tnms) == ([(AGAINST, "TNM/N", "3")] if at_fault else [])


@pytest.mark.parametrize(
    ("counts", "shown"),
    [(node("12", "3", "2", "1"), "3"), (node("12", "1", "5", "3"), "3"), (node(None, None, "2", "1"), "1")],
)
def test_the_greater_number_is_shown(counts, shown):
    assert found([counts], ("pTNM", "0")) == [(AGAINST, "TNM/N", shown)]


@pytest.mark.parametrize("counts", [node("12", "0"), node(None, None, "2", "0"), node("12"), node("12", "U")])
def test_no_affected_node_is_n0_of_the_specimen(counts):
    assert found([counts], ("pTNM", "0")) == []
