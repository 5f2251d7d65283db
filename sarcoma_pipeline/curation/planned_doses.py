"""Choose which volumes and doses are computed: of every plan of a course, and of courses of several plans.

The courses of curation decide which plan belongs where, and how the plans of a course are added.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sarcoma_pipeline.curation.documented_courses import EXTERNAL
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.plan_roles import CLINICAL, approval_rank
from sarcoma_pipeline.curation.radiotherapy_plans import plan_of

Rows = Sequence[Mapping[str, Any]]

# Rows of the columns that are used here: to make rows of all columns took as long as all the rest.
_OF_COURSES = ("patient_id", "course_id", "prescribed_dose_gy", "levels_gy")
_OF_PHASES = ("patient_id", "course_id", "phase", "kind", "site", "rule", "fractions")
_OF_CURATED = (
    "patient_id", "sop_instance_uid", "course_id", "phase", "record_ids", "fractions", "levels_gy",
    "start_date", "plan_date", "delivered_fractions", "approval",
)  # fmt: skip
_OF_PLANS = ("record_id", "sop_instance_uid", "refers_to", "fraction_groups", "beams")
_OF_FILES = ("record_id", "sop_instance_uid", "refers_to")
_UNREAD = dict.fromkeys(
    (
        "plan_date", "plan_label", "plan_intent", "approval", "frame_of_reference_uid", "planning_system",
        "phantom", "ion_plan", "brachytherapy_type", "plan_relations", "dose_references", "applications",
    )
)  # fmt: skip
"""Columns of a plan that say nothing of the beams of its fraction groups, which are all that is asked."""


@dataclass(frozen=True)
class ObjectAt:
    """Where a DICOM object lies.

    Attributes:
        path: file below the drop folder.
        position: place in the file, as in the received tables.
        content_hash: hash of the file's bytes.
        size: size of the file in bytes.
    """

    path: str
    position: str
    content_hash: str
    size: int


@dataclass(frozen=True)
class PlanFiles:
    """A plan with the files of its dose."""

    plan: PlanOfDose
    doses: tuple[ObjectAt, ...]


@dataclass(frozen=True)
class Work:
    """What a calculation reads.

    Attributes:
        structures: the structure set.
        plans: one plan; several to add their doses.
        levels: prescribed dose levels in Gy, the highest first.
    """

    structures: ObjectAt
    plans: tuple[PlanFiles, ...]
    levels: tuple[float, ...]

    @property
    def files(self) -> tuple[ObjectAt, ...]:
        """All objects that it reads."""
        return (self.structures, *(dose for plan in self.plans for dose in plan.doses))

    def key(self, settings: str) -> str:
        """Return the hash of the content of all files, of the plans' numbers and of the settings.

        Args:
            settings: version of the calculator and its settings, as text.
        """
        content = [
            [(one.content_hash, one.position) for one in self.files],
            [
                (
                    p.plan.uid, p.plan.fractions, p.plan.share, len(p.doses),
                    [(g.number, g.fractions, sorted(g.beams)) for g in p.plan.groups],
                )
                for p in self.plans
            ],
            self.levels,
            settings,
        ]  # fmt: skip
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Planned:
    """One calculation and what its rows are about.

    Attributes:
        plan_uid: the plan; None for a course of several plans.
        plan_record: record of the plan, to which findings on the dose point.
        structure_record: record of the structure set.
        record_ids: records of plans, structure set and doses, sorted.
    """

    calculation: str
    patient_id: str
    course_id: str | None
    whole_course: bool
    plan_uid: str | None
    structure_set_uid: str
    plan_record: str
    structure_record: str
    record_ids: tuple[str, ...]
    work: Work


@dataclass(frozen=True)
class Wanted:
    """The calculations of a night, sorted, and the plans of courses whose doses are not added."""

    planned: tuple[Planned, ...]
    not_added: tuple[tuple[str, str], ...]
    """Record of a plan, and why."""


def wanted(
    courses: Mapping[str, pl.DataFrame],
    typed: Mapping[str, pl.DataFrame],
    places: Mapping[str, ObjectAt],
    settings: str,
) -> Wanted:
    """Return the calculations that a night's records allow.

    Args:
        courses: ``curated.radiotherapy_course``, ``_phase`` and ``_plan``.
        typed: ``typed.plan``, ``typed.structure_set`` and ``typed.dose``.
        places: record of a structure set or a dose to its place.
        settings: version of the calculator and its settings, as text.
    """
    return _Planning(courses, typed, places, settings).make()


class _Planning:
    def __init__(
        self,
        courses: Mapping[str, pl.DataFrame],
        typed: Mapping[str, pl.DataFrame],
        places: Mapping[str, ObjectAt],
        settings: str,
    ) -> None:
        self.places, self.settings = places, settings
        used = pl.concat(
            courses[table]["record_ids"].explode()
            for table in ("curated.radiotherapy_course", "curated.radiotherapy_plan")
        ).unique()
        planned = typed["typed.plan"].filter(~pl.col("phantom")).select(_OF_PLANS)
        self.plan_records = {row["record_id"]: row for row in planned.iter_rows(named=True)}
        self.structures = _by_uid(_used(typed["typed.structure_set"], used), "sop_instance_uid")
        self.doses = _by_uid(_used(typed["typed.dose"], used), "refers_to")
        self.courses = {
            (row["patient_id"], row["course_id"]): row
            for row in courses["curated.radiotherapy_course"].select(_OF_COURSES).iter_rows(named=True)
        }
        self.phases = {
            (row["patient_id"], row["course_id"], row["phase"]): row
            for row in courses["curated.radiotherapy_phase"].select(_OF_PHASES).iter_rows(named=True)
        }
        plans = courses["curated.radiotherapy_plan"].filter(pl.col("role").is_in(CLINICAL))
        self.plans = plans.select(_OF_CURATED).sort("patient_id", "sop_instance_uid").to_dicts()
        self.found: list[Planned] = []
        self.not_added: list[tuple[str, str]] = []

    def make(self) -> Wanted:
        of_course: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for row in self.plans:
            if row["course_id"] is not None and row["phase"] is not None:
                of_course[row["patient_id"], row["course_id"]].append(row)
        for row in self.plans:
            others = of_course.get((row["patient_id"], row["course_id"] or ""), [])
            self._plan(row, alone=[one["sop_instance_uid"] for one in others] == [row["sop_instance_uid"]])
        for key, rows in sorted(of_course.items()):
            if len(rows) > 1:
                self._course(self.courses[key], rows)
        return Wanted(
            tuple(sorted(self.found, key=lambda one: (one.patient_id, one.calculation, one.plan_uid or ""))),
            tuple(sorted(self.not_added)),
        )

    def _record(self, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the typed record of a plan, the last one by id if it was delivered several times."""
        known = [self.plan_records[i] for i in row["record_ids"] if i in self.plan_records]
        return max(known, key=lambda one: one["record_id"], default=None)

    def _files(self, record: Mapping[str, Any], row: Mapping[str, Any], share: float = 1.0) -> PlanFiles:
        plan = plan_of({**_UNREAD, **record})
        groups = tuple(
            PlannedGroup(
                _number(group.number), group.fractions,
                frozenset(_number(b.number) for b in plan.group_beams(group)),
            )
            for group in plan.groups
        )  # fmt: skip
        found = self.doses.get(record["sop_instance_uid"] or "", [])
        doses = tuple(self.places[one["record_id"]] for one in found if one["record_id"] in self.places)
        return PlanFiles(PlanOfDose(plan.key, groups, row["fractions"], share), doses)

    def _set_of(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        sets = self.structures.get(record["refers_to"] or "", [])
        return next((one for one in reversed(sets) if one["record_id"] in self.places), None)

    def _plan(self, row: Mapping[str, Any], *, alone: bool) -> None:
        record = self._record(row)
        drawn = self._set_of(record) if record else None
        if record is None or drawn is None:
            return
        files = self._files(record, row)
        self._add(
            row,
            record,
            drawn,
            [record],
            (files,),
            tuple(row["levels_gy"] or ()),
            alone,
            row["sop_instance_uid"],
        )

    def _add(
        self,
        of: Mapping[str, Any],
        record: Mapping[str, Any],
        drawn: Mapping[str, Any],
        records: Sequence[Mapping[str, Any]],
        files: tuple[PlanFiles, ...],
        levels: tuple[float, ...],
        whole_course: bool,
        plan_uid: str | None,
    ) -> None:
        work = Work(self.places[drawn["record_id"]], files, levels)
        doses = [
            dose["record_id"]
            for one in records
            for dose in self.doses.get(one["sop_instance_uid"] or "", [])
            if dose["record_id"] in self.places
        ]
        self.found.append(
            Planned(
                calculation=work.key(self.settings),
                patient_id=of["patient_id"],
                course_id=of["course_id"],
                whole_course=whole_course,
                plan_uid=plan_uid,
                structure_set_uid=drawn["sop_instance_uid"],
                plan_record=record["record_id"],
                structure_record=drawn["record_id"],
                record_ids=tuple(sorted({drawn["record_id"], *doses, *(r["record_id"] for r in records)})),
                work=work,
            )
        )

    def _course(self, course: Mapping[str, Any], rows: Rows) -> None:
        """Add the sum of the plans of a course, for each of their structure sets."""
        # A course that a person must decide, or that is set aside, has its own finding.
        if course["prescribed_dose_gy"] is None:
            return
        phases: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            phase = self.phases[row["patient_id"], row["course_id"], row["phase"]]
            # Brachytherapy and intraoperative doses are never added (D9), nor are other sites (D7).
            if phase["kind"] == EXTERNAL and (phase["site"] or 1) == 1:
                phases[row["phase"]].append(row)
        parts: list[tuple[Mapping[str, Any], float]] = []
        for number, same in sorted(phases.items()):
            shares = shares_of(self.phases[course["patient_id"], course["course_id"], number], same)
            if shares is None:
                record = self._record(same[0])
                if record is not None:
                    self.not_added.append((record["record_id"], f"{len(same)} plans of phase {number}"))
                return
            parts += shares
        records = [(self._record(row), row, share) for row, share in parts]
        known = [(record, row, share) for record, row, share in records if record is not None]
        if len(known) < len(records) or not known:
            return
        files = tuple(self._files(record, row, share) for record, row, share in known)
        sets = {
            drawn["record_id"]: (record, drawn)
            for record, _, _ in reversed(known)
            if (drawn := self._set_of(record))
        }
        for _, (record, drawn) in sorted(sets.items()):
            self._add(
                course, record, drawn, [one for one, _, _ in known], files,
                tuple(course["levels_gy"] or ()), True, None,
            )  # fmt: skip


def shares_of(phase: Mapping[str, Any], rows: Rows) -> list[tuple[Mapping[str, Any], float]] | None:
    """Return the share of each plan's dose in a phase; None if the rules of courses do not say it.

    A revision (D2) counts with its delivered fractions, the last one also with the fractions that are left;
    a full replan (D3) replaces the plan; a replan for the rest (D4) gives the last fractions; parts of one
    plan (D8) are all given.
    Of equal prescriptions (D5) one counts: the approved, then the newest, then by UID.
    """
    if len(rows) == 1:
        return [(rows[0], 1.0)]
    rules = set((phase["rule"] or "").split())
    ordered = sorted(
        rows, key=lambda r: (str(r["start_date"] or r["plan_date"] or ""), r["sop_instance_uid"])
    )
    if "D8" in rules:
        return [(row, 1.0) for row in ordered]
    if "D3" in rules:
        return [(ordered[-1], 1.0)]
    if rules == {"D5"}:
        return [(min(rows, key=_credible_first), 1.0)]
    counts = [row["fractions"] for row in ordered]
    total = phase["fractions"]
    if not total or not all(counts):
        return None
    if "D4" in rules and len(ordered) == 2 and counts[1] < total:
        return [(ordered[0], (total - counts[1]) / counts[0]), (ordered[1], 1.0)]
    given = [row["delivered_fractions"] for row in ordered]
    if "D2" in rules and all(given[:-1]) and sum(given[:-1]) <= total:
        last = total - sum(given[:-1])
        return [(row, n / count) for row, n, count in zip(ordered, [*given[:-1], last], counts, strict=True)]
    return None


def _credible_first(row: Mapping[str, Any]) -> tuple[int, int, str]:
    """Return the sort key of D5: approved plan, then newest, then UID."""
    day = row["start_date"] or row["plan_date"] or dt.date.min
    return approval_rank(row["approval"]), -day.toordinal(), row["sop_instance_uid"]


def _used(frame: pl.DataFrame, used: pl.Series) -> Rows:
    """Return the records that a course rests on, in the order of their delivery."""
    found = frame.filter(pl.col("record_id").is_in(used.implode()), ~pl.col("phantom"))
    return found.sort("received_on", "record_id").select(_OF_FILES).to_dicts()


def _by_uid(rows: Rows, column: str) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row[column]:
            found[row[column]].append(row)
    return found


def _number(text: str | None) -> str:
    """Return a number of a group or beam as the reader of doses writes it."""
    return str(int(text)) if text and text.strip().lstrip("+").isdigit() else (text or "")
