"""How delivered text becomes typed values, and what is noted when it cannot."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation.parse import code, date, number, text, whole, with_steps
from sarcoma_pipeline.curation.typed_columns import read
from sarcoma_pipeline.curation.value_rules import DATE_LEGACY_FORMAT
from schemas import typed
from schemas import vocabularies as v


def _value(reading, **columns):
    frame = pl.DataFrame({k: [x] for k, x in columns.items()}, schema=dict.fromkeys(columns, pl.String))
    return with_steps(frame, [reading]).select(value=reading.value)["value"][0]


@pytest.mark.parametrize(
    ("delivered", "value", "precision"),
    [
        ("2015-03-09", dt.date(2015, 3, 9), "day"),
        ("09.03.2015", dt.date(2015, 3, 9), "day"),
        ("00.03.2015", dt.date(2015, 3, 15), "month"),
        ("00.00.2015", dt.date(2015, 7, 1), "year"),
        ("00.00.0000", None, None),
        ("2015-02-31", None, None),
        ("2015-03-09Z", dt.date(2015, 3, 9), "day"),
        (" 2015-03-09+02:00 ", dt.date(2015, 3, 9), "day"),
        ("2015-02-31Z", None, None),
        ("2015-03-09T10:00:00", None, None),
        ("31.04.2015", None, None),
        ("00.13.2015", None, None),
    ],
)
def test_dates_full_and_partial(delivered, value, precision):
    reading = date("d", ("%Y-%m-%d", "%d.%m.%Y"))
    frame = with_steps(pl.DataFrame({"d": [delivered]}), [reading])
    row = frame.select(v=reading.value, p=reading.precision).row(0)
    assert row == (value, precision)


@pytest.mark.parametrize(
    ("exactness", "value"),
    [
        ("E", dt.date(2015, 3, 9)), ("T", dt.date(2015, 3, 15)), ("M", dt.date(2015, 7, 1)), ("V", None),
        (" t ", dt.date(2015, 3, 15)), ("v", None), ("Z", dt.date(2015, 3, 9)), (None, dt.date(2015, 3, 9)),
    ],
)  # fmt: skip
def test_datumsgenauigkeit_moves_a_date_to_the_middle_of_its_interval(exactness, value):
    reading = date("d", exactness="g", exactness_codes=v.OBDS_DATE_PRECISION)
    assert _value(reading, d="2015-03-09", g=exactness) == value


@pytest.mark.parametrize(
    ("delivered", "decimal", "value"),
    [("12,5", ",", 12.5), ("1.234,5", ",", 1234.5), ("12.5", ".", 12.5), ("12,x", ",", None),
     ("nan", ".", None), ("inf", ".", None)],
)  # fmt: skip
def test_numbers(delivered, decimal, value):
    assert _value(number("n", decimal=decimal), n=delivered) == value


def test_whole_numbers_may_be_written_as_floats():
    assert _value(whole("n"), n="1521.0") == 1521
    assert _value(whole("n"), n="1521.5") is None


def test_codes_without_case():
    assert _value(code("c", v.REGISTRY_ANSWER, fold=True), c=" Verstorben ") == "deceased"
    assert _value(code("c", v.REGISTRY_ANSWER, fold=True), c="verschollen") is None


def test_relapse_is_y_overall_and_r_locally():
    assert v.OBDS_OVERALL["Y"] == "relapse"
    assert v.OBDS_OVERALL["R"] == "complete remission with residues"
    assert v.OBDS_LOCAL["R"] == "relapse"


def test_what_cannot_be_read_becomes_null_and_a_finding_of_its_columns_severity():
    received = pl.DataFrame({"record_id": ["a", "b"], "d": ["2015-02-31", "2015-02-28"], "r": ["R9", None]})
    frame, observed = read(
        received,
        typed.Surgery,
        {
            "record_id": text("record_id"),
            "surgery_date": date("d"),
            "residual_status": code("r", v.OBDS_RESIDUAL),
        },
    )
    assert frame["surgery_date"].to_list() == [None, dt.date(2015, 2, 28)]
    assert observed.select("rule_id", "severity", "record_id", "column_name", "value").rows() == [
        ("value.date-unreadable", "error", "a", "surgery_date", "2015-02-31"),
        ("value.code-unknown", "warning", "a", "residual_status", "R9"),
    ]


@pytest.mark.parametrize(
    ("delivered", "days"), [("1", 30), ("1.5", 46), ("2", 61), ("0", 0), ("-1", -30), ("x", None)]
)
def test_months_are_whole_days_rounded_a_half_upwards(delivered, days):
    assert _value(whole("n", scale=30.4375), n=delivered) == days


@pytest.mark.parametrize(("delivered", "scale", "value"), [("3", 0.5, 2), ("1", 0.5, 1), ("-1", 0.5, 0)])
def test_a_half_is_rounded_upwards(delivered, scale, value):
    assert _value(whole("n", scale=scale), n=delivered) == value


@pytest.mark.parametrize(
    ("delivered", "year"),
    [("01.02.1000", 1000), ("01.02.0999", None), ("01.02.50", None), ("01.02.2050", 2050)],
)
def test_a_year_of_two_digits_is_no_year_of_four(delivered, year):
    value = _value(date("d", ("%d.%m.%Y",)), d=delivered)
    assert (value and value.year) == year


def test_a_dot_is_a_decimal_point_beside_a_comma_only_in_a_source_with_typed_numbers():
    assert _value(number("n", decimal=",", native=True), n="12.5") == 12.5
    assert _value(number("n", decimal=","), n="12.5") is None


def test_a_number_is_no_day_unless_its_source_is_a_spreadsheet():
    assert _value(number("n", spreadsheet=True), n="1900-02-01") == 32.0
    assert _value(number("n"), n="1900-02-01") is None


def _noted(reading, **columns):
    """The rules that are noted of one row, which was received on 1 January 2020."""
    frame = pl.DataFrame({k: [x] for k, x in columns.items()}, schema=dict.fromkeys(columns, pl.String))
    frame = with_steps(frame.with_columns(received_on=dt.date(2020, 1, 1)), [reading])
    return {rule.id for rule, noted in reading.notes if frame.select(noted).item()}


@pytest.mark.parametrize(
    ("delivered", "exactness", "options", "noted"),
    [
        ("00.03.2015", None, {}, {"date.partial"}),
        ("00.00.2015", None, {}, {"date.partial"}),
        ("00.03.2015", None, {"notices": False}, set()),
        ("00.03.2015", None, {"legacy": True}, {"date.legacy-format"}),
        ("00.00.2015", None, {"legacy": True}, {"date.legacy-format"}),
        ("00.13.2015", None, {"legacy": True}, set()),  # unreadable
        ("09.03.2015", None, {"legacy": True}, set()),
        ("09.03.2015", "T", {"legacy": True}, {"date.partial"}),
        ("00.03.2015", "V", {"legacy": True}, set()),
        ("09.03.2015", "E", {"unusable": DATE_LEGACY_FORMAT}, set()),
        ("09.03.2015", "V", {"unusable": DATE_LEGACY_FORMAT}, {"date.legacy-format"}),
        (None, "V", {"unusable": DATE_LEGACY_FORMAT}, set()),
    ],
)
def test_what_is_noted_of_a_partial_date_or_one_that_is_fully_estimated(delivered, exactness, options, noted):
    reading = date("d", ("%d.%m.%Y",), exactness="g", exactness_codes=v.OBDS_DATE_PRECISION, **options)
    assert _noted(reading, d=delivered, g=exactness) == noted


@pytest.mark.parametrize(
    ("delivered", "day", "noted"),
    [
        # A spreadsheet counts days from 30 December 1899: day 42072 is 9 March 2015.
        ("42072", dt.date(2015, 3, 9), {"date.from-number"}),
        ("2015", dt.date(2015, 7, 1), set()),  # one of the formats reads it, though it may count a day, too
        ("09.03.2015", dt.date(2015, 3, 9), set()),
    ],
)
def test_only_a_number_that_no_format_reads_is_a_counted_day(delivered, day, noted):
    reading = date("d", ("%d.%m.%Y", "%Y"), counted_from=dt.date(1900, 1, 1))
    frame = pl.DataFrame({"d": [delivered], "received_on": [dt.date(2020, 1, 1)]})
    assert with_steps(frame, [reading]).select(reading.value).item() == day
    assert _noted(reading, d=delivered) == noted


@pytest.mark.parametrize(
    ("delivered", "born", "day", "unclear"),
    [
        ("01.02.15", dt.date(1950, 1, 1), dt.date(2015, 2, 1), False),  # 1915 is before the birth
        ("01.02.15", dt.date(1915, 2, 1), None, True),  # the day of the birth is not before it
        ("01.02.15", dt.date(2015, 2, 1), dt.date(2015, 2, 1), False),
        ("01.02.15", None, None, True),  # nothing excludes a century
        ("01.02.50", None, dt.date(1950, 2, 1), False),  # 2050 is in the future
        ("01.02.50", dt.date(1960, 1, 1), None, False),  # neither is possible
    ],
)
def test_a_year_of_two_digits_is_read_only_where_one_century_is_possible(delivered, born, day, unclear):
    reading = date("d", ("%d.%m.%y",), not_before=pl.lit(born, dtype=pl.Date))
    frame = pl.DataFrame({"d": [delivered], "received_on": [dt.date(2020, 1, 1)]})
    assert with_steps(frame, [reading]).select(reading.value).item() == day
    assert ("date.century-unclear" in _noted(reading, d=delivered)) == unclear
