"""Read the contours of an RTSTRUCT.

The nightly reader (``sources/dicom.py``) skips contours; this one reads nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from sarcoma_pipeline.sources.dicom_observations import interpreted_types
from schemas.dicom_geometry import Array, Contour, Structure

_CONTOUR_DATA = 0x30060050


def structures(data: Dataset) -> list[Structure]:
    """Return the structures of a structure set by ROINumber, with the contours of each.

    Contours of a structure that the set does not name have a structure of their own, without a name.

    Args:
        data: the RTSTRUCT as pydicom reads it.
    """
    observed = interpreted_types(
        (_number(one, "ReferencedROINumber"), _text(one.get("RTROIInterpretedType")))
        for one in data.get("RTROIObservationsSequence") or ()
    )
    drawn: dict[int, list[Dataset]] = {}
    for one in data.get("ROIContourSequence") or ():
        drawn.setdefault(_number(one, "ReferencedROINumber"), []).extend(one.get("ContourSequence") or ())
    regions = list(data.get("StructureSetROISequence") or ())
    named = {_number(region, "ROINumber") for region in regions}
    regions += [_nameless(number) for number in sorted(set(drawn) - named)]
    frames = [str(one.FrameOfReferenceUID) for one in data.get("ReferencedFrameOfReferenceSequence") or ()]
    of_set = frames[0] if len(set(frames)) == 1 else data.get("FrameOfReferenceUID")
    found = []
    for region in regions:
        number = _number(region, "ROINumber")
        items = drawn.get(number, [])
        contours = [Contour(_kind(item), points) for item in items if (points := _points(item)) is not None]
        found.append(
            Structure(
                number,
                str(region.get("ROIName") or ""),
                observed.get(number),
                _text(region.get("ReferencedFrameOfReferenceUID") or of_set),
                tuple(contours),
                len(items) - len(contours),
            )
        )
    return sorted(found, key=lambda one: (one.number, one.name))


def _number(item: Dataset, keyword: str) -> int:
    """Return a number of a structure; -1 if it is missing."""
    value = item.get(keyword)
    return -1 if value is None else int(value)


def _nameless(number: int) -> Dataset:
    made = Dataset()
    made.ROINumber = number
    return made


def _kind(item: Dataset) -> str:
    return str(item.get("ContourGeometricType") or "")


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _points(item: Dataset) -> Array | None:
    """Return the coordinates of a contour; None if they cannot be read or are not as many as announced."""
    if _CONTOUR_DATA not in item:
        return None
    # The element as it was read: pydicom makes an object of every number, which takes most of the time.
    stored = item.get_item(_CONTOUR_DATA).value
    try:
        if isinstance(stored, bytes):
            numbers = np.array(stored.rstrip(b" \0").split(b"\\"), dtype=np.float64)
        else:
            numbers = np.array(stored, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    announced = item.get("NumberOfContourPoints")
    if not numbers.size or numbers.size % 3 or (announced is not None and int(announced) * 3 != numbers.size):
        return None
    return numbers.reshape(-1, 3)
