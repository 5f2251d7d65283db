"""Build the rows of the curated radiotherapy tables from the combined plans of a course."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sarcoma_pipeline.curation import course_questions, course_rules
from sarcoma_pipeline.curation.course_phases import Combination, CoursePlan, Phase
from sarcoma_pipeline.curation.course_questions import Asked, AskedReading, Course
from sarcoma_pipeline.curation.delivery import RECORDS_INCOMPLETE
from sarcoma_pipeline.curation.documented_courses import (
    BRACHYTHERAPY,
    EXTERNAL,
    DocumentedCourse,
    Irradiation,
)
from sarcoma_pipeline.curation.prescription import same_dose
from sarcoma_pipeline.curation.technique import RBE_WEIGHTED, Technique
from sarcoma_pipeline.curation.treatment_records import TreatmentRecord
from schemas.rule import Rule

Note = tuple[Rule, str, str, str | None, str | None]
"""Rule, record, typed table, column and value of a finding."""

_ENERGY_MV = (1.0, 25.0)
_INTENT = {"CURATIVE": "curative", "PALLIATIVE": "palliative", "PROPHYLACTIC": "other"}


@dataclass(frozen=True)
class CourseRows:
    """The rows, findings and questions of one course, and its plans sorted by dose."""

    course: dict[str, Any]
    phases: list[dict[str, Any]]
    notes: list[Note]
    asked: list[Asked]
    phase_of: dict[str, int]
    by_dose: list[str]


def rows(
    patient: str,
    course: Course,
    plan_first: bool,
    decided: Collection[str],
    record_ids: Mapping[str, Sequence[str]],
    records: Mapping[str, Sequence[TreatmentRecord]],
) -> CourseRows:
    """Return the rows of one course.

    Args:
        patient: the patient.
        course: the course.
        plan_first: whether plans take precedence over documentation (``precedence`` in ``sources.toml``).
        decided: keys of the readings that data stewards chose.
        record_ids: key of a plan to its records.
        records: key of a plan to its treatment records.
    """
    return _CourseRows(patient, course, plan_first, decided, record_ids, records).make()


@dataclass
class _CourseRows:
    patient: str
    course: Course
    plan_first: bool
    decided: Collection[str]
    record_ids: Mapping[str, Sequence[str]]
    records: Mapping[str, Sequence[TreatmentRecord]]
    notes: list[Note] = field(default_factory=list)

    def make(self) -> CourseRows:
        documented, combined = self.course.documented, self.course.combined
        if combined is not None:
            question = course_questions.of_combination(self.course.key, combined, documented)
        else:
            question = course_questions.of_documentation(documented) if documented else None
        answer = course_questions.chosen(question, self.decided)
        phases = _phases(combined, documented)
        row = self._row(phases, question, answer)
        if combined:
            self.notes += [(rule, i, "plan", "prescribed_dose_gy", None) for rule, i in combined.notes]
        return CourseRows(
            course=row,
            phases=[self._phase_row(number, phase) for number, phase in enumerate(phases, start=1)],
            notes=self.notes,
            asked=[question] if question else [],
            phase_of={
                p.key: number
                for number, phase in enumerate(phases, start=1)
                if isinstance(phase, Phase)
                for p in phase.plans
            },
            by_dose=_by_dose(combined),
        )

    def _record(self) -> tuple[str, str]:
        """Return the record and table to which findings of the course point."""
        if self.course.documented:
            return self.course.documented.record_id, "radiotherapy"
        assert self.course.combined is not None
        return min(p.plan.record_id for p in _plans(self.course.combined)), "plan"

    def _row(
        self, phases: Sequence[Phase | Irradiation], question: Asked | None, answer: AskedReading | None
    ) -> dict[str, Any]:
        documented, combined = self.course.documented, self.course.combined
        main = _main_phases(combined, documented)
        given = _Given.of(main)
        how = _technique(main)
        dose, fractions, single, levels, origin = self._doses(main, question, answer)
        record, table = self._record()
        facts = course_rules.CourseFacts(
            documented, dose if combined and origin != "documented" else None,
            given.dose, fractions if combined else None, given.fractions if given.days else None,
            given.first, given.last, given.gap,
        )  # fmt: skip
        for rule, value in course_rules.judge(facts):
            self.notes.append((rule, record, table, "prescribed_dose_gy", value))
        self._incomplete(main, given)
        set_aside = None
        if course_rules.is_implausible(dose, single, fractions):
            set_aside = course_rules.DOSE_IMPLAUSIBLE.id
            shown = ", ".join(f"{x:g}" for x in (dose, single, fractions) if x is not None)
            # An implausible dose of a single record has its own finding, which points to the fault.
            if not any(course_rules.is_implausible(d, None, None) for d in self._told()):
                self.notes.append((course_rules.DOSE_IMPLAUSIBLE, record, table, "prescribed_dose_gy", shown))
            dose = single = fractions = None
            levels = ()
        rule, decision = self._rule(answer)
        start, end = _days(documented, given)
        radiation = how.radiation or (documented.radiation if documented else None)
        kind = _kind(main, documented)
        if kind == BRACHYTHERAPY:
            radiation = "brachytherapy"
        return {
            "patient_id": self.patient,
            "record_ids": sorted(set(self._ids())),
            "course_id": self.course.key,
            "kind": kind,
            **_documentation(documented, combined),
            "start_date": start,
            "end_date": end,
            "prescribed_dose_gy": dose,
            "single_dose_gy": single,
            "fractions": fractions,
            "levels_gy": list(levels) or None,
            "planned_dose_gy": _planned(main),
            "delivered_dose_gy": None if question and answer is None else given.dose,
            "delivered_fractions": given.fractions if given.days else None,
            "dose_origin": origin if dose is not None else None,
            "boost": _boost(documented, combined, main),
            **how_columns(how, radiation),
            "dose_unit": unit_of(radiation) if dose is not None or given.dose is not None else None,
            "plans": len(_plans(combined)) if combined else 0,
            "overall_days": (end - start).days + 1 if start and end and end >= start else None,
            "longest_gap_days": given.gap,
            "rule": rule,
            "origin": decision,
            "set_aside": set_aside,
        }

    def _told(self) -> Iterator[float | None]:
        """Yield the doses of the single irradiations and plans."""
        if self.course.documented:
            yield from (part.dose for part in self.course.documented.parts)
        if self.course.combined:
            yield from (part.prescription.dose for part in _plans(self.course.combined))

    def _doses(
        self, main: Sequence[Phase], question: Asked | None, answer: AskedReading | None
    ) -> tuple[float | None, int | None, float | None, tuple[float, ...], str | None]:
        """Return prescribed dose, fractions, dose per fraction, levels, and the origin of the dose."""
        documented, combined = self.course.documented, self.course.combined
        if question is not None:
            if answer is None:
                return None, None, None, (), None
            single = answer.dose / answer.fractions if answer.dose and answer.fractions else None
            levels = (answer.dose,) if answer.dose is not None else ()
            return answer.dose, answer.fractions, single, levels, "decision"
        said, said_single = (documented.dose, documented.single) if documented else (None, None)
        if combined is None or not main:
            return said, None, said_single, (said,) if said is not None else (), "documented"
        best = _dominant(main)
        origin = best.main.prescription.origin
        planned, fractions = combined.dose, combined.fractions
        if planned is not None and (self.plan_first or said is None):
            return planned, fractions, best.single or said_single, combined.levels, origin
        levels = combined.levels or ((said,) if said is not None else ())
        return said, fractions, said_single or best.single, levels, "documented"

    def _rule(self, answer: AskedReading | None) -> tuple[str, str]:
        documented, combined = self.course.documented, self.course.combined
        if combined is None:
            assert documented is not None
            rule, origin = documented.rule, "documentation"
        else:
            rule, origin = combined.rule, combined.origin
        return rule, "decision" if answer else origin

    def _incomplete(self, main: Sequence[Phase], given: _Given) -> None:
        """Report fraction numbers that begin above 1, unless another plan has the first numbers."""
        numbers = {n for phase in main for p in phase.plans if p.delivered for n in p.delivered.numbers}
        if numbers and min(numbers) > 1 and given.record:
            shown = f"the first is {min(numbers)}"
            self.notes.append((RECORDS_INCOMPLETE, given.record, "treatment", "fraction_number", shown))

    def _ids(self) -> Iterator[str]:
        if self.course.documented:
            yield from self.course.documented.record_ids
        if self.course.combined:
            for part in _plans(self.course.combined):
                yield from self.record_ids[part.key]
                yield from (r.record_id for r in self.records.get(part.key, ()))

    def _phase_row(self, number: int, phase: Phase | Irradiation) -> dict[str, Any]:
        base = {"patient_id": self.patient, "course_id": self.course.key, "phase": number}
        if isinstance(phase, Irradiation):
            radiation = "brachytherapy" if phase.kind == BRACHYTHERAPY else phase.radiation
            return base | {
                "record_ids": list(phase.record_ids), "kind": phase.kind, "site": 1,
                "prescribed_dose_gy": phase.dose, "single_dose_gy": phase.single,
                "levels_gy": [phase.dose] if phase.dose is not None else None, "fractions": None,
                "radiation": radiation, "dose_unit": unit_of(radiation) if phase.dose is not None else None,
                "start_date": phase.start, "end_date": phase.end, "plans": 0, "rule": "O1",
                "origin": "documentation",
            }  # fmt: skip
        ids = {
            i
            for p in phase.plans
            for i in (*self.record_ids[p.key], *(r.record_id for r in self.records.get(p.key, ())))
        }
        given = _Given.of([phase])
        how = _technique([phase])
        return base | {
            "record_ids": sorted(ids), "kind": phase.kind, "site": phase.site,
            "prescribed_dose_gy": phase.dose, "single_dose_gy": phase.single, "fractions": phase.fractions,
            "levels_gy": list(phase.levels) or None, "planned_dose_gy": _planned([phase]),
            "delivered_dose_gy": given.dose, "delivered_fractions": given.fractions if given.days else None,
            **how_columns(how, how.radiation), "dose_unit": unit_of(how.radiation), "start_date": given.first,
            "end_date": given.last, "plans": len(phase.plans), "rule": phase.rule, "origin": phase.origin,
        }  # fmt: skip


# --- parts of a row -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Given:
    """The delivered fractions and dose of some phases."""

    dose: float | None
    fractions: int
    days: tuple[dt.date, ...]
    record: str | None
    tells_each_day: bool

    @property
    def first(self) -> dt.date | None:
        return self.days[0] if self.days else None

    @property
    def last(self) -> dt.date | None:
        return self.days[-1] if self.days else None

    @property
    def gap(self) -> int | None:
        if not self.tells_each_day:
            return None
        gaps = [(b - a).days for a, b in zip(self.days, self.days[1:], strict=False)]
        return max(gaps, default=None)

    @classmethod
    def of(cls, phases: Iterable[Phase]) -> _Given:
        """Sum the delivered fractions and doses of successive phases."""
        phases = list(phases)
        parts = [p.delivered for phase in phases for p in phase.plans if p.delivered]
        doses = [phase.delivered_dose for phase in phases if phase.has_records]
        dose = math.fsum(d for d in doses if d is not None) if doses and None not in doses else None
        days = tuple(sorted({day for part in parts for day in part.dates}))
        records = sorted(i for part in parts for i in part.record_ids)
        told = all(p.tells_each_day for p in parts)
        return cls(dose, sum(p.fractions for p in parts), days, records[0] if records else None, told)


def _plans(combined: Combination) -> list[CoursePlan]:
    return [p for phase in combined.phases for p in phase.plans]


def _main_phases(combined: Combination | None, documented: DocumentedCourse | None) -> list[Phase]:
    """Return the phases that give the course's dose.

    Brachytherapy plans alone do not give the dose of a documented external beam course.
    """
    if combined is None:
        return []
    main = combined.main_phases
    if documented and documented.kind == EXTERNAL and all(p.kind != EXTERNAL for p in main):
        return []
    return list(main)


def _phases(combined: Combination | None, documented: DocumentedCourse | None) -> list[Phase | Irradiation]:
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


def _technique(phases: Sequence[Phase]) -> Technique:
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


def how_columns(how: Technique, radiation: str | None) -> dict[str, Any]:
    """Return the columns for radiation, technique and energy of a plan, a phase or a course."""
    energy = how.energy_mv
    return {
        "radiation": radiation,
        "radiations": list(how.radiations) or None,
        "technique": how.technique if how.techniques or how.radiations else None,
        "techniques": list(how.techniques) or None,
        "beam_energy_mv": energy if energy is not None and _ENERGY_MV[0] <= energy <= _ENERGY_MV[1] else None,
        "energies": list(how.energies) or None,
    }


def unit_of(radiation: str | None) -> str:
    """Return the dose unit of a radiation type."""
    return "Gy(RBE)" if radiation in RBE_WEIGHTED else "Gy"


def _kind(main: Sequence[Phase], documented: DocumentedCourse | None) -> str:
    if main:
        return main[0].kind
    return documented.kind if documented else EXTERNAL


def _by_dose(combined: Combination | None) -> list[str]:
    """Return the keys of the plans, the one with the highest share of the dose first."""
    if combined is None:
        return []
    best = _dominant(combined.main_phases)
    parts = [best.main, *best.plans, *_plans(combined)]
    return list(dict.fromkeys(p.key for p in parts))


def _planned(phases: Sequence[Phase]) -> float | None:
    """Return beam dose times fractions of the plans whose prescription counts; None if one is unknown."""
    total = 0.0
    for phase in phases:
        own = [p for p in phase.plans if p.prescription.dose is not None and phase.dose is not None]
        daily = len(phase.plans) > 1 and all(p.prescription.fractions == 1 for p in phase.plans)
        one = [p for p in own if same_dose(p.prescription.dose or 0.0, phase.dose or 0.0)][:1]
        for part in own if daily else one:
            dose = part.plan.beam_dose
            if dose is None:
                return None
            total += dose
        if not own:
            return None
    return total or None


def _days(documented: DocumentedCourse | None, given: _Given) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day.

    They come from the treatment records; a documented end after the last record is used instead.
    """
    said_start, said_end = (documented.start, documented.end) if documented else (None, None)
    start = given.first or said_start
    end = given.last or said_end
    if said_start and start and said_start < start and given.record is None:
        start = said_start
    if said_end and end and said_end > end:
        end = said_end
    return start, end


def _boost(
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


def _documentation(documented: DocumentedCourse | None, combined: Combination | None) -> dict[str, Any]:
    if documented is None:
        intents = [_INTENT.get(p.plan.intent or "") for p in _plans(combined)] if combined else []
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
