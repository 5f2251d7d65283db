"""Which reports of irradiations describe one course, to the day (O8 of docs/radiotherapy.md)."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

import pytest

from sarcoma_pipeline.curation.course_reports import Group, groups_of_reports

START = dt.date(2015, 3, 2)
_NUMBERS = count(1)


def report(start: int | None = 0, **values: Any) -> dict[str, Any]:
    """A row of ``typed.radiotherapy`` that begins some days after 2 March 2015."""
    number = next(_NUMBERS)
    row: dict[str, Any] = dict.fromkeys(
        ("start_day", "end_date", "end_reason", "target_region", "target_side", "prescribed_dose_gy")
    )
    return row | {
        "record_id": f"r{number}", "report_id": f"m{number}", "module_id": "ST1", "tumour_id": "T1",
        "reporter": "A", "source": "oBDS", "start_date": None if start is None else _day(start), **values,
    }  # fmt: skip


def _day(after: int) -> dt.date:
    return START + dt.timedelta(after)


def shown(*rows: dict[str, Any]) -> list[tuple[str, int]]:
    """Name of each course and number of its reports."""
    return [(one.name, len(one.reports)) for one in groups_of_reports(rows)]


def are_one(*rows: dict[str, Any]) -> bool:
    return len(groups_of_reports(rows)) == 1


@pytest.mark.parametrize(("apart", "same"), [(-4, False), (-3, True), (0, True), (3, True), (4, False)])
def test_courses_of_two_reporters_that_begin_within_three_days_are_one(apart, same):
    other = report(apart, reporter="B", module_id="7")
    assert are_one(report(), other) == are_one(other, report()) == same


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"target_region": "7.3"}, True),
        ({"target_region": "5.9"}, False),
        ({"tumour_id": "T2"}, False),
        ({"start_date": None}, True),  # without a day their numbers decide
        ({"start_date": None, "module_id": "ST2"}, False),
    ],
)
def test_courses_of_two_reporters_agree_in_tumour_region_and_number(other, same):
    one = report(target_region="7.3")
    assert are_one(one, report(reporter="B", **other)) == same


@pytest.mark.parametrize(("apart", "same"), [(-43, False), (-42, True), (42, True), (43, False)])
def test_a_course_without_an_end_may_be_reported_again_up_to_42_days_later(apart, same):
    assert are_one(report(), report(apart)) == same


@pytest.mark.parametrize(
    ("length", "start", "same"),
    [
        (32, 32, True),
        (32, 33, False),
        (32, -3, True),
        # A course of one day: a start that was corrected by three days.
        (0, 3, True),
        (0, 4, False),
    ],
)
def test_a_course_with_an_end_is_reported_again_until_it_or_with_a_start_three_days_off(length, start, same):
    closed = report(end_date=_day(length))
    assert Group("T1", "ST1", {"A"}, [(0, closed)], True).takes(_day(start)) == same
    if start >= 0:
        assert are_one(closed, report(start)) == same


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "ST1"),
        ({"module_id": None}, "m"),
        ({"module_id": None, "report_id": None}, "2015-03-02"),
        ({"module_id": None, "report_id": None, "target_region": "7.3"}, "2015-03-02 7.3"),
        ({"module_id": None, "report_id": None, "start_date": None, "start_day": 60}, "60"),
        ({"module_id": None, "report_id": None, "start_date": None}, "r"),
    ],
)
def test_a_course_is_named_by_its_number_its_report_its_first_day_or_its_record(values, name):
    row = report(**values)
    whole = {"m": row["report_id"], "r": row["record_id"]}.get(name, name)
    assert shown(row) == [(str(whole), 1)]


def test_rows_of_one_report_are_never_split_by_their_days():
    assert are_one(report(report_id="m"), report(900, report_id="m"))
    # A row without a report is a report of its own.
    assert not are_one(report(report_id=None), report(900, report_id=None))


def test_the_rows_of_a_course_are_ordered_by_source_then_ends_last_then_by_rank():
    """A source ranks as its first report; one that states the end in any way is more credible."""
    first, end_reason, end_date, begin, later = (
        report(source="A"), report(source="B", end_reason="E"), report(source="A", end_date=_day(32)),
        report(source="A"), report(source="B"),
    )  # fmt: skip
    rows = list(enumerate((first, end_reason, end_date, begin, later)))
    for given in (rows, rows[::-1]):
        group = Group("T1", "ST1", {"A"}, [*given], True)
        assert group.rows() == [first, begin, end_date, later, end_reason]
        assert group.ended
    assert Group("T1", "ST1", {"A"}, [(0, end_reason)], True).ended
    assert Group("T1", "ST1", {"A"}, [(0, end_date)], True).ended
    assert not Group("T1", "ST1", {"A"}, [(0, begin)], True).ended


def test_a_number_for_a_later_course_is_a_number_again_and_reports_of_one_day_are_one_course():
    def again(*rows: dict[str, Any]) -> list[tuple[int, bool, bool]]:
        return [(len(one.reports), one.numbered, one.number_again) for one in groups_of_reports(rows)]

    assert again(report(), report(), report(900)) == [(2, True, False), (1, True, True)]
    assert again(report(900), report()) == [(1, True, False), (1, True, True)]
    # The report of 2015 is the first one, whichever was sent first.
    assert [one.first for one in groups_of_reports([report(900), report()])] == [_day(0), _day(900)]
    nameless = {"module_id": None, "report_id": None}
    assert again(report(**nameless), report(**nameless)) == [(2, False, False)]
    assert again(report(None), report(None)) == [(2, True, False)]


@pytest.mark.parametrize("ended", [{"end_date": START + dt.timedelta(32)}, {"end_reason": "E"}])
def test_a_report_without_a_start_belongs_to_the_first_course_that_is_open_else_to_the_last_one(ended):
    def reports(*rows: dict[str, Any]) -> list[int]:
        return [len(one.reports) for one in groups_of_reports(rows)]

    assert reports(report(), report(900), report(None)) == [2, 1]
    assert reports(report(**ended), report(900), report(None)) == [1, 2]
    assert reports(report(**ended), report(900), report(1800), report(None)) == [1, 2, 1]
    assert reports(report(**ended), report(900, end_reason="E"), report(None)) == [1, 2]
    assert reports(report(None), report(900), report(**ended)) == [1, 2]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"tumour_id": "T2"}, False),
        ({"reporter": "B", "start_date": None}, False),
        ({"target_region": "5.9"}, False),
        ({"start_date": _day(1)}, False),
        ({"start_date": None}, False),
        ({"module_id": "ST2"}, False),  # both have a number
        # Both are ends: the doses decide.
        ({"end_reason": "A"}, False),
        ({"end_reason": "A", "prescribed_dose_gy": 50.0}, True),
    ],
)
def test_an_end_without_a_number_and_a_begin_that_has_one_are_one_course(other, same):
    one = report(target_region="7.3", end_reason="E", prescribed_dose_gy=50.0)
    begun = {"module_id": None, "target_region": "7.3", "prescribed_dose_gy": 48.0} | other
    assert are_one(one, report(**begun)) == same


def test_reports_of_one_day_without_any_number_are_one_course():
    nameless = {"module_id": None, "report_id": None, "target_region": "7.3"}
    assert shown(report(**nameless), report(**nameless), report(1, **nameless)) == [
        ("2015-03-02 7.3", 2), ("2015-03-03 7.3", 1),
    ]  # fmt: skip
