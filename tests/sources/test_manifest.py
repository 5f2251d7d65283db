"""The manifest: what is read again and what is not."""

import dataclasses
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import manifest
from sarcoma_pipeline.sources.readers import READERS
from schemas.configuration import Sources
from schemas.meta import MetaFile

SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "o", "kind": "obds", "files": ["obds/*.xml"]},
            {
                "name": "t", "kind": "table", "format": "csv", "files": ["*.csv"], "key": ["Nr"],
                "entities": [{"entity": "diagnosis", "columns": {"hospital_number": "Nr"}}],
            },
        ]
    }
)  # fmt: skip


@pytest.fixture
def drop(tmp_path) -> Path:
    (tmp_path / "obds").mkdir()
    (tmp_path / "obds/a.xml").write_text("<a/>")
    (tmp_path / "t.csv").write_text("Nr\n1\n")
    (tmp_path / "stray.doc").write_text("?")
    (tmp_path / ".partial").write_text("hidden")
    return tmp_path


def _night(drop: Path, known: pl.DataFrame, refresh: str) -> tuple[manifest.Scan, pl.DataFrame]:
    """Scan, and what ``meta.files`` then holds."""
    found = manifest.scan(drop, SOURCES, known, refresh)
    new = manifest.files_frame([{**f.row, "records": 1} for f in found.to_read])
    kept = known.filter(pl.col("file_id").is_in(found.unchanged))
    return found, pl.concat([kept, new])


def _paths(scan: manifest.Scan) -> set[str]:
    return {f.file.relative for f in scan.to_read}


@pytest.fixture
def known(drop) -> pl.DataFrame:
    return _night(drop, MetaFile.empty(), "R1")[1]


def test_the_first_night_reads_everything_but_hidden_files(drop):
    scan, _ = _night(drop, MetaFile.empty(), "R1")
    assert _paths(scan) == {"obds/a.xml", "t.csv", "stray.doc"}
    assert {f.file.relative: f.source and f.source.name for f in scan.to_read} == {
        "obds/a.xml": "o", "t.csv": "t", "stray.doc": None,
    }  # fmt: skip
    assert not any(f.changed for f in scan.to_read)


def test_the_second_night_reads_nothing(drop, known):
    scan, _ = _night(drop, known, "R2")
    assert (scan.to_read, scan.closed, scan.gone, scan.touched) == ([], [], 0, {})
    assert len(scan.unchanged) == 3


def test_a_touched_file_is_hashed_but_not_read(drop, known):
    os.utime(drop / "t.csv", ns=(1, 1))
    scan, _ = _night(drop, known, "R2")
    assert scan.to_read == []
    assert list(scan.touched.values()) == [1]


def test_a_changed_file_replaces_its_version(drop, known):
    (drop / "t.csv").write_text("Nr\n2\n")
    scan, _ = _night(drop, known, "R2")
    assert _paths(scan) == {"t.csv"}
    assert scan.to_read[0].changed
    assert scan.closed == known.filter(pl.col("path") == "t.csv")["file_id"].to_list()
    assert scan.gone == 0


def test_a_vanished_file_is_closed_and_a_renamed_one_is_read_under_its_name(drop, known):
    (drop / "t.csv").rename(drop / "u.csv")
    scan, _ = _night(drop, known, "R2")
    assert _paths(scan) == {"u.csv"}
    assert (len(scan.closed), scan.gone) == (1, 1)


def test_the_manifest_hash_names_the_content_and_not_the_night(drop, known, tmp_path):
    first = manifest.scan(drop, SOURCES, known, "R2").manifest_hash
    again = manifest.scan(drop, SOURCES, MetaFile.empty(), "R9").manifest_hash
    (drop / "t.csv").write_text("Nr\n3\n")
    assert first == again != manifest.scan(drop, SOURCES, known, "R3").manifest_hash


def test_a_reader_that_changed_reads_again(drop, known, monkeypatch):
    raised = dataclasses.replace(READERS["obds"], behaviour=READERS["obds"].behaviour + 1)
    monkeypatch.setitem(READERS, "obds", raised)
    scan, _ = _night(drop, known, "R2")
    assert _paths(scan) == {"obds/a.xml"}
    assert scan.to_read[0].changed


def test_a_new_mapping_alone_needs_no_reading(drop, known):
    spelled = SOURCES.model_dump()
    spelled["source"][1]["decimal"] = ","
    spelled["source"][1]["entities"][0]["columns"]["tumour_id"] = {"column": "Nr"}
    mapped = Sources.model_validate(spelled)
    assert manifest.scan(drop, mapped, known, "R2").to_read == []


def test_an_unexpected_file_is_one_record_with_a_finding(drop):
    scan, _ = _night(drop, MetaFile.empty(), "R1")
    stray = next(f for f in scan.to_read if f.source is None)
    unread = manifest.read(stray, "R1").frames()["received.unread"]
    assert unread["rule_id"].to_list() == ["file.unexpected"]


def test_a_missing_drop_folder_says_so(tmp_path):
    shutil.rmtree(tmp_path)
    with pytest.raises(manifest.DropFolderMissing, match=tmp_path.name):
        manifest.scan(tmp_path, SOURCES, MetaFile.empty(), "R1")
