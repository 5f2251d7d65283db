"""How many records each rule judged, and how many break it."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.quality import rule_catalogue
from sarcoma_pipeline.quality.rule_results import results
from schemas.contract import CONTRACTS

D = dt.date


@pytest.fixture
def judged():
    """Three surgeries: one in time, one from the future, one without a date; and what four findings say."""
    days = [D(2020, 1, 1), D(2022, 1, 1), None]
    surgery = CONTRACTS["typed.surgery"].conform(
        pl.DataFrame({"surgery_date": days, "received_on": [D(2021, 12, 1)] * 3})
    )
    frames = {t: c.empty() for t, c in CONTRACTS.items()} | {"typed.surgery": surgery}
    findings = pl.DataFrame(
        {
            "rule_id": ["date.in-future", "file.empty", "file.empty", "surgery.after-death"],
            "records": [1, 1, None, 60],
            "status": ["open", "waived", "open", "reopened"],
        }
    )
    heights = {t: f.height for t, f in frames.items()} | {"meta.files": 40, "typed.surgery": 3}
    return results(frames.__getitem__, heights.__getitem__, findings)


def row(found: pl.DataFrame, rule: str) -> tuple[object, ...]:
    return found.filter(pl.col("rule_id") == rule).select("judged", "broken", "waived", "percent").row(0)


def test_every_rule_has_a_result(judged):
    assert judged["rule_id"].to_list() == list(rule_catalogue.rules())


def test_a_rule_judges_the_records_that_have_its_values(judged):
    # The surgery without a date is not judged.
    assert row(judged, "date.in-future") == (2, 1, 0, 50.0)


def test_a_rule_on_files_judges_all_files(judged):
    assert row(judged, "file.empty") == (40, 2, 1, 5.0)


def test_a_rule_that_nothing_breaks_is_there(judged):
    assert row(judged, "file.unreadable")[1:] == (0, 0, 0.0)


def test_a_rule_on_a_whole_delivery_counts_no_records(judged):
    (rule, *_) = [n for n, r in rule_catalogue.rules().items() if r.scope == "dataset"]
    assert row(judged, rule)[0] is None and row(judged, rule)[3] is None
