"""Which reports of examinations are one examination."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import assessments
from schemas import typed

P = {"patient_id": pl.String, "tumour_id": pl.String, "reporter": pl.String, "reported_tumour": pl.String}
ON = {"assessment_date": dt.date(2013, 5, 3), "assessment_date_precision": "day"}


def examinations(*told: dict[str, Any]) -> list[list[str]]:
    """Records of each examination."""
    rows = [
        {"patient_id": "p", "tumour_id": "1", "reported_tumour": "1", "reporter": "A", "source": "oBDS",
         "record_id": f"r{n}", "place": f"{n}", "local_status": "no tumour"} | one
        for n, one in enumerate(told)
    ]  # fmt: skip
    schema = typed.Assessment.polars_schema() | P | {"place": pl.String}
    made = assessments.curate({typed.Assessment.table(): pl.DataFrame(rows, schema=schema)})
    return sorted(made["record_ids"].to_list())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ON, ON, True),
        (ON | {"module_id": "V1"}, ON | {"module_id": "V1"}, True),
        (ON | {"module_id": "V1"}, ON | {"module_id": "V2"}, False),
        (ON, ON | {"assessment_date": dt.date(2013, 5, 4)}, False),
        (ON, ON | {"reporter": "B"}, False),
        ({"assessment_day": 90}, {"assessment_day": 90}, True),
        ({"assessment_day": 90}, {"assessment_day": 91}, False),
        # Without a day the number decides, and without both each report is an examination.
        ({"module_id": "V1"}, {"module_id": "V1"}, True),
        ({"module_id": "V1"}, {"module_id": "V2"}, False),
        ({}, {}, False),
    ],
)
def test_reports_of_one_reporter_day_and_number_are_one_examination(one, other, same):
    assert examinations(one, other) == ([["r0", "r1"]] if same else [["r0"], ["r1"]])
