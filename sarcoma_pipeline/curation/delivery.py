"""Compute the delivered fractions and dose of a plan from its treatment records.

The key of a fraction is plan, fraction group and number; without a number, the day. Records that continue
a fraction are merged with it: its share is delivered over planned monitor units, at most 1.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import NOT_TREATING, Plan
from sarcoma_pipeline.curation.treatment_records import TreatmentRecord
from schemas.rule import Rule
from schemas.sides import peers

_TWICE = 1.05
"""One fraction number with more than this share of the planned monitor units on two days is two fractions."""

RECORDS_INCOMPLETE = Rule(
    "records.incomplete",
    "warning",
    on="typed.treatment",
    what="The fraction numbers of the treatment records have gaps: fractions are missing.",
    remedy="Export the missing treatment records from the record and verify system.",
    scope="source",
    source="DICOM PS3.3 C.8.8.21 CurrentFractionNumber",
    alone="records are missing",
)
RECORDS_PLAN_MISSING = Rule(
    "records.plan-missing",
    "warning",
    on="typed.treatment",
    what="The plan to which the treatment record refers was not delivered, or the record names no plan. It "
    "is not used.",
    remedy="Export the plan from the planning system. If the record names no plan, export it again from the"
    " record and verify system, with ReferencedRTPlanSequence.",
    scope="source",
    source="DICOM PS3.3 C.8.8.19 ReferencedRTPlanSequence",
    alone="the plan was not delivered",
)
FRACTION_TWICE = Rule(
    "records.fraction-twice",
    "warning",
    on="typed.treatment",
    what="One fraction number has more than the planned monitor units on several days. It counts as one "
    "fraction.",
    remedy="Check the fraction numbers in the record and verify system.",
    scope="source",
    source="DICOM PS3.3 C.8.8.21 CurrentFractionNumber",
    sides=peers("refers_to", "fraction_number", columns=("treatment_date",)),
)
ENDED_EARLY = Rule(
    "records.ended-early",
    "warning",
    on="typed.treatment",
    what="A fraction was ended early, and its monitor units are unknown: it does not count.",
    remedy="Check in the record and verify system what was delivered.",
    scope="source",
    source="DICOM PS3.3 C.8.8.21 TreatmentTerminationStatus",
    alone="the early end is in the record itself",
)
SUMMARY_DIFFERS = Rule(
    "records.summary-differs",
    "warning",
    on="typed.treatment",
    what="The number of fractions in the treatment summary differs from that of the treatment records. The "
    "records are used.",
    remedy="Export the missing treatment records, or correct the summary.",
    scope="source",
    source="DICOM PS3.3 C.8.8.23 NumberOfFractionsDelivered",
    sides=peers("refers_to", columns=("treatment_date", "fractions_delivered")),
)


@dataclass(frozen=True)
class Delivered:
    """The delivered fractions and dose of a plan.

    Attributes:
        fractions: number of fractions that were delivered at least in part.
        shares: sum of their shares: 14.5 after fourteen whole fractions and half of one.
        dates: the days of treatment, each once.
        origin: ``records`` or ``summary``.
        record_ids: the records used.
        numbers: the fraction numbers of the records.
        groups: for each fraction group its number, fractions and sum of shares.
        dose: in Gy, if the groups of a plan have different doses per fraction.
        missing: fraction numbers without a record between the first and the last.
        notes: rules to report with it, with the record at fault and a value.
    """

    fractions: int
    shares: float
    dates: tuple[dt.date, ...]
    origin: str
    record_ids: tuple[str, ...]
    numbers: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    groups: tuple[tuple[str | None, int, float], ...] = ()
    dose: float | None = None
    notes: tuple[tuple[Rule, str, str], ...] = ()

    @property
    def tells_each_day(self) -> bool:
        """Whether ``dates`` holds all days of treatment: a summary may give only the first and the last."""
        return self.origin == "records" or len(self.dates) >= self.fractions


@dataclass
class _Fraction:
    beams: dict[str | None, float]
    specified: dict[str | None, float]
    dates: set[dt.date]
    record_ids: list[str]
    whole: bool = False
    unknown: bool = False


def delivered(plan: Plan, records: Sequence[TreatmentRecord]) -> Delivered | None:
    """Return the delivered fractions and dose of a plan.

    Args:
        plan: the plan.
        records: the treatment records that refer to it.

    Returns:
        The delivered fractions and dose; None if no record describes a treatment.
    """
    telling = [r for r in _distinct(records) if r.treats]
    if not telling:
        return None
    fractions = _fractions(plan, telling)
    summarised, summary_dates, by = _summary(telling)
    if not fractions:
        if summarised is None:
            return None
        ids = tuple(sorted(r.record_id for r in telling if r.summaries))
        return Delivered(
            summarised,
            float(summarised),
            summary_dates,
            "summary",
            ids,
            groups=_summarised_groups(telling, by),
        )
    shares = {key: _share(plan, key[0], one) for key, one in fractions.items()}
    dates = tuple(sorted({day for key, one in fractions.items() if shares[key] for day in one.dates}))
    counted = sum(share > 0 for share in shares.values())
    notes = _notes(plan, fractions, shares)
    if summarised is not None and summarised != counted:
        notes.append((SUMMARY_DIFFERS, by, f"summary {summarised}, records {counted}"))
    ids = sorted({r.record_id for r in telling})
    numbers = tuple(sorted({n for _, n in fractions if isinstance(n, int)}))
    return Delivered(
        counted,
        math.fsum(shares.values()),
        dates,
        "records",
        tuple(ids),
        numbers,
        _missing(fractions),
        _groups(shares),
        notes=tuple(notes),
    )


def as_prescribed(given: Delivered, plan: Plan, read: Prescription) -> Delivered:
    """Return the delivered fractions and dose, converted to the prescription of a plan with several groups.

    Parallel groups are parts of the same fractions: the group with most fractions counts. Successive groups
    have different doses per fraction.
    """
    if not given.groups or (len(given.groups) < 2 and not read.phases):
        return given
    if "P5" in read.rule.split():
        fractions = max(count for _, count, _ in given.groups)
        return replace(given, fractions=fractions, shares=max(shares for _, _, shares in given.groups))
    linked = len(read.phases) == len(plan.groups) and all(g.references for g in plan.groups)
    if not linked and read.origin != "beam dose":
        return given
    single = {g.number: dose / n for g, (dose, n) in zip(plan.groups, read.phases, strict=False) if n}
    if not all(group in single for group, _, _ in given.groups):
        return given
    return replace(given, dose=math.fsum(shares * single[group] for group, _, shares in given.groups))


def filled(given: Mapping[str, Delivered]) -> dict[str, Delivered]:
    """Remove missing fractions of a plan that other plans delivered in the same period.

    Args:
        given: key of a plan to its delivery, for one patient.
    """
    found: dict[str, Delivered] = {}
    for key, one in given.items():
        others = {
            number
            for k, other in given.items()
            if k != key and other.dates and one.dates
            and other.dates[0] <= one.dates[-1] and one.dates[0] <= other.dates[-1]
            for number in other.numbers
        }  # fmt: skip
        found[key] = replace(one, missing=tuple(n for n in one.missing if n not in others))
    return found


def _groups(shares: Mapping[Key, float]) -> tuple[tuple[str | None, int, float], ...]:
    found: dict[str | None, list[float]] = defaultdict(list)
    for (group, _), share in shares.items():
        found[group].append(share)
    return tuple(
        (group, sum(share > 0 for share in found[group]), math.fsum(found[group]))
        for group in sorted(found, key=str)
    )


def _summarised_groups(
    records: Iterable[TreatmentRecord], by: str
) -> tuple[tuple[str | None, int, float], ...]:
    summaries = next(r.summaries for r in records if r.record_id == by)
    return tuple((s.group, s.delivered, float(s.delivered)) for s in summaries if s.delivered is not None)


def _missing(fractions: Iterable[Key]) -> tuple[int, ...]:
    groups: dict[str | None, set[int]] = defaultdict(set)
    for group, number in fractions:
        if isinstance(number, int):
            groups[group].add(number)
    return tuple(sorted({n for of in groups.values() for n in set(range(min(of), max(of))) - of}))


def _distinct(records: Iterable[TreatmentRecord]) -> list[TreatmentRecord]:
    """Remove records that were exported twice: the same UID, or the same sessions at the same time."""
    found: dict[Any, TreatmentRecord] = {}
    for record in sorted(records, key=_in_time):
        again = (
            (record.date, record.time, record.group, record.sessions)
            if record.time and record.sessions
            else record.record_id
        )
        found.setdefault(again, record)
    by_uid: dict[str, TreatmentRecord] = {}
    for record in found.values():
        by_uid.setdefault(record.uid or record.record_id, record)
    return list(by_uid.values())


def _in_time(record: TreatmentRecord) -> tuple[dt.date, str, str, str]:
    """Return the sort key of treatment records: day, time, UID; then the id, which depends on the content."""
    return record.date or dt.date.min, record.time or "", record.uid or "", record.record_id


Key = tuple[str | None, int | dt.date | None]
"""Key of a fraction: its group, and its number or, without one, its day."""


def _fractions(plan: Plan, records: Iterable[TreatmentRecord]) -> dict[Key, _Fraction]:
    only = plan.groups[0].number if len(plan.groups) == 1 else None
    found: dict[Key, _Fraction] = {}
    for record in records:
        for session in record.sessions:
            if session.delivery in NOT_TREATING:
                continue
            key = (record.group or only, session.fraction or record.date)
            one = found.setdefault(key, _Fraction(defaultdict(float), {}, set(), []))
            one.record_ids.append(record.record_id)
            if record.date:
                one.dates.add(record.date)
            if session.specified is not None:
                one.specified[session.beam] = session.specified
            units = session.delivered
            if units is None and session.ended in ("NORMAL", None):
                units = plan.meterset_of(session.beam)
            if units is not None:
                one.beams[session.beam] += units
            elif session.ended in ("NORMAL", None):
                one.whole = True
            else:
                one.unknown = True
    return found


def _planned_units(plan: Plan, group: str | None) -> float | None:
    """Return the monitor units of a fraction group; without a group of that number those of the first one."""
    groups = [g for g in plan.groups if g.number == group] or plan.groups
    return plan.meterset(groups[0]) if groups else None


def _share(plan: Plan, group: str | None, one: _Fraction) -> float:
    """Return delivered over planned monitor units, at most 1.

    Without monitor units the termination status decides.
    """
    if one.whole:
        # A beam without monitor units that ended normally was delivered as planned.
        return 1.0
    given = math.fsum(one.beams.values())
    planned = _planned_units(plan, group) or math.fsum(one.specified.values())
    return min(1.0, given / planned) if planned else float(given > 0)


def _notes(
    plan: Plan, fractions: Mapping[Key, _Fraction], shares: Mapping[Key, float]
) -> list[tuple[Rule, str, str]]:
    notes: list[tuple[Rule, str, str]] = []
    for (group, number), one in fractions.items():
        first = one.record_ids[0]
        if isinstance(number, int):
            planned = _planned_units(plan, group)
            if planned and len(one.dates) > 1 and math.fsum(one.beams.values()) > planned * _TWICE:
                notes.append((FRACTION_TWICE, first, str(number)))
        if not shares[group, number] and one.unknown:
            notes.append((ENDED_EARLY, first, str(number)))
    return notes


def _summary(records: Iterable[TreatmentRecord]) -> tuple[int | None, tuple[dt.date, ...], str]:
    """Return the fractions in the latest treatment summary, its days, and its record."""
    summaries = [r for r in records if r.summaries]
    if not summaries:
        return None, (), ""
    earliest = dt.date.min
    last = max(summaries, key=lambda r: (r.last or r.date or earliest, _count(r) or -1, r.record_id))
    days = {d for s in last.summaries for d in s.dates} | {d for d in (last.first, last.last) if d}
    return _count(last), tuple(sorted(days)), last.record_id


def _count(record: TreatmentRecord) -> int | None:
    known = [s.delivered for s in record.summaries if s.delivered is not None]
    return sum(known) if known else None
