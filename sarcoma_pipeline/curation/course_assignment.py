"""Assign plans to courses: rules A1 to A7, the first that applies.

A plan that fits no course is a course of its own. A plan is never assigned to a course only because that
course is the nearest in time.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sarcoma_pipeline.curation.documented_courses import (
    BRACHYTHERAPY,
    RADIONUCLIDE,
    DocumentedCourse,
)
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from schemas.rule import Rule
from schemas.sides import COURSES

BEFORE_START_DAYS = 60
"""Maximum days that a plan is made before its course starts."""
AFTER_END_DAYS = 3
RELATED_GAP_DAYS = 90
SAME_FRAME_GAP_DAYS = 42
_MATCH_BEFORE_DAYS = 180
_MATCH_AFTER_DAYS = 90
"""A match of dose and fractions must be within these days, because many courses have the same numbers."""
_LONG_BEFORE_DAYS = 120
_UNKNOWN_LENGTH_DAYS = 60
"""Assumed length of a course without a documented end and fractions."""

AFTER_COURSE = Rule(
    "plan.after-course",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan is dated more than three days after the end of the documented course to which its dose "
    "and fractions belong.",
    remedy="Compare RTPlanDate in the planning system with Ende of the Bestrahlung in the tumour "
    "documentation.",
    scope="source",
    sides=(COURSES,),
)
LONG_BEFORE_COURSE = Rule(
    "plan.long-before-course",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan is dated more than 120 days before the documented course to which its dose and fractions "
    "belong.",
    remedy="Compare RTPlanDate in the planning system with Beginn of the Bestrahlung in the tumour "
    "documentation, and check whether another course is missing.",
    scope="source",
    sides=(COURSES,),
)
OUTSIDE_COURSES = Rule(
    "plan.outside-courses",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan belongs to no documented course of the patient: neither by dose and fractions nor by its"
    " date. It is kept as a separate course.",
    remedy="Document the course (oBDS ST), or correct the date of the plan or of the documented course.",
    scope="source",
    source="oBDS module ST",
    sides=(COURSES,),
)
COURSE_AMBIGUOUS = Rule(
    "plan.course-ambiguous",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan matches several documented courses. It was assigned to the latest one after its date.",
    remedy="Compare dose, fractions and dates of the plan with the documented courses (oBDS ST).",
    scope="source",
    source="oBDS module ST",
    sides=(COURSES,),
)
COURSE_UNKNOWN = Rule(
    "plan.course-unknown",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan has no date, and its dose and fractions do not identify its course. It is not used.",
    remedy="Export the plan with RTPlanDate, or with its treatment records.",
    scope="source",
    source="DICOM PS3.3 C.8.8.9 RTPlanDate",
    sides=(COURSES.at_times(),),
)
WITHOUT_COURSE = Rule(
    "plan.without-course",
    "warning",
    on="curated.radiotherapy_plan",
    what="There is a plan, but no documented radiotherapy of this patient.",
    remedy="Document the course (oBDS ST), or remove the plan from the export if it was not treated.",
    scope="source",
    source="oBDS module ST",
    alone="the course is not documented",
)


@dataclass(frozen=True)
class Placeable:
    """A clinical plan with the facts that the assignment uses.

    Attributes:
        plan: the plan.
        readings: possible readings of its prescription.
        first: its first day: from its treatment records, else from the earliest of its copies.
        last: its last day.
        treated: whether the days come from treatment records.
        related: keys of the plans related to it, in either direction.
    """

    plan: Plan
    readings: tuple[Prescription, ...]
    first: dt.date | None
    last: dt.date | None
    treated: bool
    related: frozenset[str]

    @property
    def key(self) -> str:
        """The key of the plan."""
        return self.plan.key


@dataclass(frozen=True)
class Assignment:
    """The course of a plan.

    Attributes:
        course: key of the documented course; ``plans N`` for the Nth course made of plans; None for none.
        rule: A1 to A7.
        origin: records, relation, documentation or label.
        notes: rules to report with it.
    """

    course: str | None
    rule: str
    origin: str
    notes: tuple[Rule, ...] = ()


def assign(
    plans: Sequence[Placeable], documented: Sequence[DocumentedCourse], surgeries: Iterable[dt.date] = ()
) -> dict[str, Assignment]:
    """Assign every clinical plan of a patient to a course.

    Args:
        plans: the clinical plans.
        documented: the documented courses.
        surgeries: days of operations.

    Returns:
        Key of the plan to its course.
    """
    cuts = sorted(set(surgeries))
    courses = {c.key: c for c in documented}
    found: dict[str, Assignment] = {}
    matches = {p.key: [c.key for c in documented if _matches(p, c, cuts)] for p in plans}
    for plan in plans:
        allowed = [c for c in documented if _is_allowed(plan, c)]
        one = _by_records(plan, allowed, matches[plan.key]) or _by_match(plan, matches[plan.key], courses)
        if one:
            found[plan.key] = one
    found |= _one_to_one([p for p in plans if p.key not in found], matches, courses)
    for plan in plans:
        allowed = [c for c in documented if _is_allowed(plan, c)]
        if plan.key not in found and (one := _by_interval(plan, allowed, matches[plan.key])):
            found[plan.key] = one
    _by_neighbours(plans, found, cuts)
    _courses_of_their_own(plans, documented, found, cuts)
    return found


def _matches(plan: Placeable, course: DocumentedCourse, cuts: Sequence[dt.date]) -> bool:
    """Return whether dose and fractions match the course and the date is compatible."""
    if not _is_allowed(plan, course):
        return False
    documented = course.brachytherapy if plan.plan.is_brachytherapy else course.documented
    pairs = [(dose, n) for dose, n in documented if dose is not None]
    if not any(reading.fits(dose, n) for reading in plan.readings for dose, n in pairs):
        return False
    if plan.first is None or course.start is None:
        return True
    end = _end(course)
    early = course.start - dt.timedelta(_MATCH_BEFORE_DAYS)
    late = end + dt.timedelta(_MATCH_AFTER_DAYS)
    return early <= plan.first <= late and not _between(end, plan.first, cuts)


def _is_allowed(plan: Placeable, course: DocumentedCourse) -> bool:
    """Return whether the plan may belong to a course of that kind.

    A brachytherapy course takes only brachytherapy plans; a radionuclide course takes none.
    """
    if course.kind == RADIONUCLIDE:
        return False
    return course.kind != BRACHYTHERAPY or plan.plan.is_brachytherapy


def _end(course: DocumentedCourse) -> dt.date:
    """Return the documented end; without one, the end computed from the fractions at five a week."""
    assert course.start is not None
    if course.end and course.end >= course.start:
        return course.end
    days = math.ceil(course.fractions / 5) * 7 if course.fractions else _UNKNOWN_LENGTH_DAYS
    return course.start + dt.timedelta(days)


def _between(before: dt.date, after: dt.date, cuts: Sequence[dt.date]) -> bool:
    return any(before < day < after for day in cuts)


def _by_records(
    plan: Placeable, documented: Sequence[DocumentedCourse], matches: Sequence[str]
) -> Assignment | None:
    """Apply A1: the days of treatment lie within one documented course."""
    if not plan.treated or plan.first is None or plan.last is None:
        return None
    margin = dt.timedelta(AFTER_END_DAYS)
    inside = [
        c.key
        for c in documented
        if c.start and c.start - margin <= plan.first and plan.last <= _end(c) + margin
    ]
    chosen = inside if len(inside) == 1 else [key for key in inside if key in matches]
    return Assignment(chosen[0], "A1", "records") if len(chosen) == 1 else None


def _by_match(
    plan: Placeable, matches: Sequence[str], courses: Mapping[str, DocumentedCourse]
) -> Assignment | None:
    """Apply A2: dose (2 %) and fractions match one documented course."""
    if len(matches) != 1:
        return None
    course = courses[matches[0]]
    notes: tuple[Rule, ...] = ()
    if plan.first and course.start and plan.first > _end(course) + dt.timedelta(AFTER_END_DAYS):
        notes = (AFTER_COURSE,)
    elif plan.first and course.start and plan.first < course.start - dt.timedelta(_LONG_BEFORE_DAYS):
        notes = (LONG_BEFORE_COURSE,)
    return Assignment(course.key, "A2", "documentation", notes)


def _one_to_one(
    plans: Sequence[Placeable], matches: Mapping[str, Sequence[str]], courses: Mapping[str, DocumentedCourse]
) -> dict[str, Assignment]:
    """Apply A2 to plans that match as many courses of the same days; they are assigned in order."""
    alike: dict[tuple[str, ...], list[Placeable]] = defaultdict(list)
    for plan in plans:
        fitting = [k for k in matches[plan.key] if plan.first is None or _holds(courses[k], plan.first)]
        if len(fitting) > 1:
            alike[tuple(fitting)].append(plan)
    found: dict[str, Assignment] = {}
    for keys, of_keys in alike.items():
        starts = {courses[k].start for k in keys}
        if len(of_keys) == len(keys) and len(starts) == 1:
            ordered = sorted(of_keys, key=lambda p: (p.first or dt.date.max, p.plan.label or "", p.key))
            for plan, key in zip(ordered, keys, strict=True):
                found[plan.key] = Assignment(key, "A2", "documentation", (COURSE_AMBIGUOUS,))
    return found


def _holds(course: DocumentedCourse, day: dt.date) -> bool:
    if course.start is None:
        return False
    early = course.start - dt.timedelta(BEFORE_START_DAYS)
    return early <= day <= _end(course) + dt.timedelta(AFTER_END_DAYS)


def _by_interval(
    plan: Placeable, documented: Sequence[DocumentedCourse], matches: Sequence[str]
) -> Assignment | None:
    """Apply A3: one course fits, from 60 days before its start to three days after its end.

    A4: several courses fit; the one with the latest start after the plan is chosen.
    """
    if plan.first is None:
        return None
    fitting = [c for c in documented if _holds(c, plan.first)]
    fitting = [c for c in fitting if c.key in matches] or fitting
    if not fitting:
        return None
    if len(fitting) == 1:
        return Assignment(fitting[0].key, "A3", "documentation")
    # Of starts on one day the first course in the order of the documentation.
    chosen = max(fitting, key=lambda c: c.start or dt.date.min)
    return Assignment(chosen.key, "A4", "documentation", (COURSE_AMBIGUOUS,))


def _link(one: Placeable, other: Placeable, cuts: Sequence[dt.date]) -> tuple[str, str] | None:
    """Return the rule and origin that put two plans into one course; None if nothing links them."""
    related = other.key in one.related or one.key in other.related
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return ("A5", "relation") if related else None
    if _between(one.last, other.first, cuts) or _between(other.last, one.first, cuts):
        return None
    # Negative if the days of the plans overlap.
    gap = max((other.first - one.last).days, (one.first - other.last).days)
    if related and gap <= RELATED_GAP_DAYS:
        return "A5", "relation"
    same_frame = one.plan.frame is not None and one.plan.frame == other.plan.frame
    return ("A6", "label") if same_frame and gap <= SAME_FRAME_GAP_DAYS else None


def _by_neighbours(plans: Sequence[Placeable], found: dict[str, Assignment], cuts: Sequence[dt.date]) -> None:
    """Apply A5: related to a plan of a course within 90 days.

    And A6: same frame of reference within 42 days.
    """
    for wanted in ("A5", "A6"):
        # In rounds, so that the order of the plans decides nothing.
        while linked := _linked([p for p in plans if p.key not in found], plans, found, cuts, wanted):
            found |= linked


def _linked(
    left: Sequence[Placeable],
    plans: Sequence[Placeable],
    found: Mapping[str, Assignment],
    cuts: Sequence[dt.date],
    wanted: str,
) -> dict[str, Assignment]:
    """Return the courses of the plans that a rule links to plans of exactly one course."""
    linked: dict[str, Assignment] = {}
    placed = [(other, found[other.key].course) for other in plans if other.key in found]
    for plan in left:
        links = ((_link(plan, other, cuts), course) for other, course in placed)
        courses = {course for link, course in links if link and link[0] == wanted}
        if len(courses) == 1:
            origin = "relation" if wanted == "A5" else "label"
            linked[plan.key] = Assignment(courses.pop(), wanted, origin)
    return linked


def _courses_of_their_own(
    plans: Sequence[Placeable],
    documented: Sequence[DocumentedCourse],
    found: dict[str, Assignment],
    cuts: Sequence[dt.date],
) -> None:
    """Apply A7: the remaining plans become courses of their own, split where nothing links two plans."""
    left = [p for p in plans if p.key not in found]
    alone = len(plans) == 1 and not documented
    for plan in [p for p in left if p.first is None and not alone]:
        if not any(_link(plan, other, cuts) for other in left if other is not plan):
            found[plan.key] = Assignment(None, "A7", "label", (COURSE_UNKNOWN,))
    left = [p for p in left if p.key not in found]
    left.sort(key=lambda p: (p.first or dt.date.max, p.key))
    groups: list[list[Placeable]] = []
    for plan in left:
        linked = [g for g in groups if any(_link(plan, other, cuts) for other in g)]
        joined = [p for g in linked for p in g] + [plan]
        groups = [g for g in groups if g not in linked] + [joined]
    note = OUTSIDE_COURSES if documented else WITHOUT_COURSE
    for number, group in enumerate(groups, start=1):
        for plan in group:
            links = [link for other in group if other is not plan and (link := _link(plan, other, cuts))]
            origin = min((origin for _, origin in links), default="label", key=("relation", "label").index)
            found[plan.key] = Assignment(f"plans {number}", "A7", origin, (note,))
