"""Sequences whose lengths do not add up, attributes that stand twice, and single items that are several."""

import io
import struct

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sarcoma_pipeline.sources import dicom
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import DicomSource
from schemas.received import PROVENANCE
from tests.sources.open_lengths import leave_lengths_open

SOURCE = DicomSource(kind="dicom", name="rt", files=("*",))
SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
REPEATED = "file.attribute-repeated"


def _read(tmp_path, content: bytes):
    """Return the delivered values of the object, and the faults of its file."""
    path = tmp_path / "object"
    path.write_bytes(content)
    frames = dicom.read(SourceFile("f", path, "object"), SOURCE, "R1").frames()
    faults = frames.pop("received.unread", None)
    values = [
        {k: v for k, v in row.items() if k not in PROVENANCE} | {"table": table}
        for table, frame in frames.items()
        for row in frame.rows(named=True)
    ]
    return values, [] if faults is None else faults["rule_id"].to_list()


def _written(dataset: Dataset, syntax=ExplicitVRLittleEndian, *, open_ended: bool = False) -> bytes:
    if open_ended:
        leave_lengths_open(dataset)
    for unwritable in ("PixelData",):
        if unwritable in dataset:
            delattr(dataset, unwritable)
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR,
             little_endian=syntax.is_little_endian)  # fmt: skip
    return out.getvalue()


def _real(name: str) -> Dataset:
    return dcmread(str(get_testdata_file(name)), force=True)


def _lengths(content: bytes, syntax) -> list[int]:
    """Return where the lengths of items stand, and those of sequences where the encoding names them."""
    item = b"\xfe\xff\x00\xe0" if syntax.is_little_endian else b"\xff\xfe\xe0\x00"
    span = range(132, len(content) - 12)
    items = [i + 4 for i in span if content[i : i + 4] == item]
    if syntax.is_implicit_VR:
        before = [at - 12 for at in items if _is_sequence(*struct.unpack("<HH", content[at - 12 : at - 8]))]
        return items + [at + 4 for at in before]
    return items + [i + 8 for i in span if content[i + 4 : i + 8] == b"SQ\0\0"]


def _is_sequence(group: int, element: int) -> bool:
    tag = group << 16 | element
    return dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"


@pytest.mark.parametrize("open_ended", [False, True], ids=["with lengths", "without lengths"])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_no_wrong_length_of_a_sequence_or_an_item_changes_a_plan_in_silence(tmp_path, syntax, open_ended):
    content = _written(_real("rtplan.dcm"), syntax, open_ended=open_ended)
    sound, faults = _read(tmp_path, content)
    assert faults == []
    places = _lengths(content, syntax)
    assert len(places) > 20
    form = "<L" if syntax.is_little_endian else ">L"
    silent = []
    for at in places:
        (length,) = struct.unpack(form, content[at : at + 4])
        # Nothing, a part, more, no length, and each length that ends where another item or sequence begins.
        ends = {other - at - (8 if other in places else 4) for other in places if other > at}
        for wrong in {0, 2, length // 2, length + 2, length + 100, 0xFFFFFFFF, *list(ends)[:6]} - {length}:
            damaged = bytearray(content)
            damaged[at : at + 4] = struct.pack(form, wrong & 0xFFFFFFFF)
            values, faults = _read(tmp_path, bytes(damaged))
            if values != sound and not faults:
                silent.append((at, length, wrong))
    assert silent == []


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_a_sound_file_has_no_fault_in_any_encoding(tmp_path, syntax):
    for name in ("rtplan.dcm", "rtstruct.dcm", "CT_small.dcm", "rtdose_1frame.dcm"):
        if get_testdata_file(name) is not None:
            assert _read(tmp_path, _written(_real(name), syntax))[1] == []


def test_a_truncated_sequence_is_not_taken_for_the_whole_one(tmp_path):
    plan = _real("rtplan.dcm")
    content = _written(plan)
    tag = b"\x0a\x30\xb0\x00SQ\0\0"  # BeamSequence
    at = content.index(tag) + 8
    (length,) = struct.unpack("<L", content[at : at + 4])
    # The last item is cut in the middle, and what is missing of it is missing in the file as well.
    cut = content[: at + 4 + length - 40] + content[at + 4 + length :]
    damaged = cut[:at] + struct.pack("<L", length - 40) + cut[at + 4 :]
    values, faults = _read(tmp_path, damaged)
    assert faults == ["file.unreadable"]
    assert values[0]["Beams"] is None and values[0]["RTPlanLabel"] == plan.RTPlanLabel


def _second(dataset: Dataset, keyword: str, uid: str) -> None:
    again = Dataset()
    again.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"
    again.ReferencedSOPInstanceUID = uid
    setattr(dataset, keyword, Sequence([*getattr(dataset, keyword, []), again]))


def _reference(uid: str = "1.2.3") -> Dataset:
    dataset = _real("rtplan.dcm")
    dataset.ReferencedStructureSetSequence = Sequence([])
    _second(dataset, "ReferencedStructureSetSequence", uid)
    return dataset


def test_a_plan_of_two_structure_sets_is_noted_and_the_first_is_read(tmp_path):
    dataset = _reference()
    values, faults = _read(tmp_path, _written(dataset))
    assert (values[0]["ReferencedStructureSet"], faults) == ("1.2.3", [])
    _second(dataset, "ReferencedStructureSetSequence", "1.2.4")
    values, faults = _read(tmp_path, _written(dataset))
    assert (values[0]["ReferencedStructureSet"], faults) == ("1.2.3", [REPEATED])
    dataset.ReferencedStructureSetSequence = Sequence([])
    assert _read(tmp_path, _written(dataset))[1] == []


@pytest.mark.parametrize(
    ("summation", "plans", "expected"),
    [("PLAN", 1, []), ("PLAN", 2, [REPEATED]), (None, 2, [REPEATED]), ("MULTI_PLAN", 2, [])],
)
def test_only_the_sum_of_several_plans_refers_to_several(tmp_path, summation, plans, expected):
    dose = Dataset()
    dose.file_meta = _real("rtplan.dcm").file_meta
    dose.SOPClassUID, dose.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.9"
    dose.Modality, dose.DoseUnits, dose.DoseType = "RTDOSE", "GY", "PHYSICAL"
    if summation:
        dose.DoseSummationType = summation
    for number in range(plans):
        _second(dose, "ReferencedRTPlanSequence", f"1.2.{number}")
    assert _read(tmp_path, _written(dose))[1] == expected


def test_a_treatment_record_of_two_plans_is_noted(tmp_path):
    record = Dataset()
    record.file_meta = _real("rtplan.dcm").file_meta
    record.SOPClassUID, record.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.4", "1.2.8"
    record.Modality, record.TreatmentDate = "RTRECORD", "20120501"
    record.TreatmentSessionBeamSequence = Sequence([Dataset()])
    record.TreatmentSessionBeamSequence[0].CurrentFractionNumber = 1
    _second(record, "ReferencedRTPlanSequence", "1.2.1")
    assert _read(tmp_path, _written(record))[1] == []
    _second(record, "ReferencedRTPlanSequence", "1.2.2")
    assert _read(tmp_path, _written(record))[1] == [REPEATED]


def _element(group: int, element: int, text: str) -> bytes:
    value = text.encode()
    return struct.pack("<HH2sH", group, element, b"DS", len(value)) + value


@pytest.mark.parametrize("nested", [False, True], ids=["top level", "in an item"])
def test_an_attribute_that_stands_twice_is_noted(tmp_path, nested):
    dataset = _real("rtplan.dcm")
    content = _written(dataset)
    prescribed = _element(0x300A, 0x0026, "50.4")
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    if nested:
        inner = prescribed + _element(0x300A, 0x0026, "60.0")
        items = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
    else:
        items = item
    once = struct.pack("<HH2sHL", 0x300A, 0x0010, b"SQ", 0, len(items)) + items
    start = content.index(b"\x0a\x30\x10\x00SQ\0\0")
    (length,) = struct.unpack("<L", content[start + 8 : start + 12])
    made = content[:start] + once * (1 if nested else 2) + content[start + 12 + length :]
    assert _read(tmp_path, made)[1] == [REPEATED]
