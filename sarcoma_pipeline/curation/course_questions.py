"""Ask a person to choose between the possible readings of a course.

The key of a reading is computed from plans, treatment records, documentation and the reading. A decision
holds while a reading with its key is possible: it lapses when the plans change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.curation.course_phases import Combination, Reading
from sarcoma_pipeline.curation.documented_courses import SEVERAL_IRRADIATIONS, DocumentedCourse
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from schemas.rule import Rule
from schemas.sides import OF_COURSE

UNDECIDED = Rule(
    "course.undecided",
    "warning",
    on="curated.radiotherapy_course",
    what="No rule decides how the plans of the course are combined: its prescribed dose is left empty. The "
    "value lists the possible readings.",
    remedy="Choose a reading: sarcoma findings decide ID --reading N. Better: export the treatment records, "
    "or the relations between the plans.",
    scope="source",
    source="docs/radiotherapy.md, rule D10",
    sides=OF_COURSE,
)
RESEARCH_PLAN = Rule(
    "course.research-plan",
    "warning",
    on="curated.radiotherapy_course",
    what="A plan with the intent RESEARCH is not used unless it was treated. The value lists the possible "
    "readings of the course.",
    remedy="Choose a reading: sarcoma findings decide ID --reading N. Better: export its treatment records, "
    "or correct PlanIntent in the planning system.",
    scope="source",
    source="DICOM PS3.3 C.8.8.9 PlanIntent; docs/radiotherapy.md, rule R1",
    sides=OF_COURSE,
)
DECIDED = Rule(
    "course.decided",
    "notice",
    on="curated.radiotherapy_course",
    what="A data steward chose how the plans of the course are combined. The value is the chosen reading.",
    remedy="Nothing needs to be done. To withdraw the choice: sarcoma findings reopen, with the ID of the "
    "finding for which the choice was made.",
    scope="source",
    source="docs/radiotherapy.md",
    sides=OF_COURSE,
)


@dataclass(frozen=True)
class Course:
    """A course: its documentation, its combined plans, or both."""

    key: str
    documented: DocumentedCourse | None
    combined: Combination | None


@dataclass(frozen=True)
class AskedReading:
    """One reading that a person may choose."""

    number: int
    text: str
    dose: float | None
    fractions: int | None
    key: str

    def __str__(self) -> str:
        dose = "no dose" if self.dose is None else f"{self.dose:g} Gy"
        fractions = "" if self.fractions is None else f" in {self.fractions}"
        return f"{self.number}: {dose}{fractions} ({self.text})"


@dataclass(frozen=True)
class Asked:
    """A question about a course.

    Attributes:
        rule: the rule of the finding.
        course: key of the course.
        record_id: record to which the finding points.
        table: its typed table, without ``typed.``.
        record_ids: all records on which the readings rest.
        readings: the possible choices.
    """

    rule: Rule
    course: str
    record_id: str
    table: str
    record_ids: tuple[str, ...]
    readings: tuple[AskedReading, ...]


def ask(
    rule: Rule,
    course: str,
    plans: Sequence[tuple[Plan, int]],
    documented: DocumentedCourse | None,
    readings: Iterable[Reading],
    about: Plan | None = None,
) -> Asked:
    """Return the question with its numbered readings.

    Args:
        rule: the rule of the finding.
        course: key of the course.
        plans: its clinical plans with their delivered fractions.
        documented: the documented course.
        readings: the possible choices.
        about: the plan that the question is about; by default the earliest.
    """
    content = [
        rule.id, course,
        sorted((plan.key, plan.fingerprint, n) for plan, n in plans),
        about.key if about else None,
        [documented.documented, documented.start, documented.end] if documented else None,
    ]  # fmt: skip
    asked = tuple(
        AskedReading(number, r.text, r.dose, r.fractions, _key(content, r))
        for number, r in enumerate(readings, start=1)
    )
    ids = {plan.record_id for plan, _ in plans} | set(documented.record_ids if documented else ())
    first = about or min((p for p, _ in plans), key=lambda p: (str(p.date), p.key), default=None)
    if first is not None:
        return Asked(rule, course, first.record_id, "plan", tuple(sorted(ids | {first.record_id})), asked)
    assert documented is not None
    return Asked(rule, course, documented.record_id, "radiotherapy", tuple(sorted(ids)), asked)


def _key(content: Sequence[Any], reading: Reading) -> str:
    named = repr([*content, round(reading.dose or -1.0, 3), reading.fractions, reading.text])
    return hashlib.blake2b(named.encode(), digest_size=12).hexdigest()


def of_combination(
    course: str, combination: Combination, documented: DocumentedCourse | None
) -> Asked | None:
    """Return the question that the combination leaves open; None if the rules decided."""
    if not combination.readings:
        return None
    plans = [(p.plan, p.n) for phase in combination.phases for p in phase.plans]
    return ask(UNDECIDED, course, plans, documented, combination.readings)


def of_documentation(documented: DocumentedCourse) -> Asked | None:
    """Return the question left open by several irradiations of one target if no plan answers it.

    Else None.
    """
    if not documented.undecided:
        return None
    parts = [(p.dose, p.fractions) for p in documented.parts if p.dose is not None]
    numbers = [n for _, n in parts]
    found = [
        Reading("one after the other, the doses add", sum(d for d, _ in parts), sum_or_none(numbers)),
        *(Reading(f"irradiation {at} alone", d, n) for at, (d, n) in enumerate(parts, start=1)),
    ]
    return ask(SEVERAL_IRRADIATIONS, documented.key, (), documented, found)


def of_research(plan: Plan, without: Course | None, within: Course | None) -> Asked:
    """Return the question whether a plan with the intent RESEARCH was treated.

    Args:
        plan: the plan.
        without: its course if it was not treated; None if there is no course then.
        within: its course if it was treated; None if its course is not known.
    """
    known = within or without
    parts = [p for phase in within.combined.phases for p in phase.plans] if within and within.combined else []
    others = [(p.plan, p.n) for p in parts if p.plan is not plan]
    readings = [
        Reading("the plan was not treated", *_value(without)),
        Reading("the plan was treated", *_value(within)),
    ]
    documented = known.documented if known else None
    return ask(RESEARCH_PLAN, known.key if known else "", others, documented, readings, plan)


def _value(course: Course | None) -> tuple[float | None, int | None]:
    """Return dose and fractions of a course, from its plans or else from its documentation."""
    if course is None:
        return None, None
    if course.combined is not None and course.combined.dose is not None:
        return course.combined.dose, course.combined.fractions
    return (course.documented.dose, None) if course.documented else (None, None)


def sum_or_none(numbers: Sequence[int | None]) -> int | None:
    """Return the sum; None if a number is unknown."""
    known = [n for n in numbers if n is not None]
    return sum(known) if len(known) == len(numbers) else None


def chosen(question: Asked | None, decided: Collection[str]) -> AskedReading | None:
    """Return the reading that a data steward chose; None if there is none."""
    if question is None:
        return None
    return next((r for r in question.readings if r.key in decided), None)
