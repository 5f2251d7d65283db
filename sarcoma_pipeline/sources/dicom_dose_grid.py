"""Read the grid of an RTDOSE: its voxels and where they lie (PS3.3 C.8.8.3)."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from schemas.dicom_geometry import Array, DoseGrid

_UNIT = 1e-3
"""How far direction cosines may be from perpendicular and of length 1."""
_SAME_MM = 0.01


class NoGrid(ValueError):
    """The object has no dose grid that can be placed; the text says why, without values of a patient."""


def grid(data: Dataset) -> DoseGrid:
    """Return the dose grid of an RTDOSE.

    Args:
        data: the RTDOSE as pydicom reads it.

    Raises:
        NoGrid: an attribute is missing or contradicts another one, or the pixels cannot be read.
    """
    try:
        origin = np.array(data.ImagePositionPatient, dtype=float)
        directions = np.array(data.ImageOrientationPatient, dtype=float)
        spacing = tuple(float(one) for one in data.PixelSpacing)
        scaling = float(data.DoseGridScaling)
        frames = int(data.get("NumberOfFrames") or 1)
    except (AttributeError, TypeError, ValueError):
        raise NoGrid(
            "ImagePositionPatient, ImageOrientationPatient, PixelSpacing or DoseGridScaling is missing"
        ) from None
    if origin.shape != (3,) or directions.shape != (6,) or len(spacing) != 2 or not min(spacing) > 0:
        raise NoGrid("ImagePositionPatient, ImageOrientationPatient or PixelSpacing is no position")
    if not scaling > 0:
        raise NoGrid("DoseGridScaling is not above 0")
    row, column = directions[:3], directions[3:]
    if max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column)) > _UNIT:
        raise NoGrid("ImageOrientationPatient is not two perpendicular directions of length 1")
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    column /= np.linalg.norm(column)
    offsets = _offsets(data, frames, origin, np.cross(row, column))
    order = np.argsort(offsets, kind="stable")
    if (np.diff(offsets[order]) <= 0).any():
        raise NoGrid("GridFrameOffsetVector has the same position twice")
    voxels = _voxels(data, frames)
    if (order != np.arange(frames)).any():
        voxels = voxels[::-1] if (order == np.arange(frames)[::-1]).all() else voxels[order]
    return DoseGrid(
        voxels, scaling, origin, row, column, (spacing[0], spacing[1]), offsets[order],
        _text(data, "DoseUnits"), _text(data, "DoseType"), _text(data, "DoseSummationType"),
        _text(data, "FrameOfReferenceUID"), _texts(data, "TissueHeterogeneityCorrection"),
        _text(data, "SpatialTransformOfDose"),
    )  # fmt: skip


def _text(data: Dataset, keyword: str) -> str | None:
    value = data.get(keyword)
    return str(value) if value else None


def _texts(data: Dataset, keyword: str) -> tuple[str, ...]:
    value = data.get(keyword)
    return () if not value else tuple(str(one) for one in ([value] if isinstance(value, str) else value))


def _offsets(data: Dataset, frames: int, origin: Array, normal: Array) -> Array:
    """Return the position of each frame along the normal, from the first voxel.

    The vector is relative if it begins with 0. Otherwise it holds the patient's z if it begins with that of
    ImagePositionPatient and the frames are transverse (PS3.3 C.8.8.3.2).
    """
    stored = data.get("GridFrameOffsetVector")
    if stored is None:
        if frames == 1:
            return np.zeros(1)
        raise NoGrid("GridFrameOffsetVector is missing")
    vector = np.atleast_1d(np.array(stored, dtype=float))
    if vector.shape != (frames,) or not np.isfinite(vector).all():
        raise NoGrid("GridFrameOffsetVector does not have one number per frame")
    if vector[0] == 0:
        return vector
    if abs(vector[0] - origin[2]) > _SAME_MM:
        raise NoGrid("GridFrameOffsetVector begins neither with 0 nor with the z of ImagePositionPatient")
    if abs(abs(normal[2]) - 1) > _UNIT:
        raise NoGrid("GridFrameOffsetVector holds z positions, but the frames are not transverse")
    return (vector - vector[0]) / normal[2]


def _voxels(data: Dataset, frames: int) -> np.ndarray:
    if str(data.get("LossyImageCompression") or "") == "01":
        raise NoGrid("the pixels were compressed with loss")
    _check_length(data, frames)
    try:
        voxels = data.pixel_array
    except Exception:
        # pydicom raises errors of many kinds for pixels that are missing, too few or compressed.
        raise NoGrid("the pixels cannot be read") from None
    if voxels.ndim == 2:
        voxels = voxels[None]
    if voxels.ndim != 3 or len(voxels) != frames or voxels.dtype.kind not in "ui":
        raise NoGrid("the pixels are not one whole number per voxel")
    # Only the error of a dose has a sign (PS3.3 C.8.8.3.4.6): here high doses were read as negative ones.
    if str(data.get("DoseType") or "") != "ERROR" and voxels.dtype.kind == "i" and voxels.min() < 0:
        raise NoGrid("the grid has negative doses")
    return voxels


def _check_length(data: Dataset, frames: int) -> None:
    """Raise an error if pixels that are not compressed are not as many as announced.

    pydicom reads the first ones of too many without an error.
    """
    pixels = data.get("PixelData")
    if pixels is None or data.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    announced = frames * int(data.Rows) * int(data.Columns) * int(data.BitsAllocated) // 8
    if len(pixels) != announced + announced % 2:
        raise NoGrid("the pixels are not as many as the grid has")
