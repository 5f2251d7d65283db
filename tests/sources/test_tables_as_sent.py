"""Tables as people really send them: right, or a finding that says what was not read."""

import datetime as dt
import io

import polars as pl
import pytest
import xlsxwriter

from sarcoma_pipeline.sources import table_file
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas import received, typed, typed_diagnosis  # noqa: F401
from tests.sources.sent_tables import DIAGNOSIS, source_of, workbook_of

pytestmark = pytest.mark.usefixtures("one_process")


@pytest.mark.parametrize(
    ("lines", "numbers", "stray"),
    [
        # Never closed: the rest of the file would be one cell.
        (['1;01.02.2015;5;"18 cm', "2;01.02.2015;5;ok", "3;01.02.2015;5;ok"], ["1", "2", "3"], [2]),
        # Closed by the next stray mark: the row between would vanish, and no cell would be missing.
        (['1;01.02.2015;5;"18 cm', "2;01.02.2015;5;ok", '3;01.02.2015;5;"2 cm', "4;01.02.2015;5;x"],
         ["1", "2", "3", "4"], [2, 4]),
        # In two rows that follow each other.
        (['1;01.02.2015;5;"18 cm', '2;01.02.2015;5;"2 cm', "3;01.02.2015;5;ok"], ["1", "2", "3"], [2, 3]),
        # A closed mark that no delimiter follows.
        (['1;01.02.2015;5;"18" cm', "2;01.02.2015;5;ok"], ["1", "2"], [2]),
        # A mark in the middle of a cell is text, and no fault.
        (['1;01.02.2015;5;18" cm', "2;01.02.2015;5;ok"], ["1", "2"], []),
        # A cell with line breaks, delimiters and doubled marks.
        (['1;01.02.2015;5;"two', 'lines; a ""word"";', 'end"', "2;01.02.2015;5;ok"], ["1", "2"], []),
        # The quoted cell comes first.
        (['"1";01.02.2015;5;ok', '"2";01.02.2015;5;"x', 'y"'], ["1", "2"], []),
    ],
)  # fmt: skip
def test_a_mark_that_is_no_quotation_swallows_no_row(read, lines, numbers, stray):
    found = read("\n".join(["Pat;Datum;Größe;Notiz", *lines]) + "\n")
    assert found.typed["typed.diagnosis"]["person_ref"].to_list() == [f"number:{n}" for n in numbers]
    assert found.faults == [(f"line {n}", "file.quote-unclosed") for n in stray]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("5,5", 5.5), ("1.234", 1234.0), ("1.234,5", 1234.5), ("5.5", None), ("12.34", None), ("1.23,4", None),
     (",5", 0.5), ("-5", -5.0), ("5", 5.0)],
)  # fmt: skip
def test_a_dot_in_a_table_with_decimal_commas_only_groups_three_digits(read, cell, expected):
    found = read(f"Pat;Datum;Größe\n1;01.02.2015;{cell}\n")
    assert found.diagnoses("tumour_size_cm") == [(expected,)]
    unread = [("value.number-unreadable", "tumour_size_cm", cell)] if expected is None else []
    assert found.observed == unread


def test_parquet_keeps_its_types(read):
    whole = io.BytesIO()
    frame = {"Pat": ["1"], "Datum": [dt.datetime(2015, 1, 10)], "Größe": [1.234]}
    pl.DataFrame(frame).write_parquet(whole)
    assert read(whole.getvalue(), format="parquet").diagnoses() == [(dt.date(2015, 1, 10), 1.234)]


def test_an_error_of_a_spreadsheet_is_shown_and_is_no_value(read):
    found = read(workbook_of((1, "#N/A", "#REF!"), (2, dt.date(2015, 1, 11), 3)), format="xlsx")
    assert found.diagnoses() == [(None, None), (dt.date(2015, 1, 11), 3.0)]
    assert found.observed == [
        ("value.date-unreadable", "diagnosis_date", "#N/A"),
        ("value.number-unreadable", "tumour_size_cm", "#REF!"),
    ]


def test_the_first_sheet_that_a_person_sees_is_read(read):
    found = read(workbook_of((1, dt.date(2015, 1, 10), 5), hidden=True), format="xlsx")
    assert found.diagnoses() == [(dt.date(2015, 1, 10), 5.0)]


@pytest.mark.parametrize(
    ("head", "rows", "more", "found"),
    [
        # One sheet per year.
        (
            ("Pat", "Datum", "Größe"),
            [("2", "10.01.2016", "4")],
            {},
            ["1 more sheets begin with the same header"],
        ),
        # A legend, an empty template, a sheet that the source names.
        (("Kürzel", "Bedeutung"), [("R0", "frei")], {}, []),
        (("Pat", "Datum", "Größe"), [], {}, []),
        (("Pat", "Datum", "Größe"), [("2", "10.01.2016", "4")], {"sheet": "Daten"}, []),
    ],
)
def test_a_second_sheet_with_the_same_header_is_not_left_in_silence(tmp_path, head, rows, more, found):
    path = tmp_path / "file"
    with xlsxwriter.Workbook(path) as workbook:
        for name, first, body in (
            ("Daten", ("Pat", "Datum", "Größe"), [("1", "10.01.2015", "5")]),
            ("2016", head, rows),
        ):
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate([first, *body]):
                sheet.write_row(number, 0, row)
    batch = table_file.read(SourceFile("F", path, "file"), source_of(format="xlsx", **more), "R1")
    unread = batch.frames().get("received.unread", received.Unread.empty())
    assert unread.filter(rule_id="file.sheet-not-read")["detail"].to_list() == found


@pytest.mark.parametrize("head", ["PAT;datum;GRÖSSE", " Pat ;Datum;Gro\u0308\u00dfe", "Pat;  Datum;Größe"])
def test_headers_are_compared_without_case_blanks_and_normal_form(read, head):
    found = read(f"{head}\n1;01.02.2015;5\n")
    assert found.faults == [] and found.diagnoses() == [(dt.date(2015, 2, 1), 5.0)]
    assert found.account.unknown == {}


def test_a_header_with_a_line_break(read):
    sheet = workbook_of((1, dt.date(2015, 1, 10), 5), head=("Pat ", "Datum\n", "Größe"))
    assert read(sheet, format="xlsx").diagnoses() == [(dt.date(2015, 1, 10), 5.0)]


def test_a_mapped_header_that_stands_there_twice_is_told(read):
    found = read("Pat;Datum;Größe;Datum\n1;01.02.2015;5;01.01.2024\n")
    assert found.faults == [("line 1", "file.column-twice")]
    assert found.diagnoses() == [(dt.date(2015, 2, 1), 5.0)]
    assert found.account.unknown == {"Datum (2)": 1}


def test_a_header_twice_that_nothing_needs_is_no_fault(read):
    assert read("Pat;Datum;Größe;x;x\n1;01.02.2015;5;a;b\n").faults == []


@pytest.mark.parametrize(
    "word", ["Summe", "gesamt", "Total:", " MITTELWERT ", "Summe: 12", "Gesamt (n = 12)", "n = 12", "N=1"]
)
def test_a_row_of_totals_is_nobody(read, word):
    found = read(f"Pat;Datum;Größe\n1;01.02.2015;5\n{word};;5\n")
    assert found.typed["typed.diagnosis"]["person_ref"].to_list() == ["number:1"]
    assert found.faults == [("line 3", "file.totals-row")]
    account = found.account
    assert sum(account.counts.values()) + sum(account.unknown.values()) == account.delivered == 5


@pytest.mark.parametrize(
    ("cell", "declared", "expected"),
    [
        # strptime would take 50 for the year 50.
        ("03.04.50", "%d.%m.%Y", "value.date-unreadable"),
        ("03.04.45", "%d.%m.%y", dt.date(1945, 4, 3)),
        ("03.04.69", "%d.%m.%y", dt.date(1969, 4, 3)),
        ("03.04.15", "%d.%m.%y", "date.century-unclear"),
        # The day of receipt is 2021-12-01: a day later is the future.
        ("02.12.21", "%d.%m.%y", dt.date(1921, 12, 2)),
        ("01.12.21", "%d.%m.%y", "date.century-unclear"),
        # 1900 had no 29th of February.
        ("29.02.00", "%d.%m.%y", dt.date(2000, 2, 29)),
        ("31.02.45", "%d.%m.%y", "value.date-unreadable"),
    ],
)
def test_a_birth_with_a_year_of_two_digits(read, cell, declared, expected):
    person = {"entity": "person", "columns": {"hospital_number": "Pat", "birth_date": "Geb"}}
    found = read(f"Pat;Geb\n1;{cell}\n", entities=[person], date_format=declared)
    born = found.typed["typed.person"]["birth_date"].to_list()
    if isinstance(expected, str):
        assert born == [None] and found.observed == [(expected, "birth_date", cell)]
    else:
        assert born == [expected] and found.observed == []


def test_no_event_lies_before_the_birth_in_its_row(read):
    entities = [
        {"entity": "person", "columns": {"hospital_number": "Pat", "birth_date": "Geb"}},
        {"entity": "diagnosis", "columns": {"hospital_number": "Pat", "diagnosis_date": "Datum"}},
    ]
    found = read("Pat;Geb;Datum\n1;03.04.45;10.01.15\n", entities=entities, date_format="%d.%m.%y")
    assert found.diagnoses("diagnosis_date") == [(dt.date(2015, 1, 10),)]
    assert found.observed == []


def test_several_formats_are_tried_in_order(read):
    found = read("Pat;Datum;Größe\n1;01.02.2015;5\n2;2015-02-03;5\n", date_format=["%d.%m.%Y", "%Y-%m-%d"])
    assert found.diagnoses("diagnosis_date") == [(dt.date(2015, 2, 1),), (dt.date(2015, 2, 3),)]


@pytest.mark.parametrize(
    ("cell", "scale", "days"),
    [("13", 30.4375, 396), ("61,5", 30.4375, 1872), ("2", 365.25, 731), ("5", 365.25, 1826), ("52", 7, 364),
     ("0", 30.4375, 0), ("12", 1, 12), ("12,5", 1, None)],
)  # fmt: skip
def test_time_in_another_unit_is_rounded_to_the_nearest_day(read, cell, scale, days):
    time = {"column": "Zeit", "scale": scale}
    status = {"hospital_number": "Pat", "status": {"constant": "alive"}, "status_day": time}
    found = read(f"Pat;Zeit\n1;{cell}\n", entities=[{"entity": "vital_status", "columns": status}])
    assert found.typed["typed.vital_status"]["status_day"].to_list() == [days]
    assert bool(found.observed) == (days is None)


def test_a_condition_compares_like_codes_and_what_none_fulfils_is_told(read):
    entities = [
        {
            "entity": "vital_status",
            "when": [{"column": "Status", "equals": [word]}],
            "columns": {"hospital_number": "Pat", "status": {"constant": status}, "status_date": "Datum"},
        }
        for word, status in (("tot", "deceased"), ("lebt", "alive"))
    ]
    found = read(
        "Pat;Status;Datum\n1; TOT ;01.02.2015\n2;verschollen;01.02.2015\n3;;01.02.2015\n", entities=entities
    )
    assert found.observed == [
        ("value.condition-unmatched", "values", "verschollen"),
        ("value.condition-empty", "values", "01.02.2015"),
    ]


STATUS = {"hospital_number": "Pat", "status": {"constant": "deceased"}, "status_date": "Datum"}
OPERATED = {"entity": "surgery", "columns": {"hospital_number": "Pat", "surgery_date": "Datum"}}


@pytest.mark.parametrize(
    ("row", "when", "others", "told"),
    [
        ("1;;01.02.2015", {"equals": ["tot"]}, [], ["value.condition-empty"]),
        ("1;  ;01.02.2015", {"equals": ["tot"]}, [], ["value.condition-empty"]),
        ("1;;", {"equals": ["tot"]}, [], []),
        ("1;tot;01.02.2015", {"equals": ["tot"]}, [], []),
        # Another record has the date, whatever the status.
        ("1;;01.02.2015", {"equals": ["tot"]}, [OPERATED], []),
        # An empty cell is what the condition asks for, or what it leaves out.
        ("1;;01.02.2015", {"filled": False}, [], []),
        ("1;;01.02.2015", {"filled": True}, [], []),
    ],
)
def test_a_date_without_the_word_that_says_what_happened_is_told(read, row, when, others, told):
    dead = {"entity": "vital_status", "when": [{"column": "Status", **when}], "columns": STATUS}
    found = read(f"Pat;Status;Datum\n{row}\n2;tot;01.02.2015\n", entities=[dead, *others])
    assert [rule for rule, _, _ in found.observed if rule.startswith("value.condition")] == told


@pytest.mark.parametrize(
    ("filled", "empty_is_alive", "told"),
    [
        (False, False, ["value.condition-empty"]),
        # Whether the day is filled says nothing of what happened on it.
        (True, False, ["value.condition-empty"]),
        # An empty status is the condition of another record.
        (False, True, []),
        (True, True, []),
    ],
)
def test_a_date_without_its_word_is_told_unless_the_empty_cell_means_something(
    read, filled, empty_is_alive, told
):
    conditions = [{"column": "Status", "equals": ["tot"]}, *[{"column": "Datum", "filled": True}] * filled]
    dead = {"entity": "vital_status", "when": conditions, "columns": STATUS}
    alive = {
        "entity": "vital_status",
        "when": [{"column": "Status", "filled": False}],
        "columns": STATUS | {"status": {"constant": "alive"}},
    }
    found = read("Pat;Status;Datum\n1;;01.02.2015\n", entities=[dead, *[alive] * empty_is_alive])
    assert [rule for rule, _, _ in found.observed if rule.startswith("value.condition")] == told


@pytest.mark.parametrize(
    ("unit", "mapping", "told"),
    [
        ("mm", "Größe", ["file.unit-differs"]),
        ("(mm)", "Größe", ["file.unit-differs"]),
        ("cm", "Größe", []),
        ("", "Größe", []),
        ("mm", {"column": "Größe", "scale": 0.1}, []),
        # Declared to be in the contract's unit all the same.
        ("mm", {"column": "Größe", "scale": 1.0}, []),
    ],
)
def test_a_row_of_units_that_contradicts_the_mapping_is_told(read, unit, mapping, told):
    entities = [{"entity": "diagnosis", "columns": {**DIAGNOSIS, "tumour_size_cm": mapping}}]
    found = read(f"Pat;Datum;Größe\n;TT.MM.JJJJ;{unit}\n1;01.02.2015;5\n", units_row=True, entities=entities)
    assert [rule for _, rule in found.faults] == told
    assert found.typed["typed.diagnosis"].height == 1


def test_a_new_unit_of_a_mapping_has_its_file_read_again():
    scaled = {**DIAGNOSIS, "tumour_size_cm": {"column": "Größe", "scale": 0.1}}
    plain = source_of(units_row=True)
    other = source_of(units_row=True, entities=[{"entity": "diagnosis", "columns": scaled}])
    assert plain.reading() != other.reading()
    # Without a row of units nothing that is read depends on it.
    assert source_of().reading() == source_of(entities=other.model_dump()["entities"]).reading()


def test_a_word_for_totals_is_declared(read):
    lines = "Pat;Datum;Größe\n1;01.02.2015;5\nAlle Fälle;;5\n"
    assert read(lines).typed["typed.diagnosis"].height == 2
    found = read(lines, totals=["alle fälle"])
    assert found.typed["typed.diagnosis"].height == 1
    assert found.faults == [("line 3", "file.totals-row")]


def test_a_total_whose_key_is_empty(read):
    found = read("Pat;Datum;Größe\n1;01.02.2015;5\n;Summe;5\n;01.02.2015;6\n")
    assert found.faults == [("line 3", "file.totals-row")]
    assert found.typed["typed.diagnosis"].height == 2


@pytest.mark.parametrize("number", ["Total-Op 5", "Gesamt7", "n", "12"])
def test_a_number_that_only_resembles_a_total_is_somebody(read, number):
    found = read(f"Pat;Datum;Größe\n{number};01.02.2015;5\n")
    assert found.faults == [] and found.typed["typed.diagnosis"].height == 1


def test_a_row_of_nothing_but_its_key_is_told_and_read(read):
    found = read("Pat;Datum;Größe\n1;01.02.2015;5\nStand: Januar;;\n")
    assert found.faults == [("line 3", "file.row-only-key")]
    assert found.typed["typed.diagnosis"].height == 2


@pytest.mark.parametrize(
    ("number", "damaged"),
    [("#REF!", True), ("#BEZUG!", True), ("#N/A", True), ("1,23457E+11", True), ("1.2E+05", True),
     ("1E+11", True),
     ("12E5", False), ("E11", False), ("1.0", False), ("#12", False)],
)  # fmt: skip
def test_a_number_that_a_spreadsheet_damaged_is_nobodys(read, number, damaged):
    found = read(f"Pat;Datum;Größe\n{number};01.02.2015;5\n2;01.02.2015;5\n")
    refs = found.typed["typed.diagnosis"]["person_ref"].to_list()
    assert refs[1] == "number:2" and (refs[0] == f"number:{number}") != damaged
    told = [value for rule, _, value in found.observed if rule == "identity.number-damaged"]
    assert told == ([number] if damaged else [])


def test_a_line_that_names_the_delimiter_is_no_header(read):
    found = read("sep=;\r\nPat;Datum;Größe\r\n1;01.02.2015;5\r\n")
    assert found.faults == [] and found.diagnoses() == [(dt.date(2015, 2, 1), 5.0)]


@pytest.mark.parametrize("exported", ["Stand", dt.date(2020, 3, 1)])
def test_a_date_after_the_export_that_carries_it_is_told(read, exported):
    lines = "Pat;Datum;Größe;Stand\n1;01.03.2020;5;01.03.2020\n2;02.03.2020;5;01.03.2020\n"
    frame = read(lines, exported_on=exported).typed["typed.diagnosis"]
    assert frame["reported_on"].to_list() == [dt.date(2020, 3, 1)] * 2
    # The rule of the contract, on rows of which the second is dated a day too late.
    (rule,) = [
        r for r in typed.Diagnosis.rules() if r.id == "date.after-export" and r.column == "diagnosis_date"
    ]
    assert frame.select(rule.holds).to_series().to_list() == [True, False]
    assert read(lines).typed["typed.diagnosis"]["reported_on"].to_list() == [None, None]


def test_an_unreadable_day_of_export_is_told(read):
    found = read("Pat;Datum;Größe;Stand\n1;01.03.2020;5;gestern\n", exported_on="Stand")
    assert found.observed == [("value.date-unreadable", "reported_on", "gestern")]


def _vital(status: dict, header: str, *words: str) -> dict:
    columns = {"hospital_number": "Pat", "status": status, "status_date": header}
    when = [{"column": "Status", "equals": list(words)}] if words else [{"column": header, "filled": True}]
    return {"entity": "vital_status", "when": when, "columns": columns}


_DEAD = {"column": "Status", "codes": {"tot": "deceased"}}
_LIVES = {"column": "Status", "codes": {"lebt": "alive"}}


@pytest.mark.parametrize(
    ("status", "died", "entities", "told"),
    [
        ("lebt", "01.02.2015", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Kontakt", "lebt")], True),
        # A word that no condition knows is told too, as before.
        ("?", "01.02.2015", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Kontakt", "lebt")], True),
        ("", "01.02.2015", [_vital({"constant": "deceased"}, "Tod", "tot")], True),
        ("tot", "01.02.2015", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Kontakt", "lebt")], False),
        ("lebt", "", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Kontakt", "lebt")], False),
        ("lebt", "-", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Kontakt", "lebt")], False),
        # Filled is what makes the death, whatever the status says.
        ("lebt", "01.02.2015", [_vital({"constant": "deceased"}, "Tod"), _vital(_LIVES, "Kontakt")], False),
        # One column for the day of either.
        ("lebt", "01.02.2015", [_vital(_DEAD, "Tod", "tot"), _vital(_LIVES, "Tod", "lebt")], False),
    ],
)  # fmt: skip
def test_a_date_of_death_beside_a_living_status_is_told(read, status, died, entities, told):
    found = read(f"Pat;Status;Tod;Kontakt\n1;{status};{died};01.03.2016\n", entities=entities)
    rules = [rule for rule, _, value in found.observed if value == died]
    assert ("vital-status.death-not-read" in rules) == told


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("", "identity.number-missing"), ("NA", "identity.number-missing"),
        ("unbekannt", "identity.number-damaged"), ("Keine Angabe", "identity.number-damaged"),
        ("-", "identity.number-damaged"), ("??", "identity.number-damaged"),
        ("n.a.", "identity.number-damaged"),
        ("0", None), ("N1", None), ("x1", None), ("Neumann", None), ("1-2", None),
    ],
)  # fmt: skip
def test_a_word_in_place_of_a_number_is_nobodys_and_no_number_is_told(read, number, rule):
    found = read(f"Pat;Datum;Größe\n1;01.02.2015;5\n{number};01.02.2015;5\n")
    ref = found.typed["typed.diagnosis"]["person_ref"].to_list()[1]
    assert [told for told, _, _ in found.observed] == ([rule] if rule else [])
    assert (ref == f"number:{number}") == (rule is None)


def test_a_table_without_numbers_lacks_none(read):
    person = {"entity": "person", "columns": {"family_name": "Name"}}
    found = read("Pat;Name\n;Testfallova\n1;Testfaller\n", entities=[person])
    assert found.observed == []
