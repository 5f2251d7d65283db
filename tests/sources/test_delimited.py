"""Registry replies and tables: encodings, faults of files and rows, every row accounted for."""

from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import registry_reply, table_file
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import RegistrySource, TableSource

REGISTRY = RegistrySource.model_validate(
    {
        "name": "offices",
        "kind": "registry",
        "files": ["*.csv"],
        "columns": {"reference": "Az", "answer": "Auskunft"},
    }
)


def _table(**more) -> TableSource:
    return TableSource.model_validate(
        {
            "name": "sheet", "kind": "table", "format": "csv", "delimiter": ";", "files": ["*"],
            "key": ["Nr"],
            "entities": [
                {"entity": "diagnosis", "columns": {"hospital_number": "Nr", "tumour_size_cm": "Größe"}}
            ],
            **more,
        }
    )  # fmt: skip


def _file(tmp_path: Path, content: bytes, name="file.csv") -> SourceFile:
    path = tmp_path / name
    path.write_bytes(content)
    return SourceFile("F", path, name)


def _replies(tmp_path: Path, content: bytes) -> dict[str, pl.DataFrame]:
    return registry_reply.read(_file(tmp_path, content), REGISTRY, "R1").frames()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_a_reply_reads_the_same_in_every_encoding(tmp_path, encoding):
    frames = _replies(tmp_path, "Az;Auskunft;Ort\r\n1;für tot erklärt;Köln\r\n".encode(encoding))
    reply = frames["received.registry_reply"].row(0, named=True)
    assert (reply["reference"], reply["answer"], reply["position"]) == ("1", "für tot erklärt", "line 2")


def test_a_cell_with_a_line_break_does_not_shift_the_positions(tmp_path):
    frames = _replies(tmp_path, b'Az;Auskunft\n1;"lebt,\nsagt man"\n\n2;lebt\n')
    assert frames["received.registry_reply"]["position"].to_list() == ["line 2", "line 5"]


def test_every_row_under_a_missing_column_is_kept_as_unread(tmp_path):
    frames = _replies(tmp_path, b"Az;Antwort\n1;lebt\n2;lebt\n")
    unread = frames["received.unread"]
    assert unread["position"].to_list() == ["line 1", "line 2", "line 3"]
    assert unread["rule_id"].unique().to_list() == ["file.column-missing"]
    assert "Auskunft" in unread["detail"][0]


def test_a_row_of_another_length_is_set_aside_and_the_others_read(tmp_path):
    frames = _replies(tmp_path, b"Az;Auskunft\n1\n2;lebt;zu;viel\n3;lebt;\n")
    assert frames["received.unread"].select("position", "rule_id").rows() == [
        ("line 2", "file.row-malformed"),
        ("line 3", "file.row-malformed"),
    ]
    assert frames["received.registry_reply"]["reference"].to_list() == ["3"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"", "file.empty"), (b" \n", "file.empty"), (b"PK\x03\x04zip", "file.wrong-format"),
     (b"Az;Auskunft\n1;\x00", "file.wrong-format")],
)  # fmt: skip
def test_faults_of_whole_files(tmp_path, content, rule):
    frames = _replies(tmp_path, content)
    assert {t: f["rule_id"].to_list() for t, f in frames.items()} == {"received.unread": [rule]}


SHEET = pl.DataFrame({"Nr": ["1", "2"], "Größe": ["4,5", None], "Notiz": ["x", "y"]})


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet"])
def test_the_same_table_gives_the_same_records_from_every_format(tmp_path, kind):
    path = tmp_path / f"file.{kind}"
    if kind in ("csv", "tsv"):
        path.write_bytes(SHEET.write_csv(separator={"csv": ";", "tsv": "\t"}[kind]).encode("cp1252"))
    elif kind == "xlsx":
        SHEET.write_excel(path)
    else:
        SHEET.write_parquet(path)
    source = _table(format=kind, delimiter={"csv": ";", "tsv": "\t"}.get(kind))
    frame = table_file.read(SourceFile("F", path, "file"), source, "R1").frames()["received.table_row"]
    assert frame["values"].to_list() == [
        '{"Größe": "4,5", "Notiz": "x", "Nr": "1"}',
        '{"Notiz": "y", "Nr": "2"}',
    ]
    assert frame["position"].str.ends_with(" 2").to_list() == [True, False]


@pytest.mark.parametrize(
    ("kind", "content", "rule"),
    [("xlsx", b"Nr;cm\n", "file.wrong-format"), ("xlsx", b"PK\x03\x04 not a workbook", "file.unreadable"),
     ("parquet", b"PAR1 cut off", "file.truncated"), ("parquet", b"", "file.empty")],
)  # fmt: skip
def test_faults_of_binary_tables(tmp_path, kind, content, rule):
    frames = table_file.read(_file(tmp_path, content), _table(format=kind), "R1").frames()
    assert {t: f["rule_id"].to_list() for t, f in frames.items()} == {"received.unread": [rule]}


def test_a_spreadsheet_without_a_mapped_column(tmp_path):
    path = tmp_path / "file.xlsx"
    SHEET.drop("Größe").write_excel(path)
    frames = table_file.read(SourceFile("F", path, "file"), _table(format="xlsx"), "R1").frames()
    assert frames["received.unread"]["position"].to_list() == ["row 1", "row 2", "row 3"]
