"""Dates and numbers of a spreadsheet, whatever the format of its cells."""

import datetime as dt
import io

import pytest
import xlsxwriter

from schemas import typed, typed_diagnosis  # noqa: F401
from tests.sources.sent_tables import DIAGNOSIS, Workbook, workbook_of

pytestmark = pytest.mark.usefixtures("one_process")


@pytest.mark.parametrize("declared", ["%d.%m.%Y", "%Y-%m-%d"])
def test_dates_and_numbers_of_a_spreadsheet_are_its_own_whatever_is_declared(read, declared):
    days = [dt.date(2015, 1, 10), dt.date(2015, 1, 11), dt.date(2016, 2, 29)]
    sheet = workbook_of((1, days[0], 5.5), (2, days[1], 1.234), (3, days[2], "1.234"))
    found = read(sheet, format="xlsx", date_format=declared)
    assert found.diagnoses() == list(zip(days, (5.5, 1.234, 1234.0), strict=True))
    assert found.observed == []


def test_a_time_and_an_empty_date_of_a_spreadsheet_are_no_day(read):
    whole = io.BytesIO()
    with xlsxwriter.Workbook(whole) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ("Pat", "Datum", "Größe"))
        formats = [
            workbook.add_format({"num_format": form}) for form in ("hh:mm", "dd.mm.yyyy", "yyyy", "mmm yy")
        ]
        sheet.write_row(1, 0, (1, 0.5, 5), formats[0])
        sheet.write(1, 0, 1)
        for row, (value, form) in enumerate(
            [(0, formats[1]), (42067, formats[2]), (42067.5, formats[3])], start=2
        ):
            sheet.write(row, 0, row)
            sheet.write(row, 1, value, form)
            sheet.write(row, 2, 5)
    found = read(whole.getvalue(), format="xlsx")
    # 42067 is 4 March 2015, 42067.5 its noon.
    day = dt.date(2015, 3, 4)
    assert [row[0] for row in found.diagnoses()] == [None, None, day, day]
    told = [(rule, value) for rule, column, value in found.observed if column == "diagnosis_date"]
    assert told == [("value.date-unreadable", "12:00:00"), ("value.date-unreadable", "0")]


# 42067 days are 4 March 2015, as R counts: as.Date(42067, origin = "1899-12-30").
_DAY = dt.date(2015, 3, 4)


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        (42067, "General", _DAY), (42067, "0", _DAY), (42067, "@", _DAY), ("42067", "@", _DAY),
        (42067.75, "General", _DAY), (42067, '"Datum "0', _DAY), (42067.75, "dd.mm.yyyy hh:mm", _DAY),
        # 1950-01-01, and the day before it: as many days as a patient may have lived.
        (18264, "0", dt.date(1950, 1, 1)), (18263, "0", None),
        # The day of receipt is 2021-12-01 (44531): later days are the future.
        (44531, "0", dt.date(2021, 12, 1)), (44532, "0", None),
        # A year, a survival time, a day written without dots, a month.
        (2015, "0", None), (1826, "0", None), (20150304, "0", None), (4032015, "0", None),
        (201503, "0", None), (-42067, "0", None), (0, "0", None),
    ],
)  # fmt: skip
def test_a_date_of_a_spreadsheet_in_the_format_of_a_number(read, cell, form, expected):
    found = read(Workbook([(cell, form), (5, "0")]).content, format="xlsx")
    assert found.diagnoses() == [(expected, 5.0)]
    told = [(rule, column) for rule, column, _ in found.observed]
    unread = [("value.date-unreadable", "diagnosis_date")]
    guessed = [] if "dd" in form else [("date.from-number", "diagnosis_date")]
    assert told == (unread if expected is None else guessed)


def test_a_workbook_that_counts_from_1904(read):
    # 1462 days lie between 1899-12-30 and 1904-01-01.
    rows = [[(42067 - 1462, form), (5, "0")] for form in ("0", "dd.mm.yyyy", "@")]
    found = read(Workbook(*rows, [(0, "dd.mm.yyyy"), (5, "0")], date_1904=True).content, format="xlsx")
    assert found.diagnoses() == [(_DAY, 5.0)] * 3 + [(None, 5.0)]
    told = [(rule, value) for rule, _, value in found.observed]
    assert told == [("value.date-unreadable", "0")] + [("date.from-number", "40605 (1904)")] * 2


@pytest.mark.parametrize(
    ("cell", "declared", "expected"),
    [
        (20150304, "%Y%m%d", _DAY), (4032015, "%d%m%Y", None), ("04032015", "%d%m%Y", _DAY),
        # 10115 is no 10 November 2005: a zero was lost.
        (10115, "%d%m%y", None), (2015, "%Y", dt.date(2015, 7, 1)), (42067, "%Y", dt.date(2015, 7, 1)),
        (2015034, "%Y%m%d", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_declared_before_it_is_counted(read, cell, declared, expected):
    precision = "year" if declared == "%Y" else "day"
    day = {"column": "Datum", "precision": precision}
    entities = [{"entity": "diagnosis", "columns": {**DIAGNOSIS, "diagnosis_date": day}}]
    found = read(
        Workbook([(cell, "0"), (5, "0")]).content, format="xlsx", date_format=declared, entities=entities
    )
    assert found.diagnoses("diagnosis_date") == [(expected,)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(3655, dt.date(1910, 1, 2)), (3654, dt.date(1910, 1, 1)), (3653, None), (2015, None)],
)
def test_a_birth_in_the_format_of_a_number(read, cell, expected):
    person = {"entity": "person", "columns": {"hospital_number": "Pat", "birth_date": "Datum"}}
    found = read(Workbook([(cell, "0"), (5, "0")]).content, format="xlsx", entities=[person])
    assert found.typed["typed.person"]["birth_date"].to_list() == [expected]


def test_a_number_of_days_in_a_text_file_is_no_date(read):
    found = read("Pat;Datum;Größe\n1;42067;5\n")
    assert found.diagnoses("diagnosis_date") == [(None,)]
    assert found.observed == [("value.date-unreadable", "diagnosis_date", "42067")]


@pytest.mark.parametrize(
    ("cell", "form", "expected", "rule"),
    [
        (5.5, "General", 5.5, None), (5.5, '#,##0.00 "€"', 5.5, None), (5.5, "0", 5.5, None),
        (0.055, "0.0%", 0.055, None), (5.5, "@", 5.5, None), ("5,5", "@", 5.5, None),
        (5, "dd.mm.yyyy", 5.0, "number.from-date"), (5.5, "dd.mm.yyyy", 5.5, "number.from-date"),
        (61, "dd.mm.yyyy", 61.0, "number.from-date"), (5000, "dd.mm.yyyy", 5000.0, "number.from-date"),
        # The library shows 59 and 60 as one day; 42130 is what Excel makes of 5.5, typed in 2015.
        (60, "dd.mm.yyyy", None, "value.number-unreadable"),
        (42129, "dd.mm.yyyy", None, "value.number-unreadable"),
        # 1.30 becomes the first of January 1930.
        (10959, "mmm yy", None, "value.number-unreadable"),
        ("5,5 cm", "@", None, "value.number-unreadable"), ("50 %", "@", None, "value.number-unreadable"),
    ],
)  # fmt: skip
def test_a_number_of_a_spreadsheet_whatever_its_format(read, cell, form, expected, rule):
    found = read(Workbook([(42067, "dd.mm.yyyy"), (cell, form)]).content, format="xlsx")
    assert found.diagnoses() == [(_DAY, expected)]
    assert [told for told, _, _ in found.observed] == ([rule] if rule else [])
