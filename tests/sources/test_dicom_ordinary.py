"""Ordinary DICOM files are read without a library, and nothing of them otherwise than by pydicom."""

import io
import os
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from pydicom import dcmwrite
from pydicom.datadict import dictionary_is_retired, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from sarcoma_pipeline.sources import (
    dicom,
    dicom_account,
    dicom_decode,
    dicom_layout,
    dicom_ordinary,
    read_parallel,
)
from sarcoma_pipeline.sources.dicom_layout import Layouts
from sarcoma_pipeline.sources.drop_folder import Entry
from sarcoma_pipeline.sources.manifest import Found
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import Limits
from schemas.dicom_attributes import ATTRIBUTES
from schemas.ignored_attributes import GROUPS
from tests.curation.rt_files import SOURCE, ct, plan, structure_set
from tests.sources import layout_mutants, two_ways

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[bytes]:
    return two_ways.seeds(tmp_path_factory.mktemp("seeds"))


def by_library(data: bytes, folder: Path, limits: Limits = two_ways.DEFAULT_LIMITS) -> bool:
    """Whether pydicom read a file, of which both ways say the same."""
    path = folder / "object"
    path.write_bytes(data)
    one, other, ordinary = two_ways.read(path, limits)
    assert one == other
    return not ordinary


def test_sound_files_of_every_kind_are_read_alike_in_both_ways(found, tmp_path):
    outcome = two_ways.compared(iter(found), tmp_path / "object")
    assert outcome.different == {}
    assert outcome.files == len(found) > 400 and outcome.ordinary > 0.8 * len(found)


def test_mutants_are_read_alike_in_both_ways(found, tmp_path):
    outcome = two_ways.compared(two_ways.cases(found, 300, seed=11), tmp_path / "object")
    assert outcome.different == {}
    # Mutants that are all left to pydicom would prove nothing, and so would those that are all sound.
    assert 60 < outcome.ordinary < 240


def test_mutants_of_nearly_the_same_layout_are_read_alike(found, tmp_path):
    """A layout is remembered: a file that has nearly the layout of the file before it must not borrow it."""
    outcome = two_ways.compared(two_ways.alike(found, 60, seed=14), tmp_path / "object")
    assert (outcome.files, outcome.different) == (240, {})
    assert 120 < outcome.ordinary < 220


def test_attributes_of_the_same_headers_are_read_at_once(tmp_path):
    path = tmp_path / "object"
    path.write_bytes(ORDINARY["explicit"]())
    layouts = Layouts(dicom._TREE)

    data = path.read_bytes()
    with path.open("rb") as stream:
        dicom_ordinary.read(stream, data, len(data), layouts, Limits())
    layouts.find_runs()
    runs = [one.run for one in _all(layouts) if one.run is not None]
    assert runs and all(len(expected) >= 3 for _, expected, _, _, _ in runs)
    assert all(length == sum(8 + _length(one) for one in expected) for _, expected, _, length, _ in runs)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_items_of_the_same_headers_are_read_at_once(tmp_path, monkeypatch, syntax):
    path = tmp_path / "object"
    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE))
    files = [_file(_nested(3), syntax), _file(structure_set("1.3", "1.4"), syntax)]
    for data in files * 3:
        path.write_bytes(data)
        one, other, ordinary = two_ways.read(path)
        assert one == other and ordinary
    at_once = {length: run for layout in _all(dicom._LAYOUTS) for length, run in layout.wholes.items() if run}
    assert all(run[3] == length for length, run in at_once.items())
    headers = [run[1] for run in at_once.values()]
    assert any(one[:4] == b"\xfe\xff\0\xe0" for run in headers for one in run), "no item with a sequence"
    parsed = []
    monkeypatch.setattr(dicom_ordinary, "_data_set", _noted(dicom_ordinary._data_set, parsed))
    two_ways.read(path)
    assert 0 < len(parsed) < len(headers), "only items with sequences that are read are parsed"


def _noted(function, calls):
    def noted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return noted


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_how_deep_items_are_nested_does_not_depend_on_what_is_known(tmp_path, monkeypatch, syntax):
    """Items that are read at once hide their own items, also where those would be nested too deep."""
    files = {levels: _file(_nested(levels), syntax) for levels in range(1, 22)}

    def taken() -> list[int]:
        return [levels for levels, data in files.items() if not by_library(data, tmp_path)]

    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE))
    known = [taken(), taken(), taken()]
    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE))
    monkeypatch.setattr(dicom_layout, "_ITEM_LENGTHS", 0)
    assert known == [taken()] * 3 and 10 < len(known[0]) < 21


def _nested(levels: int) -> Dataset:
    """A plan with a sequence that is not read, nested so many times."""
    dataset = plan("1.1")
    at = dataset
    for _n in range(levels):
        inner = Dataset()
        inner.CodeValue = "1"
        at.PurposeOfReferenceCodeSequence = [inner]
        at = inner
    return dataset


def _all(layouts: Layouts) -> list[dicom_layout.Layout]:
    waiting, found = list(layouts._first.values()), []
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].known
    return found


def _length(header: bytes) -> int:
    return int.from_bytes(header[6:8], "little")


def test_mutants_of_files_whose_attributes_are_read_at_once_are_read_alike(found, tmp_path):
    outcome = two_ways.beside_runs(found, 12, 12, 17, tmp_path / "object")
    assert (outcome.files, outcome.different) == (12 * 13, {})
    assert 50 < outcome.ordinary < 140


@pytest.mark.slow
@pytest.mark.parametrize("change", layout_mutants.CHANGES, ids=lambda change: change.__name__)
def test_each_change_of_a_layout_is_read_alike(found, tmp_path, change):
    sound = [one for one in found if two_ways.can_be_cut(one)]
    cases = []
    for number in range(200):
        draw = random.Random(f"{change.__name__} {number}")
        for _n in range(20):  # few files have items that can be changed
            one = draw.choice(sound)
            other = layout_mutants.mutant(one, draw, (change,))
            if one != other:
                break
        cases += [one, other]
    outcome = two_ways.compared(iter(cases), tmp_path / "object")
    assert (outcome.files, outcome.different) == (400, {})
    assert sum(one != other for one, other in zip(cases[::2], cases[1::2], strict=True)) > 150


def test_what_is_read_does_not_depend_on_the_files_before_it(found, tmp_path, monkeypatch):
    """Known layouts, unknown ones, and ones that are forgotten at once give the same."""
    files = [*found[::12], *two_ways.alike(found, 10, seed=15)]
    path = tmp_path / "object"

    def all_read() -> list[tuple[list[object], int]]:
        told = []
        for data in files:
            path.write_bytes(data)
            batch = dicom.read(two_ways.file(path), two_ways.SOURCE, "R1")
            told.append((two_ways.told(batch), batch.by_library))
        return told

    warm = all_read()
    assert warm == all_read()
    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE))
    assert warm == all_read()
    monkeypatch.setattr(dicom_layout, "_KNOWN", 1_000)
    monkeypatch.setattr(dicom_layout, "_LENGTHS", 2)
    monkeypatch.setattr(dicom_decode, "_REMEMBERED", 3)
    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE))
    forgetful, forgetful_layouts = all_read(), dicom._LAYOUTS
    monkeypatch.setattr(dicom_layout, "_KNOWN", 50_000)
    monkeypatch.setattr(dicom_layout, "_LENGTHS", 4_000)
    monkeypatch.setattr(dicom_layout, "_FIRST_SEARCH", 1)
    monkeypatch.setattr(dicom, "_LAYOUTS", Layouts(dicom._TREE, _next_search=1))
    assert warm == all_read() == all_read()
    assert forgetful_layouts._known <= 1_000
    assert [one for one, _ in forgetful] == [one for one, _ in warm]


@pytest.mark.slow
def test_thousands_of_mutants_the_demo_and_the_makers_files_are_read_alike(found, tmp_path):
    outcome = two_ways.compared(two_ways.cases(found, 4_000, seed=12), tmp_path / "object")
    assert (outcome.files, outcome.different) == (4_000, {})
    outcome = two_ways.compared(two_ways.alike(found, 1_000, seed=16), tmp_path / "object")
    assert (outcome.files, outcome.different) == (4_000, {})
    outcome = two_ways.beside_runs(found, 100, 40, 18, tmp_path / "object")
    assert (outcome.files, outcome.different) == (4_100, {})
    files = two_ways.demo(tmp_path / "demo")
    outcome = two_ways.compared((path.read_bytes() for path in files), tmp_path / "object")
    assert outcome.different == {} and outcome.ordinary >= 0.99 * len(files) > 900
    files = two_ways.genuine()
    outcome = two_ways.compared((path.read_bytes() for path in files), tmp_path / "object")
    assert outcome.different == {} and outcome.ordinary > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    [{"elements": 300}, {"items": 3}, {"record_bytes": 600}, {"held_bytes": 3_000}, {"records": 1}],
    ids=str,
)
def test_what_asks_for_too_much_is_told_alike(found, tmp_path, limits):
    small = Limits().model_copy(update=limits)
    cases = [*found[::3], *two_ways.cases(found, 100, seed=13)]
    outcome = two_ways.compared(iter(cases), tmp_path / "object", small)
    assert outcome.different == {}


def _file(dataset: Dataset, syntax=ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def _named(character_set: bytes, name: bytes) -> bytes:
    """A plan with a name of eight bytes, said to be written in a character set."""
    dataset = plan("1.1")
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = "12345678"
    data = _file(dataset).replace(b"12345678", name)
    assert len(name) == 8 and name in data
    return data.replace(
        b"CS\x0a\0ISO_IR 100", b"CS" + len(character_set).to_bytes(2, "little") + character_set
    )


ORDINARY = {
    "explicit": lambda: _file(plan("1.1")),
    "implicit": lambda: _file(plan("1.1"), ImplicitVRLittleEndian),
    "structures": lambda: _file(structure_set("1.3", "1.4")),
    "Latin-1": lambda: _named(b"ISO_IR 100", "Müller^Ä".encode("latin-1")),
    "UTF-8": lambda: _named(b"ISO_IR 192", "Müller^".encode()),
    "no character set named": lambda: _named(b"", b"M\xfcller^A"),
}
ODD = {
    "big endian": lambda: _file(plan("1.1"), ExplicitVRBigEndian),
    "deflated": lambda: _file(plan("1.1"), DeflatedExplicitVRLittleEndian),
    "without a preamble": lambda: _file(plan("1.1"))[132:],
    "cut off": lambda: _file(plan("1.1"))[:-2],
    "bytes behind the end": lambda: _file(plan("1.1")) + b"\0\0",
    "a Cyrillic character set": lambda: _named(b"ISO_IR 144", b"\xbc\xbc\xbc\xbc^AAA"),
    "escape sequences": lambda: _named(b"ISO_IR 100", b"\x1b$B^AAAA"),
    "no UTF-8": lambda: _named(b"ISO_IR 192", b"M\xfcller^A"),
    "another value representation": lambda: _file(plan("1.1")).replace(b"\x10\0\x20\0LO", b"\x10\0\x20\0SH"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_file_is_read_without_pydicom(tmp_path, name):
    assert not by_library(ORDINARY[name](), tmp_path)


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_ordinary_is_left_to_pydicom(tmp_path, name):
    assert by_library(ODD[name](), tmp_path)


def test_a_number_that_pydicom_would_not_take_is_not_ordinary_in_an_implicit_file(tmp_path):
    """There, pydicom parses what it hands over as it stands where the file names the representation."""
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        dataset = ct("1.5", "1.4", 3)
        dataset.SliceThickness = "77.7"
        data = _file(dataset, syntax)
        assert data.count(b"77.7") == 1
        assert not by_library(data, tmp_path)
        assert by_library(data.replace(b"77.7", b"77,7"), tmp_path) is syntax.is_implicit_VR


def test_contours_and_pixels_are_passed_over_however_large(tmp_path):
    """Fifty megabytes of pixels: of the file, less than a thousandth is read."""
    head = _file(ct("1.5", "1.4", 3))
    head += struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, 50_000_000)
    path = tmp_path / "large"
    with path.open("wb") as out:
        out.write(head)
        out.truncate(len(head) + 50_000_000)
    read = 0
    with path.open("rb", buffering=0) as stream:

        class Counted(io.RawIOBase):
            def read(self, count=-1):
                nonlocal read
                data = stream.read(count)
                read += len(data)
                return data

            def seek(self, *at):
                return stream.seek(*at)

        layouts = dicom._LAYOUTS
        counted = cast(BinaryIO, Counted())
        piece = counted.read(dicom_ordinary.FIRST_PIECE)
        dicom_ordinary.read(counted, piece, path.stat().st_size, layouts, Limits())
    assert read < 100_000
    assert not by_library(head + b"\0" * 50_000_000, tmp_path)


def test_nothing_imports_pydicom_before_a_file_needs_it(tmp_path):
    (tmp_path / "ordinary").write_bytes(_file(plan("1.1")))
    (tmp_path / "implicit").write_bytes(_file(structure_set("1.3", "1.4"), ImplicitVRLittleEndian))
    (tmp_path / "odd").write_bytes(ODD["big endian"]())
    code = (
        "import sys\nfrom pathlib import Path\nfrom sarcoma_pipeline.sources import dicom\n"
        "from sarcoma_pipeline.sources.received_record import SourceFile\n"
        "from schemas.configuration import DicomSource\n"
        "source = DicomSource(kind='dicom', name='rt', files=('*',))\n"
        "for name in ('ordinary', 'implicit', 'odd'):\n"
        "    batch = dicom.read(SourceFile('f', Path(sys.argv[1], name), name), source, 'R1')\n"
        "    print(name, batch.count, *sorted({'pydicom', 'pandas', 'lxml', 'dagster'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["ordinary 1", "implicit 1", "odd 1 pydicom"]


def test_what_was_left_to_pydicom_is_counted(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("big endian", "deflated"):
            archive.writestr(name, ODD[name]())
        archive.writestr("explicit", ORDINARY["explicit"]())
    files = {"one": ORDINARY["implicit"](), "two": ODD["cut off"](), "three": packed.getvalue()}
    waiting = []
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        facts = path.stat()
        row = {"file_id": name, "path": name, "size_bytes": len(data), "mtime_ns": facts.st_mtime_ns}
        entry = Entry(path.parent, (name,), facts.st_size, facts.st_mtime_ns)
        waiting.append(Found(SourceFile(name, path, name, "rt"), SOURCE, row, False, entry))
    (group,) = read_parallel.read_all(waiting, "R1", Limits(), 1)
    assert {row["file_id"]: row["objects_by_library"] for row in group.files} == {
        "one": 0, "two": 1, "three": 2,
    }  # fmt: skip


def test_the_attributes_that_are_named_are_those_of_the_dictionary():
    for keyword, (number, vr) in ATTRIBUTES.items():
        assert (tag_for_keyword(keyword), dictionary_VR(number)) == (number, vr)
        assert not dictionary_is_retired(number)


def test_all_that_is_read_or_ignored_by_name_is_found_without_pydicom():
    asked = {word for _, keywords in GROUPS.values() for word in keywords}
    kinds = [kind for kind in vars(dicom).values() if isinstance(kind, dicom.Kind)]
    assert len(kinds) == 7
    asked |= {word for kind in kinds for path in kind.declared.outcomes for word in path.split("/")}
    assert asked - set(GROUPS) - set(ATTRIBUTES) == set()
    assert dicom_account.name(ATTRIBUTES["RTPlanLabel"][0]) == "RTPlanLabel"


def test_a_deflated_file_of_these_tests_is_deflated():
    data = ODD["deflated"]()
    meta = 144 + struct.unpack("<L", data[140:144])[0]
    assert b"RTPlan" not in data[meta:] and zlib.decompress(data[meta:], -zlib.MAX_WBITS)
