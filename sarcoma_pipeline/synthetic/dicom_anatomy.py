"""Draw a simple limb with targets, bone and skin corridor, and give it a dose: contours and a dose grid.

The limb runs along z: the patient's skin, a bone in it, and a tumour beside the bone. Targets are ellipsoids:
CTV is GTV with 30 mm along the limb and 15 mm across, PTV is CTV with 5 mm (O'Sullivan, Lancet 2002; 359:
2235). The dose is even in the PTV and falls outside of it. All of it is invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from sarcoma_pipeline.synthetic.dicom_course import item

_STEP = 5.0
"""Distance of the planes of targets and of voxels, in mm."""
_LONG_STEP = 10.0
"""Distance of the planes of what is the same along the limb."""
_LIMB, _LENGTH = 60.0, 200.0
_BONE = (-14.0, -8.0, 13.0)
"""x and y of the axis of the bone, and its radius."""
_CORNERS = 20
_KIND, _COUNT, _CONTOUR_DATA = (
    Tag(name) for name in ("ContourGeometricType", "NumberOfContourPoints", "ContourData")
)
_SCALING = 0.002
"""Gy per stored value; 16 bits reach 131 Gy."""
_FALL_MM = 16.0
_BEYOND_MM = 6.0
"""How far the prescribed dose reaches beyond the PTV, so that its edge gets it between two voxels too."""
_BACKGROUND = 0.02

Array = np.ndarray


@dataclass(frozen=True)
class Limb:
    """The limb of one patient.

    Attributes:
        middle: centre of the tumour.
        radius: radius of the tumour across the limb, in mm; along it the tumour is one and a half times as
            long.
    """

    middle: tuple[float, float, float]
    radius: float

    def axes(self, longitudinal: float, radial: float) -> Array:
        """Return the half axes of the tumour with a margin."""
        across = self.radius + radial
        return np.array([across, across, 1.5 * self.radius + longitudinal])


GTV, CTV, PTV = (0.0, 0.0), (30.0, 15.0), (35.0, 20.0)
"""Margins along and across the limb, in mm."""
BOOST = (5.0, 5.0)


def limb(seed: str) -> Limb:
    """Return the limb of a seed."""
    one, two, three = hashlib.blake2b(seed.encode(), digest_size=3).digest()
    return Limb((11 + one / 255 * 5, 6 + two / 255 * 6, 0.0), 10 + three / 255 * 4)


def regions(limb_: Limb, *, boost: bool) -> list[tuple[str, str, list[Array]]]:
    """Return name, type and contours of the structures of a limb."""
    found = [
        ("External", "EXTERNAL", _tube((0, 0), _LIMB)),
        ("GTV", "GTV", _ellipsoid(limb_.middle, limb_.axes(*GTV))),
        ("CTV", "CTV", _ellipsoid(limb_.middle, limb_.axes(*CTV))),
        ("PTV", "PTV", _ellipsoid(limb_.middle, limb_.axes(*PTV))),
    ]
    if boost:
        found.append(("PTV boost", "PTV", _ellipsoid(limb_.middle, limb_.axes(*BOOST))))
    found.append(("Femur re", "ORGAN", _tube(_BONE[:2], _BONE[2])))
    found.append(("Hautstreifen", "ORGAN", _strip()))
    return found


def _planes(half: float, step: float = _STEP) -> Array:
    count = int(half // step)
    return np.arange(-count, count + 1) * step


def _along() -> Array:
    return _planes(_LENGTH / 2 - _STEP, _LONG_STEP)


def _circle(x: float, y: float, rx: float, ry: float, z: float) -> Array:
    turns = np.arange(_CORNERS) * 2 * np.pi / _CORNERS
    return np.column_stack([x + rx * np.cos(turns), y + ry * np.sin(turns), np.full(_CORNERS, z)])


def _tube(middle: Sequence[float], radius: float) -> list[Array]:
    return [_circle(middle[0], middle[1], radius, radius, z) for z in _along()]


def _ellipsoid(middle: Sequence[float], axes: Array) -> list[Array]:
    """Return the contours of an ellipsoid."""
    found = []
    for z in _planes(axes[2] - 0.5):
        share = float(np.sqrt(1 - (z / axes[2]) ** 2))
        found.append(_circle(middle[0], middle[1], axes[0] * share, axes[1] * share, middle[2] + z))
    return found


def _strip() -> list[Array]:
    """Return a strip of skin and subcutis, 8 mm deep, on the side of the limb away from the tumour."""
    turns = np.radians(np.linspace(190, 260, 8))
    ring = [np.column_stack([r * np.cos(turns), r * np.sin(turns)]) for r in (_LIMB - 1, _LIMB - 9)]
    outline = np.vstack([ring[0], ring[1][::-1]])
    return [np.column_stack([outline, np.full(len(outline), z)]) for z in _along()]


def volume_cc(limb_: Limb) -> float:
    """Return the volume of the PTV as an ellipsoid."""
    return float(4 / 3 * np.pi * limb_.axes(*PTV).prod() / 1000)


def columns(limb_: Limb) -> tuple[float, float, float]:
    """Return the greatest x of the PTV, the x of the first column of the dose grid, and their distance."""
    return limb_.middle[0] + float(limb_.axes(*PTV)[0]), -_LIMB, _STEP


def contour(points: Array) -> Dataset:
    """Return the item of one contour.

    Args:
        points: one row per point: x, y, z in mm.
    """
    text = "\\".join([f"{value:.1f}" for value in points.ravel().tolist()])
    # The elements as they will be written: pydicom makes an object of every number, which takes long.
    drawn = Dataset(
        {
            tag: RawDataElement(tag, kind, len(content), content, 0, False, True)
            for tag, kind, content in (
                (_KIND, "CS", b"CLOSED_PLANAR "),
                (_COUNT, "IS", _even(str(len(points)))),
                (_CONTOUR_DATA, "DS", _even(text)),
            )
        }
    )
    return drawn


def _even(text: str) -> bytes:
    return (text + " " * (len(text) % 2)).encode()


def grid(limb_: Limb, levels: Sequence[float], share: float = 1.0) -> Array:
    """Return the dose on the grid of :func:`place`, by frame, row and column.

    Args:
        limb_: the limb.
        levels: prescribed dose of the PTV and, if there is one, of the boost.
        share: share of the prescribed dose that is given.
    """
    z, y, x = np.meshgrid(_planes(_LENGTH / 2), _planes(_LIMB), _planes(_LIMB), indexing="ij")
    dose = np.full(x.shape, 0.0)
    for level, margin in zip(levels, (PTV, BOOST), strict=False):
        axes = limb_.axes(*margin)
        away = np.sqrt(sum(((place - middle) / axis) ** 2 for place, middle, axis in
                           zip((x, y, z), limb_.middle, axes, strict=True)))  # fmt: skip
        # Distance from the surface of the ellipsoid, seen from its middle.
        beyond = np.maximum((away - 1) * float(axes[0]) - _BEYOND_MM, 0)
        hotter = 1 + 0.02 * np.clip(1 - away, 0, 1)
        dose = np.maximum(dose, level * hotter * np.exp(-beyond / _FALL_MM))
    return share * np.maximum(dose, _BACKGROUND * max(levels))


def fill(dose: Dataset, values: Array, units: str = "GY") -> None:
    """Write a dose grid into an RTDOSE.

    Args:
        dose: the object.
        values: dose in Gy, from :func:`grid`.
        units: DoseUnits.
    """
    frames, rows, columns = values.shape
    dose.ImagePositionPatient = [f"{-_LIMB:g}", f"{-_LIMB:g}", f"{-_LENGTH / 2:g}"]
    dose.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dose.NumberOfFrames = str(frames)
    dose.FrameIncrementPointer = Tag("GridFrameOffsetVector")
    dose.GridFrameOffsetVector = [f"{_STEP * index:g}" for index in range(frames)]
    dose.DoseUnits = units
    dose.DoseGridScaling = str(_SCALING)
    dose.SamplesPerPixel = 1
    dose.PhotometricInterpretation = "MONOCHROME2"
    dose.Rows, dose.Columns = rows, columns
    dose.PixelSpacing = [f"{_STEP:g}", f"{_STEP:g}"]
    dose.BitsAllocated = dose.BitsStored = 16
    dose.HighBit, dose.PixelRepresentation = 15, 0
    stored = np.rint(values / _SCALING).astype("<u2").tobytes()
    dose.add(DataElement(Tag("PixelData"), "OW", stored + b"\0" * (len(stored) % 2)))


def drawn(names: Sequence[tuple[str, str, list[Array]]]) -> Items:
    """Return ROIContourSequence of structures.

    Args:
        names: name, type and contours, as from :func:`regions`.
    """
    return Items(
        [
            item(
                ROIDisplayColor=[255, 0, 0],
                ContourSequence=[contour(points) for points in contours],
                ReferencedROINumber=str(number),
            )
            for number, (_, _, contours) in enumerate(names, 1)
        ]
    )
