"""Compute volume and doses of one structure, with what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sarcoma_pipeline.curation.dose_volume import conformity
from sarcoma_pipeline.curation.dose_volume.contour_misfits import misfits
from sarcoma_pipeline.curation.dose_volume.dose_at import dose_at
from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.histogram import Histogram
from sarcoma_pipeline.curation.dose_volume.planes import arrange
from sarcoma_pipeline.curation.dose_volume.samples import fill
from schemas.dicom_geometry import Array, DoseGrid, Structure

COVERED = 0.99
"""Least share of a structure that the grid must cover for its doses to be computed."""


@dataclass(frozen=True, eq=False)
class Given:
    """The dose of one plan, as far as it counts, and in how many fractions it was planned.

    Attributes:
        grid: the dose of all planned fractions.
        share: share of them that counts.
        fractions: planned fractions.
    """

    grid: DoseGrid
    share: float
    fractions: int


@dataclass(frozen=True)
class Wanted:
    """What to compute for a structure.

    Attributes:
        prescribed_gy: prescribed dose, for V95 % and the conformity index.
        volumes_at_gy: doses x for Vx.
        target: whether homogeneity and conformity are wanted.
        isodose: isodose of the conformity index, as a share of the prescribed dose.
        usual_mm: usual distance of planes in the structure set.
        alpha_beta_gy: alpha/beta of the EQD2.
        given: the plans that make up the dose; empty: no EQD2 is computed.
    """

    prescribed_gy: float | None = None
    volumes_at_gy: tuple[float, ...] = ()
    target: bool = False
    isodose: float = 1.0
    usual_mm: float | None = None
    alpha_beta_gy: float = 3.0
    given: tuple[Given, ...] = ()

    @classmethod
    def of(
        cls, metrics: Sequence[str], prescribed_gy: float | None = None, usual_mm: float | None = None
    ) -> Wanted:
        """Return what the metrics of a structure ask for.

        Args:
            metrics: metrics of ``[[structures]]`` or of the structure's role.
            prescribed_gy: prescribed dose.
            usual_mm: usual distance of planes in the structure set.
        """
        volumes = tuple(sorted(float(one[1:]) for one in metrics if one[0] == "V" and one != "V95%"))
        target = not {"HI", "CI"}.isdisjoint(metrics)
        return cls(prescribed_gy, volumes, target, usual_mm=usual_mm)


@dataclass(frozen=True)
class StructureDose:
    """Volume and doses of a structure; what cannot be computed is None, and a doubt says why.

    Attributes:
        volume_cc: volume, in cm³.
        covered_percent: part of the volume that the dose grid covers.
        mean_gy: mean dose.
        max_gy: highest dose.
        d98_gy: least dose of the hottest 98 % of the volume, in Gy; the others likewise.
        v95_percent: part of the volume that gets 95 % of the prescribed dose.
        volumes_percent: dose x to the part of the volume that gets at least x.
        homogeneity: (D2 − D98) / D50 (ICRU 83).
        conformity: Paddick's index.
        eqd2_mean_gy: mean of the dose in fractions of 2 Gy of equal effect; median and D2 likewise.
        doubts: what is doubtful, sorted.
    """

    volume_cc: float | None = None
    covered_percent: float | None = None
    mean_gy: float | None = None
    max_gy: float | None = None
    d98_gy: float | None = None
    d95_gy: float | None = None
    d50_gy: float | None = None
    d2_gy: float | None = None
    v95_percent: float | None = None
    volumes_percent: dict[float, float] = field(default_factory=dict)
    homogeneity: float | None = None
    conformity: float | None = None
    eqd2_mean_gy: float | None = None
    eqd2_d50_gy: float | None = None
    eqd2_d2_gy: float | None = None
    doubts: tuple[Doubt, ...] = ()


_NOTHING_MORE = Wanted()


def measure(structure: Structure, grid: DoseGrid | None, wanted: Wanted = _NOTHING_MORE) -> StructureDose:
    """Return volume and doses of a structure.

    Args:
        structure: the structure.
        grid: the dose distribution; None: only the volume is computed.
        wanted: what to compute.
    """
    planes, doubts = arrange(structure, wanted.usual_mm)
    if planes is None:
        return StructureDose(doubts=_sorted(doubts))
    doubts += misfits(planes)
    samples = fill(planes, min(*grid.spacing, grid.frame_spacing) if grid else np.inf)
    volume = float(samples.weights.sum())
    if not volume:
        return StructureDose(doubts=_sorted(doubts))
    if grid is None:
        return StructureDose(volume / 1000, doubts=_sorted(doubts))
    hindrances, doubtful = _compare(structure, grid)
    doubts += hindrances + doubtful
    if hindrances:
        return StructureDose(volume / 1000, doubts=_sorted(doubts))
    doses = dose_at(grid, samples.points)
    known = ~np.isnan(doses)
    covered = float(samples.weights[known].sum()) / volume
    if covered < COVERED:
        doubts.append(Doubt("dose.grid-too-small", f"{100 * covered:.1f} %"))
        return StructureDose(volume / 1000, 100 * covered, doubts=_sorted(doubts))
    found = Histogram.of(doses[known], samples.weights[known])
    corners = dose_at(grid, planes.corners)
    highest = np.nanmax(np.concatenate([found.doses[:1], corners]))
    d98, d95, d50, d2 = (found.dose_to(percent) for percent in (98, 95, 50, 2))
    index, more = _conformity(grid, found, volume, wanted)
    prescribed = wanted.prescribed_gy
    return StructureDose(
        volume_cc=volume / 1000,
        covered_percent=100 * covered,
        mean_gy=found.mean(),
        max_gy=float(highest),
        d98_gy=d98,
        d95_gy=d95,
        d50_gy=d50,
        d2_gy=d2,
        v95_percent=None if prescribed is None else found.share_of(0.95 * prescribed),
        volumes_percent={x: found.share_of(x) for x in wanted.volumes_at_gy},
        homogeneity=(d2 - d98) / d50 if wanted.target and d50 > 0 else None,
        conformity=index,
        **_equivalent(samples.points[known], samples.weights[known], wanted),
        doubts=_sorted(doubts + more),
    )


def _sorted(doubts: Sequence[Doubt]) -> tuple[Doubt, ...]:
    return tuple(sorted(set(doubts)))


def _compare(structure: Structure, grid: DoseGrid) -> tuple[list[Doubt], list[Doubt]]:
    """Return what hinders the doses of a structure, and what only makes them doubtful."""
    hindrances: list[Doubt] = []
    doubtful: list[Doubt] = []
    if (grid.units or "").strip().upper() != "GY":
        hindrances.append(Doubt("dose.units", grid.units or "missing"))
    if (grid.kind or "").strip().upper() == "ERROR":
        hindrances.append(Doubt("dose.not-a-dose", "ERROR"))
    if not structure.frame or not grid.frame:
        missing = "structure" if not structure.frame else "dose"
        doubtful.append(Doubt("dose.frame-unknown", missing))
    elif structure.frame != grid.frame:
        hindrances.append(Doubt("dose.frame-differs", "differs"))
    return hindrances, doubtful


def _equivalent(points: Array, weights: Array, wanted: Wanted) -> dict[str, float]:
    """Return mean, median and D2 of the EQD2 (Withers 1983), computed in each point.

    A plan of n fractions with the dose D gives D (D / n + alpha/beta) / (2 Gy + alpha/beta).
    """
    if not wanted.given:
        return {}
    ratio = wanted.alpha_beta_gy
    total = np.zeros(len(points))
    for one in wanted.given:
        dose = dose_at(one.grid, points)
        total += one.share * dose * (dose / one.fractions + ratio) / (2 + ratio)
    there = ~np.isnan(total)
    found = Histogram.of(total[there], weights[there])
    return {
        "eqd2_mean_gy": found.mean(), "eqd2_d50_gy": found.dose_to(50), "eqd2_d2_gy": found.dose_to(2),
    }  # fmt: skip


def _conformity(
    grid: DoseGrid, found: Histogram, volume: float, wanted: Wanted
) -> tuple[float | None, list[Doubt]]:
    if not wanted.target or not wanted.prescribed_gy:
        return None, []
    level = wanted.isodose * wanted.prescribed_gy
    around = conformity.isodose_volume(grid, level)
    if around is None:
        return None, [Doubt("dose.isodose-cut", f"{level:g} Gy")]
    return conformity.paddick(volume, found.share_of(level) / 100 * volume, around), []
