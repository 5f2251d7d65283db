"""The written DICOM files, read back by the reader and curation."""

import datetime as dt
import warnings
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from pydicom import dcmread

from sarcoma_pipeline.curation.dicom import with_plan_facts
from sarcoma_pipeline.sources import dicom as reader
from sarcoma_pipeline.sources.received_record import SourceFile
from sarcoma_pipeline.synthetic import dicom
from sarcoma_pipeline.synthetic.dicom import Course
from schemas.configuration import DicomSource

SOURCE = DicomSource(kind="dicom", name="rt", files=("*",))

COURSE = Course(
    patient_id="4711", patient_name="Müßig^Zoë", birth_date="19500304", sex="F",
    plan_date=dt.date(2014, 2, 3), prescribed_dose_gy=64.8, fractions=36, single_dose_gy=1.8,
    simultaneous_integrated_boost=False,
    technique="VMAT", beam_energy_mv=6.0, ct_slice_thickness_mm=3.0,
)  # fmt: skip
TOMO = replace(
    COURSE, technique="helical tomotherapy", prescribed_dose_gy=66.0, fractions=33, single_dose_gy=2.0
)


def _received(path: Path) -> tuple[str, pl.DataFrame]:
    ((table, frame),) = reader.read(SourceFile("f", path, path.name), SOURCE, "R1").frames().items()
    return table, frame


def _plan(course: Course, folder: Path) -> dict:
    table, frame = _received(dicom.write(course, folder, "seed")["RTPLAN"])
    assert table == "received.dicom_plan"
    return with_plan_facts(frame).row(0, named=True)


@pytest.mark.parametrize(
    ("prescribed", "fractions", "single"),
    [(64.8, 36, 1.8), (50.0, 25, 2.0), (25.0, 5, 5.0), (50.4, 28, 1.8), (66.1, 33, 2.003), (51.0, 30, 1.7)],
)
@pytest.mark.parametrize("technique", ["VMAT", "helical tomotherapy"])
@pytest.mark.parametrize("prescription", [True, False])
def test_a_plan_is_read_back(tmp_path, prescribed, fractions, single, technique, prescription):
    course = replace(
        COURSE, prescribed_dose_gy=prescribed, fractions=fractions, single_dose_gy=single,
        technique=technique, prescription=prescription, beam_energy_mv=10.0,
    )  # fmt: skip
    plan = _plan(course, tmp_path)
    assert plan["_prescribed"] == pytest.approx(prescribed, abs=1e-9, rel=0)
    assert plan["_origin"] == ("target prescription" if prescription else "beam dose")
    assert plan["_levels"] == (1 if prescription else None)
    assert (plan["_fractions"], plan["_technique"], float(plan["_energy"])) == (fractions, technique, 10.0)
    assert (plan["PatientID"], plan["PatientName"]) == ("4711", "Müßig^Zoë")
    assert (plan["RTPlanDate"], plan["ApprovalStatus"]) == ("20140203", "APPROVED")


def test_simultaneous_integrated_boost_has_two_levels(tmp_path):
    plan = _plan(replace(TOMO, simultaneous_integrated_boost=True), tmp_path)
    assert (plan["_levels"], plan["_prescribed"], plan["_fractions"]) == (2, 66.0, 33)


def test_every_file_is_conformant_and_refers_to_the_others(tmp_path):
    course = replace(COURSE, simultaneous_integrated_boost=True, second_slice_thickness_mm=5.0)
    paths = dicom.write(course, tmp_path, "seed")
    assert [p.name[:3] for p in paths.values()] == ["RP.", "RS.", "RD.", "CT.", "CT.", "CT."]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets = {name: dcmread(path) for name, path in paths.items()}
        assert datasets["RTDOSE"].pixel_array.shape == (3, 2, 2)
        assert datasets["CT"].pixel_array.shape == (2, 2)
        for dataset in datasets.values():
            assert len(str(dataset)) > 500  # every value is converted
    rows = {name: _received(path)[1].row(0, named=True) for name, path in paths.items()}
    assert len({row["FrameOfReferenceUID"] for row in rows.values()}) == 1
    assert len({row["StudyInstanceUID"] for row in rows.values()}) == 1
    assert len({row["SOPInstanceUID"] for row in rows.values()}) == 6
    assert rows["RTPLAN"]["ReferencedStructureSet"] == rows["RTSTRUCT"]["SOPInstanceUID"]
    assert rows["RTDOSE"]["ReferencedRTPlan"] == rows["RTPLAN"]["SOPInstanceUID"]
    assert rows["RTSTRUCT"]["ReferencedSeries"] == f'["{rows["CT"]["SeriesInstanceUID"]}"]'
    assert rows["RTSTRUCT"]["ROIName"] == '["External", "GTV", "CTV", "PTV", "PTV boost"]'
    assert rows["RTDOSE"]["DoseUnits"] == "GY"
    assert [float(rows[c]["SliceThickness"]) for c in ("CT", "CT2", "CT3")] == [3.0, 5.0, 3.0]
    dose = datasets["RTDOSE"]
    assert float(dose.pixel_array.max() * dose.DoseGridScaling) == pytest.approx(64.8)


def test_faults_are_written_as_asked(tmp_path):
    course = replace(
        COURSE, patient_id="", birth_date="00/00/0000", file_meta=False, approval="UNAPPROVED",
        structure_set_patient_id="815", patient_name="Çelik^Ayşe",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paths = dicom.write(course, tmp_path, "seed")
    plan = _received(paths["RTPLAN"])[1].row(0, named=True)
    assert (plan["PatientID"], plan["PatientBirthDate"], plan["file_meta"]) == (None, "00/00/0000", "no")
    assert (plan["ApprovalStatus"], plan["PatientName"]) == ("UNAPPROVED", "Çelik^Ayşe")
    structures = _received(paths["RTSTRUCT"])[1].row(0, named=True)
    assert (structures["PatientID"], structures["file_meta"]) == ("815", "yes")
    assert with_plan_facts(_received(paths["RTPLAN"])[1])["_prescribed"].item() == 64.8


def test_same_course_and_seed_same_bytes(tmp_path):
    for file_meta in (True, False):
        course = replace(TOMO, file_meta=file_meta)
        once = dicom.write(course, tmp_path / "once", "a")
        again = dicom.write(course, tmp_path / "again", "a")
        assert [p.name for p in once.values()] == [p.name for p in again.values()]
        assert all(once[name].read_bytes() == again[name].read_bytes() for name in once)
    other = dicom.write(TOMO, tmp_path / "once", "b")
    assert not {p.name for p in other.values()} & {p.name for p in once.values()}


def test_only_the_modalities_asked_for_and_nothing_impossible(tmp_path):
    assert list(dicom.write(replace(COURSE, modalities=("RTPLAN", "CT")), tmp_path, "s")) == [
        "RTPLAN", "CT", "CT2", "CT3",
    ]  # fmt: skip
    for wrong in ({"technique": "3D"}, {"modalities": ("MR",)}, {"fractions": 30}):
        with pytest.raises(ValueError):
            dicom.write(replace(COURSE, **wrong), tmp_path, "s")
