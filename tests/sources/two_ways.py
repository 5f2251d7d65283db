"""The two ways of reading DICOM compared: on sound files of every kind, and on mutants of them."""

from __future__ import annotations

import io
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from unittest import mock

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file, get_testdata_files
from pydicom.dataelem import RawDataElement
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sarcoma_pipeline.sources import dicom, dicom_ordinary
from sarcoma_pipeline.sources.dicom_decode import Unordinary
from sarcoma_pipeline.sources.dicom_layout import Layouts
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from sarcoma_pipeline.synthetic import render
from schemas.configuration import DEFAULT_LIMITS, DicomSource, Limits
from tests.curation.rt_files import content
from tests.sources import layout_mutants, mutations
from tests.sources.test_dicom_account import OBJECTS

REPOSITORY = Path(__file__).parents[2]
SOURCE = DicomSource(kind="dicom", name="rt", files=("*",))
_LARGEST_SEED = 30_000
_MODALITIES = ("CT", "RTPLAN", "RTSTRUCT", "RTDOSE", "RTRECORD")
_CHARACTER_SETS = ("ISO_IR 100", "ISO_IR 192", "ISO_IR 6", "", "ISO_IR 144", "ISO 2022 IR 6\\ISO 2022 IR 100")


def by_pydicom():
    """Leave every file to pydicom."""
    return mock.patch.object(dicom_ordinary, "read", side_effect=Unordinary)


def told(batch: Batch) -> list[object]:
    """All that a reading says: records and findings with their names, and the account of the values."""
    account = batch.account
    return [
        {contract.table(): rows for contract, rows in batch.rows.items()},
        list(account.counts.items()), list(account.unknown.items()), dict(account.outcomes),
        account.delivered,
    ]  # fmt: skip


def file(path: Path) -> SourceFile:
    """A file of the source."""
    return SourceFile("f", path, path.name, "rt", "", "c")


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[list[object], list[object], bool]:
    """What both ways say of a file, the ordinary one first, and whether it took the file."""
    one = dicom.read(file(path), SOURCE, "R1", limits)
    with by_pydicom():
        other = dicom.read(file(path), SOURCE, "R1", limits)
    return told(one), told(other), one.by_library == 0


def demo(folder: Path) -> list[Path]:
    """Files of the rendered demo."""
    render.demo(folder, 7, REPOSITORY / "data/demo")
    return sorted((folder / "dicom").rglob("*.dcm"))


def genuine() -> list[Path]:
    """Test files of pydicom's makers that lie here; nothing is fetched for it."""
    folder = Path(str(get_testdata_file("CT_small.dcm"))).parent
    return [p for p in map(Path, sorted(set(get_testdata_files()))) if folder in p.parents and p.is_file()]


def seeds(folder: Path) -> list[bytes]:
    """One sound file of every kind, as it is and in four encodings."""
    kinds: dict[tuple[str, int], Path] = {}
    for path in demo(folder):
        kinds.setdefault((path.name[:2], path.stat().st_size // 2000), path)
    others = [path.read_bytes() for path in genuine()]
    files = [path.read_bytes() for path in kinds.values()]
    files += [content(make(), implicit=implicit) for make in OBJECTS.values() for implicit in (False, True)]
    found = list(others)
    for data in [
        *files,
        *(one for one in others if dcmread(io.BytesIO(one), force=True).get("Modality") in _MODALITIES),
    ]:
        found.append(data)
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            for open_ended in (False, True):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        found.append(
                            _written(dcmread(io.BytesIO(data), force=True), syntax, open_ended=open_ended)
                        )
                    except Exception:  # a file that is damaged on purpose cannot be written anew
                        break
    return [one for one in found if len(one) < _LARGEST_SEED]


def _written(dataset: Dataset, syntax, *, open_ended: bool) -> bytes:
    dataset.SpecificCharacterSet = "ISO_IR 192" if open_ended else "ISO_IR 100"
    dataset.PatientName = "Müller^Änne"
    if open_ended:
        _leave_open(dataset)
    if "PixelData" in dataset:
        del dataset.PixelData
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    return out.getvalue()


def _leave_open(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for one in element.value:
                one.is_undefined_length_sequence_item = True
                _leave_open(one)


# --- mutations that leave much of a file ordinary ------------------------------------------------------


def _spans(data: bytes) -> list[tuple[int, int]]:
    """Where the elements of the top level begin and end."""
    dataset = dcmread(io.BytesIO(data), force=True)
    ends = [e.value_tell + e.length for e in dataset.values() if isinstance(e, RawDataElement)]
    ends = sorted(end for end in ends if 132 < end <= len(data))
    return list(pairwise(ends))


def swap(data: bytes, draw: random.Random) -> bytes:
    """Two elements that follow each other are exchanged, or one of them stands twice, or is missing."""
    spans = _spans(data)
    place = draw.randrange(len(spans) - 1)
    (start, middle), (_, stop) = spans[place], spans[place + 1]
    one, other = data[start:middle], data[middle:stop]
    kind = draw.choice((other + one, one + one + other, one + other + other, one, other))
    return data[:start] + kind + data[stop:]


def nudge(data: bytes, draw: random.Random) -> bytes:
    """One letter or digit of a value becomes another character."""
    changed = bytearray(data)
    places = [i for i in range(min(200, len(data) - 1), len(data)) if chr(data[i]).isalnum()]
    if places:
        changed[draw.choice(places)] = draw.choice(b"0 .\\^=-+eE_\0\x1b\xe4\xff\t\nAZ~,")
    return bytes(changed)


def character_set(data: bytes, draw: random.Random) -> bytes:
    """The texts are said to be written in another character set than they are."""
    name = draw.choice(_CHARACTER_SETS).encode()
    name += b" " * (len(name) % 2)
    at = data.find(b"\x08\0\x05\0")
    if at < 0:
        return nudge(data, draw)
    if data[at + 4 : at + 6] == b"CS":
        length = int.from_bytes(data[at + 6 : at + 8], "little")
        return data[: at + 6] + len(name).to_bytes(2, "little") + name + data[at + 8 + length :]
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    return data[: at + 4] + len(name).to_bytes(4, "little") + name + data[at + 8 + length :]


def mutant(data: bytes, draw: random.Random) -> bytes:
    """A seed after one mutation, or two."""
    known = (
        swap, nudge, nudge, nudge, character_set, mutations.dicom, mutations.dicom_headers, *mutations.BYTES,
    )  # fmt: skip
    for _n in range(draw.choice((1, 1, 1, 2))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom, which is told to write what is wrong
            try:
                data = draw.choice(known)(data, draw)
            except Exception:  # too damaged for a mutation that must understand it
                data = mutations.flip(data, draw)
    return data


@dataclass
class Compared:
    """What a comparison met.

    Attributes:
        files: how many were read in both ways.
        ordinary: how many of them the ordinary way took.
        different: number of the case to the file of which the two ways say different things.
        unread: rules of the notes of those that it took, so that they are seen not to be sound ones only.
    """

    files: int = 0
    ordinary: int = 0
    different: dict[int, bytes] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)


def cases(found: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Mutants; the same seed gives the same ones."""
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        yield mutant(draw.choice(found), draw)


def alike(found: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Sound files, each beside mutants of nearly its layout and beside a file of another kind."""
    sound = [one for one in found if can_be_cut(one)]
    for number in range(count):
        draw = random.Random(f"alike {seed} {number}")
        one, other = draw.choice(sound), draw.choice(sound)
        yield from (one, layout_mutants.mutant(one, draw), other, layout_mutants.mutant(one, draw))


def beside_runs(found: list[bytes], files: int, mutants: int, seed: int, path: Path) -> Compared:
    """Compare mutants of files whose attributes are known and are read at once."""
    sound = [one for one in found if can_be_cut(one)]
    whole = Compared()
    for number in range(files):
        draw = random.Random(f"beside runs {seed} {number}")
        data = draw.choice(sound)
        with mock.patch.object(dicom, "_LAYOUTS", Layouts(dicom._TREE)) as layouts:
            path.write_bytes(data)
            for _n in range(3):  # an item is read at once if two others had its length
                read(path)
            layouts.find_runs()
            cases = [data, *(layout_mutants.mutant(data, draw) for _n in range(mutants))]
            outcome = compared(iter(cases), path)
        whole.files += outcome.files
        whole.ordinary += outcome.ordinary
        whole.different |= {len(whole.different) + n: one for n, one in outcome.different.items()}
    return whole


def can_be_cut(data: bytes) -> bool:
    """Whether the elements of a file can be changed one by one."""
    try:
        layout_mutants.elements(data)
    except Exception:  # of pydicom on a file that is damaged, compressed or big endian
        return False
    return True


def compared(files: Iterator[bytes], path: Path, limits: Limits = DEFAULT_LIMITS) -> Compared:
    """Read files in both ways."""
    outcome = Compared()
    for number, data in enumerate(files):
        path.write_bytes(data)
        one, other, ordinary = read(path, limits)
        outcome.files += 1
        outcome.ordinary += ordinary
        if one != other:
            outcome.different[number] = data
    return outcome
