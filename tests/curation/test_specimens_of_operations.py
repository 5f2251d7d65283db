"""Which operation a pathology report belongs to, and which procedures it had; from typed records."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import surgery
from schemas import curated, typed

D = dt.date
OWN = dict.fromkeys(("patient_id", "reporter", "reported_tumour", "report_id"), pl.String)
OF = {"patient_id": "p", "tumour_id": "T", "reported_tumour": "T", "source": "oBDS", "reporter": "A"}
DONE = D(2013, 5, 10)
DAY_5 = {"surgery_date": None, "surgery_day": 5}


def after(days: int) -> dt.date:
    return DONE + dt.timedelta(days)


def told(contract, prefix: str, rows: list[dict[str, Any]], **more: Any) -> pl.DataFrame:
    schema = contract.polars_schema() | OWN | {"of_relapse_report": pl.Boolean, "report_date": pl.Date}
    made = [OF | more | {"record_id": f"{prefix}{n}"} | row for n, row in enumerate(rows)]
    return pl.DataFrame(made, schema=schema)


def made(operations: list[dict[str, Any]], reports: list[dict[str, Any]]) -> pl.DataFrame:
    """The operations, the same in whatever order records come."""
    first, second = (
        surgery.curate(
            {typed.Surgery.table(): cut, typed.Diagnosis.table(): found}, ["registry office", "oBDS", "table"]
        ).sort("surgery_date", "record_ids")
        for cut, found in (
            (
                told(typed.Surgery, "o", operations, surgery_date=DONE, intent="curative"),
                told(typed.Diagnosis, "p", reports, residual_status="R1", of_relapse_report=False),
            ),
            (
                told(typed.Surgery, "o", operations, surgery_date=DONE, intent="curative").reverse(),
                told(typed.Diagnosis, "p", reports, residual_status="R1", of_relapse_report=False).reverse(),
            ),
        )
    )
    assert first.rows() == second.rows()
    return first


def statuses(operations: list[dict[str, Any]], reports: list[dict[str, Any]]) -> list[str | None]:
    return made(operations, reports)["residual_status"].to_list()


@pytest.mark.parametrize(
    ("operation", "report", "status"),
    [
        ({}, {"report_date": after(-3)}, "R1"),
        ({}, {"report_date": after(-4)}, None),
        ({}, {"report_date": after(42)}, "R1"),
        ({}, {"report_date": after(43)}, None),
        # Without a day it belongs to the only operation.
        ({}, {"report_date": None}, "R1"),
        ({}, {"report_date": after(1), "residual_status": None}, None),
        ({}, {"report_date": after(1), "of_relapse_report": True}, None),
        ({}, {"report_date": after(1), "tumour_id": "U"}, None),
        ({"tumour_id": None}, {"report_date": after(1), "tumour_id": None}, "R1"),
        # What the operation says itself counts, and a biopsy has no margins.
        ({"residual_status": "R0"}, {"report_date": after(1)}, "R0"),
        ({"intent": "diagnostic"}, {"report_date": after(1)}, None),
        ({"intent": None}, {"report_date": after(1)}, "R1"),
    ],
)
def test_a_report_from_three_days_before_to_six_weeks_after_is_that_of_the_specimen(
    operation, report, status
):
    assert statuses([operation], [report]) == [status]


@pytest.mark.parametrize(
    ("second", "reported", "expected"),
    [
        # The nearest operation, before or after; of two equally near ones the earlier.
        (after(10), after(4), ["R1", None]),
        (after(10), after(8), [None, "R1"]),
        (after(2), after(1), ["R1", None]),
        # Without a day it is that of neither of two operations.
        (after(10), None, [None, None]),
    ],
)
def test_a_report_is_that_of_the_nearest_operation(second, reported, expected):
    two = [{}, {"surgery_date": second, "module_id": "2"}]
    assert statuses(two, [{"report_date": reported}]) == expected


def test_an_operation_that_is_diagnostic_makes_no_second_one():
    two = [{}, {"surgery_date": after(-30), "intent": "diagnostic"}]
    assert statuses(two, [{"report_date": None}]) == [None, "R1"]


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        ([{"report_date": after(1)}, {"report_date": after(5), "residual_status": "R0"}], "R0"),
        ([{"report_date": after(1), "reported_on": D(2020, 2, 1)},
          {"report_date": after(1), "residual_status": "R0", "reported_on": D(2020, 1, 1)}], "R1"),
        # What has no day is the oldest: the report, or its export.
        ([{"report_date": after(1)}, {"report_date": None, "residual_status": "R0"}], "R1"),
        ([{"report_date": after(1), "reported_on": D(2020, 1, 1)},
          {"report_date": after(1), "residual_status": "R0", "reported_on": None}], "R1"),
    ],
)  # fmt: skip
def test_of_several_reports_of_a_specimen_the_latest_counts_and_all_are_named(reports, status):
    rows = made([{}], reports)
    assert rows.select("residual_status", "record_ids").rows() == [(status, ["o0", "p0", "p1"])]


@pytest.mark.parametrize(
    ("operations", "number"),
    [
        # A reporter's two operations of a day are two; two reporters' first ones are one.
        ([{"module_id": "1"}, {"module_id": "2"}], 2),
        ([{"module_id": "1"}, {"module_id": "2", "reporter": "B"}], 1),
        ([{"module_id": "1"}, {"module_id": "1"}], 1),
        ([{"ops_codes": ["5-782.b"]}, {"ops_codes": ["5-852.3"]}], 2),
        ([{"ops_codes": ["5-782.b", "5-852.3"]}, {"ops_codes": ["5-852.3", "5-782.b"]}], 1),
        # A source that counts days has days; without any, only a number tells that two records are one.
        ([DAY_5, DAY_5 | {"reporter": "B"}], 1),
        ([DAY_5, DAY_5 | {"reporter": "B", "surgery_day": 6}], 2),
        ([{"surgery_date": None}, {"surgery_date": None}], 2),
        ([{"surgery_date": None, "module_id": "1"}, {"surgery_date": None, "module_id": "1"}], 1),
    ],
)  # fmt: skip
def test_records_of_one_operation(operations, number):
    assert made(operations, []).height == number


@pytest.mark.parametrize(
    ("operations", "intent"),
    [
        ([{"intent": "unknown", "reported_on": D(2020, 2, 1)}, {"intent": "palliative", "reporter": "B"}],
         "palliative"),
        ([{"intent": "unknown"}], "unknown"),
        ([{"intent": "unknown"}, {"intent": None, "reporter": "B"}], "unknown"),
        ([{"reported_on": D(2020, 2, 1)}, {"intent": "palliative", "reported_on": D(2020, 1, 1),
                                           "reporter": "B"}], "curative"),
    ],
)  # fmt: skip
def test_an_unknown_intent_gives_way_to_a_known_one(operations, intent):
    assert made(operations, [])["intent"].to_list() == [intent]


def test_an_operation_has_the_procedures_of_each_reporters_newest_report():
    rows = made(
        [
            {"ops_codes": ["5-852.3"], "module_id": "1", "reported_on": D(2020, 1, 1)},
            {"ops_codes": ["5-782.1a"], "module_id": "1", "reported_on": D(2020, 2, 1)},
            {"ops_codes": ["5-857.0", "5-782.1a"], "module_id": "1", "reporter": "B"},
        ],
        [],
    )
    assert rows["ops_codes"].to_list() == [["5-782.1a", "5-857.0"]]


def observed(operations, reports, group: str | None = "sarcoma", used: bool = False, of: str | None = "T"):
    sound = {
        typed.Surgery.table(): told(typed.Surgery, "o", operations, surgery_date=DONE, intent="curative"),
        typed.Diagnosis.table(): told(typed.Diagnosis, "p", reports, of_relapse_report=False),
    }
    rows = surgery.curate(sound, ["oBDS"]) if used else curated.Surgery.empty()
    diagnosis = pl.DataFrame(
        {"patient_id": ["p"], "tumour_id": [of], "histology_group": [group]},
        schema_overrides={"histology_group": pl.String, "tumour_id": pl.String},
    )
    seen = surgery.observe(rows, sound, diagnosis)
    return seen.select("rule_id", "record_id").sort("rule_id", "record_id").rows()


LONE, UNUSED = ("surgery.pathology-missing", "o0"), ("surgery.residual-of-no-operation", "p0")
RESECTED = {"ops_codes": ["5-782.b"]}
TISSUE = {"origin": "pathology", "icdo3_morphology": "8802/3"}


@pytest.mark.parametrize(
    ("operation", "report", "group", "found"),
    [
        ({}, {}, "sarcoma", [LONE]),
        ({}, {}, None, []),
        ({"source": "table"}, {}, "sarcoma", []),
        ({"intent": "palliative"}, {}, "sarcoma", []),
        ({"residual_status": "R0"}, {}, "sarcoma", []),
        ({"residual_status": "RX"}, {}, "sarcoma", [LONE]),
        ({}, TISSUE, "sarcoma", []),
        ({}, TISSUE | {"origin": "surgery"}, "sarcoma", []),
        ({}, TISSUE | {"origin": "diagnosis"}, "sarcoma", [LONE]),
        ({}, TISSUE | {"icdo3_morphology": None}, "sarcoma", [LONE]),
        ({}, TISSUE | {"tumour_id": "U"}, "sarcoma", [LONE]),
        # A residual status that no operation has.
        ({"residual_status": "R0"}, {"residual_status": "R1"}, "sarcoma", [UNUSED]),
        ({"residual_status": "R0"}, {"residual_status": "R1", "of_relapse_report": True}, "sarcoma", []),
        ({"residual_status": "R0"}, {"residual_status": "R1", "patient_id": None}, "sarcoma", []),
    ],
)
def test_a_curative_operation_has_tissue_and_a_residual_status_an_operation(operation, report, group, found):
    assert observed([RESECTED | operation], [report], group) == found


@pytest.mark.parametrize(
    ("own", "of_report", "found"),
    [
        ("R0", "R1", [("surgery.residual-differs", "p0")]),
        ("R1", "R1", []),
        (None, "R1", []),
    ],
)
def test_a_report_of_the_specimen_with_another_residual_status_is_told(own, of_report, found):
    report = TISSUE | {"report_date": after(1), "residual_status": of_report}
    assert observed([RESECTED | {"residual_status": own}], [report], used=True) == found


@pytest.mark.parametrize(("report", "found"), [({}, [LONE]), (TISSUE, [])])
def test_an_operation_and_tissue_without_a_number_are_of_the_tumour_without_one(report, found):
    nameless = {"tumour_id": None}
    assert observed([RESECTED | nameless], [report | nameless], of=None) == found
