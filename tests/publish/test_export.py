"""Exported files, read back with the readers of their programs."""

import csv
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pyreadstat
import pytest

from sarcoma_pipeline.publish import export
from schemas.all_contracts import CONTRACTS
from schemas.cohort_wide import WIDE
from schemas.release import RELEASED
from schemas.vocabularies import FNCLCC_GRADE, SEX

PATIENTS = "cohort.patients"


@pytest.fixture
def tables() -> dict[str, pl.DataFrame]:
    rows = [
        {"pseudonym": "=1+1", "sex": "male", "fnclcc_grade": "G2", "resected": True, "fractions": 25,
         "tumour_size_cm": -0.5, "icd10_site": "\tC49.2", "icdo3_morphology": "a=b, ü",
         "record_ids": ["r1", "@r2"]},
        {"pseudonym": "b", "sex": "female", "resected": False, "relapse_pattern": "none", "record_ids": []},
        {"pseudonym": "-c", "record_ids": ["+r"], "relapse_pattern": "none"},
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return {t: CONTRACTS[t].empty() for t in RELEASED} | {PATIENTS: CONTRACTS[PATIENTS].conform(frame)}


def _file(made: list[Path], name: str) -> Path:
    return next(p for p in made if p.stem == name)


def _cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("form", sorted(export.FORMS))
def test_every_table_has_its_file_with_dictionary_and_code_lists(tables, form, tmp_path):
    made = export.write(tables, form, tmp_path / "out")
    assert {p.stem for p in made} == {*tables, WIDE, "dictionary", "vocabularies"}
    assert set((tmp_path / "out").iterdir()) == set(made)


def test_no_cell_of_a_csv_file_begins_inside_a_text(tables, tmp_path):
    """Check texts with semicolons, at which German spreadsheets split cells."""
    hostile = ["a;=1+1", "＝1+1", "x; -2\n@y"]
    frame = tables[PATIENTS].with_columns(icdo3_morphology=pl.Series(hostile))
    path = _file(export.write({PATIENTS: frame}, "csv", tmp_path), PATIENTS)
    for separator in ",;\t":
        with path.open(encoding="utf-8", newline="") as stream:
            cells = [cell.strip() for row in csv.reader(stream, delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "＝"))]
    told = [row["icdo3_morphology"] for row in _cells(path)]
    assert told == ["a;'=1+1", "'＝1+1", "x; '-2\n'@y"]


def test_a_parquet_file_is_the_table_and_describes_its_columns(tables, tmp_path):
    path = _file(export.write(tables, "parquet", tmp_path, (PATIENTS,)), PATIENTS)
    assert pl.read_parquet(path).equals(tables[PATIENTS])
    schema = pq.read_schema(path)
    assert (schema.metadata or {})[b"description"].decode() == CONTRACTS[PATIENTS].describe()
    told = {f.name: f.metadata for f in schema}
    specs = {c.name: c for c in CONTRACTS[PATIENTS].columns()}
    assert all(told[name][b"description"].decode() == specs[name].description for name in told)
    assert told["tumour_size_cm"][b"unit"] == b"cm"
    assert told["fnclcc_grade"][b"vocabulary"] == b"fnclcc_grade"


def test_no_cell_of_a_csv_file_is_a_formula_and_numbers_stay_numbers(tables, tmp_path):
    made = export.write(tables, "csv", tmp_path)
    kinds = CONTRACTS[PATIENTS].polars_schema()
    rows = _cells(_file(made, PATIENTS))
    texts = [v for row in rows for name, v in row.items() if kinds[name] in (pl.String, pl.List(pl.String))]
    assert not [v for v in texts if v.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [row["pseudonym"] for row in rows] == ["'=1+1", "b", "'-c"]
    assert (rows[0]["icd10_site"], rows[0]["icdo3_morphology"]) == ("'\tC49.2", "a=b, ü")
    assert float(rows[0]["tumour_size_cm"]) == tables[PATIENTS]["tumour_size_cm"][0]
    assert [row["record_ids"] for row in rows] == ["r1; '@r2", "", "'+r"]


@pytest.mark.parametrize("first", list("=+-@\t\r"))
def test_each_first_character_of_a_formula_is_neutralised(first):
    frame = pl.DataFrame({"text": [f"{first}cmd", "plain", None], "number": [-1.0, 0.0, 1.0]})
    out = export.neutralised(frame)
    assert out["text"].to_list() == [f"'{first}cmd", "plain", None]
    assert out["number"].equals(frame["number"])


def test_the_dictionary_beside_a_csv_file_names_every_column(tables, tmp_path):
    made = export.write(tables, "csv", tmp_path)
    named = {(row["table_name"], row["column_name"]) for row in _cells(_file(made, "dictionary"))}
    assert {(t, c) for t, frame in tables.items() for c in frame.columns} <= named


@pytest.mark.parametrize(("form", "reader"), [("stata", pyreadstat.read_dta), ("spss", pyreadstat.read_sav)])
def test_a_file_for_statistics_has_labels_of_variables_and_values(tables, tmp_path, form, reader):
    path = _file(export.write(tables, form, tmp_path, (PATIENTS,)), PATIENTS)
    frame, meta = reader(str(path), output_format="polars")
    assert meta.column_names == tables[PATIENTS].columns
    titles = {c.name: c.title for c in CONTRACTS[PATIENTS].columns()}
    assert all(
        str(label).startswith(titles[n])
        for n, label in zip(meta.column_names, meta.column_labels, strict=True)
    )
    assert meta.variable_value_labels["sex"] == dict(enumerate(SEX, start=1))
    assert meta.variable_value_labels["fnclcc_grade"] == dict(enumerate(FNCLCC_GRADE, start=1))
    assert frame["sex"].to_list() == [SEX.index("male") + 1, SEX.index("female") + 1, None]
    assert frame["resected"].to_list() == [1, 0, None]
    assert frame["fractions"].to_list() == [25, None, None]
    assert frame["tumour_size_cm"].to_list() == [-0.5, None, None]
    assert frame["record_ids"].to_list()[0] == "r1; @r2"


def test_a_folder_with_files_is_refused(tables, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(export.NotEmpty):
        export.write(tables, "csv", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_table_is_named_and_nothing_is_written(tables, tmp_path):
    with pytest.raises(KeyError, match=r"cohort\.nobody"):
        export.write(tables, "csv", tmp_path / "out", ("cohort.nobody",))
    assert not (tmp_path / "out").exists()


def _sheets(path: Path) -> dict[str, list[list[tuple[str, str]]]]:
    """Return the cells of a workbook with their types, read from the XML of the file."""
    import zipfile

    from lxml import etree

    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = {}
    with zipfile.ZipFile(path) as book:
        names = [
            s.get("name") or "" for s in etree.fromstring(book.read("xl/workbook.xml")).iter(f"{space}sheet")
        ]
        for number, name in enumerate(names, 1):
            sheet = etree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(sheet.iter(f"{space}f")), "a formula"
            found[name] = [
                [(c.get("t") or "n", "".join(map(str, c.itertext()))) for c in row.iter(f"{space}c")]
                for row in sheet.iter(f"{space}row")
            ]
    return found


def test_a_workbook_has_the_table_and_its_columns_and_no_formula(tables, tmp_path):
    path = _file(export.write(tables, "xlsx", tmp_path, (PATIENTS,)), PATIENTS)
    sheets = _sheets(path)
    assert list(sheets) == [PATIENTS, "columns"]
    head, first, *_ = sheets[PATIENTS]
    assert [text for _, text in head] == tables[PATIENTS].columns
    # Empty cells are left out; texts stay texts, even those that look like a formula.
    assert first[:2] == [("inlineStr", "=1+1"), ("inlineStr", "male")]
    assert ("b", "1") in first and ("n", "25") in first and ("n", "-0.5") in first
    described = {row[0][1]: [text for _, text in row] for row in sheets["columns"][1:]}
    assert set(described) == set(tables[PATIENTS].columns)
    assert described["tumour_size_cm"][3] == "cm"
    assert described["fnclcc_grade"][-1] == "; ".join(FNCLCC_GRADE)


def test_polars_reads_the_workbook_back(tables, tmp_path):
    path = _file(export.write(tables, "xlsx", tmp_path, (PATIENTS,)), PATIENTS)
    again = pl.read_excel(path, sheet_name=PATIENTS)
    assert again["fractions"].to_list() == tables[PATIENTS]["fractions"].to_list()
    assert again["pseudonym"].to_list() == ["=1+1", "b", "-c"]


def test_a_table_that_no_sheet_holds_is_refused(monkeypatch, tables, tmp_path):
    monkeypatch.setattr(export, "_SHEET_ROWS", 3)
    with pytest.raises(ValueError, match=r"cohort\.patients does not fit"):
        export.write(tables, "xlsx", tmp_path, (PATIENTS,))
