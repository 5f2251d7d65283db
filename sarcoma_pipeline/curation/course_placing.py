"""Assign the clinical plans of a patient to courses, and combine the plans of each course."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sarcoma_pipeline.curation.course_assignment import Assignment, Placeable, assign
from sarcoma_pipeline.curation.course_phases import CoursePlan
from sarcoma_pipeline.curation.course_questions import Course
from sarcoma_pipeline.curation.delivery import (
    Delivered,
    as_prescribed,
)
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from sarcoma_pipeline.curation.plan_combination import combine
from sarcoma_pipeline.curation.plan_roles import (
    CLINICAL,
    COPY,
    Role,
    credibility,
)
from sarcoma_pipeline.curation.prescription import Prescription, decide
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from sarcoma_pipeline.curation.technique import technique_of


@dataclass(frozen=True)
class Placed:
    """The plans of a patient with their courses."""

    courses: list[Course]
    plans: dict[str, CoursePlan]
    assigned: dict[str, Assignment]

    def course(self, key: str | None) -> Course | None:
        """Return the course with this key."""
        return next((c for c in self.courses if c.key == key), None)


@dataclass(frozen=True)
class Placing:
    """Assign the clinical plans of a patient to courses and combine them."""

    plans: Mapping[str, Plan]
    read: Mapping[str, tuple[Prescription, ...]]
    given: Mapping[str, Delivered]
    role: Mapping[str, Role]
    documented: Sequence[DocumentedCourse]
    surgeries: frozenset[dt.date]

    def place(self, research: frozenset[str]) -> Placed:
        """Place the clinical plans, and the research plans decided as treated."""
        clinical = [k for k, r in self.role.items() if r.role in CLINICAL or k in research]
        copies: dict[str, list[str]] = defaultdict(list)
        for key, role in self.role.items():
            if role.role == COPY and role.of is not None:
                copies[role.of].append(key)
        relations = _Relations(self.plans, self.role, frozenset(clinical))
        placeable = [self._placeable(k, copies[k], relations) for k in clinical]
        assigned = assign(placeable, self.documented, self.surgeries)
        dates = {p.key: (p.first, p.last) for p in placeable}
        of_course: dict[str, list[str]] = defaultdict(list)
        for key, one in assigned.items():
            if one.course is not None:
                of_course[one.course].append(key)
        parts: dict[str, CoursePlan] = {}
        courses: list[Course] = []
        names = [c.key for c in self.documented]
        own = sorted(k for k in of_course if k not in names)
        by_key = {c.key: c for c in self.documented}
        for name in [*names, *own]:
            documented = by_key.get(name)
            pairs = documented.documented if documented else ()
            members = []
            for key in sorted(of_course.get(name, ())):
                plan = self.plans[key]
                known = documented.brachytherapy if documented and plan.is_brachytherapy else pairs
                read, given = decide(self.read[key], known), self.given.get(key)
                part = CoursePlan(
                    plan, read, technique_of(plan), given and as_prescribed(given, plan, read),
                    *dates[key], relations.predecessors(key), relations.concurrent(key),
                    credibility(plan),
                )  # fmt: skip
                parts[key] = part
                members.append(part)
            combined = combine(members, documented, self.surgeries) if members else None
            courses.append(Course(name, documented, combined))
        return Placed(courses, parts, assigned)

    def _placeable(self, key: str, copies: Iterable[str], relations: _Relations) -> Placeable:
        plan, given = self.plans[key], self.given.get(key)
        related = relations.related(key)
        if given and given.dates:
            return Placeable(plan, self.read[key], given.dates[0], given.dates[-1], True, related)
        # A copy has the date of its re-approval: the plan's date is the earliest of its copies.
        days = [day for k in (key, *copies) if (day := self.plans[k].date)]
        day = min(days, default=None)
        return Placeable(plan, self.read[key], day, day, False, related)


class _Relations:
    """Relations between clinical plans.

    Relations of a copy belong to its plan; unused plans are passed through.
    """

    def __init__(self, plans: Mapping[str, Plan], role: Mapping[str, Role], clinical: frozenset[str]) -> None:
        self.clinical = clinical
        self.kept = {k: r.of for k, r in role.items() if r.role == COPY and r.of is not None}
        self.named: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
        for key, plan in plans.items():
            for uid, relation in plan.relations:
                self.named[self.kept.get(key, key)].add((self.kept.get(uid, uid), relation))

    def _reached(self, key: str, wanted: frozenset[str | None] | None) -> frozenset[str]:
        found: set[str] = set()
        seen = {key}
        waiting = [key]
        while waiting:
            for uid, relation in sorted(self.named.get(waiting.pop(), ()), key=str):
                if (wanted is None or relation in wanted) and uid not in seen:
                    seen.add(uid)
                    if uid in self.clinical:
                        found.add(uid)
                    else:
                        waiting.append(uid)
        return frozenset(found)

    def predecessors(self, key: str) -> frozenset[str]:
        return self._reached(key, frozenset({"PREDECESSOR"}))

    def concurrent(self, key: str) -> frozenset[str]:
        return self._reached(key, frozenset({"CONCURRENT"}))

    def related(self, key: str) -> frozenset[str]:
        return self._reached(key, None)
