"""The manifest: what is read again and what is not."""

import dataclasses
import hashlib
import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import drop_folder, manifest
from sarcoma_pipeline.sources.left_behind import left_behind
from sarcoma_pipeline.sources.readers import READERS
from schemas.configuration import Sources
from schemas.meta import MetaFile
from tests.curation.rt_files import content, ct

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


def test_the_first_night_reads_everything(drop):
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


def _replaced(file, text):
    """Replace a file by another of the same size, and give it the time of the first."""
    before = file.stat()
    assert len(text.encode()) == before.st_size
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _verified(drop, known):
    return manifest.scan(drop, SOURCES, known, "R2", verify=True)


def test_a_file_replaced_with_the_same_size_and_time_is_found_by_a_comparison(drop, known):
    _replaced(drop / "t.csv", "Nr\n9\n")
    assert _night(drop, known, "R2")[0].to_read == []
    scan = _verified(drop, known)
    assert [(f.file.relative, f.unseen, f.changed) for f in scan.to_read] == [("t.csv", True, True)]
    assert scan.closed == known.filter(pl.col("path") == "t.csv")["file_id"].to_list()
    read = manifest.read(scan.to_read[0], "R2").frames()
    assert read["received.unread"]["rule_id"].to_list() == ["file.replaced-unseen"]
    assert read["received.table_row"].height == 1


def test_a_comparison_of_sound_files_reads_nothing(drop, known):
    scan = _verified(drop, known)
    assert (scan.to_read, scan.touched, scan.closed) == ([], {}, [])
    assert len(scan.unchanged) == 3


def test_a_file_that_says_that_it_changed_is_no_unseen_one(drop, known):
    (drop / "t.csv").write_text("Nr\n12\n")
    assert [f.unseen for f in _verified(drop, known).to_read] == [False]
    os.utime(drop / "obds/a.xml", ns=(1, 1))
    assert not any(f.unseen for f in _verified(drop, known).to_read)


def test_a_reader_that_changed_makes_no_unseen_file(drop, known, monkeypatch):
    raised = dataclasses.replace(READERS["obds"], behaviour=READERS["obds"].behaviour + 1)
    monkeypatch.setitem(READERS, "obds", raised)
    assert [f.unseen for f in _verified(drop, known).to_read] == [False]


def test_a_file_that_can_no_longer_be_read_is_no_unseen_one(drop, known, monkeypatch):
    def refused(path, most):
        raise PermissionError

    monkeypatch.setattr(manifest, "content_or_stream", refused)
    scan = _verified(drop, known)
    assert len(scan.to_read) == 3 and not any(f.unseen for f in scan.to_read)


def test_a_file_has_the_same_hash_read_at_once_or_in_pieces(drop, monkeypatch):
    at_once = [f.row["content_hash"] for f in manifest.scan(drop, SOURCES, MetaFile.empty(), "R1").to_read]
    monkeypatch.setattr(manifest, "_AT_ONCE_BYTES", 0)
    scan = manifest.scan(drop, SOURCES, MetaFile.empty(), "R1")
    assert at_once == [f.row["content_hash"] for f in scan.to_read]
    assert at_once == [
        hashlib.blake2b(f.entry.path.read_bytes(), digest_size=16).hexdigest() for f in scan.to_read
    ]


@pytest.mark.parametrize(
    "pattern", ["a.xml", "**", "**/*.x?l", "b/**/a.xml", "*", "[ab]/*.xml", "b/**", "a+b/*"]
)
@pytest.mark.parametrize(
    "path", ["a.xml", "b/a.xml", "b/c/d/a.xml", "A.xml", "b", "a/\n.xml", "a+b/a.xml", "aab/a.xml", "b/.xml"]
)
def test_a_pattern_matches_name_by_name_as_fnmatch(pattern, path):
    def matches(parts, steps):
        if not parts or not steps:
            return not parts and not steps
        if steps[0] == "**":
            return any(matches(parts[i:], steps[1:]) for i in range(len(parts)))
        return fnmatchcase(parts[0], steps[0]) and matches(parts[1:], steps[1:])

    parts = tuple(path.split("/"))
    assert manifest._matches(parts, manifest._steps(pattern)) == matches(parts, pattern.split("/"))


LEFT = {
    ".DS_Store": "macOS", "._a.xml": "macOS", "Thumbs.db": "Windows", "desktop.ini": "Windows",
    ".~lock.t.csv#": "LibreOffice", "~$t.xlsx": "Office", ".gitkeep": "version control",
    ".nfs000000000001": "still has open",
}  # fmt: skip


def _unread(scan):
    return {
        f.file.relative: tuple(manifest.read(f, "R2").frames()["received.unread"]["rule_id", "detail"].row(0))
        for f in scan.to_read
    }


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("folder", ["", "obds/"])
def test_what_programs_leave_behind_is_named_as_what_it_is(drop, known, name, folder):
    (drop / folder / name).write_text("Nr\n1\n")
    scan, then = _night(drop, known, "R2")
    (path, (rule, detail)), *rest = _unread(scan).items()
    assert (path, rule, rest) == (f"{folder}{name}", "file.left-behind", [])
    assert LEFT[name] in detail and name not in detail
    later = manifest.scan(drop, SOURCES, then, "R3", verify=True)
    assert (later.to_read, later.touched, later.closed) == ([], {}, [])


@pytest.mark.parametrize("name", [".t.csv", ".upload-123", ".env", ".a.xml.swp"])
def test_a_hidden_file_is_told_and_may_grow_unnoticed(drop, known, name):
    (drop / name).write_text("Nr\n1\n")
    scan, then = _night(drop, known, "R2")
    assert {path: rule for path, (rule, _) in _unread(scan).items()} == {name: "file.hidden"}
    (drop / name).write_text("Nr\n1\n2\n")
    assert manifest.scan(drop, SOURCES, then, "R3").to_read == []
    (drop / name).unlink()
    assert manifest.scan(drop, SOURCES, then, "R3").gone == 1


def test_a_hidden_folder_is_one_entry_and_nothing_in_it_is_read(drop, known):
    (drop / ".upload").mkdir()
    for i in range(3):
        (drop / f".upload/{i}.csv").write_text("Nr\n1\n")
    scan, _ = _night(drop, known, "R2")
    assert _unread(scan) == {".upload": ("file.hidden", "a folder whose name begins with a dot")}


def test_many_of_a_kind_in_a_folder_are_one_finding_with_their_number(drop, known):
    for i in range(120):
        (drop / f"obds/._{i:03}.xml").write_text("x")
    scan, then = _night(drop, known, "R2")
    ((path, (rule, detail)),) = _unread(scan).items()
    assert (path, rule) == ("obds/._000.xml", "file.left-behind") and "120 of them" in detail
    (drop / "obds/._200.xml").write_text("x")
    assert "121 of them" in _unread(manifest.scan(drop, SOURCES, then, "R3"))["obds/._000.xml"][1]


@pytest.mark.parametrize("name", ["a.xml", "DS_Store", "lock.csv", "thumbs.csv", "keep", "t~$.xlsx"])
def test_an_ordinary_name_is_not_left_behind(name):
    assert left_behind(name) is None


IMAGES = Sources.model_validate({"source": [{"name": "d", "kind": "dicom", "files": ["*"]}]})


def _while_it_is_read(monkeypatch, happens) -> None:
    """Let something happen after the bytes of a file were read, before its reader looks at it again."""
    read = os.read

    def then(handle: int, size: int) -> bytes:
        data = read(handle, size)
        happens()
        return data

    monkeypatch.setattr(drop_folder.os, "read", then)


def _listed(folder: Path) -> tuple[Path, manifest.Found]:
    path = folder / "ct"
    path.write_bytes(content(ct("1.5", "1.4", 3)))
    (found,) = manifest.scan(folder, IMAGES, MetaFile.empty(), "R1").to_read
    return path, found


def _noted(found: manifest.Found) -> list[str]:
    frames = manifest.read(found, "R1").frames()
    return frames["received.unread"]["rule_id"].to_list() if "received.unread" in frames else []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("how", ["grows", "is written anew"])
def test_a_small_file_that_changes_is_a_finding(tmp_path, monkeypatch, when, how):
    """The reader of a small file looks at it while it is open, and nobody looks again."""
    path, found = _listed(tmp_path)

    def change():
        path.write_bytes(path.read_bytes() + (b"\0" * 8 if how == "grows" else b""))
        os.utime(path, ns=(1, 1 if how == "is written anew" else path.stat().st_mtime_ns))

    if when == "before":
        change()
    else:
        _while_it_is_read(monkeypatch, change)
    assert "file.changing" in _noted(found)
    assert not manifest.is_settled(found.row)


def test_a_file_replaced_after_it_was_read_is_a_change_for_the_next_refresh(tmp_path, monkeypatch):
    path, found = _listed(tmp_path)

    def replace():
        other = tmp_path.parent / "other"
        other.write_bytes(content(ct("1.5", "1.4", 5)))
        other.replace(path)

    _while_it_is_read(monkeypatch, replace)
    assert _noted(found) == [] and manifest.is_settled(found.row)
    monkeypatch.undo()
    known = manifest.files_frame([{**found.row, "records": 1}])
    again = manifest.scan(tmp_path, IMAGES, known, "R2")
    assert [(f.changed, f.file.relative) for f in again.to_read] == [(True, "ct")]


def test_a_file_deleted_after_it_was_read_is_gone_in_the_next_refresh(tmp_path, monkeypatch):
    path, found = _listed(tmp_path)
    _while_it_is_read(monkeypatch, path.unlink)
    assert _noted(found) == [] and manifest.is_settled(found.row)
    monkeypatch.undo()
    again = manifest.scan(tmp_path, IMAGES, manifest.files_frame([{**found.row, "records": 1}]), "R2")
    assert (again.gone, again.closed, again.to_read) == (1, [found.row["file_id"]], [])
