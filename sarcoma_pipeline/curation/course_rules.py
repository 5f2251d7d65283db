"""Check a course: documentation against plans and treatment records.

A course with implausible doses keeps its row without the doses; other courses and patients are not
affected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sarcoma_pipeline.curation.documented_courses import DocumentedCourse
from sarcoma_pipeline.curation.prescription import same_dose
from schemas.rule import Rule
from schemas.sides import OF_COURSE

DOSE_GY = (1.0, 100.0)
SINGLE_GY = (0.1, 30.0)
FRACTIONS_UP_TO = 80
DIFFERS_GY = 0.5
DIFFERS_SHARE = 0.02
DATES_DAYS = 3
INTERRUPTED_DAYS = 7
"""A gap of more than this many days between two fractions is an interruption; a weekend with a holiday is
shorter."""

_REGULAR = ("E", "F")
ABORTED = ("A", "P", "S", "V", "T")
"""Ende_Grund of a course that ended early (oBDS 3.0.4)."""

DOSE_CONFLICT = Rule(
    "radiotherapy.dose-conflict",
    "warning",
    on="curated.radiotherapy_course",
    what="The documented dose equals neither the prescribed nor the delivered one (more than 0.5 Gy or 2 % "
    "apart).",
    remedy="Compare Gesamtdosis in the tumour documentation with the plan and the treatment records; correct "
    "the one that is wrong.",
    scope="source",
    source="ICRU 83; oBDS Gesamtdosis",
    sides=OF_COURSE,
)
FRACTIONS_CONFLICT = Rule(
    "radiotherapy.fractions-conflict",
    "warning",
    on="curated.radiotherapy_course",
    what="The number of fractions from the documented doses differs from that of the plan and the treatment"
    " records.",
    remedy="Compare Einzeldosis in the tumour documentation with the plan; correct the one that is wrong.",
    scope="source",
    source="ICRU 83; oBDS Einzeldosis",
    sides=OF_COURSE,
)
DELIVERED_LESS = Rule(
    "course.delivered-less",
    "warning",
    on="curated.radiotherapy_course",
    what="According to the treatment records, fewer fractions were delivered than planned.",
    remedy="Check in the record and verify system whether the course was ended early (then Ende_Grund says "
    "why) or treatment records are missing from the export.",
    scope="source",
    source="DICOM PS3.3 C.8.8.21",
    sides=OF_COURSE,
)
DELIVERED_MORE = Rule(
    "course.delivered-more",
    "warning",
    on="curated.radiotherapy_course",
    what="According to the treatment records, more fractions were delivered than planned.",
    remedy="Check whether a plan of the course is missing from the export.",
    scope="source",
    source="DICOM PS3.3 C.8.8.21",
    sides=OF_COURSE,
)
DATES_DIFFER = Rule(
    "course.dates-differ",
    "warning",
    on="curated.radiotherapy_course",
    what="The documented first or last day differs from that of the treatment records by more than three "
    "days.",
    remedy="Compare Beginn and Ende of the Bestrahlung in the tumour documentation with the record and "
    "verify system.",
    scope="source",
    source="oBDS Bestrahlung/Beginn, Ende; DICOM TreatmentDate",
    sides=OF_COURSE,
)
INTERRUPTED = Rule(
    "course.interrupted",
    "warning",
    on="curated.radiotherapy_course",
    what="More than seven days lie between two fractions of the course.",
    remedy="Check in the record and verify system whether the course was interrupted or treatment records "
    "are missing from the export.",
    scope="source",
    source="DICOM TreatmentDate; oBDS Ende_Grund F",
    sides=OF_COURSE,
)
END_REASON = Rule(
    "course.end-reason",
    "warning",
    on="curated.radiotherapy_course",
    what="The documented reason of the end contradicts the treatment records: a regular end of an incomplete "
    "course, or the abortion of a complete one.",
    remedy="Compare Ende_Grund of the ST in the tumour documentation with the record and verify system.",
    scope="source",
    source="oBDS Ende_Grund",
    sides=OF_COURSE,
)
DOSE_IMPLAUSIBLE = Rule(
    "course.dose-implausible",
    "warning",
    on="curated.radiotherapy_course",
    what="The total dose of the course is not between 1 and 100 Gy, its dose per fraction not between 0.1 "
    "and 30 Gy, or it has more than 80 fractions: its doses are left empty.",
    remedy="Check unit and decimal point of the doses in the tumour documentation and in the plan.",
    scope="source",
    source="ICRU 83",
    sides=OF_COURSE,
)


@dataclass(frozen=True)
class CourseFacts:
    """The facts that the rules compare.

    Attributes:
        prescribed: dose in Gy from the plans.
        delivered: dose in Gy from the treatment records.
        planned_fractions: from the plans.
        delivered_fractions: from the treatment records; None without records.
        first: first day in the treatment records.
        last: last day in the treatment records.
        gap: longest time between two fractions in days.
    """

    documented: DocumentedCourse | None
    prescribed: float | None
    delivered: float | None
    planned_fractions: int | None
    delivered_fractions: int | None
    first: dt.date | None
    last: dt.date | None
    gap: int | None


def differs(one: float, other: float) -> bool:
    """Return whether two doses are more than 0.5 Gy or more than 2 % apart."""
    return abs(one - other) > DIFFERS_GY + 1e-9 or not same_dose(one, other, DIFFERS_SHARE)


def judge(facts: CourseFacts) -> Iterator[tuple[Rule, str]]:
    """Yield each rule that a course breaks, with the value to report."""
    documented = facts.documented
    yield from _against_documentation(facts)
    n, planned = facts.delivered_fractions, facts.planned_fractions
    if n is not None and planned is not None and n != planned:
        shown = f"{n} of {planned} fractions"
        yield (DELIVERED_LESS if n < planned else DELIVERED_MORE), shown
    if facts.gap is not None and facts.gap > INTERRUPTED_DAYS:
        yield INTERRUPTED, f"{facts.gap} days"
    if documented and documented.end_reason and n is not None and planned is not None:
        early = documented.end_reason in _REGULAR and n < planned
        late = documented.end_reason in ABORTED and n >= planned
        if early or late:
            yield END_REASON, f"{documented.end_reason}, {n} of {planned} fractions"


def _against_documentation(facts: CourseFacts) -> Iterator[tuple[Rule, str]]:
    documented = facts.documented
    if documented is None:
        return
    dose = documented.dose
    known = [d for d in (facts.prescribed, facts.delivered) if d is not None]
    agrees = dose is not None and any(not differs(dose, d) for d in known)
    if dose is not None and known and not agrees:
        yield DOSE_CONFLICT, _side_by_side(dose, facts.prescribed, facts.delivered)
    # If the doses differ, different fractions are not a second fault.
    counts = [n for n in (facts.planned_fractions, facts.delivered_fractions) if n is not None]
    if agrees and documented.fractions and counts and documented.fractions not in counts:
        shown = [documented.fractions, facts.planned_fractions, facts.delivered_fractions]
        yield FRACTIONS_CONFLICT, _side_by_side(*shown)
    days = (("first", documented.start, facts.first), ("last", documented.end, facts.last))
    apart = [(which, (treated - said).days) for which, said, treated in days if said and treated]
    far = [
        f"{which} day of treatment {abs(n)} days {'after' if n > 0 else 'before'} the documented one"
        for which, n in apart
        if abs(n) > DATES_DAYS
    ]
    if far:
        yield DATES_DIFFER, ", ".join(far)


def _side_by_side(documented: float | None, prescribed: float | None, delivered: float | None) -> str:
    words = (("documented", documented), ("prescribed", prescribed), ("delivered", delivered))
    return ", ".join(f"{word} {value:g}" for word, value in words if value is not None)


def is_implausible(dose: float | None, single: float | None, fractions: int | None) -> bool:
    """Return whether dose, dose per fraction or number of fractions of a course is implausible."""
    return (
        (dose is not None and not DOSE_GY[0] <= dose <= DOSE_GY[1])
        or (single is not None and not SINGLE_GY[0] <= single <= SINGLE_GY[1])
        or (fractions is not None and not 1 <= fractions <= FRACTIONS_UP_TO)
    )
