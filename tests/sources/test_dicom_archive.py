"""ZIP exports are read like folders, within the same bounds."""

import datetime as dt
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import dicom
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import Limits
from tests.curation.rt_files import SOURCE, content, ct, plan, record

PLAN, CT, RECORD = (
    content(plan("1.1")),
    content(ct("1.2", "1.21", 3.0)),
    content(record("1.1", dt.date(2015, 3, 2), 1)),
)


def _archive(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def _read(folder: Path, data: bytes, limits: Limits | None = None) -> dict[str, pl.DataFrame]:
    path = folder / "export.zip"
    path.write_bytes(data)
    return dicom.read(SourceFile("f", path, "export.zip"), SOURCE, "R1", limits or Limits()).frames()


def _unread(frames: dict[str, pl.DataFrame]) -> list[tuple[str, str]]:
    return (
        frames["received.unread"].select("position", "rule_id").rows() if "received.unread" in frames else []
    )


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_entry_is_read_as_if_it_lay_in_a_folder(tmp_path, method):
    entries = [("a/RP.dcm", PLAN), ("a/CT.dcm", CT), ("b/RT.dcm", RECORD)]
    frames = _read(tmp_path, _archive(*entries, method=method))
    tables = {"received.dicom_plan": PLAN, "received.dicom_image": CT, "received.dicom_treatment": RECORD}
    assert set(frames) == set(tables)
    for number, (table, data) in enumerate(tables.items(), start=1):
        (alone,) = _read(tmp_path, data)[table].rows(named=True)
        (within,) = frames[table].rows(named=True)
        assert within["position"] == f"archive entry {number}"
        assert {k for k in alone if alone[k] != within[k]} <= {"position", "ordinal"}


def test_what_is_wrong_with_one_entry_stops_no_other(tmp_path):
    damaged = bytearray(_archive(("x", CT), ("y", PLAN), method=zipfile.ZIP_STORED))
    damaged[60:64] = b"!!!!"  # the first entry's content no longer has its checksum
    assert _unread(_read(tmp_path, bytes(damaged))) == [("archive entry 1", "file.unreadable")]
    entries = [
        ("empty", b""), ("notes.txt", b"twenty-five fractions"), ("cut.dcm", PLAN[:300]), ("RP.dcm", PLAN),
        ("inner.zip", _archive(("RP.dcm", PLAN))), (".DS_Store", b"x"), ("__MACOSX/._RP.dcm", b"x"),
        ("folder/", b""),
    ]  # fmt: skip
    frames = _read(tmp_path, _archive(*entries))
    assert frames["received.dicom_plan"]["position"].to_list() == ["archive entry 4"]
    assert _unread(frames) == [
        ("archive entry 1", "file.empty"),
        ("archive entry 2", "file.wrong-format"),
        ("archive entry 3", "file.truncated"),
        ("archive entry 5", "file.wrong-format"),
    ]


def test_an_encrypted_entry_is_named_and_not_opened(tmp_path):
    data = bytearray(_archive(("RP.dcm", PLAN)))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    frames = _read(tmp_path, bytes(data))
    assert _unread(frames) == [("archive entry 1", "file.unreadable")]
    assert frames["received.unread"]["detail"].to_list() == ["the entry is encrypted"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (_archive(("RP.dcm", PLAN))[:-30], "file.truncated"),
        (_archive(), "file.empty"),
        (_archive(("a.xml", b"<a/>"), ("b.xml", b"<b/>")), "file.wrong-format"),
    ],
)
def test_an_archive_that_gives_nothing_is_one_finding(tmp_path, data, rule):
    assert _unread(_read(tmp_path, data)) == [("file", rule)]


def test_the_bounds_of_a_file_hold_for_each_entry_and_for_the_whole(tmp_path):
    large = PLAN + bytes(3_000_000)
    data = _archive(("a", PLAN), ("large", large), ("b", CT))
    frames = _read(tmp_path, data, Limits(held_bytes=1_000_000))
    assert _unread(frames)[0] == ("archive entry 2", "file.too-large")
    many = _archive(*((f"{n}.dcm", CT) for n in range(5)))
    assert _unread(_read(tmp_path, many, Limits(records=3)))[-1] == ("archive entry 4", "file.too-large")
    assert _unread(_read(tmp_path, many, Limits(record_bytes=200))) == [("file", "file.too-large")]


def test_a_bomb_stops_the_archive_and_not_the_night(tmp_path):
    bomb = _archive(("RP.dcm", PLAN), *((f"{n}", bytes(2_000_000)) for n in range(20)))
    assert len(bomb) < 60_000
    frames = _read(tmp_path, bomb, Limits(held_bytes=3_000_000))
    assert frames["received.dicom_plan"].height == 1
    assert _unread(frames)[-1][1] == "file.too-large"
    assert len(_unread(frames)) < 10


def test_no_name_of_an_entry_is_repeated(tmp_path):
    frames = _read(tmp_path, _archive(("MUELLER^ANNA.dcm", b"nothing"), ("RP.dcm", PLAN)))
    assert "MUELLER" not in str([f.rows() for f in frames.values()])
