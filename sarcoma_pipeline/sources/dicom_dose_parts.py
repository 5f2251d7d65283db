"""Read of which part of a plan an RTDOSE is the dose, and the dose-volume histograms that it holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset

from sarcoma_pipeline.sources.dicom_dose_grid import grid
from schemas.dicom_geometry import Array, DosePart, EmbeddedHistogram

_NOISE = 1e-6
"""Share of the volume that is none: rounding of the planning system."""


def part(data: Dataset) -> DosePart:
    """Return the grid of an RTDOSE, and which beams of which plan it belongs to.

    Args:
        data: the RTDOSE as pydicom reads it.

    Raises:
        NoGrid: it has no grid that can be placed.
    """
    plans = data.get("ReferencedRTPlanSequence") or ()
    groups = [group for plan in plans for group in plan.get("ReferencedFractionGroupSequence") or ()]
    beams = [
        (_number(group, "ReferencedFractionGroupNumber"), _number(beam, "ReferencedBeamNumber"))
        for group in groups
        for beam in group.get("ReferencedBeamSequence") or ()
    ]
    return DosePart(
        str(data.get("SOPInstanceUID") or ""),
        grid(data),
        tuple(str(plan.get("ReferencedSOPInstanceUID") or "") for plan in plans),
        frozenset(_number(group, "ReferencedFractionGroupNumber") for group in groups),
        frozenset(beams),
    )


def _number(item: Dataset, keyword: str) -> str:
    value = item.get(keyword)
    return "" if value is None else str(int(value))


def embedded(data: Dataset) -> list[EmbeddedHistogram]:
    """Return the dose-volume histograms of an RTDOSE (PS3.3 C.8.8.4), those that cannot be read with a fault.

    Args:
        data: the RTDOSE as pydicom reads it.
    """
    return list(_embedded(data))


def _embedded(data: Dataset) -> Iterator[EmbeddedHistogram]:
    for item in data.get("DVHSequence") or ():
        regions = [
            (int(one.ReferencedROINumber), str(one.get("DVHROIContributionType") or "INCLUDED"))
            for one in item.get("DVHReferencedROISequence") or ()
            if one.get("ReferencedROINumber") is not None
        ]
        doses, volumes, fault = _curve(item)
        yield EmbeddedHistogram(tuple(regions), doses, volumes, str(item.get("DVHVolumeUnits") or ""), fault)


def _curve(item: Dataset) -> tuple[Array, Array, str | None]:
    """Return doses, and the volumes that get at least as much; or what hinders it."""
    nothing = np.empty(0)
    try:
        pairs = np.array(item.DVHData, dtype=float).reshape(-1, 2)
        scaling = float(item.get("DVHDoseScaling") or 1)
    except (AttributeError, TypeError, ValueError):
        return nothing, nothing, "DVHData is no list of pairs"
    kind, units = str(item.get("DVHType") or ""), str(item.get("DoseUnits") or "")
    if units != "GY":
        return nothing, nothing, f"DoseUnits {units or 'missing'}"
    widths, volumes = pairs.T
    if len(pairs) < 2 or not np.isfinite(pairs).all() or (widths < 0).any():
        return nothing, nothing, "DVHData is no histogram"
    # Planning systems write -1e-13 cm³ for none.
    if volumes.min() < -_NOISE * volumes.max():
        return nothing, nothing, "DVHData is no histogram"
    volumes = volumes.clip(0)
    # A bin begins where the ones before it end (PS3.3 C.8.8.4.1.2).
    begins = (np.cumsum(widths) - widths) * scaling
    if kind == "CUMULATIVE":
        if (np.diff(volumes) > 1e-6 * volumes[0]).any():
            return nothing, nothing, "a cumulative histogram rises"
        return begins, volumes, None
    if kind == "DIFFERENTIAL":
        return begins, np.cumsum(volumes[::-1])[::-1], None
    return nothing, nothing, f"DVHType {kind or 'missing'}"
