"""Compare computed doses and volumes with the histograms that the planning system embedded in its RTDOSE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.structure_dose import StructureDose
from schemas.dicom_geometry import EmbeddedHistogram

_DIFFERENT, _LEAST_GY, _LEAST_CC = 0.02, 0.1, 0.05
"""Greatest share of the embedded value by which the computed one may differ; smaller differences in Gy and cc
than the other two do not count."""


def compare(number: int, found: StructureDose, histograms: Sequence[EmbeddedHistogram]) -> list[Doubt]:
    """Return what differs between the computed doses of a structure and its embedded histogram.

    Args:
        number: ROINumber of the structure.
        found: its computed volume and doses.
        histograms: the histograms of the dose distribution.
    """
    doubts: list[Doubt] = []
    for one in histograms:
        if all(region != number for region, _ in one.regions):
            continue
        if one.fault is not None:
            doubts.append(Doubt("dvh.not-comparable", one.fault))
        elif one.regions != ((number, "INCLUDED"),):
            doubts.append(Doubt("dvh.not-comparable", ", ".join(how for _, how in one.regions)))
        elif differing := _differing(found, one):
            doubts.append(Doubt("dvh.differs", "; ".join(differing)))
    return sorted(set(doubts))


def _differing(found: StructureDose, embedded: EmbeddedHistogram) -> list[str]:
    shares = 100 * embedded.volumes / embedded.volumes[0]
    pairs = [
        (f"D{percent}", "Gy", getattr(found, f"d{percent}_gy"), _dose_to(percent, embedded.doses, shares))
        for percent in (98, 95, 50, 2)
    ]
    pairs.append(("mean", "Gy", found.mean_gy, _mean(embedded)))
    if embedded.volume_units == "CM3":
        pairs.insert(0, ("volume", "cc", found.volume_cc, float(embedded.volumes[0])))
    return [
        f"{name} {ours:.2f} against {theirs:.2f} {unit}"
        for name, unit, ours, theirs in pairs
        if ours is not None
        and abs(ours - theirs) > max(_DIFFERENT * theirs, _LEAST_GY if unit == "Gy" else _LEAST_CC)
    ]


def _dose_to(percent: float, doses: np.ndarray, shares: np.ndarray) -> float:
    return float(np.interp(-percent, -shares, doses))


def _mean(embedded: EmbeddedHistogram) -> float:
    """Return the mean dose: the area below the curve over the volume."""
    widths = np.diff(embedded.doses, append=embedded.doses[-1])
    middle = (embedded.volumes + np.append(embedded.volumes[1:], 0)) / 2
    return float((widths @ middle + embedded.doses[0] * embedded.volumes[0]) / embedded.volumes[0])
