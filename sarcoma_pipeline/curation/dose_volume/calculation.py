"""Compute the rows of one plan, or of one course of several plans, from its structures and doses.

It reads no file: see ``orchestration/dose_work.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from sarcoma_pipeline.curation import structure_names
from sarcoma_pipeline.curation.dose_volume import dose_sum, embedded_histogram
from sarcoma_pipeline.curation.dose_volume.dose_sum import WholeDose
from sarcoma_pipeline.curation.dose_volume.doubts import Doubt
from sarcoma_pipeline.curation.dose_volume.margins import PATIENT_AXIS, limb_axis, margins
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlanOfDose
from sarcoma_pipeline.curation.dose_volume.planes import usual_distance
from sarcoma_pipeline.curation.dose_volume.structure_dose import Given, StructureDose, Wanted, measure
from schemas.dicom_geometry import DoseGrid, DosePart, EmbeddedHistogram, Structure
from schemas.dose_settings import DoseSettings
from schemas.structures_toml import StructureNames

NOT_MEASURED = ("helper", "device", "body")
"""Roles of structures whose doses answer no question."""
_TARGETS = ("target", "target boost")
_NESTED = (("GTV", "CTV"), ("CTV", "PTV"))
_LONG_BONES = ("Femur", "Humerus", "Tibia", "Radius", "Ulna", "Fibula")


@dataclass(frozen=True, eq=False)
class PlanParts:
    """A plan with its dose distributions.

    Attributes:
        plan: the plan.
        parts: its dose distributions.
        histograms: the histograms that they embed.
        unplaced: why a distribution has no grid that can be placed.
    """

    plan: PlanOfDose
    parts: Sequence[DosePart]
    histograms: Sequence[EmbeddedHistogram] = ()
    unplaced: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """The result of one calculation, as it is kept.

    Attributes:
        structures: rows of ``curated.dose_volume`` without patient and plan.
        margins: rows of ``curated.target_margin`` likewise.
        doubts: ``id``, ``value``, ``structure`` (empty for the whole plan).
    """

    structures: list[dict[str, Any]] = field(default_factory=list)
    margins: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[dict[str, str]] = field(default_factory=list)


def calculate(
    structures: Sequence[Structure],
    plans: Sequence[PlanParts],
    levels: Sequence[float],
    settings: DoseSettings,
    own: Sequence[StructureNames] = (),
) -> Result:
    """Return volumes and doses of all structures, the margins of the targets, and what is doubtful.

    Args:
        structures: the structures of one structure set.
        plans: one plan; several to add their doses.
        levels: prescribed dose levels in Gy, the highest first.
        settings: ``[dose_volume]`` of the study.
        own: ``[[structures]]`` of the study.
    """
    result = Result()
    whole = [dose_sum.whole_dose(one.parts, one.plan.groups) for one in plans]
    for one, found in zip(plans, whole, strict=True):
        for doubt in (*found.doubts, *(Doubt("dose.file-unreadable", why) for why in one.unplaced)):
            _note(result, doubt)
    grid, given = _added(plans, whole, result)
    usual = usual_distance(structures)
    several = len(plans) > 1
    named = [
        (one, structure_names.meaning(one.name, one.interpreted_type, own))
        for one in _distinct(structures, result)
    ]
    for structure, meaning in named:
        if meaning.role in NOT_MEASURED:
            continue
        ratio = meaning.alpha_beta_gy or settings.alpha_beta_of(meaning.role)
        prescribed = _level(meaning.role, levels)
        wanted = Wanted.of(meaning.metrics, prescribed, usual)
        doses = tuple(sorted({*settings.volumes_at_gy, *wanted.volumes_at_gy}))
        wanted = Wanted(
            prescribed, doses, meaning.role in _TARGETS, usual_mm=usual, alpha_beta_gy=ratio, given=given
        )
        found = measure(structure, grid, wanted)
        doubts = list(found.doubts)
        if not several:
            doubts += embedded_histogram.compare(
                structure.number, found, [h for one in plans for h in one.histograms]
            )
            doubts += _implausible(meaning, found.volume_cc, settings)
            if _is_ptv(meaning):
                doubts += dose_sum.against_prescription(
                    found.d50_gy, found.d95_gy, prescribed, plans[0].plan.fractions
                )
        for doubt in doubts:
            # A fault of contours is reported once, with their plan.
            if not several or doubt.id.startswith("dose."):
                _note(result, doubt, structure.name)
        result.structures.append(_row(structure, meaning, found, wanted))
    _finish(result, plans, whole)
    if not several:
        if nameless := sum(not h.regions for one in plans for h in one.histograms):
            _note(result, Doubt("dvh.not-comparable", f"of no structure: {nameless}"))
        _margins(result, named)
        _order(result)
        _repeated(result)
    return result


def _note(result: Result, doubt: Doubt, structure: str = "") -> None:
    one = {"id": str(doubt.id), "value": doubt.value, "structure": structure}
    if one not in result.doubts:
        result.doubts.append(one)


def _distinct(structures: Sequence[Structure], result: Result) -> list[Structure]:
    """Return the structures whose number no other one has: of equal ones nobody knows whose a contour is."""
    counts = Counter(one.number for one in structures)
    for number, count in sorted(counts.items()):
        if count > 1:
            _note(result, Doubt("structure.number-repeated", f"number {number}: {count} structures"))
    return [one for one in structures if counts[one.number] == 1]


def _added(
    plans: Sequence[PlanParts], whole: Sequence[WholeDose], result: Result
) -> tuple[DoseGrid | None, tuple[Given, ...]]:
    """Return the dose of all plans, and the plans of which it is made for the EQD2."""
    grids = [one.grid for one in whole if one.grid is not None]
    if not grids or len(grids) < len(plans):
        if grids:
            _note(result, Doubt("dose.sum-incomplete", f"{len(grids)} of {len(plans)} plans have a dose"))
        return None, ()
    if len(types := sorted({one.kind or "missing" for one in grids})) > 1:
        _note(result, Doubt("dose.type-differs", f"plans: {', '.join(types)}"))
        return None, ()
    if len({one.frame for one in grids}) > 1:
        _note(result, Doubt("dose.frame-differs", f"{len(grids)} plans"))
        return None, ()
    shares = [one.plan.share for one in plans]
    counts = [one.plan.fractions for one in plans]
    given = tuple(
        Given(grid, share, count) for grid, share, count in zip(grids, shares, counts, strict=True) if count
    )
    return dose_sum.added(grids, shares), given if len(given) == len(plans) else ()


def _level(role: str | None, levels: Sequence[float]) -> float | None:
    """Return the dose level of a target: the highest one of a boost, the lowest one of any other."""
    if not levels or role not in _TARGETS:
        return None
    return max(levels) if role == "target boost" else min(levels)


def _is_ptv(meaning: structure_names.Meaning) -> bool:
    return meaning.role in _TARGETS and (meaning.tg263 or "").startswith("PTV")


def _implausible(
    meaning: structure_names.Meaning, volume: float | None, settings: DoseSettings
) -> list[Doubt]:
    """Return a doubt if a volume is outside the limits of its structure; a PTV has limits by default."""
    usual = (settings.target_least_cc, settings.target_most_cc) if _is_ptv(meaning) else (None, None)
    least, most = (other if own is None else own for own, other in zip(meaning.limits_cc, usual, strict=True))
    if volume is None or ((least is None or volume >= least) and (most is None or volume <= most)):
        return []
    return [Doubt("structure.volume-implausible", f"{volume:.1f} cm³")]


def _row(
    structure: Structure, meaning: structure_names.Meaning, found: StructureDose, wanted: Wanted
) -> dict[str, Any]:
    shares = found.volumes_percent
    return {
        "roi_number": structure.number,
        "structure": structure.name or None,
        "tg263": meaning.tg263,
        "role": meaning.role,
        "prescribed_dose_gy": wanted.prescribed_gy,
        "vx_gy": list(wanted.volumes_at_gy),
        "vx_percent": [shares[x] for x in wanted.volumes_at_gy] if shares else None,
        "alpha_beta_gy": wanted.alpha_beta_gy,
        **{
            name: getattr(found, name)
            for name in (
                "volume_cc", "covered_percent", "mean_gy", "max_gy", "d98_gy", "d95_gy", "d50_gy", "d2_gy",
                "v95_percent", "homogeneity", "conformity", "eqd2_mean_gy", "eqd2_d50_gy", "eqd2_d2_gy",
            )
        },
    }  # fmt: skip


def _finish(result: Result, plans: Sequence[PlanParts], whole: Sequence[WholeDose]) -> None:
    """Add what all rows of the plan have in common."""
    counts = [one.plan.fractions for one in plans]
    known = [round(n * one.plan.share) for n, one in zip(counts, plans, strict=True) if n is not None]
    kinds = sorted({one.kind for one in whole if one.kind})
    for row in result.structures:
        row["fractions"] = sum(known) if len(known) == len(plans) else None
        row["dose_kind"] = " ".join(kinds) or None


def _margins(result: Result, named: Sequence[tuple[Structure, structure_names.Meaning]]) -> None:
    """Add the margins between the targets; with two targets of one name there are none."""
    targets: dict[str, list[Structure]] = {}
    for structure, meaning in named:
        if meaning.role == "target" and meaning.tg263:
            targets.setdefault(meaning.tg263, []).append(structure)
    bone, axis = _axis(named)
    # Without a CTV the GTV must still lie within the PTV; their distance is no margin that a study reports.
    drawn = any(one.contours for one in targets.get("CTV", ()))
    nested = _NESTED if drawn else (*_NESTED, ("GTV", "PTV"))
    for inner, outer in nested:
        one, other = targets.get(inner, []), targets.get(outer, [])
        if len(one) != 1 or len(other) != 1:
            continue
        found = margins(one[0], other[0], axis)
        for doubt in found.doubts:
            _note(result, doubt, f"{one[0].name} in {other[0].name}")
        if (inner, outer) not in _NESTED:
            continue
        result.margins.append(
            {
                "inner": inner, "outer": outer, "axis": bone,
                "superior_mm": found.superior, "inferior_mm": found.inferior,
                "radial_p5_mm": found.radial_p5, "radial_p50_mm": found.radial_p50,
                "radial_p95_mm": found.radial_p95,
            }
        )  # fmt: skip


def _axis(named: Sequence[tuple[Structure, structure_names.Meaning]]) -> tuple[str, Any]:
    """Return the direction of the first long bone, and its name."""
    for structure, meaning in named:
        if (meaning.tg263 or "").partition("_")[0] in _LONG_BONES:
            found = limb_axis(structure)
            if found is not None:
                return str(meaning.tg263), found
    return "patient", PATIENT_AXIS


def _order(result: Result) -> None:
    """Note targets that are larger than the one that should enclose them."""
    sizes: Mapping[str, list[float]] = {
        name: [
            row["volume_cc"]
            for row in result.structures
            if row["role"] == "target" and row["tg263"] == name and row["volume_cc"] is not None
        ]
        for name in ("GTV", "CTV", "PTV")
    }
    # GTV and PTV too: a set may lack the CTV.
    for inner, outer in combinations(sizes, 2):
        if len(sizes[inner]) == len(sizes[outer]) == 1 and sizes[inner][0] > sizes[outer][0]:
            shown = f"{inner} {sizes[inner][0]:.1f} cm³, {outer} {sizes[outer][0]:.1f} cm³"
            _note(result, Doubt("target.order", shown), inner)


def _repeated(result: Result) -> None:
    """Note structures with a volume that have one meaning or one name."""
    of_meaning: dict[str, list[tuple[int, str]]] = {}
    of_name: dict[str, dict[tuple[int, str], str | None]] = {}
    for row in result.structures:
        if row["volume_cc"] is not None:
            one, meaning = (row["roi_number"], row["structure"] or ""), row["tg263"] or row["role"]
            of_name.setdefault(one[1].strip().casefold(), {})[one] = meaning
            if meaning:
                of_meaning.setdefault(meaning, []).append(one)
    groups = list(of_meaning.items())
    for name, meanings in of_name.items():
        # One name with one meaning is told by its meaning.
        if name and (None in meanings.values() or len(set(meanings.values())) > 1):
            groups.append((name, list(meanings)))
    for meaning, found in sorted(groups):
        if len(found) > 1:
            listed = ", ".join(f"{name or '(no name)'} (number {number})" for number, name in sorted(found))
            _note(result, Doubt("structure.name-repeated", f"{meaning}: {listed}"))
