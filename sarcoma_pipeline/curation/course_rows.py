"""Build the rows of the curated radiotherapy tables from the combined plans of a course."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sarcoma_pipeline.curation import course_questions, course_rules
from sarcoma_pipeline.curation.course_parts import (
    Given,
    _dominant,
    all_phases,
    boost_of,
    by_dose,
    days_of,
    documentation_columns,
    kind_of,
    main_phases,
    planned_dose,
    plans_of,
    precisions_of,
    technique,
)
from sarcoma_pipeline.curation.course_phases import Phase
from sarcoma_pipeline.curation.course_questions import Asked, AskedReading, Course
from sarcoma_pipeline.curation.delivery import RECORDS_INCOMPLETE
from sarcoma_pipeline.curation.documented_courses import (
    BRACHYTHERAPY,
    Irradiation,
)
from sarcoma_pipeline.curation.technique import RBE_WEIGHTED, Technique
from sarcoma_pipeline.curation.treatment_records import TreatmentRecord
from schemas.rule import Rule

Note = tuple[Rule, str, str, str | None, str | None]
"""Rule, record, typed table, column and value of a finding."""

_ENERGY_MV = (1.0, 25.0)


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
        phases = all_phases(combined, documented)
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
            by_dose=by_dose(combined),
        )

    def _record(self) -> tuple[str, str]:
        """Return the record and table to which findings of the course point."""
        if self.course.documented:
            return self.course.documented.record_id, "radiotherapy"
        assert self.course.combined is not None
        return min(p.plan.record_id for p in plans_of(self.course.combined)), "plan"

    def _row(
        self, phases: Sequence[Phase | Irradiation], question: Asked | None, answer: AskedReading | None
    ) -> dict[str, Any]:
        documented, combined = self.course.documented, self.course.combined
        main = main_phases(combined, documented)
        given = Given.of(main)
        how = technique(main)
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
        start, end = days_of(documented, given, combined.fractions if combined else None)
        precisions = precisions_of(documented, given, start, end)
        exact = set(precisions.values()) == {"day"}
        radiation = how.radiation or (documented.radiation if documented else None)
        kind = kind_of(main, documented)
        if kind == BRACHYTHERAPY:
            radiation = "brachytherapy"
        return {
            "patient_id": self.patient,
            "record_ids": sorted(set(self._ids())),
            "course_id": self.course.key,
            "kind": kind,
            **documentation_columns(documented, combined),
            "start_date": start,
            "end_date": end,
            **precisions,
            "prescribed_dose_gy": dose,
            "single_dose_gy": single,
            "fractions": fractions,
            "levels_gy": list(levels) or None,
            "planned_dose_gy": planned_dose(main),
            "delivered_dose_gy": None if question and answer is None else given.dose,
            "delivered_fractions": given.fractions if given.days else None,
            "dose_origin": origin if dose is not None else None,
            "boost": boost_of(documented, combined, main),
            **how_columns(how, radiation),
            "dose_unit": unit_of(radiation) if dose is not None or given.dose is not None else None,
            "plans": len(plans_of(combined)) if combined else 0,
            "overall_days": (end - start).days + 1 if exact and start and end and end >= start else None,
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
            yield from (part.prescription.dose for part in plans_of(self.course.combined))

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

    def _incomplete(self, main: Sequence[Phase], given: Given) -> None:
        """Report fraction numbers that begin above 1, unless another plan has the first numbers."""
        numbers = {n for phase in main for p in phase.plans if p.delivered for n in p.delivered.numbers}
        if numbers and min(numbers) > 1 and given.record:
            shown = f"the first is {min(numbers)}"
            self.notes.append((RECORDS_INCOMPLETE, given.record, "treatment", "fraction_number", shown))

    def _ids(self) -> Iterator[str]:
        if self.course.documented:
            yield from self.course.documented.record_ids
        if self.course.combined:
            for part in plans_of(self.course.combined):
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
        given = Given.of([phase])
        how = technique([phase])
        return base | {
            "record_ids": sorted(ids), "kind": phase.kind, "site": phase.site,
            "prescribed_dose_gy": phase.dose, "single_dose_gy": phase.single, "fractions": phase.fractions,
            "levels_gy": list(phase.levels) or None, "planned_dose_gy": planned_dose([phase]),
            "delivered_dose_gy": given.dose, "delivered_fractions": given.fractions if given.days else None,
            **how_columns(how, how.radiation), "dose_unit": unit_of(how.radiation), "start_date": given.first,
            "end_date": given.last, "plans": len(phase.plans), "rule": phase.rule, "origin": phase.origin,
        }  # fmt: skip


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
