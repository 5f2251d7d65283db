"""Join documented irradiations (oBDS, tables) into courses: rules O1 to O9.

A course is an oBDS ST, or a row of a table. Every Bestrahlung of an ST counts: another target region is a
separate course; brachytherapy and radionuclides are separate phases.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sarcoma_pipeline.curation import event_dates
from sarcoma_pipeline.curation.course_reports import groups_of_reports
from sarcoma_pipeline.curation.prescription import Documented, same_dose
from sarcoma_pipeline.curation.target_regions import NO_SIDE, is_site, one_region
from schemas.rule import Rule

EXTERNAL = "external beam"
BRACHYTHERAPY = "brachytherapy"
RADIONUCLIDE = "radionuclide"
OTHER = "other"

MOST_GY = 80.0
"""A sum above this dose is not accepted from the documentation alone."""

_SUMMED = ("sequential",)
SEVERAL_IRRADIATIONS = Rule(
    "radiotherapy.irradiations-undecided",
    "warning",
    on="curated.radiotherapy_course",
    what="One ST has several irradiations of one target region, and none is marked as a sequential (SEQ) or"
    " an integrated boost (SIB), or their sum is above 80 Gy. The documented total dose is left empty.",
    remedy="In the tumour documentation, set Boost of each Bestrahlung of the ST, or report each course as "
    "a separate ST.",
    scope="record",
    source="oBDS 3.0.4 Bestrahlung/Boost",
)

BOOST_DAYS = 42
"""A sequential boost with an ST of its own continues a course that ended at most these days before."""


@dataclass(frozen=True)
class Irradiation:
    """One Bestrahlung, from all its reports."""

    record_ids: tuple[str, ...]
    kind: str = EXTERNAL
    start: dt.date | None = None
    end: dt.date | None = None
    start_precision: str | None = None
    end_precision: str | None = None
    start_day: int | None = None
    end_day: int | None = None
    region: str | None = None
    side: str | None = None
    radiation: str | None = None
    dose: float | None = None
    single: float | None = None
    boost: str | None = None
    stereotactic: bool | None = None

    @property
    def fractions(self) -> int | None:
        """Total dose divided by dose per fraction, if that is a whole number."""
        if not self.dose or not self.single:
            return None
        number = self.dose / self.single
        whole = round(number)
        return whole if whole and math.isclose(number, whole, rel_tol=0, abs_tol=0.05) else None


@dataclass(frozen=True)
class DocumentedCourse:
    """A documented course.

    Attributes:
        key: unique among the courses of the patient.
        record_id: the latest of its records, to which findings point.
        target: 1 for the main target region of an ST, 2 and more for the others.
        parts: the irradiations that give its dose.
        apart: brachytherapy and others of the same ST, never added to it.
        rule: the numbers of the rules that gave its dose.
        undecided: whether the parts allow more than one total.
        number_again: whether its reporter gave its number to an earlier course, too.
    """

    key: str
    record_id: str
    record_ids: tuple[str, ...]
    target: int = 1
    tumour_id: str | None = None
    intent: str | None = None
    sequence: str | None = None
    end_reason: str | None = None
    kind: str = EXTERNAL
    region: str | None = None
    side: str | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    start_precision: str | None = None
    end_precision: str | None = None
    start_day: int | None = None
    end_day: int | None = None
    dose: float | None = None
    single: float | None = None
    boost: str | None = None
    radiation: str | None = None
    stereotactic: bool | None = None
    fractions: int | None = None
    parts: tuple[Irradiation, ...] = ()
    apart: tuple[Irradiation, ...] = ()
    rule: str = "O1"
    undecided: bool = False
    number_again: bool = False

    @property
    def documented(self) -> tuple[Documented, ...]:
        """Doses and fractions that one of its plans may have: the total first, then each part."""
        parts = [(p.dose, p.fractions) for p in self.parts] if len(self.parts) > 1 else []
        return ((self.dose, self.fractions), *parts)

    @property
    def brachytherapy(self) -> tuple[Documented, ...]:
        """Doses and fractions of its documented brachytherapy."""
        parts = self.parts if self.kind == BRACHYTHERAPY else self.apart
        return tuple((p.dose, p.fractions) for p in parts if p.kind == BRACHYTHERAPY)


def documented_courses(
    rows: Sequence[Mapping[str, Any]], site: str | None = None, surgeries: Collection[dt.date] = ()
) -> list[DocumentedCourse]:
    """Join the reports of one patient's irradiations into courses.

    Args:
        rows: of ``typed.radiotherapy``, in rising order of credibility (earlier reports first).
        site: ICD-10 or ICD-O-3 site of the patient's tumour, which names the main target region.
        surgeries: days of operations; a boost after an operation is a course of its own.

    Returns:
        The courses: the dated ones by first date, those that a table counts in days by first day, the others.
    """
    groups = groups_of_reports(rows)
    named = Counter(group.name for group in groups)
    alike: Counter[str] = Counter()
    found: list[DocumentedCourse] = []
    for group in groups:
        # Two tumours, or two reporters, may use the same course numbers.
        alike[group.name] += 1
        nth = f"{group.name} ({alike[group.name]})"
        own = _courses(group.name if named[group.name] == 1 else nth, group.rows(), site)
        found += [replace(course, number_again=group.number_again) for course in own]
    return _with_boosts(sorted(found, key=_by_start), surgeries, site)


def _by_start(course: DocumentedCourse) -> tuple[Any, ...]:
    start = course.start or dt.date.max
    return start, course.start_day is None, course.start_day or 0, course.target, course.key


def _with_boosts(
    courses: list[DocumentedCourse], surgeries: Collection[dt.date], site: str | None
) -> list[DocumentedCourse]:
    """Apply O9: add each sequential boost with an ST of its own to the course that it continues.

    Args:
        courses: of one patient, in the order of their first day.
        surgeries: days of operations.
        site: of the patient's tumour.
    """
    kept: list[DocumentedCourse] = []
    for course in courses:
        before = [one for one in kept if _continues(course, one, surgeries, site)]
        # An unknown side beside two irradiated sides continues neither.
        if len({one.side for one in before}) != 1:
            kept.append(course)
            continue
        base = max(before, key=lambda one: (one.end or dt.date.min, one.key))
        whole = replace(
            base,
            record_ids=tuple(sorted({*base.record_ids, *course.record_ids})),
            end_reason=course.end_reason,
            apart=(*base.apart, *course.apart),
        )
        both = _total(whole, [*base.parts, *course.parts])
        kept[kept.index(base)] = replace(both, rule=f"O9 {both.rule}")
    return kept


def _continues(
    boost: DocumentedCourse, base: DocumentedCourse, surgeries: Collection[dt.date], site: str | None
) -> bool:
    labelled = len(boost.parts) == 1 and boost.boost in _SUMMED
    if not labelled or (base.tumour_id, base.kind) != (boost.tumour_id, EXTERNAL):
        return False
    if not base.region or not boost.region or not one_region(base.region, boost.region, site):
        return False
    if base.side != boost.side and base.side not in NO_SIDE and boost.side not in NO_SIDE:
        return False
    if not base.parts or not base.end or not boost.start:
        return False
    between = any(base.end <= day <= boost.start for day in surgeries)
    return 0 <= (boost.start - base.end).days <= BOOST_DAYS and not between


def _courses(name: str, rows: Sequence[Mapping[str, Any]], site: str | None) -> Iterable[DocumentedCourse]:
    everything = tuple(sorted({row["record_id"] for row in rows}))
    whole = DocumentedCourse(
        key=name,
        record_id=rows[-1]["record_id"],
        record_ids=everything,
        tumour_id=_last(rows, "tumour_id"),
        intent=_last(rows, "intent"),
        sequence=_last(rows, "radiation_sequence"),
        end_reason=_last(rows, "end_reason"),
    )
    irradiations = _irradiations(rows)
    external = [i for i in irradiations if i.kind == EXTERNAL]
    apart = tuple(i for i in irradiations if i.kind != EXTERNAL)
    if not external:
        # Without external beam irradiation the course consists of the other kinds.
        kinds = sorted({i.kind for i in apart}, key=[BRACHYTHERAPY, OTHER, RADIONUCLIDE].index)
        if not kinds:
            return [whole]
        first = [i for i in apart if i.kind == kinds[0]]
        rest = tuple(i for i in apart if i.kind != kinds[0])
        return [replace(_total(whole, first), kind=kinds[0], apart=rest)]
    targets = _by_target(external, site)
    order = sorted(targets, key=lambda t: (not is_site(t[0], site), -_most(targets[t]), str(t)))
    made = []
    for number, target in enumerate(order, start=1):
        one = _total(replace(whole, target=number), targets[target])
        own = tuple(sorted({r for i in targets[target] for r in i.record_ids}))
        if number == 1:
            made.append(replace(one, apart=apart))
        else:
            rule = f"O2 {one.rule}" if one.rule != "O1" else "O2"
            latest = next(r["record_id"] for r in reversed(rows) if r["record_id"] in own)
            made.append(
                replace(one, key=f"{name} target {number}", record_id=latest, record_ids=own, rule=rule)
            )
    return made


def _last(rows: Sequence[Mapping[str, Any]], column: str) -> Any:
    return next((row[column] for row in reversed(rows) if row[column] is not None), None)


def _irradiations(rows: Sequence[Mapping[str, Any]]) -> list[Irradiation]:
    """Return the irradiations of the latest report that has any; earlier reports fill its missing values."""
    by_report: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["irradiated"]:
            by_report[row["reported_on"], row["report_id"] or row["record_id"]].append(row)
    if not by_report:
        return []
    latest = list(by_report)[-1]
    numbers = sorted({row["part"] or 1 for row in by_report[latest]})
    found = []
    for number in numbers:
        of_part = [r for r in rows if r["irradiated"] and (r["part"] or 1) == number]
        start, start_precision = event_dates.day_of_reports(of_part, "start_date")
        end, end_precision = event_dates.day_of_reports(of_part, "end_date")
        found.append(
            Irradiation(
                record_ids=tuple(sorted({r["record_id"] for r in of_part})),
                kind=_last(of_part, "application") or EXTERNAL,
                start=start,
                end=end,
                start_precision=start_precision,
                end_precision=end_precision,
                start_day=_last(of_part, "start_day"),
                end_day=_last(of_part, "end_day"),
                region=_last(of_part, "target_region"),
                side=_last(of_part, "target_side"),
                radiation=_last(of_part, "radiation"),
                dose=_last(of_part, "prescribed_dose_gy"),
                single=_last(of_part, "single_dose_gy"),
                boost=_last(of_part, "boost"),
                stereotactic=_last(of_part, "stereotactic"),
            )
        )
    return found


Target = tuple[str | None, str | None]


def _by_target(irradiations: Sequence[Irradiation], site: str | None) -> dict[Target, list[Irradiation]]:
    """Apply O2: group irradiations by target region and side.

    Without a region they join the only target there is, and without a side the only side of their region.
    """
    named = {(i.region, i.side) for i in irradiations if i.region}
    only = next(iter(named)) if len(named) == 1 else None
    found: dict[Target, list[Irradiation]] = defaultdict(list)
    for one in irradiations:
        target = only or (None, None) if one.region is None else _target(one.region, one.side, named, site)
        found[target].append(one)
    return found


def _target(region: str, side: str | None, named: Collection[Target], site: str | None) -> Target:
    alike = [(r, s) for r, s in named if r and one_region(region, r, site)]
    sides = {s for _, s in alike if s not in NO_SIDE}
    if side in NO_SIDE:
        side = next(iter(sides)) if len(sides) == 1 else None
    regions = {r for r, s in alike if s == side or s in NO_SIDE} | {region}
    return min(regions, key=lambda r: (r.endswith("."), r)), side


def _most(irradiations: Iterable[Irradiation]) -> float:
    return max((i.dose or 0.0 for i in irradiations), default=0.0)


def _total(whole: DocumentedCourse, irradiations: Sequence[Irradiation]) -> DocumentedCourse:
    """Return the total dose of irradiations of one target (rules O1, O3 to O7)."""
    parts = _once(irradiations)
    main = max(parts, key=lambda p: (p.dose or 0.0, -(p.start or dt.date.max).toordinal()))
    dose, fractions, rule = _dose(parts)
    undecided = len(parts) > 1 and dose is None and any(p.dose is not None for p in parts)
    boosts = [p.boost for p in parts if p.boost and p.boost != "none"]
    start = min((p.start for p in parts if p.start), default=None)
    end = max((p.end for p in parts if p.end), default=None)
    return replace(
        whole,
        region=main.region,
        side=main.side,
        start=start,
        end=end,
        start_precision=event_dates.finest(p.start_precision for p in parts if start and p.start == start),
        end_precision=event_dates.finest(p.end_precision for p in parts if end and p.end == end),
        start_day=min((p.start_day for p in parts if p.start_day is not None), default=None),
        end_day=max((p.end_day for p in parts if p.end_day is not None), default=None),
        dose=dose,
        single=main.single,
        boost=next(iter(sorted(boosts, key=_by_name)), next((p.boost for p in parts if p.boost), None)),
        radiation=main.radiation,
        stereotactic=main.stereotactic,
        fractions=fractions,
        parts=tuple(parts),
        rule=rule,
        undecided=undecided,
    )


def _by_name(boost: str) -> int:
    known = ["sequential", "simultaneous integrated", "concomitant", "unspecified"]
    return known.index(boost) if boost in known else len(known)


def _once(irradiations: Sequence[Irradiation]) -> list[Irradiation]:
    """Apply O7: merge irradiations with identical content."""
    found: dict[Any, Irradiation] = {}
    for one in irradiations:
        facts = (one.start, one.end, one.start_day, one.region, one.side, one.dose, one.single, one.boost)
        if facts in found:
            both = tuple(sorted({*found[facts].record_ids, *one.record_ids}))
            found[facts] = replace(found[facts], record_ids=both)
        else:
            found[facts] = one
    return sorted(found.values(), key=_in_order)


def _in_order(one: Irradiation) -> tuple[Any, ...]:
    """Return the sort key: first day, then content; record ids decide only between equal ones."""
    late = dt.date.max
    return (
        one.start or late, one.end or late, -(one.dose or 0.0), -(one.single or 0.0), one.kind,
        one.region or "", one.side or "", one.radiation or "", one.boost or "", one.record_ids,
    )  # fmt: skip


def _dose(parts: Sequence[Irradiation]) -> tuple[float | None, int | None, str]:
    """Return total dose, fractions and rule of the irradiations of one target."""
    if len(parts) == 1:
        return parts[0].dose, parts[0].fractions, "O1"
    doses = [p.dose for p in parts]
    if None in doses:
        return None, None, "O6"
    known = [d for d in doses if d is not None]
    numbers = [p.fractions for p in parts]
    kinds = {p.boost for p in parts}
    if "simultaneous integrated" in kinds and not kinds & {*_SUMMED, "concomitant"}:
        best = max(parts, key=lambda p: p.dose or 0.0)
        return max(known), best.fractions, "O4"
    total = math.fsum(known)
    if kinds & set(_SUMMED) and "concomitant" not in kinds and total <= MOST_GY:
        fractions = sum(n for n in numbers if n) if None not in numbers else None
        return total, fractions, "O3"
    counts = {n for n in numbers if n}
    if same_dose(min(known), max(known), 1e-6) and _same_days(parts) and len(counts) < 2:
        return max(known), next(iter(counts), None), "O7"
    return None, None, "O6"


def _same_days(parts: Sequence[Irradiation]) -> bool:
    return len({(p.start, p.end) for p in parts}) == 1
