"""Values of a course that are read from its phases and its documentation."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.curation.course_phases import Combination, CoursePlan, Phase
from sarcoma_pipeline.curation.course_rules import ABORTED
from sarcoma_pipeline.curation.documented_courses import (
    EXTERNAL,
    DocumentedCourse,
    Irradiation,
)
from sarcoma_pipeline.curation.technique import Technique
from schemas import partial_dates

_INTENT = {"CURATIVE": "curative", "PALLIATIVE": "palliative", "PROPHYLACTIC": "other"}


@dataclass(frozen=True)
class Given:
    """The delivered fractions and dose of some phases."""

    dose: float | None
    fractions: int
    days: tuple[dt.date, ...]
    record: str | None
    tells_each_day: bool

    @property
    def first(self) -> dt.date | None:
        """First day of irradiation."""
        return self.days[0] if self.days else None

    @property
    def last(self) -> dt.date | None:
        """Last day of irradiation."""
        return self.days[-1] if self.days else None

    @property
    def gap(self) -> int | None:
        """Longest time between two fractions in days; None if some fractions have no day."""
        if not self.tells_each_day:
            return None
        gaps = [(b - a).days for a, b in zip(self.days, self.days[1:], strict=False)]
        return max(gaps, default=None)

    @classmethod
    def of(cls, phases: Iterable[Phase]) -> Given:
        """Sum the delivered fractions and doses of successive phases."""
        phases = list(phases)
        parts = [p.delivered for phase in phases for p in phase.plans if p.delivered]
        doses = [phase.delivered_dose for phase in phases if phase.has_records]
        dose = math.fsum(d for d in doses if d is not None) if doses and None not in doses else None
        days = tuple(sorted({day for part in parts for day in part.dates}))
        records = sorted(i for part in parts for i in part.record_ids)
        told = all(p.tells_each_day for p in parts)
        return cls(dose, sum(p.fractions for p in parts), days, records[0] if records else None, told)


def plans_of(combined: Combination) -> list[CoursePlan]:
    """Return the plans of all phases."""
    return [p for phase in combined.phases for p in phase.plans]


def main_phases(combined: Combination | None, documented: DocumentedCourse | None) -> list[Phase]:
    """Return the phases that give the course's dose.

    Brachytherapy plans alone do not give the dose of a documented external beam course.
    """
    if combined is None:
        return []
    main = combined.main_phases
    if documented and documented.kind == EXTERNAL and all(p.kind != EXTERNAL for p in main):
        return []
    return list(main)


def all_phases(
    combined: Combination | None, documented: DocumentedCourse | None
) -> list[Phase | Irradiation]:
    """Return the phases of the plans, plus documented irradiations of kinds that have no plan."""
    found: list[Phase | Irradiation] = list(combined.phases) if combined else []
    if documented is None:
        return found
    kinds = {p.kind for p in found}
    parts = [p for p in (*documented.parts, *documented.apart) if p.kind not in kinds]
    return [*found, *parts]


def _dominant(phases: Sequence[Phase]) -> Phase:
    """Return the phase with the highest dose; of equal ones the first."""
    return max(enumerate(phases), key=lambda item: (item[1].dose or 0.0, -item[0]))[1]


def technique(phases: Sequence[Phase]) -> Technique:
    """Return the technique of the phase with the highest dose, then the techniques of the other plans."""
    if not phases:
        return Technique((), (), (), None)
    first = _dominant(phases)
    parts = [first.main, *(p for phase in (first, *phases) for p in phase.plans)]
    techniques = dict.fromkeys(t for p in parts for t in p.technique.techniques)
    radiations = dict.fromkeys(r for p in parts for r in p.technique.radiations)
    same = [p for p in parts if p.technique.radiation == first.main.technique.radiation]
    energies = dict.fromkeys(e for p in same for e in p.technique.energies)
    return Technique(tuple(techniques), tuple(radiations), tuple(energies), first.main.technique.energy_mv)


def kind_of(main: Sequence[Phase], documented: DocumentedCourse | None) -> str:
    """Return the kind of irradiation of the main phases; without plans, the documented kind."""
    if main:
        return main[0].kind
    return documented.kind if documented else EXTERNAL


def by_dose(combined: Combination | None) -> list[str]:
    """Return the keys of the plans, the one with the highest share of the dose first."""
    if combined is None:
        return []
    best = _dominant(combined.main_phases)
    parts = [best.main, *best.plans, *plans_of(combined)]
    return list(dict.fromkeys(p.key for p in parts))


def planned_dose(phases: Sequence[Phase]) -> float | None:
    """Return beam dose times fractions of the plans whose prescription counts; None if one is unknown."""
    total = 0.0
    for phase in phases:
        if phase.dose is None:
            return None
        daily = len(phase.plans) > 1 and all(p.prescription.fractions == 1 for p in phase.plans)
        whole = (p for p in phase.plans if p.prescription.fits(phase.dose, None))
        counted = phase.plans if daily else (next(whole, None),)
        for part in counted:
            if part is None or part.plan.beam_dose is None:
                return None
            total += part.plan.beam_dose
    return total or None


def days_of(
    documented: DocumentedCourse | None, given: Given, planned_fractions: int | None = None
) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day.

    They come from the treatment records. A documented end after the last record is used instead only if
    records of the last fractions seem to be missing: fewer than planned, and no documented abortion.
    """
    said_start, said_end = (documented.start, documented.end) if documented else (None, None)
    start = given.first or said_start
    end = given.last or said_end
    fewer = planned_fractions is None or given.fractions < planned_fractions
    aborted = documented is not None and documented.end_reason in ABORTED
    if documented and said_end and end and fewer and not aborted:
        # A partial date is after a treatment only if each day that it may mean is.
        earliest, _ = partial_dates.days_of(said_end, documented.end_precision)
        end = said_end if earliest > end else end
    return start, end


def precisions_of(
    documented: DocumentedCourse | None, given: Given, start: dt.date | None, end: dt.date | None
) -> dict[str, str | None]:
    """Return the columns of the precision of the first and the last day: days of treatment are exact."""
    told = {
        "start_date_precision": (start, given.first, documented.start_precision if documented else None),
        "end_date_precision": (end, given.last, documented.end_precision if documented else None),
    }
    return {
        column: None if day is None else "day" if day == treated else said or "day"
        for column, (day, treated, said) in told.items()
    }


def boost_of(
    documented: DocumentedCourse | None, combined: Combination | None, main: Sequence[Phase]
) -> str | None:
    """Return the documented kind of boost; without one, the kind that the plans show."""
    said = documented.boost if documented else None
    if said is not None and said != "unspecified":
        return said
    if combined is None or not main or combined.readings:
        return said
    if len(main) > 1:
        later = [p for p in main[1:] if p.is_boost or (p.dose or 0) < (main[0].dose or 0)]
        return "sequential" if later or main[0].is_boost else "unspecified"
    only = main[0].plans[-1].prescription
    if only.sequential:
        return "sequential"
    return "simultaneous integrated" if only.is_integrated_boost else "unspecified"


def documentation_columns(
    documented: DocumentedCourse | None, combined: Combination | None
) -> dict[str, Any]:
    """Return the columns that only the documentation has; without it, the intent of the plans."""
    if documented is None:
        intents = [_INTENT.get(p.plan.intent or "") for p in plans_of(combined)] if combined else []
        known = sorted({i for i in intents if i})
        return {"intent": known[0] if len(known) == 1 else None, "target": 1}
    return {
        "tumour_id": documented.tumour_id,
        "intent": documented.intent,
        "radiation_sequence": documented.sequence,
        "end_reason": documented.end_reason,
        "target_region": documented.region,
        "target_side": documented.side,
        "stereotactic": documented.stereotactic,
        "target": documented.target,
        "start_day": documented.start_day,
        "end_day": documented.end_day,
        "documented_dose_gy": documented.dose,
        "documented_fractions": documented.fractions,
        "documented_rule": documented.rule,
    }
