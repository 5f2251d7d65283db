"""Phantoms whose volumes and doses follow from geometry, written as DICOM objects and read back.

Lengths are in mm. Outlines are regular polygons with the area of their circle.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sarcoma_pipeline.sources import dicom_contours, dicom_dose_grid
from schemas.dicom_geometry import DoseGrid, Structure

FRAME = "1.2.3.4"
CORNERS = 180


def circle(radius: float, z: float, x: float = 0, y: float = 0) -> np.ndarray:
    """A polygon of the circle's area at one z."""
    turn = 2 * np.pi / CORNERS
    wide = radius * np.sqrt(turn / np.sin(turn))
    angles = np.arange(CORNERS) * turn
    return np.column_stack([x + wide * np.cos(angles), y + wide * np.sin(angles), np.full(CORNERS, z)])


def levels(length: float, apart: float, middle: float = 0) -> np.ndarray:
    """The planes of a body of some length: each in the middle of its slab."""
    count = round(length / apart)
    return middle + (np.arange(count) - (count - 1) / 2) * apart


def cylinder(radius: float, length: float, apart: float = 3, x: float = 0, z: float = 0) -> list[np.ndarray]:
    """A cylinder along z."""
    return [circle(radius, one, x) for one in levels(length, apart, z)]


def tube(outer: float, inner: float, length: float) -> list[np.ndarray]:
    """A cylinder with a hole, drawn as two contours per plane."""
    return [c for z in levels(length, 3) for c in (circle(outer, z), circle(inner, z))]


def keyhole(outer: float, inner: float, length: float) -> list[np.ndarray]:
    """The same, drawn as one contour per plane that enters the hole through a channel of no width."""
    found = []
    for z in levels(length, 3):
        out, hole = circle(outer, z), circle(inner, z)
        found.append(np.vstack([out, out[:1], hole[:1], hole[:0:-1], hole[:1]]))
    return found


def sphere(radius: float, apart: float = 3, shift: float = 0) -> list[np.ndarray]:
    """A sphere on the planes ``shift + k * apart``."""
    first = np.ceil((-radius - shift) / apart)
    zs = shift + apart * np.arange(first, np.floor((radius - shift) / apart) + 1)
    return [circle(float(np.sqrt(radius**2 - z**2)), z) for z in zs if radius**2 - z**2 > 0.01]


def structure(
    contours: Sequence[np.ndarray], kind: str = "CLOSED_PLANAR", frame: str | None = FRAME, type_: str = "PTV"
) -> Structure:
    """A structure set with one structure, as the reader reads it."""
    return structure_set([("phantom", type_, contours)], kind, frame)[0]


def structure_set(
    regions: Sequence[tuple[str, str, Sequence[np.ndarray]]],
    kind: str = "CLOSED_PLANAR",
    frame: str | None = FRAME,
) -> list[Structure]:
    """Structures by name and type, written and read."""
    return dicom_contours.structures(structure_set_object(regions, kind, frame))


def with_points(contour: Dataset, points: np.ndarray) -> Dataset:
    """Add the points as they will be written: pydicom makes an object of every number, which takes long."""
    text = "\\".join(f"{value:.4f}" for value in np.ravel(points)).encode()
    text += b" " * (len(text) % 2)
    tag = Tag("ContourData")
    contour[tag] = RawDataElement(tag, "DS", len(text), text, 0, False, True)
    return contour


def structure_set_object(
    regions: Sequence[tuple[str, str, Sequence[np.ndarray]]],
    kind: str = "CLOSED_PLANAR",
    frame: str | None = FRAME,
) -> Dataset:
    """An RTSTRUCT of structures by name and type."""
    data = _object("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT")
    data.StructureSetLabel = "PHANTOM"
    data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence = [], [], []
    for number, (name, type_, contours) in enumerate(regions, 1):
        data.StructureSetROISequence.append(_item(ROINumber=number, ROIName=name, ROIGenerationAlgorithm=""))
        if frame:
            data.StructureSetROISequence[-1].ReferencedFrameOfReferenceUID = frame
        drawn = [
            with_points(_item(ContourGeometricType=kind, NumberOfContourPoints=len(points)), points)
            for points in contours
        ]
        data.ROIContourSequence.append(_item(ReferencedROINumber=number, ContourSequence=drawn))
        data.RTROIObservationsSequence.append(
            _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=type_)
        )
    return _read_back(data)


Field = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def rising(axis: int) -> Field:
    """A dose of 40 Gy in the origin that rises by 0.5 Gy per mm along x (0), y (1) or z (2)."""
    return lambda *place: 40 + 0.5 * place[axis]


Steps = tuple[float, float, float]


def dose_object(
    field: Field,
    *,
    first: Steps = (-60, -60, -60),
    apart: Steps = (2.5, 2.5, 2.5),
    count: tuple[int, int, int] = (49, 49, 49),
    directions: Sequence[float] = (1, 0, 0, 0, 1, 0),
    offsets: np.ndarray | None = None,
    absolute: bool = False,
    bits: int = 32,
    syntax: str = ExplicitVRLittleEndian,
    **attributes: Any,
) -> Dataset:
    """An RTDOSE of a field; ``apart`` and ``count`` are by frame, row and column."""
    row, column = np.array(directions[:3], float), np.array(directions[3:], float)
    normal = np.cross(row, column)
    steps = np.arange(count[0]) * apart[0] if offsets is None else offsets
    k, j, i = np.meshgrid(
        steps, np.arange(count[1]) * apart[1], np.arange(count[2]) * apart[2], indexing="ij"
    )
    places = np.array(first) + k[..., None] * normal + j[..., None] * column + i[..., None] * row
    doses = field(*np.moveaxis(places, -1, 0)).clip(0)
    scaling = float(f"{doses.max() / (2**bits - 1) / 0.95:.8g}")
    data = _object("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE")
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = bits - 1, 0, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.NumberOfFrames, data.Rows, data.Columns = count
    data.FrameIncrementPointer = 0x3004000C
    data.ImagePositionPatient, data.ImageOrientationPatient = list(first), [f"{v:.10f}" for v in directions]
    data.PixelSpacing = [apart[1], apart[2]]
    data.GridFrameOffsetVector = [float(v) for v in (first[2] + steps * normal[2] if absolute else steps)]
    data.DoseUnits, data.DoseType, data.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    data.DoseGridScaling, data.FrameOfReferenceUID = scaling, FRAME
    data.PixelData = np.rint(doses / scaling).astype(f"<u{bits // 8}").tobytes()
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    return _read_back(data, syntax)


def dose(field: Field, **how: Any) -> DoseGrid:
    """The dose grid of a field, written and read."""
    return dicom_dose_grid.grid(dose_object(field, **how))


def _object(sop_class: str, modality: str) -> Dataset:
    return _item(SOPClassUID=sop_class, SOPInstanceUID="1.2.3", Modality=modality, PatientID="PHANTOM")


def _item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def _read_back(data: Dataset, syntax: str = ImplicitVRLittleEndian) -> Dataset:
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = UID(syntax)
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return dcmread(io.BytesIO(stream.getvalue()))
