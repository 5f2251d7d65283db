"""Define the phases of a course: plans with the same targets and dose per fraction, and their combination."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.documented_courses import EXTERNAL
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan, distance_mm
from sarcoma_pipeline.curation.technique import Technique
from schemas.rule import Rule

INTRAOPERATIVE = "intraoperative"

DISJOINT_MM = 100.0
"""Isocentres further apart than this belong to two sites."""
_SAME_TIME_DAYS = 14
"""Two plans in different frames of reference are two sites only if they were made within these days."""
_BOOST = re.compile(r"boost|\bbst\b|aufs[äa]e?ttigung", re.IGNORECASE)


@dataclass(frozen=True)
class CoursePlan:
    """A clinical plan of a course, with the facts that the combination uses.

    Attributes:
        plan: the plan.
        prescription: its prescription, as decided for this course.
        technique: its technique.
        delivered: the delivered fractions and dose of its treatment records; None without records.
        first: its first day.
        last: its last day.
        predecessors: keys of the plans that it follows (PREDECESSOR), including the relations of its copies.
        concurrent: keys of the plans treated together with it (CONCURRENT).
        credibility: sort key; approved plans come first.
    """

    plan: Plan
    prescription: Prescription
    technique: Technique
    delivered: Delivered | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    predecessors: frozenset[str] = frozenset()
    concurrent: frozenset[str] = frozenset()
    credibility: int = 0

    @property
    def key(self) -> str:
        """The key of the plan."""
        return self.plan.key

    @property
    def n(self) -> int:
        """Delivered fractions; 0 without records."""
        return self.delivered.fractions if self.delivered else 0

    @property
    def is_boost(self) -> bool:
        """Whether its label says boost, or the name of every target that it treats."""
        targets = [r.description for r in self.plan.levels]
        by_target = bool(targets) and all(t and _BOOST.search(t) for t in targets)
        return by_target or bool(_BOOST.search(self.plan.label or ""))


@dataclass(frozen=True)
class Phase:
    """Plans with the same targets and dose per fraction: a plan and its revisions.

    Attributes:
        plans: its plans, the first one first.
        kind: external beam, brachytherapy or intraoperative.
        dose: prescribed dose in Gy; None if unknown.
        fractions: planned fractions; None if unknown.
        levels: total doses of the target levels, the highest first.
        rule: the rules that formed it.
        origin: the evidence for them.
        site: number of the site, 1 for the first; phases of one site follow each other.
    """

    plans: tuple[CoursePlan, ...]
    kind: str
    dose: float | None
    fractions: int | None
    levels: tuple[float, ...]
    rule: str
    origin: str
    site: int = 1

    @property
    def single(self) -> float | None:
        """Dose per fraction of the highest level."""
        return self.dose / self.fractions if self.dose is not None and self.fractions else None

    @property
    def n(self) -> int:
        """Delivered fractions of all its plans."""
        return sum(p.n for p in self.plans)

    @property
    def has_records(self) -> bool:
        """Whether one of its plans has treatment records."""
        return any(p.delivered for p in self.plans)

    @property
    def is_complete(self) -> bool:
        """Whether every planned fraction was delivered."""
        return self.has_records and self.fractions is not None and self.n >= self.fractions

    @property
    def is_boost(self) -> bool:
        """Whether its first plan is called a boost."""
        return self.plans[0].is_boost

    @property
    def delivered_dose(self) -> float | None:
        """Delivered dose: the shares of fractions times the dose per fraction of each plan.

        None without records.
        """
        doses = []
        for part in self.plans:
            if part.delivered is None:
                continue
            if part.delivered.dose is not None:
                doses.append(part.delivered.dose)
                continue
            single = part.prescription.single or self.single
            if single is None:
                return None
            doses.append(part.delivered.shares * single)
        return math.fsum(doses) if doses else None

    @property
    def main(self) -> CoursePlan:
        """The main plan: of the delivered plans the one with most fractions, else the last."""
        numbered = enumerate(self.plans)
        return max(numbered, key=lambda item: (item[1].n, item[0]))[1]


@dataclass(frozen=True)
class Reading:
    """One way to read the plans of a course."""

    text: str
    dose: float | None
    fractions: int | None


@dataclass(frozen=True)
class Combination:
    """The combined dose of the plans of a course.

    Attributes:
        phases: external phases first, then brachytherapy and intraoperative ones.
        dose: prescribed dose of the external phases in Gy; None if it is unknown or a person must decide.
        fractions: of the same phases.
        levels: doses of the levels.
        rule: D0 to D10, several joined by blanks.
        origin: records, relation, documentation or label.
        sites: number of sites over which the maximum was taken.
        readings: the choices for a person; empty if the rules decided.
        notes: rules to report with it, and the plans at fault.
    """

    phases: tuple[Phase, ...]
    dose: float | None = None
    fractions: int | None = None
    levels: tuple[float, ...] = ()
    rule: str = "D0"
    origin: str = "label"
    sites: int = 1
    readings: tuple[Reading, ...] = ()
    notes: tuple[tuple[Rule, str], ...] = ()

    @property
    def main_phases(self) -> tuple[Phase, ...]:
        """The phases that give the dose of the course: external phases of its first site.

        Without any, all phases.
        """
        external = [p for p in self.phases if p.kind == EXTERNAL]
        return tuple(p for p in external if p.site == 1) or self.phases


def plans_are_disjoint(one: CoursePlan, other: CoursePlan) -> bool:
    """Return whether two plans treat different sites.

    Their isocentres are more than 10 cm apart, or their frames of reference differ at the same time.
    """
    if one.is_boost or other.is_boost:
        return False
    apart = distance_mm(one.plan, other.plan)
    if apart is not None:
        return apart > DISJOINT_MM
    frames = {one.plan.frame, other.plan.frame}
    if None in frames or len(frames) == 1:
        return False
    if one.first is None or other.first is None or one.last is None or other.last is None:
        return False
    if one.delivered and other.delivered:
        return bool(set(one.delivered.dates) & set(other.delivered.dates))
    return max((other.first - one.last).days, (one.first - other.last).days) <= _SAME_TIME_DAYS


def phases_are_disjoint(one: Phase, other: Phase) -> bool:
    """Return whether every plan of one phase is apart from every plan of the other."""
    return all(plans_are_disjoint(p, q) for p in one.plans for q in other.plans)


def distinct(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Readings with the same dose and fractions are one, with the words of all."""
    found: dict[tuple[float, int | None], Reading] = {}
    for one in readings:
        key = (round(one.dose or 0.0, 2), one.fractions)
        if key in found:
            found[key] = replace(found[key], text=f"{found[key].text}; {one.text}")
        else:
            found[key] = one
    return tuple(found.values())
