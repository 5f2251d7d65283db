"""Combine the plans of a course into phases: rules D1 to D10, the first that applies.

n is the number of delivered fractions of a plan, N the number of planned ones. If no rule decides, there
is no dose and a person chooses between the possible readings. Doses are added only where a rule says so
(D6).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from sarcoma_pipeline.curation.course_phases import (
    INTRAOPERATIVE,
    Combination,
    CoursePlan,
    Phase,
    Reading,
    distinct,
)
from sarcoma_pipeline.curation.documented_courses import (
    BRACHYTHERAPY,
    EXTERNAL,
    DocumentedCourse,
)
from sarcoma_pipeline.curation.plan_phases import phases_of
from sarcoma_pipeline.curation.plan_settling import Settling
from schemas.rule import Rule
from schemas.sides import OF_COURSE

_INTRAOPERATIVE = re.compile(r"\biort|ioert|intra-?op", re.IGNORECASE)

SUPERSEDED = Rule(
    "course.plan-superseded",
    "notice",
    on="curated.radiotherapy_course",
    what="The plan has no treatment records, but later plans of its course have: the plan was replaced.",
    remedy="If the plan was not treated, nothing needs to be done. Otherwise export its treatment records.",
    scope="source",
    source="DICOM PS3.3 C.8.8.19 ReferencedRTPlanSequence",
    sides=OF_COURSE,
)


def combine(
    plans: Sequence[CoursePlan],
    documented: DocumentedCourse | None,
    surgeries: Collection[dt.date] = (),
) -> Combination:
    """Return the combination of the clinical plans of one course.

    Args:
        plans: at least one.
        documented: the documented course, if there is one.
        surgeries: days of operations.
    """
    ordered = _in_order(plans)
    apart = [p for p in ordered if _kind(p, surgeries) != EXTERNAL]
    external = [p for p in ordered if _kind(p, surgeries) == EXTERNAL]
    others = tuple(
        Phase((p,), _kind(p, surgeries), p.prescription.dose, p.prescription.fractions,
              p.prescription.levels, "D9", "label")
        for p in apart
    )  # fmt: skip
    if not external:
        return _apart_only(others)
    kept, superseded = _superseded(external)
    notes = [(SUPERSEDED, p.plan.record_id) for p in superseded]
    phases, undecided = phases_of(kept, documented)
    made = Settling(phases, documented, any(p.delivered for p in kept)).settle(undecided)
    rules = [r for r in made.rule.split() if r != "D0" or not superseded]
    rules = [*(["D1"] if superseded else []), *rules, *(["D9"] if others else [])]
    return replace(
        made,
        phases=(*made.phases, *others),
        rule=" ".join(dict.fromkeys(rules)),
        origin="records" if superseded and made.rule == "D0" else made.origin,
        notes=(*notes, *made.notes),
    )


def _apart_only(phases: tuple[Phase, ...]) -> Combination:
    """Return a course of brachytherapy or intraoperative irradiation only: the dose of its one phase."""
    if len(phases) == 1:
        one = phases[0]
        return Combination(phases, one.dose, one.fractions, one.levels, "D9", "label")
    known = [(at, p) for at, p in enumerate(phases, start=1) if p.dose]
    readings = distinct([Reading(f"phase {at} alone", p.dose or 0.0, p.fractions) for at, p in known])
    return Combination(phases, rule="D9 D10", readings=readings)


def _in_order(plans: Sequence[CoursePlan]) -> list[CoursePlan]:
    """Sort plans by day, then by relation (a plan after its predecessors), then by UID."""
    depth = dict.fromkeys((p.key for p in plans), 0)
    for _ in range(len(plans)):
        # A circle of relations would never end; as many rounds as plans cover every chain.
        deeper = {
            p.key: max((depth[k] + 1 for k in p.predecessors if k in depth and k != p.key), default=0)
            for p in plans
        }
        if deeper == depth:
            break
        depth = deeper
    return sorted(plans, key=lambda p: (p.first or dt.date.max, depth[p.key], p.key))


def _kind(part: CoursePlan, surgeries: Collection[dt.date]) -> str:
    """Apply D9: return the kind of a plan.

    Intraoperative is one fraction of electrons that is labelled so or given on a day of surgery.
    """
    if part.plan.is_brachytherapy:
        return BRACHYTHERAPY
    once = part.technique.radiations == ("electrons",) and part.plan.fractions == 1
    called = bool(_INTRAOPERATIVE.search(part.plan.label or ""))
    return INTRAOPERATIVE if once and (called or part.first in surgeries) else EXTERNAL


def _superseded(plans: Sequence[CoursePlan]) -> tuple[list[CoursePlan], list[CoursePlan]]:
    """Apply D1: return the plans in use, and the earlier plans without records before a plan with records."""
    last = max((at for at, p in enumerate(plans) if p.n), default=0)
    gone = [p for p in plans[:last] if not p.n]
    return [p for p in plans if p not in gone], gone
