"""Days of events with partial dates: of several reports, and within diagnosis and death; days by pencil."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import event_dates, obds_nested
from schemas import curated
from schemas import received as r

D = dt.date
MAY = (D(2013, 5, 15), "month")
YEAR = (D(2013, 7, 1), "year")


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ([(D(2013, 5, 3), "day"), (D(2013, 6, 3), "day")], (D(2013, 6, 3), "day")),
        ([(D(2013, 5, 1), "day"), MAY], (D(2013, 5, 1), "day")),
        ([(D(2013, 5, 31), None), MAY], (D(2013, 5, 31), "day")),
        ([(D(2013, 4, 30), "day"), MAY], MAY),
        ([(D(2013, 6, 1), "day"), MAY], MAY),
        ([(D(2013, 5, 3), "day"), (D(2013, 5, 4), "day"), MAY], (D(2013, 5, 4), "day")),
        ([(D(2013, 5, 3), "day"), (None, None)], (D(2013, 5, 3), "day")),
        ([MAY, YEAR], YEAR),
        ([(None, None)], (None, None)),
        ([], (None, None)),
    ],
)
def test_the_day_of_an_event_is_the_last_exact_one_that_its_last_report_may_mean(told, day):
    rows = [{"start_date": date, "start_date_precision": precision} for date, precision in told]
    assert event_dates.day_of_reports(rows, "start_date") == day


@pytest.mark.parametrize(
    ("precisions", "finest"),
    [(["year", "month"], "month"), (["month", None], "day"), (["year"], "year"), ([], None)],
)
def test_the_finest_precision_counts_and_none_is_exact(precisions, finest):
    assert event_dates.finest(precisions) == finest


@pytest.mark.parametrize(
    ("precisions", "expected"),
    [
        (["month", "day"], ["day", "day"]),
        (["month", "month"], ["month", "month"]),
        (["year", "month"], ["year", "month"]),
        ([None, "month"], [None, "month"]),
    ],
)
def test_an_event_has_an_exact_day_if_one_of_its_reports_has(precisions, expected):
    rows = [{"event": "e", "start_date_precision": one} for one in precisions]
    other = {"event": "another", "start_date_precision": "year"}
    made = event_dates.of_one_event(pl.DataFrame([*rows, other]), "start_date", ["event"])
    assert made["start_date_precision"].to_list() == [*expected, "year"]


P = {"patient_id": pl.String, "tumour_id": pl.String}
DIAGNOSED, ZERO = D(2012, 5, 21), D(2012, 5, 1)


def placed(
    start: tuple[dt.date | None, str | None], end: tuple[dt.date | None, str | None] = (None, None),
    died: dt.date | None = None, **values: Any,
) -> dict[str, Any]:  # fmt: skip
    one = {
        "patient_id": "p", "tumour_id": None, "start_date": start[0], "start_date_precision": start[1],
        "end_date": end[0], "end_date_precision": end[1],
    }  # fmt: skip
    days = {"start_date": pl.Date, "end_date": pl.Date, "start_day": pl.Int32, "end_day": pl.Int32}
    texts = {"start_date_precision": pl.String, "end_date_precision": pl.String}
    rows = pl.DataFrame([one | values], schema=P | days | texts)
    diagnosis = pl.DataFrame(
        [{"patient_id": "p", "tumour_id": None, "diagnosis_date": DIAGNOSED}],
        schema=curated.Diagnosis.polars_schema(),
    )
    vital = pl.DataFrame(
        [{"patient_id": "p", "death_date": died, "death_date_precision": "day"}],
        schema=curated.VitalStatus.polars_schema(),
    )
    zero = pl.DataFrame({"patient_id": ["p"], "zero": [ZERO]})
    columns = {"start_date": "start_day", "end_date": "end_day"}
    return event_dates.placed(rows, columns, zero, diagnosis, vital).row(0, named=True)


@pytest.mark.parametrize(
    ("start", "end", "died", "days"),
    [
        ((D(2012, 5, 3), "day"), (None, None), None, (2, 2, 2)),  # an exact day is not moved
        ((D(2012, 5, 3), None), (D(2012, 6, 15), "month"), None, (2, 2, 2)),
        ((D(2012, 5, 15), "month"), (None, None), None, (25, 20, 30)),  # 21 to 31 May: its middle is 26 May
        ((D(2012, 6, 15), "month"), (None, None), None, (45, 31, 60)),  # untouched: 15 June
        ((D(2012, 6, 15), "month"), (D(2012, 6, 10), "day"), None, (35, 31, 40)),  # 1 to 10 June
        ((D(2012, 6, 15), "month"), (None, None), D(2012, 6, 20), (40, 31, 50)),  # 1 to 20 June
        ((D(2012, 4, 15), "month"), (None, None), None, (-16, -30, -1)),  # a limit that excludes all of it
        ((D(2012, 7, 1), "year"), (D(2012, 6, 15), "month"), None, (40, 20, 60)),  # 21 May to 30 June
        ((None, None), (None, None), None, (None, None, None)),
    ],
)
def test_a_partial_day_lies_between_diagnosis_end_and_death(start, end, died, days):
    row = placed(start, end, died)
    assert (row["start_day"], row["start_day_earliest"], row["start_day_latest"]) == days


def test_the_last_day_of_a_treatment_is_not_before_its_first():
    row = placed((D(2012, 6, 11), "day"), (D(2012, 6, 15), "month"))
    # 11 to 30 June: its middle is 20 June.
    assert (row["end_day"], row["end_day_earliest"], row["end_day_latest"]) == (50, 41, 60)


def test_a_day_that_the_source_counts_is_kept():
    row = placed((None, None), start_day=7)
    assert [row[f"start_day{end}"] for end in ("", "_earliest", "_latest")] == [7, 7, 7]
    # A date that is not that of the day: the day counts.
    row = placed((D(2012, 6, 15), "month"), start_day=7)
    assert [row[f"start_day{end}"] for end in ("", "_earliest", "_latest")] == [7, 7, 7]


# --- several parts of one oBDS report ------------------------------------------------------------------


def report(**values: str) -> pl.DataFrame:
    return r.ObdsPathology.conform(pl.DataFrame([{"record_id": "r1"} | values]))


@pytest.mark.parametrize(
    ("told", "stadium"),
    [
        ([("FNCLCC", "1", "2012-01-01"), ("FNCLCC", "2", "2012-02-01")], "2"),
        ([("FNCLCC", "2", "2012-02-01"), ("FNCLCC", "1", "2012-01-01")], "2"),
        ([("FNCLCC", "1", "2012-01-01"), ("FNCLCC", "3", "2012-01-01"), ("FNCLCC", "2", "2012-01-01")], "3"),
        ([("FNCLCC", "2", None), ("FNCLCC", "1", "2012-01-01")], "1"),  # a dated one before an undated one
        ([("FNCLCC", None, "2012-02-01"), ("FNCLCC", "1", "2012-01-01")], "1"),
        ([("Gleason", "7", "2012-02-01"), ("FNCLCC", "1", "2012-01-01")], "1"),
    ],
)
def test_of_several_grades_of_a_report_the_latest_counts_of_one_day_the_highest(told, stadium):
    named = [dict(zip(("Name", "Stadium", "Datum"), one, strict=True)) for one in told]
    made = obds_nested.fnclcc(report(Menge_Weitere_Klassifikation=_json(named)))
    assert made["_stadium"].to_list() == [stadium]


def _json(value: Any) -> str:
    return json.dumps(value)


@pytest.mark.parametrize(
    ("codes", "chosen"),
    [
        (["8802/3", "8858/3"], "8858/3"),  # a named subtype before 8801 to 8805
        (["8800/3", "8802/3"], "8802/3"),
        (["8858/0", "8802/3"], "8802/3"),  # the malignant one
        (["8858/3", "8890/3"], "8858/3"),  # the order of the report
        (["8890/3", "8858/3"], "8890/3"),
    ],
)
def test_of_several_morphologies_of_a_report_the_malignant_and_named_one_counts(codes, chosen):
    parts = [
        {"Morphologie_ICD_O": [{"Code": code, "Version": f"v{code}"}], "Grading": None} for code in codes
    ]
    parts[0] |= {"Tumor_Histologiedatum_Datumsgenauigkeit": "V"}
    parts[-1] |= {"Grading": "2", "Tumor_Histologiedatum": "2012-01-01",
                  "Tumor_Histologiedatum_Datumsgenauigkeit": "E"}  # fmt: skip
    row = obds_nested.histologies(report(Histologie=_json(parts))).row(0, named=True)
    assert (row["_morphology"], row["_morphology_version"]) == (chosen, f"v{chosen}")
    assert row["_morphologies"] == codes, "in the order of the report"
    date = (row["_histology_date"], row["_histology_date_Datumsgenauigkeit"], row["_grading"])
    assert date == ("2012-01-01", "E", "2")


def test_a_report_has_one_histology_column_and_older_ones_have_several():
    """A record of an older reader has no Histologie; a report without any histology makes no row."""
    older = {"Morphologie_ICD_O": '["8858/3"]', "Grading": "1"}
    newer = {"Histologie": _json([{"Morphologie_ICD_O": [{"Code": "8802/3", "Version": "33"}]}])}
    rows = [{"record_id": "r1"} | older, {"record_id": "r2"} | newer | older, {"record_id": "r3"}]
    schema = r.ObdsPathology.polars_schema()
    made = obds_nested.histologies(r.ObdsPathology.conform(pl.DataFrame(rows, schema=schema)))
    columns = ("record_id", "_morphologies", "_grading")
    assert sorted(made.select(columns).rows()) == [("r1", ["8858/3"], "1"), ("r2", ["8802/3"], None)]


def test_the_tnms_of_a_report_are_in_the_order_of_their_kind_then_of_the_report():
    told = [("other", "2"), ("pTNM", "1"), ("TNM", "3"), ("cTNM", "4"), ("cTNM", "1")]
    made = obds_nested.tnms(report(TNM=_json([{"kind": kind, "T": t} for kind, t in told])))
    assert made.select("_nth", "_tnm_kind", "_tnm_T").rows() == [
        (0, "cTNM", "4"), (1, "cTNM", "1"), (2, "TNM", "3"), (3, "pTNM", "1"), (4, "other", "2"),
    ]  # fmt: skip
