"""Many described patients in one run: each situation is a patient with the courses that it must give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tests.conftest import Outcome, Records
from tests.curation.conftest import OPERATED, Case
from tests.one_curation import OfCase

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Situation:
    """What is delivered of a patient, and what a careful reader makes of it.

    Attributes:
        deliver: adds reports and files to the patient.
        columns: of the courses.
        courses: their values, sorted.
        findings: rules whose findings there must be; none: no finding on plans, courses and records.
        operated: day of the operation.
    """

    deliver: Callable[[Case], object]
    courses: Rows
    columns: str = "prescribed_dose_gy fractions"
    findings: str = ""
    operated: str | None = OPERATED


@dataclass
class Clinic:
    """The patients of several situations, curated together."""

    folder: Path
    records: Records = field(default_factory=Records)
    cases: dict[str, Case] = field(default_factory=dict)
    outcome: Outcome | None = None

    def add(self, name: str, situation: Situation) -> None:
        number = str(1001 + len(self.cases))
        case = Case(self.records, self.folder, number=number).patient(situation.operated)
        situation.deliver(case)
        self.cases[name] = case

    def run(self) -> Outcome:
        if self.outcome is None:
            self.outcome = self.records.run()
        return self.outcome

    def of(self, name: str) -> OfCase:
        """Return what was made of the patient of a situation."""
        case = self.cases[name]
        return OfCase(self.run(), f"number:{case.number}", case.ids)

    def courses(self, name: str, columns: str) -> Rows:
        rows = self.of(name)["radiotherapy_course"].select(columns.split()).rows()
        return sorted((tuple(map(_plain, row)) for row in rows), key=str)

    def findings(self, name: str) -> set[str]:
        """Rules of the findings on the patient's plans, records and courses that are no notices."""
        of = self.of(name).observed.filter(
            pl.col("severity") != "notice",
            pl.col("rule_id").str.contains("^(course|plan|records|dicom|file|identity)"),
        )
        return set(of["rule_id"])


def clinic_of(folder: Path, situations: Mapping[str, Situation]) -> Clinic:
    """Deliver a patient of every situation."""
    clinic = Clinic(folder)
    for name, situation in situations.items():
        clinic.add(name, situation)
    return clinic


def check_accounts(clinic: Clinic) -> None:
    """Check that every record of all patients is accounted for once."""
    accounts = clinic.run().accounting
    assert accounts["unaccounted"].sum() == 0 and accounts["counted_twice"].sum() == 0


def check(clinic: Clinic, name: str, situation: Situation) -> None:
    """Compare what became of a patient with the situation."""
    got = clinic.courses(name, situation.columns)
    wanted = sorted(situation.courses, key=str)
    assert got == wanted, (name, clinic.findings(name))
    found = clinic.findings(name)
    expected = set(situation.findings.split())
    assert expected <= found, (name, found)
    if not expected:
        assert found == expected, (name, got)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    return str(value) if isinstance(value, dt.date) else value
