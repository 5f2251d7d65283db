"""Read the prescription of a plan: rules P1 to P8, each reading with the number of its rule.

A plan with one fraction group, or with groups that share one reference, has one reading. Groups with
different references have several readings, and documentation decides. A reading is a sum only if the
groups follow each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sarcoma_pipeline.curation.radiotherapy_plans import LEVEL_TOLERANCE, DoseReference, Group, Plan
from schemas.rule import Rule

CGY_FROM = 500.0
"""Prescriptions from this value on are in centigray: nothing is prescribed at 500 Gy."""
PER_FRACTION_UP_TO_GY = 12.0
"""A prescription up to this dose may be the dose of one fraction."""
_MUCH = 100.0
_SAME = 0.02
_BEAM_DOSE_TOLERANCE = 0.10
"""Maximum share by which the beam dose may differ from the prescribed one."""
_BEAM_DOSE_WARNING = 0.05

PRESCRIPTION_CGY = Rule(
    "plan.prescription-in-cgy",
    "warning",
    on="curated.radiotherapy_plan",
    what="The prescription is 500 or more: it is read as centigray.",
    remedy="Enter the prescription in Gy in the planning system (TargetPrescriptionDose).",
    scope="record",
    source="DICOM PS3.3 C.8.8.10 TargetPrescriptionDose",
)
PRESCRIPTION_PER_FRACTION = Rule(
    "plan.prescription-per-fraction",
    "warning",
    on="curated.radiotherapy_plan",
    what="The prescription is the dose of one fraction: it is multiplied by the number of fractions.",
    remedy="Enter the total dose in the planning system (TargetPrescriptionDose).",
    scope="record",
    source="DICOM PS3.3 C.8.8.10 TargetPrescriptionDose",
)
BEAM_DOSE_DIFFERS = Rule(
    "plan.beam-dose-differs",
    "warning",
    on="curated.radiotherapy_plan",
    what="Beam dose times fractions is more than 5 % away from every prescribed dose.",
    remedy="Compare TargetPrescriptionDose with the sum of BeamDose in the planning system.",
    scope="record",
    source="DICOM PS3.3 C.8.8.13 BeamDose",
)
BEAM_DOSE_INCOMPLETE = Rule(
    "plan.beam-dose-incomplete",
    "warning",
    on="curated.radiotherapy_plan",
    what="There is no prescription, and not every beam has a dose: the plan's dose is unknown.",
    remedy="Enter the prescription in the planning system and export the plan again.",
    scope="record",
    source="DICOM PS3.3 C.8.8.13 BeamDose",
)


@dataclass(frozen=True)
class Prescription:
    """One reading of the prescription of a plan.

    Attributes:
        dose: total dose of the highest level in Gy; None if unknown.
        fractions: number of fractions; None if unknown.
        levels: total doses of the target levels, the highest first.
        rule: numbers of the rules that gave it, joined by blanks.
        origin: ``target prescription`` or ``beam dose``; None if the dose is unknown.
        needs_documentation: whether it is used only if documentation has the same dose.
        sequential: whether fraction groups follow each other: a boost in the same plan.
        phases: dose and fractions of the groups that follow each other.
        notes: rules to report with the reading.
        alternatives: the readings between which a person must decide (rule P6).
    """

    dose: float | None
    fractions: int | None
    levels: tuple[float, ...] = ()
    rule: str = ""
    origin: str | None = None
    needs_documentation: bool = False
    sequential: bool = False
    phases: tuple[tuple[float, int | None], ...] = ()
    notes: tuple[Rule, ...] = ()
    alternatives: tuple[Prescription, ...] = ()

    @property
    def single(self) -> float | None:
        """Dose per fraction of the highest level."""
        return self.dose / self.fractions if self.dose is not None and self.fractions else None

    @property
    def is_integrated_boost(self) -> bool:
        """Whether two target levels of one plan differ by more than 2 %."""
        return len(self.levels) > 1 and not self.sequential

    def fits(self, dose: float | None, fractions: int | None) -> bool:
        """Return whether a documented dose matches the reading.

        Doses may differ by 2 %; fractions are compared if both are known.
        """
        if self.dose is None or dose is None or not same_dose(self.dose, dose):
            return False
        return self.fractions is None or fractions is None or self.fractions == fractions


UNKNOWN = Prescription(None, None)


def same_dose(one: float, other: float, tolerance: float = _SAME) -> bool:
    """Return whether two doses are equal within a share of the greater."""
    return abs(one - other) <= tolerance * max(abs(one), abs(other)) + 1e-9


def readings(plan: Plan) -> tuple[Prescription, ...]:
    """Return every reading of a plan, in the order in which documentation is compared.

    Returns:
        One reading that needs no documentation, or several that do. At least one.
    """
    groups = [g for g in plan.groups if _is_used(g)] or list(plan.groups)
    levels = plan.levels
    if not groups:
        found = [_from_references(levels)] if levels else [UNKNOWN]
    elif not levels:
        found = _from_beams(plan, groups)
    elif len(groups) == 1:
        linked = [r for r in levels if r.number in groups[0].references] or levels
        found = _single_group(plan, groups[0], [_dose(r.dose) for r in linked])
    else:
        numbered = {r.number or f"unnumbered {at}": _dose(r.dose) for at, r in enumerate(levels)}
        found = _several_groups(plan, groups, numbered)
    return tuple(_noted(plan, groups, one) for one in found)


Documented = tuple[float | None, int | None]
"""A documented dose in Gy and its fractions; None if unknown."""


def decide(found: Sequence[Prescription], documented: Sequence[Documented]) -> Prescription:
    """Choose the reading to use.

    Args:
        found: from :func:`readings`.
        documented: documented doses and fractions of the course, the total first.

    Returns:
        The reading that needs no documentation, or the first that matches documentation; else one without a
        dose (rule P6), whose fractions are those of all readings if they agree.
    """
    undecided = [one for one in found if one.needs_documentation]
    for dose, fractions in documented:
        for one in undecided:
            if one.fits(dose, fractions):
                return one
    for dose, _ in documented:
        # The documented dose per fraction may be wrong although the total is right.
        for one in undecided:
            if PRESCRIPTION_PER_FRACTION not in one.notes and one.fits(dose, None):
                return one
    plain = next((one for one in found if not one.needs_documentation), None)
    if plain is not None:
        return plain
    agreed = {one.fractions for one in found}
    fractions = agreed.pop() if len(agreed) == 1 else None
    return Prescription(None, fractions, rule="P6", alternatives=tuple(found))


# --- one group ----------------------------------------------------------------------------------------


def _is_used(group: Group) -> bool:
    return bool(group.beams or group.applications or group.setups or group.fractions)


def _dose(delivered: float | None) -> tuple[float, bool]:
    """Return a dose in Gy, and whether it was delivered in centigray (rule P7)."""
    value = delivered or 0.0
    return (value / 100, True) if value >= CGY_FROM else (value, False)


def _levels(doses: Sequence[float]) -> tuple[float, ...]:
    """Return the distinct dose levels, the highest first; doses within 2 % are one level."""
    kept: list[float] = []
    for dose in sorted(doses, reverse=True):
        if not kept or not same_dose(kept[-1], dose, LEVEL_TOLERANCE):
            kept.append(dose)
    return tuple(kept)


def _single_group(plan: Plan, group: Group, doses: Sequence[tuple[float, bool]]) -> list[Prescription]:
    rule = "P1 P7" if any(cgy for _, cgy in doses) else "P1"
    notes = (PRESCRIPTION_CGY,) if "P7" in rule else ()
    levels = _levels([dose for dose, _ in doses])
    one = Prescription(levels[0], group.fractions, levels, rule, "target prescription", notes=notes)
    n, beam = group.fractions, _beam_dose(plan, group)
    if n is None or n < 2:
        return [one]
    times = replace(
        one,
        dose=levels[0] * n,
        levels=tuple(level * n for level in levels),
        rule=f"{rule} P8",
        notes=(*notes, PRESCRIPTION_PER_FRACTION),
    )
    if levels[0] <= PER_FRACTION_UP_TO_GY:
        if beam is not None and any(same_dose(beam, level, _BEAM_DOSE_TOLERANCE) for level in levels):
            return [times]
        if beam is None:
            return [replace(times, needs_documentation=True), one]
    # 200 in 25 fractions with 2 Gy from the beams is the dose of one fraction in centigray.
    if levels[0] >= _MUCH and beam is not None and same_dose(beam, levels[0] / 100, _BEAM_DOSE_TOLERANCE):
        hundredth = tuple(level / 100 * n for level in levels)
        both = (PRESCRIPTION_CGY, PRESCRIPTION_PER_FRACTION)
        return [replace(one, dose=hundredth[0], levels=hundredth, rule="P1 P7 P8", notes=both)]
    return [one]


def _from_references(levels: Sequence[DoseReference]) -> Prescription:
    """Return the prescription of a plan without fraction groups."""
    doses = [_dose(r.dose) for r in levels]
    found = _levels([dose for dose, _ in doses])
    cgy = any(c for _, c in doses)
    return Prescription(
        found[0], None, found, "P1 P7" if cgy else "P1", "target prescription",
        notes=(PRESCRIPTION_CGY,) if cgy else (),
    )  # fmt: skip


def _beam_dose(plan: Plan, group: Group) -> float | None:
    """Return the beam dose of one fraction; None unless every treating beam has one."""
    doses = [b.dose for b in plan.group_beams(group)]
    known = [d for d in doses if d is not None]
    total = math.fsum(known)
    return total if len(known) == len(doses) and total > 0 else None


# --- several groups -----------------------------------------------------------------------------------


def _several_groups(
    plan: Plan, groups: Sequence[Group], doses: dict[str, tuple[float, bool]]
) -> list[Prescription]:
    links = [frozenset(n for n in g.references if n in doses) for g in groups]
    linked = all(links)
    cgy = any(c for _, c in doses.values())
    notes = (PRESCRIPTION_CGY,) if cgy else ()
    tail = " P7" if cgy else ""
    in_all = frozenset(doses) if not linked else frozenset().union(*links)
    levels = _levels([doses[n][0] for n in in_all])
    numbers = [g.fractions for g in groups]
    beams = _group_doses(plan, groups)
    by_beams = math.fsum(beams) if None not in beams else None  # pyright: ignore[reportArgumentType, reportCallIssue]
    total = sum(n for n in numbers if n) if None not in numbers else None
    origin = "target prescription"
    one_reference = linked and len(set(links)) == 1
    if one_reference or (len(doses) == 1 and by_beams is not None and same_dose(by_beams, levels[0])):
        every = [b is not None and same_dose(b, levels[0]) for b in beams]
        if all(every) and len(set(numbers)) == 1:
            # Each group gives the whole dose: isocentres of one volume, treated in the same fractions.
            return [Prescription(levels[0], numbers[0], levels, f"P5{tail}", origin, notes=notes)]
        return [Prescription(levels[0], total, levels, f"P3{tail}", origin, notes=notes)]
    per_group = [max(doses[n][0] for n in link) for link in links] if linked else []
    distinct = dict(zip(links, per_group, strict=False))
    parts = list(distinct.values()) if linked else sorted((d for d, _ in doses.values()), reverse=True)
    found: list[Prescription] = []

    def add(dose: float, n: int | None, rule: str, **more) -> None:
        own = more.pop("levels", (dose,))
        found.append(
            Prescription(dose, n, own, rule + tail, origin, needs_documentation=True, notes=notes, **more)
        )

    if len(parts) > 1:
        phases = tuple(zip(per_group or parts, numbers, strict=False))
        add(math.fsum(parts), total, "P4", sequential=True, phases=phases, levels=_cumulated(parts))
    if by_beams is not None and same_dose(by_beams, levels[0]):
        phases = tuple((b, n) for b, n in zip(beams, numbers, strict=True) if b is not None)
        add(levels[0], total, "P4", sequential=True, phases=phases, levels=_cumulated([b for b, _ in phases]))
    for dose, n in _alternatives(parts, per_group, numbers):
        add(dose, n, "P5", levels=(dose,) if linked else levels)
    return found


def _alternatives(
    parts: Sequence[float], per_group: Sequence[float], numbers: Sequence[int | None]
) -> list[tuple[float, int | None]]:
    """Return the alternatives with the fractions of one group each, the highest dose first."""
    pairs = (
        set(zip(per_group, numbers, strict=True)) if per_group else {(d, n) for d in parts for n in numbers}
    )
    return sorted(pairs, key=lambda pair: (-pair[0], -(pair[1] or 0)))


def _cumulated(parts: Sequence[float]) -> tuple[float, ...]:
    """Return the total dose after each phase, the highest first."""
    return tuple(math.fsum(parts[: at + 1]) for at in reversed(range(len(parts))))


def _group_doses(plan: Plan, groups: Sequence[Group]) -> list[float | None]:
    """Return beam dose times fractions of each group in Gy; None if unknown."""
    found: list[float | None] = []
    for group in groups:
        beam = _beam_dose(plan, group)
        found.append(None if beam is None or group.fractions is None else _dose(beam * group.fractions)[0])
    return found


def _from_beams(plan: Plan, groups: Sequence[Group]) -> list[Prescription]:
    """Apply P2: beam dose times fractions, group by group."""
    told = {g.fractions for g in groups}
    # Beam dose of one fraction, and fractions, of each group.
    known = [(beam, g.fractions) for g in groups if (beam := _beam_dose(plan, g)) and g.fractions]
    if len(known) < len(groups):
        # If the dose of one beam is missing, the group has no dose.
        some = any(b.dose is not None for g in groups for b in plan.group_beams(g))
        lacking = any(_beam_dose(plan, g) is None for g in groups)
        agreed = told.pop() if len(told) == 1 else None
        return [replace(UNKNOWN, fractions=agreed, notes=(BEAM_DOSE_INCOMPLETE,) if some and lacking else ())]
    cgy = any(_dose(beam * n)[1] for beam, n in known)
    rule, notes = ("P2 P7", (PRESCRIPTION_CGY,)) if cgy else ("P2", ())
    parts = tuple((_dose(beam * n)[0], n) for beam, n in known)
    doses = [dose for dose, _ in parts]
    if len(parts) == 1:
        return [Prescription(doses[0], parts[0][1], (doses[0],), rule, "beam dose", notes=notes)]
    found = [
        Prescription(
            math.fsum(doses), sum(n for _, n in parts), _cumulated(doses), rule.replace("P2", "P2 P4"),
            "beam dose", True, True, parts, notes,
        )
    ]  # fmt: skip
    for dose, n in sorted(set(parts), reverse=True):
        found.append(
            Prescription(dose, n, (dose,), rule.replace("P2", "P2 P5"), "beam dose", True, notes=notes)
        )
    return found


def _noted(plan: Plan, groups: Sequence[Group], one: Prescription) -> Prescription:
    """Add the warning if beam dose and prescription differ."""
    if one.origin != "target prescription" or one.dose is None or plan.is_brachytherapy:
        return one
    beams = _group_doses(plan, groups)
    if not beams or None in beams or {PRESCRIPTION_PER_FRACTION, PRESCRIPTION_CGY} <= set(one.notes):
        return one
    total = math.fsum(b for b in beams if b)
    wanted = [*one.levels, *(dose for dose, _ in one.phases)]
    several = total if len(groups) == 1 or one.sequential else max(b or 0.0 for b in beams)
    if any(same_dose(x, level, _BEAM_DOSE_WARNING) for x in (total, several) for level in wanted):
        return one
    return replace(one, notes=(*one.notes, BEAM_DOSE_DIFFERS))
