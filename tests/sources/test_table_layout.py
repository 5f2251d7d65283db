"""Where the header stands and which rows are no records; replies of registry offices in any format."""

import datetime as dt
import io
import json
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.curation import registry_reply as replies
from sarcoma_pipeline.sources import registry_reply, table_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from schemas.configuration import RegistrySource, TableSource
from tests.sources.workbook import workbook

pytestmark = pytest.mark.usefixtures("one_process")

ROWS: list[tuple] = [
    ("Sarkomregister, Stand 2021",),
    (),
    ("# exported by hand",),
    ("Pat", "Größe"),
    ("", "cm"),
    ("1", "5"),
    ("# not yet complete", ""),
    ("2", "6"),
    ("Pat", "Größe"),
]
LAYOUT = {"header_row": 4, "units_row": True, "comment": "#", "skipped_rows": [9]}


def _csv(rows: list[tuple]) -> bytes:
    return "".join(";".join((*row, "", "")[:2]) + "\n" for row in rows).encode()


def _source(form: str, **more) -> TableSource:
    return TableSource.model_validate(
        {
            "name": "t", "kind": "table", "format": form, "delimiter": ";" if form == "csv" else None,
            "files": ["*"], "key": ["Pat"],
            "entities": [
                {"entity": "diagnosis", "columns": {"hospital_number": "Pat", "tumour_size_cm": "Größe"}}
            ],
            **more,
        }
    )  # fmt: skip


def _read(folder: Path, content: bytes, source: TableSource) -> Batch:
    path = folder / "file"
    path.write_bytes(content)
    return table_file.read(SourceFile("F", path, "file"), source, "R1")


def _records(batch: Batch) -> list[tuple]:
    frame = batch.frames().get("received.table_row")
    rows = [] if frame is None else frame.select("position", "values").iter_rows()
    return [(position, json.loads(values)) for position, values in rows]


def _faults(batch: Batch) -> list[tuple]:
    frame = batch.frames().get("received.unread")
    return [] if frame is None else frame.select("position", "rule_id").rows()


@pytest.mark.parametrize(("form", "word"), [("csv", "line"), ("xlsx", "row")])
def test_declared_rows_are_no_records_and_each_value_is_accounted_for(tmp_path, form, word):
    batch = _read(tmp_path, _csv(ROWS) if form == "csv" else workbook(ROWS), _source(form, **LAYOUT))
    assert _records(batch) == [
        (f"{word} 6", {"Pat": "1", "Größe": "5"}),
        (f"{word} 8", {"Pat": "2", "Größe": "6"}),
    ]
    assert _faults(batch) == []
    # 2 records of 2 cells; title, remarks (2), unit, second header (2 cells).
    assert batch.account.delivered == 10
    assert batch.account.counts == {
        "(above the header)": 1, "(remarks)": 2, "(row of units)": 1, "(skipped rows)": 2,
        "Pat": 2, "Größe": 2,
    }  # fmt: skip
    assert batch.account.unknown == {}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_not_declared_is_told(tmp_path, form):
    batch = _read(tmp_path, _csv(ROWS) if form == "csv" else workbook(ROWS), _source(form))
    assert _records(batch) == []
    assert ("line 1" if form == "csv" else "row 1", "file.column-missing") in _faults(batch)


def test_a_header_row_beyond_the_end_is_a_fault_of_the_file(tmp_path):
    batch = _read(tmp_path, b"Pat;Gr\xc3\xb6\xc3\x9fe\n1;5\n", _source("csv", header_row=9))
    assert _faults(batch) == [("file", "file.empty")]


@pytest.mark.parametrize("above", [0, 1, 3])
def test_rows_of_a_spreadsheet_count_from_its_first_row(tmp_path, above):
    batch = _read(tmp_path, workbook([()] * above + [("Pat", "Größe"), ("1", 5)]), _source("xlsx"))
    assert _records(batch) == [(f"row {above + 2}", {"Pat": "1", "Größe": "5"})]


def test_a_sheet_that_is_not_there_is_named_as_such(tmp_path):
    batch = _read(tmp_path, workbook([("Pat", "Größe"), ("1", 5)]), _source("xlsx", sheet="Patienten"))
    assert _faults(batch) == [("file", "file.sheet-missing")]


def test_a_list_column_keeps_all_its_values(tmp_path):
    whole = io.BytesIO()
    pl.DataFrame({"Pat": ["1", "2", "3"], "Größe": [[5.0], [5.5, 6.0], None]}).write_parquet(whole)
    batch = _read(tmp_path, whole.getvalue(), _source("parquet"))
    assert [values.get("Größe") for _, values in _records(batch)] == ["5.0", "5.5; 6.0", None]
    assert _faults(batch) == [("row 4", "file.row-only-key")]


def _registry(**more) -> RegistrySource:
    columns = {
        "family_name": "Name", "given_names": "Vorname", "birth_date": "Geb.", "answer": "Auskunft",
        "event_date": "am", "answered_on": "Stand",
    }  # fmt: skip
    return RegistrySource.model_validate(
        {"name": "office", "kind": "registry", "files": ["*"], "columns": columns, **more}
    )


REPLY = [
    ("Name", "Vorname", "Geb.", "Auskunft", "am", "Stand"),
    ("Testfall", "Anna", "03.04.1950", "verstorben", "02.05.2019", "01.06.2020"),
]


@pytest.mark.parametrize("form", ["csv", "tsv", "xlsx"])
def test_a_reply_may_come_in_any_format_of_a_table(tmp_path, form):
    day = [dt.date(1950, 4, 3), dt.date(2019, 5, 2), dt.date(2020, 6, 1)]
    head, row = REPLY
    if form == "xlsx":
        content = workbook([(), head, (row[0], row[1], day[0], row[3], day[1], day[2])])
    else:
        content = "\n".join((";" if form == "csv" else "\t").join(r) for r in REPLY).encode()
    path = tmp_path / "file"
    path.write_bytes(content)
    source = _registry(format=form)
    batch = registry_reply.read(SourceFile("F", path, "file"), source, "R1")
    assert _faults(batch) == []
    received = batch.frames()["received.registry_reply"].with_columns(received_on=pl.lit(dt.date(2021, 1, 1)))
    typed = {contract.table(): frame for contract, frame, _ in replies.typed_frames(received, source)}
    assert typed["typed.person"]["birth_date"].to_list() == [day[0]]
    status = typed["typed.vital_status"].select("status", "status_date", "reported_on")
    assert status.rows() == [("deceased", day[1], day[2])]
