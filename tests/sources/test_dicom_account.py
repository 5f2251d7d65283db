"""The value account of DICOM: each attribute is read, ignored by name, or unknown.

The expected counts are of pydicom, which reads the same bytes whole, or counted by hand.
"""

import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from sarcoma_pipeline.sources import dicom, dicom_account
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from sarcoma_pipeline.sources.value_account import IGNORED, READ
from schemas.ignored_attributes import GROUPS
from tests.curation.rt_files import (
    BRACHY_RECORD,
    ION_PLAN,
    ION_RECORD,
    SOURCE,
    Field,
    FractionGroup,
    content,
    ct,
    days,
    electrons,
    enhanced_ct,
    hdr,
    item,
    plan,
    record,
    structure_set,
    summary,
)

DAY = days("20150302", 1)[0]
OBJECTS = {
    "plan": lambda: plan("1.1", groups=[FractionGroup(25, links=[1]), FractionGroup(5, links=[2])]),
    "plan of relations": lambda: plan("1.1", relations=[("1.0", "PREDECESSOR")], structures="1.3"),
    "electrons": lambda: electrons("1.1", 12, 1),
    "wedge": lambda: plan("1.1", beams=[Field(2.0, wedge="DYNAMIC")]),
    "ion plan": lambda: plan("1.1", beams=[Field(2.0, radiation="ION", mass_number=12)], sop_class=ION_PLAN),
    "brachytherapy": lambda: hdr("1.1", 15, 5),
    "record": lambda: record("1.1", DAY, 3, delivered=[200.0, 100.0], beams=[1, 2], group=1, time="101500"),
    "ion record": lambda: record("1.1", DAY, 3, sop_class=ION_RECORD),
    "brachytherapy record": lambda: record("1.1", DAY, 3, sop_class=BRACHY_RECORD),
    "summary": lambda: summary("1.1", 25, "20150302", "20150405"),
    "structures": lambda: structure_set("1.3", "1.4"),
    "ct": lambda: ct("1.5", "1.4", 3),
    "enhanced ct": lambda: enhanced_ct("1.5", "1.4", [3]),
    "enhanced ct of two thicknesses": lambda: enhanced_ct("1.5", "1.4", [3, 5]),
}


def read(data: bytes, folder: Path) -> Batch:
    path = folder / "object"
    path.write_bytes(data)
    return dicom.read(SourceFile("f", path, "object"), SOURCE, "R1")


def counts(batch: Batch) -> dict[str, int]:
    account = batch.account
    assert account.delivered == sum(account.counts.values()) + sum(account.unknown.values())
    return {**account.counts, **{f"unknown {path}": n for path, n in account.unknown.items()}}


def by_outcome(batch: Batch) -> Counter[str]:
    counted: Counter[str] = Counter()
    for path, count in batch.account.counts.items():
        counted[batch.account.outcomes[path][0]] += count
    counted["unknown"] += sum(batch.account.unknown.values())
    return counted


def leaves(dataset: Dataset, closed: frozenset[str] = frozenset()) -> int:
    """Attributes with a value, by pydicom alone; a closed sequence is one."""
    count = 0
    for element in dataset:
        if element.VR == "SQ" and element.keyword not in closed:
            count += sum(leaves(one, closed) for one in element.value)
        else:
            count += not element.is_empty
    return count


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("implicit", [True, False])
def test_all_that_the_files_of_courses_hold_is_read_or_named(tmp_path, name, implicit):
    data = content(OBJECTS[name](), implicit=implicit)
    batch = read(data, tmp_path)
    counts(batch)
    assert batch.account.unknown == {}
    whole = dcmread(io.BytesIO(data), force=True)
    assert batch.account.delivered == leaves(whole, frozenset({"FrameAnatomySequence"}))
    assert by_outcome(batch)[READ] > by_outcome(batch)[IGNORED]


@pytest.mark.parametrize("name", ["rtplan.dcm", "rtstruct.dcm", "rtdose.dcm", "CT_small.dcm"])
def test_of_the_makers_files_nothing_is_unknown(tmp_path, name):
    path = get_testdata_file(name)
    assert isinstance(path, str)
    batch = read(Path(path).read_bytes(), tmp_path)
    assert counts(batch) and batch.account.unknown == {}


def test_a_plan_counted_by_hand(tmp_path):
    # 8 of patient and object, label, date, intent, geometry, approval and frame: 14; one reference of 5; one
    # group of 4 with 3 of a beam. The beam: 8 of its own, and 3 control points, each with index, angle,
    # direction and weight, jaws and leaves (2 × 2): 24, the first with energy and isocentre.
    dataset = plan("1.1", beams=[Field(2.0)])
    batch = read(content(dataset), tmp_path)
    assert batch.account.delivered == 14 + 5 + 4 + 3 + 8 + 24 + 2
    assert batch.account.counts["BeamSequence/ControlPointSequence/GantryAngle"] == 3
    assert batch.account.counts["DoseReferenceSequence/TargetPrescriptionDose"] == 1
    # Index of the three control points; the character set.
    assert by_outcome(batch) == {READ: 60 - 4, IGNORED: 4, "unknown": 0}


def test_what_a_plan_is_read_into_follows_from_the_reader(tmp_path):
    outcomes = read(content(plan("1.1")), tmp_path).account.outcomes
    assert outcomes["DoseReferenceSequence/TargetPrescriptionDose"] == (READ, "TargetPrescriptionDose")
    assert outcomes["BeamSequence/ControlPointSequence/GantryAngle"] == (READ, "Beams")
    assert outcomes["ReferencedRTPlanSequence/RTPlanRelationship"] == (READ, "ReferencedPlans")
    outcomes = read(content(structure_set("1", "2")), tmp_path).account.outcomes
    assert outcomes["StructureSetROISequence/ROINumber"] == (READ, "RTROIInterpretedType")
    outcomes = read(content(enhanced_ct("1", "2", [3])), tmp_path).account.outcomes
    assert outcomes["KVP"] == (READ, "KVP")
    assert outcomes["PerFrameFunctionalGroupsSequence/PixelMeasuresSequence/SliceThickness"] == (
        READ, "SliceThickness",
    )  # fmt: skip


def test_the_voltage_of_an_enhanced_ct_without_ray_details(tmp_path):
    dataset = enhanced_ct("1", "2", [3])
    dataset.KVP = 120
    dataset.SharedFunctionalGroupsSequence[0].CTXRayDetailsSequence = [item(FilterType="NONE")]
    assert read(content(dataset), tmp_path).frames()["received.dicom_image"]["KVP"].to_list() == ["120.0"]


def test_what_nobody_named_is_unknown_wherever_it_stands(tmp_path):
    dataset = plan("1.1", groups=[FractionGroup(25, links=[1])])
    dataset.add_new(0x300AFFFC, "LO", "an attribute of a later edition")
    dataset.FractionGroupSequence[0].ReferencedDoseReferenceSequence[0].TargetPrescriptionDose = 50
    dataset.BeamSequence[0].ControlPointSequence[0].add_new(0x300AFFFE, "SH", "x")
    dataset.BeamSequence[1].ControlPointSequence[0].add_new(0x300AFFFE, "SH", "x")
    account = read(content(dataset), tmp_path).account
    assert account.unknown == {
        "(300A,FFFC)": 1,
        # The dose of one group alone: no rule uses it yet.
        "FractionGroupSequence/ReferencedDoseReferenceSequence/TargetPrescriptionDose": 1,
        "BeamSequence/ControlPointSequence/(300A,FFFE)": 2,
    }


def test_what_is_no_fact_is_ignored_by_its_kind(tmp_path):
    dataset = ct("1.5", "1.4", 3)
    before = counts(read(content(dataset), tmp_path))
    dataset.add_new(0x00091001, "LO", "maker's own")
    dataset.add_new(0x60003000, "OW", b"\0\0")
    dataset.OtherPatientIDs = "17"  # retired
    dataset.Rows = 512
    dataset.StudyDate = "20150101"
    dataset.StudyDescription = ""  # no value, nothing delivered
    dataset.add_new(0x7FE00010, "OW", b"\0" * 1000)
    after = counts(read(content(dataset), tmp_path))
    assert {path: n - before.get(path, 0) for path, n in after.items() if n != before.get(path, 0)} == {
        "(private)": 1, "(overlays)": 1, "(retired)": 1, "(image)": 2, "(study, series and staff)": 1,
    }  # fmt: skip


def test_a_sequence_that_nobody_opens_is_one_attribute(tmp_path):
    dataset = structure_set("1.3", "1.4")
    contour = item(ContourData=[0.0] * 300, NumberOfContourPoints=100)
    dataset.ROIContourSequence = [item(ContourSequence=[contour] * 50)] * 3
    assert counts(read(content(dataset), tmp_path))["(contours)"] == 1


def test_items_without_a_length_are_counted_alike(tmp_path):
    dataset = plan("1.1", groups=[FractionGroup(25, links=[1])])
    dataset.PatientSetupSequence = []
    defined = counts(read(content(dataset), tmp_path))
    for sequence in (
        dataset["BeamSequence"],
        dataset["DoseReferenceSequence"],
        dataset["FractionGroupSequence"],
    ):
        sequence.is_undefined_length = True
        for one in sequence.value:
            one.is_undefined_length_sequence_item = True
    one = dataset.BeamSequence[0]
    one["ControlPointSequence"].is_undefined_length = True
    assert counts(read(content(dataset), tmp_path)) == defined


def test_an_empty_sequence_that_is_opened_counts_nothing(tmp_path):
    dataset = plan("1.1")
    before = counts(read(content(dataset), tmp_path))
    for undefined in (False, True):
        dataset.FractionGroupSequence[0].ReferencedDoseReferenceSequence = []
        dataset.FractionGroupSequence[0]["ReferencedDoseReferenceSequence"].is_undefined_length = undefined
        dataset.ReferencedRTPlanSequence = []
        dataset["ReferencedRTPlanSequence"].is_undefined_length = undefined
        assert counts(read(content(dataset), tmp_path)) == before


def test_of_a_tag_that_comes_twice_one_is_unknown(tmp_path):
    def element(label: bytes) -> bytes:
        return b"\x0a\x30\x02\x00SH" + len(label).to_bytes(2, "little") + label

    data = content(plan("1.1", label="FIRST "))
    assert element(b"FIRST ") in data
    batch = read(data.replace(element(b"FIRST "), element(b"FIRST ") + element(b"SECOND")), tmp_path)
    assert counts(batch)["unknown RTPlanLabel (again)"] == 1


def test_an_object_of_another_kind_is_ignored_but_for_its_patient(tmp_path):
    dataset = item(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4", SOPInstanceUID="1.2", Modality="MR", PatientID="1",
        EchoTime=3, ImagingFrequency=63.8,
    )  # fmt: skip
    assert counts(read(content(dataset), tmp_path)) == {
        "SOPClassUID": 1, "SOPInstanceUID": 1, "Modality": 1, "PatientID": 1, "(another kind of object)": 2,
    }  # fmt: skip


@pytest.mark.parametrize("tallies", [0, 20, 1_000])
def test_an_archive_is_the_sum_of_its_objects(tmp_path, monkeypatch, tallies):
    monkeypatch.setattr(dicom_account, "_TALLIES_KEPT", tallies)
    packed = io.BytesIO()
    total: Counter[str] = Counter()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, make in OBJECTS.items():
            data = content(make())
            archive.writestr(f"{name}.dcm", data)
            total.update(counts(read(data, tmp_path)))
    assert counts(read(packed.getvalue(), tmp_path)) == total


def test_a_file_that_breaks_off_is_accounted_for_up_to_there(tmp_path):
    data = content(plan("1.1", structures="1.3"))
    at = data.index(b"\x0c\x30\x60\x00")
    batch = read(data[: at + 20], tmp_path)
    assert "received.dicom_plan" in batch.frames()
    whole = counts(read(data, tmp_path))
    broken = counts(batch)
    assert {path for path in whole if path not in broken} == {
        "ReferencedStructureSetSequence/ReferencedSOPInstanceUID", "ApprovalStatus",
    }  # fmt: skip


def test_tags_without_end_do_not_fill_the_account(tmp_path):
    dataset = plan("1.1")
    for number in range(3_000):
        dataset.add_new(0x300B0000 + 0x10000 + number + 0x4000, "SH", "x")
    account = read(content(dataset), tmp_path).account
    assert sum(account.unknown.values()) == 3_000 and len(account.unknown) <= 1_001


def test_every_ignored_keyword_is_one_of_dicom_and_named_once():
    keywords = [keyword for _, named in GROUPS.values() for keyword in named]
    assert not [k for k in keywords if (tag := tag_for_keyword(k)) is None or not dictionary_has_tag(tag)]
    assert not [keyword for keyword, times in Counter(keywords).items() if times > 1]
    assert all(reason for reason, _ in GROUPS.values())
