"""The DICOM reader on real files, on damaged ones, and what it says of a patient: nothing."""

import io
import json
import logging
import random
import warnings
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sarcoma_pipeline.sources import dicom
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import DicomSource
from tests.sources.open_lengths import leave_lengths_open

SOURCE = DicomSource(kind="dicom", name="rt", files=("*",))


def _real(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def _read(tmp_path: Path, content: bytes):
    path = tmp_path / "object"
    path.write_bytes(content)
    return dicom.read(SourceFile("f", path, "object"), SOURCE, "R1").frames()


def _record(tmp_path: Path, content: bytes, table: str):
    frames = _read(tmp_path, content)
    assert set(frames) == {table}
    return frames[table].row(0, named=True)


def _rules(frames) -> list[str]:
    return frames["received.unread"]["rule_id"].to_list() if "received.unread" in frames else []


def _changed(name: str, **values) -> bytes:
    dataset = dcmread(io.BytesIO(_real(name)), force=True)
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=False)
    return out.getvalue()


def test_plan(tmp_path):
    plan = _record(tmp_path, _real("rtplan.dcm"), "received.dicom_plan")
    assert plan["PatientID"] == "id00001" and plan["PatientName"] == "Last^First^mid^pre"
    assert plan["PatientBirthDate"] is None and plan["PatientSex"] == "O"
    assert plan["RTPlanDate"] == "20030903" and plan["ApprovalStatus"] == "UNAPPROVED"
    assert plan["ReferencedStructureSet"] == "1.2.333.444.55.6.7777.88888"
    assert plan["file_meta"] == "yes" and plan["position"] == "file"
    (group,) = json.loads(plan["FractionGroups"])
    assert (group["FractionGroupNumber"], group["NumberOfFractionsPlanned"]) == ("1", "30")
    assert group["Beams"] == [
        {"ReferencedBeamNumber": "1", "BeamDose": "1.02754010000000", "BeamMeterset": "116.003669700000"}
    ]
    references = json.loads(plan["TargetPrescriptionDose"])
    assert [(d["DoseReferenceType"], d["TargetPrescriptionDose"]) for d in references] == [
        ("ORGAN_AT_RISK", None),
        ("TARGET", "30.8262030000000"),
    ]
    (beam,) = json.loads(plan["Beams"])
    assert beam | {"Digest": ""} == {
        "BeamNumber": "1", "BeamType": "STATIC", "RadiationType": "PHOTON", "TreatmentMachineName": "unit001",
        "Manufacturer": "Linac co.", "ManufacturerModelName": "Zapper9000",
        "TreatmentDeliveryType": "TREATMENT", "SourceAxisDistance": "1000.00000000000",
        "RadiationMassNumber": None, "RadiationAtomicNumber": None,
        "NominalBeamEnergy": "6.00000000000000",
        "IsocenterPosition": "235.711172833292\\244.135437110782\\-724.97815409918",
        "GantryRotationDirection": ["NONE"], "WedgeType": [], "ControlPoints": 2, "LeafPositions": 0,
        "Digest": "",
    }  # fmt: skip


def test_structure_set_without_file_meta(tmp_path):
    structures = _record(tmp_path, _real("rtstruct.dcm"), "received.dicom_structure_set")
    assert structures["file_meta"] == "no"
    assert json.loads(structures["ROIName"]) == ["patient", "Isocenter 1", "Isocenter 2"]
    assert json.loads(structures["RTROIInterpretedType"]) == ["EXTERNAL", "ISOCENTER", "ISOCENTER"]
    frame = "1.2.826.0.1.3680043.8.498.2010020400001.2"
    assert structures["FrameOfReferenceUID"] == frame
    assert json.loads(structures["ReferencedSeries"]) == [frame + ".1.1"]


def test_dose_and_image(tmp_path):
    dose = _record(tmp_path, _real("rtdose.dcm"), "received.dicom_dose")
    assert (dose["DoseUnits"], dose["DoseGridScaling"]) == ("RELATIVE", "1.0000000e-6")
    assert dose["ReferencedRTPlan"] == "1.2.123.456.78.9.0123.4567.89012345678901"
    image = _record(tmp_path, _real("CT_small.dcm"), "received.dicom_image")
    assert (image["SliceThickness"], image["KVP"]) == ("5.000000", "120")
    assert json.loads(image["PixelSpacing"]) == ["0.661468", "0.661468"]


def test_treatment_record(tmp_path):
    record = Dataset()
    record.SOPClassUID, record.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.4", "1.2.3"
    record.Modality, record.TreatmentDate, record.NumberOfFractionsPlanned = "RTRECORD", "20140203", "25"
    beam, plan = Dataset(), Dataset()
    beam.CurrentFractionNumber, plan.ReferencedSOPInstanceUID = "7", "1.2.4"
    record.TreatmentSessionBeamSequence = Sequence([beam])
    record.ReferencedRTPlanSequence = Sequence([plan])
    out = io.BytesIO()
    record.save_as(out, implicit_vr=True, little_endian=True)
    row = _record(tmp_path, out.getvalue(), "received.dicom_treatment")
    got = [row[k] for k in ("TreatmentDate", "CurrentFractionNumber", "ReferencedRTPlan")]
    assert got == ["20140203", "7", "1.2.4"]


def test_other_kinds_and_kinds_told_by_modality(tmp_path):
    assert set(_read(tmp_path, _real("MR_small.dcm"))) == {"received.dicom_other"}
    assert set(_read(tmp_path, _real("DICOMDIR"))) == {"received.dicom_other"}
    # A class of the standard that no study uses stays other although its modality says RTPLAN.
    other = _changed("rtplan.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.481.10")
    assert set(_read(tmp_path, other)) == {"received.dicom_other"}
    ion = _changed("rtplan.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.481.8")
    assert set(_read(tmp_path, ion)) == {"received.dicom_plan"}
    vendor = _changed("rtplan.dcm", SOPClassUID="1.2.246.352.70.1.70")
    assert set(_read(tmp_path, vendor)) == {"received.dicom_plan"}


def test_fraction_groups_and_imaging_beams(tmp_path):
    dataset = dcmread(io.BytesIO(_real("rtplan.dcm")))
    group = dataset.FractionGroupSequence[0]
    doses = []
    for dose in ("0.7", "1.1"):  # 1.7999999999999998 in binary floating point
        beam = Dataset()
        beam.BeamDose = dose
        doses.append(beam)
    group.ReferencedBeamSequence = Sequence(doses)
    second = Dataset()
    second.NumberOfFractionsPlanned = "5"
    dataset.FractionGroupSequence.append(second)
    setup = Dataset()
    setup.TreatmentDeliveryType = "SETUP"
    dataset.BeamSequence.insert(0, setup)
    out = io.BytesIO()
    dataset.save_as(out)
    plan = _record(tmp_path, out.getvalue(), "received.dicom_plan")
    first, other = json.loads(plan["FractionGroups"])
    assert (first["NumberOfFractionsPlanned"], other["NumberOfFractionsPlanned"]) == ("30", "5")
    assert [b["BeamDose"] for b in first["Beams"]] == ["0.7", "1.1"] and other["Beams"] == []
    assert [b["TreatmentDeliveryType"] for b in json.loads(plan["Beams"])] == ["SETUP", "TREATMENT"]


def test_the_same_plan_with_and_without_meta_is_the_same_record(tmp_path):
    bare = dcmread(io.BytesIO(_real("rtplan.dcm")))
    out = io.BytesIO()
    Dataset(bare).save_as(out, implicit_vr=True, little_endian=True, enforce_file_format=False)
    whole = _record(tmp_path, _real("rtplan.dcm"), "received.dicom_plan")
    without = _record(tmp_path, out.getvalue(), "received.dicom_plan")
    assert without["file_meta"] == "no"
    assert without["record_key"] == whole["record_key"] and without["content_hash"] == whole["content_hash"]
    assert (
        _record(tmp_path, _changed("rtplan.dcm", PatientID=None), "received.dicom_plan")["PatientID"] is None
    )


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file.empty"),
        (_zip(), "file.wrong-format"),
        (b"\x08\x00 a text that begins like a tag of DICOM", "file.wrong-format"),
        (random.Random(1).randbytes(5000), "file.wrong-format"),
        (b"\x08\x00" + random.Random(2).randbytes(5000), "file.wrong-format"),
        (b"\x00" * 128 + b"DICM", "file.truncated"),
        (_real("rtplan.dcm")[:900], "file.truncated"),
        (_real("rtstruct.dcm")[:900], "file.truncated"),
        (_real("rtdose.dcm")[:500], "file.truncated"),
    ],
)
def test_no_object(tmp_path, content, rule):
    frames = _read(tmp_path, content)
    assert set(frames) == {"received.unread"} and _rules(frames) == [rule]


def test_missing_file_is_unreadable(tmp_path):
    frames = dicom.read(SourceFile("f", tmp_path / "gone", "gone"), SOURCE, "R1").frames()
    assert _rules(frames) == ["file.unreadable"]
    assert frames["received.unread"]["detail"].item() == "cannot be opened: FileNotFoundError"


@pytest.mark.parametrize("undefined_lengths", [False, True])
def test_every_cut_is_noted_and_no_dose_is_halved(tmp_path, undefined_lengths):
    dataset = dcmread(io.BytesIO(_real("rtplan.dcm")))
    if undefined_lengths:
        leave_lengths_open(dataset)
    out = io.BytesIO()
    dataset.save_as(out)
    content = out.getvalue()
    full = _record(tmp_path, content, "received.dicom_plan")
    kept = 0
    for length in range(140, len(content), 7):
        frames = _read(tmp_path, content[:length])
        plans = frames.get("received.dicom_plan")
        assert plans is not None or _rules(frames) == ["file.truncated"]
        if plans is not None:
            kept += 1
            for column in ("FractionGroups", "TargetPrescriptionDose", "PatientID"):
                assert plans[column].item() == full[column]
    assert kept > 50


def test_truncated_plan_of_pydicom_keeps_its_prescription(tmp_path):
    frames = _read(tmp_path, _real("rtplan_truncated.dcm"))
    plan = frames["received.dicom_plan"].row(0, named=True)
    assert json.loads(plan["TargetPrescriptionDose"])[1]["TargetPrescriptionDose"] == "30.8262030000000"
    assert plan["ApprovalStatus"] is None  # behind the break
    assert _rules(frames) == ["file.truncated"]


def test_pixels_cut_off_leave_the_header(tmp_path):
    frames = _read(tmp_path, _real("CT_small.dcm")[:20_000])
    assert frames["received.dicom_image"]["SliceThickness"].item() == "5.000000"
    assert _rules(frames) == ["file.truncated"]


def test_a_sequence_that_cannot_be_parsed_is_noted(tmp_path):
    content = _real("rtplan.dcm")
    start = content.index(b"\x0a\x30\x10\x00")
    end = start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")
    frames = _read(tmp_path, content[: start + 4] + b"\x04\x00\x00\x00abcd" + content[end:])
    assert frames["received.dicom_plan"]["TargetPrescriptionDose"].item() is None
    assert '"BeamDose": "1.02754010000000"' in frames["received.dicom_plan"]["FractionGroups"].item()
    assert frames["received.unread"].select("position", "rule_id", "detail").rows() == [
        ("file DoseReferenceSequence", "file.unreadable", "DoseReferenceSequence cannot be parsed")
    ]


def test_values_that_break_the_rules_are_handed_on_and_never_told(tmp_path, caplog, recwarn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = _changed("rtplan.dcm", PatientBirthDate="00/00/0000")
    broken = content.replace(b"\x0a\x30\x78\x00\x02\x00\x00\x0030", b"\x0a\x30\x78\x00\x02\x00\x00\x003x")
    assert broken != content
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        plan = _record(tmp_path, broken, "received.dicom_plan")
    assert plan["PatientBirthDate"] == "00/00/0000"
    assert json.loads(plan["FractionGroups"])[0]["NumberOfFractionsPlanned"] == "3x"
    assert not caplog.records and not list(recwarn)


def test_names_in_their_character_set(tmp_path):
    content = _changed("rtplan.dcm", SpecificCharacterSet="ISO_IR 192", PatientName="Müßig^Zoë")
    assert _record(tmp_path, content, "received.dicom_plan")["PatientName"] == "Müßig^Zoë"
