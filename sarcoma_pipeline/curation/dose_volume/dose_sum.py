"""Find the dose of a whole plan among its dose distributions (DoseSummationType, PS3.3 C.8.8.3).

PLAN is the whole plan. FRACTION is the whole delivery of one fraction group and BEAM that of one or more
beams: their sum is the plan if all are there. FRACTION_SESSION and BEAM_SESSION are one fraction: they are
multiplied by the number of fractions. Kinds are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sarcoma_pipeline.curation.dose_volume.dose_at import dose_at
from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup
from schemas.dicom_geometry import DoseGrid, DosePart

KINDS = ("PLAN", "FRACTION", "BEAM", "FRACTION_SESSION", "BEAM_SESSION")
"""Kinds of dose distributions that give the dose of a plan, the first that is complete."""
_OF_GROUPS = ("FRACTION", "FRACTION_SESSION")
_OF_ONE_FRACTION = ("FRACTION_SESSION", "BEAM_SESSION")
_GAP = 1.5
"""Distance of frames, in median distances, above which a frame seems to be missing."""
_FAR = 0.05
"""Share of the prescribed dose by which neither D50 nor D95 of a target may miss it."""


@dataclass(frozen=True, eq=False)
class WholeDose:
    """The dose of a whole plan.

    Attributes:
        grid: the dose; None if it cannot be had.
        kind: DoseSummationType of the distributions it was had from.
        uids: SOPInstanceUIDs of these distributions, sorted.
        doubts: what is doubtful, sorted.
    """

    grid: DoseGrid | None
    kind: str | None = None
    uids: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def whole_dose(parts: Sequence[DosePart], groups: Sequence[PlannedGroup]) -> WholeDose:
    """Return the dose of a plan from the dose distributions that refer to it.

    Args:
        parts: the dose distributions of one plan, in any order.
        groups: the fraction groups of the plan.
    """
    doubts: list[Doubt] = []
    in_gray = [one for one in parts if (one.grid.units or "").strip().upper() == "GY"]
    if len(in_gray) < len(parts):
        doubts.append(Doubt("dose.units", f"{len(parts) - len(in_gray)} of {len(parts)}"))
    doses = [one for one in in_gray if _type(one.grid) != "ERROR"]
    if len(doses) < len(in_gray):
        doubts.append(Doubt("dose.not-a-dose", f"ERROR: {len(in_gray) - len(doses)} of {len(parts)}"))
    # Only MULTI_PLAN may refer to several plans: nobody knows of which of them another one is the dose.
    usable = [one for one in doses if len(set(one.plans)) < 2]
    if len(usable) < len(doses):
        doubts.append(Doubt("dose.sum-ambiguous", f"{len(doses) - len(usable)} of several plans"))
    for kind in KINDS:
        same = _without_copies(one for one in usable if one.grid.summation == kind)
        if not same:
            continue
        factors, doubt = _factors(kind, same, groups)
        if doubt is not None:
            doubts.append(doubt)
            continue
        if len({one.grid.frame for one in same}) > 1:
            doubts.append(Doubt("dose.frame-differs", f"{kind}: {len(same)} distributions"))
            continue
        if len(types := sorted({_type(one.grid) for one in same})) > 1:
            doubts.append(Doubt("dose.type-differs", f"{kind}: {', '.join(types)}"))
            continue
        doubts += _calculated(same)
        doubts += _unnamed(usable, same)
        uids = tuple(one.uid for one in same)
        grid = added([one.grid for one in same], factors)
        return WholeDose(grid, kind, uids, tuple(sorted(set(doubts))))
    others = sorted({one.grid.summation or "missing" for one in usable} - set(KINDS))
    if others:
        doubts.append(Doubt("dose.sum-incomplete", ", ".join(others)))
    return WholeDose(None, doubts=tuple(sorted(set(doubts))))


def _type(grid: DoseGrid) -> str:
    return (grid.kind or "missing").strip().upper()


def _calculated(parts: Sequence[DosePart]) -> list[Doubt]:
    """Return doubts about how the dose was computed."""
    doubts = []
    if _type(parts[0].grid) != "PHYSICAL":
        doubts.append(Doubt("dose.not-physical", _type(parts[0].grid)))
    if any("WATER" in one.grid.heterogeneity for one in parts):
        doubts.append(Doubt("dose.in-water", "WATER"))
    if uneven := sum(_uneven(one.grid) for one in parts):
        doubts.append(Doubt("dose.frames-missing", f"{uneven} of {len(parts)}"))
    if moved := sorted({one.grid.transform or "NONE" for one in parts} - {"NONE"}):
        doubts.append(Doubt("dose.transformed", ", ".join(moved)))
    return doubts


def _unnamed(usable: Sequence[DosePart], used: Sequence[DosePart]) -> list[Doubt]:
    """Return a doubt if a distribution that does not say what it is the dose of differs from those used."""
    unnamed = [one for one in usable if not one.grid.summation]
    different = [one for one in unnamed if not any(_same_voxels(one, other) for other in used)]
    return [Doubt("dose.sum-ambiguous", f"{len(different)} without DoseSummationType")] if different else []


def _uneven(grid: DoseGrid) -> bool:
    """Return whether neighbouring frames are much farther apart than usual."""
    return bool((np.diff(grid.offsets) > _GAP * grid.frame_spacing).any())


def _without_copies(parts: Iterable[DosePart]) -> list[DosePart]:
    """Return the parts by UID without those that another one repeats voxel for voxel."""
    kept: list[DosePart] = []
    for one in sorted(parts, key=lambda part: part.uid):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return kept


def _same(one: DosePart, other: DosePart) -> bool:
    first, second = ((part.groups, part.beams, _type(part.grid)) for part in (one, other))
    return first == second and _same_voxels(one, other)


def _same_voxels(one: DosePart, other: DosePart) -> bool:
    return _same_place(one.grid, other.grid) and np.allclose(
        one.grid.voxels * one.grid.scaling, other.grid.voxels * other.grid.scaling, atol=1e-6
    )


def _factors(
    kind: str, parts: Sequence[DosePart], groups: Sequence[PlannedGroup]
) -> tuple[list[float], Doubt | None]:
    """Return by what each part is multiplied, or why the parts are not the whole plan."""
    if kind == "PLAN":
        if len(parts) > 1:
            return [], Doubt("dose.sum-ambiguous", f"PLAN: {len(parts)} different distributions")
        return [1.0], None
    fractions = {one.number: one.fractions for one in groups if one.beams}
    if kind in _OF_GROUPS:
        wanted = {(number, "") for number in fractions}
        covered = [{(number, "") for number in part.groups} for part in parts]
        if len(parts) == len(fractions) == 1 and not covered[0]:
            covered = [wanted]
    else:
        wanted = {(group.number, beam) for group in groups for beam in group.beams}
        covered = [set(part.beams) for part in parts]
    if any(one & other for one, other in combinations(covered, 2)):
        return [], Doubt("dose.sum-ambiguous", f"{kind}: two distributions of the same beams")
    there = set().union(*covered)
    if not wanted or there != wanted or not all(covered):
        return [], Doubt("dose.sum-incomplete", f"{kind}: {len(there & wanted)} of {len(wanted)}")
    if kind not in _OF_ONE_FRACTION:
        return [1.0] * len(parts), None
    factors = []
    for one in covered:
        counts = {fractions[number] for number, _ in one}
        (count,) = counts if len(counts) == 1 else (None,)
        if not count:
            return [], Doubt("dose.sum-incomplete", f"{kind}: number of fractions unknown")
        factors.append(float(count))
    return factors, None


def _same_place(one: DoseGrid, other: DoseGrid) -> bool:
    return (
        one.voxels.shape == other.voxels.shape
        and one.frame == other.frame
        and all(
            np.allclose(getattr(one, name), getattr(other, name), atol=1e-3)
            for name in ("origin", "row", "column", "spacing", "offsets")
        )
    )


def added(grids: Sequence[DoseGrid], factors: Sequence[float]) -> DoseGrid:
    """Return the sum of dose grids, each multiplied by its factor.

    Grids in other places are interpolated at the voxels of the finest one; where one of them ends, the sum is
    not a number and the structure counts as not covered.

    Args:
        grids: dose grids in Gy, in one frame of reference.
        factors: by what each is multiplied.
    """
    if len(grids) == 1 and factors[0] == 1:
        return grids[0]
    base = min(
        range(len(grids)),
        key=lambda i: (grids[i].frame_spacing * grids[i].spacing[0] * grids[i].spacing[1], i),
    )
    main = grids[base]
    total = np.zeros(main.voxels.shape, dtype=np.float32)
    for grid, factor in zip(grids, factors, strict=True):
        if _same_place(grid, main):
            total += (grid.voxels * (grid.scaling * factor)).astype(np.float32)
            continue
        rows, columns = np.meshgrid(*(np.arange(n) for n in main.voxels.shape[1:]), indexing="ij")
        in_frame = (
            main.origin
            + rows[..., None] * main.spacing[0] * main.column
            + columns[..., None] * main.spacing[1] * main.row
        ).reshape(-1, 3)
        for number, offset in enumerate(main.offsets):
            doses = dose_at(grid, in_frame + offset * main.normal) * factor
            total[number] += doses.reshape(rows.shape).astype(np.float32)
    return replace(main, voxels=total, scaling=1.0, summation="PLAN")


def against_prescription(
    d50_gy: float | None, d95_gy: float | None, prescribed_gy: float | None, fractions: int | None = None
) -> list[Doubt]:
    """Return a doubt if neither D50 nor D95 of a target is near its prescribed dose.

    Args:
        d50_gy: D50 of the target.
        d95_gy: D95 of the target.
        prescribed_gy: the prescribed dose of the target.
        fractions: number of fractions; the doubt says if the dose fits when it is multiplied by it.
    """
    if d50_gy is None or d95_gy is None or not prescribed_gy:
        return []
    if _near(d50_gy, d95_gy, prescribed_gy):
        return []
    value = f"D50 {d50_gy:.1f} Gy, D95 {d95_gy:.1f} Gy, prescribed {prescribed_gy:g} Gy"
    if fractions:
        if _near(d50_gy * fractions, d95_gy * fractions, prescribed_gy):
            value += f"; it fits times {fractions} fractions"
        if _near(d50_gy / fractions, d95_gy / fractions, prescribed_gy):
            value += f"; it fits divided by {fractions} fractions"
    return [Doubt("dose.far-from-prescription", value)]


def _near(d50: float, d95: float, prescribed: float) -> bool:
    return min(abs(d50 - prescribed), abs(d95 - prescribed)) <= _FAR * prescribed
