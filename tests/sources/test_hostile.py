"""Hostile input: a finding, bounded memory and time, no crash, no other place read or written."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sarcoma_pipeline.sources import drop_folder, manifest, sandboxed_reader
from schemas.configuration import Sources
from schemas.file_faults import FILE_FAULTS
from schemas.meta import MetaFile
from tests.sources import confined, hostile

pytestmark = pytest.mark.slow

MEGABYTES = 1536
"""What all files together may take beyond the imported program; one of them alone would take terabytes."""
SOUND = {
    "registry/sound.csv": b"Az;Auskunft\n1;lebt\n",
    "obds/sound.xml": b'<oBDS><Menge_Patient><Patient Patient_ID="1"><Patienten_Stammdaten/></Patient>'
    b"</Menge_Patient></oBDS>",
    "dicom/sound": hostile.dicom(hostile.element(hostile.FRACTIONS, "SQ", hostile.item())),
}


def _write(drop: Path, contents: dict[str, bytes]) -> None:
    for path, content in contents.items():
        (drop / path).parent.mkdir(parents=True, exist_ok=True)
        (drop / path).write_bytes(content)


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> dict[str, dict]:
    """A drop folder with one of each kind, read by a process that may hold only so much."""
    drop = tmp_path_factory.mktemp("night") / "drop"
    _write(drop, SOUND)
    for one in hostile.KINDS:
        (drop / one.path).parent.mkdir(parents=True, exist_ok=True)
        one.make(drop / one.path)
    done = subprocess.run(
        [sys.executable, confined.__file__, str(drop), str(MEGABYTES)],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    for path in drop.rglob("*"):
        if path.is_file():
            path.unlink()  # half a gigabyte that nobody looks at again
    assert hostile.SECRET not in done.stdout
    return json.loads(done.stdout)


@pytest.mark.parametrize("one", hostile.KINDS, ids=lambda one: one.path)
def test_a_hostile_file_is_a_finding_with_its_place(night, one):
    found = night[one.path]
    assert found["records"] == one.records
    rules = {rule for rule, _, _ in found["unread"]}
    assert rules <= one.rules and bool(rules) == bool(one.rules)
    assert all(position == one.position for _, position, _ in found["unread"])
    assert rules <= set(FILE_FAULTS)


@pytest.mark.parametrize("path", SOUND)
def test_the_files_beside_them_are_read(night, path):
    assert (night[path]["records"], night[path]["unread"]) == (1, [])


def test_every_rule_of_hostile_content_has_a_file_that_breaks_it():
    assert {rule for one in hostile.KINDS for rule in one.rules} >= {
        "file.entity",
        "file.too-deep",
        "file.too-large",
        "file.line-too-long",
        "file.too-many-columns",
    }


def test_a_formula_stays_the_text_that_was_delivered(night):
    assert '=HYPERLINK("http://x")' in "".join(night["registry/formulas.csv"]["values"])


# --- the folder ---------------------------------------------------------------------------------------


@pytest.fixture
def drop(tmp_path) -> Path:
    (tmp_path / "secret.txt").write_text(f"Az;Auskunft\n{hostile.SECRET};lebt\n")
    made = tmp_path / "drop"
    _write(made, SOUND)
    return made


def _rules(found: dict[str, dict], path: str) -> list[str]:
    return [rule for rule, _, _ in found[path]["unread"]]


@pytest.mark.parametrize(
    "target", ["../../secret.txt", "sound.csv", "nowhere", "link.csv", "/dev/zero", ".."]
)
def test_a_link_is_a_finding_and_never_followed(drop, target):
    (drop / "registry/link.csv").symlink_to(target)
    found = confined.account(drop)
    assert _rules(found, "registry/link.csv") == ["file.symlink"]
    assert hostile.SECRET not in str(found)
    assert found["registry/sound.csv"]["records"] == 1
    assert len(found) == len(SOUND) + 1


def test_a_linked_folder_is_not_entered(drop, tmp_path):
    outside = tmp_path / "outside"
    _write(outside, {"a.csv": b"Az;Auskunft\n1;lebt\n"})
    for name in ("registry/folder", "dicom/folder", "tables"):
        (drop / name).symlink_to(outside, target_is_directory=True)
    (drop / "dicom/loop").symlink_to(drop, target_is_directory=True)
    found = confined.account(drop)
    links = {"registry/folder", "dicom/folder", "tables", "dicom/loop"}
    assert set(found) == links | set(SOUND)
    assert {rule for link in links for rule in _rules(found, link)} == {"file.symlink"}


def test_pipes_and_sockets_are_never_opened(drop, monkeypatch):
    os.mkfifo(drop / "registry/pipe.csv")
    monkeypatch.chdir(drop)  # the name of a socket may not be longer than a hundred bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("dicom/socket")
        found = confined.account(drop)
    assert _rules(found, "registry/pipe.csv") == _rules(found, "dicom/socket") == ["file.special"]


def test_devices_are_never_opened():
    entries = {entry.parts: entry for entry in drop_folder.walk(Path("/dev"))}
    assert entries[("zero",)].fault == ("file.special", "a device, not opened")
    with pytest.raises(OSError, match="no ordinary file"):
        drop_folder.open_file(Path("/dev/zero"))
    with pytest.raises(OSError, match="no ordinary file"):
        drop_folder.content_or_stream(Path("/dev/zero"), 10)


def test_a_small_file_is_read_as_a_whole_and_a_larger_one_opened(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"0123456789")
    link.symlink_to(path)
    facts = path.stat()
    whole = drop_folder.content_or_stream(path, 10)
    assert whole == drop_folder.Whole(b"0123456789", (10, facts.st_mtime_ns))
    larger = drop_folder.content_or_stream(path, 9)
    assert not isinstance(larger, drop_folder.Whole)
    with larger:
        assert larger.read() == b"0123456789"
    with pytest.raises(OSError):
        drop_folder.content_or_stream(link, 10)


def test_what_may_not_be_read_is_a_finding_and_looked_at_again(drop, monkeypatch):
    sound, opened = drop / "registry/sound.csv", os.open

    def refuse(path, *more):
        if Path(path) == sound:
            raise PermissionError(13, "denied", str(path))
        return opened(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    scan = manifest.scan(drop, confined.SOURCES, MetaFile.empty(), "R1")
    one = next(found for found in scan.to_read if found.file.path == sound)
    unread = manifest.read(one, "R1").frames()["received.unread"]
    assert unread.select("rule_id", "detail").rows() == [
        ("file.unreadable", "cannot be opened: PermissionError")
    ]
    monkeypatch.undo()
    known = manifest.files_frame([{**found.row, "records": 1} for found in scan.to_read])
    again = manifest.scan(drop, confined.SOURCES, known, "R2")
    assert [found.file.relative for found in again.to_read] == ["registry/sound.csv"]


def test_a_folder_that_may_not_be_listed_is_a_finding(drop, monkeypatch):
    listed = os.scandir

    def refuse(path):
        if Path(path).name == "dicom":
            raise PermissionError(13, "denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = confined.account(drop)
    assert _rules(found, "dicom") == ["file.unreadable"]
    assert found["registry/sound.csv"]["records"] == 1


ODD_NAMES = {
    b"new\nline.csv": "registry/new\\nline.csv",
    b"\x1b[31mred.csv": "registry/\\x1b[31mred.csv",
    b"bytes\xff\xfe.csv": "registry/bytes\\xff\\xfe.csv",
    "turned\u202eround.csv".encode(): "registry/turned\\u202eround.csv",
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_with_an_odd_name_is_read_and_shown_with_escapes(drop, name):
    (drop / "registry/sound.csv").rename(drop / "registry" / os.fsdecode(name))
    found = confined.account(drop)
    assert ODD_NAMES[name].isprintable()
    assert found[ODD_NAMES[name]]["records"] == 1
    assert _rules(found, ODD_NAMES[name]) == ["file.name"]


def test_names_that_look_like_a_way_out_are_names(drop):
    names = [
        "a\\..\\..\\secret.csv",
        "%2e%2e%2fsecret.csv",
        "C:secret.csv",
        "~root.csv",
        "$(reboot).csv",
        "-rf.csv",
    ]
    _write(drop / "registry", dict.fromkeys(names, SOUND["registry/sound.csv"]))
    found = confined.account(drop)
    shown = {f"registry/{name}".replace("\\", "\\\\") for name in names}
    assert shown <= set(found)
    assert all(found[path]["records"] == 1 and found[path]["unread"] == [] for path in shown)


def test_no_two_names_are_shown_alike():
    names = ["a\n", "a\\n", "a\\\\n", "a\\x0a", "a\udcff", "a\\xff", "aÿ"]
    assert len({drop_folder.shown((name,)) for name in names}) == len(names)


def _night(drop: Path, between) -> tuple[manifest.Scan, dict[str, list[str]]]:
    """A scan and a reading, with something done in between."""
    scan = manifest.scan(drop, confined.SOURCES, MetaFile.empty(), "R1")
    between()
    rules = {}
    for found in scan.to_read:
        frames = manifest.read(found, "R1").frames()
        rules[found.file.relative] = (
            frames["received.unread"]["rule_id"].to_list() if "received.unread" in frames else []
        )
    return scan, rules


def test_a_file_that_vanishes_while_read_is_a_finding(drop):
    _, rules = _night(drop, (drop / "obds/sound.xml").unlink)
    assert rules.pop("obds/sound.xml") == ["file.unreadable", "file.changing"]
    assert not any(rules.values())


def test_a_file_that_grows_while_read_is_a_finding_and_read_again(drop):
    path = drop / "registry/sound.csv"

    def grow():
        with path.open("ab") as stream:
            stream.write(b"2;lebt\n")

    scan, rules = _night(drop, grow)
    assert rules["registry/sound.csv"] == ["file.changing"]
    known = manifest.files_frame([{**found.row, "records": 1} for found in scan.to_read])
    again = manifest.scan(drop, confined.SOURCES, known, "R2")
    assert [found.file.relative for found in again.to_read] == ["registry/sound.csv"]
    assert "received.unread" not in manifest.read(again.to_read[0], "R2").frames()


def test_a_file_that_becomes_a_link_is_not_followed(drop):
    path = drop / "registry/sound.csv"

    def swap():
        path.unlink()
        path.symlink_to("../../secret.txt")

    _, rules = _night(drop, swap)
    assert rules["registry/sound.csv"] == ["file.unreadable", "file.changing"]


def test_patterns_name_what_they_name():
    parts = ("dicom", "a", "b")
    named = {
        "dicom/**/*": True, "dicom/*/*": True, "**/b": True, "dicom/a/b": True, "dicom/*": False, "*": False,
        "dicom/**/a": False, "**": False, "Dicom/**/*": False,
    }  # fmt: skip
    for pattern, expected in named.items():
        source = {"name": "d", "kind": "dicom", "files": [pattern]}
        assert bool(manifest.reader_of(parts, Sources.model_validate({"source": [source]}))) is expected, (
            pattern
        )


# --- what nobody foresaw ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [RecursionError, MemoryError, ZeroDivisionError])
def test_an_unforeseen_exception_is_a_finding_that_quotes_nothing(drop, monkeypatch, fault):
    def fail(*_):
        raise fault("Max Mustermann")

    monkeypatch.setattr("sarcoma_pipeline.sources.obds._parse", fail)
    found = confined.account(drop)
    assert found["obds/sound.xml"]["unread"] == [
        ("file.unreadable", "file", f"the reader gave up: {fault.__name__}")
    ]
    assert found["registry/sound.csv"]["records"] == 1


def test_a_native_reader_that_hangs_is_ended():
    with pytest.raises(sandboxed_reader.Refused) as refused:
        sandboxed_reader.read(b"PK\x03\x04", "xlsx", None, (1, 1, 1), 0)
    assert refused.value.args[0] == "file.too-large"
