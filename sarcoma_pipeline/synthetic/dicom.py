"""Write a course of radiotherapy as DICOM RT files: plan, structure set, dose and some planning CT slices."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from sarcoma_pipeline.synthetic import defects_contours, defects_dose, defects_grid, dicom_anatomy
from sarcoma_pipeline.synthetic.dicom_course import (
    CT,
    RT_DOSE,
    RT_PLAN,
    RT_STRUCT,
    Course,
    Uids,
    approve,
    decimal,
    item,
    reference,
    rt_object,
)
from sarcoma_pipeline.synthetic.dicom_plan import MACHINES, levels, plan_object
from sarcoma_pipeline.synthetic.dicom_record import RECORD, record_objects

__all__ = ["Course", "write"]

_STUDY_MANAGEMENT = UID("1.2.840.10008.3.1.2.3.1")
_NUMBER_OF_PTV = 4
_SLICES = 3
_GRID = 2
_SPACING = "1.5"
_DOSE_SCALING = Decimal("0.0001")


def write(course: Course, folder: Path, seed: str) -> dict[str, Path]:
    """Write the files of a course.

    Args:
        course: the course.
        folder: target folder; created if missing.
        seed: seed of the UIDs, different for each course.

    Returns:
        Modality to file; the slices are ``CT``, ``CT2`` and ``CT3``, further treatment records ``RTRECORD2``.

    Raises:
        ValueError: the technique or a modality is not supported, or single dose times fractions is not the
            prescribed dose.
    """
    if course.technique not in MACHINES:
        raise ValueError(f"no files for the technique {course.technique!r}")
    if unknown := set(course.modalities) - {"RTPLAN", "RTSTRUCT", "RTDOSE", "CT"}:
        raise ValueError(f"no files for {sorted(unknown)}")
    if abs(course.single_dose_gy * course.fractions - course.prescribed_dose_gy) > 0.05:
        raise ValueError("single dose times fractions is not the prescribed dose")
    folder.mkdir(parents=True, exist_ok=True)
    uids = Uids(seed)
    objects: dict[str, Dataset] = {}
    if "RTPLAN" in course.modalities:
        objects["RTPLAN"] = plan_object(course, uids)
    if "RTSTRUCT" in course.modalities:
        objects["RTSTRUCT"] = _structure_set(course, uids)
    if "RTDOSE" in course.modalities:
        objects["RTDOSE"] = _dose(course, uids)
        if course.dose_fault == defects_grid.TWO_TYPES:
            second = _dose(course, uids)
            second.SOPInstanceUID = uids("dose of the second beam")
            objects["RTDOSE 2"] = defects_grid.of_beam(second, 2, "EFFECTIVE")
            defects_grid.of_beam(objects["RTDOSE"], 1, "PHYSICAL")
    if "CT" in course.modalities:
        for index in range(_SLICES):
            objects[f"CT{index + 1}" if index else "CT"] = _slice(course, uids, index)
    objects |= record_objects(course, uids, len(MACHINES[course.technique].turns))
    return {
        name: _save(dataset, folder, name != "RTPLAN" or course.file_meta)
        for name, dataset in objects.items()
    }


_PREFIXES = {"RTPLAN": "RP", "RTSTRUCT": "RS", "RTDOSE": "RD", "CT": "CT", RECORD: "RT"}


def _save(dataset: Dataset, folder: Path, file_meta: bool) -> Path:
    path = folder / f"{_PREFIXES[dataset.Modality]}.{dataset.SOPInstanceUID}.dcm"
    if not file_meta:
        dataset.save_as(path, implicit_vr=True, little_endian=True)
        return path
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Set explicitly: pydicom would write its own version, which changes the bytes with every upgrade.
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["sarcoma_pipeline", "implementation"])
    meta.ImplementationVersionName = "SARCOMA_DEMO"
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
    return path


def _structure_set(course: Course, uids: Uids) -> Dataset:
    structures = rt_object(
        course, uids, "RTSTRUCT", RT_STRUCT, uids("structure set"), course.structure_set_patient_id
    )
    frame = uids("frame of reference")
    images = [reference(CT, uids.slice(index)) for index in range(_SLICES)]
    structures.StructureSetLabel = course.label
    structures.StructureSetDate = f"{course.plan_date:%Y%m%d}"
    structures.StructureSetTime = ""
    study = reference(_STUDY_MANAGEMENT, uids("study"))
    study.RTReferencedSeriesSequence = Sequence(
        [item(SeriesInstanceUID=uids("series CT"), ContourImageSequence=images)]
    )
    structures.ReferencedFrameOfReferenceSequence = Sequence(
        [item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])]
    )
    regions, contours = _drawn(course, uids)
    numbered = list(enumerate(regions, 1))
    structures.StructureSetROISequence = Sequence(
        [
            item(
                ROINumber=str(number),
                ReferencedFrameOfReferenceUID=frame,
                ROIName=name,
                ROIGenerationAlgorithm="MANUAL",
            )
            for number, (name, _) in numbered
        ]
    )
    structures.ROIContourSequence = contours
    structures.RTROIObservationsSequence = Sequence(
        [
            item(
                ObservationNumber=str(number),
                ReferencedROINumber=str(number),
                RTROIInterpretedType=kind,
                ROIInterpreter="",
            )
            for number, (_, kind) in numbered
        ]
    )
    defects_contours.spoil(course.dose_fault, structures)
    approve(structures, course)
    return structures


def _drawn(course: Course, uids: Uids) -> tuple[list[tuple[str, str]], Sequence]:
    """Return names and types of the structures, and their contours."""
    boost = course.simultaneous_integrated_boost
    if course.anatomy:
        limb = dicom_anatomy.limb(uids.seed)
        shown = defects_dose.faulty(course.dose_fault, dicom_anatomy.regions(limb, boost=boost))
        shown = defects_contours.drawn(course.dose_fault, shown)
        contours = dicom_anatomy.drawn(shown)
        return [(name, kind) for name, kind, _ in shown], contours
    halves = [("External", "EXTERNAL", 60), ("GTV", "GTV", 20), ("CTV", "CTV", 30), ("PTV", "PTV", 35)]
    halves += [("PTV boost", "PTV", 25)] if boost else []
    squares = [
        item(
            ROIDisplayColor=[255, 0, 0],
            ContourSequence=[_square(half, uids.slice(1), _position(course, 1))],
            ReferencedROINumber=str(number),
        )
        for number, (_, _, half) in enumerate(halves, 1)
    ]
    return [(name, kind) for name, kind, _ in halves], Sequence(squares)


def _square(half: int, image: UID, z: str) -> Dataset:
    corners = ((-half, -half), (half, -half), (half, half), (-half, half))
    return item(
        ContourImageSequence=[reference(CT, image)],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=str(len(corners)),
        ContourData=[text for x, y in corners for text in (str(x), str(y), z)],
    )


def _position(course: Course, index: int) -> str:
    """Return the z coordinate of a slice in mm; the middle slice is at the isocentre."""
    return decimal(Decimal(repr(course.ct_slice_thickness_mm)) * (index - _SLICES // 2))


def _pixels(dataset: Dataset, bits: int, values: list[int]) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = _GRID
    dataset.PixelSpacing = [_SPACING, _SPACING]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 0
    content = b"".join(value.to_bytes(bits // 8, "little") for value in values)
    dataset.add(DataElement(Tag("PixelData"), "OW", content))


def _dose(course: Course, uids: Uids) -> Dataset:
    dose = rt_object(course, uids, "RTDOSE", RT_DOSE, uids("dose"))
    thickness = Decimal(repr(course.ct_slice_thickness_mm))
    dose.InstanceNumber = "1"
    dose.DoseType = "PHYSICAL"
    dose.DoseSummationType = "PLAN"
    dose.ReferencedRTPlanSequence = Sequence([reference(RT_PLAN, uids(course.plan))])
    if course.anatomy:
        limb = dicom_anatomy.limb(uids.seed)
        values = dicom_anatomy.grid(limb, [float(level) for _, level in levels(course)])
        values = defects_dose.faulty_grid(course.dose_fault, values, course)
        values = defects_grid.faulty(course.dose_fault, values, *dicom_anatomy.columns(limb))
        dicom_anatomy.fill(dose, values)
        defects_dose.spoil(course.dose_fault, dose, values, _NUMBER_OF_PTV, dicom_anatomy.volume_cc(limb))
        defects_grid.spoil(course.dose_fault, dose, _NUMBER_OF_PTV)
        return dose
    dose.ImagePositionPatient = ["0", "0", _position(course, 0)]
    dose.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dose.NumberOfFrames = str(_SLICES)
    dose.FrameIncrementPointer = Tag("GridFrameOffsetVector")
    dose.GridFrameOffsetVector = [decimal(thickness * index) for index in range(_SLICES)]
    dose.DoseUnits = "GY"
    dose.DoseGridScaling = str(_DOSE_SCALING)
    level = int(Decimal(repr(course.prescribed_dose_gy)) / _DOSE_SCALING)
    _pixels(dose, 32, [level] * (_GRID * _GRID * _SLICES))
    return dose


def _slice(course: Course, uids: Uids, index: int) -> Dataset:
    image = rt_object(course, uids, "CT", CT, uids.slice(index))
    thickness = course.ct_slice_thickness_mm
    if index == 1 and course.second_slice_thickness_mm is not None:
        thickness = course.second_slice_thickness_mm
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Manufacturer = "Demo Imaging"
    image.ManufacturerModelName = "Planning CT"
    image.SliceThickness = decimal(thickness)
    image.KVP = "120"
    image.AcquisitionNumber = "1"
    image.InstanceNumber = str(index + 1)
    image.PatientPosition = "HFS"
    image.ImagePositionPatient = ["0", "0", _position(course, index)]
    image.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    image.RescaleIntercept = "-1024"
    image.RescaleSlope = "1"
    _pixels(image, 16, [1024] * (_GRID * _GRID))
    return image
