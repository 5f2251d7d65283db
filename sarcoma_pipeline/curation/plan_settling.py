"""Decide how the phases of a course relate to each other: rules D4 to D7 and D10."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sarcoma_pipeline.curation.course_phases import (
    Combination,
    Phase,
    Reading,
    distinct,
    phases_are_disjoint,
    plans_are_disjoint,
)
from sarcoma_pipeline.curation.documented_courses import (
    MOST_GY,
    DocumentedCourse,
)
from sarcoma_pipeline.curation.plan_phases import with_rule
from sarcoma_pipeline.curation.prescription import same_dose
from schemas.rule import Rule
from schemas.sides import OF_COURSE

REPLAN_UNLINKED = Rule(
    "course.replan-unlinked",
    "warning",
    on="curated.radiotherapy_course",
    what="Two plans of a course have the same prescription, and no relation or treatment record shows "
    "whether one replaced the other. The documented dose equals one of them, so the dose counts once.",
    remedy="Export the treatment records, or the relation PREDECESSOR from the planning system.",
    scope="source",
    source="DICOM PS3.3 C.8.8.9 RTPlanRelationship",
    sides=OF_COURSE,
)


PARALLEL_SITES = Rule(
    "course.parallel-sites",
    "warning",
    on="curated.radiotherapy_course",
    what="The plans of the course treat separate sites: the dose of the course is the highest of their "
    "doses, not the sum.",
    remedy="Check in the planning system which site is the tumour's, and document each site as a separate "
    "Bestrahlung.",
    scope="source",
    source="DICOM PS3.3 C.8.8.14 IsocenterPosition",
    sides=OF_COURSE,
)


@dataclass
class Settling:
    """Decides how the phases of a course relate to each other (D4 to D7 and D10)."""

    phases: list[Phase]
    documented: DocumentedCourse | None
    with_records: bool
    notes: list[tuple[Rule, str]] = field(default_factory=list)

    def settle(self, undecided: bool) -> Combination:
        """Return the combination of the phases.

        Args:
            undecided: whether parts of one plan differ (D8), so that a person must decide.
        """
        if undecided:
            return self._ask("D8 D10")
        if len(self.phases) == 1:
            only = self.phases[0]
            if only.dose is None and not self._is_unknown(only):
                return self._ask("P6")
            return self._made([[only]], only.rule, only.origin)
        if all(p.dose is None and self._is_unknown(p) for p in self.phases):
            return self._without_dose()
        if any(p.dose is None for p in self.phases):
            return self._ask("D10")
        everything = self._sum(self.phases)
        if self._is_documented(*everything):
            return self._sequence(self.phases, "documentation")
        phases, pending = (self.phases, False) if self.with_records else self._once()
        rest = None if self.with_records else self._rest(phases)
        if rest is not None:
            return rest
        sites = self._sites(phases)
        if sites is None:
            return self._ask("D10")
        made = self._of_sites(sites)
        if made is None or (pending and not self._is_documented(made.dose, made.fractions)):
            return self._ask("D5 D10" if pending else "D10")
        if pending:
            rule = " ".join(dict.fromkeys(["D5", *(r for r in made.rule.split() if r != "D0")]))
            made = replace(made, rule=rule, origin="documentation")
        return made

    def _without_dose(self) -> Combination:
        """Return a combination without dose: no plan has one, so that the documented dose is used."""
        numbers = {p.fractions for p in self.phases}
        fractions = numbers.pop() if len(numbers) == 1 else None
        return Combination(tuple(self.phases), None, fractions, rule="D0", notes=tuple(self.notes))

    @staticmethod
    def _is_unknown(phase: Phase) -> bool:
        """Return whether the dose of a phase is missing, not undecided."""
        return all("P6" not in p.prescription.rule for p in phase.plans)

    def _is_documented(self, dose: float | None, fractions: int | None) -> bool:
        if self.documented is None or self.documented.dose is None or dose is None:
            return False
        return same_dose(dose, self.documented.dose)

    @staticmethod
    def _sum(phases: Sequence[Phase]) -> tuple[float | None, int | None]:
        doses = [p.dose for p in phases]
        numbers = [p.fractions for p in phases]
        dose = math.fsum(d for d in doses if d is not None) if None not in doses else None
        return dose, sum(n for n in numbers if n) if None not in numbers else None

    def _once(self) -> tuple[list[Phase], bool]:
        """Apply D5: count equal prescriptions of several fractions, unlinked and at one site, once."""
        groups: list[list[Phase]] = []
        for phase in self.phases:
            for group in groups:
                if all(self._is_same(phase, other) for other in group):
                    group.append(phase)
                    break
            else:
                groups.append([phase])
        kept = []
        for group in groups:
            best = min(group, key=_choice)
            if len(group) > 1:
                first = [p for other in group for p in other.plans if other is not best]
                best = replace(best, plans=(*first, *best.plans), rule=with_rule(best, "D5"))
                self.notes.append((REPLAN_UNLINKED, best.plans[-1].plan.record_id))
            kept.append(best)
        return kept, len(kept) < len(self.phases)

    @staticmethod
    def _is_same(one: Phase, other: Phase) -> bool:
        assert one.dose is not None and other.dose is not None
        several = one.fractions is not None and one.fractions > 1 and one.fractions == other.fractions
        apart = plans_are_disjoint(one.plans[0], other.plans[0])
        return several and same_dose(one.dose, other.dose) and not apart and one.is_boost == other.is_boost

    def _rest(self, phases: Sequence[Phase]) -> Combination | None:
        """Apply D4 by documentation.

        The first prescription has the documented dose, and the later plans complete it.
        """
        first, later = phases[0], phases[1:]
        if not later or not self._is_documented(first.dose, first.fractions):
            return None
        for phase in later:
            shorter = phase.fractions and first.fractions and phase.fractions < first.fractions
            same = phase.single and first.single and same_dose(phase.single, first.single)
            if (
                not shorter
                or not same
                or phase.is_boost
                or plans_are_disjoint(first.plans[-1], phase.plans[0])
            ):
                return None
        plans = tuple(p for phase in phases for p in phase.plans)
        whole = replace(first, plans=plans, rule=with_rule(first, "D4"), origin="documentation")
        return self._made([[whole]], whole.rule, "documentation")

    def _sites(self, phases: Sequence[Phase]) -> list[list[Phase]] | None:
        """Return the phases by site, those of one site in sequence; None if nothing decides."""
        sites: list[list[Phase]] = [[phases[0]]]
        for phase in phases[1:]:
            for site in sites:
                if why := self._follows(site, phase):
                    rule = replace(phase, rule=with_rule(phase, "D6"), origin=why)
                    site.append(rule)
                    break
            else:
                if not all(phases_are_disjoint(one, phase) for site in sites for one in site):
                    return None
                sites.append([replace(phase, rule=with_rule(phase, "D7"))])
        return sites

    def _follows(self, site: Sequence[Phase], phase: Phase) -> str | None:
        """Apply D6: return the evidence that a phase follows those of a site; None if there is none."""
        if any(phases_are_disjoint(one, phase) for one in site):
            return None
        if all(one.is_complete and not _on_days_of(one, phase) for one in site):
            return "records"
        total, fractions = self._sum([*site, phase])
        if self._is_documented(total, fractions):
            return "documentation"
        return "label" if phase.is_boost != site[0].is_boost else None

    def _sequence(self, phases: Sequence[Phase], origin: str) -> Combination:
        added = [replace(p, rule=with_rule(p, "D6"), origin=origin) for p in phases]
        made = self._of_sites([added])
        assert made is not None
        return made

    def _of_sites(self, sites: Sequence[list[Phase]]) -> Combination | None:
        totals = [self._sum(site) for site in sites]
        for site, (dose, fractions) in zip(sites, totals, strict=True):
            if len(site) > 1 and (dose or 0) > MOST_GY and not self._is_documented(dose, fractions):
                return None
        ordered = sorted(sites, key=lambda s: (-(self._sum(s)[0] or 0), [p.plans[0].key for p in s]))
        rules = [r for site in ordered for p in site for r in p.rule.split() if r != "D0"]
        origins = [p.origin for site in ordered for p in site if p.rule != "D0"]
        if len(sites) > 1:
            rules = [*(r for r in rules if r != "D7"), "D7"]
            self.notes.append((PARALLEL_SITES, ordered[0][0].plans[0].plan.record_id))
        rule = " ".join(dict.fromkeys(rules)) or "D0"
        return self._made(ordered, rule, _weakest(origins))

    def _made(self, sites: Sequence[Sequence[Phase]], rule: str, origin: str) -> Combination:
        main = sites[0]
        dose, fractions = self._sum(main)
        numbered = tuple(
            replace(phase, site=number) for number, site in enumerate(sites, 1) for phase in _daily(site)
        )
        levels = main[0].levels if len(main) == 1 else _cumulated([p.dose or 0.0 for p in main])
        if len(main) > 1 and len(_daily(main)) == 1 and dose is not None:
            levels = (dose,)
        return Combination(
            numbered, dose, fractions, levels, rule, origin, len(sites), notes=tuple(self.notes)
        )

    def _ask(self, rule: str) -> Combination:
        origin = "label"
        return Combination(
            tuple(self.phases), rule=rule, origin=origin, readings=distinct(list(self._readings())),
            notes=tuple(n for n in self.notes if n[0] is not REPLAN_UNLINKED),
        )  # fmt: skip

    def _readings(self) -> Iterator[Reading]:
        phases = self.phases
        if len(phases) == 1:
            for one in (r for p in phases[0].plans for r in p.prescription.alternatives):
                if one.dose is not None:
                    words = [_WORDS[rule] for rule in one.rule.split() if rule in _WORDS]
                    yield Reading(words[0] if words else one.rule, one.dose, one.fractions)
            return
        dose, fractions = self._sum(phases)
        if dose is not None:
            yield Reading("one after the other, the doses add", dose, fractions)
        for number, phase in enumerate(phases, start=1):
            if phase.dose is not None:
                yield Reading(f"phase {number} alone gives the prescription", phase.dose, phase.fractions)
        shares = [p.delivered_dose for p in phases]
        if self.with_records and None not in shares:
            given = math.fsum(s for s in shares if s)
            yield Reading("as delivered by the treatment records", given, sum(p.n for p in phases))


_WORDS = {
    "P4": "fraction groups one after the other",
    "P5": "fraction groups side by side",
    "P8": "the prescription is the dose of one fraction",
}


def _on_days_of(earlier: Phase, later: Phase) -> bool:
    """Return whether a phase begins before another ends: then neither follows the other."""
    ended = [day for p in earlier.plans if p.delivered for day in p.delivered.dates]
    begun = [day for p in later.plans if p.delivered for day in p.delivered.dates]
    return bool(ended and begun) and min(begun) < max(ended)


def _choice(phase: Phase) -> tuple[int, int, str]:
    """Return the sort key of D5: approved plan, then newest, then UID."""
    last = phase.plans[-1]
    return last.credibility, -(last.first or dt.date.min).toordinal(), last.key


def _daily(phases: Sequence[Phase]) -> list[Phase]:
    """Join phases with one fraction each and the same dose: the daily plans of one phase."""
    joined: list[Phase] = []
    for phase in phases:
        last = joined[-1] if joined else None
        same = (
            last is not None
            and phase.fractions == 1
            and all(p.prescription.fractions == 1 for p in last.plans)
            and phase.single is not None
            and last.single is not None
            and same_dose(phase.single, last.single)
        )
        if not same or last is None:
            joined.append(phase)
            continue
        dose = (last.dose or 0.0) + (phase.dose or 0.0)
        joined[-1] = replace(
            last, plans=(*last.plans, *phase.plans), dose=dose, levels=(dose,), rule=with_rule(last, "D6"),
            fractions=(last.fractions or 0) + 1, origin=phase.origin,
        )  # fmt: skip
    return joined


def _cumulated(doses: Sequence[float]) -> tuple[float, ...]:
    return tuple(math.fsum(doses[: at + 1]) for at in reversed(range(len(doses))))


def _weakest(origins: Sequence[str]) -> str:
    order: Callable[[str], int] = ["records", "relation", "documentation", "label"].index
    return max(origins, key=order, default="label")
