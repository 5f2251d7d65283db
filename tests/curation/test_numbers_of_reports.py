"""Which report of a number corrects which, and which date a number fills in; from typed records."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import event_numbers
from schemas import typed

D = dt.date
CORRECTED, TWICE = "record.corrected", "record.number-on-two-dates"
OWN = dict.fromkeys(("patient_id", "reporter", "reported_tumour", "report_id"), pl.String)
OF = {
    "source": "oBDS", "patient_id": "p", "reporter": "A", "reported_tumour": "T", "tumour_id": "T",
    "module_id": "1", "reported_on": D(2020, 1, 1),
}  # fmt: skip
TABLES = (
    typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Assessment, typed.Diagnosis,
)  # fmt: skip
CUT = {"surgery_date": D(2013, 2, 10), "surgery_date_precision": "day", "intent": "curative"}


def told(contract, *rows: dict[str, Any]) -> pl.DataFrame:
    made = [OF | {"record_id": f"r{n}"} | row for n, row in enumerate(rows)]
    return pl.DataFrame(made, schema=contract.polars_schema() | OWN)


def found(contract, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    first, second = (
        event_numbers.observe({c.table(): told(c, *(some if c is contract else ())) for c in TABLES})
        .select("rule_id", "record_id")
        .sort("rule_id", "record_id")
        .rows()
        for some in (
            [{"record_id": f"r{n}"} | row for n, row in enumerate(rows)],
            [{"record_id": f"r{n}"} | row for n, row in enumerate(rows)][::-1],
        )
    )
    assert first == second
    return first


LATER = {"reported_on": D(2020, 2, 1)}


@pytest.mark.parametrize(
    ("older", "newer", "rules"),
    [
        ({}, {}, []),
        # Only what frames a report differs.
        ({}, {"place": "z", "report_id": "M2", "received_on": D(2020, 3, 1)}, []),
        ({}, {"intent": "palliative"}, [(CORRECTED, "r0")]),
        ({"reported_on": None}, {"intent": "palliative"}, [(CORRECTED, "r0")]),
        ({}, {"intent": "palliative", "reported_on": None}, [(CORRECTED, "r1")]),
        ({}, {"intent": None}, []),
        ({}, {"intent": "palliative", "module_id": "2"}, []),
        ({}, {"intent": "palliative", "reporter": "B"}, []),
        ({"reporter": None}, {"intent": "palliative", "reporter": None}, [(CORRECTED, "r0")]),
        ({}, {"intent": "palliative", "record_id": "r0"}, []),
        ({"module_id": None}, {"intent": "palliative", "module_id": None}, []),
        ({"source": "table"}, {"intent": "palliative", "source": "table"}, []),
        ({}, {"surgery_date": D(2013, 2, 11), "intent": "palliative"}, [(TWICE, "r1")]),
        ({"surgery_date": D(2013, 2, 12)}, {}, [(TWICE, "r0")]),
        # A month or a year of the exact date is that date; another one is none.
        ({}, {"surgery_date": D(2013, 2, 15), "surgery_date_precision": "month"}, []),
        ({}, {"surgery_date": D(2013, 3, 15), "surgery_date_precision": "month"}, [(TWICE, "r1")]),
    ],
)
def test_a_newer_report_of_one_number_and_date_corrects_what_it_says_otherwise(older, newer, rules):
    assert found(typed.Surgery, CUT | older, CUT | LATER | newer) == rules


@pytest.mark.parametrize("number", [2, 3])
def test_of_several_reports_each_older_one_is_corrected(number):
    rows = [
        CUT | {"reported_on": D(2020, n + 1, 1), "side": side}
        for n, side in enumerate(("left", "right", "left"))
    ]
    assert found(typed.Surgery, *rows[:number]) == [(CORRECTED, f"r{n}") for n in range(number - 1)]


@pytest.mark.parametrize(
    ("first", "second", "rules"),
    [
        ({"complete": True, "grade": "2"}, {"complete": True, "grade": "3"}, [(CORRECTED, "r0")]),
        # A Pathologie of the tumour corrects no Diagnose, and no other Pathologie.
        ({"complete": True, "grade": "2"}, {"complete": False, "grade": "3"}, []),
        ({"complete": False, "grade": "2"}, {"complete": False, "grade": "3"}, []),
        ({"complete": True, "grade": "2"}, {"complete": True, "grade": "3", "reported_tumour": "U"}, []),
        ({"complete": True, "grade": "2", "reported_tumour": None},
         {"complete": True, "grade": "3", "reported_tumour": None}, []),
    ],
)  # fmt: skip
def test_a_newer_diagnose_of_one_number_corrects_the_older(first, second, rules):
    assert found(typed.Diagnosis, first, LATER | second) == rules


@pytest.mark.parametrize(
    ("begin", "end", "corrected"),
    [
        # The report with the end of the therapy counts, however late the one on its begin is exported.
        ({"protocol": "AI"}, {"protocol": "VIDE", "end_date": D(2013, 6, 1)}, "r0"),
        ({"protocol": "AI"}, {"protocol": "VIDE", "end_reason": "regular"}, "r0"),
        ({"protocol": "AI"}, {"protocol": "VIDE"}, "r1"),
    ],
)
def test_a_begin_corrects_no_end(begin, end, corrected):
    start = {"start_date": D(2013, 2, 10), "start_date_precision": "day"}
    seen = found(
        typed.SystemicTherapy, start | LATER | begin | {"report_id": "B"}, start | end | {"report_id": "E"}
    )
    assert seen == [(CORRECTED, corrected)]


def test_an_end_in_one_record_of_a_report_is_the_end_of_the_report():
    start = {"start_date": D(2013, 2, 10), "start_date_precision": "day"}
    ended = [
        start | {"report_id": "E", "record_id": "e1", "protocol": "VIDE", "end_reason": "regular"},
        start | {"report_id": "E", "record_id": "e2", "protocol": "VIDE", "end_reason": None},
    ]
    begun = start | LATER | {"report_id": "B", "record_id": "b", "protocol": "AI"}
    assert found(typed.SystemicTherapy, *ended, begun) == [(CORRECTED, "b")]


def test_the_parts_of_one_irradiation_correct_each_other_not_and_their_newer_report_does():
    parts = [{"part": n, "target_side": side} for n, side in ((1, "left"), (2, "right"))]
    assert found(typed.Radiotherapy, *parts) == []
    assert found(typed.Radiotherapy, *parts, LATER | {"part": 2, "target_side": "left"}) == [
        (CORRECTED, "r1")
    ]


@pytest.mark.parametrize(
    ("rows", "dates"),
    [
        ([{"surgery_date": None}, {}], [D(2013, 2, 10), D(2013, 2, 10)]),
        ([{"surgery_date": None}], [None]),
        ([{"surgery_date": None, "module_id": None}, {}], [None, D(2013, 2, 10)]),
        ([{"surgery_date": None, "module_id": "2"}, {}], [None, D(2013, 2, 10)]),
        ([{"surgery_date": None, "reporter": None}, {"reporter": None}], [D(2013, 2, 10), D(2013, 2, 10)]),
        # Two exact dates fill nothing; neither does a partial one.
        ([{"surgery_date": None}, {}, {"surgery_date": D(2013, 2, 11)}],
         [None, D(2013, 2, 10), D(2013, 2, 11)]),
        ([{"surgery_date": None}, {"surgery_date_precision": "month"}], [None, D(2013, 2, 10)]),
        ([{"surgery_date": None}, {"surgery_date_precision": None}], [D(2013, 2, 10), D(2013, 2, 10)]),
        ([{"surgery_date": D(2013, 2, 15), "surgery_date_precision": "month"}, {}],
         [D(2013, 2, 10), D(2013, 2, 10)]),
        ([{"surgery_date": D(2013, 3, 15), "surgery_date_precision": "month"}, {}],
         [D(2013, 3, 15), D(2013, 2, 10)]),
        ([{"surgery_date": D(2012, 2, 15), "surgery_date_precision": "month"}, {}],
         [D(2012, 2, 15), D(2013, 2, 10)]),
        ([{"surgery_date": D(2013, 7, 1), "surgery_date_precision": "year"}, {}],
         [D(2013, 2, 10), D(2013, 2, 10)]),
        ([{"surgery_date": D(2012, 7, 1), "surgery_date_precision": "year"}, {}],
         [D(2012, 7, 1), D(2013, 2, 10)]),
        # An exact date stays, whatever else the number says.
        ([{"surgery_date": D(2013, 2, 11)}, {}], [D(2013, 2, 11), D(2013, 2, 10)]),
    ],
)  # fmt: skip
def test_a_number_fills_a_missing_or_partial_date_with_its_only_exact_one(rows, dates):
    made = event_numbers.with_date_of_number(
        told(typed.Surgery, *(CUT | row for row in rows)), "surgery_date"
    )
    assert made["surgery_date"].to_list() == dates
    assert made.columns == told(typed.Surgery).columns
    filled = made.filter(pl.col("record_id") == "r0")["surgery_date_precision"].item()
    expected = "day" if dates[0] == D(2013, 2, 10) else (CUT | rows[0])["surgery_date_precision"]
    assert filled == expected
