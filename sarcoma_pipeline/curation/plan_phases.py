"""Join the plans of a course that are revisions of one phase: rules D2, D3, D4 and D8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sarcoma_pipeline.curation.course_phases import (
    CoursePlan,
    Phase,
    plans_are_disjoint,
)
from sarcoma_pipeline.curation.documented_courses import (
    EXTERNAL,
    DocumentedCourse,
)
from sarcoma_pipeline.curation.prescription import same_dose


def phases_of(plans: Sequence[CoursePlan], documented: DocumentedCourse | None) -> tuple[list[Phase], bool]:
    """Join plans that are revisions of one phase by records or relation (D2, D3, D4, D8).

    Returns:
        The phases, and whether parts of one plan differ (D8), so that a person must decide.
    """
    with_records = any(p.delivered for p in plans)
    phases: list[Phase] = []
    undecided = False
    for part in plans:
        for at in reversed(range(len(phases))):
            joined = _joined(phases[at], part, with_records, documented)
            if joined == "ask":
                undecided = True
                continue
            if isinstance(joined, Phase):
                phases[at] = joined
                break
        else:
            p = part.prescription
            phases.append(Phase((part,), EXTERNAL, p.dose, p.fractions, p.levels, "D0", "label"))
    return phases, undecided


def _joined(
    phase: Phase, part: CoursePlan, with_records: bool, documented: DocumentedCourse | None
) -> Phase | str | None:
    keys = {p.key for p in phase.plans}
    own = part.prescription
    follows = bool(part.predecessors & keys)
    if part.concurrent & keys or any(part.key in p.concurrent for p in phase.plans):
        same = own.dose is not None and phase.dose is not None and same_dose(own.dose, phase.dose)
        if same and own.fractions == phase.fractions:
            return replace(phase, plans=(*phase.plans, part), rule=with_rule(phase, "D8"), origin="relation")
        return "ask"
    same_single = own.single is not None and phase.single is not None and same_dose(own.single, phase.single)
    if with_records:
        fits = phase.fractions is not None and phase.n + part.n <= phase.fractions
        open_ = part.n > 0 or not phase.is_complete
        if (
            same_single
            and fits
            and open_
            and not part.is_boost
            and not plans_are_disjoint(phase.plans[-1], part)
            and not _on_same_days(phase, part)
        ):
            return replace(phase, plans=(*phase.plans, part), rule=with_rule(phase, "D2"), origin="records")
        return None
    if not follows or own.fractions is None or phase.fractions is None:
        return None
    if own.fractions == phase.fractions:
        return replace(
            phase, plans=(*phase.plans, part), dose=own.dose if own.dose is not None else phase.dose,
            levels=own.levels or phase.levels, rule=with_rule(phase, "D3"), origin="relation",
        )  # fmt: skip
    if own.fractions < phase.fractions and same_single:
        total = math.fsum(dose for dose in (own.dose, phase.dose) if dose)
        dose = documented.dose if documented is not None else None
        if part.is_boost and dose is not None and same_dose(dose, total):
            return None  # the label and the documented sum agree: a boost derived from the plan
        return replace(phase, plans=(*phase.plans, part), rule=with_rule(phase, "D4"), origin="relation")
    return None


def with_rule(phase: Phase, rule: str) -> str:
    """Return the rules of a phase and one more; D0 (no rule applied) is dropped."""
    known = [r for r in phase.rule.split() if r != "D0"]
    return " ".join(dict.fromkeys([*known, rule]))


def _on_same_days(phase: Phase, part: CoursePlan) -> bool:
    """Return whether both were treated on several common days; a revision may share one day."""
    days = {day for p in phase.plans if p.delivered for day in p.delivered.dates}
    return part.delivered is not None and len(days & set(part.delivered.dates)) > 1
