"""Plans, treatment records and images as the reader hands them over, from files and pydicom's own plans."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from sarcoma_pipeline.curation.dicom import with_plan_facts
from sarcoma_pipeline.sources import dicom, dicom_plan
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas import received as r
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
    enhanced_ct,
    hdr,
    item,
    level,
    plan,
    read,
    record,
    structure_set,
    summary,
)


def _row(dataset: Dataset, folder: Path, contract: type[r.DicomRecord] = r.DicomPlan) -> dict[str, Any]:
    ((found, values),) = read(dataset, folder)
    assert found is contract
    return values


def _file(path: Path, data: bytes):
    path.write_bytes(data)
    return dicom.read(SourceFile("f", path, path.name), SOURCE, "R1").frames()


def test_a_plan_with_its_groups_links_and_relations(tmp_path):
    groups = [FractionGroup(25, links=[1]), FractionGroup(8, [Field(0.9, 120.5)], links=[2])]
    row = _row(
        plan("1.1", references=[level(50), level(16, "PTV boost", "VOLUME")], groups=groups, approval=None,
             relations=[("1.0", "PREDECESSOR"), ("1.9", "PRIOR")], geometry="TREATMENT_DEVICE"),
        tmp_path,
    )  # fmt: skip
    assert (row["ApprovalStatus"], row["PlanIntent"], row["RTPlanGeometry"]) == (
        None, "CURATIVE", "TREATMENT_DEVICE",
    )  # fmt: skip
    others = [tuple(p.values()) for p in json.loads(row["ReferencedPlans"])]
    assert others == [("1.0", "PREDECESSOR"), ("1.9", "PRIOR")]
    references = json.loads(row["TargetPrescriptionDose"])
    assert [(x["DoseReferenceNumber"], x["DoseReferenceStructureType"]) for x in references] == [
        ("1", "SITE"), ("2", "VOLUME"),
    ]  # fmt: skip
    assert [float(x["TargetPrescriptionDose"]) for x in references] == [50, 16]
    first, second = json.loads(row["FractionGroups"])
    assert (first["NumberOfFractionsPlanned"], first["DoseReferences"]) == ("25", ["1"])
    assert second["Beams"] == [{"ReferencedBeamNumber": "3", "BeamDose": "0.9", "BeamMeterset": "120.5"}]
    assert row["NumberOfFractionsPlanned"] is row["BeamDose"] is None


def test_a_beam_tells_what_decides_the_technique(tmp_path):
    row = _row(plan("1.1", beams=[Field(2.0, wedge="DYNAMIC", isocentre=(1.5, -2, 30))]), tmp_path)
    (beam,) = json.loads(row["Beams"])
    assert (beam["ControlPoints"], beam["LeafPositions"], beam["WedgeType"]) == (3, 2, ["DYNAMIC"])
    assert [float(x) for x in beam["IsocenterPosition"].split("\\")] == [1.5, -2, 30]
    assert (beam["GantryRotationDirection"], beam["SourceAxisDistance"]) == (["CW", "NONE"], "1000.0")


def test_the_digest_is_of_the_control_points_not_of_their_spelling(tmp_path):
    def digest(dataset):
        return json.loads(_row(dataset, tmp_path)["Beams"])[0]["Digest"]

    base = plan("1.1", beams=[Field(2.0)])
    again = plan("1.2", beams=[Field(2.0)], label="other", date="20160101")
    point = again.BeamSequence[0].ControlPointSequence[0]
    point.GantryAngle = "180.000"
    assert digest(base) == digest(again)
    for change in (Field(2.0, turns="CC"), Field(2.0, energy=10), Field(2.0, isocentre=(0, 0, 1)),
                   Field(2.0, shapes=[(-20, 20), (-21, 20)])):  # fmt: skip
        assert digest(plan("1.3", beams=[change])) != digest(base)


_GEOMETRY = (
    "CumulativeMetersetWeight", "NominalBeamEnergy", "GantryAngle", "GantryRotationDirection",
    "BeamLimitingDeviceAngle", "PatientSupportAngle", "IsocenterPosition",
)  # fmt: skip


def _numbers(value: Any) -> str:
    return "\\".join(repr(float(one)) for one in value)


def _spelled(point: Dataset) -> str:
    values = {}
    for keyword in _GEOMETRY:
        value = point.get(keyword)
        if value is not None:
            texts = isinstance(value, str) and not hasattr(value, "original_string")
            values[keyword] = value if texts else _numbers(value if hasattr(value, "__len__") else [value])
    devices = [
        (one.RTBeamLimitingDeviceType, _numbers(one.LeafJawPositions))
        for one in point.get("BeamLimitingDevicePositionSequence", [])
    ]
    none = hashlib.blake2b(b"", digest_size=16).hexdigest()
    return json.dumps([values, sorted(devices, key=str), [none, none]])


def test_the_digest_is_a_hash_of_the_json_of_the_control_points(tmp_path):
    """Written by the json module from what pydicom reads: the reader writes this JSON itself."""
    odd = plan("1.1", beams=[Field(2.0, isocentre=(1.5, -2, 3e2))])
    _, second, _ = odd.BeamSequence[0].ControlPointSequence
    del second.BeamLimitingDevicePositionSequence
    second.PatientSupportAngle = "0"
    for dataset in (plan("1.1"), odd):
        points = dataset.BeamSequence[0].ControlPointSequence
        expected = hashlib.blake2b("\x1f".join(map(_spelled, points)).encode(), digest_size=16).hexdigest()
        assert json.loads(_row(dataset, tmp_path)["Beams"])[0]["Digest"] == expected


def test_texts_become_the_json_of_the_json_module():
    texts = ["", "PTV", None, 'a "quoted" one', "back\\slash", "Größe\u202e", "\t\r\n\x00", "\ud800"]
    assert dicom_plan.texts_as_json(texts) == json.dumps(texts, ensure_ascii=False)
    assert dicom_plan.texts_as_json(iter(texts[:1])) == '[""]'
    assert dicom_plan.texts_as_json([]) is None


def test_the_digest_is_the_same_in_every_transfer_syntax(tmp_path):
    base = plan("1.1")
    files = [content(base, implicit=implicit) for implicit in (True, False)]
    rows = [_file(tmp_path / "a", data)["received.dicom_plan"] for data in files]
    assert rows[0]["Beams"].item() == rows[1]["Beams"].item()
    assert rows[0]["content_hash"].item() == rows[1]["content_hash"].item()


def test_setup_beams_are_read_and_give_no_dose(tmp_path):
    beams = [Field(0.0, 1.0, delivery="SETUP"), Field(1.0), Field(1.0)]
    row = _row(plan("1.1", None, beams=beams), tmp_path)
    kinds = [b["TreatmentDeliveryType"] for b in json.loads(row["Beams"])]
    assert kinds == ["SETUP", "TREATMENT", "TREATMENT"]
    frame = r.DicomPlan.conform(pl.DataFrame([row]))
    facts = with_plan_facts(frame).row(0, named=True)
    assert (facts["_prescribed"], facts["_fractions"], facts["_origin"]) == (50.0, 25, "beam dose")


def test_an_ion_plan(tmp_path):
    beams = [Field(2.0, kind="STATIC", radiation="ION", mass_number=12, shapes=None)]
    row = _row(plan("1.1", beams=beams, sop_class=ION_PLAN), tmp_path)
    (beam,) = json.loads(row["Beams"])
    assert (beam["RadiationType"], beam["RadiationMassNumber"], beam["LeafPositions"]) == ("ION", "12", 0)


def test_a_brachytherapy_plan(tmp_path):
    dataset = hdr("1.1", 15, 5)
    dataset.ApplicationSetupSequence = [
        item(
            ApplicationSetupNumber=1, ApplicationSetupType="FLETCHER_SUIT", TotalReferenceAirKerma=12.5,
            ChannelSequence=[item(ChannelTotalTime=30, BrachyControlPointSequence=[
                item(ControlPoint3DPosition=[0, 0, z], CumulativeTimeWeight=z) for z in (0, 5)
            ])],
        )
    ]  # fmt: skip
    row = _row(dataset, tmp_path)
    assert (row["BrachyTreatmentType"], row["Beams"]) == ("HDR", None)
    (group,) = json.loads(row["FractionGroups"])
    assert [a["BrachyApplicationSetupDose"] for a in group["Applications"]] == ["3.0"]
    (setup,) = json.loads(row["Applications"])
    assert setup["TotalReferenceAirKerma"] == "12.5" and len(setup["Digest"]) == 32


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.481.4", BRACHY_RECORD, ION_RECORD])
def test_treatment_records_of_every_kind(tmp_path, sop_class):
    (day,) = days("20150302", 1)
    told = {"delivered": [200.0, 100.0], "beams": [1, 2], "group": 1, "time": "101500"}
    row = _row(record("1.1", day, 3, **told, sop_class=sop_class), tmp_path, r.DicomTreatment)
    assert [row[c] for c in ("TreatmentDate", "TreatmentTime", "ReferencedRTPlan")] == [
        "20150302", "101500", "1.1",
    ]  # fmt: skip
    assert (row["ReferencedFractionGroupNumber"], row["CurrentFractionNumber"]) == ("1", "3")
    wanted = ("ReferencedBeamNumber", "DeliveredMeterset", "TreatmentTerminationStatus")
    assert [tuple(s[c] for c in wanted) for s in json.loads(row["Sessions"])] == [
        ("1", "200.0", "NORMAL"), ("2", "100.0", "NORMAL"),
    ]  # fmt: skip


def test_monitor_units_of_control_points_count_from_the_first_on(tmp_path):
    (day,) = days("20150302", 1)
    dataset = record("1.1", day, 1)
    dataset.TreatmentSessionBeamSequence[0].ControlPointDeliverySequence = [
        item(DeliveredMeterset=0.0), item(DeliveredMeterset=150.0), item(DeliveredMeterset=300.0),
    ]  # fmt: skip
    (session,) = json.loads(_row(dataset, tmp_path, r.DicomTreatment)["Sessions"])
    assert session["DeliveredMeterset"] == "300.0"


def test_a_treatment_summary(tmp_path):
    row = _row(summary("1.1", 24, "20150302", "20150402"), tmp_path, r.DicomTreatment)
    assert (row["FirstTreatmentDate"], row["MostRecentTreatmentDate"]) == ("20150302", "20150402")
    (group,) = json.loads(row["FractionGroupSummaries"])
    assert (group["NumberOfFractionsDelivered"], group["NumberOfFractionsPlanned"]) == ("24", "25")
    assert row["Sessions"] is None


def test_a_structure_set_names_its_series_and_a_slice_its_thickness(tmp_path):
    row = _row(structure_set("1.3", "1.30"), tmp_path, r.DicomStructureSet)
    assert json.loads(row["ReferencedSeries"]) == ["1.30"] and row["FrameOfReferenceUID"] == "1.9"
    assert _row(ct("1.4", "1.30", 2.5), tmp_path, r.DicomImage)["SliceThickness"] == "2.5"


@pytest.mark.parametrize(
    ("thickness", "shown"), [([3.0], "3.0"), ([2.0, 3.0, 3.0], "3.0"), ([3.0, 2.0], "2.0")]
)
def test_an_enhanced_ct_holds_the_thickness_in_its_groups(tmp_path, thickness, shown):
    row = _row(enhanced_ct("1.5", "1.30", thickness), tmp_path, r.DicomImage)
    assert row["SliceThickness"] == shown


def test_blanks_around_a_patient_id_mean_nothing(tmp_path, records):
    records.patient()
    records.diagnosis()
    for at, number in enumerate(("1 ", " 1", "1")):
        dataset = plan(f"1.{at}", beams=[Field(2.0, 300 + at)])
        dataset.PatientID = number
        ((contract, values),) = read(dataset, tmp_path)
        records.add(contract, **values)
    outcome = records.run()
    assert outcome["radiotherapy_plan"]["patient_id"].unique().to_list() == ["number:1"]
    assert outcome.typed["typed.person"]["hospital_number"].unique().to_list() == ["1"]


def test_the_plans_of_pydicom_are_read_and_prescribed(tmp_path):
    path = Path(str(get_testdata_file("rtplan.dcm")))
    row = _file(tmp_path / "a", path.read_bytes())["received.dicom_plan"]
    facts = with_plan_facts(row).row(0, named=True)
    plain = dcmread(path)
    group, reference = plain.FractionGroupSequence[0], plain.DoseReferenceSequence[1]
    assert facts["_prescribed"] == pytest.approx(float(reference.TargetPrescriptionDose))
    assert facts["_fractions"] == group.NumberOfFractionsPlanned == 30
    assert facts["_technique"] == "3D conformal" and facts["_energy"] == 6.0
    (read_group,) = json.loads(row["FractionGroups"].item())
    first = group.ReferencedBeamSequence[0]
    assert float(read_group["Beams"][0]["BeamMeterset"]) == pytest.approx(float(first.BeamMeterset))
    (beam,) = json.loads(row["Beams"].item())
    assert beam["ControlPoints"] == len(plain.BeamSequence[0].ControlPointSequence)


def test_the_truncated_plan_of_pydicom_keeps_its_prescription(tmp_path):
    data = Path(str(get_testdata_file("rtplan_truncated.dcm"))).read_bytes()
    frames = _file(tmp_path / "a", data)
    facts = with_plan_facts(frames["received.dicom_plan"]).row(0, named=True)
    assert (facts["_prescribed"], facts["_fractions"]) == (pytest.approx(30.826203), 30)
    assert frames["received.unread"]["rule_id"].to_list() == ["file.truncated"]
