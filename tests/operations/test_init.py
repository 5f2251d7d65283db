"""``sarcoma init``: a proposal that the check accepts, or that asks; never a guess, never an identity."""

import datetime as dt
import json
import tomllib

import polars as pl
import pytest

from sarcoma_pipeline.operations import setup_looking as looking
from sarcoma_pipeline.operations import setup_words as words
from tests.operations.conftest import Place
from tests.sources.workbook import workbook

FULL = (
    "Pat.-Nr.;Nachname;Vorname;Geburtsdatum;Geschlecht;Datum Erstdiagnose;ICD-10;"
    """Histologie-Code;Tumorgröße (mm);Vitalstatus;Sterbedatum;Letzter Kontakt;Bemerkung
0101;Testfallova;Anna;03.04.1950;w;01.02.2015;C49.2;8802/3;55,5;lebt;;01.02.2020;a
0102;Testfaller;Bert;05.06.1961;m;01.03.2015;C49.1;8850/3;120;tot;01.06.2016;30.05.2016;b
0103;Testfallis;Curt;07.08.1942;m;01.04.2015;C49.2;8811/3;42;lebt;;01.04.2019;c
0104;Testfallum;Dora;09.10.1970;w;01.05.2015;C49.3;9040/3;k. A.;tot;01.05.2018;30.04.2018;d
"""
)


def _init(place: Place, content: str | bytes, name: str = "delivery.csv", study: str = "fresh"):
    path = place.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    result = place.run("init", study, str(path), "--copy")
    folder = place.root / "data/studies" / study
    sources = tomllib.loads((folder / "sources.toml").read_text()) if folder.exists() else {}
    return result, sources, folder


def test_a_german_table_is_mapped_and_the_check_accepts_it(place):
    result, sources, _ = _init(place, FULL)
    assert result.exit_code == 0, result.output
    (source,) = sources["source"]
    assert (source["delimiter"], source["decimal"], source["date_format"]) == (";", ",", "%d.%m.%Y")
    assert source["missing"] == ["", "k. A."] and source["key"] == ["Pat.-Nr."]
    person, diagnosis, *vital = source["entities"]
    assert person["columns"]["sex"] == {"column": "Geschlecht", "codes": {"m": "male", "w": "female"}}
    assert diagnosis["columns"] == {
        "hospital_number": "Pat.-Nr.",
        "diagnosis_date": "Datum Erstdiagnose",
        "icd10_code": "ICD-10",
        "icdo3_morphology": "Histologie-Code",
        "tumour_size_cm": {"column": "Tumorgröße (mm)", "scale": 0.1},
    }
    assert [(v["when"][0]["equals"], v["columns"]["status_date"]) for v in vital] == [
        (["tot"], "Sterbedatum"),
        (["lebt"], "Letzter Kontakt"),
    ]
    assert source["ignored"][0]["columns"] == ["Bemerkung"]
    checked = place.run("check", "--study", "fresh")
    assert checked.exit_code == 0, checked.output
    assert "OS: 2 events in 4 patients" in checked.output


def test_nothing_that_identifies_is_written_or_printed(place):
    result, _, folder = _init(place, FULL)
    written = result.output + "".join(p.read_text() for p in folder.iterdir())
    for identity in ("Testfall", "Anna", "1950", "0101", "01.06.2016"):
        assert identity not in written


def test_codes_that_no_word_explains_are_asked_for(place):
    table = "id,time,status,sex\n" + "".join(f"{n},{100 + n},{n % 2 + 1},{n % 2 + 1}\n" for n in range(12))
    result, sources, _ = _init(place, table)
    _, _, vital = sources["source"][0]["entities"]
    assert vital["columns"]["status"]["codes"] == {"1": "?", "2": "?"}
    assert vital["columns"]["status_day"] == {"column": "time", "scale": "?"}
    assert 'What do the codes "1" (6 rows), "2" (6 rows) of "status" mean?' in result.output
    assert 'In which unit is "time"?' in result.output
    checked = place.run("check", "--study", "fresh")
    assert checked.exit_code == 2 and "sources.toml:" in checked.output


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("dead", {"0": "alive", "1": "deceased"}),
        ("Verstorben", {"0": "alive", "1": "deceased"}),
        ("alive", {"0": "deceased", "1": "alive"}),
        ("status", {"0": "?", "1": "?"}),
        ("censored", {"0": "?", "1": "?"}),
    ],
)
def test_a_header_may_say_what_1_means(place, header, codes):
    table = f"id,days,{header}\n" + "".join(f"{n},{100 + n},{n % 2}\n" for n in range(12))
    _, sources, _ = _init(place, table)
    vital = sources["source"][0]["entities"][-1]
    assert vital["columns"]["status"]["codes"] == codes
    assert vital["columns"]["status_day"] == "days"


def test_dates_in_either_order_are_asked_for(place):
    rows = "".join(f"{n},0{n}/02/2015,alive,0{n}/03/2019\n" for n in range(1, 9))
    result, sources, _ = _init(place, f"id,diagnosis date,status,last contact\n{rows}")
    assert sources["source"][0]["date_format"] == "?"
    assert "Which comes first in the dates, day or month?" in result.output
    assert place.run("check", "--study", "fresh").exit_code == 2
    rows += "9,13/02/2015,alive,13/03/2019\n"
    _, sources, _ = _init(place, f"id,diagnosis date,status,last contact\n{rows}", study="other")
    assert sources["source"][0]["date_format"] == "%d/%m/%Y"


def test_the_layout_of_a_spreadsheet_is_found(place):
    path = place.root / "Tabelle.xlsx"
    day = dt.date(2015, 2, 1)
    rows: list[tuple] = [
        ("Sarkomregister",), (), ("# exported by hand",),
        ("Pat.-Nr.", "ED", "Größe", "Status", "Stand"),
        ("", "TT.MM.JJJJ", "mm", "", "TT.MM.JJJJ"),
        *((n, day, 50 + n, "lebt", dt.date(2020, 1, n)) for n in range(1, 9)),
        ("Summe", "", 436, "", ""),
    ]  # fmt: skip
    path.write_bytes(workbook(rows))
    assert place.run("init", "fresh", str(path), "--copy").exit_code == 0
    source = tomllib.loads((place.root / "data/studies/fresh/sources.toml").read_text())["source"][0]
    assert (source["header_row"], source["units_row"], source["comment"]) == (4, True, "#")
    diagnosis = next(e for e in source["entities"] if e["entity"] == "diagnosis")
    assert diagnosis["columns"]["tumour_size_cm"] == {"column": "Größe", "scale": 0.1}
    found = looking.table(path)
    assert (found.rows, found.totals) == (8, ["Summe"]) and source["totals"] == ["Summe"]
    checked = place.run("check", "--study", "fresh", "--json")
    assert "Tabelle: 8 of 8 rows belong to a patient" in checked.output


def test_a_reply_of_a_registry_office_is_no_table_of_patients(place):
    reply = (
        "Aktenzeichen;Familienname;Vornamen;Geburtsdatum;Geschlecht;Auskunft;Datum;Stand\n"
        "A1;Testfallova;Anna;03.04.1950;w;wohnhaft;;01.02.2020\n"
        "A2;Testfaller;Bert;05.06.1961;m;verstorben am 02.05.2019;02.05.2019;01.02.2020\n"
        "A3;Testfallis;Curt;07.08.1942;m;ausgetragen;;01.02.2020\n"
        "A4;Testfallum;Dora;07.08.1943;w;ausgetragen;;01.02.2020\n"
    )
    result, sources, folder = _init(place, reply)
    (source,) = sources["source"]
    assert source["kind"] == "registry" and source["answers"] == {"ausgetragen": "?"}
    assert source["columns"] == {
        "reference": "Aktenzeichen", "family_name": "Familienname", "given_names": "Vornamen",
        "birth_date": "Geburtsdatum", "sex": "Geschlecht", "answer": "Auskunft", "event_date": "Datum",
        "answered_on": "Stand",
    }  # fmt: skip
    assert "Testfall" not in result.output + (folder / "sources.toml").read_text()


def test_a_table_that_only_follows_up_makes_no_patient(place):
    (place.root / "lung.csv").write_text("id,days,status\n0101,400,dead\n0103,500,alive\n0999,600,dead\n")
    (place.root / "p.csv").write_text(FULL.replace(";Vitalstatus;Sterbedatum", ";x;y"))
    assert place.run("init", "fresh", str(place.root / "p.csv"), str(place.root / "lung.csv")).exit_code == 0
    sources = tomllib.loads((place.root / "data/studies/fresh/sources.toml").read_text())["source"]
    assert [e["entity"] for e in sources[1]["entities"]] == ["vital_status"]


def test_a_study_is_never_overwritten(place):
    before = (place.folder / "sources.toml").read_text()
    result, _, _ = _init(place, FULL, study="small")
    assert result.exit_code == 2 and "exists already" in result.output
    assert (place.folder / "sources.toml").read_text() == before
    assert _init(place, FULL, study="Meine Studie")[0].exit_code == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"\xd0\xcf\x11\xe0old", ".xls"), (b"%PDF-1.7", "neither"), (b"<a><b/></a>", "no oBDS"),
     (b"just a line of text\n", "no table")],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_nothing_is_written(place, content, says):
    result, _, folder = _init(place, content, name="x.bin")
    assert result.exit_code == 2 and says in result.output and not folder.exists()


def test_obds_and_dicom_need_no_mapping(place):
    (place.root / "a.xml").write_text('<oBDS xmlns="http://www.basisdatensatz.de/oBDS/XML"/>')
    export = place.root / "plans"
    export.mkdir()
    (export / "1.dcm").write_bytes(b"\0" * 128 + b"DICM")
    assert place.run("init", "fresh", str(place.root / "a.xml"), str(export), "--copy").exit_code == 0
    sources = tomllib.loads((place.root / "data/studies/fresh/sources.toml").read_text())["source"]
    assert [(s["kind"], s["files"]) for s in sources] == [("obds", ["a.xml"]), ("dicom", ["plans/**/*"])]
    assert (place.root / "data/drop/fresh/plans/1.dcm").exists()


def test_parquet_and_utf_16_are_looked_into(tmp_path):
    frame = pl.DataFrame({"patient_id": ["1", "2"], "days": [5, 6], "status": ["dead", "alive"]})
    frame.write_parquet(tmp_path / "a")
    assert looking.table(tmp_path / "a").headers == ["patient_id", "days", "status"]
    (tmp_path / "b").write_bytes("id;ED\n1;01.02.2015\n2;01.03.2015\n".encode("utf-16"))
    assert looking.table(tmp_path / "b").cells["ED"] == ["01.02.2015", "01.03.2015"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("PatientenNr", words.NUMBER), ("patient_id", words.NUMBER), ("Geb.-Datum", "person.birth_date"),
        ("Diagnosedatum", "diagnosis.diagnosis_date"), ("Date of diagnosis", "diagnosis.diagnosis_date"),
        ("Alter bei Diagnose", "diagnosis.age_at_diagnosis_years"), ("Todesdatum", words.DEATH),
        ("date of death", words.DEATH), ("Letzter Kontakt", words.CONTACT), ("last follow-up", words.CONTACT),
        ("futime", words.TIME), ("Überlebenszeit (Monate)", words.TIME), ("OS_months", words.TIME),
        ("Vitalstatus", words.STATUS), ("Lokalrezidiv am", "relapse.local_status"), ("Freitext", None),
        ("Hausarzt Name", None), ("Name", "person.family_name"), ("Vorname", "person.given_names"),
    ],
)  # fmt: skip
def test_headers_in_german_and_english(header, expected):
    assert words.target(header) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01.02.2015", "31.12.2016"], ["%d.%m.%Y"]), (["2015-02-01"], ["%Y-%m-%d"]),
        (["01.02.15"], ["%d.%m.%y"]),
        (["12/31/2016", "01/02/2015"], ["%m/%d/%Y"]), (["31/12/2016"], ["%d/%m/%Y"]),
        (["20150201"], ["%Y%m%d"]),
        (["01.02.2015", "02.02.2015", "2016-01-01"], ["%d.%m.%Y", "%Y-%m-%d"]),
        (["12", "13"], []), (["a"], []),
    ],
)  # fmt: skip
def test_formats_of_dates(values, expected):
    assert looking.formats(values) == expected


R_FRAME = """"","trt","time","status","age"
"1",1,72,1,69
"2",1,411,1,64
"3",1,228,0,38
"4",2,126,0,63
"""


def test_row_names_as_r_writes_them_are_proposed_as_the_number(place):
    result, sources, folder = _init(place, R_FRAME)
    assert result.exit_code == 0, result.output
    assert "has no header and another value in every row" in result.output
    (source,) = sources["source"]
    name = "(column 1 without a header)"
    assert source["key"] == [name]
    assert {e["columns"]["hospital_number"] for e in source["entities"]} == {name}
    answered = (folder / "sources.toml").read_text()
    answered = answered.replace('0 = "?", 1 = "?"', '0 = "alive", 1 = "deceased"').replace('"?"', "1")
    (folder / "sources.toml").write_text(answered)
    checked = place.run("check", "--study", "fresh")
    assert checked.exit_code == 0, checked.output
    assert "OS: 2 events in 4 patients" in checked.output


def test_a_column_without_a_header_that_repeats_a_value_is_not_proposed(place):
    result, sources, _ = _init(place, R_FRAME.replace('"3",1', '"2",1'))
    assert "1 columns have values and no header" in result.output
    assert sources["source"][0]["key"] == ["?"]


def test_row_names_beside_a_number_are_left_out_by_name(place):
    content = (
        R_FRAME.replace('"trt"', '"pat_id"')
        .replace('"2",1', '"2",2')
        .replace('"3",1', '"3",3')
        .replace('"4",2', '"4",4')
    )
    _, sources, _ = _init(place, content)
    (source,) = sources["source"]
    assert source["key"] == ["pat_id"]
    assert source["ignored"][0]["columns"] == ["(column 1 without a header)"]


def test_what_begins_with_a_dot_is_named_and_not_read(place):
    folder = place.root / "delivery"
    (folder / ".svn").mkdir(parents=True)
    (folder / ".svn/x.csv").write_text("a;b\n1;2\n")
    (folder / ".partial.csv").write_text(FULL)
    (folder / "t.csv").write_text(FULL)
    result = place.run("init", "fresh", str(folder), "--copy")
    assert result.exit_code == 0
    told = [line.split()[2] for line in result.output.splitlines() if line.startswith("not read")]
    assert told == [".partial.csv:", ".svn:"]
    copied = [p.name for p in (place.root / "data/drop/fresh").rglob("*") if p.is_file()]
    assert copied == ["t.csv"]
    only = place.run("init", "other", str(folder / ".partial.csv"))
    assert only.exit_code == 2 and ".partial.csv" in only.output
    assert not (place.root / "data/studies/other").exists()


@pytest.mark.parametrize(
    ("target", "header", "unit", "factor"),
    [
        ("diagnosis.tumour_size_cm", "Größe (mm)", "", 0.1),
        ("diagnosis.tumour_size_cm", "Größe", "mm", 0.1),
        ("diagnosis.tumour_size_cm", "Größe", "Zoll", 2.54),
        ("diagnosis.tumour_size_cm", "Größe", "", 1.0),
        # A unit that is not known is asked for.
        ("diagnosis.tumour_size_cm", "Größe", "Querfinger", None),
        ("radiotherapy.prescribed_dose_gy", "Dosis [cGy]", "", 0.01),
        ("radiotherapy.prescribed_dose_gy", "Dosis", "Gy", 1.0),
        ("diagnosis.age_at_diagnosis_years", "Alter (Monate)", "", 1 / 12),
        (words.TIME, "OS (m)", "", 30.4375),
        (words.TIME, "OS", "", None),
        (words.TIME, "survival_months", "", 30.4375),
    ],
)
def test_a_unit_in_the_header_or_below_it_gives_the_factor(target, header, unit, factor):
    assert words.scale(target, header, unit) == factor


@pytest.mark.parametrize(
    ("target", "cells", "factor"),
    [
        # Without a unit: whole numbers may be millimetres, and so may a number above 30.
        ("diagnosis.tumour_size_cm", ["5,5", "12"], 1.0), ("diagnosis.tumour_size_cm", ["18", "20"], None),
        ("diagnosis.tumour_size_cm", ["55.5", "20"], None), ("diagnosis.tumour_size_cm", [], 1.0),
        ("radiotherapy.prescribed_dose_gy", ["50", "66"], 1.0),
        ("radiotherapy.prescribed_dose_gy", ["5000", "66"], None),
        ("diagnosis.age_at_diagnosis_years", ["54", "99"], 1.0),
        ("diagnosis.age_at_diagnosis_years", ["540", "640"], None),
    ],
)  # fmt: skip
def test_numbers_that_are_not_ordinary_in_a_unit_are_asked_for(target, cells, factor):
    assert words.scale(target, "x", "", cells) == factor


def test_all_open_questions_are_told_at_once_and_each_at_its_line(place):
    table = "pid,age,size,grade,rfstime,status\n" + "".join(
        f"{n},50,{n},{n % 3 + 1},{100 * n},{n % 2}\n" for n in range(1, 40)
    )
    _, _, folder = _init(place, table)
    text = (folder / "sources.toml").read_text().splitlines()
    asked = {
        number for number, line in enumerate(text, start=1) if '"?"' in line and not line.startswith("#")
    }
    told = json.loads(place.run("check", "--study", "fresh", "--json").output)["configuration"]
    assert {fault["line"] for fault in told} == asked and len(asked) == len(told) == 5
    (day,) = [fault["message"] for fault in told if fault["key"].endswith("status_date")]
    assert "status_day" in day


def test_a_column_that_tells_the_rows_of_a_patient_apart_is_named(place):
    rows = [f"{n},{etype},{100 * n},{n % 2}" for n in range(1, 20) for etype in (1, 2)]
    result, _, _ = _init(place, "\n".join(["id,etype,time,status", *rows]))
    assert "Perhaps etype." in " ".join(result.output.split())


def test_a_death_is_never_dated_by_the_last_contact(place):
    table = "id;Status;Sterbedatum;Letzter Kontakt;ED\n" + "".join(
        f"{n};{n % 2};{'01.02.2019' if n % 2 else ''};01.01.2018;01.01.2015\n" for n in range(1, 13)
    )
    result, sources, _ = _init(place, table)
    vital = [e for e in sources["source"][0]["entities"] if e["entity"] == "vital_status"]
    assert [(e["columns"]["status"], e["columns"]["status_date"], e["when"][0]["equals"]) for e in vital] == [
        ({"constant": "deceased"}, "Sterbedatum", ["?"]),
        ({"constant": "alive"}, "Letzter Kontakt", ["?"]),
    ]
    assert 'What do the codes "0" (6 rows), "1" (6 rows)' in result.output
    checked = place.run("check", "--study", "fresh")
    assert checked.exit_code == 2 and "left open" in checked.output


def test_times_count_where_no_column_is_the_date_of_diagnosis(place):
    """A public table of survival times: days, and dates of entry and of the last contact."""
    rows = "".join(f"{n},0{n}/01/2001,{n + 12}/02/2003,{500 + n},{n % 2 + 1}\n" for n in range(1, 9))
    result, sources, _ = _init(place, f"id,entry date,date of last follow-up,time,status\n{rows}")
    (source,) = sources["source"]
    vital = source["entities"][-1]["columns"]
    assert vital["status_day"] == {"column": "time", "scale": "?"} and "status_date" not in vital
    assert source["ignored"][0]["columns"] == ["entry date", "date of last follow-up"]
    assert "Are times counted from the diagnosis?" in result.output
    assert "Perhaps entry date" in result.output


def test_columns_that_may_hold_the_day_are_named(place):
    rows = "".join(f"{n},01.02.2015,{n % 2},{n * 100},{n * 200},x{n % 3}\n" for n in range(1, 9))
    result, sources, _ = _init(place, f"pid,diagnosis date,death,rtime,xtime,arm\n{rows}")
    assert sources["source"][0]["entities"][-1]["columns"]["status_date"] == "?"
    assert "(status_date or status_day) Perhaps rtime, xtime." in result.output
    checked = place.run("check", "--study", "fresh")
    assert checked.exit_code == 2 and "left open" in checked.output


def test_dates_that_a_spreadsheet_formats_as_numbers_are_dates(place):
    header = ("Pat-Nr", "Geburtsdatum", "Diagnosedatum", "Vitalstatus", "Letzter Kontakt", "Zeit")
    # 42005 is 1 January 2015, 18264 is 1 January 1950; the last contact is a date cell in one row.
    rows: list[tuple[object, ...]]
    rows = [(n, 18264 + n, 42005 + n, "lebt", 43831 + n, 1826) for n in range(1, 6)]
    rows[2] = (*rows[2][:4], dt.date(2020, 1, 4), 1826)
    result, sources, _ = _init(place, workbook([header, *rows]), "t.xlsx")
    person, diagnosis, vital = sources["source"][0]["entities"]
    assert person["columns"]["birth_date"] == "Geburtsdatum"
    assert diagnosis["columns"]["diagnosis_date"] == "Diagnosedatum"
    assert vital["columns"]["status_date"] == "Letzter Kontakt"
    assert '4 cells of "Letzter Kontakt" hold a number' in result.output and "43832" not in result.output
    told = place.run("check", "--study", "fresh", "--json").output
    assert "median 1826 days" in told and "date.from-number" in told


def test_survival_times_under_the_header_of_a_date_are_no_dates(place):
    header = ("Pat-Nr", "Diagnosedatum", "Vitalstatus", "Letzter Kontakt")
    rows = [(n, dt.date(2015, 1, n), "lebt", 1826 + n) for n in range(1, 6)]
    _, sources, _ = _init(place, workbook([header, *rows]), "t.xlsx")
    _, _, vital = sources["source"][0]["entities"]
    assert vital["columns"]["status_date"] == "?"
