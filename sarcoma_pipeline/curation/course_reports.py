"""Decide which reports of irradiations describe one course: rule O8.

An ST_ID is a hint: without one, the day and the target region tell; one number on two dates is two courses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

SAME_COURSE_DAYS = 3
"""Two reporters describe the same course if its documented starts differ by at most these days."""

OPEN_DAYS = 42
"""A course whose end is not reported may be reported again with a start up to these days later."""


@dataclass
class Group:
    """The reports of one course, with their ranks in the order of credibility.

    Attributes:
        tumour: the tumour's number.
        name: the source's number of the course, else its report, its first day, or its record.
        reporters: who reports it.
        reports: rank and row of ``typed.radiotherapy``.
        numbered: whether the source gives it a number.
        number_again: whether its reporter gave the number to an earlier course, too.
    """

    tumour: str | None
    name: str
    reporters: set[str | None]
    reports: list[tuple[int, Row]]
    numbered: bool
    number_again: bool = False

    def rows(self) -> list[Row]:
        """Return the rows in rising order of credibility: of one source, the reports of the end come last.

        A begin that is exported again, or later in the same file, does not undo what the end states.
        """
        sources: dict[str, int] = {}
        for rank, row in sorted(self.reports, key=lambda report: report[0]):
            sources.setdefault(row["source"], rank)
        ends = {_report(row) for _, row in self.reports if row["end_date"] or row["end_reason"]}
        by = sorted(self.reports, key=lambda r: (sources[r[1]["source"]], _report(r[1]) in ends, r[0]))
        return [row for _, row in by]

    @property
    def first(self) -> dt.date | None:
        """First day of irradiation."""
        return min(self._all("start_date"), default=None)

    @property
    def last(self) -> dt.date | None:
        """Last day of irradiation."""
        return max(self._all("end_date"), default=None)

    @property
    def ended(self) -> bool:
        """Whether the end was reported."""
        return bool(self._all("end_date") or self._all("end_reason"))

    @property
    def regions(self) -> set[tuple[str, str | None]]:
        """Target regions with their sides."""
        return {(row["target_region"], row["target_side"]) for _, row in self.reports if row["target_region"]}

    @property
    def doses(self) -> set[float]:
        """Total doses in Gy."""
        return set(self._all("prescribed_dose_gy"))

    def _all(self, column: str) -> list[Any]:
        return [row[column] for _, row in self.reports if row[column] is not None]

    def is_same(self, other: Group) -> bool:
        """Return whether the reports of two reporters are about one course."""
        if self.tumour != other.tumour or self.reporters & other.reporters:
            return False
        regions, others = {region for region, _ in self.regions}, {region for region, _ in other.regions}
        if regions and others and not regions & others:
            return False
        if self.first and other.first:
            return abs((self.first - other.first).days) <= SAME_COURSE_DAYS
        return self.name == other.name

    def is_other_half(self, other: Group) -> bool:
        """Return whether two reports of one reporter, at most one of them numbered, are about one course."""
        if self.tumour != other.tumour or self.reporters != other.reporters:
            return False
        if (self.numbered and other.numbered) or not self.first or self.first != other.first:
            return False
        half = not (self.ended and other.ended)
        return self.regions == other.regions and (half or self.doses == other.doses)

    def takes(self, start: dt.date | None) -> bool:
        """Return whether a report of the same number that begins on ``start`` is about this course."""
        if not start or not self.first:
            return True
        if self.last:
            return start <= self.last or abs((start - self.first).days) <= SAME_COURSE_DAYS
        return abs((start - self.first).days) <= OPEN_DAYS

    def add(self, other: Group) -> None:
        """Add the reports of the same course."""
        self.reporters |= other.reporters
        self.reports += other.reports


def groups_of_reports(rows: Sequence[Row]) -> list[Group]:
    """Group the reports of one patient by course.

    Args:
        rows: of ``typed.radiotherapy``, in rising order of credibility (earlier reports first).
    """
    own: dict[tuple[str | None, str | None, str], list[tuple[int, Row]]] = {}
    for place, row in enumerate(rows):
        own.setdefault((row["tumour_id"], row.get("reporter"), _name(row)), []).append((place, row))
    joined: list[Group] = []
    for (tumour, reporter, name), reports in own.items():
        for group in _by_date(Group(tumour, name, {reporter}, reports, bool(reports[0][1]["module_id"]))):
            same = next((o for o in joined if o.is_same(group) or o.is_other_half(group)), None)
            if same is None:
                joined.append(group)
            else:
                same.add(group)
    return joined


def _by_date(group: Group) -> list[Group]:
    """Split the reports of a number by the dates of its courses; one report is never split."""
    by_report: dict[str, list[tuple[int, Row]]] = {}
    for place, row in group.reports:
        by_report.setdefault(_report(row), []).append((place, row))
    parts = [
        Group(group.tumour, group.name, set(group.reporters), own, group.numbered)
        for own in by_report.values()
    ]
    # Reports without a start come last: they join the first course that is still open, else the last one.
    parts.sort(key=lambda part: (part.first or dt.date.max, part.reports[0][0]))
    found: list[Group] = []
    for part in parts:
        home = _home(part, found)
        if home is None:
            if found:
                part.number_again = True
            found.append(part)
        else:
            home.add(part)
    return found


def _home(part: Group, found: Sequence[Group]) -> Group | None:
    if part.first:
        return next((one for one in reversed(found) if one.takes(part.first)), None)
    open_ones = [one for one in found if not one.ended]
    return next(iter(open_ones), found[-1] if found else None)


def _report(row: Row) -> str:
    """Return the report that a row is a part of."""
    return str(row["report_id"] or row["record_id"])


def _name(row: Row) -> str:
    """Return the source's number of the course; without one its report, its first day, or its record."""
    day = row["start_date"] or row["start_day"]
    own = row["module_id"] or row["report_id"]
    return str(own) if own else f"{day} {row['target_region'] or ''}".strip() if day else row["record_id"]
